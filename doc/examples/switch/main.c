/* SPDX-License-Identifier: BSD-3-Clause */
/* Switches a group of two ports between two address spaces, on the software platform. */
#include <stdio.h>
#include <stdlib.h>

#include <shunt/shunt.h>
#include <shunt/sim.h>

static void check(int ret)
{
	if (ret >= 0)
		return;
	fprintf(stderr, "switch: %s\n", shunt_errmsg());
	exit(1);
}

int main(void)
{
	static const char *const functions[] = { "0000:03:00.0", "0000:04:00.0" };
	struct shunt_platform *platform;
	struct shunt_container *container;
	struct shunt_space *space[2];
	struct shunt_vfio_device *device;
	struct shunt_group *group;
	struct shunt_switch_result result;
	void *memory;

	check(shunt_sim_create(&(struct shunt_sim_config){ .groups = 1, .ports = 2 }, &platform));
	check(shunt_container_open(platform, &container));
	check(shunt_space_create(shunt_container_spaces(container), "a", &space[0]));
	check(shunt_space_create(shunt_container_spaces(container), "b", &space[1]));
	check(shunt_container_memory(container, 1 << 20, &memory));
	for (int i = 0; i < 2; i++) {
		check(shunt_container_device(container, functions[i], &device, &group));
		check(shunt_group_join(group, device, "none", NULL, NULL, space[0]));
	}
	for (int i = 1; i <= 4; i++) {
		check(shunt_group_switch(group, space[i & 1], SHUNT_PLAN_REPLACE, &result));
		printf("hwpt %u to %u in %.1f us\n", result.from_hwpt, result.to_hwpt,
			(double)shunt_clock_to_ns(result.end - result.start) / 1e3);
	}
	check(shunt_container_close(container));
}
