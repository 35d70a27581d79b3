/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MEMORY_TEST_H
#define MEMORY_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net.h"
#include "rte_net_shunt.h"

/*
 * Buffers of every kind of memory that DPDK knows, and two ports that receive into them.
 *
 *   kind --- EAL's arguments, how its buffers are made and given back      (kinds.c)
 *   bench --- platform (sim, or the kernel), two ports, spaces "a" and "b" (bench.c)
 *
 * A process has one EAL, so one kind. Nothing here returns after a failure: it is told and the
 * process ends, with status 1.
 */

#define MEMORY_BUFFERS 1023
#define MEMORY_ROOM    RTE_MBUF_DEFAULT_BUF_SIZE

/** Ends the test with a sentence if something is not true. */
#define MEMORY_MUST(condition, ...)                                   \
	do {                                                          \
		if (!(condition))                                     \
			memory_fail(__FILE__, __LINE__, __VA_ARGS__); \
	} while (0)
_Noreturn void memory_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Two ports on a platform. */
struct memory_bench {
	struct shunt_platform *platform; /**< what answers */
	struct inject *inject;           /**< through which it is asked */
	struct shunt_spaces *spaces;
	struct shunt_group *group;
	const char *functions[NET_PORTS];
	struct net net; /**< ports and pool, for net_frame() and the like */
	struct shunt_iommufd *iommufd;
	uint32_t scratch; /**< an IOAS of no device */
};

/** Buffers of a kind. */
struct memory_buffers {
	struct memory_bench *bench;
	struct rte_mempool *pool;
	uint8_t *area; /**< that they lie in; NULL: EAL's memory */
	size_t length;
};

/** A kind of memory. */
struct memory_kind {
	const char *name;
	const char *eal[8]; /**< arguments, NULL-terminated */
	void (*create)(struct memory_buffers *buffers);
	void (*destroy)(struct memory_buffers *buffers);
	bool comes;   /**< its pages are mapped when it is made and not before */
	bool file;    /**< they are mapped by file where that can be */
	bool lasting; /**< in many files, for good: but for lone pages mapped by address, in runs */
};

/** A kind by its name; NULL: there is none. */
const struct memory_kind *memory_kind_find(const char *name);

/** A kind by its number; NULL: there are no more. */
const struct memory_kind *memory_kind_at(unsigned int index);

/** Starts EAL for a kind. @param more  further arguments, NULL-terminated */
void memory_eal_start(const struct memory_kind *kind, char **more);

/**
 * Opens two ports.
 *
 * @param functions  addresses on the kernel; NULL: on a software platform
 * @param by_file    the platform has IOMMU_IOAS_MAP_FILE, if it is up to the test
 */
void memory_open(struct memory_bench *bench, char **functions, bool by_file);

/** Closes all; nothing may be left. */
void memory_close(struct memory_bench *bench);

/** Starts both ports with a pool to receive into; and stops them. */
void memory_start(struct memory_bench *bench, struct rte_mempool *pool);
void memory_stop(struct memory_bench *bench);

/** Switches both ports to a space, by quiesce. */
void memory_switch(struct memory_bench *bench, const char *space);

/** Sends frames both ways; they have to arrive, unchanged, in buffers of this kind. */
void memory_traffic(struct memory_bench *bench, const struct memory_buffers *buffers);

/** Whether the kernel has a range mapped in a space. */
bool memory_is_mapped(
	struct memory_bench *bench, const char *space, const void *start, size_t length);

/** Fault records so far. */
unsigned int memory_faults(struct memory_bench *bench);

#endif
