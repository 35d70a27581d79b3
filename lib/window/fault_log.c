/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shunt_error.h"
#include "shunt_fault_log.h"

#define BATCH 64

struct function {
	char address[16];
	int64_t total;
	int64_t asked; /* total when last asked */
};

struct shunt_fault_log {
	struct shunt_platform *platform;
	pthread_mutex_t lock;
	int state; /* 0; -ENOTSUP or another reason why counts cannot be trusted */
	struct function *functions;
	size_t count;
};

static struct function *find(struct shunt_fault_log *log, const char *address)
{
	for (size_t i = 0; i < log->count; i++)
		if (strcmp(log->functions[i].address, address) == 0)
			return &log->functions[i];
	return NULL;
}

static void drain(struct shunt_fault_log *log)
{
	struct shunt_fault records[BATCH];
	struct function *function;
	int n;

	do {
		n = log->platform->ops->faults(log->platform, records, BATCH);
		if (n < 0)
			log->state = n;
		for (int i = 0; i < n; i++) {
			function = find(log, records[i].function);
			if (function)
				function->total++;
		}
	} while (n == BATCH);
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
	int ret = 0;

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

static int64_t count(struct shunt_fault_log *log, const char *address, bool since)
{
	struct function *function;
	int64_t answer;

	pthread_mutex_lock(&log->lock);
	drain(log);
	function = find(log, address);
	if (log->state) {
		answer = log->state;
	} else if (!function) {
		answer = -ENOENT;
	} else {
		answer = since ? function->total - function->asked : function->total;
		if (since)
			function->asked = function->total;
	}
	pthread_mutex_unlock(&log->lock);
	return answer;
}

int64_t shunt_fault_log_since(void *log, const char *function)
{
	return count(log, function, true);
}

int64_t shunt_fault_log_total(struct shunt_fault_log *log, const char *function)
{
	return count(log, function, false);
}
