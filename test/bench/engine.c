/* SPDX-License-Identifier: BSD-3-Clause */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/param.h>

#include "fake_dma.h"
#include "sim_nic.h"

/*
 * What one engine costs per frame: two ports, a tester on each wire that sends 64-byte frames (FCS
 * included) as fast as the ports take them, and between the ports the least that a driver can do,
 * on the same thread (its share is shown apart) or on one of its own. Translation is identity,
 * through the IOTLB. Every figure is of this machine, now.
 */

#define RING      512u
#define BUFFER    2176u
#define HEADROOM  128u
#define LENGTH    60u
#define PORTS     2u
#define BURST     32u
#define SECONDS   2u
#define POOL_SIZE (4u << 20)

struct port {
	struct sim_nic *nic;
	uint32_t *doorbells;
	union shunt_82576_rx_descriptor *rx;
	union shunt_82576_tx_descriptor *tx;
	uint64_t rx_buffer[RING];
	uint64_t tx_buffer[RING]; /* to be posted to the other port when sent */
	uint32_t rx_next, tx_next;
	uint64_t forwarded;
};

static struct sim sim;
static struct sim_function functions[PORTS];
static struct port ports[PORTS];
static uint8_t frame[LENGTH];
static uint64_t returned;
static atomic_bool running, stop;

static const void *send_frame(void *context, uint64_t now, bool ready, uint32_t *length)
{
	*length = LENGTH;
	return ready ? frame : NULL;
}

static void receive_frame(void *context, uint64_t now, const void *data, uint32_t length)
{
	returned++;
}

static void set(struct sim_nic *nic, uint32_t offset, uint32_t value)
{
	sim_nic_write(nic, 0, offset, &value, sizeof(value));
}

static void doorbell(struct port *port, uint32_t offset, uint32_t value)
{
	__atomic_store_n(&port->doorbells[offset / 4], value, __ATOMIC_RELEASE);
}

static void set_ring(struct sim_nic *nic, uint32_t first, const void *ring)
{
	set(nic, first, (uint32_t)(uintptr_t)ring);
	set(nic, first + 4, (uint32_t)((uintptr_t)ring >> 32));
	set(nic, first + 8, RING * 16);
}

static void *allocate(size_t size)
{
	void *memory = aligned_alloc(1u << 21, roundup(size, 1u << 21));

	if (!memory) {
		fprintf(stderr, "engine: no memory\n");
		exit(1);
	}
	memset(memory, 0, size);
	return memory;
}

static void start(unsigned int index, uint8_t *pool)
{
	const struct shunt_sim_endpoint endpoint = { .send = send_frame, .receive = receive_frame };
	const uint16_t command = 6; /* memory, bus master */
	struct port *port = &ports[index];
	uint32_t i;

	functions[index].sim = &sim;
	snprintf(functions[index].address, sizeof(functions[index].address), "0000:%02x:00.0",
		index + 3);
	if (sim_nic_create(&functions[index], index) != 0)
		exit(1);
	port->nic = functions[index].nic;
	port->doorbells = sim_nic_bar0(port->nic);
	port->rx = (void *)pool;
	port->tx = (void *)(pool + RING * 16);
	pool += RING * 32;
	for (i = 0; i < RING; i++, pool += BUFFER) {
		port->rx_buffer[i] = (uintptr_t)pool + HEADROOM;
		port->rx[i].read.packet_address = port->rx_buffer[i];
		port->tx[i].quad[1] = (uint64_t)SHUNT_82576_TXD_DD << 32;
	}
	for (i = 0; i < RING; i++, pool += BUFFER)
		port->tx_buffer[i] = (uintptr_t)pool + HEADROOM;
	sim_nic_write(port->nic, 7, 4, &command, sizeof(command));
	set_ring(port->nic, SHUNT_82576_RDBAL(0), port->rx);
	set_ring(port->nic, SHUNT_82576_TDBAL(0), port->tx);
	set(port->nic, SHUNT_82576_SRRCTL(0), 2 | SHUNT_82576_SRRCTL_DESCTYPE_ADVANCED);
	set(port->nic, SHUNT_82576_CTRL, SHUNT_82576_CTRL_SLU);
	set(port->nic, SHUNT_82576_TCTL, SHUNT_82576_TCTL_EN | SHUNT_82576_TCTL_PSP);
	set(port->nic, SHUNT_82576_RCTL,
		SHUNT_82576_RCTL_EN | SHUNT_82576_RCTL_UPE | SHUNT_82576_RCTL_SECRC);
	doorbell(port, SHUNT_82576_RDT(0), RING - 1);
	if (shunt_sim_connect(&sim.platform, functions[index].address, &endpoint) != 0)
		exit(1);
}

