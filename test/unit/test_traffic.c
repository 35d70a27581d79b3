/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pcap/pcap.h>
#include <rte_ether.h>
#include <rte_ip.h>

#include <cmocka.h>

#include <shunt/error.h>
#include <shunt/tester.h>

static void check_udp(const struct shunt_frame *frame)
{
	const struct rte_ipv4_hdr *ip = (const void *)(frame->bytes + sizeof(struct rte_ether_hdr));

	assert_int_equal(
		rte_be_to_cpu_16(ip->total_length), frame->length - sizeof(struct rte_ether_hdr));
	assert_int_equal(rte_raw_cksum(ip, sizeof(*ip)), 0xffff);
}

static void fixed_frames_have_the_size_asked_for(void **state)
{
	struct shunt_traffic traffic;

	for (unsigned int size = 64; size <= SHUNT_FRAME_MAX; size += 1117) {
		assert_int_equal(shunt_traffic_fixed(size, &traffic), 0);
		assert_int_equal(traffic.count, 1);
		assert_int_equal(traffic.frames[0].length + SHUNT_FCS, size);
		check_udp(&traffic.frames[0]);
		shunt_traffic_free(&traffic);
	}
	assert_int_equal(shunt_traffic_fixed(63, &traffic), -EINVAL);
	assert_int_equal(shunt_traffic_fixed(9001, &traffic), -EINVAL);
	assert_non_null(strstr(shunt_errmsg(), "9001"));
}

static void imix_is_seven_four_one(void **state)
{
	unsigned int small = 0, middle = 0, large = 0;
	struct shunt_traffic traffic;

	assert_int_equal(shunt_traffic_imix(&traffic), 0);
	for (size_t i = 0; i < traffic.count; i++) {
		check_udp(&traffic.frames[i]);
		small += traffic.frames[i].length + SHUNT_FCS == 64;
		middle += traffic.frames[i].length + SHUNT_FCS == 594;
		large += traffic.frames[i].length + SHUNT_FCS == 1518;
	}
	assert_int_equal(small, 7);
	assert_int_equal(middle, 4);
	assert_int_equal(large, 1);
	shunt_traffic_free(&traffic);
}

/* Writes a capture of frames of the given lengths, each filled with its number. */
static void write_capture(
	const char *path, int link, const uint32_t *lengths, size_t count, uint32_t missing)
{
	pcap_t *pcap = pcap_open_dead(link, 65535);
	pcap_dumper_t *dumper = pcap_dump_open(pcap, path);
	static u_char bytes[65536];

	assert_non_null(dumper);
	for (size_t i = 0; i < count; i++) {
		struct pcap_pkthdr header = { .caplen = lengths[i] - missing, .len = lengths[i] };

		memset(bytes, (int)i + 1, sizeof(bytes));
		pcap_dump((u_char *)dumper, &header, bytes);
	}
	pcap_dump_close(dumper);
	pcap_close(pcap);
}

static void captures_are_read_whole(void **state)
{
	const uint32_t lengths[] = { 60, 42, 1514, 9000, 64 };
	char path[] = "/tmp/shunt-test-XXXXXX";
	struct shunt_traffic traffic;

	close(mkstemp(path));
	write_capture(path, DLT_EN10MB, lengths, 5, 0);
	assert_int_equal(shunt_traffic_pcap(path, &traffic), 0);
	assert_int_equal(traffic.count, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(traffic.frames[i].length, lengths[i] < 60 ? 60 : lengths[i]);
		assert_int_equal(traffic.frames[i].bytes[lengths[i] - 1], i + 1);
	}
	assert_int_equal(traffic.frames[1].bytes[59], 0);
	shunt_traffic_free(&traffic);
	unlink(path);
}

static void captures_that_cannot_be_sent_are_refused(void **state)
{
	const uint32_t good[] = { 60, 60 }, large[] = { 60, 9001 };
	char path[] = "/tmp/shunt-test-XXXXXX";
	struct shunt_traffic traffic;

	close(mkstemp(path));
	write_capture(path, DLT_EN10MB, good, 2, 4);
	assert_int_equal(shunt_traffic_pcap(path, &traffic), -EINVAL);
	assert_non_null(strstr(shunt_errmsg(), "frame 1 was captured only to 56 of its 60"));
	write_capture(path, DLT_EN10MB, large, 2, 0);
	assert_int_equal(shunt_traffic_pcap(path, &traffic), -EINVAL);
	assert_non_null(strstr(shunt_errmsg(), "frame 2 has 9001 bytes"));
	write_capture(path, DLT_IEEE802_11, good, 2, 0);
	assert_int_equal(shunt_traffic_pcap(path, &traffic), -EINVAL);
	assert_non_null(strstr(shunt_errmsg(), "not Ethernet"));
	write_capture(path, DLT_EN10MB, good, 0, 0);
	assert_int_equal(shunt_traffic_pcap(path, &traffic), -EINVAL);
	assert_non_null(strstr(shunt_errmsg(), "no frame"));
	assert_int_equal(truncate(path, 3), 0);
	assert_int_equal(shunt_traffic_pcap(path, &traffic), -EINVAL);
	unlink(path);
	assert_int_equal(shunt_traffic_pcap(path, &traffic), -EINVAL);
	assert_non_null(strstr(shunt_errmsg(), path));
	assert_null(traffic.frames);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixed_frames_have_the_size_asked_for),
		cmocka_unit_test(imix_is_seven_four_one),
		cmocka_unit_test(captures_are_read_whole),
		cmocka_unit_test(captures_that_cannot_be_sent_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
