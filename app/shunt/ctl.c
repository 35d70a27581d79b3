/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "ctl.h"
#include "shunt_error.h"

static const char usage[] =
	"usage: shunt ctl [OPTION...] list\n"
	"       shunt ctl [OPTION...] group | result\n"
	"       shunt ctl [OPTION...] spaces | faults\n"
	"       shunt ctl [OPTION...] copy NAME\n"
	"       shunt ctl [OPTION...] destroy NAME\n"
	"       shunt ctl [OPTION...] switch SPACE...\n"
	"       shunt ctl [OPTION...] watch\n"
	"Shows and switches the ports of a DPDK application that has loaded librte_net_shunt.so.\n"
	"  list                 what runs below, the port groups and their ports\n"
	"  group                the space in use, and which plan auto would take and why\n"
	"  spaces               address spaces, what they map, who uses them\n"
	"  copy NAME            makes a space: a copy of the one in use, with a page table of its "
	"own\n"
	"  destroy NAME         destroys a space that is not in use\n"
	"  switch SPACE...      switches the group to each space in turn, while the application "
	"runs\n"
	"  result               the last switch\n"
	"  faults               the last DMA faults that were seen\n"
	"  watch                rates, switches, faults and recoveries of each port until Ctrl-C\n"
	"Which process\n"
	"  --file-prefix NAME   that of the application (default rte)\n"
	"  --instance N         of applications with one prefix, default 0\n"
	"  --socket PATH        its telemetry socket, of whatever user\n"
	"  --group N            IOMMU group, where it has ports of several\n"
	"switch\n"
	"  --plan PLAN          replace, quiesce, stop-replace-start, detach-attach, restart or\n"
	"                       auto (default)\n"
	"  --live               ports whose drivers cannot pause their DMA may run on, where the\n"
	"                       IOMMU was not seen to refuse DMA in a replace\n"
	"  --force              with --live: wherever, though they may then receive nothing until\n"
	"                       they are stopped and started\n"
	"  --switches N         so many, going round the spaces; default one to each\n"
	"  --every TIME         time between two (default 100ms)\n"
	"  --log FILE           append a JSON line before and after each switch\n"
	"watch\n"
	"  --every TIME         time between two looks (default 1s)\n"
	"  --count N            end after so many\n"
	"  --json               JSON in place of tables (not of watch)\n"
	"doc/control.md has the commands behind it, for other clients of DPDK's telemetry.\n";

struct verb {
	const char *name;
	int (*run)(struct ctl_process *process, const struct ctl_options *options);
	int least, most; /* words after it */
	const char *words;
};

static const struct verb verbs[] = {
	{ "list", ctl_list, 0, 0, "nothing" },
	{ "group", ctl_group_show, 0, 0, "nothing" },
	{ "spaces", ctl_spaces, 0, 0, "nothing" },
	{ "copy", ctl_copy, 1, 1, "the name of the new space" },
	{ "destroy", ctl_destroy, 1, 1, "the name of a space" },
	{ "switch", ctl_switch, 1, INT_MAX, "the space to switch to, or several" },
	{ "result", ctl_result, 0, 0, "nothing" },
	{ "faults", ctl_faults, 0, 0, "nothing" },
	{ "watch", ctl_watch, 0, 0, "nothing" },
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static int find(const struct ctl_options *options, const struct verb **verb)
{
	if (!options->verb)
		return shunt_fail(-EINVAL, "what is to be done? See 'shunt ctl --help'");
	for (size_t i = 0; i < VERBS; i++) {
		*verb = &verbs[i];
		if (strcmp(verbs[i].name, options->verb) != 0)
			continue;
		if (options->word_count >= verbs[i].least && options->word_count <= verbs[i].most)
			return 0;
		return shunt_fail(
			-EINVAL, "%s: %s is wanted after it", verbs[i].name, verbs[i].words);
	}
	return shunt_fail(
		-EINVAL, "unknown '%s' (shunt ctl --help names what there is)", options->verb);
}

static int control(const struct ctl_options *options)
{
	const struct verb *verb = NULL;
	struct ctl_process process;
	int ret;

	ret = find(options, &verb);
	if (!ret)
		ret = ctl_connect(options, &process);
	if (ret)
		return ret;
	ret = verb->run(&process, options);
	ctl_disconnect(&process);
	return ret;
}

int shunt_ctl(int argc, char **argv)
{
	struct ctl_options options;
	int ret = ctl_options_parse(argc, argv, &options);

	if (!ret && options.help)
		fputs(usage, stdout);
	else if (!ret)
		ret = control(&options);
	if (!ret && fflush(stdout))
		ret = shunt_fail_errno(-errno, "standard output");
	if (!ret)
		return 0;
	fprintf(stderr, "shunt ctl: %s\n", shunt_errmsg());
	return 1;
}
