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
	uint64_t lost;      /* IOVA + 1 of a mapping that could not be mapped again; 0: none */
	unsigned int users; /* groups */
	struct space_hwpt *hwpts;
	size_t hwpt_count;
};

struct shunt_spaces {
	struct shunt_iommufd *iommufd;
	pthread_mutex_t lock;
	bool no_map_file; /* the kernel has no IOMMU_IOAS_MAP_FILE */
	struct shunt_space *first;
	struct mappings shared;
};

/** Maps into the kernel's IOAS; says of -EINVAL what the IOMMU allows. Lock held. */
int space_map_one(struct shunt_space *space, const struct shunt_mapping *mapping);
int space_unmap_one(struct shunt_space *space, const struct shunt_mapping *mapping);

/** Destroys the hwpts of a space; those that are in use stay. @return 0, -EBUSY */
int space_destroy_hwpts(struct shunt_space *space);

#endif
