/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TWO_PORTS_H
#define TWO_PORTS_H

#include "packet.h"

/* Two ports, as a test has configured them, and the tests of a program that run on them. */

extern struct net net;
extern struct net_config config;

/* For cmocka. */
int set_up(void **state);
int abandon(void **state);

void begin(void);
void finish(void);

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, abandon)

#endif
