/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLAYER_H
#define PLAYER_H

#include <stdint.h>

#include <shunt/platform.h>

#include "words.h"

/*
 * The player: does what a line of a script says, by the platform's own calls, and tells the answer
 * in words that are the same for the same behaviour on every platform.
 *
 *   "attach 0 A" --> struct player --> platform->ops->ioctl() of handle 0's descriptor
 *                      |- iommufds 0, 1    descriptor, names of the ids in it
 *                      |- handles 0, 0+, 1, 1+, ...   open VFIO devices: descriptor, last id
 *                      `- memory           what `map` maps, the same for all players
 *
 * Nothing is hidden from the script: wrong ids, sizes and pointers reach the platform as written.
 */

#define PLAYER_PORTS    4
#define PLAYER_IOMMUFDS 2
#define PLAYER_NAMES    64
#define PLAYER_NAME     16
#define PLAYER_ANSWER   1024
#define PLAYER_PAGES    512u /* of memory; it begins at a multiple of its size */
#define PLAYER_FILES    3
#define PLAYER_HOLE     0x1000 /* an address below those that a process can map */

/** A name given to an id when its object was made. */
struct player_name {
	char name[PLAYER_NAME];
	unsigned int iommufd;
	uint32_t id; /**< 0: could not be made */
};

/** An open VFIO device. */
struct player_handle {
	int fd;      /**< -1: closed */
	uint32_t id; /**< of its last bind; 0: none */
};

/** Files to map, each of PLAYER_PAGES pages. */
enum player_file {
	PLAYER_MEMFD, /**< can be pinned */
	PLAYER_PLAIN, /**< of a disk */
	PLAYER_PIPE,  /**< no memory at all */
};

/** A player and what it has open. Used by one thread. */
struct player {
	struct shunt_platform *platform;
	char cdevs[PLAYER_PORTS][64];
	unsigned int ports;
	uint8_t *memory;
	uint8_t *argument;       /**< two pages and a third that can be taken away */
	int files[PLAYER_FILES]; /**< what `map-file` maps, enum player_file */

	int iommufds[PLAYER_IOMMUFDS]; /**< -1: closed */
	unsigned int iommufd;          /**< the one that operations mean */
	struct player_handle handles[PLAYER_PORTS][2];
	struct player_name names[PLAYER_NAMES];
	unsigned int name_count;
	char answer[PLAYER_ANSWER];
};

/**
 * Makes a player with everything closed.
 *
 * @param ports   addresses of PCI functions, "0000:03:00.0,0000:04:00.0", in the order in which
 *                scripts number them
 * @param memory  PLAYER_PAGES pages; stays the caller's
 * @return 0, -EINVAL, -ENODEV, -ENOMEM
 */
int player_create(struct shunt_platform *platform, const char *ports, uint8_t *memory,
	struct player **player);

/** Closes everything and frees the player. NULL is allowed. */
void player_destroy(struct player *player);

/** Opens an iommufd and all devices, for a new script. @return 0, -errno */
int player_begin(struct player *player);

/** Closes everything. */
void player_end(struct player *player);

/**
 * Plays one line; `player->answer` has the answer then.
 *
 * @return 0 whatever the answer; -EINVAL the line is not in the language
 */
int player_play(struct player *player, const char *line);

/* ---- for the operations (player_iommufd.c, player_domain.c, player_vfio.c) ---- */

/** An operation: reads its words, makes its call, answers. @return 0, -EINVAL bad line */
typedef int (*player_operation)(struct player *player, struct words *words);

player_operation player_iommufd_operation(const char *verb);
player_operation player_domain_operation(const char *verb);
player_operation player_vfio_operation(const char *verb);

/** Adds to the answer. */
void player_answer(struct player *player, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** Answers with 0 or the name of an errno. @return whether the call was one that worked */
bool player_answer_result(struct player *player, int ret);

/**
 * Makes a call with a structure whose first member is its size. Options bend how it is handed
 * over: size=N or argsz=N says another size, tail=N puts a byte that is not zero N bytes behind the
 * structure, arg=none hands over no memory, arg=edge memory that ends with the structure.
 *
 * @param[out] result  what the platform answered; the structure is updated
 * @return 0, -EINVAL bad line
 */
int player_call(struct player *player, struct words *words, int fd, unsigned long request,
	void *structure, uint32_t length, int *result);

/** Reads word `index`: a name, #ID, or a handle, @0 or 0, for its id. @return 0, -EINVAL bad line
 */
int player_id(struct player *player, const struct words *words, unsigned int index, uint32_t *id);

/** Reads word `index`: a handle, "0" or "0+". @return 0, -EINVAL bad line */
int player_handle(struct player *player, const struct words *words, unsigned int index,
	struct player_handle **handle);

/** Reads word `index`: a number. @return 0, -EINVAL bad line */
int player_number(const struct words *words, unsigned int index, uint64_t *value);

/** Gives an id a name. @return 0, -EINVAL too many, too long */
int player_name(struct player *player, const char *name, uint32_t id);

#endif
