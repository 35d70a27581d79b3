/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * To preload. In every n-th switch, n being FAIL_EVERY in the environment, the first recovery of a
 * port fails; with FAIL_DOWN the second one fails too.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#include <shunt/error.h>
#include <shunt/group.h>

int shunt_group_switch(struct shunt_group *group, struct shunt_space *to, enum shunt_plan plan,
	struct shunt_switch_result *result)
{
	static unsigned int number;
	int (*real)(struct shunt_group *, struct shunt_space *, enum shunt_plan,
		struct shunt_switch_result *);
	const char *every = getenv("FAIL_EVERY");
	int ret;

	*(void **)&real = dlsym(RTLD_NEXT, "shunt_group_switch");
	ret = real(group, to, plan, result);
	if (ret || !every || ++number % (unsigned int)strtoul(every, NULL, 10))
		return ret;
	result->error = -EIO;
	result->recovered = !getenv("FAIL_DOWN");
	return shunt_fail(-EIO, "a port did not answer");
}
