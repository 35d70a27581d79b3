/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <shunt/error.h>

#include "player.h"
#include "shunt_iommufd_uapi.h"

#define RANGES_MAX 16

static int call(struct player *player, struct words *words, unsigned long request, void *structure,
	uint32_t length, int *ret)
{
	return player_call(
		player, words, player->iommufds[player->iommufd], request, structure, length, ret);
}

static int option32(struct words *words, const char *key, uint32_t *value)
{
	uint64_t number = *value;
	int ret = words_option_number(words, key, &number);

	*value = (uint32_t)number;
	return ret;
}

static int do_iommufd(struct player *player, struct words *words)
{
	struct shunt_platform *platform = player->platform;
	uint64_t index;
	int *fd;

	if (player_number(words, 1, &index))
		return -EINVAL;
	if (index >= PLAYER_IOMMUFDS)
		return shunt_fail(-EINVAL, "iommufds are 0 to %u", PLAYER_IOMMUFDS - 1);
	fd = &player->iommufds[index];
	if (words->count > 2 && strcmp(words->word[2], "close") == 0) {
		player_answer_result(player, platform->ops->close(platform, *fd));
		*fd = -1;
		return 0;
	}
	player->iommufd = (unsigned int)index;
	if (*fd < 0)
		*fd = platform->ops->open(platform, "/dev/iommu");
	player_answer_result(player, *fd < 0 ? *fd : 0);
	return 0;
}

static int do_ioas(struct player *player, struct words *words)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	int ret;

	if (words->count < 2)
		return shunt_fail(-EINVAL, "a name is missing");
	if (option32(words, "flags", &alloc.flags) ||
		call(player, words, IOMMU_IOAS_ALLOC, &alloc, sizeof(alloc), &ret))
		return -EINVAL;
	if (player_answer_result(player, ret))
		player_answer(player, " id=%u", alloc.out_ioas_id);
	return player_name(player, words->word[1], ret < 0 ? 0 : alloc.out_ioas_id);
}

static int do_hwpt(struct player *player, struct words *words)
{
	struct iommu_hwpt_alloc alloc = { .size = sizeof(alloc) };
	int ret;

	if (words->count < 2)
		return shunt_fail(-EINVAL, "a name is missing");
	if (player_id(player, words, 2, &alloc.dev_id) ||
		player_id(player, words, 3, &alloc.pt_id) ||
		option32(words, "flags", &alloc.flags) ||
		option32(words, "reserved", &alloc.__reserved) ||
		option32(words, "data-type", &alloc.data_type) ||
		option32(words, "data-length", &alloc.data_len))
		return -EINVAL;
	if (alloc.data_len)
		alloc.data_uptr = (uintptr_t)player->memory;
	if (call(player, words, IOMMU_HWPT_ALLOC, &alloc, sizeof(alloc), &ret))
		return -EINVAL;
	if (player_answer_result(player, ret))
		player_answer(player, " id=%u", alloc.out_hwpt_id);
	return player_name(player, words->word[1], ret < 0 ? 0 : alloc.out_hwpt_id);
}

static int do_destroy(struct player *player, struct words *words)
{
	struct iommu_destroy destroy = { .size = sizeof(destroy) };
	int ret;

	if (player_id(player, words, 1, &destroy.id) ||
		call(player, words, IOMMU_DESTROY, &destroy, sizeof(destroy), &ret))
		return -EINVAL;
	player_answer_result(player, ret);
	return 0;
}

static int read_prot(const struct words *words, unsigned int index, uint32_t *flags)
{
	const char *word = index < words->count ? words->word[index] : "";

	if (strcmp(word, "rw") == 0)
		*flags |= IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE;
	else if (strcmp(word, "r") == 0)
		*flags |= IOMMU_IOAS_MAP_READABLE;
	else if (strcmp(word, "w") == 0)
		*flags |= IOMMU_IOAS_MAP_WRITEABLE;
	else if (strcmp(word, "none") != 0)
		return shunt_fail(-EINVAL, "'%s': r, w, rw or none is wanted", word);
	return 0;
}

