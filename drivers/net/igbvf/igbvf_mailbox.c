/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include <shunt/error.h>

#include "igbvf.h"

/*
 * The mailbox, 7.8.2.9: sixteen words that both sides write, and a register that says whose turn it
 * is.
 *
 *   VFU, if it stays    the words are ours
 *   words, then REQ     interrupt of the other side; gives the words back
 *   PFSTS               the other side has written its answer
 *   VFU, words, ACK     the answer is read
 *
 * A message that the other side sends without being asked, because its link or its state changed,
 * may overwrite ours before it is read. Then what comes is not our answer, and ours is sent again.
 */

#define NAP_NS   50000ull
#define WAIT_NS  1000000000ull /* a kernel's interrupt and work, on an emulated machine */
#define AGAIN_NS 300000000ull

/* Bits that a read clears stay in igbvf_port::mailbox until somebody wants them. */
static uint32_t look(struct igbvf_port *vf)
{
	uint32_t value = igb_read(&vf->igb, SHUNT_82576_V2PMAILBOX);

	if (vf->igb.access_error)
		return 0;
	vf->mailbox |= value & SHUNT_82576_V2PMAILBOX_CLEARS;
	return value | vf->mailbox;
}

static bool take(struct igbvf_port *vf, uint32_t bit)
{
	bool is = look(vf) & bit;

	vf->mailbox &= ~bit;
	return is;
}

bool igbvf_mailbox_in_reset(struct igbvf_port *vf)
{
	return look(vf) & SHUNT_82576_V2PMAILBOX_RSTI;
}

static int no_answer(struct igbvf_port *vf, const char *what)
{
	return shunt_fail(-ETIMEDOUT,
		"%s: the driver of its physical function does not answer (%s): is that one's "
		"interface up?",
		vf->igb.port.device.function, what);
}

/* Until the condition holds, or the time is over. @return 0; -ETIMEDOUT; failure of an access */
static int await(struct igbvf_port *vf, struct shunt_wait *wait,
	bool (*condition)(struct igbvf_port *vf), const char *what)
{
	uint64_t limit = igbvf_recovers(&vf->igb) ? AGAIN_NS : WAIT_NS;

	while (!condition(vf)) {
		if (vf->igb.access_error)
			return vf->igb.access_error;
		if (shunt_wait_over(wait, limit))
			return no_answer(vf, what);
		shunt_wait_nap(wait, NAP_NS);
	}
	return vf->igb.access_error;
}

static bool own(struct igbvf_port *vf)
{
	igb_write(&vf->igb, SHUNT_82576_V2PMAILBOX, SHUNT_82576_V2PMAILBOX_VFU);
	return look(vf) & SHUNT_82576_V2PMAILBOX_VFU;
}

static bool message_came(struct igbvf_port *vf)
{
	return take(vf, SHUNT_82576_V2PMAILBOX_PFSTS);
}

static int write_message(struct igbvf_port *vf, struct shunt_wait *wait, const uint32_t *message,
	unsigned int words, const char *what)
{
	int ret = await(vf, wait, own, what);

	if (ret)
		return ret;
	/* What came before is not the answer. */
	take(vf, SHUNT_82576_V2PMAILBOX_PFSTS | SHUNT_82576_V2PMAILBOX_PFACK);
	for (unsigned int i = 0; i < words; i++)
		igb_write(&vf->igb, SHUNT_82576_VMBMEM(i), message[i]);
	igb_write(&vf->igb, SHUNT_82576_V2PMAILBOX, SHUNT_82576_V2PMAILBOX_REQ);
	return vf->igb.access_error;
}

static int read_message(struct igbvf_port *vf, struct shunt_wait *wait, uint32_t *message,
	unsigned int words, const char *what)
{
	int ret = await(vf, wait, message_came, what);

	if (!ret)
		ret = await(vf, wait, own, what);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < words; i++)
		message[i] = igb_read(&vf->igb, SHUNT_82576_VMBMEM(i));
	igb_write(&vf->igb, SHUNT_82576_V2PMAILBOX, SHUNT_82576_V2PMAILBOX_ACK);
	return vf->igb.access_error;
}

void igbvf_mailbox_listen(struct igbvf_port *vf)
{
	struct shunt_wait wait;
	uint32_t message;

	igb_wait_begin(&vf->igb, &wait);
	if (look(vf) & SHUNT_82576_V2PMAILBOX_PFSTS &&
		!read_message(vf, &wait, &message, 1, "a message of its own"))
		vf->forgotten |= !(message & SHUNT_82576_MESSAGE_CTS);
}

static bool is_answer(uint32_t answer, uint32_t message)
{
	return (answer & SHUNT_82576_MESSAGE_TYPE) == (message & SHUNT_82576_MESSAGE_TYPE) &&
	       (answer & (SHUNT_82576_MESSAGE_ACK | SHUNT_82576_MESSAGE_NACK));
}

/* The answer to all but VF_RESET until that has come. */
static bool wants_reset(uint32_t answer)
{
	return (answer & SHUNT_82576_MESSAGE_TYPE) != SHUNT_82576_VF_RESET &&
	       answer & SHUNT_82576_MESSAGE_NACK && !(answer & SHUNT_82576_MESSAGE_CTS);
}

int igbvf_mailbox_ask(struct igbvf_port *vf, uint32_t message[SHUNT_82576_VMBMEM_WORDS],
	unsigned int words, const char *what)
{
	uint32_t answer[SHUNT_82576_VMBMEM_WORDS] = { 0 };
	struct shunt_wait wait;
	int ret;

	/* Without an answer it is unknown whether it was done, and a late one would be taken for
	 * that of the next message of its type. */
	vf->forgotten |= message[0] != SHUNT_82576_VF_RESET;
	igb_wait_begin(&vf->igb, &wait);
	do {
		if (shunt_wait_over(&wait, WAIT_NS))
			return no_answer(vf, what);
		ret = write_message(vf, &wait, message, words, what);
		if (!ret)
			ret = read_message(vf, &wait, answer, words, what);
		if (ret)
			return ret;
	} while (!is_answer(answer[0], message[0]));
	vf->forgotten = wants_reset(answer[0]);
	memcpy(message, answer, words * sizeof(*message));
	if (answer[0] & SHUNT_82576_MESSAGE_ACK)
		return 0;
	if (vf->forgotten)
		return shunt_fail(-EIO, "%s: its physical function was reset (%s)",
			vf->igb.port.device.function, what);
	return shunt_fail(-EPERM, "%s: the driver of its physical function refuses %s",
		vf->igb.port.device.function, what);
}
