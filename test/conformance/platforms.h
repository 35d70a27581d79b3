/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLATFORMS_H
#define PLATFORMS_H

#include "player.h"

/*
 * The platforms that can be compared, by the names of the command line, and the memory that scripts
 * map, which is the same for all of them: what an address is aligned to decides which IOVA is
 * chosen for it.
 */

#define PLATFORMS_PORTS "0000:03:00.0,0000:04:00.0,0000:05:00.0"

/**
 * Makes a platform: "sim", "sim-7" (which has what came after 6.12) or "kernel".
 *
 * @return 0, -EINVAL, -errno
 */
int platforms_create(const char *name, struct shunt_platform **platform);

/** Release whose answers a platform of that name gives: the running kernel's, "7"; NULL: "sim"'s.
 */
const char *platforms_release(const char *name);

/** Memory for players, PLAYER_PAGES pages. @return NULL: out of memory */
uint8_t *platforms_memory(void);

#endif
