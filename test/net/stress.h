/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STRESS_H
#define STRESS_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include <shunt/group.h>
#include <shunt/sim.h>

/*
 * Everything that may happen to the ports of one group, at once, for as long as one likes:
 *
 *   endpoint 0 --- port 0 <--.          workers    poll all the time, forward to the next port
 *   endpoint 1 --- port 1     forward   switchers  switch the group by every plan, check it
 *   endpoint 2 --- port 2 ---'          controls   one a port: stop, start, set up anew, close and
 *   (the engine's thread)                          probe, reset, cut the link, read counters
 *
 *   stress.c          phases, and what has to be true between them
 *   stress_traffic.c  endpoints, workers, switchers
 *   stress_control.c  what is done to a port
 *   stress_actors.c   who is where, and a watchdog that tells it when somebody hangs
 *   stress_heap.c     memory for ThreadSanitizer's eyes
 *
 * A port is stopped, started, set up and closed with the workers out of it, as ethdev wants it.
 * Whatever else is done to it, they go on calling bursts.
 */

#define STRESS_PORTS   3
#define STRESS_WORKERS 2 /* each has a transmit queue of its own in every port */
#define STRESS_SPACES  3

/** A thread: what it does now. */
struct stress_actor {
	char name[16];
	const char *place;   /* NULL: rests */
	uint64_t steps;      /* places it has been at */
	uint64_t seed;       /* of its random numbers */
	uint64_t refused;    /* calls that were refused, as they may be */
	uint64_t operations; /* that it finished */
};

/** What comes from the wires. */
enum stress_load {
	STRESS_NOTHING,
	STRESS_PACED,
	STRESS_SATURATING,
};

struct stress_port {
	unsigned int index;
	char function[16];
	char name[16]; /* of its vdev */
	uint16_t id;
	/* Between the workers and the port's control. */
	bool open;
	bool inside[STRESS_WORKERS];
	uint64_t received;
	/* Of the control. */
	struct stress_actor *control;
	bool probed, started, rx_on, tx_on[STRESS_WORKERS], wired, offloads;
	/* Of the endpoint: the engine's thread. */
	uint64_t due, sent, delivered;
};

/** One platform under stress. */
struct stress {
	struct shunt_sim_config config;
	struct shunt_platform *sim;
	struct rte_mempool *pool;
	struct shunt_group *group;
	struct shunt_space *spaces[STRESS_SPACES];
	struct stress_port ports[STRESS_PORTS];
	/* Of the phase. */
	enum stress_load load;
	bool polled;  /* workers receive and forward */
	bool filling; /* workers send frames of their own, as many as the rings take */
	bool cut;     /* no wire has a far end */
	bool stop;
	uint64_t switches;
	/* By the controls, from outside: under way, and when the last one ended. */
	uint32_t resetting;
	uint64_t reset_end;
};

extern struct stress stress;

/* ---- stress_actors.c ---- */

/** Begins to watch a thread; name as printf. */
void stress_begin(struct stress_actor *actor, const char *name, unsigned int number);
/** It is about to do this; NULL: it may rest as long as it likes. */
void stress_at(struct stress_actor *actor, const char *place);
/** Ends the process, saying why and where everybody is. */
void stress_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/**
 * What a call at the actor's place returned must be 0 or one of these refusals, explained.
 *
 * @param allowed  negative errnos, 0 at the end; NULL: none
 * @return ret
 */
int stress_expect(struct stress_actor *actor, int ret, const int *allowed);
/** Forgets the thread's last explanation, so that a new one is known as one. */
void stress_forget(void);
/** A random number below n. */
unsigned int stress_random(struct stress_actor *actor, unsigned int n);
/** Starts the watchdog. */
void stress_watch(uint64_t seed);

/* ---- stress_traffic.c ---- */

/** The far end of a port's wire. */
void stress_connect(struct stress_port *port, bool far_end);
/** Threads; `arg` of a worker is its number. */
void *stress_worker(void *arg);
void *stress_switcher(void *arg);
/** Workers stay out of the port when this returns, until let in. */
void stress_keep_out(struct stress_port *port);
void stress_let_in(struct stress_port *port);

/* ---- stress_control.c ---- */

/** Thread; `arg` is the port. */
void *stress_control(void *arg);
/** Probes, configures and starts what is not; every queue on, the wire connected. */
void stress_settle(struct stress_port *port);
/** Closes the port. */
void stress_close(struct stress_port *port);

/* ---- stress_heap.c ---- */

/** What the pool keeps its buffers in; NULL: as usual. */
const char *stress_pool_ops(void);

static inline bool stress_told(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static inline void stress_tell(bool *flag, bool value)
{
	__atomic_store_n(flag, value, __ATOMIC_RELEASE);
}

#endif
