/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "shunt_error.h"
#include "shunt_traffic.h"

/* A capture being read: frames first hold offsets, as the memory may still move. */
struct capture {
	struct shunt_traffic *traffic;
	size_t *offsets;
	size_t frame_room;
	size_t used;
	size_t room;
};

static int grow(void **memory, size_t *room, size_t need, size_t item)
{
	size_t larger = *room ? 2 * *room : 1024;
	void *moved;

	if (need <= *room)
		return 0;
	larger = larger < need ? need : larger;
	moved = realloc(*memory, larger * item);
	if (!moved)
		return shunt_fail(-ENOMEM, "out of memory after %zu items", *room);
	*memory = moved;
	*room = larger;
	return 0;
}

static int add_frame(struct capture *capture, const struct pcap_pkthdr *header, const u_char *data)
{
	uint32_t length = header->len < SHUNT_FRAME_MIN ? SHUNT_FRAME_MIN : header->len;
	size_t number = capture->traffic->count + 1;
	int ret;

	if (header->caplen < header->len)
		return shunt_fail(-EINVAL, "frame %zu was captured only to %u of its %u bytes",
			number, header->caplen, header->len);
	if (header->len > SHUNT_FRAME_MAX)
		return shunt_fail(-EINVAL, "frame %zu has %u bytes, more than %u", number,
			header->len, SHUNT_FRAME_MAX);
	ret = grow((void **)&capture->offsets, &capture->frame_room, number,
		sizeof(capture->offsets[0]));
	if (!ret)
		ret = grow((void **)&capture->traffic->memory, &capture->room,
			capture->used + length, 1);
	if (ret)
		return ret;
	memset(capture->traffic->memory + capture->used, 0, length);
	memcpy(capture->traffic->memory + capture->used, data, header->len);
	capture->offsets[capture->traffic->count++] = capture->used;
	capture->used += length;
	return 0;
}

static int read_frames(pcap_t *pcap, struct capture *capture)
{
	struct pcap_pkthdr *header;
	const u_char *data;
	int got, ret;

	if (pcap_datalink(pcap) != DLT_EN10MB)
		return shunt_fail(-EINVAL, "it holds %s frames, not Ethernet",
			pcap_datalink_val_to_name(pcap_datalink(pcap)));
	while ((got = pcap_next_ex(pcap, &header, &data)) == 1) {
		ret = add_frame(capture, header, data);
		if (ret)
			return ret;
	}
	if (got == PCAP_ERROR)
		return shunt_fail(-EINVAL, "%s", pcap_geterr(pcap));
	if (!capture->traffic->count)
		return shunt_fail(-EINVAL, "it holds no frame");
	return 0;
}

static int place_frames(struct capture *capture)
{
	struct shunt_traffic *traffic = capture->traffic;

	traffic->frames = calloc(traffic->count, sizeof(*traffic->frames));
	if (!traffic->frames)
		return shunt_fail(-ENOMEM, "out of memory");
	for (size_t i = 0; i < traffic->count; i++) {
		size_t end = i + 1 < traffic->count ? capture->offsets[i + 1] : capture->used;

		traffic->frames[i].bytes = traffic->memory + capture->offsets[i];
		traffic->frames[i].length = (uint32_t)(end - capture->offsets[i]);
	}
	return 0;
}

int shunt_traffic_pcap(const char *path, struct shunt_traffic *traffic)
{
	struct capture capture = { .traffic = traffic };
	char reason[PCAP_ERRBUF_SIZE];
	pcap_t *pcap;
	int ret;

	*traffic = (struct shunt_traffic){ 0 };
	pcap = pcap_open_offline(path, reason);
	if (!pcap)
		return shunt_fail(-EINVAL, "capture: %s", reason);
	ret = read_frames(pcap, &capture);
	if (!ret)
		ret = place_frames(&capture);
	pcap_close(pcap);
	free(capture.offsets);
	if (ret) {
		shunt_traffic_free(traffic);
		return shunt_fail_while(ret, "capture %s", path);
	}
	return 0;
}
