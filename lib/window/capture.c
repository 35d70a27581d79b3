/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include <shunt/error.h>
#include <shunt/tester.h>

/* A capture is read twice: to check and count its frames, then to copy them. */
struct capture {
	size_t count;
	size_t bytes; /* when short frames are padded */
};

static uint32_t padded(uint32_t length)
{
	return length < SHUNT_FRAME_MIN ? SHUNT_FRAME_MIN : length;
}

static pcap_t *open_capture(const char *path)
{
	char reason[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_open_offline(path, reason);

	if (!pcap)
		shunt_fail(-EINVAL, "%s", reason);
	return pcap;
}

static int check_frame(const struct pcap_pkthdr *header, struct capture *capture)
{
	size_t number = capture->count + 1;

	if (header->caplen < header->len)
		return shunt_fail(-EINVAL, "frame %zu was captured only to %u of its %u bytes",
			number, header->caplen, header->len);
	if (header->len > SHUNT_FRAME_MAX)
		return shunt_fail(-EINVAL, "frame %zu has %u bytes, more than %u", number,
			header->len, SHUNT_FRAME_MAX);
	capture->count = number;
	capture->bytes += padded(header->len);
	return 0;
}

static int check_frames(pcap_t *pcap, struct capture *capture)
{
	struct pcap_pkthdr *header;
	const u_char *data;
	int got, ret;

	if (pcap_datalink(pcap) != DLT_EN10MB)
		return shunt_fail(-EINVAL, "it holds %s frames, not Ethernet",
			pcap_datalink_val_to_name(pcap_datalink(pcap)));
	while ((got = pcap_next_ex(pcap, &header, &data)) == 1) {
		ret = check_frame(header, capture);
		if (ret)
			return ret;
	}
	if (got == PCAP_ERROR)
		return shunt_fail(-EINVAL, "%s", pcap_geterr(pcap));
	if (!capture->count)
		return shunt_fail(-EINVAL, "it holds no frame");
	return 0;
}

static int copy_frames(pcap_t *pcap, const struct capture *capture, struct shunt_traffic *traffic)
{
	struct pcap_pkthdr *header;
	const u_char *data;
	size_t used = 0;

	traffic->frames = calloc(capture->count, sizeof(*traffic->frames));
	traffic->memory = calloc(capture->bytes, 1);
	if (!traffic->frames || !traffic->memory)
		return shunt_fail(-ENOMEM, "out of memory for %zu frames", capture->count);
	while (traffic->count < capture->count && pcap_next_ex(pcap, &header, &data) == 1) {
		struct shunt_frame *frame = &traffic->frames[traffic->count++];

		if (padded(header->len) > capture->bytes - used || header->caplen < header->len)
			return shunt_fail(-EINVAL, "it changed while it was read");
		frame->length = padded(header->len);
		frame->bytes = traffic->memory + used;
		memcpy(frame->bytes, data, header->len);
		used += frame->length;
	}
	return 0;
}

static int read_capture(const char *path, struct shunt_traffic *traffic)
{
	struct capture capture = { 0 };
	pcap_t *pcap;
	int ret;

	pcap = open_capture(path);
	if (!pcap)
		return -EINVAL;
	ret = check_frames(pcap, &capture);
	pcap_close(pcap);
	if (ret)
		return ret;
	pcap = open_capture(path);
	if (!pcap)
		return -EINVAL;
	ret = copy_frames(pcap, &capture, traffic);
	pcap_close(pcap);
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
