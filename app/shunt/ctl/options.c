/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include <shunt/error.h>
#include <shunt/group.h>

#include "ctl.h"
#include "parse.h"

#define SWITCH_EVERY_NS 100000000
#define WATCH_EVERY_NS  1000000000

static int take_plan(const char *text, void *context)
{
	struct ctl_options *options = context;
	enum shunt_plan plan;

	options->plan = text;
	return shunt_plan_parse(text, &plan);
}

static int take_group(const char *text, void *context)
{
	struct ctl_options *options = context;
	uint64_t number;

	options->group = text;
	return parse_number("--group", text, 0, INT32_MAX, &number);
}

static bool is_among(const char *verbs, const char *verb)
{
	size_t length = strlen(verb);

	for (; *verbs; verbs += strcspn(verbs, " "), verbs += *verbs == ' ')
		if (strcspn(verbs, " ") == length && strncmp(verbs, verb, length) == 0)
			return true;
	return false;
}

/* Options that apply to some verbs only. */
static int check_verb(const struct parse_option *known, const char *verb)
{
	for (; verb && known->name; known++)
		if (known->given && known->applies && !is_among(known->applies, verb))
			return shunt_fail(-EINVAL, "--%s: applies to %s, not to %s", known->name,
				known->applies, verb);
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

int ctl_options_parse(int argc, char **argv, const char *usage, struct ctl_options *options)
{
	struct parse_option known[] = {
		{ "file-prefix", .text = &options->prefix },
		{ "instance", .count = &options->instance, .max = INT32_MAX },
		{ "socket", .text = &options->socket },
		{ "group", "group copy switch result watch", .take = take_group,
			.context = options },
		{ "plan", "switch", .take = take_plan, .context = options },
		{ "live", "switch", .flag = &options->live },
		{ "force", "switch", .flag = &options->force },
		{ "switches", "switch", .number = &options->switches, .min = 1, .max = INT32_MAX },
		{ "log", "switch", .text = &options->log },
		{ "every", "switch watch", .time = &options->every_ns },
		{ "count", "watch", .number = &options->count, .min = 1, .max = INT32_MAX },
		{ "json", "list group spaces copy destroy switch result faults",
			.flag = &options->json },
		{ NULL },
	};
	int ret, first;

	*options = (struct ctl_options){
		.prefix = "rte",
		.plan = shunt_plan_name(SHUNT_PLAN_AUTO),
		.every_ns = UINT64_MAX,
	};
	first = parse_options(argc, argv, known, "shunt ctl", usage);
	if (first <= 0)
		return first;
	if (first < argc)
		options->verb = argv[first++];
	options->words = argv + first;
	options->word_count = argc - first;
	if (options->every_ns == UINT64_MAX)
		options->every_ns = options->verb && strcmp(options->verb, "watch") == 0
					    ? WATCH_EVERY_NS
					    : SWITCH_EVERY_NS;
	ret = check(options);
	if (!ret)
		ret = check_verb(known, options->verb);
	return ret ? ret : 1;
}
