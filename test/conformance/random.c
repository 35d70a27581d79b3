/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/error.h>
#include <shunt/sim.h>

#include "compare.h"
#include "generate.h"
#include "inject.h"
#include "platforms.h"

struct settings {
	uint64_t seed, scripts, ops;
	const char *platform, *against, *ports, *wrong;
	bool print;
};

/* One side of the comparison. */
struct side {
	struct shunt_platform *platform;
	struct inject *inject; /* what --wrong puts in between; or NULL */
	struct player *player;
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	stopped = 1;
}

static void usage(FILE *to)
{
	fprintf(to,
		"usage: random [--seed N] [--scripts M] [--ops K] [--platform kernel|sim]\n"
		"              [--against sim|kernel] [--ports BDF,...] [--wrong REQUEST] "
		"[--print]\n"
		"Plays M random scripts of K operations on both platforms, the kernel and lib/sim "
		"without\noptions, and compares the answers. At the first difference it prints the "
		"shortest script\nthat still shows one, and exits 1.\n"
		"  --wrong REQUEST  the platform compared against answers EIO to every "
		"IOMMU_... or\n                   VFIO_DEVICE_... of that name: a comparison that "
		"has "
		"to fail\n  --print          only prints the scripts\n");
}

static int side_create(
	struct side *side, const char *name, const char *ports, uint8_t *memory, const char *wrong)
{
	struct shunt_platform *platform;
	int ret = platforms_create(name, &side->platform);

	if (ret)
		return ret;
	platform = side->platform;
	if (wrong) {
		ret = inject_create(platform, &side->inject);
		if (ret)
			return shunt_fail(ret, "out of memory");
		inject_fail(side->inject, wrong, 1, UINT64_MAX, EIO);
		platform = inject_platform(side->inject);
	}
	return player_create(platform, ports, memory, &side->player);
}

static void side_destroy(struct side *side)
{
	player_destroy(side->player);
	inject_destroy(side->inject);
	shunt_platform_destroy(side->platform);
}

/* Nothing may be left of a script. */
static bool left_over(const struct side *side, const char *name)
{
	const struct shunt_sim_objects none = { .descriptors = 0 };
	struct shunt_sim_objects objects;

	if (strcmp(name, "sim") != 0)
		return false;
	shunt_sim_objects(side->platform, &objects);
	if (memcmp(&objects, &none, sizeof(none)) == 0)
		return false;
	printf("lib/sim has left: %u descriptors, %u IOASes, %u hwpts, %u devices, %u mappings\n",
		objects.descriptors, objects.ioas, objects.hwpt, objects.devices, objects.mappings);
	return true;
}

static void print_script(
	const struct settings *settings, const struct script *script, struct difference *difference)
{
	printf("at line %zu: %s\n  %s: %s\n  %s: %s\n", difference->line + 1,
		script->lines[difference->line], settings->platform, difference->a,
		settings->against, difference->b);
	for (size_t i = 0; i < script->count; i++)
		printf("    %s\n", script->lines[i]);
}

/* @return 0 the same, 1 not, -errno */
static int compare(const struct settings *settings, struct side *a, struct side *b, uint64_t number)
{
	struct difference difference;
	struct script script;
	int ret = generate_script(settings->seed * 1000003 + number, (unsigned int)settings->ops,
		a->player->ports, &script);

	if (ret)
		return ret;
	ret = compare_once(a->player, b->player, &script, &difference);
	if (ret)
		goto out;
	if (left_over(a, settings->platform) || left_over(b, settings->against)) {
		printf("seed %" PRIu64 " script %" PRIu64 ":\n", settings->seed, number);
		for (size_t i = 0; i < script.count; i++)
			printf("    %s\n", script.lines[i]);
		ret = 1;
		goto out;
	}
	if (!difference.found)
		goto out;
	printf("seed %" PRIu64 " script %" PRIu64 ": a difference ", settings->seed, number);
	printf("at line %zu: %s\n  %s: %s\n  %s: %s\n", difference.line + 1,
		script.lines[difference.line], settings->platform, difference.a, settings->against,
		difference.b);
	fflush(stdout);
	ret = compare_shrink(a->player, b->player, &script, &difference);
	if (ret)
		goto out;
	printf("minimised: ");
	print_script(settings, &script, &difference);
	ret = 1;
out:
	script_free(&script);
	return ret;
}

