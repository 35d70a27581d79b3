/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <shunt/error.h>

#include "igbvf.h"

/* Reset and set-up of a virtual function, and what it has to ask for. */

#define WORD_BITS     32u
#define ADDRESS_WORDS 3 /* of a message with an address: type, address */

/* Bits of igbvf_port::refused. */
#define REFUSED_MODES     1u
#define REFUSED_MULTICAST 2u
#define REFUSED_VLANS     4u

/* ---- reset ---- */

static bool is_address(const struct rte_ether_addr *address)
{
	return rte_is_valid_assigned_ether_addr(address);
}

static bool same(const struct rte_ether_addr *a, const struct rte_ether_addr *b)
{
	return rte_is_same_ether_addr(a, b);
}

/*
 * VF_RESET: the other side forgets what we had asked for, lets our queues run, and names the
 * address that the administrator has set. Linux's igb says NACK where there is none.
 */
static int greet(struct igbvf_port *vf)
{
	uint32_t message[SHUNT_82576_VMBMEM_WORDS] = { SHUNT_82576_VF_RESET };
	int ret = igbvf_mailbox_ask(vf, message, ADDRESS_WORDS, "a reset");

	memset(&vf->assigned, 0, sizeof(vf->assigned));
	memset(&vf->current, 0, sizeof(vf->current));
	vf->modes = 0;
	if (ret)
		return ret == -EPERM ? 0 : ret;
	memcpy(&vf->assigned, &message[1], sizeof(vf->assigned));
	if (is_address(&vf->assigned))
		vf->igb.address = vf->current = vf->assigned;
	else
		memset(&vf->assigned, 0, sizeof(vf->assigned));
	return 0;
}

int igbvf_wait_ready(struct igb_port *port)
{
	struct igbvf_port *vf = igbvf_port_of(port);
	struct shunt_wait wait;
	int ret;

	igb_wait_begin(port, &wait);
	while (igbvf_mailbox_in_reset(vf)) {
		if (igbvf_recovers(port) || shunt_wait_over(&wait, IGB_WAIT_NS))
			return shunt_fail(-ETIMEDOUT,
				"%s: its physical function is still being reset: is that one's "
				"interface up?",
				port->port.device.function);
		shunt_wait_nap(&wait, 1000000);
	}
	ret = port->access_error ? port->access_error : greet(vf);
	igb_stats_restart(port); /* a reset of the physical function clears the registers */
	return ret;
}

static void mask_interrupts(struct igb_port *port)
{
	igb_write(port, SHUNT_82576_EIMC, (1u << SHUNT_82576_VF_VECTORS) - 1);
}

/* A queue says that it is off when all that it did has ended, 4.5.9. */
static int turn_off(struct igb_port *port, uint32_t reg)
{
	int ret;

	igb_write(port, reg, 0);
	ret = igb_canary_wait(port, reg, SHUNT_82576_RXDCTL_ENABLE, 0, "a queue to stop");
	if (ret != -ETIMEDOUT)
		return ret;
	if (!port->backoff.times)
		SHUNT_LOG(NOTICE, "%s; it has to be reset", shunt_errmsg());
	return igb_access_end(port);
}

int igbvf_stop_dma(struct igb_port *port)
{
	int ret = 0;

	mask_interrupts(port);
	for (uint32_t i = 0; !ret && i < SHUNT_82576_VF_QUEUES; i++) {
		ret = turn_off(port, igb_tx_reg(port, SHUNT_82576_TXDCTL(0), i));
		if (!ret)
			ret = turn_off(port, igb_rx_reg(port, SHUNT_82576_RXDCTL(0), i));
	}
	return ret;
}

int igbvf_reset(struct igb_port *port)
{
	int ret;

	ret = igbvf_stop_dma(port);
	if (ret)
		return ret;
	igb_write(port, SHUNT_82576_CTRL, SHUNT_82576_CTRL_RST);
	return igbvf_wait_ready(port);
}

int igbvf_open(struct igb_port *port)
{
	int ret = igbvf_reset(port);

	if (ret)
		return ret;
	if (!is_address(&port->address))
		rte_eth_random_addr(port->address.addr_bytes);
	return igb_access_end(port);
}

void igbvf_close(struct igb_port *port)
{
	mask_interrupts(port);
}

/* ---- what is seen of resets ---- */

static void signal_link(struct igb_port *port)
{
	const uint64_t one = 1;

	if (write(rte_intr_fd_get(port->interrupts.link), &one, sizeof(one)) < 0)
		SHUNT_LOG(ERR, "%s: the link changed, and the application is not told",
			port->port.device.function);
}

/* From what the application was told; the lock orders both. */
static bool link_differs(struct igb_port *port, bool lost)
{
	bool up = !lost && igb_read(port, SHUNT_82576_STATUS) & SHUNT_82576_STATUS_LU;

	return !port->access_error && up != port->port.dev->data->dev_link.link_status;
}

static bool is_off(struct igb_port *port, uint32_t reg)
{
	return !(igb_read(port, reg) & SHUNT_82576_RXDCTL_ENABLE);
}

