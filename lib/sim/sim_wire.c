/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <sys/param.h>

#include "sim_nic.h"

#define FRAME_GAP 20u /* bytes: preamble, and the least between two frames */

static void take_wire(struct sim_nic *nic, uint32_t bytes)
{
	uint64_t now = atomic_load_explicit(&nic->sim->time, memory_order_relaxed);

	/* One Mb/s is a bit in 1000 ns. */
	nic->wire_free = MAX(nic->wire_free, now) +
			 shunt_clock_from_ns((bytes + FRAME_GAP) * 8000ull / nic->speed);
}

void sim_wire_transmit(struct sim_nic *nic, const uint8_t *frame, uint32_t length)
{
	uint8_t padded[SHUNT_82576_FRAME_MIN - SHUNT_82576_FCS_SIZE];
	uint32_t with_fcs;

	if (unlikely(length < sizeof(padded) &&
		     (sim_register(nic, SHUNT_82576_TCTL) & SHUNT_82576_TCTL_PSP))) {
		memcpy(padded, frame, length);
		memset(padded + length, 0, sizeof(padded) - length);
		frame = padded;
		length = sizeof(padded);
	}
	with_fcs = length + SHUNT_82576_FCS_SIZE;
	if (unlikely(nic->speed != SHUNT_SIM_SPEED_MAX))
		take_wire(nic, with_fcs);
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
	uint64_t now;
	bool ready;

	for (frames = 0; frames < budget && !sim_nic_gives_way(nic, frames); frames++) {
		sim_iommu_service(&nic->sim->iommu);
		ready = sim_rx_ready(nic);
		now = shunt_clock_now();
		frame = endpoint->send(endpoint->context, now, ready, &length);
		if (!frame)
			return frames + (endpoint->soon && endpoint->soon(endpoint->context, now));
		sim_rx_frame(nic, frame, length);
	}
	return frames;
}
