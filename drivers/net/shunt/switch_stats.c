/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <shunt/clock.h>

#include "shunt_port.h"

/* In the order of struct shunt_port_switches. */
static const char *const names[] = {
	"switch_events",
	"switch_failed_events",
	"switch_faults",
	"switch_faults_unknown_events",
	"switch_ioctl_last_ns",
	"switch_ioctl_max_ns",
	"switch_ioctl_total_ns",
	"switch_paused_last_ns",
	"switch_paused_max_ns",
	"switch_paused_total_ns",
};

_Static_assert(RTE_DIM(names) == SHUNT_PORT_XSTATS, "one for each counter");
_Static_assert(sizeof(struct shunt_port_switches) == SHUNT_PORT_XSTATS * sizeof(uint64_t),
	"counters and nothing else");

void shunt_port_switched(void *opaque, const struct shunt_switch_result *result,
	const struct shunt_switch_member *member)
{
	struct shunt_port_switches *sum = &((struct shunt_port *)opaque)->switches;
	uint64_t paused = member->pause_start ? member->pause_end - member->pause_start : 0;

	if (result->rolled_back || member->hwpt_id != result->to_hwpt)
		sum->failed++;
	else
		sum->switches++;
	if (member->faults > 0)
		sum->faults += (uint64_t)member->faults;
	else
		sum->unknown += member->faults < 0;
	sum->ioctl_last_ns = shunt_clock_to_ns(member->ioctl_time);
	sum->ioctl_total_ns += sum->ioctl_last_ns;
	sum->ioctl_max_ns = RTE_MAX(sum->ioctl_max_ns, sum->ioctl_last_ns);
	sum->paused_last_ns = shunt_clock_to_ns(paused);
	sum->paused_total_ns += sum->paused_last_ns;
	sum->paused_max_ns = RTE_MAX(sum->paused_max_ns, sum->paused_last_ns);
}

void shunt_port_xstats(const struct shunt_port *port, uint64_t values[SHUNT_PORT_XSTATS])
{
	memcpy(values, &port->switches, sizeof(port->switches));
}

const char *shunt_port_xstat_name(unsigned int index)
{
	return names[index];
}
