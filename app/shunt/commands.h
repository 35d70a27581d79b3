/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COMMANDS_H
#define COMMANDS_H

/*
 * The command: one function for each subcommand, a folder-mate file for each function.
 *
 *   shunt list     list.c      functions, groups, who blocks a group
 *   shunt doctor   doctor.c    what a switch needs and lacks
 *   shunt bind     bind.c      groups to vfio-pci
 *   shunt unbind   bind.c      and back
 *   shunt forward  forward.c   traffic through a port group that is switched live
 *   shunt run      run.c       a DPDK application, its drivers hosted
 *   shunt ctl      ctl.c       a running DPDK application's groups shown and switched
 *   shunt report   report.c    records compared, a switch drawn
 *
 * argv[0] is the subcommand's name. Each returns the exit status of the process: 0, or 1 with one
 * line on stderr that says what was wrong.
 */

int shunt_list(int argc, char **argv);
int shunt_doctor(int argc, char **argv);
int shunt_bind(int argc, char **argv);
int shunt_unbind(int argc, char **argv);
int shunt_forward(int argc, char **argv);
int shunt_run(int argc, char **argv);
int shunt_ctl(int argc, char **argv);
int shunt_report(int argc, char **argv);

#endif
