/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "offload_fixture.h"

uint32_t make_ipv4(uint8_t *frame, uint8_t protocol, uint32_t payload)
{
	uint32_t l4 = protocol == IPPROTO_TCP ? TCP : UDP;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + ETHER);
	uint8_t *transport = frame + ETHER + IPV4;

	memset(frame, 0, ETHER + IPV4 + l4);
	memset(frame, 2, 12);
	frame[12] = 0x08;
	ip->version_ihl = 0x45;
	ip->total_length = rte_cpu_to_be_16((uint16_t)(IPV4 + l4 + payload));
	ip->packet_id = rte_cpu_to_be_16(0xFFFE);
	ip->time_to_live = 9;
	ip->next_proto_id = protocol;
	ip->src_addr = rte_cpu_to_be_32(RTE_IPV4(10, 1, 2, 3));
	ip->dst_addr = rte_cpu_to_be_32(RTE_IPV4(10, 9, 8, 7));
	sim_put16(transport, 1234);
	sim_put16(transport + 2, 80);
	if (protocol == IPPROTO_UDP)
		sim_put16(transport + 4, UDP + payload);
	else
		transport[12] = TCP / 4 << 4;
	for (uint32_t i = 0; i < payload; i++)
		transport[l4 + i] = (uint8_t)(i * 13 + (i >> 7));
	return (uint32_t)(ETHER + IPV4 + l4 + payload);
}

void put_sums(uint8_t *frame)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + ETHER);
	uint8_t *transport = frame + ETHER + IPV4;
	uint16_t sum;

	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	sum = rte_ipv4_udptcp_cksum(ip, transport);
	memcpy(transport + (ip->next_proto_id == IPPROTO_TCP ? 16 : 6), &sum, sizeof(sum));
}

bool sums_are_right(const uint8_t *frame)
{
	uint8_t right[RIG_BUFFER];
	uint32_t length = ETHER + sim_get16(frame + ETHER + 2);

	memcpy(right, frame, length);
	memset(right + ETHER + IPV4 + (frame[ETHER + 9] == IPPROTO_TCP ? 16 : 6), 0, 2);
	put_sums(right);
	return memcmp(right, frame, length) == 0;
}
