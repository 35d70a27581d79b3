/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MEMBERS_H
#define MEMBERS_H

#include <pthread.h>

#include <shunt/group.h>

#include "shunt_hold.h"

/*
 * Inside lib/group. A file uses those to its right:
 *
 *   switch.c ---- policy.c ---- ports.c    which plan; what the ports do; struct failure
 *   container.c - group.c ----- ports.c    members join and leave
 */

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
	/* The group is a user of both: of `space` while it has members, of `to` while that is set.
	 */
	struct shunt_space *space; /* in use; NULL: no member */
	struct shunt_space *to;    /* set during a switch and after a failed roll-back; else NULL */
	uint32_t hwpt_id;          /* of `space` for this group */
	unsigned int count;
	struct member members[SHUNT_GROUP_MAX_MEMBERS];
};

/* ---- ports.c ---- */

/* Outcome of steps that are all tried: the first errno, and every text. */
struct failure {
	int ret;
	char why[1000];
};

/** Notes the outcome of a step, which shunt_errmsg() explains if it failed. */
void failure_note(struct failure *failure, int ret);

/** Makes it the thread's last error again. @return its errno, 0 if no step failed */
int failure_report(const struct failure *failure);

#define MEMBER_TEXT 64

/** A member by name: "0000:03:00.0 (net_e1000_igb)". @return text */
const char *member_say(const struct member *member, char text[MEMBER_TEXT]);

/** The operations of a member without a port: the caller takes care of the device's DMA. */
extern const struct shunt_port_ops member_no_ops;

/** A member that cannot pause its DMA; NULL: all can. */
const struct member *members_without_pause(const struct shunt_group *group);

/** A member with a port that cannot pause: it would run on during replace. NULL: none. */
const struct member *members_run_on(const struct shunt_group *group);

/** @return 0; -EOPNOTSUPP a member, which is named, cannot do what the plan needs */
int ports_able(const struct shunt_group *group, enum shunt_plan plan);

/** Keeps other threads from starting, stopping or configuring the ports. */
void ports_hold(struct shunt_group *group);
void ports_release(struct shunt_group *group);

/** Pauses or stops the ports as the plan says. ports_go_on() must follow, even on failure. */
int ports_halt(struct shunt_group *group, struct shunt_switch_result *result);

/**
 * Undoes ports_halt(), for every port even if one fails. A member left detached by a failed
 * roll-back must make no DMA: its port is halted if it was not.
 */
int ports_go_on(struct shunt_group *group, struct shunt_switch_result *result);

/** After a switch: takes the fault records and recovers every attached port. */
int ports_recover(struct shunt_group *group, struct shunt_switch_result *result);

/** Between switches: recovers attached ports that hang. @return number of ports recovered */
unsigned int ports_check(
	struct shunt_group *group, struct shunt_switch_result *result, struct failure *failure);

/** Whether every port runs. */
bool ports_run(const struct shunt_switch_result *result);

/** Tells every port the result of a switch, and counts it. */
void ports_tell(struct shunt_group *group, const struct shunt_switch_result *result);

/** Before a switch: takes the fault records that are older than it. */
void ports_take_late_faults(struct shunt_group *group, struct shunt_switch_result *result);

/* ---- policy.c ---- */

/** Kind of a space's hwpt. */
enum shunt_hwpt_kind hwpt_kind_of(const struct shunt_space *space, uint32_t hwpt_id);

/** The plan that auto becomes. @return 0, -EOPNOTSUPP, as shunt_group_choose() */
int policy_choose(const struct shunt_group *group, enum shunt_hwpt_kind kind,
	enum shunt_unpaused unpaused, enum shunt_plan *plan, char why[SHUNT_PLAN_TEXT]);

/** Whether ports may run on under the result's plan; sets its warning. @return 0, -EPERM */
int policy_unpaused(const struct shunt_group *group, struct shunt_switch_result *result);

/** Adds faults of a replace, and unknown fault status, to the group's evidence. */
void policy_learn(struct shunt_group *group, const struct shunt_switch_result *result);

#endif
