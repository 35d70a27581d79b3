/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "inject.h"
#include "shunt_wait.h"

#define CALL_NAME 64

struct inject {
	struct shunt_platform platform;
	struct shunt_platform *below;
	pthread_mutex_t lock; /* the members below */
	bool armed;
	bool absent;
	int request; /* eventfd */
	uint64_t then_reg;
	void (*then)(void *context);
	void *then_context;
	char only[CALL_NAME]; /* "" for every call */
	uint64_t matching;    /* matching calls since inject_fail() */
	uint64_t first;
	uint64_t count;
	int err;
	uint64_t failures;
	char failed_call[CALL_NAME];
	uint64_t calls[INJECT_OPS];
};

static void count_call(struct inject *inject, enum inject_op op)
{
	pthread_mutex_lock(&inject->lock);
	inject->calls[op]++;
	pthread_mutex_unlock(&inject->lock);
}

/* Counts a call. Returns 0 if it is to go through, else the negative errno to answer with. */
static int gate(struct inject *inject, enum inject_op op, const char *call)
{
	int ret = 0;

	pthread_mutex_lock(&inject->lock);
	inject->calls[op]++;
	if (!inject->armed || (inject->only[0] && strcmp(inject->only, call) != 0))
		goto out;
	inject->matching++;
	if (inject->matching < inject->first || inject->matching - inject->first >= inject->count)
		goto out;
	if (!inject->failures)
		snprintf(inject->failed_call, sizeof(inject->failed_call), "%s", call);
	inject->failures++;
	ret = -inject->err;
out:
	pthread_mutex_unlock(&inject->lock);
	return ret;
}

static bool is_absent(struct inject *inject)
{
	bool absent;

	pthread_mutex_lock(&inject->lock);
	absent = inject->absent;
	pthread_mutex_unlock(&inject->lock);
	return absent;
}

static int inject_open(struct shunt_platform *platform, const char *path)
{
	struct inject *inject = (struct inject *)platform;
	int ret = gate(inject, INJECT_OPEN, "open");

	return ret ? ret : inject->below->ops->open(inject->below, path);
}

static int inject_close(struct shunt_platform *platform, int fd)
{
	struct inject *inject = (struct inject *)platform;

	count_call(inject, INJECT_CLOSE);
	return inject->below->ops->close(inject->below, fd);
}

static void note_request(struct inject *inject, const struct vfio_irq_set *set)
{
	if (set->index == VFIO_PCI_REQ_IRQ_INDEX && set->count)
		memcpy(&inject->request, set->data, sizeof(inject->request));
}

static int inject_ioctl(struct shunt_platform *platform, int fd, unsigned long request, void *arg)
{
	struct inject *inject = (struct inject *)platform;
	const char *name = inject_request_name(request);
	char number[CALL_NAME];
	int ret;

	snprintf(number, sizeof(number), "ioctl 0x%lx", request);
	ret = gate(inject, INJECT_IOCTL, name ? name : number);
	if (!ret && request == VFIO_DEVICE_SET_IRQS)
		note_request(inject, arg);
	return ret ? ret : inject->below->ops->ioctl(inject->below, fd, request, arg);
}

static int inject_map(
	struct shunt_platform *platform, int fd, uint64_t offset, size_t length, void **addr)
{
	struct inject *inject = (struct inject *)platform;
	int ret = gate(inject, INJECT_MAP, "map");

	return ret ? ret : inject->below->ops->map(inject->below, fd, offset, length, addr);
}

static int inject_unmap(struct shunt_platform *platform, void *addr, size_t length)
{
	struct inject *inject = (struct inject *)platform;

	count_call(inject, INJECT_UNMAP);
	return inject->below->ops->unmap(inject->below, addr, length);
}

static void was_read(struct inject *inject, uint64_t offset)
{
	void (*then)(void *context) = NULL;

	pthread_mutex_lock(&inject->lock);
	if (inject->then && offset == inject->then_reg) {
		then = inject->then;
		inject->then = NULL;
	}
	pthread_mutex_unlock(&inject->lock);
	if (then)
		then(inject->then_context);
}

static int inject_read(
	struct shunt_platform *platform, int fd, uint64_t offset, void *buf, size_t length)
{
	struct inject *inject = (struct inject *)platform;
	int ret = gate(inject, INJECT_READ, "read");

	if (ret)
		return ret;
	if (is_absent(inject))
		memset(buf, 0xff, length);
	else
		ret = inject->below->ops->read(inject->below, fd, offset, buf, length);
	was_read(inject, offset);
	return ret;
}