static int print_scripts(const struct settings *settings)
{
	for (uint64_t i = 0; i < settings->scripts; i++) {
		struct script script;

		if (generate_script(
			    settings->seed * 1000003 + i, (unsigned int)settings->ops, 3, &script))
			return 2;
		printf("# seed %" PRIu64 " script %" PRIu64 "\n", settings->seed, i);
		for (size_t line = 0; line < script.count; line++)
			printf("%s\n", script.lines[line]);
		script_free(&script);
	}
	return 0;
}

static int run(const struct settings *settings, struct side *a, struct side *b)
{
	uint64_t played = 0;
	int ret = 0;

	printf("seed %" PRIu64 ": %" PRIu64 " scripts of %" PRIu64 " operations, %s against %s\n",
		settings->seed, settings->scripts, settings->ops, settings->platform,
		settings->against);
	fflush(stdout);
	while (played < settings->scripts && !ret && !stopped) {
		ret = compare(settings, a, b, played);
		played++;
	}
	if (ret < 0) {
		fprintf(stderr, "random: %s\n", shunt_errmsg());
		return 2;
	}
	printf("seed %" PRIu64 ": %" PRIu64 " scripts played, %d differences\n", settings->seed,
		played, ret);
	return stopped ? 2 : ret;
}

static bool number_argument(const char *text, uint64_t *value)
{
	if (words_number(text, value) && *value <= UINT32_MAX)
		return true;
	fprintf(stderr, "random: '%s' is not a number up to %u\n", text, UINT32_MAX);
	return false;
}

static bool read_settings(int argc, char **argv, struct settings *settings)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "scripts", required_argument, NULL, 'm' },
		{ "ops", required_argument, NULL, 'k' },
		{ "platform", required_argument, NULL, 'p' },
		{ "against", required_argument, NULL, 'a' },
		{ "ports", required_argument, NULL, 'P' },
		{ "wrong", required_argument, NULL, 'w' },
		{ "print", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool right = true;
	int option;

	while (right && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 's':
			right = number_argument(optarg, &settings->seed);
			break;
		case 'm':
			right = number_argument(optarg, &settings->scripts);
			break;
		case 'k':
			right = number_argument(optarg, &settings->ops);
			break;
		case 'p':
			settings->platform = optarg;
			break;
		case 'a':
			settings->against = optarg;
			break;
		case 'P':
			settings->ports = optarg;
			break;
		case 'w':
			settings->wrong = optarg;
			break;
		case 'n':
			settings->print = true;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			right = false;
			break;
		}
	}
	if (!right || optind != argc) {
		usage(stderr);
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct settings settings = {
		.seed = 1,
		.scripts = 500,
		.ops = 60,
		.platform = "kernel",
		.against = "sim",
		.ports = PLATFORMS_PORTS,
	};
	struct side a = { NULL, NULL, NULL }, b = { NULL, NULL, NULL };
	uint8_t *memory = platforms_memory();
	int status = 2;

	if (!read_settings(argc, argv, &settings))
		return 2;
	if (settings.print)
		return print_scripts(&settings);
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	if (!memory || side_create(&a, settings.platform, settings.ports, memory, NULL) ||
		side_create(&b, settings.against, settings.ports, memory, settings.wrong)) {
		fprintf(stderr, "random: %s\n", memory ? shunt_errmsg() : "out of memory");
		goto out;
	}
	status = run(&settings, &a, &b);
out:
	side_destroy(&a);
	side_destroy(&b);
	return status;
}
