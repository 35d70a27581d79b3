/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "commands.h"

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
};

static const struct command commands[] = {
	{ "list", shunt_list, "functions, their IOMMU groups, and who blocks a group" },
	{ "doctor", shunt_doctor, "what a switch needs and lacks here, and how to mend it" },
	{ "bind", shunt_bind, "put whole groups on vfio-pci" },
	{ "unbind", shunt_unbind, "put them back on what they were on" },
	{ "forward", shunt_forward, "forward traffic while a group is switched, and measure" },
	{ "run", shunt_run, "start a DPDK application with DPDK's own drivers on iommufd" },
	{ "ctl", shunt_ctl, "show and switch the groups of a running DPDK application" },
	{ "report", shunt_report, "compare result records, draw a switch on a time line" },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *file)
{
	fputs("Usage: shunt COMMAND [OPTION...]\n"
	      "Moves live NIC DMA from one I/O page table to another.\n\n",
		file);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(file, "  %-9s %s\n", commands[i].name, commands[i].summary);
	fputs("\n'shunt COMMAND --help' explains a command.\n", file);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return 1;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_help(stdout);
		return 0;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "shunt: unknown command '%s' (shunt --help names them)\n", argv[1]);
	return 1;
}
