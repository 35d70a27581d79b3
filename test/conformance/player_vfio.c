/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include <linux/vfio.h>

#include <shunt/error.h>

#include "player.h"

#define NO_DESCRIPTOR 9999 /* above what a test opens */

static int do_open(struct player *player, struct words *words)
{
	struct player_handle *handle;
	struct shunt_platform *platform = player->platform;
	int fd;

	if (player_handle(player, words, 1, &handle))
		return -EINVAL;
	if (handle->fd >= 0)
		return shunt_fail(-EINVAL, "%s is open", words->word[1]);
	fd = platform->ops->open(platform, player->cdevs[words->word[1][0] - '0']);
	if (player_answer_result(player, fd < 0 ? fd : 0))
		*handle = (struct player_handle){ fd, 0 };
	return 0;
}

static int do_close(struct player *player, struct words *words)
{
	struct player_handle *handle;
	int fd;

	if (player_handle(player, words, 1, &handle))
		return -EINVAL;
	/* The id stays, to be named after its object is gone. */
	fd = handle->fd;
	handle->fd = -1;
	player_answer_result(player, player->platform->ops->close(player->platform, fd));
	return 0;
}

/* What is handed over as the iommufd: the one in use, or something that is none. */
static int iommufd_option(
	struct player *player, struct words *words, const struct player_handle *handle, int32_t *fd)
{
	const char *text = words_option(words, "iommufd");
	uint64_t number;

	*fd = player->iommufds[player->iommufd];
	if (!text)
		return 0;
	if (strcmp(text, "device") == 0) {
		*fd = handle->fd;
	} else if (strcmp(text, "none") == 0) {
		*fd = -1;
	} else if (strcmp(text, "closed") == 0) {
		*fd = NO_DESCRIPTOR;
	} else if (words_number(text, &number) && number < PLAYER_IOMMUFDS) {
		*fd = player->iommufds[number];
	} else {
		return shunt_fail(-EINVAL, "iommufd= is device, none, closed or 0 to %u",
			PLAYER_IOMMUFDS - 1);
	}
	return 0;
}

static int do_bind(struct player *player, struct words *words)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	struct player_handle *handle;
	uint64_t flags = 0;
	int ret;

	if (player_handle(player, words, 1, &handle) ||
		iommufd_option(player, words, handle, &bind.iommufd) ||
		words_option_number(words, "flags", &flags))
		return -EINVAL;
	bind.flags = (uint32_t)flags;
	if (player_call(
		    player, words, handle->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind, sizeof(bind), &ret))
		return -EINVAL;
	if (player_answer_result(player, ret)) {
		handle->id = bind.out_devid;
		player_answer(player, " id=%u", bind.out_devid);
	}
	return 0;
}

static int do_attach(struct player *player, struct words *words)
{
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
	struct player_handle *handle;
	uint64_t flags = 0;
	int ret;

	if (player_handle(player, words, 1, &handle) ||
		player_id(player, words, 2, &attach.pt_id) ||
		words_option_number(words, "flags", &flags))
		return -EINVAL;
	attach.flags = (uint32_t)flags;
	if (player_call(player, words, handle->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach,
		    offsetof(struct vfio_device_attach_iommufd_pt, pt_id) + sizeof(attach.pt_id),
		    &ret))
		return -EINVAL;
	if (player_answer_result(player, ret))
		player_answer(player, " pt=%u", attach.pt_id);
	return 0;
}

static int do_detach(struct player *player, struct words *words)
{
	struct vfio_device_detach_iommufd_pt detach = { .argsz = sizeof(detach) };
	struct player_handle *handle;
	uint64_t flags = 0;
	int ret;

	if (player_handle(player, words, 1, &handle) || words_option_number(words, "flags", &flags))
		return -EINVAL;
	detach.flags = (uint32_t)flags;
	if (player_call(player, words, handle->fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach,
		    offsetof(struct vfio_device_detach_iommufd_pt, flags) + sizeof(detach.flags),
		    &ret))
		return -EINVAL;
	player_answer_result(player, ret);
	return 0;
}

/* A request number that VFIO devices do not know. */
static int do_unknown(struct player *player, struct words *words)
{
	uint32_t nothing[4] = { sizeof(nothing) };
	struct player_handle *handle;
	uint64_t number;
	int ret;

	if (player_handle(player, words, 1, &handle) || player_number(words, 2, &number))
		return -EINVAL;
	if (player_call(player, words, handle->fd, _IO(VFIO_TYPE, VFIO_BASE + number), nothing,
		    sizeof(nothing), &ret))
		return -EINVAL;
	player_answer_result(player, ret);
	return 0;
}

player_operation player_vfio_operation(const char *verb)
{
	static const struct {
		const char *verb;
		player_operation operation;
	} operations[] = {
		{ "open", do_open },
		{ "close", do_close },
		{ "bind", do_bind },
		{ "attach", do_attach },
		{ "detach", do_detach },
		{ "device-request", do_unknown },
	};

	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (strcmp(operations[i].verb, verb) == 0)
			return operations[i].operation;
	}
	return NULL;
}
