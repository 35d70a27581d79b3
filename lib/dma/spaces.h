/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SPACES_H
#define SPACES_H

#include <pthread.h>

#include "mappings.h"

/* A hwpt made from a space for one group. */
struct space_hwpt {
	int group;
	uint32_t id; /* the IOAS's own: the kernel makes hwpts by itself */
};

struct shunt_space {
	struct shunt_spaces *all;
	struct shunt_space *next;
	char name[SHUNT_SPACE_NAME];
	uint32_t ioas_id;
	struct mappings own;
	struct space_hwpt *hwpts;
	size_t hwpt_count;
};

struct shunt_spaces {
	struct shunt_iommufd *iommufd;
	pthread_mutex_t lock;
	struct shunt_space *first;
	struct mappings shared;
};

/** Destroys the hwpts of a space; those that are in use stay. @return 0, -EBUSY */
int space_destroy_hwpts(struct shunt_space *space);

#endif