static int inject_write(
	struct shunt_platform *platform, int fd, uint64_t offset, const void *buf, size_t length)
{
	struct inject *inject = (struct inject *)platform;
	int ret = gate(inject, INJECT_WRITE, "write");

	if (ret || !is_absent(inject))
		return ret ? ret
			   : inject->below->ops->write(inject->below, fd, offset, buf, length);
	return 0;
}

static int inject_watch(struct shunt_platform *platform, const char *function)
{
	struct inject *inject = (struct inject *)platform;

	return inject->below->ops->watch(inject->below, function);
}

static int inject_faults(
	struct shunt_platform *platform, struct shunt_fault *records, unsigned int n)
{
	struct inject *inject = (struct inject *)platform;

	count_call(inject, INJECT_FAULTS);
	return inject->below->ops->faults(inject->below, records, n);
}

static uint64_t inject_time(struct shunt_platform *platform)
{
	return shunt_wait_time(((struct inject *)platform)->below);
}

static void inject_info(
	struct shunt_platform *platform, const char *function, struct shunt_platform_info *info)
{
	struct inject *inject = (struct inject *)platform;

	inject->below->ops->info(inject->below, function, info);
}

/* The wrapper ends with inject_destroy(), when the test has read what it counted. */
static void inject_platform_destroy(struct shunt_platform *platform)
{
}

static const struct shunt_platform_ops inject_ops = {
	.open = inject_open,
	.close = inject_close,
	.ioctl = inject_ioctl,
	.map = inject_map,
	.unmap = inject_unmap,
	.read = inject_read,
	.write = inject_write,
	.watch = inject_watch,
	.faults = inject_faults,
	.time = inject_time,
	.info = inject_info,
	.destroy = inject_platform_destroy,
};

int inject_create(struct shunt_platform *below, struct inject **inject)
{
	struct inject *created = calloc(1, sizeof(*created));

	if (!created)
		return -ENOMEM;
	created->platform.ops = &inject_ops;
	created->platform.name = below->name;
	created->platform.sysfs = below->sysfs;
	created->below = below;
	pthread_mutex_init(&created->lock, NULL);
	*inject = created;
	return 0;
}

void inject_destroy(struct inject *inject)
{
	if (!inject)
		return;
	pthread_mutex_destroy(&inject->lock);
	free(inject);
}

struct shunt_platform *inject_platform(struct inject *inject)
{
	return &inject->platform;
}

void inject_fail(struct inject *inject, const char *call, uint64_t nth, uint64_t count, int err)
{
	pthread_mutex_lock(&inject->lock);
	snprintf(inject->only, sizeof(inject->only), "%s", call ? call : "");
	inject->first = nth;
	inject->count = count;
	inject->err = err;
	inject->matching = 0;
	inject->failures = 0;
	inject->failed_call[0] = '\0';
	inject->armed = true;
	pthread_mutex_unlock(&inject->lock);
}

void inject_absent(struct inject *inject, bool absent)
{
	pthread_mutex_lock(&inject->lock);
	inject->absent = absent;
	pthread_mutex_unlock(&inject->lock);
}

void inject_after_read(
	struct inject *inject, uint32_t reg, void (*then)(void *context), void *context)
{
	pthread_mutex_lock(&inject->lock);
	inject->then_reg = reg;
	inject->then = then;
	inject->then_context = context;
	pthread_mutex_unlock(&inject->lock);
}

void inject_request(struct inject *inject)
{
	eventfd_write(inject->request, 1);
}

void inject_stop(struct inject *inject)
{
	pthread_mutex_lock(&inject->lock);
	inject->armed = false;
	pthread_mutex_unlock(&inject->lock);
}

uint64_t inject_failures(struct inject *inject)
{
	uint64_t failures;

	pthread_mutex_lock(&inject->lock);
	failures = inject->failures;
	pthread_mutex_unlock(&inject->lock);
	return failures;
}

const char *inject_failed_call(struct inject *inject)
{
	return inject_failures(inject) ? inject->failed_call : "";
}

uint64_t inject_calls(struct inject *inject, enum inject_op op)
{
	uint64_t calls;

	pthread_mutex_lock(&inject->lock);
	calls = inject->calls[op];
	pthread_mutex_unlock(&inject->lock);
	return calls;
}

uint64_t inject_fallible_calls(struct inject *inject)
{
	return inject_calls(inject, INJECT_OPEN) + inject_calls(inject, INJECT_IOCTL) +
	       inject_calls(inject, INJECT_MAP) + inject_calls(inject, INJECT_READ) +
	       inject_calls(inject, INJECT_WRITE);
}
