/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "members.h"
#include "shunt_error.h"

void failure_note(struct failure *failure, int ret)
{
	size_t used = strlen(failure->why);

	if (!ret)
		return;
	snprintf(failure->why + used, sizeof(failure->why) - used, "%s%s", used ? "; and " : "",
		shunt_errmsg());
	failure->ret = failure->ret ? failure->ret : ret;
}

int failure_report(const struct failure *failure)
{
	return failure->ret ? shunt_fail(failure->ret, "%s", failure->why) : 0;
}