static bool queues_are_off(struct igb_port *port)
{
	const struct igb_recovery_state *state = &port->recovery_state;

	for (uint32_t i = 0; i < SHUNT_82576_VF_QUEUES; i++) {
		if (igb_rx_runs(port, i) && !(state->rx_dead >> i & 1) &&
			is_off(port, igb_rx_reg(port, SHUNT_82576_RXDCTL(0), i)))
			return true;
		if (igb_tx_runs(port, i) && !(state->tx_dead >> i & 1) &&
			is_off(port, igb_tx_reg(port, SHUNT_82576_TXDCTL(0), i)))
			return true;
	}
	return false;
}

/*
 * A reset of either function turns the queues off. While a function has no memory space, as after a
 * reset of the other one by sysfs, QEMU reads as 0 here too.
 *
 * A reset may come without a message. And QEMU raises another vector than VTIVAR_MISC names, or
 * none, when the other side says that the link has changed. So this, which the watchdog calls all
 * the time, signals a changed link.
 */
bool igbvf_was_reset(struct igb_port *port)
{
	struct igbvf_port *vf = igbvf_port_of(port);
	bool lost = queues_are_off(port);

	if (!lost)
		igbvf_mailbox_listen(vf);
	lost = lost || vf->forgotten || igbvf_mailbox_in_reset(vf);
	if (port->interrupts.link_on && link_differs(port, lost))
		signal_link(port);
	return lost;
}

/* QEMU: only with memory space enabled, which a reset of the physical function disables. */
bool igbvf_answers(struct igb_port *port)
{
	if (!igb_read(port, SHUNT_82576_STATUS) && !port->access_error)
		port->access_error = shunt_vfio_bus_master(&port->port.device, true);
	return igb_read(port, SHUNT_82576_STATUS) != 0;
}

/* STATUS shows the link of the port also when the other side lets nothing pass. */
bool igbvf_connected(struct igb_port *port)
{
	return !port->started ||
	       (port->recovery_state.phase == IGB_RECOVERY_IDLE && !igb_was_reset(port));
}

void igbvf_link_event(struct igb_port *port)
{
	igbvf_mailbox_listen(igbvf_port_of(port));
}

/* ---- settings ---- */

/* The type of a message with what belongs to it, and at most one more word. */
static int ask(struct igb_port *port, uint32_t type, uint32_t value, const char *what)
{
	uint32_t message[SHUNT_82576_VMBMEM_WORDS] = { type, value };

	return igbvf_mailbox_ask(igbvf_port_of(port), message, 2, what);
}

static int ask_address(struct igbvf_port *vf, const struct rte_ether_addr *address)
{
	uint32_t message[SHUNT_82576_VMBMEM_WORDS] = { SHUNT_82576_VF_SET_ADDRESS };
	int ret;

	if (same(address, &vf->current))
		return 0;
	memcpy(&message[1], address, sizeof(*address));
	ret = igbvf_mailbox_ask(vf, message, ADDRESS_WORDS, "another address");
	if (!ret)
		vf->current = *address;
	return ret;
}

int igbvf_set_address(struct igb_port *port, uint32_t index, const struct rte_ether_addr *address)
{
	if (index || !address)
		return shunt_fail(-ENOTSUP, "%s: a virtual function has one address",
			port->port.device.function);
	return ask_address(igbvf_port_of(port), address);
}

/* What the administrator has set since wins. */
static int configure_address(struct igb_port *port)
{
	struct igbvf_port *vf = igbvf_port_of(port);
	int ret = ask_address(vf, &port->addresses[0]);

	if (ret != -EPERM || !is_address(&vf->assigned))
		return ret;
	SHUNT_LOG(
		NOTICE, "%s; the port has the one that the administrator gave it", shunt_errmsg());
	port->addresses[0] = port->port.dev->data->mac_addrs[0] = vf->assigned;
	return 0;
}

static int ask_modes(struct igbvf_port *vf, uint32_t modes)
{
	int ret = ask(&vf->igb, SHUNT_82576_VF_SET_PROMISCUOUS | modes, 0, "promiscuous mode");

	if (!ret)
		vf->modes = modes;
	return ret;
}

/* Linux's igb allows all multicast addresses, and lets no virtual function hear all of the others.
 */
int igbvf_set_modes(struct igb_port *port)
{
	struct igbvf_port *vf = igbvf_port_of(port);
	uint32_t modes = 0;
	int ret;

	if (port->promiscuous)
		modes = SHUNT_82576_VF_UNICAST | SHUNT_82576_VF_MULTICAST;
	else if (port->all_multicast)
		modes = SHUNT_82576_VF_MULTICAST;
	if (modes == vf->modes)
		return 0;
	ret = ask_modes(vf, modes);
	if (ret != -EPERM)
		return ret;
	ask_modes(vf, vf->modes); /* it may have taken half of them */
	return shunt_fail(-ENOTSUP,
		"%s: the driver of its physical function refuses %s: a virtual function receives "
		"frames for its own address",
		port->port.device.function,
		port->promiscuous ? "promiscuous mode" : "all multicast addresses");
}

