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
#include <sys/param.h>

#include "nic_fixture.h"

#define NUMBER_AT 14

static const char *const addresses[RIG_PORTS] = { "0000:03:00.0", "0000:04:00.0" };

void rig_make_frame(uint8_t *frame, uint32_t number, uint32_t length)
{
	memset(frame, 0xAB, length);
	memset(frame, 0x02, 12);
	frame[12] = 0x88; /* local experimental EtherType */
	frame[13] = 0xB5;
	memcpy(frame + NUMBER_AT, &number, sizeof(number));
}

static const void *tester_send(void *context, uint64_t now, bool ready, uint32_t *length)
{
	struct rig_tester *tester = context;

	if (!ready)
		tester->refusals++;
	if (tester->to_send == 0 || (tester->hold_back && !ready))
		return NULL;
	tester->to_send--;
	*length = tester->length;
	rig_make_frame(tester->frame, tester->next++, tester->length);
	return tester->frame;
}

static void tester_receive(void *context, uint64_t now, const void *frame, uint32_t length)
{
	struct rig_tester *tester = context;
	unsigned int place = tester->received++;

	if (place < RIG_TESTER_MAX)
		memcpy(&tester->numbers[place], (const uint8_t *)frame + NUMBER_AT,
			sizeof(tester->numbers[place]));
	tester->last_length = length;
	memcpy(tester->last, frame, length);
}

static void *pages(size_t size)
{
	void *memory = aligned_alloc(SIM_PAGE_SIZE, roundup(size, SIM_PAGE_SIZE));

	assert_non_null(memory);
	memset(memory, 0, size);
	return memory;
}

int rig_create(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	unsigned int i;

	if (!rig)
		return -1;
	fake_dma_allow();
	rig->sim.platform.name = "sim";
	rig->sim.config = (struct shunt_sim_config){ .groups = 1, .ports = RIG_PORTS };
	rig->sim.functions = rig->functions;
	rig->sim.function_count = RIG_PORTS;
	pthread_mutex_init(&rig->sim.lock, NULL);
	for (i = 0; i < RIG_PORTS; i++) {
		struct rig_port *port = &rig->port[i];

		rig->functions[i].sim = &rig->sim;
		snprintf(rig->functions[i].address, sizeof(rig->functions[i].address), "%s",
			addresses[i]);
		rig->functions[i].dma.function = &rig->functions[i];
		assert_int_equal(sim_nic_create(&rig->functions[i], i), 0);
		port->nic = rig->functions[i].nic;
		port->rx = pages(RIG_RING * sizeof(*port->rx));
		port->tx = pages(RIG_RING * sizeof(*port->tx));
		port->rx_buffers = pages(RIG_RING * RIG_BUFFER);
		port->tx_buffers = pages(RIG_RING * RIG_BUFFER);
	}
	rig->tester.length = 60;
	rig->tester.endpoint = (struct shunt_sim_endpoint){
		.context = &rig->tester,
		.send = tester_send,
		.receive = tester_receive,
	};
	*state = rig;
	return 0;
}

int rig_destroy(void **state)
{
	struct rig *rig = *state;
	unsigned int i;

	for (i = 0; i < RIG_PORTS; i++) {
		sim_nic_destroy(rig->functions[i].nic);
		free(rig->port[i].rx);
		free(rig->port[i].tx);
		free(rig->port[i].rx_buffers);
		free(rig->port[i].tx_buffers);
	}
	pthread_mutex_destroy(&rig->sim.lock);
	free(rig);
	return 0;
}

uint32_t rig_get(struct rig *rig, unsigned int port, uint32_t offset)
{
	uint32_t value;

	assert_int_equal(sim_nic_read(rig->port[port].nic, VFIO_PCI_BAR0_REGION_INDEX, offset,
				 &value, sizeof(value)),
		0);
	return value;
}

void rig_set(struct rig *rig, unsigned int port, uint32_t offset, uint32_t value)
{
	assert_int_equal(sim_nic_write(rig->port[port].nic, VFIO_PCI_BAR0_REGION_INDEX, offset,
				 &value, sizeof(value)),
		0);
}

void rig_bus_master(struct rig *rig, unsigned int port, bool enable)
{
	uint16_t command = enable ? PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY : PCI_COMMAND_MEMORY;

	assert_int_equal(sim_nic_write(rig->port[port].nic, VFIO_PCI_CONFIG_REGION_INDEX,
				 PCI_COMMAND, &command, sizeof(command)),
		0);
}

unsigned int rig_turn(struct rig *rig, unsigned int port)
{
	return sim_nic_turn(rig->port[port].nic);
}

