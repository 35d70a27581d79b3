/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "hosted.h"

/* Functions that are hosted, and the ethdev ports that their drivers made of them. */

static TAILQ_HEAD(, hosted_function) functions = TAILQ_HEAD_INITIALIZER(functions);
static struct hosted_function *ports[RTE_MAX_ETHPORTS];

struct hosted_function *hosted_function_find(const char *address)
{
	struct hosted_function *function;

	TAILQ_FOREACH (function, &functions, next)
		if (strcmp(function->device.function, address) == 0)
			return function;
	return NULL;
}

struct hosted_function *hosted_function_of(uint16_t port_id)
{
	return port_id < RTE_MAX_ETHPORTS ? __atomic_load_n(&ports[port_id], __ATOMIC_ACQUIRE)
					  : NULL;
}

void hosted_port_set(uint16_t port_id, struct hosted_function *function)
{
	__atomic_store_n(&ports[port_id], function, __ATOMIC_RELEASE);
}

void hosted_ports_leaving(const struct rte_device *device, bool leaving)
{
	hosted_lock();
	for (uint16_t i = 0; i < RTE_MAX_ETHPORTS; i++) {
		if (!ports[i] || strcmp(ports[i]->device.function, device->name) != 0)
			continue;
		ports[i]->leaving += leaving ? 1 : -1;
		break;
	}
	hosted_unlock();
}

void hosted_function_add(struct hosted_function *function)
{
	TAILQ_INSERT_TAIL(&functions, function, next);
}

void hosted_function_remove(struct hosted_function *function)
{
	TAILQ_REMOVE(&functions, function, next);
	hosted_lock();
	for (uint16_t i = 0; i < RTE_MAX_ETHPORTS; i++)
		if (ports[i] == function)
			hosted_port_set(i, NULL);
	hosted_unlock();
}
