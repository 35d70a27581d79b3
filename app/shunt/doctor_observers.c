/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "doctor.h"

static bool readable(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Without them a switch works, but how many faults it cost stays unknown. */
void doctor_check_observers(struct doctor *doctor)
{
	const char *sysfs = doctor->machine.platform->sysfs;
	char path[PATH_MAX];

	doctor_path(path, sizeof(path), "%s/kmsg", doctor->machine.dev);
	if (readable(path))
		doctor_find(doctor, FINDING_OK, "faults", "the kernel's log can be read");
	else
		doctor_mend(doctor_find(doctor, FINDING_WARN, "faults",
				    "this user may not read the kernel's log: less is known of "
				    "faults"),
			"sysctl -w kernel.dmesg_restrict=0");
	doctor_path(path, sizeof(path), "%s/kernel/tracing/instances", sysfs);
	if (access(path, W_OK) == 0) {
		doctor_find(doctor, FINDING_OK, "faults", "tracefs can be used");
		return;
	}
	doctor_path(path, sizeof(path), "%s/kernel/tracing/events", sysfs);
	if (access(path, F_OK) == 0 || errno == EACCES)
		doctor_find(doctor, FINDING_WARN, "faults",
			"only root can use tracefs: less is known of faults");
	else
		doctor_mend(doctor_find(doctor, FINDING_WARN, "faults",
				    "no tracefs that this user can use: less is known of faults"),
			"mount -t tracefs none /sys/kernel/tracing");
}
