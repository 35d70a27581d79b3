/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <shunt/error.h>

#include "hosted.h"
#include "plugin.h"

/*
 * A cdev can be opened and bound only once: by the primary process. Secondary processes get its
 * descriptor, map the BARs and read the configuration space. Address spaces and switches stay with
 * the primary.
 *
 *   secondary: rte_vfio_setup_device() --- "shunt_function", address, pid --> primary
 *              descriptor, or an errno and a sentence            <-----------
 */

#define ACTION "shunt_function"

struct request {
	int pid;
	char address[16];
};

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
	struct request request;
	int ret, fd = -1;

	if (message->len_param != sizeof(request))
		return -1;
	memcpy(&request, message->param, sizeof(request));
	request.address[sizeof(request.address) - 1] = '\0';
	ret = find(&request, &fd);
	return shunt_mp_reply(message, peer, ret, fd);
}

int hosted_secondary_serve(void)
{
	return shunt_mp_serve(ACTION, answer);
}

int hosted_secondary_ask(const char *address, int *fd)
{
	struct request request = { .pid = getpid() };

	snprintf(request.address, sizeof(request.address), "%s", address);
	return shunt_mp_ask(
		ACTION, &request, sizeof(request), ": was it started with `shunt run`?", fd);
}
