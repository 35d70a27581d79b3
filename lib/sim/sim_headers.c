/* SPDX-License-Identifier: BSD-3-Clause */
#include "sim_headers.h"

#include <string.h>

#include <netinet/in.h>

#define ETHERNET         14u
#define TAG              4u

#define IPV4_HEADER      20u
#define IPV4_FRAGMENT    0x3FFFu /* more fragments, and the offset of this one */
#define IPV6_HEADER      40u
#define IPV6_EXTENSION   8u /* the shortest */
#define CRC32C_REFLECTED 0x82F63B78u

/* Length of the shortest header; 0: the protocol is not parsed. */
static uint32_t transport_header(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return 20;
	case IPPROTO_UDP:
		return 8;
	case IPPROTO_SCTP:
		return 12;
	default:
		return 0;
	}
}

static void set_transport(struct sim_headers *headers, uint32_t at, uint8_t protocol)
{
	uint32_t header = transport_header(protocol);

	if (!header || at + header > headers->end)
		return;
	headers->transport = at;
	headers->protocol = protocol;
}

static void set_end(struct sim_headers *headers, uint32_t end, uint32_t length)
{
	headers->cut = end > length;
	headers->end = headers->cut ? length : end;
}

static void find_ipv4(const uint8_t *frame, uint32_t at, uint32_t length, struct sim_headers *found)
{
	const uint8_t *ip = frame + at;
	uint32_t header, total;

	if (at + IPV4_HEADER > length || ip[0] >> 4 != 4)
		return;
	header = (ip[0] & 0xFu) * 4;
	total = sim_get16(ip + 2);
	if (header < IPV4_HEADER || at + header > length || total < header)
		return;
	found->ip = at;
	set_end(found, at + total, length);
	found->version = 4;
	found->more = header > IPV4_HEADER;
	if (!(sim_get16(ip + 6) & IPV4_FRAGMENT))
		set_transport(found, at + header, ip[9]);
}

/* Extension headers; the transport of a fragment is not parsed. */
static void find_ipv6(const uint8_t *frame, uint32_t at, uint32_t length, struct sim_headers *found)
{
	const uint8_t *ip = frame + at;
	uint32_t next = at + IPV6_HEADER;
	uint8_t protocol;

	if (next > length || ip[0] >> 4 != 6)
		return;
	found->ip = at;
	set_end(found, next + sim_get16(ip + 4), length);
	found->version = 6;
	protocol = ip[6];
	while (protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
		protocol == IPPROTO_DSTOPTS) {
		found->more = true;
		if (next + IPV6_EXTENSION > found->end)
			return;
		protocol = frame[next];
		next += (frame[next + 1] + 1u) * IPV6_EXTENSION;
	}
	found->more |= protocol == IPPROTO_FRAGMENT;
	set_transport(found, next, protocol);
}

void sim_headers_find(
	const uint8_t *frame, uint32_t length, uint16_t tag, struct sim_headers *headers)
{
	uint32_t type = sim_get16(frame + SIM_TYPE_AT);
	uint32_t at = ETHERNET;

	memset(headers, 0, sizeof(*headers));
	if (type == tag && length >= ETHERNET + TAG) {
		type = sim_get16(frame + SIM_TYPE_AT + TAG);
		at += TAG;
	}
	if (type == SIM_TYPE_IPV4)
		find_ipv4(frame, at, length, headers);
	else if (type == SIM_TYPE_IPV6)
		find_ipv6(frame, at, length, headers);
}

uint32_t sim_sum(const uint8_t *bytes, uint32_t length, uint32_t sum)
{
	uint64_t total = sum;
	uint32_t i;

	for (i = 0; i + 1 < length; i += 2)
		total += sim_get16(bytes + i);
	if (length & 1)
		total += (uint32_t)bytes[length - 1] << 8;
	while (total >> 16)
		total = (total & 0xFFFF) + (total >> 16);
	return (uint32_t)total;
}

uint32_t sim_sum_pseudo(const uint8_t *frame, const struct sim_headers *headers)
{
	uint32_t sum = headers->protocol + (headers->end - headers->transport);
	const uint8_t *ip = frame + headers->ip;

	if (headers->version == 4)
		return sim_sum(ip + 12, 8, sum);
	return sim_sum(ip + 8, 32, sum);
}

uint32_t sim_crc32c(const uint8_t *bytes, uint32_t length)
{
	uint32_t crc = UINT32_MAX;

	for (uint32_t i = 0; i < length; i++) {
		crc ^= bytes[i];
		for (unsigned int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ CRC32C_REFLECTED : crc >> 1;
	}
	return ~crc;
}

/* Reflected polynomial 0xEDB88320, four bits a step. */
uint32_t sim_fcs(const uint8_t *frame, uint32_t length)
{
	static const uint32_t step[16] = { 0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC,
		0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8,
		0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C };
	uint32_t crc = 0xFFFFFFFFu;
	uint32_t i;

	for (i = 0; i < length; i++) {
		crc ^= frame[i];
		crc = crc >> 4 ^ step[crc & 15u];
		crc = crc >> 4 ^ step[crc & 15u];
	}
	return ~crc;
}
