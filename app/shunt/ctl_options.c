/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "ctl.h"
#include "parse.h"
#include "shunt_error.h"
#include "shunt_group.h"

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

static int take_number(const char *option, uint64_t min, uint64_t *value)
{
	return parse_number(option, optarg, min, INT32_MAX, value);
}

static int take(int option, char **argv, struct ctl_options *options)
{
	enum shunt_plan plan;
	uint64_t number = 0;
	int ret;

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
	case ':':
		return shunt_fail(-EINVAL, "%s needs a value", argv[optind - 1]);
	default:
		return shunt_fail(
			-EINVAL, "unknown option '%s' (shunt ctl --help)", argv[optind - 1]);
	}
}

static int check(const struct ctl_options *options)
{
	if (!*options->prefix || strchr(options->prefix, '/'))
		return shunt_fail(-EINVAL, "--file-prefix '%s' is no name", options->prefix);
	if (options->socket && options->instance)
		return shunt_fail(-EINVAL, "--socket names the instance already");
	if (options->force && !options->live)
		return shunt_fail(-EINVAL, "--force: of a switch with --live, which is missing");
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
	return check(options);
}
