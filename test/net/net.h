/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NET_H
#define NET_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <shunt/sim.h>

#include "inject.h"

/*
 * A pair of igb ports on a wire of the software platform, for tests:
 *
 *   test --- ethdev port 0 ===wire=== ethdev port 1 --- test
 *            (both of port group 10, behind an injector of failures)
 *
 * Tests that can also use two functions of this machine's kernel, on one wire.
 */

#define NET_PORTS 2
#define NET_BURST 64 /* frames at once, at most */

/** How the pair is set up. net_defaults has the usual values. */
struct net_config {
	struct shunt_sim_config sim;
	uint16_t rx_descriptors;
	uint16_t tx_descriptors;
	uint16_t rx_queues;
	uint16_t tx_queues;
	uint16_t data_room; /**< bytes of each mbuf, headroom included */
	uint16_t mtu;
	uint64_t tx_offloads;
	struct rte_eth_conf eth; /**< tx_offloads are added */
	unsigned int buffers;    /**< of the pool */
	unsigned int
		check_ms; /**< the watchdog's period; 0: no watchdog, so that no call of it fails */
};

extern const struct net_config net_defaults;

/** The pair. */
struct net {
	struct net_config config;
	struct shunt_platform *sim;
	struct inject *inject;
	struct rte_mempool *pool;
	uint16_t port[NET_PORTS];
};

/**
 * Sends EAL's log to stderr, which has no buffer; call it before EAL starts. By default the first
 * line of any thread allocates the stream's buffer. ThreadSanitizer, which does not see libc's lock
 * of the stream, reports that as a race with the next thread's line.
 */
void net_eal_log(void);

/** From now on waits for frames are counted in this model's time, as those of net_create() are. By
 * default the machine's time counts. */
void net_time_of(struct shunt_platform *model);

/** Starts EAL for this process: no hugepages, no PCI. Exits with a message if that fails. */
void net_eal_start(const char *program);
/** The same, with telemetry for other processes under a file prefix; NULL: without. */
void net_eal_start_shared(const char *program, const char *prefix);

/** From now on the ports are these functions of the kernel platform, "0000:03:00.0". */
void net_use_kernel(const char *function_0, const char *function_1);
/** Whether they are. */
bool net_on_kernel(void);

/** Creates the platform with its wire, and the pool. */
void net_create(struct net *net, const struct net_config *config);
/** Destroys both. Fails unless every buffer is back and nothing is left on the platform. */
void net_destroy(struct net *net);

/** Probes one port. @return what the probe returned */
int net_probe(struct net *net, unsigned int index);
/** Configures a probed port, without starting it. @return first error */
int net_configure(struct net *net, unsigned int index);
/** Closes a port and removes its device. */
void net_remove(struct net *net, unsigned int index);

/** Probes, configures and starts both ports, and waits for the link. */
void net_start(struct net *net);
/** Stops, closes and removes both. */
void net_stop(struct net *net);

/** Removes the ports that a failed test left. For teardown functions. */
void net_abandon(struct net *net);

/**
 * A frame of one or more segments. Its bytes follow from length and sequence.
 *
 * @param length    bytes, at least 60
 * @param segments  equal pieces, the last one takes the rest
 */
struct rte_mbuf *net_frame(
	struct net *net, uint32_t length, unsigned int segments, uint32_t sequence);

/** Whether a received frame is what net_frame() made. Padding is not compared. */
bool net_frame_is(const struct rte_mbuf *frame, uint32_t length, uint32_t sequence);

/** Sequence of a frame. */
uint32_t net_frame_sequence(const struct rte_mbuf *frame);

/** Receives up to n frames. Polls until they are there, or until none has come for a second of the
 * model's time (QEMU: ten seconds). */
unsigned int net_receive(uint16_t port, struct rte_mbuf **frames, unsigned int n);
unsigned int net_receive_from(
	uint16_t port, uint16_t queue, struct rte_mbuf **frames, unsigned int n);

/** Sends n frames. Polls until all are taken, or until none has been taken for as long. @return
 * taken */
unsigned int net_send(uint16_t port, struct rte_mbuf **frames, unsigned int n);

/** Takes a frame from whichever queue has it. @return NULL: none came for as long */
struct rte_mbuf *net_take(uint16_t port, uint16_t queues, uint16_t *queue);

/** Sleeps until a condition holds. Fails the test after 20 s of sleep. */
#define net_until(condition)                                        \
	do {                                                        \
		for (unsigned int naps = 0; !(condition); naps++) { \
			assert_in_range(naps, 0, 20000);            \
			rte_delay_us_sleep(1000);                   \
		}                                                   \
	} while (0)

/** Value of an xstat by name; fails the test if there is none. */
uint64_t net_xstat(uint16_t port, const char *name);

/**
 * Sends up to NET_BURST frames from one port, and asserts that the other one gets them in order and
 * unchanged.
 */
void net_exchange(struct net *net, unsigned int from, unsigned int n, uint32_t length,
	unsigned int segments, uint32_t sequence);

#endif
