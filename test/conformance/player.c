/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <shunt/error.h>
#include <shunt/pci.h>

#include "player.h"

#define ARGUMENT_PAGES 2

/* A file of a disk is one whose pages nobody can pin by its descriptor: this program's. */
static int open_files(struct player *player)
{
	int ends[2];

	for (unsigned int i = 0; i < PLAYER_FILES; i++)
		player->files[i] = -1;
	player->files[PLAYER_MEMFD] = memfd_create("player", MFD_CLOEXEC);
	player->files[PLAYER_PLAIN] = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (pipe2(ends, O_CLOEXEC) == 0) {
		player->files[PLAYER_PIPE] = ends[0];
		close(ends[1]);
	}
	if (player->files[PLAYER_MEMFD] < 0 || player->files[PLAYER_PLAIN] < 0 ||
		player->files[PLAYER_PIPE] < 0 ||
		ftruncate(player->files[PLAYER_MEMFD], (off_t)(PLAYER_PAGES * WORDS_PAGE)))
		return shunt_fail_errno(-errno, "files to map");
	return 0;
}

static int find_cdevs(struct player *player, const char *ports)
{
	struct shunt_pci_list list;
	char *copy = strdup(ports);
	char *rest = NULL;
	int ret;

	if (!copy)
		return shunt_fail(-ENOMEM, "out of memory");
	ret = shunt_pci_scan(player->platform, &list);
	if (ret)
		goto no_list;
	for (char *port = strtok_r(copy, ",", &rest); port && !ret;
		port = strtok_r(NULL, ",", &rest)) {
		const struct shunt_pci_function *function;

		if (player->ports == PLAYER_PORTS) {
			ret = shunt_fail(-EINVAL, "--ports: at most %u", PLAYER_PORTS);
			break;
		}
		ret = shunt_pci_find(&list, port, &function);
		if (!ret)
			ret = shunt_pci_usable(&list, function);
		if (!ret)
			snprintf(player->cdevs[player->ports++], sizeof(player->cdevs[0]), "%s",
				function->cdev);
	}
	shunt_pci_list_free(&list);
no_list:
	free(copy);
	return ret;
}

int player_create(
	struct shunt_platform *platform, const char *ports, uint8_t *memory, struct player **player)
{
	struct player *created = calloc(1, sizeof(*created));
	int ret;

