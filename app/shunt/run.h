/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RUN_H
#define RUN_H

#include <limits.h>

/*
 * `shunt run`: an application with DPDK's own PCI drivers on our iommufd, by a library to preload
 * (drivers/net/hosted). What the library could only end the process for is looked at before.
 *
 *   run.c            options; the library's place; exec
 *   run_program.c    the application: can it be preloaded, does it use this DPDK
 *   run_functions.c  the functions it names by -a: can they be taken
 */

/**
 * Finds an application as a shell would, and checks that the library can be preloaded into it.
 *
 * @param[out] path  of the application
 * @return 0; -ENOENT, -EACCES; -ENOEXEC a script, static, set-user-ID; -ENOTSUP no DPDK, DPDK
 * linked into it, or another release
 */
int run_check_program(const char *name, const char *library, char path[PATH_MAX]);

/** Checks the functions named by -a and --allow in an application's arguments. @return 0, -errno */
int run_check_functions(char **arguments);

#endif
