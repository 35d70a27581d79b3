/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SPACES_H
#define SPACES_H

#include <string.h>
#include <sys/queue.h>

#include <bsd/bitstring.h>

#include <shunt/space.h>

#include "ranges.h"
#include "shunt_hold.h"

/* Inside lib/dma. The caller holds the lock. */

#define SHARED 0u                     /* in place of a slot: all spaces, future ones too */
#define SLOTS  (SHUNT_SPACES_MAX + 1) /* of spaces, which begin at 1 */

/*
 * One mapping of the table: which spaces want it, and where the kernel has it. The two differ after
 * a failed map or unmap. A mapping that no space wants is left over.
 */
struct mapping {
	struct range range;               /* IOVAs; stays first */
	TAILQ_ENTRY(mapping) next;        /* of those that are not shared */
	struct shunt_mapping about;       /* iova and length again */
	bitstr_t bit_decl(wanted, SLOTS); /* by slots */
	bitstr_t bit_decl(in, SLOTS);
};

/* A group that uses a space, or has a hwpt there. */
struct space_user {
	int group;
	unsigned int uses;
	uint32_t hwpt_id; /* 0: none */
};

struct shunt_space {
	struct shunt_spaces *all;
	TAILQ_ENTRY(shunt_space) next;
	char name[SHUNT_SPACE_NAME];
	uint32_t ioas_id;
	unsigned int slot;
	uint64_t mapped; /* bytes that the kernel has */
	bool doubtful;   /* a mapping may be lost; false: surely none */
	struct space_user *users;
	size_t user_count;
	unsigned int application; /* uses by it */
};

struct shunt_spaces {
	struct shunt_iommufd *iommufd;
	pthread_mutex_t lock;
	bool no_map_file;                /* the kernel has no IOMMU_IOAS_MAP_FILE */
	bitstr_t bit_decl(slots, SLOTS); /* in use */
	TAILQ_HEAD(, shunt_space) list;  /* in order of creation */
	struct ranges table;
	TAILQ_HEAD(, mapping) own; /* those that are not shared, in order of creation */
	size_t shared;             /* how many are */
};

static inline bool slots_empty(const bitstr_t *slots)
{
	static const bitstr_t bit_decl(empty, SLOTS);

	return memcmp(slots, empty, sizeof(empty)) == 0;
}

/* ---- table.c: mappings, and the kernel's side of them ---- */

/** A new mapping in the table, shared or of the space in a slot. @return NULL: no memory */
struct mapping *mapping_new(
	struct shunt_spaces *spaces, const struct shunt_mapping *about, unsigned int slot);

/**
 * A space no longer wants its own mapping; SHARED: none wants a shared one. It leaves the table
 * once the kernel has it nowhere.
 */
void mapping_unwant(struct shunt_spaces *spaces, struct mapping *mapping, unsigned int slot);

/** Whether a mapping is shared, or a space's own. */
bool mapping_wanted(const struct mapping *mapping, unsigned int slot);

/** The next mapping that is shared, or a space's own; after NULL: the first one. */
struct mapping *mapping_next_wanted(
	const struct shunt_spaces *spaces, const struct mapping *after, unsigned int slot);

/** The own mapping of a space, or the shared one, of exactly that range; NULL if none. */
struct mapping *mapping_exact(
	const struct shunt_spaces *spaces, uint64_t iova, uint64_t length, unsigned int slot);

/**
 * How much of a mapping, from its start, a space has at the same IOVA, of the same memory, with at
 * least the same rights.
 *
 * @return bytes, mapping->length for all of it
 */
uint64_t mapping_covered(const struct shunt_space *space, const struct shunt_mapping *mapping);

/**
 * Maps into a space, unless it is there: copied from another that has it. -EINVAL names what the
 * IOMMU allows.
 */
int mapping_put(struct shunt_space *space, struct mapping *mapping);

/** Unmaps from a space, if it is there. */
int mapping_take(struct shunt_space *space, struct mapping *mapping);

/** Copies what is shared, and what the space in a slot has of its own, into a new space. */
int mapping_copy_all(struct shunt_space *space, unsigned int slot);

/** A space is destroyed: it has nothing any more. */
void mapping_forget(struct shunt_space *space);

/** Whether one of the ranges, which ascend, has a mapping as a whole. @return 0, -EINVAL */
int ranges_allow(
	const struct shunt_iova_range *ranges, uint32_t count, const struct shunt_mapping *mapping);

/** Whether a space allows a range, by what the kernel says of its devices. @return 0, -EINVAL */
int space_allows(struct shunt_space *space, const struct shunt_mapping *mapping);

/** Number of groups that use a space. */
unsigned int space_groups(const struct shunt_space *space);

#endif
