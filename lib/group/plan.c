/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "shunt_error.h"
#include "shunt_group.h"

static const char *const names[SHUNT_PLANS + 1] = {
	[SHUNT_PLAN_REPLACE] = "replace",
	[SHUNT_PLAN_QUIESCE] = "quiesce",
	[SHUNT_PLAN_STOP_REPLACE_START] = "stop-replace-start",
	[SHUNT_PLAN_DETACH_ATTACH] = "detach-attach",
	[SHUNT_PLAN_RESTART] = "restart",
	[SHUNT_PLAN_AUTO] = "auto",
};

int shunt_plan_parse(const char *name, enum shunt_plan *plan)
{
	for (unsigned int i = 0; i <= SHUNT_PLANS; i++) {
		if (strcmp(names[i], name) == 0) {
			*plan = (enum shunt_plan)i;
			return 0;
		}
	}
	return shunt_fail(-EINVAL,
		"unknown plan '%s': there are replace, quiesce, stop-replace-start, detach-attach, "
		"restart and auto",
		name);
}

const char *shunt_plan_name(enum shunt_plan plan)
{
	return names[plan];
}
