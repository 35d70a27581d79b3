/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include <shunt/error.h>

#include "hosted.h"

/*
 * A cdev can be opened and bound only once: by the primary process. Secondary processes get its
 * descriptor, map the BARs and read the configuration space. Address spaces and switches stay with
 * the primary.
 *
 *   secondary: rte_vfio_setup_device() --- "shunt_function", address, pid --> primary
 *              descriptor, or an errno and a sentence            <-----------
 */

#define ACTION "shunt_function"
#define WAIT_S 5

struct request {
	int pid;
	char address[16];
};

struct reply {
	int err; /* negative errno; 0: a descriptor comes with it */
	char why[RTE_MP_MAX_PARAM_LEN - sizeof(int)];
};

_Static_assert(sizeof(struct reply) <= RTE_MP_MAX_PARAM_LEN, "fits into a message");

/* A process that was given a descriptor. Under hosted_lock(). */
struct holder {
	TAILQ_ENTRY(holder) next;
	struct request request;
};

static TAILQ_HEAD(, holder) holders = TAILQ_HEAD_INITIALIZER(holders);

static void forget_dead(void)
{
	struct holder *holder, *next;

	RTE_TAILQ_FOREACH_SAFE(holder, &holders, next, next)
	{
		if (!kill(holder->request.pid, 0) || errno != ESRCH)
			continue;
		TAILQ_REMOVE(&holders, holder, next);
		free(holder);
	}
}

static int remember(const struct request *request)
{
	struct holder *holder = calloc(1, sizeof(*holder));

	if (!holder)
		return shunt_fail(-ENOMEM, "%s: out of memory", request->address);
	holder->request = *request;
	hosted_lock();
	forget_dead();
	TAILQ_INSERT_TAIL(&holders, holder, next);
	hosted_unlock();
	return 0;
}

int hosted_secondary_of(const char *address)
{
	struct holder *holder;
	int pid = 0;

	hosted_lock();
	forget_dead();
	TAILQ_FOREACH (holder, &holders, next)
		if (strcmp(holder->request.address, address) == 0)
			pid = holder->request.pid;
	hosted_unlock();
	return pid;
}

static int find(const struct request *request, int *fd)
{
	struct hosted_function *function;
	int ret;

	shunt_context_lock();
	function = hosted_function_find(request->address);
	if (function) {
		*fd = function->device.fd;
		ret = remember(request);
	} else {
		ret = shunt_fail(-ENODEV, "the primary process does not hold %s", request->address);
	}
	shunt_context_unlock();
	return ret;
}

static int answer(const struct rte_mp_msg *message, const void *peer)
{
	struct rte_mp_msg back = { .name = ACTION, .len_param = sizeof(struct reply) };
	struct reply *reply = (struct reply *)back.param;
	struct request request;

	if (message->len_param != sizeof(request))
		return -1;
	memcpy(&request, message->param, sizeof(request));
	request.address[sizeof(request.address) - 1] = '\0';
	reply->err = find(&request, &back.fds[0]);
	back.num_fds = !reply->err;
	if (reply->err)
		snprintf(reply->why, sizeof(reply->why), "%s", shunt_errmsg());
	return rte_mp_reply(&back, peer);
}

int hosted_secondary_serve(void)
{
	static bool serves;

	/* -ENOTSUP: EAL was told that there are no secondary processes. */
	if (serves || !rte_mp_action_register(ACTION, answer) || rte_errno == ENOTSUP) {
		serves = true;
		return 0;
	}
	return shunt_fail_errno(-rte_errno, "EAL's messages between processes");
}

static int take(const char *address, const struct rte_mp_msg *message)
{
	const struct reply *reply = (const struct reply *)message->param;

	if (message->len_param != sizeof(*reply))
		return shunt_fail(
			-EPROTO, "%s: unexpected reply from the primary process", address);
	if (reply->err)
		return shunt_fail(reply->err, "%s", reply->why);
	if (message->num_fds != 1)
		return shunt_fail(
			-EPROTO, "%s: no descriptor in the reply of the primary process", address);
	return message->fds[0];
}

int hosted_secondary_ask(const char *address)
{
	struct rte_mp_msg message = { .name = ACTION, .len_param = sizeof(struct request) };
	struct request *request = (struct request *)message.param;
	const struct timespec wait = { .tv_sec = WAIT_S };
	struct rte_mp_reply replies = { 0 };
	int ret;

	request->pid = getpid();
	snprintf(request->address, sizeof(request->address), "%s", address);
	if (rte_mp_request_sync(&message, &replies, &wait))
		return shunt_fail_errno(-rte_errno, "%s: asking the primary process", address);
	if (replies.nb_received == 1)
		ret = take(address, &replies.msgs[0]);
	else
		ret = shunt_fail(-EIO,
			"%s: the primary process does not answer: was it started with `shunt run`?",
			address);
	free(replies.msgs);
	return ret;
}
