/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <sys/param.h>

#include "sim_headers.h"
#include "sim_nic.h"

/*
 * What a frame asks for with its first descriptor and its context: VLAN tag, checksums, TCP
 * segmentation; datasheet 7.2.4 and 7.2.5.
 *
 * A transport checksum begins with what software left in its field, the sum of the pseudo header:
 * the device knows nothing of addresses. With segmentation that sum lacks the length, which the
 * device adds for each segment.
 */

#define IPV4_LENGTH   2u /* places in headers */
#define IPV4_ID       4u
#define IPV4_CHECKSUM 10u
#define IPV6_LENGTH   4u
#define IPV6_HEADER   40u
#define TCP_SEQUENCE  4u
#define TCP_FLAGS     13u
#define TCP_CHECKSUM  16u
#define UDP_CHECKSUM  6u
#define SCTP_CHECKSUM 8u
#define TCP_LAST_ONLY 0x09u /* FIN and PSH */
#define HEADERS_MAX   512u

/** A context, taken apart. */
struct context {
	uint32_t ip;        /**< place of the IP header */
	uint32_t transport; /**< and of the one after it */
	uint32_t headers;   /**< all of them, for segmentation */
	uint32_t mss;
	uint32_t protocol; /**< SHUNT_82576_TXC_L4T_... */
	uint16_t vlan;
	bool ipv4;
};

static void take_apart(const struct sim_tx_queue *queue, struct context *context)
{
	unsigned int index = queue->options >> SHUNT_82576_TXD_CONTEXT_SHIFT;
	const union shunt_82576_tx_descriptor *from =
		&queue->context[index % SHUNT_82576_TXC_CONTEXTS];
	uint32_t lengths = from->context.vlan_lengths;
	uint32_t mss = from->context.mss_l4_length;

	context->ip = lengths >> SHUNT_82576_TXC_MACLEN_SHIFT & SHUNT_82576_TXC_MACLEN_MASK;
	context->transport = context->ip + (lengths & SHUNT_82576_TXC_IPLEN_MASK);
	context->headers = context->transport +
			   (mss >> SHUNT_82576_TXC_L4LEN_SHIFT & SHUNT_82576_TXC_L4LEN_MASK);
	context->mss = mss >> SHUNT_82576_TXC_MSS_SHIFT;
	context->protocol = from->context.command_type & SHUNT_82576_TXC_L4T_MASK;
	context->vlan = (uint16_t)(lengths >> SHUNT_82576_TXC_VLAN_SHIFT);
	context->ipv4 = from->context.command_type & SHUNT_82576_TXC_IPV4;
}

static void insert_ip_checksum(uint8_t *frame, const struct context *context)
{
	uint8_t *ip = frame + context->ip;

	sim_put16(ip + IPV4_CHECKSUM, 0);
	sim_put16(ip + IPV4_CHECKSUM, ~sim_sum(ip, context->transport - context->ip, 0));
}

static uint32_t checksum_place(const struct context *context)
{
	switch (context->protocol) {
	case SHUNT_82576_TXC_L4T_TCP:
		return context->transport + TCP_CHECKSUM;
	case SHUNT_82576_TXC_L4T_SCTP:
		return context->transport + SCTP_CHECKSUM;
	default:
		return context->transport + UDP_CHECKSUM;
	}
}

static void insert_crc(uint8_t *frame, uint32_t length, const struct context *context)
{
	uint8_t *field = frame + context->transport + SCTP_CHECKSUM;
	uint32_t crc;

	memset(field, 0, sizeof(crc));
	crc = sim_crc32c(frame + context->transport, length - context->transport);
	for (unsigned int i = 0; i < sizeof(crc); i++)
		field[i] = (uint8_t)(crc >> 8 * i);
}

/* seed: what is to be added to what the field holds. */
static void insert_transport_checksum(
	uint8_t *frame, uint32_t length, const struct context *context, uint32_t seed)
{
	uint32_t sum;

	if (context->protocol == SHUNT_82576_TXC_L4T_SCTP) {
		insert_crc(frame, length, context);
		return;
	}
	sum = ~sim_sum(frame + context->transport, length - context->transport, seed) & 0xFFFF;
	if (context->protocol == SHUNT_82576_TXC_L4T_UDP && sum == 0)
		sum = 0xFFFF; /* 0 says that there is none */
	sim_put16(frame + checksum_place(context), sum);
}

