/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include <shunt/error.h>

#include "shunt_hold.h"
#include "sim_nic.h"

/* What callers do to a wire: its ends, its speed, and the truth of the port at its end. */

/* The NIC of a port; NULL with the reason recorded. */
static struct sim_nic *port_of(struct shunt_platform *platform, const char *port)
{
	struct sim_function *function = NULL;

	if (strcmp(platform->name, "sim") == 0)
		function = sim_function_find((struct sim *)platform, port);
	if (!function) {
		shunt_fail(
			-ENODEV, "the %s platform has no simulated port %s", platform->name, port);
		return NULL;
	}
	return function->nic;
}

static bool wired(const struct sim_nic *nic)
{
	return nic->peer || nic->connected;
}

static void set_peer(struct sim_nic *nic, struct sim_nic *peer)
{
	sim_nic_lock(nic);
	nic->peer = peer;
	sim_nic_update_link(nic);
	sim_nic_unlock(nic);
}

/* The platform's lock keeps two wirings apart; the engine sees each end change under its lock. */
int shunt_sim_wire(struct shunt_platform *platform, const char *port_a, const char *port_b)
{
	struct sim_nic *a, *b = NULL;

	a = port_of(platform, port_a);
	if (a)
		b = port_of(platform, port_b);
	if (!a || !b)
		return shunt_fail_while(-ENODEV, "wiring %s to %s", port_a, port_b);
	if (a == b)
		return shunt_fail(-EBUSY, "wiring %s to itself", port_a);
	SHUNT_HOLD(&a->sim->lock);
	if (wired(a) || wired(b))
		return shunt_fail(-EBUSY, "wiring %s to %s: %s has a wire already", port_a, port_b,
			wired(a) ? port_a : port_b);
	set_peer(a, b);
	set_peer(b, a);
	return 0;
}

int shunt_sim_connect(struct shunt_platform *platform, const char *port,
	const struct shunt_sim_endpoint *endpoint)
{
	struct sim_nic *nic = port_of(platform, port);

	if (!nic)
		return shunt_fail_while(-ENODEV, "connecting a tester");
	SHUNT_HOLD(&nic->sim->lock);
	if (endpoint && wired(nic))
		return shunt_fail(-EBUSY, "connecting a tester to %s: it has a wire already", port);
	sim_nic_lock(nic);
	nic->connected = endpoint != NULL;
	nic->endpoint = endpoint ? *endpoint : (struct shunt_sim_endpoint){ 0 };
	sim_nic_update_link(nic);
	sim_nic_unlock(nic);
	return 0;
}

static void set_speed(struct sim_nic *nic, unsigned int speed)
{
	sim_nic_lock(nic);
	nic->speed = speed;
	nic->wire_free = 0;
	sim_nic_update_link(nic);
	sim_nic_unlock(nic);
}

int shunt_sim_speed(struct shunt_platform *platform, const char *port, unsigned int speed)
{
	struct sim_nic *nic = port_of(platform, port);

	if (!nic)
		return -ENODEV;
	if (speed != 10 && speed != 100 && speed != SHUNT_SIM_SPEED_MAX)
		return shunt_fail(
			-EINVAL, "a wire of %u Mb/s: 10, 100 or %u", speed, SHUNT_SIM_SPEED_MAX);
	SHUNT_HOLD(&nic->sim->lock);
	set_speed(nic, speed);
	if (nic->peer)
		set_speed(nic->peer, speed);
	return 0;
}

int shunt_sim_hold_back(struct shunt_platform *platform, const char *port, bool off)
{
	struct sim_nic *nic = port_of(platform, port);

	if (!nic)
		return -ENODEV;
	sim_nic_lock(nic);
	nic->held_back = off;
	sim_count(nic, off ? SHUNT_82576_XOFFRXC : SHUNT_82576_XONRXC, 1);
	sim_nic_update_link(nic);
	sim_nic_unlock(nic);
	return 0;
}

int shunt_sim_port_truth(
	struct shunt_platform *platform, const char *port, struct shunt_sim_port_truth *truth)
{
	struct sim_nic *nic = port_of(platform, port);

	if (!nic)
		return -ENODEV;
	sim_nic_lock(nic);
	*truth = nic->truth;
	truth->rx_fifo = nic->fifo.frames;
	truth->wedged_queues = 0;
	for (unsigned int i = 0; i < SIM_NIC_QUEUES; i++)
		truth->wedged_queues +=
			(uint32_t)nic->rx[i].ring.wedged + (uint32_t)nic->tx[i].ring.wedged;
	sim_nic_unlock(nic);
	return 0;
}