void rig_start(struct rig *rig, unsigned int port)
{
	struct rig_port *p = &rig->port[port];
	uint64_t rx = (uintptr_t)p->rx, tx = (uintptr_t)p->tx;

	memset(p->rx, 0, RIG_RING * sizeof(*p->rx));
	memset(p->tx, 0, RIG_RING * sizeof(*p->tx));
	p->rx_next = p->rx_tail = p->tx_tail = 0;
	rig_bus_master(rig, port, true);
	rig_set(rig, port, SHUNT_82576_CTRL,
		rig_get(rig, port, SHUNT_82576_CTRL) | SHUNT_82576_CTRL_SLU);
	rig_set(rig, port, SHUNT_82576_RDBAL(0), (uint32_t)rx);
	rig_set(rig, port, SHUNT_82576_RDBAH(0), (uint32_t)(rx >> 32));
	rig_set(rig, port, SHUNT_82576_RDLEN(0), RIG_RING * sizeof(*p->rx));
	rig_set(rig, port, SHUNT_82576_SRRCTL(0),
		RIG_BUFFER / SHUNT_82576_SRRCTL_BSIZEPACKET_UNIT |
			SHUNT_82576_SRRCTL_DESCTYPE_ADVANCED);
	rig_set(rig, port, SHUNT_82576_RXDCTL(0), SHUNT_82576_RXDCTL_ENABLE);
	rig_set(rig, port, SHUNT_82576_TDBAL(0), (uint32_t)tx);
	rig_set(rig, port, SHUNT_82576_TDBAH(0), (uint32_t)(tx >> 32));
	rig_set(rig, port, SHUNT_82576_TDLEN(0), RIG_RING * sizeof(*p->tx));
	rig_set(rig, port, SHUNT_82576_TXDCTL(0), SHUNT_82576_TXDCTL_ENABLE);
	rig_set(rig, port, SHUNT_82576_TCTL,
		rig_get(rig, port, SHUNT_82576_TCTL) | SHUNT_82576_TCTL_EN);
	rig_set(rig, port, SHUNT_82576_RCTL,
		SHUNT_82576_RCTL_EN | SHUNT_82576_RCTL_UPE | SHUNT_82576_RCTL_MPE |
			SHUNT_82576_RCTL_BAM | SHUNT_82576_RCTL_SECRC);
	rig_turn(rig, port);
}

void rig_post(struct rig *rig, unsigned int port, uint32_t buffers)
{
	struct rig_port *p = &rig->port[port];

	for (; buffers > 0; buffers--) {
		p->rx[p->rx_tail].read.packet_address =
			(uintptr_t)(p->rx_buffers + RIG_BUFFER * p->rx_tail);
		p->rx[p->rx_tail].read.header_address = 0;
		p->rx_tail = (p->rx_tail + 1) % RIG_RING;
	}
	__atomic_store_n((uint32_t *)sim_nic_bar0(p->nic) + SHUNT_82576_RDT(0) / 4, p->rx_tail,
		__ATOMIC_RELEASE);
}

long rig_receive(struct rig *rig, unsigned int port)
{
	struct rig_port *p = &rig->port[port];
	const union shunt_82576_rx_descriptor *descriptor = &p->rx[p->rx_next];
	uint64_t upper = __atomic_load_n(&descriptor->quad[1], __ATOMIC_ACQUIRE);
	uint32_t number;

	if (p->rx_next == p->rx_tail || !(upper & SHUNT_82576_RXD_DD))
		return -1;
	assert_true(upper & SHUNT_82576_RXD_EOP);
	memcpy(&number, p->rx_buffers + RIG_BUFFER * p->rx_next + NUMBER_AT, sizeof(number));
	p->rx_next = (p->rx_next + 1) % RIG_RING;
	return (long)number;
}

void rig_queue(struct rig *rig, unsigned int port, uint32_t number, uint32_t length)
{
	struct rig_port *p = &rig->port[port];
	union shunt_82576_tx_descriptor *descriptor = &p->tx[p->tx_tail];
	uint8_t *frame = p->tx_buffers + RIG_BUFFER * p->tx_tail;

	rig_make_frame(frame, number, length);
	descriptor->read.address = (uintptr_t)frame;
	descriptor->read.command_length = length | SHUNT_82576_TXD_DTYP_DATA |
					  SHUNT_82576_TXD_DEXT | SHUNT_82576_TXD_EOP |
					  SHUNT_82576_TXD_IFCS | SHUNT_82576_TXD_RS;
	descriptor->read.options = length << SHUNT_82576_TXD_PAYLEN_SHIFT;
	p->tx_tail = (p->tx_tail + 1) % RIG_RING;
}

void rig_doorbell(struct rig *rig, unsigned int port)
{
	struct rig_port *p = &rig->port[port];

	__atomic_store_n((uint32_t *)sim_nic_bar0(p->nic) + SHUNT_82576_TDT(0) / 4, p->tx_tail,
		__ATOMIC_RELEASE);
}

void rig_connect(struct rig *rig, unsigned int port)
{
	assert_int_equal(
		shunt_sim_connect(&rig->sim.platform, addresses[port], &rig->tester.endpoint), 0);
}

int rig_create_started(void **state)
{
	struct rig *rig;

	if (rig_create(state))
		return -1;
	rig = *state;
	rig_connect(rig, 0);
	rig_start(rig, 0);
	return 0;
}

void rig_send(struct rig *rig, unsigned int port, unsigned int frames)
{
	rig->tester.to_send += frames;
	while (rig->tester.to_send > 0)
		assert_true(rig_turn(rig, port) > 0);
}

struct shunt_sim_port_truth rig_truth(struct rig *rig, unsigned int port)
{
	struct shunt_sim_port_truth truth;

	assert_int_equal(shunt_sim_port_truth(&rig->sim.platform, addresses[port], &truth), 0);
	return truth;
}

void rig_balanced(struct rig *rig, unsigned int port)
{
	struct shunt_sim_port_truth truth = rig_truth(rig, port);

	assert_int_equal(truth.rx_wire, truth.rx_delivered + truth.rx_no_room + truth.rx_fault +
						truth.rx_reset + truth.rx_filtered + truth.rx_fifo);
}
