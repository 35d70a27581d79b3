/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <shunt/error.h>
#include <shunt/evidence.h>

#include "forward.h"

#define STALLED 8 /* times the shortest ioctl: the thread lost its processor */

static uint64_t moving_time(const struct shunt_switch_result *result)
{
	return result->members[0].ioctl_end - result->members[0].ioctl_start;
}

static struct shunt_evidence_seen *seen_of(
	struct forward_evidence *evidence, const struct shunt_switch_result *result)
{
	return &evidence->seen.seen[result->hwpt_kind][evidence->traffic];
}

void forward_evidence_switch(
	struct forward_evidence *evidence, const struct shunt_switch_result *result)
{
	struct shunt_evidence_seen *seen = seen_of(evidence, result);
	enum shunt_outcome outcome = shunt_switch_outcome(result);

	if (result->plan != SHUNT_PLAN_REPLACE)
		return;
	/* All switches of a run use one plan, so these are faults of the replace before. */
	if (evidence->replaces && shunt_switch_late_faults(result)) {
		seen->switches++;
		seen->faulted++;
	}
	evidence->replaces++;
	if (!result->error && (!evidence->shortest || moving_time(result) < evidence->shortest))
		evidence->shortest = moving_time(result);
	if (outcome < SHUNT_OUTCOME_UNKNOWN)
		return;
	seen->switches++;
	seen->faulted += outcome == SHUNT_OUTCOME_FAULTED;
	seen->unknown += outcome == SHUNT_OUTCOME_UNKNOWN;
}

static bool met_traffic(const struct forward_evidence *evidence,
	const struct shunt_measurement *measurement, const struct forward_cold_first *first)
{
	const struct shunt_switch_member *member = &measurement->result->members[0];
	const uint64_t time = moving_time(measurement->result);

	if (measurement->lost || measurement->window)
		return false;
	if (!first)
		return measurement->uncertainty < RTE_MIN(time, 2 * evidence->shortest);
	return time <= STALLED * evidence->shortest && first->stamp >= member->ioctl_start &&
	       first->left <= member->ioctl_end;
}

void forward_evidence_measured(struct forward_evidence *evidence,
	const struct shunt_measurement *measurement, const struct forward_cold_first *first)
{
	const struct shunt_switch_result *result = measurement->result;
	const uint32_t all = (uint32_t)((1ull << result->member_count) - 1);
	unsigned int place = measurement->number % FORWARD_EVIDENCE_HISTORY;

	if (result->plan != SHUNT_PLAN_REPLACE ||
		shunt_switch_outcome(result) != SHUNT_OUTCOME_CLEAN ||
		!met_traffic(evidence, measurement, first))
		return;
	if (evidence->met[place].number != measurement->number) {
		evidence->met[place].number = measurement->number;
		evidence->met[place].ports = 0;
	}
	evidence->met[place].ports |= 1u << measurement->port;
	if (evidence->met[place].ports == all)
		seen_of(evidence, result)->switches++;
}

struct shunt_evidence_seen forward_evidence_sum(const struct forward_evidence *evidence)
{
	struct shunt_evidence_seen sum = { 0 };

	for (unsigned int kind = 0; kind < SHUNT_HWPT_KINDS; kind++) {
		const struct shunt_evidence_seen *seen =
			&evidence->seen.seen[kind][evidence->traffic];

		sum.switches += seen->switches;
		sum.faulted += seen->faulted;
		sum.unknown += seen->unknown;
	}
	return sum;
}

int forward_evidence_keep(
	struct forward_evidence *evidence, const struct shunt_platform_info *info, bool sound)
{
	for (unsigned int kind = 0; kind < SHUNT_HWPT_KINDS; kind++) {
		struct shunt_evidence_seen *seen = &evidence->seen.seen[kind][evidence->traffic];

		if (!info->fault_observers[0])
			seen->unknown = seen->switches - seen->faulted;
		if (!sound)
			seen->switches = seen->faulted + seen->unknown;
	}
	return evidence->path[0] ? shunt_evidence_add(evidence->path, &evidence->seen) : 0;
}

/* The file: none if the run has no use for it, or if sim is not given one. */
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

/* A run can do without the default file, unless auto depends on it. */
static int open_file(const struct forward_config *config, struct forward_evidence *evidence,
	struct shunt_evidence *known)
{
	const struct forward_options *options = config->options;
	int ret;

	ret = find_file(options, evidence->path, sizeof(evidence->path));
	if (!ret && evidence->path[0])
		ret = shunt_evidence_read(evidence->path, &config->info, known);
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

int forward_evidence_open(const struct forward_config *config, const struct forward_ports *ports,
	struct forward_measurement *measurement)
{
	struct shunt_evidence known;
	int ret;

	shunt_evidence_init(&config->info, &known);
	measurement->evidence.seen = known;
	if (config->options->cold_ns)
		measurement->evidence.traffic = SHUNT_EVIDENCE_COLD;
	measurement->taken = config->options->plan;
	ret = open_file(config, &measurement->evidence, &known);
	if (ret)
		return ret;
	shunt_group_evidence(ports->group, &known);
	if (config->options->plan != SHUNT_PLAN_AUTO)
		return 0;
	return shunt_group_choose(
		ports->group, ports->spaces[1], &measurement->taken, measurement->why);
}
