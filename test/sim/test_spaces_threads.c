/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Four threads at random on the same spaces: one joins and leaves, one switches, one restarts
 * another group, one makes, maps and destroys. Whatever the order, an error is one of those that
 * the headers name, and at the end nothing is left. Under the sanitizers it is also a test for
 * races and for use after free.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <shunt/error.h>
#include <shunt/group.h>
#include <shunt/sim.h>
#include <shunt/space.h>

#define ROUNDS 300 /* of each thread */
#define SEEDS  4
#define GROUPS 2
#define PORTS  2 /* of each group */
#define ACTORS 4
#define PAGE   0x1000ull

static struct {
	struct shunt_platform *sim;
	struct shunt_iommufd iommufd;
	struct shunt_spaces *spaces;
	struct shunt_arena arena;
	struct shunt_group *groups[GROUPS];
	struct shunt_vfio_device devices[GROUPS][PORTS];
	pthread_barrier_t begin;
} all;

struct actor {
	unsigned int seed;
	unsigned int done; /* rounds that did what they wanted */
	const char *own;   /* a space that nobody else goes to: what succeeds at times, whatever
			      others do */
	char wrong[600];
};

static const char *const own_spaces[ACTORS] = { "of-0", "of-1", "of-2", "of-3" };

static int nothing(void *port)
{
	return 0;
}

static const struct shunt_port_ops ops = {
	.pause = nothing, .drain = nothing, .resume = nothing, .stop = nothing, .start = nothing
};

/* "home" and the actor's own are always there; the others come and go. */
static struct shunt_space *any_space(struct actor *actor)
{
	const char *const names[] = { "home", "b", "c", "d", actor->own };

	return shunt_space_get(all.spaces, names[(unsigned)rand_r(&actor->seed) % 5]);
}

static void expect(struct actor *actor, const char *what, int ret, int allowed, int allowed_too)
{
	if (!ret)
		actor->done++;
	else if (ret != allowed && ret != allowed_too && !actor->wrong[0])
		snprintf(actor->wrong, sizeof(actor->wrong), "%s: %d: %s", what, ret,
			shunt_errmsg());
}

static void *join_and_leave(void *arg)
{
	struct actor *actor = arg;

	pthread_barrier_wait(&all.begin);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		unsigned int group = (unsigned)rand_r(&actor->seed) % GROUPS;
		struct shunt_vfio_device *device = &all.devices[group][1];
		struct shunt_space *space = any_space(actor);

		expect(actor, "leave", shunt_group_leave(all.groups[group], device), 0, 0);
		if (!space)
			space = shunt_space_get(all.spaces, "home");
		expect(actor, "join",
			shunt_group_join(all.groups[group], device, "", &ops, NULL, space), 0, 0);
		shunt_space_put(space);
	}
	return NULL;
}

static void switch_to_any(struct actor *actor, unsigned int group, enum shunt_plan plan)
{
	struct shunt_space *space = any_space(actor);
	struct shunt_switch_result result;

	if (!space)
		return;
	expect(actor, shunt_plan_name(plan),
		shunt_group_switch(all.groups[group], space, plan, &result), -EALREADY, -EBUSY);
	shunt_space_put(space);
}

static void *switch_group(void *arg)
{
	struct actor *actor = arg;

	pthread_barrier_wait(&all.begin);
	for (unsigned int i = 0; i < ROUNDS; i++)
		switch_to_any(actor, 0,
			rand_r(&actor->seed) % 2 ? SHUNT_PLAN_QUIESCE : SHUNT_PLAN_REPLACE);
	return NULL;
}

static void *restart_other(void *arg)
{
	struct actor *actor = arg;

	pthread_barrier_wait(&all.begin);
	for (unsigned int i = 0; i < ROUNDS; i++)
		switch_to_any(actor, 1, SHUNT_PLAN_RESTART);
	return NULL;
}

