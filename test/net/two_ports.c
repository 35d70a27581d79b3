/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "two_ports.h"

struct net net;
struct net_config config;

int set_up(void **state)
{
	config = net_defaults;
	config.buffers = 4095;
	return 0;
}

int abandon(void **state)
{
	net_abandon(&net);
	return 0;
}

void begin(void)
{
	net_create(&net, &config);
	net_start(&net);
}

void finish(void)
{
	net_stop(&net);
	net_destroy(&net);
}
