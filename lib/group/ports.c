/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "members.h"

void failure_note(struct failure *failure, int ret)
{
	size_t used = strlen(failure->why);

	if (!ret)
		return;
	snprintf(failure->why + used, sizeof(failure->why) - used, "%s%s", used ? "; and " : "",
		shunt_errmsg());
	failure->ret = failure->ret ? failure->ret : ret;
}

int failure_report(const struct failure *failure)
{
	return failure->ret ? shunt_fail(failure->ret, "%s", failure->why) : 0;
}

const char *member_say(const struct member *member, char text[MEMBER_TEXT])
{
	const bool named = member->driver[0];

	snprintf(text, MEMBER_TEXT, "%s%s%s%s", member->device->function, named ? " (" : "",
		member->driver, named ? ")" : "");
	return text;
}

const struct shunt_port_ops member_no_ops;

const struct member *members_without_pause(const struct shunt_group *group)
{
	for (unsigned int i = 0; i < group->count; i++)
		if (!group->members[i].ops->pause)
			return &group->members[i];
	return NULL;
}

const struct member *members_run_on(const struct shunt_group *group)
{
	for (unsigned int i = 0; i < group->count; i++) {
		const struct member *member = &group->members[i];

		if (member->ops != &member_no_ops && !member->ops->pause)
			return member;
	}
	return NULL;
}

/*
 * Stopping takes longer than pausing by orders of magnitude. Where some ports cannot pause, only
 * those are stopped. Where all can pause, all are stopped: the plan was asked for.
 */
static enum shunt_halt halt_of(
	const struct shunt_group *group, enum shunt_plan plan, const struct member *member)
{
	switch (plan) {
	case SHUNT_PLAN_QUIESCE:
		return SHUNT_HALT_PAUSE;
	case SHUNT_PLAN_STOP_REPLACE_START:
		return member->ops->pause && members_without_pause(group) ? SHUNT_HALT_PAUSE
									  : SHUNT_HALT_STOP;
	case SHUNT_PLAN_RESTART:
		return SHUNT_HALT_STOP;
	default:
		return SHUNT_HALT_NONE;
	}
}

int ports_able(const struct shunt_group *group, enum shunt_plan plan)
{
	char name[MEMBER_TEXT];

	for (unsigned int i = 0; i < group->count; i++) {
		const struct member *member = &group->members[i];
		const enum shunt_halt halt = halt_of(group, plan, member);

		if (halt == SHUNT_HALT_PAUSE && !member->ops->pause)
			return shunt_fail(-EOPNOTSUPP, "%s cannot pause its DMA: use %s",
				member_say(member, name),
				member->ops->stop ? "stop-replace-start" : "another plan");
		if (halt == SHUNT_HALT_STOP && !member->ops->stop)
			return shunt_fail(-EOPNOTSUPP,
				"%s cannot be stopped by its group: use another plan",
				member_say(member, name));
	}
	return 0;
}

static int halt_each(
	struct shunt_group *group, struct shunt_switch_result *result, enum shunt_halt halt)
{
	int ret = 0;

	for (unsigned int i = 0; i < group->count && !ret; i++) {
		const struct member *member = &group->members[i];
		struct shunt_switch_member *row = &result->members[i];

		if (halt_of(group, result->plan, member) != halt)
			continue;
		row->halt = halt;
		row->pause_start = shunt_clock_now();
		ret = halt == SHUNT_HALT_STOP ? member->ops->stop(member->port)
					      : member->ops->pause(member->port);
	}
	return ret;
}

static int drain_each(const struct shunt_group *group, const struct shunt_switch_result *result)
{
	int ret = 0;

	for (unsigned int i = 0; i < group->count && !ret; i++)
		if (result->members[i].halt == SHUNT_HALT_PAUSE)
			ret = group->members[i].ops->drain(group->members[i].port);
	return ret;
}

/* Stops come first: ports that will be paused run on meanwhile. */
int ports_halt(struct shunt_group *group, struct shunt_switch_result *result)
{
	int ret = halt_each(group, result, SHUNT_HALT_STOP);

	if (!ret)
		ret = halt_each(group, result, SHUNT_HALT_PAUSE);
	return ret ? ret : drain_each(group, result);
}

static void go_on(struct shunt_group *group, struct shunt_switch_result *result, unsigned int i,
	enum shunt_halt halt, struct failure *failure)
{
	const struct member *member = &group->members[i];
	struct shunt_switch_member *row = &result->members[i];

	if (row->halt != halt)
		return;
	if (member->hwpt_id)
		failure_note(failure, halt == SHUNT_HALT_STOP ? member->ops->start(member->port)
							      : member->ops->resume(member->port));
	row->pause_end = shunt_clock_now();
}

static bool paused_keep_frames(
	const struct shunt_group *group, const struct shunt_switch_result *result)
{
	for (unsigned int i = 0; i < group->count; i++) {
		const struct member *member = &group->members[i];

		if (result->members[i].halt == SHUNT_HALT_PAUSE &&
			!(member->ops->keeps_frames && member->ops->keeps_frames(member->port)))
			return false;
	}
	return true;
}

/*
 * Ports that keep arriving frames resume in the order in which they were paused: otherwise the
 * first one waits longest at both ends.
 *
 * Other ports resume in reverse order, because of QEMU. There ports share a segment. Frames for the
 * port that was paused first wait at that port; once all are paused, later frames wait at the
 * sender. QEMU delivers those as soon as any port resumes. If that is the first one, they overtake
 * the frames that waited at the port.
 */
static void go_on_each(struct shunt_group *group, struct shunt_switch_result *result,
	enum shunt_halt halt, struct failure *failure)
{
	const bool forward = halt == SHUNT_HALT_PAUSE && paused_keep_frames(group, result);

