/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "forward.h"
#include "shunt_error.h"

static uint64_t moving_time(const struct shunt_switch_result *result)
{
	return result->members[0].ioctl_end - result->members[0].ioctl_start;
}

void forward_evidence_switch(
	struct forward_evidence *evidence, const struct shunt_switch_result *result)
{
	struct shunt_evidence_seen *seen = &evidence->seen.seen[result->hwpt_kind];
	enum shunt_outcome outcome = shunt_switch_outcome(result);

	if (result->plan != SHUNT_PLAN_REPLACE)
		return;
	/* All switches of a run are of one plan: it was the replace before. */
	if (evidence->replaces && shunt_switch_late_faults(result)) {
		seen->switches++;
		seen->faulted++;
	}
	evidence->replaces++;
	if (!evidence->shortest || moving_time(result) < evidence->shortest)
		evidence->shortest = moving_time(result);
	if (outcome < SHUNT_OUTCOME_UNKNOWN)
		return;
	seen->switches++;
	seen->faulted += outcome == SHUNT_OUTCOME_FAULTED;
	seen->unknown += outcome == SHUNT_OUTCOME_UNKNOWN;
}

static bool met_traffic(
	const struct forward_evidence *evidence, const struct shunt_measurement *measurement)
{
	uint64_t time = RTE_MIN(moving_time(measurement->result), 2 * evidence->shortest);

	return !measurement->lost && !measurement->window && measurement->resolution < time;
}

void forward_evidence_measured(
	struct forward_evidence *evidence, const struct shunt_measurement *measurement)
{
	const struct shunt_switch_result *result = measurement->result;
	const uint32_t all = (uint32_t)((1ull << result->member_count) - 1);
	unsigned int place = measurement->number % FORWARD_EVIDENCE_HISTORY;

	if (result->plan != SHUNT_PLAN_REPLACE || result->rolled_back ||
		shunt_switch_outcome(result) != SHUNT_OUTCOME_CLEAN ||
		!met_traffic(evidence, measurement))
		return;
	if (evidence->met[place].number != measurement->number) {
		evidence->met[place].number = measurement->number;
		evidence->met[place].ports = 0;
	}
	evidence->met[place].ports |= 1u << measurement->port;
	if (evidence->met[place].ports == all)
		evidence->seen.seen[result->hwpt_kind].switches++;
}

int forward_evidence_keep(
	struct forward_evidence *evidence, const struct shunt_platform_info *info, bool sound)
{
	for (unsigned int kind = 0; kind < SHUNT_HWPT_KINDS; kind++) {
		struct shunt_evidence_seen *seen = &evidence->seen.seen[kind];

		if (!info->fault_observers[0])
			seen->unknown = seen->switches - seen->faulted;
		if (!sound)
			seen->switches = seen->faulted + seen->unknown;
	}
	return evidence->path[0] ? shunt_evidence_add(evidence->path, &evidence->seen) : 0;
}

/* The file; none where a run has no use for one, or names none on the software platform. */
static int find_file(const struct forward_options *options, char *path, size_t size)
{
	const bool useful = options->plan == SHUNT_PLAN_REPLACE || options->plan == SHUNT_PLAN_AUTO;

	path[0] = '\0';
	if (!useful || (!options->evidence && !options->kernel))
		return 0;
	if (!options->evidence)
		return shunt_evidence_path(path, size);
	if (strcmp(options->evidence, FORWARD_NO_EVIDENCE) == 0)
		return 0;
	if (snprintf(path, size, "%s", options->evidence) >= (int)size)
		return shunt_fail_errno(-ENAMETOOLONG, "--evidence");
	return 0;
}

/* Nobody asked for the default file: without it a run is as good, unless auto decides by it. */
static int open_file(struct forward *run, struct shunt_evidence *known)
{
	const struct forward_options *options = run->options;
	struct forward_evidence *evidence = &run->evidence;
	int ret;

	ret = find_file(options, evidence->path, sizeof(evidence->path));
	if (!ret && evidence->path[0])
		ret = shunt_evidence_read(evidence->path, &run->info, known);
	if (ret && (options->evidence || options->plan == SHUNT_PLAN_AUTO || ret == -EIO))
		return ret;
	if (!ret && evidence->path[0])
		ret = shunt_evidence_writable(evidence->path);
	if (ret && options->evidence)
		return ret;
	if (ret) {
		snprintf(evidence->refused, sizeof(evidence->refused), "%s", shunt_errmsg());
		evidence->path[0] = '\0';
	}
	return 0;
}

int forward_evidence_open(struct forward *run)
{
	struct shunt_evidence known;
	int ret;

	shunt_evidence_init(&run->info, &known);
	run->evidence.seen = known;
	run->taken = run->options->plan;
	ret = open_file(run, &known);
	if (ret)
		return ret;
	shunt_group_evidence(run->group, &known);
	if (run->options->plan != SHUNT_PLAN_AUTO)
		return 0;
	return shunt_group_choose(run->group, run->spaces[1], &run->taken, run->why);
}
