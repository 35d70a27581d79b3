/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_FIXTURE_H
#define NIC_FIXTURE_H

#include "fake_dma.h"
#include "sim_nic.h"

/*
 * A rig for the NIC model: two ports over fake_dma, each with a receive and a transmit ring
 * in plain memory, and a tester that can be put at the end of a wire.
 *
 *   struct rig
 *     |- sim, functions [2]           "0000:03:00.0" and "0000:04:00.0"
 *     |- port [2] --- rx ring, tx ring, buffers
 *     `- tester   --- frames to send, frames received
 */

#define RIG_PORTS      2u
#define RIG_RING       32u
#define RIG_BUFFER     2048u
#define RIG_FRAME_MAX  SHUNT_82576_FRAME_MAX
#define RIG_TESTER_MAX 4096u

struct rig_port {
	struct sim_nic *nic;
	union shunt_82576_rx_descriptor *rx; /**< RIG_RING of them */
	union shunt_82576_tx_descriptor *tx;
	uint8_t *rx_buffers; /**< RIG_RING of RIG_BUFFER bytes, page-aligned */
	uint8_t *tx_buffers;
	uint32_t rx_next; /**< next descriptor to look at */
	uint32_t rx_tail;
	uint32_t tx_tail;
};

/** Frames carry their number in bytes 14 to 17. */
struct rig_tester {
	struct shunt_sim_endpoint endpoint;
	unsigned int to_send;  /**< frames still to be put on the wire */
	uint32_t length;       /**< of each */
	bool hold_back;        /**< send only when the port is ready */
	uint32_t next;         /**< number of the next frame */
	unsigned int refusals; /**< calls with a port that was not ready */
	uint8_t frame[RIG_FRAME_MAX];
	unsigned int received;
	uint32_t last_length;
	uint8_t last[RIG_FRAME_MAX];
	uint32_t numbers[RIG_TESTER_MAX]; /**< of the frames received, in order */
};

struct rig {
	struct sim sim;
	struct sim_function functions[RIG_PORTS];
	struct rig_port port[RIG_PORTS];
	struct rig_tester tester;
};

/** cmocka set-up and tear-down; *state is the struct rig. */
int rig_create(void **state);
int rig_destroy(void **state);
/** The same as rig_create(), with port 0 started and the tester on its wire. */
int rig_create_started(void **state);

/** Registers, through the region as a driver would. */
uint32_t rig_get(struct rig *rig, unsigned int port, uint32_t offset);
void rig_set(struct rig *rig, unsigned int port, uint32_t offset, uint32_t value);

/** PCI command register, Bus Master. */
void rig_bus_master(struct rig *rig, unsigned int port, bool enable);
/** One turn of the port's engine. */
unsigned int rig_turn(struct rig *rig, unsigned int port);
/** Sets rings up, enables queue 0 and everything; promiscuous; posts no receive buffers. */
void rig_start(struct rig *rig, unsigned int port);
/** Posts receive buffers on the next descriptors. */
void rig_post(struct rig *rig, unsigned int port, uint32_t buffers);
/** Number in the next received frame (single descriptor) and consumes it; -1: none. */
long rig_receive(struct rig *rig, unsigned int port);
/** Puts a numbered frame into the next transmit descriptor, with RS; no doorbell. */
void rig_queue(struct rig *rig, unsigned int port, uint32_t number, uint32_t length);
void rig_doorbell(struct rig *rig, unsigned int port);
/** Connects the tester to a port and brings the link up. */
void rig_connect(struct rig *rig, unsigned int port);
/** Lets the tester send frames of 60 bytes, and turns the engine until they are gone. */
void rig_send(struct rig *rig, unsigned int port, unsigned int frames);
struct shunt_sim_port_truth rig_truth(struct rig *rig, unsigned int port);
/** Fails the test unless every frame from the wire is accounted for. */
void rig_balanced(struct rig *rig, unsigned int port);
/** A frame to broadcast with a number in it. */
void rig_make_frame(uint8_t *frame, uint32_t number, uint32_t length);

#endif
