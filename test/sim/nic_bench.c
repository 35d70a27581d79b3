/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "nic_bench.h"

#define NUMBER_AT 14

static const char *const addresses[BENCH_PORTS] = { "0000:03:00.0", "0000:04:00.0" };

void bench_make_frame(uint8_t *frame, uint32_t number, uint32_t length)
{
	memset(frame, 0xAB, length);
	memset(frame, 0x02, 12);
	frame[12] = 0x88; /* local experimental EtherType */
	frame[13] = 0xB5;
	memcpy(frame + NUMBER_AT, &number, sizeof(number));
}

static const void *tester_send(void *context, uint64_t now, bool ready, uint32_t *length)
{
	struct bench_tester *tester = context;

	if (!ready)
		tester->refusals++;
	if (tester->to_send == 0 || (tester->hold_back && !ready))
		return NULL;
	tester->to_send--;
	*length = tester->length;
	bench_make_frame(tester->frame, tester->next++, tester->length);
	return tester->frame;
}

static void tester_receive(void *context, uint64_t now, const void *frame, uint32_t length)
{
	struct bench_tester *tester = context;
	unsigned int place = tester->received++;

	if (place < BENCH_TESTER_MAX)
		memcpy(&tester->numbers[place], (const uint8_t *)frame + NUMBER_AT,
			sizeof(tester->numbers[place]));
	tester->last_length = length;
	memcpy(tester->last, frame, length);
}

static void *pages(size_t size)
{
	void *memory = aligned_alloc(SIM_PAGE_SIZE, RTE_ALIGN(size, SIM_PAGE_SIZE));

	assert_non_null(memory);
	memset(memory, 0, size);
	return memory;
}

int bench_create(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	unsigned int i;

	if (!bench)
		return -1;
	fake_dma_allow();
	bench->sim.platform.name = "sim";
	bench->sim.config = (struct shunt_sim_config){ .groups = 1, .ports = BENCH_PORTS };
	bench->sim.functions = bench->functions;
	bench->sim.function_count = BENCH_PORTS;
	pthread_mutex_init(&bench->sim.lock, NULL);
	for (i = 0; i < BENCH_PORTS; i++) {
		struct bench_port *port = &bench->port[i];

		bench->functions[i].sim = &bench->sim;
		snprintf(bench->functions[i].address, sizeof(bench->functions[i].address), "%s",
			addresses[i]);
		bench->functions[i].dma.function = &bench->functions[i];
		assert_int_equal(sim_nic_create(&bench->functions[i], i), 0);
		port->nic = bench->functions[i].nic;
		port->rx = pages(BENCH_RING * sizeof(*port->rx));
		port->tx = pages(BENCH_RING * sizeof(*port->tx));
		port->rx_buffers = pages(BENCH_RING * BENCH_BUFFER);
		port->tx_buffers = pages(BENCH_RING * BENCH_BUFFER);
	}
	bench->tester.length = 60;
	bench->tester.endpoint = (struct shunt_sim_endpoint){
		.context = &bench->tester,
		.send = tester_send,
		.receive = tester_receive,
	};
	*state = bench;
	return 0;
}

int bench_destroy(void **state)
{
	struct bench *bench = *state;
	unsigned int i;

	for (i = 0; i < BENCH_PORTS; i++) {
		sim_nic_destroy(bench->functions[i].nic);
		free(bench->port[i].rx);
		free(bench->port[i].tx);
		free(bench->port[i].rx_buffers);
		free(bench->port[i].tx_buffers);
	}
	pthread_mutex_destroy(&bench->sim.lock);
	free(bench);
	return 0;
}

uint32_t bench_get(struct bench *bench, unsigned int port, uint32_t offset)
{
	uint32_t value;

	assert_int_equal(sim_nic_read(bench->port[port].nic, VFIO_PCI_BAR0_REGION_INDEX, offset,
				 &value, sizeof(value)),
		0);
	return value;
}

void bench_set(struct bench *bench, unsigned int port, uint32_t offset, uint32_t value)
{
	assert_int_equal(sim_nic_write(bench->port[port].nic, VFIO_PCI_BAR0_REGION_INDEX, offset,
				 &value, sizeof(value)),
		0);
}

void bench_bus_master(struct bench *bench, unsigned int port, bool enable)
{
	uint16_t command = enable ? PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY : PCI_COMMAND_MEMORY;

	assert_int_equal(sim_nic_write(bench->port[port].nic, VFIO_PCI_CONFIG_REGION_INDEX,
				 PCI_COMMAND, &command, sizeof(command)),
		0);
}

unsigned int bench_turn(struct bench *bench, unsigned int port)
{
	return sim_nic_turn(bench->port[port].nic);
}

