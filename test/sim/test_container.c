/* SPDX-License-Identifier: BSD-3-Clause */
/* A container on the software platform: what it opens, and its close at any point. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <shunt/container.h>
#include <shunt/error.h>
#include <shunt/sim.h>

/* Callers were built with these: what is added takes the place of reserved fields. */
#if __SIZEOF_POINTER__ == 8
_Static_assert(sizeof(struct shunt_port_ops) == 112, "size of a public structure");
_Static_assert(sizeof(struct shunt_switch_member) == 192, "size of a public structure");
_Static_assert(sizeof(struct shunt_switch_result) == 7776, "size of a public structure");
_Static_assert(sizeof(struct shunt_group_history) == 7824, "size of a public structure");
_Static_assert(sizeof(struct shunt_member_info) == 176, "size of a public structure");
#endif

static struct shunt_container *opened(struct shunt_platform **platform)
{
	const struct shunt_sim_config config = { .groups = 2, .ports = 2 };
	struct shunt_container *container;

	assert_int_equal(shunt_sim_create(&config, platform), 0);
	assert_int_equal(shunt_container_open(*platform, &container), 0);
	return container;
}

static struct shunt_group *joined(struct shunt_container *container, const char *function,
	struct shunt_space *space, struct shunt_vfio_device **device)
{
	struct shunt_group *group;

	assert_int_equal(shunt_container_device(container, function, device, &group), 0);
	assert_int_equal(shunt_group_join(group, *device, "none", NULL, NULL, space), 0);
	return group;
}

static void devices_of_a_group_share_it(void **state)
{
	struct shunt_vfio_device *device;
	struct shunt_platform *platform;
	struct shunt_container *container = opened(&platform);
	struct shunt_sim_objects objects;
	struct shunt_switch_result result;
	struct shunt_space *a, *b;
	struct shunt_group *group;
	void *memory;

	assert_int_equal(shunt_space_create(shunt_container_spaces(container), "a", &a), 0);
	assert_int_equal(shunt_container_memory(container, 1, &memory), 0);
	memset(memory, 1, 4096);
	assert_int_equal(shunt_space_create(shunt_container_spaces(container), "b", &b), 0);
	shunt_sim_objects(platform, &objects);
	assert_int_equal(objects.mappings, 2);
	group = joined(container, "0000:03:00.0", a, &device);
	assert_ptr_equal(joined(container, "04:00.0", a, &device), group);
	assert_ptr_not_equal(joined(container, "0000:13:00.0", b, &device), group);
	assert_int_equal(shunt_group_members(group), 2);
	assert_int_equal(shunt_group_switch(group, b, SHUNT_PLAN_REPLACE, &result), 0);
	assert_int_equal(shunt_container_close(container), 0);
}

static void a_failed_open_leaves_nothing(void **state)
{
	struct shunt_vfio_device *device;
	struct shunt_platform *platform;
	struct shunt_container *container = opened(&platform);
	struct shunt_group *group;
	void *memory;

	assert_int_equal(
		shunt_container_device(container, "0000:77:00.0", &device, &group), -ENODEV);
	assert_int_equal(shunt_container_device(container, "port", &device, &group), -EINVAL);
	assert_int_equal(shunt_container_memory(container, 4096, &memory), -ENOENT); /* no space */
	assert_int_equal(shunt_container_device(container, "0000:03:00.0", &device, &group), 0);
	assert_int_equal(shunt_container_close(container), 0); /* it did not join */
	assert_int_equal(shunt_container_close(NULL), 0);
}

static void a_space_in_use_keeps_it_open(void **state)
{
	struct shunt_platform *platform;
	struct shunt_container *container = opened(&platform);
	struct shunt_vfio_device *device;
	struct shunt_space *a;

	assert_int_equal(shunt_space_create(shunt_container_spaces(container), "a", &a), 0);
	assert_ptr_equal(shunt_space_get(shunt_container_spaces(container), "a"), a);
	joined(container, "0000:03:00.0", a, &device);
	assert_int_equal(shunt_container_close(container), -EBUSY);
	assert_non_null(strstr(shunt_errmsg(), "space 'a': in use by the application"));
	shunt_space_put(a);
	assert_int_equal(shunt_container_close(container), 0);
}

static void a_member_of_the_callers_own_keeps_it_open(void **state)
{
	struct shunt_platform *platform;
	struct shunt_container *container = opened(&platform);
	struct shunt_container *other = opened(&platform);
	struct shunt_vfio_device *device, *own;
	struct shunt_group *group, *unused;
	struct shunt_space *a;

	assert_int_equal(shunt_space_create(shunt_container_spaces(other), "a", &a), 0);
	assert_int_equal(shunt_container_device(other, "0000:03:00.0", &own, &unused), 0);
	assert_int_equal(shunt_container_device(container, "0000:03:00.0", &device, &group), 0);
	assert_int_equal(shunt_group_join(group, own, "none", NULL, NULL, a), 0);
	assert_int_equal(shunt_container_close(container), -EBUSY);
	assert_int_equal(shunt_group_leave(group, own), 0);
	assert_int_equal(shunt_container_close(container), 0);
	assert_int_equal(shunt_container_close(other), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_of_a_group_share_it),
		cmocka_unit_test(a_failed_open_leaves_nothing),
		cmocka_unit_test(a_space_in_use_keeps_it_open),
		cmocka_unit_test(a_member_of_the_callers_own_keeps_it_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
