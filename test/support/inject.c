/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inject.h"

#define CALL_NAME 64

struct inject {
	struct shunt_platform platform;
	struct shunt_platform *below;
	pthread_mutex_t lock; /* the members below */
	bool armed;
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

static int inject_ioctl(struct shunt_platform *platform, int fd, unsigned long request, void *arg)
{
	struct inject *inject = (struct inject *)platform;
	const char *name = inject_request_name(request);
	char number[CALL_NAME];
	int ret;

	snprintf(number, sizeof(number), "ioctl 0x%lx", request);
	ret = gate(inject, INJECT_IOCTL, name ? name : number);
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

static int inject_read(
	struct shunt_platform *platform, int fd, uint64_t offset, void *buf, size_t length)
{
	struct inject *inject = (struct inject *)platform;
	int ret = gate(inject, INJECT_READ, "read");

	return ret ? ret : inject->below->ops->read(inject->below, fd, offset, buf, length);
}

static int inject_write(
	struct shunt_platform *platform, int fd, uint64_t offset, const void *buf, size_t length)
{
	struct inject *inject = (struct inject *)platform;
	int ret = gate(inject, INJECT_WRITE, "write");

	return ret ? ret : inject->below->ops->write(inject->below, fd, offset, buf, length);
}

static int inject_faults(
	struct shunt_platform *platform, struct shunt_fault *records, unsigned int n)
{
	struct inject *inject = (struct inject *)platform;

	count_call(inject, INJECT_FAULTS);
	return inject->below->ops->faults(inject->below, records, n);
}

static void inject_info(struct shunt_platform *platform, struct shunt_platform_info *info)
{
	struct inject *inject = (struct inject *)platform;

	inject->below->ops->info(inject->below, info);
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
	.faults = inject_faults,
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
