/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include <shunt/error.h>

#include "context.h"
#include "plugin.h"
#include "shunt_port.h"

/*
 * The primary process has the devices. A secondary one has their ports by what is shared: ethdev's
 * records, and the beginning of a port's private data, into which the primary puts what the device
 * says when it is asked.
 *
 *   secondary: stats_get, xstats_get, link --- "shunt_port", what, port --> primary
 *              0: it is in shared memory, or an errno and a sentence <------
 *
 * Frames are captured by the primary (pdump). Bursts of a secondary process do nothing.
 */

#define ACTION "shunt_port"
#define WAIT_S 5

struct reply {
	int err; /* negative errno, 0 */
	char why[RTE_MP_MAX_PARAM_LEN - sizeof(int)];
};

enum what { STATS, XSTATS, LINK };

struct request {
	enum what what;
	char port[RTE_ETH_NAME_MAX_LEN];
};

_Static_assert(sizeof(struct request) <= RTE_MP_MAX_PARAM_LEN, "fits into a message");

/* ---- messages, for hosted functions as well ---- */

int shunt_mp_serve(const char *action, rte_mp_t handler)
{
	/* -ENOTSUP: EAL was told that there are no secondary processes. -EEXIST: it is served. */
	if (!rte_mp_action_register(action, handler) || rte_errno == ENOTSUP || rte_errno == EEXIST)
		return 0;
	return shunt_fail_errno(-rte_errno, "EAL's messages between processes");
}

int shunt_mp_reply(const struct rte_mp_msg *request, const void *peer, int err, int fd)
{
	struct rte_mp_msg message = { .len_param = sizeof(struct reply) };
	struct reply *reply = (struct reply *)message.param;

	snprintf(message.name, sizeof(message.name), "%s", request->name);
	reply->err = err;
	if (err)
		snprintf(reply->why, sizeof(reply->why), "%s", shunt_errmsg());
	else if (fd >= 0)
		message.fds[message.num_fds++] = fd;
	return rte_mp_reply(&message, peer);
}

static int take(const struct rte_mp_msg *message, int *fd)
{
	const struct reply *reply = (const struct reply *)message->param;

	if (message->len_param != sizeof(*reply))
		return shunt_fail(-EPROTO, "unexpected reply from the primary process");
	if (reply->err)
		return shunt_fail(reply->err, "%s", reply->why);
	if (!fd)
		return 0;
	*fd = message->fds[0];
	return message->num_fds == 1
		       ? 0
		       : shunt_fail(-EPROTO, "no descriptor in the primary process's reply");
}

int shunt_mp_ask(const char *action, const void *request, size_t size, const char *remedy, int *fd)
{
	struct rte_mp_msg message = { .len_param = (int)size };
	const struct timespec wait = { .tv_sec = WAIT_S };
	struct rte_mp_reply replies = { 0 };
	int ret;

	snprintf(message.name, sizeof(message.name), "%s", action);
	memcpy(message.param, request, size);
	if (rte_mp_request_sync(&message, &replies, &wait))
		return shunt_fail_errno(-rte_errno, "asking the primary process");
	if (replies.nb_received == 1)
		ret = take(&replies.msgs[0], fd);
	else
		ret = shunt_fail(-EIO, "the primary process does not answer%s", remedy);
	free(replies.msgs);
	return ret;
}

static void print_mark(char *mark, size_t size)
{
	snprintf(mark, size, "net_shunt %zu", sizeof(struct shunt_port_shared));
}

void shunt_secondary_mark(struct rte_eth_dev *dev, uint16_t vendor, uint16_t device_id)
{
	struct shunt_port_shared *shared = dev->data->dev_private;

	print_mark(shared->mark, sizeof(shared->mark));
	shared->vendor = vendor;
	shared->device_id = device_id;
}

/* ---- in the primary process ---- */

static int update_xstats(struct rte_eth_dev *dev, struct shunt_port_shared *shared)
{
	struct rte_eth_xstat values[SHUNT_SECONDARY_XSTATS];
	int count = dev->dev_ops->xstats_get(dev, values, RTE_DIM(values));

	if (count < 0)
		return count;
	if (count > (int)RTE_DIM(values))
		return shunt_fail(-ENOSPC, "%d extended statistics, there is room for %zu", count,
			RTE_DIM(values));
	for (int i = 0; i < count; i++)
		shared->xstats[values[i].id] = values[i].value;
	shared->count = (unsigned int)count;
	return 0;
}

