/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <limits.h>

#include <shunt/error.h>
#include <shunt/evidence.h>

#include "context.h"

/* Ports may have joined since the last time. */
static int add_functions(struct shunt_context *context)
{
	struct shunt_member_info members[SHUNT_GROUP_MAX_MEMBERS];
	struct context_group *entry;
	unsigned int count;
	int ret = 0;

	TAILQ_FOREACH (entry, &context->groups, next) {
		count = shunt_group_list(entry->group, members);
		for (unsigned int i = 0; i < count && (!ret || ret == -EEXIST); i++)
			ret = shunt_fault_log_add(context->faults, members[i].function);
	}
	return ret == -EEXIST ? 0 : ret;
}

/* Evidence about the group's own IOMMU: a group has one. */
static int read_evidence(
	struct shunt_context *context, struct shunt_group *group, struct shunt_evidence *known)
{
	struct shunt_member_info members[SHUNT_GROUP_MAX_MEMBERS];
	struct shunt_platform_info info = { 0 };
	const char *function = shunt_group_list(group, members) ? members[0].function : NULL;
	char path[PATH_MAX];
	int ret;

	context->platform->ops->info(context->platform, function, &info);
	shunt_evidence_init(&info, known);
	if (context->sim)
		return 0; /* the software platform is no evidence about this machine */
	ret = shunt_evidence_path(path, sizeof(path));
	return ret ? ret : shunt_evidence_read(path, &info, known);
}

static void set_up_group(struct shunt_context *context, struct context_group *entry)
{
	struct shunt_evidence known;

	if (read_evidence(context, entry->group, &known))
		SHUNT_LOG(WARNING, "auto has no evidence: %s", shunt_errmsg());
	shunt_group_evidence(entry->group, &known);
	if (!context->faults && shunt_fault_log_create(context->platform, &context->faults))
		SHUNT_LOG(WARNING, "faults are not counted: %s", shunt_errmsg());
	else
		shunt_group_observe(entry->group, shunt_fault_log_since, context->faults);
	entry->known = true;
}

void shunt_context_observe_faults(struct shunt_context *context, struct context_group *entry)
{
	if (!entry->known && !shunt_group_observed(entry->group))
		set_up_group(context, entry);
	if (context->faults && add_functions(context))
		SHUNT_LOG(WARNING, "faults are not counted: %s", shunt_errmsg());
}

void shunt_context_save_evidence(
	struct shunt_context *context, const struct shunt_switch_result *result)
{
	struct shunt_platform_info info = { 0 };
	struct shunt_evidence seen;
	char path[PATH_MAX];
	int ret;

	if (context->sim || result->plan != SHUNT_PLAN_REPLACE ||
		shunt_switch_outcome(result) != SHUNT_OUTCOME_FAULTED)
		return;
	context->platform->ops->info(context->platform, result->members[0].function, &info);
	shunt_evidence_init(&info, &seen);
	seen.seen[result->hwpt_kind][SHUNT_EVIDENCE_OTHER].switches = 1;
	seen.seen[result->hwpt_kind][SHUNT_EVIDENCE_OTHER].faulted = 1;
	ret = shunt_evidence_path(path, sizeof(path));
	if (!ret)
		ret = shunt_evidence_add(path, &seen);
	if (ret)
		SHUNT_LOG(WARNING, "evidence that a replace faulted is not saved: %s",
			shunt_errmsg());
}
