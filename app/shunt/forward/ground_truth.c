/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include <shunt/error.h>
#include <shunt/sim.h>

#include "ground_truth.h"

#define BATCH   64
#define HISTORY 256 /* blocked intervals kept of each port; a power of two */
#define RECENT  64  /* switches whose ports are compared and whose group may not be yet */

/* A compared port, kept until the group is compared. */
struct compared {
	uint64_t number; /* of the switch, from 1; 0: none */
	struct shunt_sim_blocked blocked;
};

struct port_truth {
	const char *function;
	struct shunt_sim_blocked history[HISTORY];
	uint64_t written;
	struct compared recent[RECENT];
	struct shunt_record_ground_truth result;
};

struct forward_truth {
	struct shunt_platform *platform;
	struct shunt_record_ground_truth group;
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
	made->group.known = true;
	for (unsigned int i = 0; i < count; i++) {
		made->ports[i].function = ports[i].function;
		made->ports[i].result.known = true;
	}
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

/* The blocked interval of a switch; NULL if it is too old. */
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
 * Receive DMA worked again not before `still` and not after `until`. A queue that a refused DMA
 * stopped resumes later than the IOMMU.
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

bool forward_truth_blocked(struct forward_truth *truth, unsigned int port,
	const struct shunt_switch_result *result, struct shunt_sim_blocked *blocked)
{
	const struct shunt_sim_blocked *found;

	take_in(truth);
	found = find(&truth->ports[port], result);
	if (found)
		*blocked = *found;
	return found != NULL;
}

/* Whether the bounds of a measurement and the ground truth overlap. */
static void compare(struct shunt_record_ground_truth *result,
	const struct forward_truth_span *truth, uint64_t window, uint64_t uncertainty, bool lost)
{
	uint64_t least = lost ? window - uncertainty : 0;
	uint64_t most = lost ? window : uncertainty;

	result->compared++;
	result->within += truth->most >= least && truth->least <= most;
}

bool forward_truth_port(struct forward_truth *truth, const struct shunt_measurement *measurement,
	struct forward_truth_span *span)
{
	struct port_truth *port = &truth->ports[measurement->port];
	struct compared *compared = &port->recent[measurement->number % RECENT];
	struct shunt_sim_blocked *blocked = &compared->blocked;
	const struct shunt_sim_blocked *found;

	take_in(truth);
	/* A stopped port cannot see how long the IOMMU blocked it; one that was rolled back was
	   blocked twice. */
	if (measurement->result->members[measurement->port].halt == SHUNT_HALT_STOP ||
		measurement->result->error)
		return false;
	found = find(port, measurement->result);
	if (!found)
		return false;
	*blocked = *found;
	worked_again(truth, port, measurement->result, blocked);
	compared->number = measurement->number + 1;
	span->least = blocked->still - blocked->from;
	span->most = blocked->until - blocked->from;
	compare(&port->result, span, measurement->window, measurement->uncertainty,
		measurement->lost);
	return true;
}

bool forward_truth_group(struct forward_truth *truth, const struct shunt_measurement *measurement,
	struct forward_truth_span *span)
{
	struct shunt_sim_blocked whole = { .from = UINT64_MAX };
	bool blocked = false;

	for (unsigned int i = 0; i < truth->count; i++) {
		const struct compared *port = &truth->ports[i].recent[measurement->number % RECENT];

		if (port->number != measurement->number + 1)
			return false;
		if (port->blocked.until == port->blocked.from)
			continue; /* moved without being blocked */
		blocked = true;
		whole.from = RTE_MIN(whole.from, port->blocked.from);
		whole.still = RTE_MAX(whole.still, port->blocked.still);
		whole.until = RTE_MAX(whole.until, port->blocked.until);
	}
	*span = (struct forward_truth_span){ 0 };
	if (blocked) {
		span->least = whole.still - whole.from;
		span->most = whole.until - whole.from;
	}
	compare(&truth->group, span, measurement->window, measurement->uncertainty,
		measurement->lost);
	return true;
}

const struct shunt_record_ground_truth *forward_truth_result(
	const struct forward_truth *truth, unsigned int port)
{
	return &truth->ports[port].result;
}

const struct shunt_record_ground_truth *forward_truth_group_result(
	const struct forward_truth *truth)
{
	return &truth->group;
}
