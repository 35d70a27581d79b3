/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OFFLOADS_H
#define OFFLOADS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "packet.h"

/* What the files of the test program `offloads` share. */

#define OFFLOADS_CHECKSUMS                                              \
	(RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | \
		RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS)

extern struct net offloads_net;

/** Two ports on one wire, started. */
void offloads_begin(uint64_t tx_offloads, uint64_t rx_offloads);
void offloads_end(void);
/** From the first port, through rte_eth_tx_prepare(). */
void offloads_send(struct rte_mbuf **frames, uint16_t n);
/** @return the frame that the other port received */
struct rte_mbuf *offloads_send_one(struct rte_mbuf *frame);
/** Kinds of frames by number: both IP versions, both transports, all lengths, several mbufs. */
struct packet offloads_kind(unsigned int i);

/* ---- offloads_vlan.c: tests ---- */

void tags_are_stripped(void **state);
void the_first_segment_has_the_tag(void **state);
void tags_are_inserted(void **state);
void tags_are_filtered(void **state);

#endif
