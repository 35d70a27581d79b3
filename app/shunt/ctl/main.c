/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <shunt/error.h>

#include "commands.h"
#include "ctl.h"
#include "parse.h"

static const char usage[] =
	"Usage: shunt ctl [OPTION...] list | group | spaces | result | faults\n"
	"       shunt ctl [OPTION...] copy NAME | destroy NAME\n"
	"       shunt ctl [OPTION...] switch SPACE...\n"
	"       shunt ctl [OPTION...] watch\n"
	"Shows and switches the ports of a DPDK application that has loaded\n"
	"librte_net_shunt.so.\n"
	"  list                 platform, port groups and their ports\n"
	"  group                space in use; the plan that auto would take, and why\n"
	"  spaces               address spaces, their mappings and users\n"
	"  copy NAME            create a space: a copy of the one in use, with a page\n"
	"                       table of its own\n"
	"  destroy NAME         destroy an unused space\n"
	"  switch SPACE...      switch the group to each space in turn, while the\n"
	"                       application runs\n"
	"  result               result of the last switch\n"
	"  faults               recent DMA faults\n"
	"  watch                rates, switches, faults and recoveries of each port\n"
	"                       until Ctrl-C\n"
	"Process\n"
	"  --file-prefix NAME   --file-prefix of the application (default rte)\n"
	"  --instance N         number among applications with one prefix (default 0)\n"
	"  --socket PATH        telemetry socket, of any user\n"
	"  --group N            IOMMU group, if the application has several\n"
	"switch\n"
	"  --plan PLAN          replace, quiesce, stop-replace-start, detach-attach,\n"
	"                       restart or auto (default)\n"
	"  --live               let ports whose drivers cannot pause DMA keep running,\n"
	"                       unless this IOMMU refused DMA in an earlier replace\n"
	"  --force              with --live: even then; such a port may receive nothing\n"
	"                       until it is stopped and started\n"
	"  --switches N         number of switches (default one to each space)\n"
	"  --every TIME         time between two switches (default 100ms)\n"
	"  --log FILE           append a JSON line before and after each switch\n"
	"watch\n"
	"  --every TIME         time between two updates (default 1s)\n"
	"  --count N            end after N updates\n"
	"  --json               JSON instead of tables, except for watch\n"
	"doc/control.md describes the telemetry commands, for other clients.\n";

struct verb {
	const char *name;
	int (*run)(struct ctl_process *process, const struct ctl_options *options);
	int least, most; /* number of arguments */
	const char *words;
};

static const struct verb verbs[] = {
	{ "list", ctl_list, 0, 0, "no argument" },
	{ "group", ctl_show, 0, 0, "no argument" },
	{ "spaces", ctl_spaces, 0, 0, "no argument" },
	{ "copy", ctl_show, 1, 1, "the name of the new space" },
	{ "destroy", ctl_show, 1, 1, "the name of a space" },
	{ "switch", ctl_switch, 1, INT_MAX, "one or more spaces" },
	{ "result", ctl_show, 0, 0, "no argument" },
	{ "faults", ctl_show, 0, 0, "no argument" },
	{ "watch", ctl_watch, 0, 0, "no argument" },
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static int find(const struct ctl_options *options, const struct verb **verb)
{
	if (!options->verb)
		return shunt_fail(-EINVAL, "no command is given: see 'shunt ctl --help'");
	for (size_t i = 0; i < VERBS; i++) {
		*verb = &verbs[i];
		if (strcmp(verbs[i].name, options->verb) != 0)
			continue;
		if (options->word_count >= verbs[i].least && options->word_count <= verbs[i].most)
			return 0;
		return shunt_fail(-EINVAL, "%s: expected %s", verbs[i].name, verbs[i].words);
	}
	return shunt_fail(-EINVAL, "unknown command '%s' (see 'shunt ctl --help')", options->verb);
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
	int ret = ctl_options_parse(argc, argv, usage, &options);

	return parse_exit("shunt ctl", ret > 0 ? control(&options) : ret);
}