	for (unsigned int i = 0; i < group->count; i++)
		go_on(group, result, forward ? i : group->count - 1 - i, halt, failure);
}

/* The port ran under the plan: pauses it, or stops it where it cannot pause. */
static int halt_detached(const struct member *member, struct shunt_switch_member *row)
{
	int ret;

	if (!member->ops->pause && !member->ops->stop)
		return 0;
	row->pause_start = shunt_clock_now();
	row->halt = member->ops->pause ? SHUNT_HALT_PAUSE : SHUNT_HALT_STOP;
	ret = member->ops->pause ? member->ops->pause(member->port)
				 : member->ops->stop(member->port);
	return ret || !member->ops->pause ? ret : member->ops->drain(member->port);
}

/* Paused ports resume before stopped ones are started, which takes longer. */
int ports_go_on(struct shunt_group *group, struct shunt_switch_result *result)
{
	struct failure failure = { 0 };

	for (unsigned int i = 0; i < group->count; i++)
		if (!group->members[i].hwpt_id && result->members[i].halt == SHUNT_HALT_NONE)
			failure_note(
				&failure, halt_detached(&group->members[i], &result->members[i]));
	go_on_each(group, result, SHUNT_HALT_PAUSE, &failure);
	go_on_each(group, result, SHUNT_HALT_STOP, &failure);
	return failure_report(&failure);
}

void ports_hold(struct shunt_group *group)
{
	for (unsigned int i = 0; i < group->count; i++)
		if (group->members[i].ops->hold)
			group->members[i].ops->hold(group->members[i].port);
}

void ports_release(struct shunt_group *group)
{
	for (unsigned int i = group->count; i-- > 0;)
		if (group->members[i].ops->release)
			group->members[i].ops->release(group->members[i].port);
}

static int64_t ask_observer(struct shunt_group *group, const struct member *member)
{
	if (!group->observer)
		return -ENOTSUP;
	return group->observer(group->observer_context, member->device->function);
}

void ports_take_late_faults(struct shunt_group *group, struct shunt_switch_result *result)
{
	for (unsigned int i = 0; i < group->count; i++)
		result->members[i].faults_late = ask_observer(group, &group->members[i]);
}

/*
 * Makes the port run again. A failed call may have left it half recovered, so there is a second
 * attempt. The error of the first is reported even if the second works.
 */
static int recover(const struct member *member, enum shunt_suspicion suspicion,
	struct shunt_switch_member *row)
{
	char why[600];
	int ret;

	ret = member->ops->recover(member->port, suspicion, &row->recovery);
	if (!ret)
		return 0;
	snprintf(why, sizeof(why), "%s", shunt_errmsg());
	row->down = member->ops->recover(member->port, SHUNT_SUSPICION_FAULT, &row->recovery) != 0;
	if (row->down)
		return shunt_fail_while(ret, "%s; and in a second attempt", why);
	return shunt_fail(ret, "%s; it runs after a second attempt", why);
}

bool ports_run(const struct shunt_switch_result *result)
{
	for (unsigned int i = 0; i < result->member_count; i++)
		if (result->members[i].down)
			return false;
	return true;
}

/* After a pause every queue runs that ran before: otherwise resume has failed. */
static enum shunt_suspicion suspicion(const struct shunt_switch_member *row)
{
	if (row->faults || row->faults_late > 0)
		return SHUNT_SUSPICION_FAULT;
	return row->halt == SHUNT_HALT_PAUSE ? SHUNT_SUSPICION_NONE : SHUNT_SUSPICION_SOME;
}

int ports_recover(struct shunt_group *group, struct shunt_switch_result *result)
{
	struct failure failure = { 0 };

	for (unsigned int i = 0; i < group->count; i++) {
		struct member *member = &group->members[i];
		struct shunt_switch_member *row = &result->members[i];

		row->faults = ask_observer(group, member);
		if (member->ops->recover && member->hwpt_id)
			failure_note(&failure, recover(member, suspicion(row), row));
	}
	return failure_report(&failure);
}

static void count(struct shunt_member_counts *counts, const struct shunt_switch_result *result,
	const struct shunt_switch_member *row)
{
	if (result->rolled_back || row->hwpt_id != result->to_hwpt)
		counts->failed++;
	else
		counts->switches++;
	if (row->faults > 0)
		counts->faults += (uint64_t)row->faults;
	else
		counts->unknown += row->faults < 0;
	counts->recoveries += shunt_recovery_any(&row->recovery);
	counts->halted_last = row->pause_start ? row->pause_end - row->pause_start : 0;
	if (counts->halted_last > counts->halted_max)
		counts->halted_max = counts->halted_last;
}

void ports_tell(struct shunt_group *group, const struct shunt_switch_result *result)
{
	for (unsigned int i = 0; i < group->count; i++) {
		struct member *member = &group->members[i];

		count(&member->counts, result, &result->members[i]);
		if (member->ops->switched)
			member->ops->switched(member->port, result, &result->members[i]);
	}
}

unsigned int ports_check(
	struct shunt_group *group, struct shunt_switch_result *result, struct failure *failure)
{
	unsigned int recovered = 0;

	for (unsigned int i = 0; i < group->count; i++) {
		struct member *member = &group->members[i];
		struct shunt_switch_member *row = &result->members[i];

		if (member->ops->recover && member->hwpt_id)
			failure_note(failure, recover(member, SHUNT_SUSPICION_SOME, row));
		recovered += shunt_recovery_any(&row->recovery);
		member->counts.recoveries += shunt_recovery_any(&row->recovery);
	}
	return recovered;
}
