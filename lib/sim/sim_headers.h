/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_HEADERS_H
#define SIM_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Where the headers of a frame are, and checksums, as an 82576 finds and computes them. Independent
 * from DPDK's functions, so that tests compare two implementations.
 *
 *   | Ethernet [tag] | IPv4 [options] or IPv6 [extensions] | TCP, UDP, SCTP ... | padding |
 *   0                ip                                    transport            end
 */

/** IP in a frame. Offsets from the frame's first byte. */
struct sim_headers {
	uint32_t ip;        /**< header; 0: this is not IP */
	uint32_t transport; /**< header after it; 0: a fragment, or a protocol that is not parsed */
	uint32_t end;       /**< of the datagram */
	uint8_t version;    /**< 4 or 6 */
	uint8_t protocol;   /**< TCP, UDP or SCTP (IPPROTO_...) of transport */
	bool more;          /**< IPv4 options, or IPv6 extension headers */
	bool cut;           /**< the frame ends before the datagram does */
};

/* EtherTypes, and their place in a frame. */
#define SIM_TYPE_AT   12u
#define SIM_TYPE_IPV4 0x0800u
#define SIM_TYPE_IPV6 0x86DDu

/** 16 bits, big endian. */
static inline uint32_t sim_get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static inline void sim_put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/** Whether there may be any: most frames of tests have none. */
static inline bool sim_headers_possible(const uint8_t *frame, uint16_t tag)
{
	uint32_t type = sim_get16(frame + SIM_TYPE_AT);

	return type == SIM_TYPE_IPV4 || type == SIM_TYPE_IPV6 || type == tag;
}

/**
 * Finds the headers.
 *
 * @param tag  EtherType of one VLAN tag that may stand before them
 */
void sim_headers_find(
	const uint8_t *frame, uint32_t length, uint16_t tag, struct sim_headers *headers);

/** Adds bytes as 16-bit big endian numbers to a one's complement sum. @return 16 bits */
uint32_t sim_sum(const uint8_t *bytes, uint32_t length, uint32_t sum);

/** Sum of the pseudo header of RFC 768, 793 and 8200. @return 16 bits */
uint32_t sim_sum_pseudo(const uint8_t *frame, const struct sim_headers *headers);

/** CRC32c of SCTP, RFC 9260 appendix A, least significant byte first on the wire. */
uint32_t sim_crc32c(const uint8_t *bytes, uint32_t length);

/** Frame check sequence of IEEE 802.3. */
uint32_t sim_fcs(const uint8_t *frame, uint32_t length);

#endif
