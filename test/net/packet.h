/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PACKET_H
#define PACKET_H

#include "net.h"

/*
 * Frames of the Internet protocols for tests, and checks of them. Checksums are computed and
 * checked with DPDK's functions.
 *
 *   | Ethernet | VLAN tag? | IPv4 or IPv6 | TCP or UDP | payload: bytes that follow from its seed |
 */

/** What a frame is like. */
struct packet {
	bool ipv6;
	bool tcp;          /**< else UDP */
	uint16_t vlan;     /**< tag in the frame; 0: none */
	uint16_t flow;     /**< of addresses and ports */
	uint32_t payload;  /**< bytes */
	uint32_t segments; /**< mbufs; 0: one */
	uint8_t seed;
	uint8_t last; /**< byte of the destination address 02:00:00:00:00:xx; 0: broadcast */
};

/** Writes its bytes, with all checksums. @return length */
uint32_t packet_bytes(const struct packet *packet, uint8_t *bytes);
/** In mbufs of the pool. */
struct rte_mbuf *packet_make(struct net *net, const struct packet *packet);
/** The same, with checksums left to the NIC: as an application passes it to rte_eth_tx_prepare().
 */
struct rte_mbuf *packet_make_unsummed(struct net *net, const struct packet *packet);
/** Copies bytes into mbufs of the pool. */
struct rte_mbuf *packet_from(
	struct net *net, const uint8_t *bytes, uint32_t length, uint32_t segments);

/** Whether a received frame is this one, byte for byte. Padding is not compared. */
bool packet_equals(const struct rte_mbuf *frame, const struct packet *packet);
/** The same; prints both lengths if it is not, and frees the frame. */
bool packet_is(struct rte_mbuf *frame, const struct packet *packet);
/** Whether its checksums are right. */
bool packet_sums_right(const struct rte_mbuf *frame);
/** Copies all bytes of a frame. @return length */
uint32_t packet_copy(const struct rte_mbuf *frame, uint8_t *bytes, uint32_t room);

/** Bytes before the payload. */
uint32_t packet_headers(const struct packet *packet);

#endif
