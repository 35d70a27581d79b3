/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KEPT_FIXTURE_H
#define KEPT_FIXTURE_H

#include "rte_net_shunt.h"
#include "two_ports.h"

/* Two ports with queues, filters and offloads set up, and a second address space. */

#define QUEUES 2u
#define BURST  32
#define VLAN   0x0123
#define MTU    3000

/* For cmocka. */
int set_up_kept(void **state);

void begin_kept(void);

/** Switches the group of the second port to the other space. */
void change_space(enum shunt_plan plan);

/** Resets a port's function behind its driver's back, and has the group repair it. */
void reset_from_outside(unsigned int index);

#define KEPT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_kept, abandon)

#endif
