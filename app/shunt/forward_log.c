/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "forward.h"
#include "shunt_clock.h"
#include "shunt_error.h"

#define LINE 8192

/* One write a line: the file may be a device, and other writers may append to it. */
static int put(const struct forward *run, const char *line, int length)
{
	ssize_t done = write(run->log, line, (size_t)length);

	if (done != length)
		return shunt_fail_errno(done < 0 ? -errno : -EIO, "--log %s", run->options->log);
	return 0;
}

int forward_log_open(struct forward *run)
{
	run->log = -1;
	if (!run->options->log)
		return 0;
	run->log = open(run->options->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	return run->log < 0 ? shunt_fail_errno(-errno, "--log %s", run->options->log) : 0;
}

void forward_log_close(struct forward *run)
{
	if (run->log >= 0)
		close(run->log);
}

int forward_log_begin(const struct forward *run, uint64_t number)
{
	char line[64];

	if (run->log < 0)
		return 0;
	return put(run, line,
		snprintf(line, sizeof(line), "{\"switch\":%" PRIu64 ",\"begins\":true}\n", number));
}

int forward_log_end(
	const struct forward *run, uint64_t number, const struct shunt_switch_result *result)
{
	char line[LINE], faults[24];
	int used;

	if (run->log < 0)
		return 0;
	used = snprintf(line, sizeof(line),
		"{\"switch\":%" PRIu64 ",\"from\":%u,\"to\":%u,\"rolled_back\":%s,\"ports\":[",
		number, result->from_hwpt, result->to_hwpt, result->rolled_back ? "true" : "false");
	for (unsigned int i = 0; i < result->member_count; i++) {
		const struct shunt_switch_member *member = &result->members[i];
		const struct shunt_recovery *recovery = &member->recovery;

		snprintf(faults, sizeof(faults), "%" PRId64, member->faults);
		used += snprintf(line + used, sizeof(line) - (size_t)used,
			"%s{\"function\":\"%s\",\"faults\":%s,\"ioctl_ns\":%" PRIu64
			",\"repaired\":%u,\"resets\":%u}",
			i ? "," : "", member->function, member->faults < 0 ? "\"unknown\"" : faults,
			shunt_clock_to_ns(member->ioctl_time), recovery->repaired_descriptors,
			recovery->queue_resets + recovery->port_resets + recovery->function_resets);
	}
	used += snprintf(line + used, sizeof(line) - (size_t)used, "]}\n");
	return put(run, line, used);
}
