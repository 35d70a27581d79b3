/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_SPACE_H
#define SHUNT_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <shunt/vfio.h>

/*
 * Address spaces: what devices see of memory.
 *
 *   struct shunt_spaces (all of one iommufd)
 *     |
 *     |- table of mappings         wanted by      in the kernel in
 *     |    IOVA, length, memory    all (shared)    a b          <- as it should be
 *     |    IOVA, length, memory    all (shared)    a            <- a restart of b lost it
 *     |    IOVA, length, memory    b (its own)       b
 *     |    IOVA, length, memory    none            a            <- an unmap failed: left over
 *     |
 *     |- space "a": its own IOAS; its users: groups, each with a hwpt, and the application
 *     `- space "b"
 *
 * Memory is mapped into one space and copied (IOMMU_IOAS_COPY) into the others, so that it is
 * pinned and charged once. What is left over of freed memory is unmapped before other memory is
 * mapped at its IOVAs.
 *
 * A group can be switched to any space that has what the space in use has. Shared mappings are in
 * every space, so only own mappings are compared. A space never shares its IOAS: a failed replace
 * between two hwpts of one IOAS makes Linux up to 7.3 forget the IOVAs that its devices reserve.
 *
 * A space with users is not destroyed (-EBUSY, naming them). Ids of one iommufd mean nothing to
 * another one (-EINVAL, naming both). Any thread; one lock for each struct shunt_spaces. No call is
 * made on a packet path.
 */

