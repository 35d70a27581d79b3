/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>

#include "members.h"
#include "shunt_clock.h"
#include "shunt_error.h"

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
 * Stopping takes longer than pausing by orders of magnitude, so that a group in which not all can
 * pause stops no more ports than it has to. Where all can, who asks for stops gets them.
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

/* Ports that are to be paused run on while others are being stopped. */
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
 * Ports that keep the frames that arrive go on in the order in which they were paused, so that the
 * first one does not wait for all the others twice.
 *
 * Else in reverse order. Where ports share a segment, frames for the one that was paused first wait
 * at its end of the segment, and later ones, once all were paused, at the sender's; QEMU hands
 * those over when any port goes on, and if that is the first one, in front of those that waited for
 * it.
 */
static void go_on_each(struct shunt_group *group, struct shunt_switch_result *result,
	enum shunt_halt halt, struct failure *failure)
{
	const bool forward = halt == SHUNT_HALT_PAUSE && paused_keep_frames(group, result);

	for (unsigned int i = 0; i < group->count; i++)
		go_on(group, result, forward ? i : group->count - 1 - i, halt, failure);
}

/* And do so again before those are started. */
int ports_go_on(struct shunt_group *group, struct shunt_switch_result *result)
{
	struct failure failure = { 0 };

	go_on_each(group, result, SHUNT_HALT_PAUSE, &failure);
	go_on_each(group, result, SHUNT_HALT_STOP, &failure);
	return failure_report(&failure);
}
