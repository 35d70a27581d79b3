/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONTEXT_H
#define CONTEXT_H

#include <stdbool.h>
#include <sys/queue.h>

#include <shunt/evidence.h>
#include <shunt/sim.h>

#include "shunt_eal.h"
#include "shunt_port.h"

/*
 * What the ports of a process share, as rte_net_shunt.h draws it. One at a time; there is a single
 * /dev/iommu so that buffers can go from port to port.
 *
 * Locking: shunt_context_lock() orders opening and closing of ports and the lists; it is held while
 * EAL memory is allocated, so handlers of memory events must not take it.
 */

/** A port group and its number of users. */
struct context_group {
	TAILQ_ENTRY(context_group) next;
	struct shunt_group *group;
	unsigned int users;
	bool known; /**< the group has the evidence and a fault observer */
};

struct shunt_context {
	struct shunt_platform *platform;
	bool own_platform; /**< made here, destroyed here */
	bool sim;          /**< made for the argument sim=1 */
	struct shunt_iommufd iommufd;
	struct shunt_spaces *spaces;
	struct shunt_eal_memory *memory;
	struct shunt_fault_log *faults; /**< NULL until the first switch by command */
	TAILQ_HEAD(, context_group) groups;
	TAILQ_HEAD(, shunt_port) ports;
	unsigned int users;
};

void shunt_context_lock(void);
void shunt_context_unlock(void);

/**
 * The open context for its spaces and its memory, which have locks of their own: it is not closed
 * before shunt_context_release(). For callers that may hold a lock taken after the context's.
 *
 * @return NULL: none is open, and no shunt_context_release() follows
 */
struct shunt_context *shunt_context_acquire(void);
void shunt_context_release(void);

/**
 * A reference to the context; opened at the first one. Caller holds the lock, as for all below.
 *
 * @param sim  platform to make if none is open; NULL: the application's, else the kernel's
 * @return 0; -EBUSY a context on another platform is open; errors of what is opened
 */
int shunt_context_get(const struct shunt_sim_config *sim, struct shunt_context **context);

/** Gives a reference back; the last one closes everything. */
void shunt_context_put(struct shunt_context *context);

/** The open context, or NULL. */
struct shunt_context *shunt_context_open(void);

/** EAL is about to free its memory: commands are refused from now on. Takes the lock. */
void shunt_context_end(void);

/** Whether that is so. */
bool shunt_context_ended(void);

/** The port group of a number, with a reference. @return 0, -ENOMEM */
int shunt_context_group_get(struct shunt_context *context, int number, struct shunt_group **group);

/** Gives the reference back; the last one destroys the group. */
void shunt_context_group_put(struct shunt_context *context, struct shunt_group *group);

/**
 * Prepares a group for switches by command: its faults are counted, and auto knows the evidence of
 * this machine. A group that the application observes stays as it is. What is unavailable is
 * logged: then the fault status is unknown, or auto has no evidence.
 */
void shunt_context_observe_faults(struct shunt_context *context, struct context_group *entry);

/** Saves for this machine that a replace faulted; a failure is logged. */
void shunt_context_save_evidence(
	struct shunt_context *context, const struct shunt_switch_result *result);

/** Our port of a function ("0000:03:00.0"), or NULL. */
struct shunt_port *shunt_context_port(struct shunt_context *context, const char *function);

/** The ethdev port of a function, whichever driver it has, or NULL. */
const struct rte_eth_dev *shunt_context_dev(struct shunt_context *context, const char *function);

/* ---- watchdog.c ---- */

/**
 * Starts a thread that calls a function periodically (rte_net_shunt_check_every()): the context has
 * it check every port group. It is a thread of its own because a repair takes milliseconds, for
 * which EAL's interrupt thread must not be blocked. It runs on the caller's processors.
 *
 * @return 0, -errno
 */
int shunt_watchdog_start(void (*check)(void));

/** Ends the thread; waits for a check that is under way. */
void shunt_watchdog_stop(void);

#endif
