/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include <shunt/error.h>
#include <shunt/group.h>

#include "ctl.h"
#include "parse.h"

#define SWITCH_EVERY_NS 100000000
#define WATCH_EVERY_NS  1000000000

static const struct option known[] = {
	{ "file-prefix", required_argument, NULL, 'f' },
	{ "instance", required_argument, NULL, 'i' },
	{ "socket", required_argument, NULL, 's' },
	{ "group", required_argument, NULL, 'g' },
	{ "plan", required_argument, NULL, 'p' },
	{ "live", no_argument, NULL, 'L' },
	{ "force", no_argument, NULL, 'F' },
	{ "switches", required_argument, NULL, 'n' },
	{ "every", required_argument, NULL, 'e' },
	{ "log", required_argument, NULL, 'l' },
	{ "count", required_argument, NULL, 'c' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* The bit of an option in `given`. */
static uint64_t bit_of(int option)
{
	return option >= 'A' && option <= 'z' ? 1ull << (option - 'A') : 0;
}

static int take_number(const char *option, uint64_t min, uint64_t *value)
{
	return parse_number(option, optarg, min, INT32_MAX, value);
}

static int take(int option, char **argv, struct ctl_options *options)
{
	enum shunt_plan plan;
	uint64_t number = 0;
	int ret;

	options->given |= bit_of(option);
	switch (option) {
	case 'f':
		options->prefix = optarg;
		return 0;
	case 'i':
		ret = take_number("--instance", 0, &number);
		options->instance = (unsigned int)number;
		return ret;
	case 's':
		options->socket = optarg;
		return 0;
	case 'g':
		options->group = optarg;
		return take_number("--group", 0, &number);
	case 'p':
		options->plan = optarg;
		return shunt_plan_parse(optarg, &plan);
	case 'L':
		options->live = true;
		return 0;
	case 'F':
		options->force = true;
		return 0;
	case 'n':
		return take_number("--switches", 1, &options->switches);
	case 'e':
		return parse_time("--every", optarg, &options->every_ns);
	case 'l':
		options->log = optarg;
		return 0;
	case 'c':
		return take_number("--count", 1, &options->count);
	case 'j':
		options->json = true;
		return 0;
	case 'h':
		options->help = true;
		return 0;
	default:
		return parse_option_error(option, argv, known, "shunt ctl");
	}
}

/* Options that apply to some verbs only. */
static const struct {
	char letter;
	const char *name;
	const char *verbs;
} bound[] = {
	{ 'g', "--group", "group copy switch result watch" },
	{ 'p', "--plan", "switch" },
	{ 'L', "--live", "switch" },
	{ 'F', "--force", "switch" },
	{ 'n', "--switches", "switch" },
	{ 'l', "--log", "switch" },
	{ 'e', "--every", "switch watch" },
	{ 'c', "--count", "watch" },
	{ 'j', "--json", "list group spaces copy destroy switch result faults" },
};

static bool is_among(const char *verbs, const char *verb)
{
	size_t length = strlen(verb);

	for (; *verbs; verbs += strcspn(verbs, " "), verbs += *verbs == ' ')
		if (strcspn(verbs, " ") == length && strncmp(verbs, verb, length) == 0)
			return true;
	return false;
}

static int check_bound(const struct ctl_options *options)
{
	for (size_t i = 0; options->verb && i < sizeof(bound) / sizeof(bound[0]); i++)
		if (options->given & bit_of(bound[i].letter) &&
			!is_among(bound[i].verbs, options->verb))
			return shunt_fail(-EINVAL, "%s: applies to %s, not to %s", bound[i].name,
				bound[i].verbs, options->verb);
	return 0;
}

static int check(const struct ctl_options *options)
{
	if (options->socket && !*options->socket)
		return shunt_fail(-EINVAL, "--socket '': expected the path of a socket");
	if (options->log && !*options->log)
		return shunt_fail(-EINVAL, "--log '': expected the name of a file");
	if (!*options->prefix || strchr(options->prefix, '/'))
		return shunt_fail(-EINVAL, "--file-prefix '%s': expected a name", options->prefix);
	if (options->socket && options->instance)
		return shunt_fail(
			-EINVAL, "--socket and --instance: the socket determines the instance");
	if (options->force && !options->live)
		return shunt_fail(-EINVAL, "--force: requires --live");
	return 0;
}

int ctl_options_parse(int argc, char **argv, struct ctl_options *options)
{
	int option, ret = 0;

	*options = (struct ctl_options){
		.prefix = "rte",
		.plan = shunt_plan_name(SHUNT_PLAN_AUTO),
		.every_ns = UINT64_MAX,
	};
	opterr = 0;
	optind = 1;
	while (!ret && (option = getopt_long(argc, argv, ":h", known, NULL)) != -1)
		ret = take(option, argv, options);
	if (ret || options->help)
		return ret;
	if (optind < argc)
		options->verb = argv[optind++];
	options->words = argv + optind;
	options->word_count = argc - optind;
	if (options->every_ns == UINT64_MAX)
		options->every_ns = options->verb && strcmp(options->verb, "watch") == 0
					    ? WATCH_EVERY_NS
					    : SWITCH_EVERY_NS;
	ret = check(options);
	return ret ? ret : check_bound(options);
}
