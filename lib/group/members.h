/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MEMBERS_H
#define MEMBERS_H

#include <pthread.h>

#include "shunt_group.h"

struct member {
	struct shunt_vfio_device *device;
	const struct shunt_port_ops *ops;
	void *port;
	uint32_t hwpt_id; /* attached to; 0: detached */
};

struct shunt_group {
	int number;
	pthread_mutex_t lock;
	shunt_fault_observer observer;
	void *observer_context;
	struct shunt_space *space; /* in use; NULL: no member, or state unknown */
	uint32_t hwpt_id;          /* of that space for this group */
	unsigned int count;
	struct member members[SHUNT_GROUP_MAX_MEMBERS];
};

#endif
