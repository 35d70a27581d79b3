/* SPDX-License-Identifier: BSD-3-Clause */
/* What the NIC model does with the content of frames it sends: checksums, VLAN tags, segments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "offload_fixture.h"

static void give_context(struct rig *rig, uint32_t lengths, uint32_t type, uint32_t mss)
{
	struct rig_port *port = &rig->port[0];
	union shunt_82576_tx_descriptor *descriptor = &port->tx[port->tx_tail];

	descriptor->context.vlan_lengths = lengths;
	descriptor->context.reserved = 0;
	descriptor->context.command_type =
		SHUNT_82576_TXD_DEXT | SHUNT_82576_TXD_DTYP_CONTEXT | type;
	descriptor->context.mss_l4_length = mss;
	port->tx_tail = (port->tx_tail + 1) % RIG_RING;
}

/* Sends a frame from buffer memory. */
static void transmit(struct rig *rig, const uint8_t *frame, uint32_t length, uint32_t command,
	uint32_t options, uint32_t payload)
{
	struct rig_port *port = &rig->port[0];
	union shunt_82576_tx_descriptor *descriptor = &port->tx[port->tx_tail];

	memcpy(port->tx_buffers, frame, length);
	descriptor->read.address = (uintptr_t)port->tx_buffers;
	descriptor->read.command_length = length | command | SHUNT_82576_TXD_DTYP_DATA |
					  SHUNT_82576_TXD_DEXT | SHUNT_82576_TXD_EOP |
					  SHUNT_82576_TXD_IFCS;
	descriptor->read.options = options | payload << SHUNT_82576_TXD_PAYLEN_SHIFT;
	port->tx_tail = (port->tx_tail + 1) % RIG_RING;
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
}

static uint32_t lengths(uint32_t ip, uint32_t vlan)
{
	return ip | ETHER << SHUNT_82576_TXC_MACLEN_SHIFT | vlan << SHUNT_82576_TXC_VLAN_SHIFT;
}

static void seed(uint8_t *frame, uint64_t flags)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + ETHER);
	uint16_t sum = rte_ipv4_phdr_cksum(ip, flags);

	memcpy(frame + ETHER + IPV4 + (ip->next_proto_id == IPPROTO_TCP ? 16 : 6), &sum,
		sizeof(sum));
}

static void sums_are_inserted(void **state)
{
	const uint32_t both = SHUNT_82576_TXD_POPTS_IXSM | SHUNT_82576_TXD_POPTS_TXSM;
	struct rig *rig = *state;
	uint8_t frame[512];
	uint32_t length;

	for (uint32_t payload = 1; payload < 80; payload++) {
		bool tcp = payload & 1;

		length = make_ipv4(frame, tcp ? IPPROTO_TCP : IPPROTO_UDP, payload);
		seed(frame, 0);
		give_context(rig, lengths(IPV4, 0),
			SHUNT_82576_TXC_IPV4 |
				(tcp ? SHUNT_82576_TXC_L4T_TCP : SHUNT_82576_TXC_L4T_UDP),
			0);
		transmit(rig, frame, length, 0, both, length);
		assert_int_equal(rig->tester.received, payload);
		assert_int_equal(rig->tester.last_length, RTE_MAX(length, 60u));
		assert_true(sums_are_right(rig->tester.last));
	}
}

static void two_contexts_are_kept(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[512];
	uint32_t length = make_ipv4(frame, IPPROTO_UDP, PAYLOAD);

	give_context(rig, lengths(0, 11), 0, 0);
	give_context(rig, lengths(0, 22), 0, 1u << SHUNT_82576_TXD_CONTEXT_SHIFT);
	transmit(rig, frame, length, SHUNT_82576_TXD_VLE, 0, length);
	assert_int_equal(rig->tester.last_length, length + 4);
	assert_int_equal(sim_get16(rig->tester.last + 12), 0x8100);
	assert_int_equal(sim_get16(rig->tester.last + 14), 11);
	assert_memory_equal(rig->tester.last + 16, frame + 12, length - 12);
	transmit(rig, frame, length, SHUNT_82576_TXD_VLE, 1u << SHUNT_82576_TXD_CONTEXT_SHIFT,
		length);
	assert_int_equal(sim_get16(rig->tester.last + 14), 22);
	/* Turning the queue off forgets them. */
	rig_set(rig, 0, SHUNT_82576_TXDCTL(0), 0);
	rig_turn(rig, 0);
	rig_set(rig, 0, SHUNT_82576_TXDCTL(0), SHUNT_82576_TXDCTL_ENABLE);
	rig_turn(rig, 0);
	transmit(rig, frame, length, SHUNT_82576_TXD_VLE, 0, length);
	assert_int_equal(sim_get16(rig->tester.last + 14), 0);
}

