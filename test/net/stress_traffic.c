/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "stress.h"

#define BURST        32
#define LENGTH       60
#define PACE_NS      50000
#define OVERFLOW_ONE 16 /* one frame in that many is sent though the port has no room */
#define IDLE_US      20

/* ---- the far ends of the wires; the engine's thread ---- */

static const void *endpoint_send(void *context, uint64_t now, bool ready, uint32_t *length)
{
	static const uint8_t frame[LENGTH] = { 2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 0x88, 0xb5 };
	struct stress_port *port = context;
	enum stress_load load = __atomic_load_n(&stress.load, __ATOMIC_RELAXED);

	if (load == STRESS_NOTHING || (load == STRESS_PACED && now < port->due))
		return NULL;
	if (!ready && port->sent % OVERFLOW_ONE) {
		port->sent++;
		return NULL;
	}
	port->due = now + shunt_clock_from_ns(PACE_NS);
	port->sent++;
	*length = LENGTH;
	return frame;
}

static void endpoint_receive(void *context, uint64_t now, const void *frame, uint32_t length)
{
	struct stress_port *port = context;

	__atomic_store_n(&port->delivered, port->delivered + 1, __ATOMIC_RELAXED);
}

void stress_connect(struct stress_port *port, bool far_end)
{
	const struct shunt_sim_endpoint endpoint = {
		.context = port,
		.send = endpoint_send,
		.receive = endpoint_receive,
	};

	if (port->wired == far_end)
		return;
	if (shunt_sim_connect(stress.sim, port->function, far_end ? &endpoint : NULL))
		stress_fail("wire of %s: %s", port->function, shunt_errmsg());
	port->wired = far_end;
}

/* ---- workers ---- */

/* Either the control sees this worker inside, or this worker sees that the port is closed. */
static bool enter(struct stress_port *port, unsigned int worker)
{
	__atomic_store_n(&port->inside[worker], true, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&port->open, __ATOMIC_SEQ_CST))
		return true;
	stress_tell(&port->inside[worker], false);
	return false;
}

static void leave(struct stress_port *port, unsigned int worker)
{
	stress_tell(&port->inside[worker], false);
}

void stress_keep_out(struct stress_port *port)
{
	__atomic_store_n(&port->open, false, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < STRESS_WORKERS; i++) {
		while (__atomic_load_n(&port->inside[i], __ATOMIC_SEQ_CST))
			rte_delay_us_sleep(IDLE_US);
	}
}

void stress_let_in(struct stress_port *port)
{
	stress_tell(&port->open, true);
}

static void send_or_free(
	struct stress_port *port, unsigned int worker, struct rte_mbuf **frames, uint16_t n)
{
	uint16_t sent = 0;

	if (enter(port, worker)) {
		sent = rte_eth_tx_burst(port->id, (uint16_t)worker, frames, n);
		leave(port, worker);
	}
	rte_pktmbuf_free_bulk(frames + sent, n - sent);
}

static uint16_t forward(struct stress_port *port, unsigned int worker)
{
	struct rte_mbuf *frames[BURST];
	uint16_t n;

	if (!enter(port, worker))
		return 0;
	n = rte_eth_rx_burst(port->id, 0, frames, BURST);
	leave(port, worker);
	if (!n)
		return 0;
	__atomic_store_n(&port->received, port->received + n, __ATOMIC_RELAXED);
	send_or_free(&stress.ports[(port->index + 1) % STRESS_PORTS], worker, frames, n);
	return n;
}

static void fill(struct stress_port *port, unsigned int worker)
{
	struct rte_mbuf *frames[BURST];

	if (rte_pktmbuf_alloc_bulk(stress.pool, frames, BURST))
		return;
	for (unsigned int i = 0; i < BURST; i++)
		memset(rte_pktmbuf_append(frames[i], LENGTH), 2, LENGTH);
	send_or_free(port, worker, frames, BURST);
}

void *stress_worker(void *arg)
{
	static struct stress_actor actors[STRESS_WORKERS];
	unsigned int number = (unsigned int)(uintptr_t)arg;
	struct stress_actor *actor = &actors[number];

	stress_begin(actor, "worker", number);
	while (!stress_told(&stress.stop)) {
		unsigned int received = 0;

		stress_at(actor, "polling");
		for (unsigned int i = 0; i < STRESS_PORTS; i++) {
			if (stress.filling)
				fill(&stress.ports[i], number);
			if (stress.polled && i % STRESS_WORKERS == number)
				received += forward(&stress.ports[i], number);
		}
		if (!received)
			rte_delay_us_sleep(IDLE_US);
	}
	stress_at(actor, NULL);
	return NULL;
}

/* ---- switchers ---- */

/* Whether a port was reset from outside since then: calls that needed its answer may have failed.
 */
static bool reset_since(uint64_t start)
{
	return __atomic_load_n(&stress.resetting, __ATOMIC_SEQ_CST) ||
	       __atomic_load_n(&stress.reset_end, __ATOMIC_SEQ_CST) >= start;
}

static const int refusals[] = { -EALREADY, -EBUSY, 0 };
static const int refusals_at_reset[] = { -EALREADY, -EBUSY, -EIO, -ETIMEDOUT, 0 };

static int expect(struct stress_actor *actor, int ret, uint64_t start)
{
	return stress_expect(actor, ret, reset_since(start) ? refusals_at_reset : refusals);
}

static void switch_once(struct stress_actor *actor)
{
	enum shunt_plan plan = (enum shunt_plan)stress_random(actor, SHUNT_PLANS);
	struct shunt_space *to = stress.spaces[stress_random(actor, STRESS_SPACES)];
	struct shunt_switch_result result;
	uint64_t start = shunt_clock_now();

	stress_at(actor, shunt_plan_name(plan));
	stress_forget();
	if (expect(actor, shunt_group_switch(stress.group, to, plan, &result), start))
		return;
	__atomic_fetch_add(&stress.switches, 1, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < result.member_count; i++) {
		if (result.members[i].hwpt_id != result.to_hwpt)
			stress_fail("%s: %s is on hwpt %u, not %u", actor->name,
				result.members[i].function, result.members[i].hwpt_id,
				result.to_hwpt);
	}
}

static void check_once(struct stress_actor *actor)
{
	struct shunt_switch_result result;
	uint64_t start = shunt_clock_now();
	int repaired;

	stress_at(actor, "checking the group");
	stress_forget();
	repaired = shunt_group_check(stress.group, &result);
	expect(actor, RTE_MIN(repaired, 0), start);
}

void *stress_switcher(void *arg)
{
	static struct stress_actor actors[2];
	unsigned int number = (unsigned int)(uintptr_t)arg;
	struct stress_actor *actor = &actors[number];

	stress_begin(actor, "switcher", number);
	while (!stress_told(&stress.stop)) {
		if (stress_random(actor, 8))
			switch_once(actor);
		else
			check_once(actor);
		actor->operations++;
		if (!stress_random(actor, 4))
			rte_delay_us_sleep(stress_random(actor, 2000));
	}
	stress_at(actor, NULL);
	return NULL;
}