/* Hash values as those of the physical function's table: 16 bits each in the message. */
int igbvf_set_multicast(struct igb_port *port)
{
	uint32_t message[SHUNT_82576_VMBMEM_WORDS] = { 0 };
	uint32_t count = 0;

	for (uint32_t hash = 0; hash < SHUNT_82576_MTA_SIZE * WORD_BITS; hash++) {
		if (!(port->multicast[hash / WORD_BITS] >> hash % WORD_BITS & 1))
			continue;
		if (count == SHUNT_82576_VF_MULTICASTS)
			return shunt_fail(-ENOSPC,
				"%s: a virtual function may have %u multicast addresses: receive "
				"all of them (rte_eth_allmulticast_enable())",
				port->port.device.function, SHUNT_82576_VF_MULTICASTS);
		message[1 + count / 2] |= hash << 16 * (count % 2);
		count++;
	}
	message[0] = SHUNT_82576_VF_SET_MULTICAST | count << SHUNT_82576_MESSAGE_INFO_SHIFT;
	return igbvf_mailbox_ask(
		igbvf_port_of(port), message, SHUNT_82576_VMBMEM_WORDS, "multicast addresses");
}

int igbvf_set_vlan(struct igb_port *port, uint16_t id, bool on)
{
	return ask(port, SHUNT_82576_VF_SET_VLAN | (uint32_t)on << SHUNT_82576_MESSAGE_INFO_SHIFT,
		id, "a VLAN");
}

int igbvf_set_max_frame(struct igb_port *port)
{
	return ask(port, SHUNT_82576_VF_SET_LONGEST, port->max_frame, "the length of frames");
}

int igbvf_set_link(struct igb_port *port)
{
	return shunt_fail(
		-ENOTSUP, "%s: the link is the physical function's", port->port.device.function);
}

/* ---- set-up ---- */

static bool any_multicast(const struct igb_port *port)
{
	for (uint32_t i = 0; i < SHUNT_82576_MTA_SIZE; i++) {
		if (port->multicast[i])
			return true;
	}
	return false;
}

/* All are asked for: some may be allowed. @return -EPERM if one was refused */
static int configure_vlans(struct igb_port *port)
{
	int refusal = 0;

	for (uint32_t id = 0; id < SHUNT_82576_VFTA_SIZE * WORD_BITS; id++) {
		int ret = 0;

		if (port->vlans[id / WORD_BITS] >> id % WORD_BITS & 1)
			ret = igbvf_set_vlan(port, (uint16_t)id, true);
		if (ret == -EPERM)
			refusal = ret;
		else if (ret)
			return ret;
	}
	return refusal;
}

/*
 * What was allowed once may be refused later: Linux's igb refuses all VLANs when the administrator
 * has given the port one. A port that runs without them is better than one that does not run. The
 * log says it once, until the setting is allowed again. igbvf_set_modes() says -ENOTSUP of a
 * refusal.
 */
static int unless_refused(struct igb_port *port, uint32_t setting, int ret)
{
	uint32_t *refused = &igbvf_port_of(port)->refused;

	if (!ret)
		*refused &= ~setting;
	if (ret != -EPERM && ret != -ENOTSUP)
		return ret;
	if (!(*refused & setting))
		SHUNT_LOG(NOTICE, "%s; the port runs without", shunt_errmsg());
	*refused |= setting;
	return 0;
}

static void configure_interrupts(struct igb_port *port)
{
	const struct igb_interrupts *interrupts = &port->interrupts;
	uint32_t link = interrupts->link_on ? 1u << IGB_LINK_VECTOR : 0;
	uint32_t vectors = 0;

	if (!interrupts->link_on && !interrupts->rx)
		return;
	for (uint32_t i = 0; i < SHUNT_82576_VF_QUEUES; i++) {
		if (interrupts->rx_queues >> i & 1)
			vectors |= (SHUNT_82576_IVAR_VALID | IGB_RX_VECTOR(i))
				   << SHUNT_82576_VTIVAR_RX_SHIFT(i);
	}
	igb_write(port, SHUNT_82576_VTIVAR, vectors);
	igb_write(
		port, SHUNT_82576_VTIVAR_MISC, link ? SHUNT_82576_IVAR_VALID | IGB_LINK_VECTOR : 0);
	igb_write(port, SHUNT_82576_EIAC, link | igb_rx_vectors(interrupts->rx_queues));
	igb_write(port, SHUNT_82576_EIMS, link | igb_rx_vectors(interrupts->rx_enabled));
	igb_write(port, SHUNT_82576_EICS, link); /* it may have changed while nobody was told */
}

int igbvf_configure(struct igb_port *port)
{
	int ret = igbvf_set_max_frame(port);

	if (!ret)
		ret = configure_address(port);
	if (!ret)
		ret = unless_refused(port, REFUSED_MODES, igbvf_set_modes(port));
	if (!ret && any_multicast(port))
		ret = unless_refused(port, REFUSED_MULTICAST, igbvf_set_multicast(port));
	if (!ret)
		ret = unless_refused(port, REFUSED_VLANS, configure_vlans(port));
	if (!ret)
		configure_interrupts(port);
	return ret ? ret : igb_access_end(port);
}
