/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "shunt_error.h"
#include "shunt_traffic.h"

#define UDP_PORT_DISCARD 9
#define BENCHMARK_NET    0xc6120000u /* 198.18.0.0, RFC 2544 appendix C */

/* Seven small, four middle, one large, spread over the cycle. */
static const unsigned int imix_sizes[] = { 64, 594, 64, 64, 594, 64, 1518, 64, 594, 64, 64, 594 };
#define IMIX_COUNT (sizeof(imix_sizes) / sizeof(imix_sizes[0]))

static void fill_udp(struct shunt_frame *frame)
{
	struct rte_ether_hdr *ethernet = (struct rte_ether_hdr *)frame->bytes;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(ethernet + 1);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
	uint16_t ip_length = (uint16_t)(frame->length - sizeof(*ethernet));

	for (uint32_t i = 0; i < frame->length; i++)
		frame->bytes[i] = (uint8_t)i;
	memset(&ethernet->dst_addr, 0xff, sizeof(ethernet->dst_addr));
	ethernet->src_addr = (struct rte_ether_addr){ { 0x02, 0, 0, 0, 0, 1 } };
	ethernet->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	*ip = (struct rte_ipv4_hdr){
		.version_ihl = RTE_IPV4_VHL_DEF,
		.total_length = rte_cpu_to_be_16(ip_length),
		.time_to_live = 64,
		.next_proto_id = IPPROTO_UDP,
		.src_addr = rte_cpu_to_be_32(BENCHMARK_NET + 1),
		.dst_addr = rte_cpu_to_be_32(BENCHMARK_NET + 0x10001),
	};
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	*udp = (struct rte_udp_hdr){
		.src_port = rte_cpu_to_be_16(UDP_PORT_DISCARD),
		.dst_port = rte_cpu_to_be_16(UDP_PORT_DISCARD),
		.dgram_len = rte_cpu_to_be_16((uint16_t)(ip_length - sizeof(*ip))),
	};
}

static int make_udp(const unsigned int *sizes, size_t count, struct shunt_traffic *traffic)
{
	size_t bytes = 0, used = 0;

	for (size_t i = 0; i < count; i++)
		bytes += sizes[i] - SHUNT_FCS;
	traffic->frames = calloc(count, sizeof(*traffic->frames));
	traffic->memory = malloc(bytes);
	if (!traffic->frames || !traffic->memory) {
		shunt_traffic_free(traffic);
		return shunt_fail(-ENOMEM, "traffic: out of memory");
	}
	for (size_t i = 0; i < count; i++) {
		traffic->frames[i].length = sizes[i] - SHUNT_FCS;
		traffic->frames[i].bytes = traffic->memory + used;
		used += traffic->frames[i].length;
		fill_udp(&traffic->frames[i]);
	}
	traffic->count = count;
	return 0;
}

int shunt_traffic_fixed(unsigned int size, struct shunt_traffic *traffic)
{
	*traffic = (struct shunt_traffic){ 0 };
	if (size < RTE_ETHER_MIN_LEN || size > RTE_ETHER_MAX_LEN)
		return shunt_fail(-EINVAL, "frame size %u: %u to %u bytes, with FCS", size,
			RTE_ETHER_MIN_LEN, RTE_ETHER_MAX_LEN);
	return make_udp(&size, 1, traffic);
}

int shunt_traffic_imix(struct shunt_traffic *traffic)
{
	*traffic = (struct shunt_traffic){ 0 };
	return make_udp(imix_sizes, IMIX_COUNT, traffic);
}

void shunt_traffic_free(struct shunt_traffic *traffic)
{
	free(traffic->frames);
	free(traffic->memory);
	*traffic = (struct shunt_traffic){ 0 };
}
