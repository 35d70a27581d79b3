/* SPDX-License-Identifier: BSD-3-Clause */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <shunt/error.h>

#include "commands.h"
#include "rte_net_shunt.h"
#include "run.h"

#define LIBRARY "librte_shunt_vfio.so.0"
#define PRELOAD "LD_PRELOAD"

static const char usage[] =
	"Usage: shunt run [--secondary] [--] APPLICATION [ARGUMENT...]\n"
	"Starts a DPDK application whose PCI devices, driven by DPDK's own drivers, are\n"
	"opened through iommufd: 'shunt ctl' can then switch their groups.\n"
	"  shunt run dpdk-testpmd -a 0000:03:00.0 -a 0000:04:00.0 -- -i\n"
	"Before the start it checks that the application uses DPDK's shared libraries,\n"
	"and that the functions named by -a are on vfio-pci and free.\n"
	"  --secondary  the application is a secondary process, and uses the functions\n"
	"               of a primary process that 'shunt run' started\n";

/* The library is in the folder of the plugin that this command is linked with. */
static int find_library(char path[PATH_MAX])
{
	const char *slash;
	Dl_info info;

	if (!dladdr((void *)(uintptr_t)rte_net_shunt_driven, &info))
		return shunt_fail(-ENOENT, "the path of librte_net_shunt is unknown");
	slash = strrchr(info.dli_fname, '/');
	snprintf(path, PATH_MAX, "%.*s%s", slash ? (int)(slash + 1 - info.dli_fname) : 0,
		info.dli_fname, LIBRARY);
	if (path[0] != '/' || access(path, R_OK))
		return shunt_fail_errno(-errno, "%s, which must be preloaded", path);
	/* A list of ld.so(8) is divided there, and what it does not find it ignores. */
	if (strpbrk(path, " :"))
		return shunt_fail(-EINVAL,
			"%s, which must be preloaded: %s takes no path with a space or a colon: "
			"move it",
			path, PRELOAD);
	return 0;
}

static int preload(const char *library)
{
	const char *before = getenv(PRELOAD);
	char *list;

	if (before && strstr(before, "librte_shunt_vfio"))
		return shunt_fail(
			-EEXIST, "%s=%s: the library is preloaded already", PRELOAD, before);
	if (asprintf(&list, "%s%s%s", library, before && *before ? ":" : "", before ? before : "") <
		0)
		return shunt_fail(-ENOMEM, "out of memory");
	setenv(PRELOAD, list, 1);
	free(list);
	return 0;
}

static int start(char **argv, bool secondary)
{
	char library[PATH_MAX], program[PATH_MAX];
	int ret;

	ret = find_library(library);
	if (!ret)
		ret = preload(library);
	if (!ret)
		ret = run_check_program(argv[0], library, program);
	if (!ret && !secondary)
		ret = run_check_functions(argv + 1);
	if (ret)
		return ret;
	execv(program, argv);
	return shunt_fail_errno(-errno, "starting %s", program);
}

int shunt_run(int argc, char **argv)
{
	bool secondary = false;
	int at = 1;

	for (; at < argc && argv[at][0] == '-'; at++) {
		if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		}
		if (strcmp(argv[at], "--") == 0) {
			at++;
			break;
		}
		if (strcmp(argv[at], "--secondary") != 0) {
			fprintf(stderr, "shunt run: unknown option %s: see 'shunt run --help'\n",
				argv[at]);
			return EXIT_FAILURE;
		}
		secondary = true;
	}
	if (at >= argc)
		shunt_fail(-EINVAL, "no application is given: see 'shunt run --help'");
	else
		start(argv + at, secondary);
	fprintf(stderr, "shunt run: %s\n", shunt_errmsg());
	return EXIT_FAILURE;
}
