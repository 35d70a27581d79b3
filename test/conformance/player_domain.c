/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <linux/iommufd.h>

#include <shunt/error.h>

#include "player.h"

/* Operations on what the IOMMU itself offers: dirty tracking, invalidation, hardware information.
 */

#define INFO_BYTES   64
#define CAPABILITIES 0x7u /* dirty tracking; PASID: execute, privileged */

static int call(struct player *player, struct words *words, unsigned long request, void *structure,
	uint32_t length, int *ret)
{
	return player_call(
		player, words, player->iommufds[player->iommufd], request, structure, length, ret);
}

/* dirty-tracking HWPT on|off */
static int do_dirty_tracking(struct player *player, struct words *words)
{
	struct iommu_hwpt_set_dirty_tracking request = { .size = sizeof(request) };
	const char *how = words->count > 2 ? words->word[2] : "";
	uint64_t flags = 0;
	int ret;

	if (strcmp(how, "on") == 0)
		request.flags = IOMMU_HWPT_DIRTY_TRACKING_ENABLE;
	else if (strcmp(how, "off") != 0)
		return shunt_fail(-EINVAL, "on or off is wanted");
	if (player_id(player, words, 1, &request.hwpt_id) ||
		words_option_number(words, "flags", &flags))
		return -EINVAL;
	request.flags |= (uint32_t)flags;
	if (call(player, words, IOMMU_HWPT_SET_DIRTY_TRACKING, &request, sizeof(request), &ret))
		return -EINVAL;
	player_answer_result(player, ret);
	return 0;
}

/* dirty-bitmap HWPT IOVA LENGTH PAGE_SIZE */
static int do_dirty_bitmap(struct player *player, struct words *words)
{
	struct iommu_hwpt_get_dirty_bitmap request = { .size = sizeof(request) };
	uint64_t iova, length, page_size, flags = 0, reserved = 0;
	int ret;

	if (player_id(player, words, 1, &request.hwpt_id) || player_number(words, 2, &iova) ||
		player_number(words, 3, &length) || player_number(words, 4, &page_size) ||
		words_option_number(words, "flags", &flags) ||
		words_option_number(words, "reserved", &reserved))
		return -EINVAL;
	request.iova = iova;
	request.length = length;
	request.page_size = page_size;
	request.flags = (uint32_t)flags;
	request.__reserved = (uint32_t)reserved;
	request.data = (uintptr_t)player->memory;
	if (call(player, words, IOMMU_HWPT_GET_DIRTY_BITMAP, &request, sizeof(request), &ret))
		return -EINVAL;
	player_answer_result(player, ret);
	return 0;
}

/* invalidate HWPT [entries=N] [entry-length=N] [at=none] */
static int do_invalidate(struct player *player, struct words *words)
{
	struct iommu_hwpt_invalidate request = { .size = sizeof(request) };
	const char *at = words_option(words, "at");
	uint64_t entries = 0, length = 0, reserved = 0;
	int ret;

	if (player_id(player, words, 1, &request.hwpt_id) ||
		words_option_number(words, "entries", &entries) ||
		words_option_number(words, "entry-length", &length) ||
		words_option_number(words, "reserved", &reserved))
		return -EINVAL;
	request.entry_num = (uint32_t)entries;
	request.entry_len = (uint32_t)length;
	request.__reserved = (uint32_t)reserved;
	request.data_uptr = at ? 0 : (uintptr_t)player->memory;
	if (call(player, words, IOMMU_HWPT_INVALIDATE, &request, sizeof(request), &ret))
		return -EINVAL;
	player_answer_result(player, ret);
	player_answer(player, " entries=%u", request.entry_num);
	return 0;
}

static bool all_zero(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

/*
 * info DEVICE [room=N]: the registers themselves are the machine's and not told, only how many
 * bytes they are and that the rest of the room is zeroed. Of the capabilities those that Linux 6.12
 * knows are told.
 */
static int do_info(struct player *player, struct words *words)
{
	struct iommu_hw_info info = { .size = sizeof(info) };
	const char *at = words_option(words, "at");
	uint8_t data[INFO_BYTES];
	uint64_t room = sizeof(data), flags = 0, reserved = 0;
	int ret;

	memset(data, 0xa5, sizeof(data));
	if (player_id(player, words, 1, &info.dev_id) ||
		words_option_number(words, "room", &room) ||
		words_option_number(words, "flags", &flags) ||
		words_option_number(words, "reserved", &reserved))
		return -EINVAL;
	if (room > sizeof(data))
		return shunt_fail(-EINVAL, "room= at most %u", INFO_BYTES);
	info.flags = (uint32_t)flags;
	info.data_len = (uint32_t)room;
	info.data_uptr = at ? 0 : (uintptr_t)data;
	info.__reserved[0] = (uint8_t)reserved;
	if (call(player, words, IOMMU_GET_HW_INFO, &info, sizeof(info), &ret))
		return -EINVAL;
	if (player_answer_result(player, ret)) {
		uint32_t known = info.data_len < room ? info.data_len : (uint32_t)room;

		player_answer(player, " type=%u length=%u capabilities=0x%" PRIx64 " rest=%s",
			info.out_data_type, info.data_len,
			(uint64_t)info.out_capabilities & CAPABILITIES,
			all_zero(data + known, room - known) ? "zero" : "dirty");
	}
	return 0;
}

/* A command number that iommufd does not know, or a known one with another request code. */
static int do_unknown(struct player *player, struct words *words)
{
	uint32_t nothing[16] = { sizeof(nothing) };
	uint64_t number;
	int ret;

	if (player_number(words, 1, &number) ||
		call(player, words, _IO(IOMMUFD_TYPE, number), nothing, sizeof(nothing), &ret))
		return -EINVAL;
	player_answer_result(player, ret);
	return 0;
}

player_operation player_domain_operation(const char *verb)
{
	static const struct {
		const char *verb;
		player_operation operation;
	} operations[] = {
		{ "dirty-tracking", do_dirty_tracking },
		{ "dirty-bitmap", do_dirty_bitmap },
		{ "invalidate", do_invalidate },
		{ "info", do_info },
		{ "request", do_unknown },
	};

	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (strcmp(operations[i].verb, verb) == 0)
			return operations[i].operation;
	}
	return NULL;
}