static int read_iova(const struct words *words, unsigned int index, uint64_t *iova, uint32_t *flags)
{
	if (index < words->count && strcmp(words->word[index], "any") == 0)
		return 0;
	*flags |= IOMMU_IOAS_MAP_FIXED_IOVA;
	return player_number(words, index, iova);
}

/* page=N counts from the start of the memory, page=none is memory that is not there. */
static int read_memory(struct player *player, struct words *words, uint64_t *va)
{
	const char *page = words_option(words, "page");
	uint64_t number = 0, offset = 0;

	if (page && strcmp(page, "none") == 0)
		*va = PLAYER_HOLE;
	else if (page && (!words_number(page, &number) || number >= PLAYER_PAGES))
		return shunt_fail(-EINVAL, "page=%s: below %u, or none", page, PLAYER_PAGES);
	else
		*va = (uintptr_t)player->memory + number * WORDS_PAGE;
	if (words_option_number(words, "offset", &offset))
		return -EINVAL;
	*va += offset;
	return words_option_number(words, "va", va);
}

static int do_map(struct player *player, struct words *words)
{
	struct iommu_ioas_map map = { .size = sizeof(map) };
	uint64_t iova = 0, length = 0, va = 0;
	uint32_t flags = 0;
	int ret;

	if (player_id(player, words, 1, &map.ioas_id) || read_iova(words, 2, &iova, &flags) ||
		player_number(words, 3, &length) || read_prot(words, 4, &flags) ||
		read_memory(player, words, &va) || option32(words, "reserved", &map.__reserved) ||
		option32(words, "flags", &map.flags))
		return -EINVAL;
	map.flags |= flags;
	map.iova = iova;
	map.length = length;
	map.user_va = va;
	if (call(player, words, IOMMU_IOAS_MAP, &map, sizeof(map), &ret))
		return -EINVAL;
	if (player_answer_result(player, ret))
		player_answer(player, " iova=0x%" PRIx64, (uint64_t)map.iova);
	return 0;
}

static int read_file(struct player *player, struct words *words, int *fd)
{
	const char *names[PLAYER_FILES] = { "memfd", "plain", "pipe" };
	const char *name = words_option(words, "file");

	if (name && strcmp(name, "none") == 0) {
		*fd = -1;
		return 0;
	}
	for (unsigned int i = 0; i < PLAYER_FILES; i++) {
		if (!name || strcmp(name, names[i]) == 0) {
			*fd = player->files[i];
			return 0;
		}
	}
	return shunt_fail(-EINVAL, "file=%s: memfd, plain, pipe or none", name);
}

/* map-file IOAS IOVA|any LENGTH PROT [file=memfd|plain|pipe|none] [start=N] */
static int do_map_file(struct player *player, struct words *words)
{
	struct iommu_ioas_map_file map = { .size = sizeof(map) };
	uint64_t iova = 0, length = 0, start = 0;
	uint32_t flags = 0;
	int ret;

	if (player_id(player, words, 1, &map.ioas_id) || read_iova(words, 2, &iova, &flags) ||
		player_number(words, 3, &length) || read_prot(words, 4, &flags) ||
		read_file(player, words, &map.fd) || words_option_number(words, "start", &start) ||
		option32(words, "flags", &map.flags))
		return -EINVAL;
	map.flags |= flags;
	map.iova = iova;
	map.length = length;
	map.start = start;
	if (call(player, words, IOMMU_IOAS_MAP_FILE, &map, sizeof(map), &ret))
		return -EINVAL;
	if (player_answer_result(player, ret))
		player_answer(player, " iova=0x%" PRIx64, (uint64_t)map.iova);
	return 0;
}

static int do_unmap(struct player *player, struct words *words)
{
	struct iommu_ioas_unmap unmap = { .size = sizeof(unmap) };
	uint64_t iova = 0, length = UINT64_MAX;
	int ret;

	if (player_id(player, words, 1, &unmap.ioas_id))
		return -EINVAL;
	if (words->count != 3 || strcmp(words->word[2], "all") != 0) {
		if (player_number(words, 2, &iova) || player_number(words, 3, &length))
			return -EINVAL;
	}
	unmap.iova = iova;
	unmap.length = length;
	if (call(player, words, IOMMU_IOAS_UNMAP, &unmap, sizeof(unmap), &ret))
		return -EINVAL;
	if (player_answer_result(player, ret))
		player_answer(player, " length=0x%" PRIx64, (uint64_t)unmap.length);
	return 0;
}

