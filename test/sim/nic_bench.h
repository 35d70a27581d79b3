/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_BENCH_H
#define NIC_BENCH_H

#include "fake_dma.h"
#include "sim_nic.h"

/*
 * A work bench for the NIC model: two ports over fake_dma, each with a receive and a transmit ring
 * in plain memory, and a tester that can be put at the end of a wire.
 *
 *   struct bench
 *     |- sim, functions [2]           "0000:03:00.0" and "0000:04:00.0"
 *     |- port [2] --- rx ring, tx ring, buffers
 *     `- tester   --- frames to send, frames received
 */

#define BENCH_PORTS      2u
#define BENCH_RING       32u
#define BENCH_BUFFER     2048u
#define BENCH_FRAME_MAX  SHUNT_82576_FRAME_MAX
#define BENCH_TESTER_MAX 4096u

struct bench_port {
	struct sim_nic *nic;
	union shunt_82576_rx_descriptor *rx; /**< BENCH_RING of them */
	union shunt_82576_tx_descriptor *tx;
	uint8_t *rx_buffers; /**< BENCH_RING of BENCH_BUFFER bytes, page-aligned */
	uint8_t *tx_buffers;
	uint32_t rx_next; /**< next descriptor to look at */
	uint32_t rx_tail;
	uint32_t tx_tail;
};

/** Frames carry their number in bytes 14 to 17. */
struct bench_tester {
	struct shunt_sim_endpoint endpoint;
	unsigned int to_send;  /**< frames still to be put on the wire */
	uint32_t length;       /**< of each */
	bool hold_back;        /**< send only when the port is ready */
	uint32_t next;         /**< number of the next frame */
	unsigned int refusals; /**< calls with a port that was not ready */
	uint8_t frame[BENCH_FRAME_MAX];
	unsigned int received;
	uint32_t last_length;
	uint8_t last[BENCH_FRAME_MAX];
	uint32_t numbers[BENCH_TESTER_MAX]; /**< of the frames received, in order */
};

struct bench {
	struct sim sim;
	struct sim_function functions[BENCH_PORTS];
	struct bench_port port[BENCH_PORTS];
	struct bench_tester tester;
};

/** cmocka set-up and tear-down; *state is the struct bench. */
int bench_create(void **state);
int bench_destroy(void **state);
/** The same as bench_create(), with port 0 started and the tester on its wire. */
int bench_create_started(void **state);

/** Registers, through the region as a driver would. */
uint32_t bench_get(struct bench *bench, unsigned int port, uint32_t offset);
void bench_set(struct bench *bench, unsigned int port, uint32_t offset, uint32_t value);

/** PCI command register, Bus Master. */
void bench_bus_master(struct bench *bench, unsigned int port, bool enable);
/** One turn of the port's engine. */
unsigned int bench_turn(struct bench *bench, unsigned int port);
/** Sets rings up, enables queue 0 and everything; promiscuous; posts no receive buffers. */
void bench_start(struct bench *bench, unsigned int port);
/** Posts receive buffers on the next descriptors. */
void bench_post(struct bench *bench, unsigned int port, uint32_t buffers);
/** Number in the next received frame (single descriptor) and consumes it; -1: none. */
long bench_receive(struct bench *bench, unsigned int port);
/** Puts a numbered frame into the next transmit descriptor, with RS; no doorbell. */
void bench_queue(struct bench *bench, unsigned int port, uint32_t number, uint32_t length);
void bench_doorbell(struct bench *bench, unsigned int port);
/** Connects the tester to a port and brings the link up. */
void bench_connect(struct bench *bench, unsigned int port);
/** Lets the tester send frames of 60 bytes, and turns the engine until they are gone. */
void bench_send(struct bench *bench, unsigned int port, unsigned int frames);
struct shunt_sim_port_truth bench_truth(struct bench *bench, unsigned int port);
/** Fails the test unless every frame from the wire is accounted for. */
void bench_balanced(struct bench *bench, unsigned int port);
/** A frame to broadcast with a number in it. */
void bench_make_frame(uint8_t *frame, uint32_t number, uint32_t length);

#endif
