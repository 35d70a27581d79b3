/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <rte_version.h>

#include <shunt/error.h>
#include <shunt/version.h>

#include "commands.h"
#include "text.h"

/* rte_version() is the release at run time. */
#define TEXT_OF(number) #number
#define RELEASE(year, month, minor) \
	RTE_VER_PREFIX " " TEXT_OF(year) "." TEXT_OF(month) "." TEXT_OF(minor) RTE_VER_SUFFIX
#define BUILT_AGAINST RELEASE(RTE_VER_YEAR, RTE_VER_MONTH, RTE_VER_MINOR)

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
};

static const struct command commands[] = {
	{ "list", shunt_list, "functions by IOMMU group, and what blocks a group" },
	{ "doctor", shunt_doctor, "check what a switch needs, and how to fix what is missing" },
	{ "bind", shunt_bind, "bind whole groups to vfio-pci" },
	{ "unbind", shunt_unbind, "restore the drivers that they had before" },
	{ "vf", shunt_vf, "show, make and remove virtual functions" },
	{ "forward", shunt_forward, "forward traffic while a group is switched, and measure" },
	{ "run", shunt_run, "start a DPDK application whose own drivers use iommufd" },
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
	fputs("\n'shunt help COMMAND' explains a command, 'shunt --version' prints versions.\n",
		file);
}

/*
 * The first file that is opened would take the place of a standard descriptor that is closed, and
 * receive the output. The placeholder is opened the wrong way round: using it is an error.
 */
static void open_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static int run_command(int argc, char **argv)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(argv[0], commands[i].name) == 0)
			return commands[i].run(argc, argv);
	fprintf(stderr, "shunt: unknown command '%s' (see 'shunt --help')\n", argv[0]);
	return 1;
}

static int print_version(void)
{
	struct utsname machine;

	uname(&machine);
	printf("shunt %s\n"
	       "built against %s, runs with %s\n"
	       "platform: %s %s %s, /dev/iommu %s; sim\n",
		SHUNT_VERSION, BUILT_AGAINST, rte_version(), machine.sysname, machine.release,
		machine.machine, access("/dev/iommu", F_OK) ? "missing" : "present");
	return 0;
}

/* 'shunt help', 'shunt help COMMAND'. */
static int help(int argc, char **argv)
{
	if (argc < 3) {
		print_help(stdout);
		return 0;
	}
	return run_command(2, (char *[]){ argv[2], (char[]){ "--help" }, NULL });
}

static int run(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return 1;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
		strcmp(argv[1], "help") == 0)
		return help(argc, argv);
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
		return print_version();
	return run_command(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	int status;

	open_standard();
	status = run(argc, argv);
	if (status || text_flush(stdout, "standard output") == 0)
		return status;
	fprintf(stderr, "shunt: %s\n", shunt_errmsg());
	return 1;
}