void bench_start(struct bench *bench, unsigned int port)
{
	struct bench_port *p = &bench->port[port];
	uint64_t rx = (uintptr_t)p->rx, tx = (uintptr_t)p->tx;

	memset(p->rx, 0, BENCH_RING * sizeof(*p->rx));
	memset(p->tx, 0, BENCH_RING * sizeof(*p->tx));
	p->rx_next = p->rx_tail = p->tx_tail = 0;
	bench_bus_master(bench, port, true);
	bench_set(bench, port, SHUNT_82576_CTRL,
		bench_get(bench, port, SHUNT_82576_CTRL) | SHUNT_82576_CTRL_SLU);
	bench_set(bench, port, SHUNT_82576_RDBAL(0), (uint32_t)rx);
	bench_set(bench, port, SHUNT_82576_RDBAH(0), (uint32_t)(rx >> 32));
	bench_set(bench, port, SHUNT_82576_RDLEN(0), BENCH_RING * sizeof(*p->rx));
	bench_set(bench, port, SHUNT_82576_SRRCTL(0),
		BENCH_BUFFER / SHUNT_82576_SRRCTL_BSIZEPACKET_UNIT |
			SHUNT_82576_SRRCTL_DESCTYPE_ADVANCED);
	bench_set(bench, port, SHUNT_82576_RXDCTL(0), SHUNT_82576_RXDCTL_ENABLE);
	bench_set(bench, port, SHUNT_82576_TDBAL(0), (uint32_t)tx);
	bench_set(bench, port, SHUNT_82576_TDBAH(0), (uint32_t)(tx >> 32));
	bench_set(bench, port, SHUNT_82576_TDLEN(0), BENCH_RING * sizeof(*p->tx));
	bench_set(bench, port, SHUNT_82576_TXDCTL(0), SHUNT_82576_TXDCTL_ENABLE);
	bench_set(bench, port, SHUNT_82576_TCTL,
		bench_get(bench, port, SHUNT_82576_TCTL) | SHUNT_82576_TCTL_EN);
	bench_set(bench, port, SHUNT_82576_RCTL,
		SHUNT_82576_RCTL_EN | SHUNT_82576_RCTL_UPE | SHUNT_82576_RCTL_MPE |
			SHUNT_82576_RCTL_BAM | SHUNT_82576_RCTL_SECRC);
	bench_turn(bench, port);
}

void bench_post(struct bench *bench, unsigned int port, uint32_t buffers)
{
	struct bench_port *p = &bench->port[port];

	for (; buffers > 0; buffers--) {
		p->rx[p->rx_tail].read.packet_address =
			(uintptr_t)(p->rx_buffers + BENCH_BUFFER * p->rx_tail);
		p->rx[p->rx_tail].read.header_address = 0;
		p->rx_tail = (p->rx_tail + 1) % BENCH_RING;
	}
	__atomic_store_n((uint32_t *)sim_nic_bar0(p->nic) + SHUNT_82576_RDT(0) / 4, p->rx_tail,
		__ATOMIC_RELEASE);
}

long bench_receive(struct bench *bench, unsigned int port)
{
	struct bench_port *p = &bench->port[port];
	const union shunt_82576_rx_descriptor *descriptor = &p->rx[p->rx_next];
	uint64_t upper = __atomic_load_n(&descriptor->quad[1], __ATOMIC_ACQUIRE);
	uint32_t number;

	if (p->rx_next == p->rx_tail || !(upper & SHUNT_82576_RXD_DD))
		return -1;
	assert_true(upper & SHUNT_82576_RXD_EOP);
	memcpy(&number, p->rx_buffers + BENCH_BUFFER * p->rx_next + NUMBER_AT, sizeof(number));
	p->rx_next = (p->rx_next + 1) % BENCH_RING;
	return (long)number;
}

void bench_queue(struct bench *bench, unsigned int port, uint32_t number, uint32_t length)
{
	struct bench_port *p = &bench->port[port];
	union shunt_82576_tx_descriptor *descriptor = &p->tx[p->tx_tail];
	uint8_t *frame = p->tx_buffers + BENCH_BUFFER * p->tx_tail;

	bench_make_frame(frame, number, length);
	descriptor->read.address = (uintptr_t)frame;
	descriptor->read.command_length = length | SHUNT_82576_TXD_DTYP_DATA |
					  SHUNT_82576_TXD_DEXT | SHUNT_82576_TXD_EOP |
					  SHUNT_82576_TXD_IFCS | SHUNT_82576_TXD_RS;
	descriptor->read.options = length << SHUNT_82576_TXD_PAYLEN_SHIFT;
	p->tx_tail = (p->tx_tail + 1) % BENCH_RING;
}

void bench_doorbell(struct bench *bench, unsigned int port)
{
	struct bench_port *p = &bench->port[port];

	__atomic_store_n((uint32_t *)sim_nic_bar0(p->nic) + SHUNT_82576_TDT(0) / 4, p->tx_tail,
		__ATOMIC_RELEASE);
}

void bench_connect(struct bench *bench, unsigned int port)
{
	assert_int_equal(
		shunt_sim_connect(&bench->sim.platform, addresses[port], &bench->tester.endpoint),
		0);
}

int bench_create_started(void **state)
{
	struct bench *bench;

	if (bench_create(state))
		return -1;
	bench = *state;
	bench_connect(bench, 0);
	bench_start(bench, 0);
	return 0;
}

void bench_send(struct bench *bench, unsigned int port, unsigned int frames)
{
	bench->tester.to_send += frames;
	while (bench->tester.to_send > 0)
		assert_true(bench_turn(bench, port) > 0);
}

struct shunt_sim_port_truth bench_truth(struct bench *bench, unsigned int port)
{
	struct shunt_sim_port_truth truth;

	assert_int_equal(shunt_sim_port_truth(&bench->sim.platform, addresses[port], &truth), 0);
	return truth;
}

void bench_balanced(struct bench *bench, unsigned int port)
{
	struct shunt_sim_port_truth truth = bench_truth(bench, port);

	assert_int_equal(truth.rx_wire, truth.rx_delivered + truth.rx_no_room + truth.rx_fault +
						truth.rx_reset + truth.rx_filtered + truth.rx_fifo);
}