static int update(const struct request *request)
{
	struct shunt_context *context = shunt_context_open();
	struct shunt_port *port = NULL;
	struct rte_eth_stats stats = { 0 }; /* as ethdev gives it to a driver */
	shunt_queue_stats_t queues = { 0 };
	struct rte_eth_dev *dev;
	int ret;

	if (context)
		TAILQ_FOREACH (port, &context->ports, next)
			if (strcmp(port->dev->data->name, request->port) == 0)
				break;
	if (!port)
		return shunt_fail(-ENODEV, "the primary process has no port %s", request->port);
	dev = port->dev;
	if (request->what == XSTATS)
		return update_xstats(dev, &port->shared);
	if (request->what == LINK) {
		dev->dev_ops->link_update(dev, 0); /* tells whether it changed */
		return 0;
	}
	ret = dev->dev_ops->stats_get(dev, &stats SHUNT_QUEUE_STATS_PASS(&queues));
	port->shared.stats = stats;
	port->shared.queues = queues;
	return ret;
}

static int answer(const struct rte_mp_msg *message, const void *peer)
{
	struct request request;
	int ret;

	if (message->len_param != sizeof(request))
		return -1;
	memcpy(&request, message->param, sizeof(request));
	request.port[sizeof(request.port) - 1] = '\0';
	shunt_context_lock();
	ret = update(&request);
	shunt_context_unlock();
	return shunt_mp_reply(message, peer, ret, -1);
}

int shunt_secondary_serve(void)
{
	return shunt_mp_serve(ACTION, answer);
}

/* ---- in a secondary process ---- */

static int ask(const struct rte_eth_dev *dev, enum what what)
{
	struct request request = { .what = what };
	int ret;

	snprintf(request.port, sizeof(request.port), "%s", dev->data->name);
	ret = shunt_mp_ask(ACTION, &request, sizeof(request), "", NULL);
	if (ret)
		SHUNT_LOG(ERR, "%s: %s", dev->data->name, shunt_errmsg());
	return ret;
}

int shunt_secondary_stats_get(
	struct rte_eth_dev *dev, struct rte_eth_stats *stats SHUNT_QUEUE_STATS_ARGUMENT)
{
	const struct shunt_port_shared *shared = dev->data->dev_private;
	int ret = ask(dev, STATS);

	if (ret)
		return ret;
	*stats = shared->stats;
	SHUNT_QUEUE_STATS_COPY(&shared->queues);
	return 0;
}

int shunt_secondary_xstats_get(
	struct rte_eth_dev *dev, struct rte_eth_xstat *values, unsigned int room)
{
	const struct shunt_port_shared *shared = dev->data->dev_private;
	int ret = ask(dev, XSTATS);

	if (ret)
		return ret;
	for (unsigned int i = 0; i < shared->count && values && room >= shared->count; i++)
		values[i] = (struct rte_eth_xstat){ .id = i, .value = shared->xstats[i] };
	return (int)shared->count;
}

int shunt_secondary_link_update(struct rte_eth_dev *dev, int wait)
{
	return ask(dev, LINK);
}

static uint16_t no_burst(void *queue, struct rte_mbuf **frames, uint16_t count)
{
	rte_errno = ENOTSUP;
	return 0;
}

int shunt_secondary_attach(struct rte_device *device)
{
	struct rte_eth_dev *dev = rte_eth_dev_attach_secondary(device->name);
	const struct shunt_port_shared *shared = dev ? dev->data->dev_private : NULL;
	const struct shunt_port_driver *driver = NULL;
	char mark[sizeof(shared->mark)];

	if (!dev)
		return shunt_fail(-ENODEV, "the primary process has no port of that name");
	print_mark(mark, sizeof(mark));
	if (shared && memcmp(shared->mark, mark, strlen(mark) + 1) == 0)
		driver = shunt_port_driver_find(shared->vendor, shared->device_id);
	if (!driver) {
		rte_eth_dev_release_port(dev);
		return shunt_fail(-ENXIO,
			"in the primary process it is another driver's, or that of another version "
			"of this one");
	}
	dev->device = device;
	dev->dev_ops = driver->secondary_ops;
	dev->rx_pkt_burst = dev->tx_pkt_burst = no_burst;
	rte_eth_dev_probing_finish(dev);
	return 0;
}