/* Moves a burst from one port to the other, swapping buffers. */
static void forward(struct port *from, struct port *to)
{
	union shunt_82576_rx_descriptor *rx;
	union shunt_82576_tx_descriptor *tx;
	uint64_t buffer;
	uint32_t i;

	for (i = 0; i < BURST; i++) {
		rx = &from->rx[from->rx_next];
		tx = &to->tx[to->tx_next];
		if (!(__atomic_load_n(&rx->quad[1], __ATOMIC_ACQUIRE) & SHUNT_82576_RXD_DD) ||
			!(__atomic_load_n(&tx->quad[1], __ATOMIC_ACQUIRE) >> 32 &
				SHUNT_82576_TXD_DD))
			break;
		buffer = from->rx_buffer[from->rx_next];
		from->rx_buffer[from->rx_next] = to->tx_buffer[to->tx_next];
		to->tx_buffer[to->tx_next] = buffer;
		tx->quad[0] = buffer;
		tx->quad[1] = LENGTH | SHUNT_82576_TXD_DTYP_DATA | SHUNT_82576_TXD_DEXT |
			      SHUNT_82576_TXD_EOP | SHUNT_82576_TXD_IFCS | SHUNT_82576_TXD_RS |
			      (uint64_t)LENGTH << (32 + SHUNT_82576_TXD_PAYLEN_SHIFT);
		rx->quad[0] = from->rx_buffer[from->rx_next];
		rx->quad[1] = 0;
		from->rx_next = (from->rx_next + 1) % RING;
		to->tx_next = (to->tx_next + 1) % RING;
	}
	if (i == 0)
		return;
	from->forwarded += i;
	doorbell(to, SHUNT_82576_TDT(0), to->tx_next);
	doorbell(from, SHUNT_82576_RDT(0), (from->rx_next + RING - 1) % RING);
}

/* The n-th processor that this process may use, for the calling thread and those it makes. */
static void use_processor(int n)
{
	cpu_set_t allowed, one;
	int cpu;

	if (sched_getaffinity(getpid(), sizeof(allowed), &allowed) != 0)
		return;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && n-- == 0) {
			CPU_ZERO(&one);
			CPU_SET(cpu, &one);
			pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
			return;
		}
	printf("one processor for two threads: they wait for each other\n");
}

static void *driver(void *arg)
{
	use_processor(1);
	atomic_store(&running, true);
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		forward(&ports[0], &ports[1]);
		forward(&ports[1], &ports[0]);
	}
	return NULL;
}

static void report(const char *what, uint64_t frames, uint64_t ticks, uint64_t engine_ticks)
{
	double seconds = (double)ticks / (double)shunt_clock_hz();

	printf("%-34s %6.2f Mframes/s", what, (double)frames / seconds / 1e6);
	if (frames)
		printf(" %7.0f cycles a frame (receive + transmit)",
			(double)engine_ticks / (double)frames);
	printf("\n");
}

/* Engine and driver take turns on this thread: the engine's part is measured alone. */
static void one_thread(void)
{
	uint64_t begin = shunt_clock_now(), engine = 0, frames = returned, now;

	do {
		now = shunt_clock_now();
		sim_nic_turn(ports[0].nic);
		sim_nic_turn(ports[1].nic);
		engine += shunt_clock_now() - now;
		forward(&ports[0], &ports[1]);
		forward(&ports[1], &ports[0]);
	} while (now - begin < SECONDS * shunt_clock_hz());
	report("one thread, engine's part", returned - frames, shunt_clock_now() - begin, engine);
}

static void two_threads(void)
{
	uint64_t begin, frames, ticks;
	struct timespec wait = { .tv_sec = SECONDS };
	pthread_t thread;

	if (pthread_create(&thread, NULL, driver, NULL) != 0)
		exit(1);
	while (!atomic_load(&running))
		sched_yield();
	use_processor(0);
	if (sim_engine_start(&sim) != 0)
		exit(1);
	begin = shunt_clock_now();
	sim_nic_lock(ports[0].nic);
	frames = ports[0].nic->truth.tx_wire;
	sim_nic_unlock(ports[0].nic);
	nanosleep(&wait, NULL);
	sim_nic_lock(ports[0].nic);
	frames = ports[0].nic->truth.tx_wire - frames;
	sim_nic_unlock(ports[0].nic);
	ticks = shunt_clock_now() - begin;
	sim_engine_stop(&sim);
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	report("two threads, both ports", 2 * frames, ticks, ticks);
}

int main(void)
{
	unsigned int i;

	fake_dma_use_iotlb();
	sim.platform.name = "sim";
	sim.config.ports = PORTS;
	sim.functions = functions;
	sim.function_count = PORTS;
	pthread_mutex_init(&sim.lock, NULL);
	memset(frame, 0x02, sizeof(frame));
	printf("82576 model, %u ports, %u-byte frames, %.2f GHz\n", PORTS,
		LENGTH + SHUNT_82576_FCS_SIZE, (double)shunt_clock_hz() / 1e9);
	for (i = 0; i < PORTS; i++)
		start(i, allocate(POOL_SIZE));
	one_thread();
	two_threads();
	return 0;
}
