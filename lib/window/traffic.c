/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>

#include <pcap/pcap.h>

#include <shunt/error.h>
#include <shunt/tester.h>

#define UDP_PORT_DISCARD 9
#define BENCHMARK_NET    0xc6120000u /* 198.18.0.0, RFC 2544 appendix C */

/* Seven small, four middle, one large, spread over the cycle. */
static const unsigned int imix_sizes[] = { 64, 594, 64, 64, 594, 64, 1518, 64, 594, 64, 64, 594 };
#define IMIX_COUNT (sizeof(imix_sizes) / sizeof(imix_sizes[0]))

/* RFC 1071, of an IPv4 header without options. */
static uint16_t header_checksum(const struct iphdr *ip)
{
	uint16_t words[sizeof(*ip) / sizeof(uint16_t)];
	uint32_t sum = 0;

	memcpy(words, ip, sizeof(*ip));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(0xffff - (uint16_t)(sum + (sum >> 16)));
}

static void fill_udp(struct shunt_frame *frame)
{
	/* As in a frame: no field is aligned. */
	struct {
		struct ether_header ethernet;
		struct iphdr ip;
		struct udphdr udp;
	} __attribute__((packed)) headers;
	const uint16_t ip_length = (uint16_t)(frame->length - sizeof(headers.ethernet));
	struct iphdr ip = {
		.version = IPVERSION,
		.ihl = sizeof(ip) / sizeof(uint32_t),
		.tot_len = htons(ip_length),
		.ttl = IPDEFTTL,
		.protocol = IPPROTO_UDP,
		.saddr = htonl(BENCHMARK_NET + 1),
		.daddr = htonl(BENCHMARK_NET + 0x10001),
	};

	ip.check = header_checksum(&ip);
	headers.ethernet = (struct ether_header){
		.ether_dhost = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		.ether_shost = { 0x02, 0, 0, 0, 0, 1 },
		.ether_type = htons(ETHERTYPE_IP),
	};
	headers.ip = ip;
	headers.udp = (struct udphdr){
		.source = htons(UDP_PORT_DISCARD),
		.dest = htons(UDP_PORT_DISCARD),
		.len = htons((uint16_t)(ip_length - sizeof(ip))),
	};
	for (uint32_t i = 0; i < frame->length; i++)
		frame->bytes[i] = (uint8_t)i;
	memcpy(frame->bytes, &headers, sizeof(headers));
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
	if (size < ETHER_MIN_LEN || size > SHUNT_FRAME_MAX)
		return shunt_fail(-EINVAL, "frame size %u: %u to %u bytes, with FCS", size,
			ETHER_MIN_LEN, SHUNT_FRAME_MAX);
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

static int check_frame(const struct pcap_pkthdr *header, size_t number)
{
	if (header->caplen < header->len)
		return shunt_fail(-EINVAL, "frame %zu was captured only to %u of its %u bytes",
			number, header->caplen, header->len);
	if (header->len > SHUNT_FRAME_MAX)
		return shunt_fail(-EINVAL, "frame %zu has %u bytes, more than %u", number,
			header->len, SHUNT_FRAME_MAX);
	return 0;
}

/* Adds a frame, of which the bytes go to the end of the memory. */
static int add_frame(const struct pcap_pkthdr *header, const u_char *data, FILE *memory,
	struct shunt_traffic *traffic)
{
	static const u_char padding[SHUNT_FRAME_MIN];
	const uint32_t pad = header->len < SHUNT_FRAME_MIN ? SHUNT_FRAME_MIN - header->len : 0;
	const size_t count = traffic->count + 1;
	struct shunt_frame *frames = reallocarray(traffic->frames, count, sizeof(*traffic->frames));

	if (frames)
		traffic->frames = frames;
	if (!frames || fwrite(data, 1, header->len, memory) != header->len ||
		fwrite(padding, 1, pad, memory) != pad)
		return shunt_fail(-ENOMEM, "out of memory for frames (%zu)", count);
	frames[traffic->count++] = (struct shunt_frame){ .length = header->len + pad };
	return 0;
}

static int read_frames(pcap_t *pcap, FILE *memory, struct shunt_traffic *traffic)
{
	struct pcap_pkthdr *header;
	const u_char *data;
	int got, ret;

	if (pcap_datalink(pcap) != DLT_EN10MB)
		return shunt_fail(-EINVAL, "it holds %s frames, not Ethernet",
			pcap_datalink_val_to_name(pcap_datalink(pcap)));
	while ((got = pcap_next_ex(pcap, &header, &data)) == 1) {
		ret = check_frame(header, traffic->count + 1);
		if (!ret)
			ret = add_frame(header, data, memory, traffic);
		if (ret)
			return ret;
	}
	if (got == PCAP_ERROR)
		return shunt_fail(-EINVAL, "%s", pcap_geterr(pcap));
	if (!traffic->count)
		return shunt_fail(-EINVAL, "it holds no frame");
	return 0;
}

static int read_capture(const char *path, struct shunt_traffic *traffic)
{
	char reason[PCAP_ERRBUF_SIZE], *memory = NULL;
	size_t size, used = 0;
	pcap_t *pcap = pcap_open_offline(path, reason);
	FILE *file;
	int ret;

	if (!pcap)
		return shunt_fail(-EINVAL, "%s", reason);
	file = open_memstream(&memory, &size);
	ret = file ? read_frames(pcap, file, traffic) : shunt_fail(-ENOMEM, "out of memory");
	if (file && fclose(file) && !ret)
		ret = shunt_fail(-ENOMEM, "out of memory for frames (%zu)", traffic->count);
	pcap_close(pcap);
	traffic->memory = (uint8_t *)memory;
	for (size_t i = 0; !ret && i < traffic->count; i++) {
		traffic->frames[i].bytes = traffic->memory + used;
		used += traffic->frames[i].length;
	}
	return ret;
}

int shunt_traffic_pcap(const char *path, struct shunt_traffic *traffic)
{
	int ret;

	*traffic = (struct shunt_traffic){ 0 };
	ret = read_capture(path, traffic);
	if (!ret)
		return 0;
	shunt_traffic_free(traffic);
	return shunt_fail_while(ret, "capture %s", path);
}
