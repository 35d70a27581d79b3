/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "telemetry.h"

#define SHOWN 48 /* telemetry's answers have 16 KiB */

static void add_record(const struct shunt_fault *record, uint64_t now, struct telemetry_reply row)
{
	char iova[24];

	snprintf(iova, sizeof(iova), "0x%" PRIx64, record->iova);
	reply_count(row, "ago_ns", shunt_clock_to_ns(now - record->time));
	reply_text(row, "observer", record->observer);
	reply_text(row, "function", record->function);
	reply_text(row, "iova", iova);
	reply_text(row, "access", record->write ? "write" : "read");
	reply_count(row, "reason", record->reason);
}

static int begin(struct shunt_context *context)
{
	struct context_group *entry;

	TAILQ_FOREACH (entry, &context->groups, next)
		shunt_context_observe_faults(context, entry);
	if (context->faults)
		return 0;
	return shunt_fail(
		-ENOTSUP, "faults are not counted here, or the application counts them itself");
}

int telemetry_faults(
	struct shunt_context *context, const struct words *words, struct telemetry_reply reply)
{
	struct shunt_fault *records;
	unsigned int count, first;
	struct telemetry_reply rows;
	uint64_t now;
	int ret = begin(context);

	if (ret)
		return ret;
	records = calloc(SHUNT_FAULT_LOG_KEPT, sizeof(*records));
	if (!records)
		return shunt_fail(-ENOMEM, "fault records: out of memory");
	count = shunt_fault_log_records(
		context->faults, 0, UINT64_MAX, records, SHUNT_FAULT_LOG_KEPT);
	now = shunt_clock_now(); /* after the last of them */
	count = RTE_MIN(count, (unsigned int)SHUNT_FAULT_LOG_KEPT);
	first = count > SHOWN ? count - SHOWN : 0;
	reply_count(reply, "records", count);
	rows = reply_object(reply, "last");
	for (unsigned int i = first; i < count; i++)
		add_record(&records[i], now, reply_nth(rows, i));
	free(records);
	return 0;
}