/* Sends a frame that is done but for its tag. */
static void send(struct sim_nic *nic, const struct sim_tx_queue *queue,
	const struct context *context, const uint8_t *frame, uint32_t length)
{
	uint8_t tagged[SHUNT_82576_FRAME_MAX];

	if (!(queue->command & SHUNT_82576_TXD_VLE)) {
		sim_wire_transmit(nic, frame, length);
		return;
	}
	memcpy(tagged, frame, SIM_TAG_AT);
	sim_put16(tagged + SIM_TAG_AT, sim_register(nic, SHUNT_82576_VET));
	sim_put16(tagged + SIM_TAG_AT + 2, context->vlan);
	memcpy(tagged + SIM_TAG_AT + SHUNT_82576_VLAN_TAG, frame + SIM_TAG_AT, length - SIM_TAG_AT);
	sim_wire_transmit(nic, tagged, length + SHUNT_82576_VLAN_TAG);
}

/* Longest frame that can be sent, without tag and FCS. */
static uint32_t longest(const struct sim_tx_queue *queue)
{
	return SHUNT_82576_FRAME_MAX - SHUNT_82576_FCS_SIZE -
	       (queue->command & SHUNT_82576_TXD_VLE ? SHUNT_82576_VLAN_TAG : 0);
}

static bool send_whole(struct sim_nic *nic, struct sim_tx_queue *queue,
	const struct context *context, uint32_t length)
{
	if (length <= SIM_TAG_AT || length > longest(queue) || queue->payload_length != length)
		return false;
	if (queue->options & SHUNT_82576_TXD_POPTS_TXSM) {
		if (checksum_place(context) + 2 > length)
			return false;
		insert_transport_checksum(queue->gather, length, context, 0);
	}
	if (queue->options & SHUNT_82576_TXD_POPTS_IXSM) {
		if (context->ip + IPV4_CHECKSUM + 2 > context->transport ||
			context->transport > length)
			return false;
		insert_ip_checksum(queue->gather, context);
	}
	send(nic, queue, context, queue->gather, length);
	return true;
}

/* Headers of one segment: lengths, sequence, identification, flags. */
static void adapt_headers(
	uint8_t *frame, const struct context *context, uint32_t number, uint32_t payload, bool last)
{
	uint8_t *ip = frame + context->ip, *tcp = frame + context->transport;
	uint32_t after_ip = context->headers - context->transport + payload;
	uint32_t sequence = sim_get16(tcp + TCP_SEQUENCE) << 16 | sim_get16(tcp + TCP_SEQUENCE + 2);

	sequence += number * context->mss;
	sim_put16(tcp + TCP_SEQUENCE, sequence >> 16);
	sim_put16(tcp + TCP_SEQUENCE + 2, sequence);
	if (!last)
		tcp[TCP_FLAGS] &= (uint8_t)~TCP_LAST_ONLY;
	if (context->ipv4) {
		sim_put16(ip + IPV4_LENGTH, context->transport - context->ip + after_ip);
		sim_put16(ip + IPV4_ID, sim_get16(ip + IPV4_ID) + number);
	} else {
		sim_put16(ip + IPV6_LENGTH,
			context->transport - context->ip - IPV6_HEADER + after_ip);
	}
}

static bool segment(struct sim_nic *nic, struct sim_tx_queue *queue, const struct context *context,
	uint32_t length)
{
	uint32_t payload = length - context->headers, number, offset, part;
	uint8_t frame[SHUNT_82576_FRAME_MAX];

	if (context->mss == 0 || context->headers > HEADERS_MAX || context->headers >= length ||
		context->headers < context->transport + TCP_CHECKSUM + 2 ||
		context->ip + IPV4_CHECKSUM + 2 > context->transport ||
		context->protocol != SHUNT_82576_TXC_L4T_TCP ||
		context->headers + context->mss > longest(queue) ||
		queue->payload_length != payload)
		return false;
	sim_count(nic, SHUNT_82576_TSCTC, 1);
	for (number = 0, offset = 0; offset < payload; number++, offset += part) {
		part = MIN(payload - offset, context->mss);
		memcpy(frame, queue->gather, context->headers);
		memcpy(frame + context->headers, queue->gather + context->headers + offset, part);
		adapt_headers(frame, context, number, part, offset + part == payload);
		if (queue->options & SHUNT_82576_TXD_POPTS_TXSM)
			insert_transport_checksum(frame, context->headers + part, context,
				context->headers - context->transport + part);
		if (queue->options & SHUNT_82576_TXD_POPTS_IXSM)
			insert_ip_checksum(frame, context);
		send(nic, queue, context, frame, context->headers + part);
		sim_iommu_service(&nic->sim->iommu);
	}
	return true;
}

bool sim_tx_offload(struct sim_nic *nic, struct sim_tx_queue *queue, uint32_t length)
{
	struct context context;

	take_apart(queue, &context);
	if (!(queue->command & SHUNT_82576_TXD_IFCS))
		return false;
	return queue->command & SHUNT_82576_TXD_TSE ? segment(nic, queue, &context, length)
						    : send_whole(nic, queue, &context, length);
}
