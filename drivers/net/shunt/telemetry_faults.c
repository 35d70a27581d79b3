/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "shunt_clock.h"
#include "shunt_error.h"
#include "telemetry.h"

#define SHOWN 48 /* telemetry's answers have 16 KiB */

static void add_record(const struct shunt_fault *record, uint64_t now, struct answer row)
{
	char iova[24];

	snprintf(iova, sizeof(iova), "0x%" PRIx64, record->iova);
	answer_count(row, "ago_ns", shunt_clock_to_ns(now - record->time));
	answer_text(row, "observer", record->observer);
	answer_text(row, "function", record->function[0] ? record->function : "unknown");
	if (!record->function[0])
		return;
	answer_text(row, "iova", iova);
	answer_text(row, "access", record->write ? "write" : "read");
	answer_count(row, "reason", record->reason);
}

static int begin(struct shunt_context *context)
{
	struct context_group *entry;

	TAILQ_FOREACH (entry, &context->groups, next)
		shunt_context_observe(context, entry);
	if (context->faults)
		return 0;
	return shunt_fail(-ENOTSUP, "nobody counts faults here, or the application does it itself");
}

/* Takes in what came since; a total that is not known says nothing against the records. */
static void take_in(struct shunt_context *context)
{
	struct context_group *entry = TAILQ_FIRST(&context->groups);
	struct shunt_member_info members[SHUNT_GROUP_MAX_MEMBERS];

	if (entry && shunt_group_list(entry->group, members))
		shunt_fault_log_total(context->faults, members[0].function);
}

int telemetry_faults(struct shunt_context *context, const struct words *words, struct answer answer)
{
	struct shunt_fault *records;
	unsigned int count, first;
	struct answer rows;
	uint64_t now;
	int ret = begin(context);

	if (ret)
		return ret;
	records = calloc(SHUNT_FAULT_LOG_KEPT, sizeof(*records));
	if (!records)
		return shunt_fail(-ENOMEM, "fault records: out of memory");
	take_in(context);
	now = shunt_clock_now();
	count = shunt_fault_log_records(
		context->faults, 0, UINT64_MAX, records, SHUNT_FAULT_LOG_KEPT);
	count = RTE_MIN(count, (unsigned int)SHUNT_FAULT_LOG_KEPT);
	first = count > SHOWN ? count - SHOWN : 0;
	answer_count(answer, "records", count);
	rows = answer_object(answer, "last");
	for (unsigned int i = first; i < count; i++)
		add_record(&records[i], now, answer_nth(rows, i));
	free(records);
	return 0;
}
