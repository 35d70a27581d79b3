/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>

#include <shunt/error.h>

#include "forward.h"
#include "rte_net_shunt.h"
#include "text.h"

#define SECOND_SPACE "b"
#define TESTER_SPACE "tester"
#define GIB          (double)(1 << 30)

/* Memory of an earlier --map that covers the range: spaces may share it. */
static void *earlier_memory(const struct forward_ports *ports, const struct forward_map *map)
{
	for (unsigned int i = 0; i < ports->arena_count; i++) {
		const struct forward_map *earlier = ports->arenas[i].map;
		uint64_t skip = map->iova - earlier->iova;

		if (map->iova >= earlier->iova && skip <= earlier->length &&
			map->length <= earlier->length - skip)
			return (char *)ports->arenas[i].arena.addr + skip;
	}
	return NULL;
}

/* More than the available memory would swap, or end other processes. */
static int check_memory(const struct forward_config *config, const struct forward_map *map)
{
	uint64_t available = forward_memory_available();

	if (available && map->length > available)
		return shunt_fail(-ENOMEM, "%.1f GiB: this machine has %.1f GiB available",
			(double)map->length / GIB, (double)available / GIB);
	forward_view_memory(config->text, "--map", map->length, text_of("space '%s'", map->space));
	return 0;
}

static int make_memory(const struct forward_config *config, struct forward_ports *ports,
	const struct forward_map *map, void **memory)
{
	struct shunt_arena *arena = &ports->arenas[ports->arena_count].arena;
	int ret;

	*memory = earlier_memory(ports, map);
	if (*memory)
		return 0;
	ret = check_memory(config, map);
	if (ret)
		return ret;
	ret = shunt_arena_create(
		map->length, config->hugepages ? SHUNT_ARENA_ANY : SHUNT_ARENA_PLAIN, arena);
	if (ret)
		return ret;
	ports->arenas[ports->arena_count++].map = map;
	*memory = arena->addr;
	return 0;
}

static int make_map(const struct forward_config *config, struct forward_ports *ports,
	const struct forward_map *map)
{
	struct shunt_space *space = shunt_space_find(rte_net_shunt_spaces(), map->space);
	void *memory;
	int ret;

	if (!space)
		return shunt_fail(-ENOENT, "--map: no space '%s', only '%s' and '%s'", map->space,
			RTE_NET_SHUNT_FIRST_SPACE, SECOND_SPACE);
	ret = make_memory(config, ports, map, &memory);
	if (!ret)
		ret = shunt_space_map_own(space, memory, map->length, map->iova, SHUNT_DMA_BOTH);
	return ret ? shunt_fail_while(ret, "--map") : 0;
}

/* The tester leaves the spaces under test, because a restart unmaps their contents. */
static int move_tester(const struct forward_ports *ports)
{
	struct shunt_switch_result result;
	struct shunt_group *group;
	struct shunt_space *space;
	int ret;

	if (!ports->tester.present)
		return 0;
	ret = shunt_space_create(rte_net_shunt_spaces(), TESTER_SPACE, &space);
	if (!ret)
		ret = rte_net_shunt_group(ports->tester.id, &group);
	if (!ret)
		ret = shunt_group_switch(group, space, SHUNT_PLAN_RESTART, &result);
	return ret ? shunt_fail_while(ret, "the tester's own space") : 0;
}

int forward_spaces_make(const struct forward_config *config, struct forward_ports *ports)
{
	struct shunt_spaces *spaces = rte_net_shunt_spaces();
	int ret;

	ports->spaces[0] = shunt_space_find(spaces, RTE_NET_SHUNT_FIRST_SPACE);
	ret = shunt_space_create(spaces, SECOND_SPACE, &ports->spaces[1]);
	if (!ret)
		ret = shunt_group_prepare(ports->group, ports->spaces[1]);
	if (!ret)
		ret = move_tester(ports);
	for (unsigned int i = 0; i < config->options->map_count && !ret; i++)
		ret = make_map(config, ports, &config->options->maps[i]);
	return ret;
}

struct shunt_space *forward_spaces_next(const struct forward_ports *ports)
{
	return ports->spaces[shunt_group_space(ports->group) == ports->spaces[0]];
}

void forward_spaces_free(struct forward_ports *ports)
{
	while (ports->arena_count)
		shunt_arena_destroy(&ports->arenas[--ports->arena_count].arena);
}
