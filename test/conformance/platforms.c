/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>

#include <shunt/error.h>
#include <shunt/sim.h>

#include "platforms.h"

#define SIM_7 "sim-7"

int platforms_create(const char *name, struct shunt_platform **platform)
{
	struct shunt_sim_config config = { .groups = 1, .ports = 3 };

	if (strcmp(name, "kernel") == 0)
		return shunt_platform_kernel(platform);
	config.map_file = strcmp(name, SIM_7) == 0;
	if (strcmp(name, "sim") == 0 || config.map_file)
		return shunt_sim_create(&config, platform);
	return shunt_fail(-EINVAL, "unknown platform '%s': sim, " SIM_7 " or kernel", name);
}

const char *platforms_release(const char *name)
{
	static struct utsname kernel;

	if (strcmp(name, SIM_7) == 0)
		return "7";
	if (strcmp(name, "kernel") != 0 || uname(&kernel))
		return NULL;
	return kernel.release;
}

uint8_t *platforms_memory(void)
{
	const size_t size = PLAYER_PAGES * WORDS_PAGE;
	uint8_t *room =
		mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t at;

	if (room == MAP_FAILED)
		return NULL;
	at = ((uintptr_t)room + size - 1) & ~(uintptr_t)(size - 1);
	return room + (at - (uintptr_t)room);
}
