/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MEMBERS_H
#define MEMBERS_H

#include <pthread.h>

#include "shunt_group.h"

struct member {
	struct shunt_vfio_device *device;
	char driver[SHUNT_DRIVER_NAME];
	const struct shunt_port_ops *ops; /* never NULL */
	void *port;
	uint32_t hwpt_id; /* attached to; 0: detached */
	struct shunt_member_counts counts;
};

struct shunt_group {
	int number;
	pthread_mutex_t lock;
	shunt_fault_observer observer;
	void *observer_context;
	struct shunt_evidence evidence;
	struct shunt_group_history history;
	struct shunt_space *space; /* in use; NULL: no member, or state unknown */
	struct shunt_space *used;  /* of which the group is a user; NULL: no member */
	uint32_t hwpt_id;          /* of that space for this group */
	unsigned int count;
	struct member members[SHUNT_GROUP_MAX_MEMBERS];
};

/* What failed in a run of steps that all have to be tried: the first errno, and every text. */
struct failure {
	int ret;
	char why[1000];
};

/** Notes the outcome of a step, of which shunt_errmsg() tells if it failed. */
void failure_note(struct failure *failure, int ret);

/** Makes it the thread's last error again. @return its errno, 0 if no step failed */
int failure_report(const struct failure *failure);

/** Makes the group a user of `space` instead of the one before; NULL: of none. (group.c) */
void group_use(struct shunt_group *group, struct shunt_space *space);

/** Begins a result: who the members are, and where. (switch.c) */
void group_describe(const struct shunt_group *group, struct shunt_switch_result *result);

/* ---- choose.c: the plan auto ---- */

/** The plan that auto takes for a kind of hwpt. @return 0, -EOPNOTSUPP, as shunt_group_choose() */
int choose_plan(const struct shunt_group *group, enum shunt_hwpt_kind kind, enum shunt_live live,
	enum shunt_plan *plan, char why[SHUNT_PLAN_TEXT]);

/** Whether ports may run on under the result's plan; warns. @return 0, -EPERM (live.c) */
int choose_live(const struct shunt_group *group, struct shunt_switch_result *result);

/** Adds to the evidence what a replace said against the plan. */
void choose_learn(struct shunt_group *group, const struct shunt_switch_result *result);

/** Kind of a space's hwpt. */
enum shunt_hwpt_kind choose_kind(const struct shunt_space *space, uint32_t hwpt_id);

/* ---- move.c: from one hwpt to another ---- */

/**
 * Moves every member. For SHUNT_PLAN_RESTART, `to` is mapped anew while nobody is attached.
 *
 * On a failure every member is put back under the hwpt it had, result->rolled_back; if that fails
 * too, group->space is NULL and the text says who is where.
 */
int move_members(struct shunt_group *group, struct shunt_space *to, uint32_t hwpt_id,
	struct shunt_switch_result *result);

/* ---- halt.c: how the members' ports let the group move ---- */

#define MEMBER_TEXT 64

/** A member by name: "0000:03:00.0 (net_e1000_igb)". @return text */
const char *member_say(const struct member *member, char text[MEMBER_TEXT]);

/** What a device without a port's operations can do: its owner takes care of its DMA. */
extern const struct shunt_port_ops member_no_ops;

/** A member that cannot pause its DMA; NULL: all can. */
const struct member *members_without_pause(const struct shunt_group *group);

/**
 * A member whose port cannot but run on while the group moves under it, which its driver was not
 * made for; NULL: none. Devices without operations are none.
 */
const struct member *members_run_on(const struct shunt_group *group);

/** @return 0; -EOPNOTSUPP naming the member that cannot do what the plan needs */
int ports_able(const struct shunt_group *group, enum shunt_plan plan);

/** Stops all DMA, as the plan has it. On a failure ports_go_on() has to follow all the same. */
int ports_halt(struct shunt_group *group, struct shunt_switch_result *result);

/** Undoes ports_halt(), for every port, whatever becomes of the others. */
int ports_go_on(struct shunt_group *group, struct shunt_switch_result *result);

/* ---- ports.c: what else the members' ports do meanwhile ---- */

void ports_hold(struct shunt_group *group);
void ports_release(struct shunt_group *group);

/** Makes every attached port run again, whatever becomes of the others. */
int ports_recover(struct shunt_group *group, struct shunt_switch_result *result);

/** Tells every port what the switch was to it, and counts it. */
void ports_tell(struct shunt_group *group, const struct shunt_switch_result *result);

/** Takes the faults from before: they are not the switch's. */
void ports_take_late_faults(struct shunt_group *group, struct shunt_switch_result *result);

#endif
