/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OFFLOAD_FIXTURE_H
#define OFFLOAD_FIXTURE_H

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "nic_fixture.h"
#include "sim_headers.h"

/* A port on a tester, and frames with checksums by DPDK's functions, which the model does not use.
 */

#define ETHER   sizeof(struct rte_ether_hdr)
#define IPV4    sizeof(struct rte_ipv4_hdr)
#define IPV6    sizeof(struct rte_ipv6_hdr)
#define TCP     sizeof(struct rte_tcp_hdr)
#define UDP     sizeof(struct rte_udp_hdr)
#define PAYLOAD 100u

/** A frame of IPv4 and TCP or UDP, checksums zero. @return its length */
uint32_t make_ipv4(uint8_t *frame, uint8_t protocol, uint32_t payload);

/** Puts both checksums into such a frame. */
void put_sums(uint8_t *frame);

bool sums_are_right(const uint8_t *frame);

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_create_started, rig_destroy)

#endif