#ifdef __cplusplus
extern "C" {
#endif

#define SHUNT_SPACE_NAME 32
#define SHUNT_SPACES_MAX 256 /* spaces of one iommufd */

/** One mapping: IOVA to memory, one to one. */
struct shunt_mapping {
	uint64_t iova;
	uint64_t length; /**< bytes */
	void *va;
	unsigned int prot; /**< enum shunt_dma_prot */
	bool by_file;      /**< fd and offset name the memory too */
	int fd;
	uint64_t offset;   /**< bytes into the file */
	const void *owner; /**< for shunt_spaces_next(); may be NULL */
};

struct shunt_spaces; /* all spaces of one iommufd */
struct shunt_space;

/** An empty set on an open iommufd. @return 0, -ENOMEM */
int shunt_spaces_create(struct shunt_iommufd *iommufd, struct shunt_spaces **spaces);

/** Destroys every space. NULL is allowed. @return 0; -EBUSY one has users: nothing was touched */
int shunt_spaces_destroy(struct shunt_spaces *spaces);

/**
 * Makes a space with every shared mapping.
 *
 * @return 0; -EEXIST a space of that name exists; -EINVAL no name; -ENOSPC there are
 *         SHUNT_SPACES_MAX; the kernel's errno. On failure nothing is left.
 */
int shunt_space_create(struct shunt_spaces *spaces, const char *name, struct shunt_space **space);

/** The same with the own mappings of `from` too, as the new space's own from then on. */
int shunt_space_copy(struct shunt_space *from, const char *name, struct shunt_space **space);

/** Destroys a space and its hwpts. @return 0; -EBUSY it has users, or is the last */
int shunt_space_destroy(struct shunt_space *space);

/** Finds a space by name, for callers that know it is not destroyed meanwhile. NULL: none. */
struct shunt_space *shunt_space_find(struct shunt_spaces *spaces, const char *name);

/** The same, and makes the application a user of it until shunt_space_put(). */
struct shunt_space *shunt_space_get(struct shunt_spaces *spaces, const char *name);

/** Ends one shunt_space_get(). NULL is allowed. */
void shunt_space_put(struct shunt_space *space);

/** The next space in order of creation; after NULL: the first. None may be destroyed meanwhile. */
struct shunt_space *shunt_space_next(struct shunt_spaces *spaces, const struct shunt_space *after);

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
 * As shunt_spaces_map(), with an owner; if `by_file`, by IOMMU_IOAS_MAP_FILE where the kernel has
 * that, else by its address. The file is a memfd, or of hugetlbfs or tmpfs, and stays open until
 * the memory is unmapped.
 */
int shunt_spaces_add(struct shunt_spaces *spaces, const struct shunt_mapping *about);

/**
 * Unmaps one shared mapping from every space, or, on failure, from none.
 *
 * @return 0; -ENOENT no shared mapping is exactly that; the kernel's errno
 */
int shunt_spaces_unmap(struct shunt_spaces *spaces, uint64_t iova, uint64_t length);

/**
 * The same for memory that is freed in any case: it is unmapped where that works.
 *
 * @return 0; -ENOENT; the kernel's errno: the mapping is left over where the unmap failed
 */
int shunt_spaces_drop(struct shunt_spaces *spaces, uint64_t iova, uint64_t length);

/** Copies the first shared mapping of an owner with an IOVA of start to last. @return whether any
 */
bool shunt_spaces_next(struct shunt_spaces *spaces, const void *owner, uint64_t start,
	uint64_t last, struct shunt_mapping *mapping);

/** Maps into one space only: its own mapping. Errors as of shunt_spaces_map(). */
int shunt_space_map_own(
	struct shunt_space *space, void *va, uint64_t length, uint64_t iova, unsigned int prot);

/** Unmaps what shunt_space_map_own() mapped. @return 0, -ENOENT */
int shunt_space_unmap_own(struct shunt_space *space, uint64_t iova, uint64_t length);

/** Counts a group as a user: from before its attach until after its detach. @return 0, -ENOMEM */
int shunt_space_use(struct shunt_space *space, int group);
void shunt_space_leave(struct shunt_space *space, int group);

/** Number of groups that use a space. */
unsigned int shunt_space_users(struct shunt_space *space);

/**
 * Unmaps and maps everything that a space has, one mapping after the other: the work of a program
 * without a second page table. The caller's group is the only user, and no device is attached.
 *
 * @return 0; -EBUSY it has other users, nothing was touched; the kernel's errno: everything is
 * mapped as before, or the text says that a mapping is lost
 */
int shunt_space_remap(struct shunt_space *space);

/** Bytes mapped in a space, shared and own. */
uint64_t shunt_space_mapped(struct shunt_space *space);

/** Bytes of the shared mappings that were mapped by file. */
uint64_t shunt_spaces_mapped_by_file(struct shunt_spaces *spaces);

/** Whether a device is bound to a space's iommufd. @return 0; -EINVAL, naming both */
int shunt_space_takes(const struct shunt_space *space, const struct shunt_vfio_device *device);

/**
 * The space's hwpt for the group of a device; made at the first call. If the IOMMU's driver cannot
 * make one in advance, it is the IOAS: each attach then makes a hwpt, which takes longer.
 *
 * @return 0; -EINVAL the device is bound to another iommufd; the kernel's errno
 */
int shunt_space_hwpt(
	struct shunt_space *space, int group, struct shunt_vfio_device *device, uint32_t *hwpt_id);

/** Destroys a group's hwpts in all spaces: the kernel may give its number to another group. */
void shunt_space_forget(struct shunt_space *space, int group);

/**
 * Whether each mapping of a space lies within the ranges that a device's IOMMU allows
 * (shunt_vfio_allowed(), shunt_ioas_iova_ranges()): the condition for its attach.
 *
 * @return 0; -EADDRINUSE, naming the mapping and the range
 */
int shunt_space_fits(
	struct shunt_space *space, const struct shunt_iova_range *ranges, uint32_t count);

/**
 * Whether `to` has everything that is mapped in `from`: the same memory at the same IOVA with the
 * same rights.
 *
 * @return 0; -EINVAL they are of different iommufds; -ENOENT a range is missing, and is named; -EIO
 *         a mapping of `to` was lost by shunt_space_remap()
 */
int shunt_space_covers(struct shunt_space *to, struct shunt_space *from);

/*
 * Memory for DMA: one mapping of hugepages (libhugetlbfs, an unlinked file, MAP_SHARED) or, where
 * there are none, of plain memory, cut into blocks of 4 KiB.
 *
 *   arena  [ ring 0 | ring 1 |      free      ]   mapped into address spaces as one range
 *
 * One thread at a time.
 */

/** What an arena may be made of. */
enum shunt_arena_pages {
	SHUNT_ARENA_ANY,   /**< hugepages, else plain memory */
	SHUNT_ARENA_HUGE,  /**< hugepages or an error */
	SHUNT_ARENA_PLAIN, /**< plain memory */
};

/** An arena. */
struct shunt_arena {
	void *addr;
	size_t size;         /**< bytes, whole pages */
	size_t page_size;    /**< of what it is made of */
	bool huge;           /**< false: plain memory, each 4 KiB page its own IOTLB entry */
	int fd;              /**< hugetlbfs file that backs it, -1 for plain memory */
	unsigned char *used; /**< one byte a block */
};

/**
 * Makes an arena of at least size bytes.
 *
 * @return 0; -ENOMEM with the remedy (hugepages to reserve, or where to mount hugetlbfs)
 */
int shunt_arena_create(size_t size, enum shunt_arena_pages pages, struct shunt_arena *arena);

/** Gives the memory back. It must have been unmapped from every address space. */
void shunt_arena_destroy(struct shunt_arena *arena);

/**
 * Takes a zeroed piece out of the arena.
 *
 * @param size   bytes; rounded up to 4 KiB
 * @param align  bytes, a power of two; at least 4 KiB is given
 * @return the piece, or NULL (shunt_errmsg() says how much is free)
 */
void *shunt_arena_alloc(struct shunt_arena *arena, size_t size, size_t align);

/** Gives a piece of size bytes back. NULL is allowed. */
void shunt_arena_free(struct shunt_arena *arena, void *piece, size_t size);

#ifdef __cplusplus
}
#endif

#endif
