/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/error.h>

#include "compare.h"
#include "platforms.h"

static void usage(FILE *to)
{
	fprintf(to,
		"usage: play --platform sim|sim-7|kernel [--ports BDF,...] [--check] SCRIPT...\n"
		"Plays scripts and prints them with the answers of the platform; with --check "
		"prints only\nthe answers that are not those of the script, and exits 1 if there "
		"are any.\n");
}

/* Whether every answer is the script's; prints those that are not. */
static bool check(const char *path, const struct script *script, const struct transcript *answers,
	const char *release)
{
	char expected[PLAYER_ANSWER];
	bool right = true;
	size_t count = 0;

	for (size_t i = 0; i < script->count; i++) {
		if (!answers->answers[i])
			continue;
		count++;
		if (!script_expected(script->lines[i], release, expected, sizeof(expected))) {
			printf("%s:%zu: no answer is written down for: %s\n", path, i + 1,
				script->lines[i]);
			right = false;
		} else if (strcmp(expected, answers->answers[i]) != 0) {
			printf("%s:%zu: answered %s: %s\n", path, i + 1, answers->answers[i],
				script->lines[i]);
			right = false;
		}
	}
	if (!count) {
		printf("%s: no operations\n", path);
		return false;
	}
	return right;
}

static void print(const struct script *script, const struct transcript *answers)
{
	for (size_t i = 0; i < script->count; i++) {
		if (answers->answers[i])
			script_print(stdout, script->lines[i], answers->answers[i], true);
		else
			printf("%s\n", script->lines[i]);
	}
}

/* @return whether it could be played and, with --check, all is right */
static bool play(struct player *player, const char *name, const char *path, bool checking)
{
	const char *release = platforms_release(name);
	struct transcript answers;
	struct script script;
	bool right = false;

	if (script_load(path, &script) || compare_play(player, &script, &answers)) {
		fprintf(stderr, "play: %s: %s\n", path, shunt_errmsg());
		goto out;
	}
	if (checking) {
		right = check(path, &script, &answers, release);
	} else {
		print(&script, &answers);
		right = true;
	}
	compare_free(&answers);
out:
	script_free(&script);
	return right;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "platform", required_argument, NULL, 'p' },
		{ "ports", required_argument, NULL, 'P' },
		{ "check", no_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *name = NULL, *ports = PLATFORMS_PORTS;
	struct shunt_platform *platform = NULL;
	struct player *player = NULL;
	uint8_t *memory = platforms_memory();
	bool checking = false, right = true;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'p':
			name = optarg;
			break;
		case 'P':
			ports = optarg;
			break;
		case 'c':
			checking = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (!name || optind == argc) {
		usage(stderr);
		return 2;
	}
	if (!memory || platforms_create(name, &platform) ||
		player_create(platform, ports, memory, &player)) {
		fprintf(stderr, "play: %s\n", memory ? shunt_errmsg() : "out of memory");
		shunt_platform_destroy(platform);
		return 2;
	}
	for (int i = optind; i < argc; i++)
		right = play(player, name, argv[i], checking) && right;
	player_destroy(player);
	shunt_platform_destroy(platform);
	return right ? 0 : 1;
}
