/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RUN_H
#define RUN_H

#include <limits.h>

/*
 * `shunt run`: an application whose own DPDK PCI drivers use our iommufd, through a preloaded
 * library (drivers/net/hosted). Problems for which that library could only end the process are
 * found first.
 *
 *   main.c       options, path of the library, exec
 *   program.c    whether the application can be preloaded and uses this DPDK
 *   functions.c  whether the functions named by -a are available
 */

/**
 * Finds an application in PATH and checks that the library can be preloaded into it.
 *
 * @param[out] path  of the application
 * @return 0; -ENOENT, -EACCES; -ENOEXEC a script, static, set-user-ID; -ENOTSUP no DPDK, DPDK
 * linked into it, or another release
 */
int run_check_program(const char *name, const char *library, char path[PATH_MAX]);

/** Checks the functions named by -a and --allow in an application's arguments. @return 0, -errno */
int run_check_functions(char **arguments);

#endif
