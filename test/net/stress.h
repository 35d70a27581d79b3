/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STRESS_H
#define STRESS_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include <shunt/group.h>
#include <shunt/sim.h>

/*
 * All that may happen to the ports of one group, at once, for any time:
 *
 *   endpoint 0 --- port 0 <--.          workers    poll all the time, forward to the next port
 *   endpoint 1 --- port 1     forward   switchers  switch the group by every plan, check it
 *   endpoint 2 --- port 2 ---'          controls   one a port: stop, start, set up anew, close and
 *   (the engine's thread)                          probe, reset, cut the link, read counters
 *
 *   stress.c          phases, and what has to be true between them
 *   stress_traffic.c  endpoints, workers, switchers
 *   stress_control.c  what is done to a port
 *   stress_actors.c   what each thread does, and a watchdog that reports a hang
 *   stress_heap.c     memory for ThreadSanitizer's eyes
 *
 * A port is stopped, started, set up and closed with the workers out of it, as ethdev requires.
 * During all other operations they keep calling bursts.
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
	uint64_t refused;    /* calls with an allowed refusal */
	uint64_t operations; /* that it finished */
};

/** Traffic from the wires. */
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
	/* Resets from outside, by the controls: under way, and when the last one ended. */
	uint32_t resetting;
	uint64_t reset_end;
};

extern struct stress stress;

/* ---- stress_actors.c ---- */

/** Begins to watch a thread; name as printf. */
void stress_begin(struct stress_actor *actor, const char *name, unsigned int number);
/** Notes what the thread is about to do; NULL: it may rest for any time. */
void stress_at(struct stress_actor *actor, const char *place);
/** Ends the process, and prints why and what each thread does. */
void stress_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/**
 * Checks what a call of the actor returned: 0, or one of these refusals with a message.
 *
 * @param allowed  negative errnos, 0 at the end; NULL: none
 * @return ret
 */
int stress_expect(struct stress_actor *actor, int ret, const int *allowed);
/** Clears the thread's last message, so that a new one can be told from it. */
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
/** On return the workers are out of the port, until they are let in. */
void stress_keep_out(struct stress_port *port);
void stress_let_in(struct stress_port *port);

/* ---- stress_control.c ---- */

/** Thread; `arg` is the port. */
void *stress_control(void *arg);
/** Probes, configures and starts the port as far as needed. Turns on every queue and connects the
 * wire. */
void stress_settle(struct stress_port *port);
/** Closes the port. */
void stress_close(struct stress_port *port);

/* ---- stress_heap.c ---- */

/** Name of the pool's operations; NULL: the default. */
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
