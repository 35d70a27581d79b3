/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "shunt_error.h"
#include "sim_nic.h"

/* Reflected polynomial 0xEDB88320, four bits a step. */
uint32_t sim_wire_fcs(const uint8_t *frame, uint32_t length)
{
	static const uint32_t step[16] = { 0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC,
		0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8,
		0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C };
	uint32_t crc = 0xFFFFFFFFu;
	uint32_t i;

	for (i = 0; i < length; i++) {
		crc ^= frame[i];
		crc = crc >> 4 ^ step[crc & 15u];
		crc = crc >> 4 ^ step[crc & 15u];
	}
	return ~crc;
}

void sim_wire_transmit(struct sim_nic *nic, const uint8_t *frame, uint32_t length)
{
	uint32_t with_fcs = length + SHUNT_82576_FCS_SIZE;

	nic->truth.tx_wire++;
	sim_count(nic, SHUNT_82576_GPTC, 1);
	sim_count(nic, SHUNT_82576_TPT, 1);
	sim_count(nic, SHUNT_82576_GOTCL, with_fcs);
	sim_count(nic, SHUNT_82576_TOTL, with_fcs);
	sim_count(nic, SHUNT_82576_PTC64 + 4 * sim_size_class(with_fcs), 1);
	if (unlikely(frame[0] & 1))
		sim_count(nic,
			memcmp(frame, "\xff\xff\xff\xff\xff\xff", 6) ? SHUNT_82576_MPTC
								     : SHUNT_82576_BPTC,
			1);
	if (unlikely(sim_register(nic, SHUNT_82576_RCTL) & SHUNT_82576_RCTL_LBM_MAC))
		sim_rx_frame(nic, frame, length);
	else if (nic->peer)
		sim_rx_frame(nic->peer, frame, length);
	else if (nic->connected)
		nic->endpoint.receive(nic->endpoint.context, shunt_clock_now(), frame, length);
}

unsigned int sim_wire_receive(struct sim_nic *nic, unsigned int budget)
{
	const struct shunt_sim_endpoint *endpoint = &nic->endpoint;
	unsigned int frames;
	const void *frame;
	uint32_t length;
	bool ready;

	for (frames = 0; frames < budget && !sim_nic_gives_way(nic, frames); frames++) {
		sim_iommu_service(&nic->sim->iommu);
		ready = sim_rx_ready(nic);
		frame = endpoint->send(endpoint->context, shunt_clock_now(), ready, &length);
		if (!frame)
			break;
		sim_rx_frame(nic, frame, length);
	}
	return frames;
}

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

/* The platform's lock keeps two wirings apart; the engine sees each end change under its lock. */
int shunt_sim_wire(struct shunt_platform *platform, const char *port_a, const char *port_b)
{
	struct sim *sim = (struct sim *)platform;
	struct sim_nic *a, *b = NULL;
	int err = 0;

	a = port_of(platform, port_a);
	if (a)
		b = port_of(platform, port_b);
	if (!a || !b)
		return shunt_fail_while(-ENODEV, "wiring %s to %s", port_a, port_b);
	if (a == b)
		return shunt_fail(-EBUSY, "wiring %s to itself", port_a);
	pthread_mutex_lock(&sim->lock);
	if (wired(a) || wired(b)) {
		err = shunt_fail(-EBUSY, "wiring %s to %s: %s has a wire already", port_a, port_b,
			wired(a) ? port_a : port_b);
	} else {
		sim_nic_lock(a);
		a->peer = b;
		sim_nic_update_link(a);
		sim_nic_unlock(a);
		sim_nic_lock(b);
		b->peer = a;
		sim_nic_update_link(b);
		sim_nic_unlock(b);
	}
	pthread_mutex_unlock(&sim->lock);
	return err;
}

int shunt_sim_connect(struct shunt_platform *platform, const char *port,
	const struct shunt_sim_endpoint *endpoint)
{
	struct sim *sim = (struct sim *)platform;
	struct sim_nic *nic = port_of(platform, port);
	int err = 0;

	if (!nic)
		return shunt_fail_while(-ENODEV, "connecting a tester");
	pthread_mutex_lock(&sim->lock);
	if (endpoint && wired(nic)) {
		err = shunt_fail(-EBUSY, "connecting a tester to %s: it has a wire already", port);
	} else {
		sim_nic_lock(nic);
		nic->connected = endpoint != NULL;
		if (endpoint)
			nic->endpoint = *endpoint;
		else
			memset(&nic->endpoint, 0, sizeof(nic->endpoint));
		sim_nic_update_link(nic);
		sim_nic_unlock(nic);
	}
	pthread_mutex_unlock(&sim->lock);
	return err;
}

int shunt_sim_port_truth(
	struct shunt_platform *platform, const char *port, struct shunt_sim_port_truth *truth)
{
	struct sim_nic *nic = port_of(platform, port);
	unsigned int i;

	if (!nic)
		return -ENODEV;
	sim_nic_lock(nic);
	*truth = nic->truth;
	truth->rx_fifo = nic->fifo.frames;
	truth->wedged_queues = 0;
	for (i = 0; i < SIM_NIC_QUEUES; i++)
		truth->wedged_queues +=
			(uint32_t)nic->rx[i].ring.wedged + (uint32_t)nic->tx[i].ring.wedged;
	sim_nic_unlock(nic);
	return 0;
}