/* RFC 9260 says how; the check value of the nine digits is that of CRC-32/ISCSI. */
static void the_crc_of_sctp_is_inserted(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[512];
	uint32_t length = make_ipv4(frame, IPPROTO_UDP, 40), crc, place = ETHER + IPV4;

	assert_int_equal(sim_crc32c((const uint8_t *)"123456789", 9), 0xE3069283);
	frame[ETHER + 9] = IPPROTO_SCTP;
	give_context(rig, lengths(IPV4, 0), SHUNT_82576_TXC_IPV4 | SHUNT_82576_TXC_L4T_SCTP, 0);
	transmit(rig, frame, length, 0, SHUNT_82576_TXD_POPTS_TXSM, length);
	memset(frame + place + 8, 0, 4);
	crc = sim_crc32c(frame + place, length - place);
	assert_memory_equal(rig->tester.last + place + 8, &crc, sizeof(crc));
}

#define MSS 100u

static uint32_t segments;
static uint8_t segment[64][256];
static uint32_t segment_length[64];

static void take_segment(void *context, uint64_t now, const void *frame, uint32_t length)
{
	memcpy(segment[segments], frame, length);
	segment_length[segments++] = length;
}

static void check_segment(const uint8_t *whole, uint32_t i, uint32_t payload, uint32_t count)
{
	const uint32_t headers = ETHER + IPV4 + TCP;
	uint32_t part = i + 1 == count ? payload - i * MSS : MSS;
	const struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(segment[i] + ETHER);
	const struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(segment[i] + ETHER + IPV4);

	assert_int_equal(segment_length[i], RTE_MAX(headers + part, 60u));
	assert_int_equal(rte_be_to_cpu_16(ip->total_length), IPV4 + TCP + part);
	assert_int_equal(rte_be_to_cpu_16(ip->packet_id), (uint16_t)(0xFFFE + i));
	assert_int_equal(rte_be_to_cpu_32(tcp->sent_seq), 0xFFFFFF00u + i * MSS);
	assert_int_equal(tcp->tcp_flags, i + 1 == count ? 0x1B : 0x12);
	assert_true(sums_are_right(segment[i]));
	assert_memory_equal(segment[i] + headers, whole + headers + i * MSS, part);
}

static void tcp_is_segmented(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[RIG_BUFFER];
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(frame + ETHER + IPV4);
	uint32_t payload, length;

	rig->tester.endpoint.receive = take_segment;
	rig->port[0].nic->endpoint.receive = take_segment;
	for (payload = 50; payload < 1500; payload += 149) {
		uint32_t count = (payload + MSS - 1) / MSS;

		segments = 0;
		length = make_ipv4(frame, IPPROTO_TCP, payload);
		tcp->sent_seq = rte_cpu_to_be_32(0xFFFFFF00u);
		tcp->tcp_flags = 0x1B; /* ACK, PSH, SYN for the test, FIN */
		seed(frame, RTE_MBUF_F_TX_TCP_SEG);
		give_context(rig, lengths(IPV4, 0), SHUNT_82576_TXC_IPV4 | SHUNT_82576_TXC_L4T_TCP,
			MSS << SHUNT_82576_TXC_MSS_SHIFT | TCP << SHUNT_82576_TXC_L4LEN_SHIFT);
		transmit(rig, frame, length, SHUNT_82576_TXD_TSE,
			SHUNT_82576_TXD_POPTS_IXSM | SHUNT_82576_TXD_POPTS_TXSM, payload);
		assert_int_equal(segments, count);
		for (uint32_t i = 0; i < count; i++)
			check_segment(frame, i, payload, count);
	}
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_TSCTC), 10);
	assert_int_equal(rig_truth(rig, 0).tx_discarded, 0);
}

static void loopback_takes_the_wire_away(void **state)
{
	struct rig *rig = *state;

	rig_set(rig, 0, SHUNT_82576_RCTL,
		rig_get(rig, 0, SHUNT_82576_RCTL) | SHUNT_82576_RCTL_LBM_MAC);
	rig_post(rig, 0, 4);
	rig_queue(rig, 0, 7, 100);
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.received, 0);
	assert_int_equal(rig_receive(rig, 0), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sums_are_inserted),
		TEST(two_contexts_are_kept),
		TEST(the_crc_of_sctp_is_inserted),
		TEST(tcp_is_segmented),
		TEST(loopback_takes_the_wire_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