static int do_copy(struct player *player, struct words *words)
{
	struct iommu_ioas_copy copy = { .size = sizeof(copy) };
	uint64_t from = 0, to = 0, length = 0;
	uint32_t flags = 0;
	int ret;

	if (player_id(player, words, 1, &copy.src_ioas_id) || player_number(words, 2, &from) ||
		player_number(words, 3, &length) ||
		player_id(player, words, 4, &copy.dst_ioas_id) ||
		read_iova(words, 5, &to, &flags) || read_prot(words, 6, &flags) ||
		option32(words, "flags", &copy.flags))
		return -EINVAL;
	copy.flags |= flags;
	copy.src_iova = from;
	copy.dst_iova = to;
	copy.length = length;
	if (call(player, words, IOMMU_IOAS_COPY, &copy, sizeof(copy), &ret))
		return -EINVAL;
	if (player_answer_result(player, ret))
		player_answer(player, " iova=0x%" PRIx64, (uint64_t)copy.dst_iova);
	return 0;
}

static int do_ranges(struct player *player, struct words *words)
{
	struct iommu_iova_range ranges[RANGES_MAX];
	struct iommu_ioas_iova_ranges query = { .size = sizeof(query) };
	const char *at = words_option(words, "at");
	uint64_t room = RANGES_MAX;
	int ret;

	memset(ranges, 0, sizeof(ranges));
	if (player_id(player, words, 1, &query.ioas_id) ||
		words_option_number(words, "room", &room) ||
		option32(words, "reserved", &query.__reserved))
		return -EINVAL;
	if (room > RANGES_MAX || (at && strcmp(at, "none") != 0))
		return shunt_fail(-EINVAL, "room= at most %u, at=none", RANGES_MAX);
	query.num_iovas = (uint32_t)room;
	query.allowed_iovas = at ? 0 : (uintptr_t)ranges;
	if (call(player, words, IOMMU_IOAS_IOVA_RANGES, &query, sizeof(query), &ret))
		return -EINVAL;
	player_answer_result(player, ret);
	if (ret && ret != -EMSGSIZE)
		return 0;
	player_answer(player, " alignment=0x%" PRIx64 " count=%u",
		(uint64_t)query.out_iova_alignment, query.num_iovas);
	for (uint32_t i = 0; i < query.num_iovas && i < room; i++)
		player_answer(player, " 0x%" PRIx64 "-0x%" PRIx64, (uint64_t)ranges[i].start,
			(uint64_t)ranges[i].last);
	return 0;
}

static int read_range(const char *word, struct iommu_iova_range *range)
{
	char start[WORDS_LINE];
	const char *dash = strchr(word, '-');
	uint64_t first, last;

	if (!dash)
		return shunt_fail(-EINVAL, "'%s': START-LAST is wanted", word);
	snprintf(start, sizeof(start), "%.*s", (int)(dash - word), word);
	if (!words_number(start, &first) || !words_number(dash + 1, &last))
		return shunt_fail(-EINVAL, "'%s': START-LAST is wanted", word);
	range->start = first;
	range->last = last;
	return 0;
}

static int do_allow(struct player *player, struct words *words)
{
	struct iommu_iova_range ranges[RANGES_MAX];
	struct iommu_ioas_allow_iovas allow = { .size = sizeof(allow) };
	const char *at = words_option(words, "at");
	int ret;

	if (player_id(player, words, 1, &allow.ioas_id) ||
		option32(words, "reserved", &allow.__reserved))
		return -EINVAL;
	if (words->count - 2 > RANGES_MAX || (at && strcmp(at, "none") != 0))
		return shunt_fail(-EINVAL, "at most %u ranges, at=none", RANGES_MAX);
	for (unsigned int i = 2; i < words->count; i++) {
		if (read_range(words->word[i], &ranges[i - 2]))
			return -EINVAL;
	}
	allow.num_iovas = words->count - 2;
	allow.allowed_iovas = at ? 0 : (uintptr_t)ranges;
	if (call(player, words, IOMMU_IOAS_ALLOW_IOVAS, &allow, sizeof(allow), &ret))
		return -EINVAL;
	player_answer_result(player, ret);
	return 0;
}