/* The only thread that destroys: what it finds stays until then. */
static void *make_and_destroy(void *arg)
{
	static const char *const names[] = { "b", "c", "d" };
	struct actor *actor = arg;

	pthread_barrier_wait(&all.begin);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		const char *name = names[(unsigned)rand_r(&actor->seed) % 3];
		struct shunt_space *space = shunt_space_find(all.spaces, name);
		uint64_t iova = (1 + (uint64_t)rand_r(&actor->seed) % 8) * PAGE;

		if (space)
			expect(actor, "destroy", shunt_space_destroy(space), -EBUSY, 0);
		else
			expect(actor, "create", shunt_space_create(all.spaces, name, &space), 0, 0);
		if (rand_r(&actor->seed) % 2)
			expect(actor, "map",
				shunt_spaces_map(
					all.spaces, all.arena.addr, PAGE, iova, SHUNT_DMA_BOTH),
				-EEXIST, 0);
		else
			expect(actor, "unmap", shunt_spaces_unmap(all.spaces, iova, PAGE), -ENOENT,
				0);
	}
	return NULL;
}

static void open_all(void)
{
	const struct shunt_sim_config config = { .groups = GROUPS, .ports = PORTS };
	struct shunt_space *home, *own;

	assert_int_equal(shunt_sim_create(&config, &all.sim), 0);
	assert_int_equal(shunt_iommufd_open(all.sim, &all.iommufd), 0);
	assert_int_equal(shunt_arena_create(1 << 20, SHUNT_ARENA_PLAIN, &all.arena), 0);
	assert_int_equal(shunt_spaces_create(&all.iommufd, &all.spaces), 0);
	assert_int_equal(shunt_space_create(all.spaces, "home", &home), 0);
	for (unsigned int i = 0; i < ACTORS; i++)
		assert_int_equal(shunt_space_create(all.spaces, own_spaces[i], &own), 0);
	for (unsigned int i = 0; i < GROUPS * PORTS; i++) {
		struct shunt_vfio_device *device = &all.devices[i / PORTS][i % PORTS];
		char cdev[64], function[16];

		if (i % PORTS == 0)
			assert_int_equal(
				shunt_group_create(10 + (int)i, &all.groups[i / PORTS]), 0);
		snprintf(cdev, sizeof(cdev), "/dev/vfio/devices/vfio%u", i);
		snprintf(function, sizeof(function), "0000:%02x:00.0",
			0x10 * (i / PORTS) + 3 + i % PORTS);
		assert_int_equal(shunt_vfio_open(&all.iommufd, cdev, function, device), 0);
		assert_int_equal(
			shunt_group_join(all.groups[i / PORTS], device, "", &ops, NULL, home), 0);
	}
}

static void close_all(void)
{
	struct shunt_sim_objects objects;

	for (unsigned int i = 0; i < GROUPS * PORTS; i++) {
		struct shunt_vfio_device *device = &all.devices[i / PORTS][i % PORTS];

		assert_int_equal(shunt_group_leave(all.groups[i / PORTS], device), 0);
		assert_int_equal(shunt_vfio_close(device), 0);
	}
	for (unsigned int i = 0; i < GROUPS; i++)
		assert_int_equal(shunt_group_destroy(all.groups[i]), 0);
	shunt_sim_objects(all.sim, &objects);
	assert_int_equal(objects.hwpt, 0);
	assert_int_equal(shunt_spaces_destroy(all.spaces), 0);
	shunt_sim_objects(all.sim, &objects);
	assert_int_equal(objects.ioas, 0);
	assert_int_equal(objects.mappings, 0);
	assert_int_equal(shunt_iommufd_close(&all.iommufd), 0);
	shunt_platform_destroy(all.sim);
	shunt_arena_destroy(&all.arena);
}

static void no_order_of_calls_uses_freed_objects(void **state)
{
	void *(*const acts[])(
		void *) = { join_and_leave, switch_group, restart_other, make_and_destroy };
	struct actor actors[ACTORS];
	pthread_t threads[ACTORS];

	for (unsigned int seed = 1; seed <= SEEDS; seed++) {
		open_all();
		pthread_barrier_init(&all.begin, NULL, ACTORS);
		for (unsigned int i = 0; i < ACTORS; i++) {
			actors[i] =
				(struct actor){ .seed = seed * ACTORS + i, .own = own_spaces[i] };
			assert_int_equal(pthread_create(&threads[i], NULL, acts[i], &actors[i]), 0);
		}
		for (unsigned int i = 0; i < ACTORS; i++)
			pthread_join(threads[i], NULL);
		pthread_barrier_destroy(&all.begin);
		for (unsigned int i = 0; i < ACTORS; i++) {
			if (actors[i].wrong[0])
				fail_msg("seed %u: %s", seed, actors[i].wrong);
			assert_true(actors[i].done > 0);
		}
		close_all();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_order_of_calls_uses_freed_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