	if (!created)
		return shunt_fail(-ENOMEM, "out of memory");
	created->platform = platform;
	created->memory = memory;
	for (unsigned int i = 0; i < PLAYER_IOMMUFDS; i++)
		created->iommufds[i] = -1;
	for (unsigned int i = 0; i < PLAYER_PORTS; i++)
		created->handles[i][0].fd = created->handles[i][1].fd = -1;
	created->argument = mmap(NULL, (ARGUMENT_PAGES + 1) * WORDS_PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (created->argument == MAP_FAILED) {
		free(created);
		return shunt_fail(-ENOMEM, "out of memory");
	}
	ret = open_files(created);
	if (!ret)
		ret = find_cdevs(created, ports);
	if (ret) {
		player_destroy(created);
		return ret;
	}
	*player = created;
	return 0;
}

void player_destroy(struct player *player)
{
	if (!player)
		return;
	player_end(player);
	munmap(player->argument, (ARGUMENT_PAGES + 1) * WORDS_PAGE);
	for (unsigned int i = 0; i < PLAYER_FILES; i++) {
		if (player->files[i] >= 0)
			close(player->files[i]);
	}
	free(player);
}

int player_begin(struct player *player)
{
	struct shunt_platform *platform = player->platform;

	int fd = platform->ops->open(platform, "/dev/iommu");

	if (fd < 0)
		return shunt_fail_errno(fd, "open /dev/iommu");
	player->iommufds[0] = fd;
	for (unsigned int i = 0; i < player->ports; i++) {
		struct player_handle *handle = &player->handles[i][0];

		handle->fd = platform->ops->open(platform, player->cdevs[i]);
		if (handle->fd < 0) {
			int ret = shunt_fail_errno(handle->fd, "open %s", player->cdevs[i]);

			handle->fd = -1;
			player_end(player);
			return ret;
		}
	}
	return 0;
}

struct closing {
	struct shunt_platform *platform;
	int fd;
};

static void *close_descriptor(void *context)
{
	const struct closing *closing = context;

	closing->platform->ops->close(closing->platform, closing->fd);
	return NULL;
}

/* The kernel resets a device when it is closed and sleeps meanwhile: all of them at once. */
void player_end(struct player *player)
{
	struct shunt_platform *platform = player->platform;
	struct closing closing[PLAYER_PORTS][2];
	pthread_t threads[PLAYER_PORTS][2];
	bool started[PLAYER_PORTS][2] = { { false, false } };

	for (unsigned int i = 0; i < 2 * player->ports; i++) {
		struct player_handle *handle = &player->handles[i / 2][i % 2];
		struct closing *one = &closing[i / 2][i % 2];

		if (handle->fd < 0)
			continue;
		*one = (struct closing){ platform, handle->fd };
		started[i / 2][i % 2] =
			pthread_create(&threads[i / 2][i % 2], NULL, close_descriptor, one) == 0;
		if (!started[i / 2][i % 2])
			close_descriptor(one);
	}
	for (unsigned int i = 0; i < 2 * player->ports; i++) {
		if (started[i / 2][i % 2])
			pthread_join(threads[i / 2][i % 2], NULL);
		player->handles[i / 2][i % 2] = (struct player_handle){ -1, 0 };
	}
	for (unsigned int i = 0; i < PLAYER_IOMMUFDS; i++) {
		if (player->iommufds[i] >= 0)
			platform->ops->close(platform, player->iommufds[i]);
		player->iommufds[i] = -1;
	}
	player->iommufd = 0;
	player->name_count = 0;
}

void player_answer(struct player *player, const char *format, ...)
{
	size_t used = strlen(player->answer);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(player->answer + used, sizeof(player->answer) - used, format, arguments);
	va_end(arguments);
}

bool player_answer_result(struct player *player, int ret)
{
	const char *name = ret < 0 ? strerrorname_np(-ret) : "0";

	if (name)
		player_answer(player, "%s", name);
	else
		player_answer(player, "errno %d", -ret);
	return ret >= 0;
}

/* Takes the page behind the argument away, or puts it back. */
static int cut_edge(struct player *player, bool cut)
{
	uint8_t *edge = player->argument + ARGUMENT_PAGES * WORDS_PAGE;

	if (cut)
		return munmap(edge, WORDS_PAGE);
	return mmap(edge, WORDS_PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == edge
		       ? 0
		       : -1;
}

int player_call(struct player *player, struct words *words, int fd, unsigned long request,
	void *structure, uint32_t length, int *result)
{
	const char *where = words_option(words, "arg");
	bool edge = where && strcmp(where, "edge") == 0;
	bool none = where && strcmp(where, "none") == 0;
	uint8_t *at = player->argument;
	uint64_t size = length, tail = UINT64_MAX;
	uint32_t said;

	if (words_option_number(words, "size", &size) ||
		words_option_number(words, "argsz", &size) ||
		words_option_number(words, "tail", &tail))
		return -EINVAL;
	if (words_unused(words))
		return shunt_fail(-EINVAL, "option %s= means nothing here", words_unused(words));
	if ((where && !edge && !none) || (tail != UINT64_MAX && tail >= WORDS_PAGE))
		return shunt_fail(-EINVAL, "arg= is none or edge, tail= less than a page");

	memset(player->argument, 0, (ARGUMENT_PAGES + 1) * WORDS_PAGE);
	if (edge)
		at += ARGUMENT_PAGES * WORDS_PAGE - length;
	memcpy(at, structure, length);
	said = (uint32_t)size;
	memcpy(at, &said, sizeof(said));
	if (tail != UINT64_MAX)
		at[length + tail] = 0x5a;
	if (edge && cut_edge(player, true))
		return shunt_fail(-EINVAL, "no memory with an edge");
	*result = player->platform->ops->ioctl(player->platform, fd, request, none ? NULL : at);
	if (edge && cut_edge(player, false))
		return shunt_fail(-EINVAL, "the page behind the edge was taken");
	memcpy(structure, at, length);
	return 0;
}

int player_id(struct player *player, const struct words *words, unsigned int index, uint32_t *id)
{
	const char *word = index < words->count ? words->word[index] : NULL;
	uint64_t number;

	if (!word)
		return shunt_fail(-EINVAL, "an object is missing");
	if (*word == '#') {
		if (!words_number(word + 1, &number) || number > UINT32_MAX)
			return shunt_fail(-EINVAL, "'%s' is no id", word);
		*id = (uint32_t)number;
		return 0;
	}
	if (*word == '@' || (*word >= '0' && *word <= '9')) {
		struct player_handle *handle;
		struct words alone = { .word = { word + (*word == '@') }, .count = 1 };

		if (player_handle(player, &alone, 0, &handle))
			return -EINVAL;
		*id = handle->id;
		return 0;
	}
	*id = 0;
	for (unsigned int i = 0; i < player->name_count; i++) {
		const struct player_name *name = &player->names[i];

		if (name->iommufd == player->iommufd && strcmp(name->name, word) == 0)
			*id = name->id;
	}
	return 0;
}

int player_handle(struct player *player, const struct words *words, unsigned int index,
	struct player_handle **handle)
{
	const char *word = index < words->count ? words->word[index] : "";
	unsigned int port = (unsigned int)(*word - '0');
	bool second = *word && word[1] == '+';

	if (port >= player->ports || word[second ? 2 : 1])
		return shunt_fail(-EINVAL, "'%s' is no device: 0 to %u, a second one 0+", word,
			player->ports - 1);
	*handle = &player->handles[port][second];
	return 0;
}

int player_number(const struct words *words, unsigned int index, uint64_t *value)
{
	if (index >= words->count || !words_number(words->word[index], value))
		return shunt_fail(-EINVAL, "a number is wanted as word %u", index + 1);
	return 0;
}

int player_name(struct player *player, const char *name, uint32_t id)
{
	struct player_name *slot = NULL;

	for (unsigned int i = 0; i < player->name_count; i++) {
		if (player->names[i].iommufd == player->iommufd &&
			strcmp(player->names[i].name, name) == 0)
			slot = &player->names[i];
	}
	if (!slot) {
		if (player->name_count == PLAYER_NAMES || strlen(name) >= PLAYER_NAME)
			return shunt_fail(-EINVAL, "too many names, or too long a one: %s", name);
		slot = &player->names[player->name_count++];
		snprintf(slot->name, sizeof(slot->name), "%s", name);
		slot->iommufd = player->iommufd;
	}
	slot->id = id;
	return 0;
}

int player_play(struct player *player, const char *line)
{
	player_operation operation = NULL;
	struct words words;

	player->answer[0] = '\0';
	if (words_split(line, &words))
		return -EINVAL;
	if (words.count)
		operation = player_iommufd_operation(words.word[0]);
	if (words.count && !operation)
		operation = player_domain_operation(words.word[0]);
	if (words.count && !operation)
		operation = player_vfio_operation(words.word[0]);
	if (!operation)
		return shunt_fail(-EINVAL, "'%s': no such operation", line);
	if (operation(player, &words))
		return shunt_fail_while(-EINVAL, "'%s'", line);
	return 0;
}
