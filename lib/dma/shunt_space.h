/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_SPACE_H
#define SHUNT_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shunt_vfio.h"

/*
 * Address spaces: what devices see of memory.
 *
 *   struct shunt_spaces (all of one iommufd)
 *     |- shared mappings: every one of them is in every space, or in none
 *     |- space "a": IOAS, own mappings, a hwpt for each group that may use it
 *     `- space "b": made by copying the shared mappings
 *
 * A group can be switched to any space that has what the space in use has. Shared mappings are by
 * construction everywhere, so only own mappings have to be looked at, and a switch takes the same
 * time whatever is mapped.
 *
 * Any thread; a lock in struct shunt_spaces orders them. No call is made on a packet path.
 */

#ifdef __cplusplus
extern "C" {
#endif

#define SHUNT_SPACE_NAME 32

/** One mapping: IOVA to memory, one to one. */
struct shunt_mapping {
	uint64_t iova;
	uint64_t length; /**< bytes */
	void *va;
	unsigned int prot; /**< enum shunt_dma_prot */
	bool by_file;      /**< named by a file: fd and offset mean something */
	int fd;
	uint64_t offset; /**< bytes into the file */
};

struct shunt_spaces; /* all spaces of one iommufd */
struct shunt_space;

/** An empty set on an open iommufd. @return 0, -ENOMEM */
int shunt_spaces_create(struct shunt_iommufd *iommufd, struct shunt_spaces **spaces);

/** Destroys every space. No device may be attached. NULL is allowed. */
void shunt_spaces_destroy(struct shunt_spaces *spaces);

/**
 * Makes a space with every shared mapping, by IOMMU_IOAS_COPY from an existing one.
 *
 * @return 0; -EEXIST a space of that name exists; -EINVAL no name; the kernel's errno. On failure
 *         nothing is left.
 */
int shunt_space_create(struct shunt_spaces *spaces, const char *name, struct shunt_space **space);

/**
 * Makes a space that has everything another one has, shared and own, by IOMMU_IOAS_COPY: the same
 * memory at the same IOVAs, behind page tables of its own. What `from` maps or unmaps for itself
 * later stays its own matter.
 *
 * @return as shunt_space_create()
 */
int shunt_space_copy(struct shunt_space *from, const char *name, struct shunt_space **space);

/** Destroys a space and its hwpts. @return 0; -EBUSY in use by a device */
int shunt_space_destroy(struct shunt_space *space);

/** Finds a space by name. @return NULL if there is none. */
struct shunt_space *shunt_space_find(struct shunt_spaces *spaces, const char *name);

/**
 * Goes through all spaces in the order in which they were made; none may be destroyed meanwhile.
 *
 * @param after  NULL: the first one
 * @return NULL: there are no more
 */
struct shunt_space *shunt_space_next(struct shunt_spaces *spaces, const struct shunt_space *after);

/** Name of a space. */
const char *shunt_space_name(const struct shunt_space *space);

/** The kernel's id of its IOAS. */
uint32_t shunt_space_ioas(const struct shunt_space *space);

/**
 * Maps memory at an IOVA in every space, or, on failure, in none.
 *
 * @return 0; -EINVAL outside the allowed ranges (named) or misaligned; -EEXIST over another
 *         mapping (named); -ENOENT no space yet; the kernel's errno
 */
int shunt_spaces_map(
	struct shunt_spaces *spaces, void *va, uint64_t length, uint64_t iova, unsigned int prot);

/**
 * As shunt_spaces_map(), for memory that is a shared mapping of a file: by IOMMU_IOAS_MAP_FILE
 * where the kernel has that, else by its address.
 *
 * @param fd      memfd, or of hugetlbfs or tmpfs; stays open until the memory is unmapped
 * @param offset  of the memory in the file, bytes
 */
int shunt_spaces_map_file(struct shunt_spaces *spaces, int fd, uint64_t offset, void *va,
	uint64_t length, uint64_t iova, unsigned int prot);

/**
 * Unmaps what one shunt_spaces_map() or shunt_spaces_map_file() mapped, from every space, or, on
 * failure, from none.
 *
 * @return 0; -ENOENT not one shared mapping; the kernel's errno
 */
int shunt_spaces_unmap(struct shunt_spaces *spaces, uint64_t iova, uint64_t length);

/** Maps into one space only: that space's own mapping. Errors as of shunt_spaces_map(). */
int shunt_space_map(
	struct shunt_space *space, void *va, uint64_t length, uint64_t iova, unsigned int prot);

/** Unmaps what shunt_space_map() mapped. @return 0, -ENOENT */
int shunt_space_unmap(struct shunt_space *space, uint64_t iova, uint64_t length);

/**
 * A group that uses a space, or is about to, counts as a user: shunt_space_remap() keeps away from
 * a space with others.
 */
void shunt_space_use(struct shunt_space *space);
void shunt_space_leave(struct shunt_space *space);

/** Groups that use a space. */
unsigned int shunt_space_users(struct shunt_space *space);

/**
 * Unmaps and maps everything that a space has, one mapping after the other: the work of who has no
 * second page table. The caller is its only user, and no device is attached to it; who begins to
 * use it waits.
 *
 * @return 0; -EBUSY it has other users, nothing was touched; the kernel's errno: everything is
 * mapped as before, or, if the text says that a mapping is lost, shunt_space_covers() will not find
 * it there
 */
int shunt_space_remap(struct shunt_space *space);

/** Bytes mapped in a space, shared and own. */
uint64_t shunt_space_mapped(struct shunt_space *space);

/** Of the shared mappings' bytes those that were mapped by file. */
uint64_t shunt_spaces_mapped_by_file(struct shunt_spaces *spaces);

/**
 * The space's hwpt for a group; made at the first call, for the group of the given device. Where
 * the IOMMU's driver cannot make one in advance it is the IOAS: attaching to that makes a hwpt each
 * time, which takes longer.
 *
 * @return 0, the kernel's errno
 */
int shunt_space_hwpt(
	struct shunt_space *space, int group, struct shunt_vfio_device *device, uint32_t *hwpt_id);

/**
 * Whether everything that is mapped in `from` is mapped in `to`, at the same IOVA to the same
 * memory with the same rights.
 *
 * @return 0; -ENOENT, and shunt_errmsg() names the first range that is missing; -EIO a mapping of
 *         `to` was lost by shunt_space_remap()
 */
int shunt_space_covers(struct shunt_space *to, struct shunt_space *from);

#ifdef __cplusplus
}
#endif

#endif
