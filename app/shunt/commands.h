/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COMMANDS_H
#define COMMANDS_H

/*
 * The command: one function for each subcommand.
 *
 *   shunt list     list.c    functions, groups, what blocks a group
 *   shunt doctor   doctor/   what a switch needs and lacks
 *   shunt bind     bind.c    groups to vfio-pci
 *   shunt unbind   bind.c    and back
 *   shunt vf       vf.c      virtual functions shown, made and removed
 *   shunt forward  forward/  traffic through a port group that is switched live
 *   shunt run      run/      a DPDK application with hosted drivers
 *   shunt ctl      ctl/      a running DPDK application's groups shown and switched
 *   shunt report   report/   records compared, a switch drawn
 *
 * Commands share text.h, parse.h, screen.h and log.h.
 *
 * argv[0] is the subcommand's name. Each returns the exit status of the process: 0, or 1 with the
 * error in one line on stderr.
 */

/** Default of `shunt forward --memory`. */
#define COMMAND_MEMORY_MIB 256

int shunt_list(int argc, char **argv);
int shunt_doctor(int argc, char **argv);
int shunt_bind(int argc, char **argv);
int shunt_unbind(int argc, char **argv);
int shunt_vf(int argc, char **argv);
int shunt_forward(int argc, char **argv);
int shunt_run(int argc, char **argv);
int shunt_ctl(int argc, char **argv);
int shunt_report(int argc, char **argv);

#endif
