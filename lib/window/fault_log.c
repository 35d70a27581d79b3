/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/error.h>
#include <shunt/evidence.h>

#define BATCH     64
#define OBSERVERS 8

struct function {
	char address[16];
	uint64_t seen[OBSERVERS]; /* records of each observer */
	uint64_t asked;           /* largest of these when last asked */
	uint64_t blind;           /* times its status was unknown */
	uint64_t blind_asked;     /* and when last asked */
	int why;                  /* the last of them: a negative errno */
};

struct shunt_fault_log {
	struct shunt_platform *platform;
	pthread_mutex_t lock;
	char observers[OBSERVERS][sizeof(((struct shunt_fault *)NULL)->observer)];
	struct function *functions;
	size_t count;
	struct shunt_fault kept[SHUNT_FAULT_LOG_KEPT];
	uint64_t taken; /* records in all */
};

static struct function *find(struct shunt_fault_log *log, const char *address)
{
	for (size_t i = 0; i < log->count; i++)
		if (strcmp(log->functions[i].address, address) == 0)
			return &log->functions[i];
	return NULL;
}

static void blind(struct function *function, int why)
{
	function->blind++;
	function->why = why;
}

/* Index of an observer; the last one is shared by those that find no room. */
static unsigned int observer_index(struct shunt_fault_log *log, const char *name)
{
	unsigned int i;

	for (i = 0; i < OBSERVERS - 1; i++) {
		if (strcmp(log->observers[i], name) == 0)
			break;
		if (!log->observers[i][0]) {
			snprintf(log->observers[i], sizeof(log->observers[i]), "%s", name);
			break;
		}
	}
	return i;
}

static void take_in(struct shunt_fault_log *log, const struct shunt_fault *record)
{
	struct function *function = find(log, record->function);

	if (record->unknown) {
		if (function)
			blind(function, -EOVERFLOW);
		return;
	}
	log->kept[log->taken++ % SHUNT_FAULT_LOG_KEPT] = *record;
	if (function)
		function->seen[observer_index(log, record->observer)]++;
}

static void drain(struct shunt_fault_log *log)
{
	struct shunt_fault records[BATCH];
	bool lost = false, more;
	int n;

	do {
		n = log->platform->ops->faults(log->platform, records, BATCH);
		more = n == BATCH || (n == -EOVERFLOW && !lost);
		lost = n == -EOVERFLOW;
		for (size_t i = 0; n < 0 && i < log->count; i++)
			blind(&log->functions[i], n);
		for (int i = 0; i < n; i++)
			take_in(log, &records[i]);
	} while (more);
}

int shunt_fault_log_create(struct shunt_platform *platform, struct shunt_fault_log **log)
{
	struct shunt_fault_log *made = calloc(1, sizeof(*made));

	if (!made)
		return shunt_fail(-ENOMEM, "fault log: out of memory");
	made->platform = platform;
	pthread_mutex_init(&made->lock, NULL);
	drain(made);
	*log = made;
	return 0;
}

void shunt_fault_log_destroy(struct shunt_fault_log *log)
{
	if (!log)
		return;
	pthread_mutex_destroy(&log->lock);
	free(log->functions);
	free(log);
}

int shunt_fault_log_add(struct shunt_fault_log *log, const char *function)
{
	struct function *functions;
	int ret;

	ret = log->platform->ops->watch(log->platform, function);
	if (ret)
		return ret;
	pthread_mutex_lock(&log->lock);
	functions = realloc(log->functions, (log->count + 1) * sizeof(*functions));
	if (functions)
		log->functions = functions;
	if (!functions) {
		ret = shunt_fail(-ENOMEM, "fault log: out of memory");
	} else if (find(log, function)) {
		ret = shunt_fail(-EEXIST, "fault log: %s is in it already", function);
	} else {
		functions[log->count] = (struct function){ 0 };
		snprintf(functions[log->count].address, sizeof(functions[0].address), "%s",
			function);
		log->count++;
	}
	pthread_mutex_unlock(&log->lock);
	return ret;
}

static uint64_t largest(const struct function *function)
{
	uint64_t most = 0;

	for (unsigned int i = 0; i < OBSERVERS; i++)
		if (function->seen[i] > most)
			most = function->seen[i];
	return most;
}

static int64_t answer(const struct function *function, uint64_t count, uint64_t blind_before)
{
	if (count)
		return (int64_t)count;
	return function->blind != blind_before ? function->why : 0;
}

int64_t shunt_fault_log_since(void *context, const char *address)
{
	struct shunt_fault_log *log = context;
	struct function *function;
	int64_t count = -ENOENT;
	uint64_t most;

	pthread_mutex_lock(&log->lock);
	drain(log);
	function = find(log, address);
	if (function) {
		/* An observer that tells later than another one adds nothing: totals compare. */
		most = largest(function);
		count = answer(function, most - function->asked, function->blind_asked);
		function->asked = most;
		function->blind_asked = function->blind;
	}
	pthread_mutex_unlock(&log->lock);
	return count;
}

int64_t shunt_fault_log_total(struct shunt_fault_log *log, const char *address)
{
	const struct function *function;
	int64_t count = -ENOENT;

	pthread_mutex_lock(&log->lock);
	drain(log);
	function = find(log, address);
	if (function)
		count = answer(function, largest(function), 0);
	pthread_mutex_unlock(&log->lock);
	return count;
}

unsigned int shunt_fault_log_records(struct shunt_fault_log *log, uint64_t from, uint64_t to,
	struct shunt_fault *records, unsigned int n)
{
	unsigned int found = 0;
	uint64_t i;

	pthread_mutex_lock(&log->lock);
	drain(log);
	i = log->taken > SHUNT_FAULT_LOG_KEPT ? log->taken - SHUNT_FAULT_LOG_KEPT : 0;
	for (; i < log->taken; i++) {
		const struct shunt_fault *record = &log->kept[i % SHUNT_FAULT_LOG_KEPT];

		if (record->time < from || record->time > to)
			continue;
		if (found < n)
			records[found] = *record;
		found++;
	}
	pthread_mutex_unlock(&log->lock);
	return found;
}
