/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "forward_truth.h"
#include "shunt_error.h"
#include "shunt_sim.h"

#define BATCH   64
#define HISTORY 256 /* blocked intervals kept of each port; a power of two */

struct port_truth {
	const char *function;
	struct shunt_sim_blocked history[HISTORY];
	uint64_t written;
	uint64_t compared;
	uint64_t within;
};

struct forward_truth {
	struct shunt_platform *platform;
	unsigned int count;
	struct port_truth ports[];
};

int forward_truth_create(struct shunt_platform *platform, const struct shunt_window_port *ports,
	unsigned int count, struct forward_truth **truth)
{
	struct forward_truth *made = calloc(1, sizeof(*made) + count * sizeof(made->ports[0]));

	if (!made)
		return shunt_fail(-ENOMEM, "out of memory");
	made->platform = platform;
	made->count = count;
	for (unsigned int i = 0; i < count; i++)
		made->ports[i].function = ports[i].function;
	*truth = made;
	return 0;
}

void forward_truth_destroy(struct forward_truth *truth)
{
	free(truth);
}

static void take_in(struct forward_truth *truth)
{
	struct shunt_sim_blocked records[BATCH];
	unsigned int n;

	do {
		n = (unsigned int)shunt_sim_blocked(truth->platform, records, BATCH);
		for (unsigned int i = 0; i < n; i++)
			for (unsigned int port = 0; port < truth->count; port++) {
				struct port_truth *own = &truth->ports[port];

				if (strcmp(own->function, records[i].function) == 0)
					own->history[own->written++ % HISTORY] = records[i];
			}
	} while (n == BATCH);
}

/* The blocked interval that a switch made, NULL if it is not among the last ones. */
static const struct shunt_sim_blocked *find(
	const struct port_truth *port, const struct shunt_switch_result *result)
{
	uint64_t oldest = port->written > HISTORY ? port->written - HISTORY : 0;

	for (uint64_t i = port->written; i-- > oldest;) {
		const struct shunt_sim_blocked *blocked = &port->history[i % HISTORY];

		if (blocked->from >= result->start && blocked->until <= result->moved)
			return blocked;
	}
	return NULL;
}

/*
 * When receive DMA worked again: not before `still`, not after `until`. A queue that the refusal
 * stopped comes later than the IOMMU.
 */
static void worked_again(struct forward_truth *truth, const struct port_truth *port,
	const struct shunt_switch_result *result, struct shunt_sim_blocked *blocked)
{
	struct shunt_sim_port_truth nic;

	if (shunt_sim_port_truth(truth->platform, port->function, &nic) == 0 &&
		nic.rx_stopped >= blocked->from && nic.rx_stopped <= result->moved &&
		nic.rx_resumed > blocked->until)
		blocked->still = blocked->until = nic.rx_resumed;
}

void forward_truth_check(void *context, const struct shunt_measurement *measurement)
{
	struct forward_truth *truth = context;
	struct port_truth *port = &truth->ports[measurement->port];
	const struct shunt_sim_blocked *found;
	struct shunt_sim_blocked blocked;
	uint64_t least = 0, most = measurement->resolution;

	take_in(truth);
	found = find(port, measurement->result);
	if (!found)
		return;
	blocked = *found;
	worked_again(truth, port, measurement->result, &blocked);
	if (measurement->lost) {
		least = measurement->window - measurement->resolution;
		most = measurement->window;
	}
	port->compared++;
	port->within +=
		blocked.until - blocked.from >= least && blocked.still - blocked.from <= most;
}

void forward_truth_result(
	const struct forward_truth *truth, unsigned int port, uint64_t *compared, uint64_t *within)
{
	*compared = truth->ports[port].compared;
	*within = truth->ports[port].within;
}