/* option huge-pages|rlimit-mode|NUMBER get|set|NUMBER OBJECT [VALUE] */
static int do_option(struct player *player, struct words *words)
{
	struct iommu_option option = { .size = sizeof(option) };
	const char *what = words->count > 2 ? words->word[1] : "";
	const char *how = words->count > 2 ? words->word[2] : "";
	uint64_t number, value = 0;
	uint64_t reserved = 0;
	int ret;

	if (strcmp(what, "huge-pages") == 0)
		option.option_id = IOMMU_OPTION_HUGE_PAGES;
	else if (strcmp(what, "rlimit-mode") == 0)
		option.option_id = IOMMU_OPTION_RLIMIT_MODE;
	else if (words_number(what, &number))
		option.option_id = (uint32_t)number;
	else
		return shunt_fail(-EINVAL, "huge-pages, rlimit-mode or a number is wanted");
	if (strcmp(how, "get") == 0)
		option.op = IOMMU_OPTION_OP_GET;
	else if (strcmp(how, "set") == 0)
		option.op = IOMMU_OPTION_OP_SET;
	else if (words_number(how, &number))
		option.op = (uint16_t)number;
	else
		return shunt_fail(-EINVAL, "get, set or a number is wanted");
	if (player_id(player, words, 3, &option.object_id) ||
		(words->count > 4 && player_number(words, 4, &value)) ||
		words_option_number(words, "reserved", &reserved))
		return -EINVAL;
	option.__reserved = (uint16_t)reserved;
	option.val64 = value;
	if (call(player, words, IOMMU_OPTION, &option, sizeof(option), &ret))
		return -EINVAL;
	if (player_answer_result(player, ret))
		player_answer(player, " value=%" PRIu64, (uint64_t)option.val64);
	return 0;
}

/* compatibility get|set|clear|NUMBER [IOAS] */
static int do_compatibility(struct player *player, struct words *words)
{
	struct iommu_vfio_ioas request = { .size = sizeof(request) };
	const char *how = words->count > 1 ? words->word[1] : "";
	uint64_t number, reserved = 0;
	int ret;

	if (strcmp(how, "get") == 0)
		request.op = IOMMU_VFIO_IOAS_GET;
	else if (strcmp(how, "set") == 0)
		request.op = IOMMU_VFIO_IOAS_SET;
	else if (strcmp(how, "clear") == 0)
		request.op = IOMMU_VFIO_IOAS_CLEAR;
	else if (words_number(how, &number))
		request.op = (uint16_t)number;
	else
		return shunt_fail(-EINVAL, "get, set, clear or a number is wanted");
	if ((words->count > 2 && player_id(player, words, 2, &request.ioas_id)) ||
		words_option_number(words, "reserved", &reserved))
		return -EINVAL;
	request.__reserved = (uint16_t)reserved;
	if (call(player, words, IOMMU_VFIO_IOAS, &request, sizeof(request), &ret))
		return -EINVAL;
	if (player_answer_result(player, ret) && request.op == IOMMU_VFIO_IOAS_GET)
		player_answer(player, " id=%u", request.ioas_id);
	return 0;
}

player_operation player_iommufd_operation(const char *verb)
{
	static const struct {
		const char *verb;
		player_operation operation;
	} operations[] = {
		{ "iommufd", do_iommufd },
		{ "ioas", do_ioas },
		{ "hwpt", do_hwpt },
		{ "destroy", do_destroy },
		{ "map", do_map },
		{ "map-file", do_map_file },
		{ "unmap", do_unmap },
		{ "copy", do_copy },
		{ "ranges", do_ranges },
		{ "allow", do_allow },
		{ "option", do_option },
		{ "compatibility", do_compatibility },
	};

	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (strcmp(operations[i].verb, verb) == 0)
			return operations[i].operation;
	}
	return NULL;
}
