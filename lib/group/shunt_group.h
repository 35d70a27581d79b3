/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_GROUP_H
#define SHUNT_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "shunt_evidence.h"
#include "shunt_space.h"
#include "shunt_vfio.h"

/*
 * The port group: the ports of one IOMMU group, attached and switched as one.
 *
 *   struct shunt_group 10 ---- translated by hwpt 4 of space "a"
 *     |- member 0000:03:00.0   device, port operations
 *     |- member 0000:04:00.0
 *     `- member 0000:05:00.0
 *
 * What the kernel does in a group (measured; doc/design.md has the table): the first member's
 * replace moves every member's translation at once; the calls for the others change nothing, but
 * each device has to be told; a first attach must name the hwpt the group has; a late replace of
 * one member moves everybody. So only this file's functions attach, replace or detach.
 *
 * Thread safety: any thread; one operation on a group runs at a time, a second one waits. The ports
 * keep being polled by other cores meanwhile.
 */

#ifdef __cplusplus
extern "C" {
#endif

#define SHUNT_GROUP_MAX_MEMBERS 32
#define SHUNT_DRIVER_NAME       32
#define SHUNT_PLAN_TEXT         512 /* why a plan was taken */

/** How a switch is done. */
enum shunt_plan {
	SHUNT_PLAN_REPLACE, /**< replace the hwpt while DMA goes on */
	SHUNT_PLAN_QUIESCE, /**< every port pauses its DMA, replace, every port resumes */
	SHUNT_PLAN_STOP_REPLACE_START, /**< every port stops, replace, every port starts; where some
					    cannot pause, those that can pause instead */
	SHUNT_PLAN_DETACH_ATTACH, /**< detach every member, attach every member to the new hwpt */
	SHUNT_PLAN_RESTART,       /**< stop the ports, unmap and map everything, start: what has to
				       be done without a second page table */
	SHUNT_PLAN_AUTO,          /**< to ask for: replace where it was seen hitless
				       (shunt_group_evidence()), else quiesce; stop-replace-start
				       where a member can be stopped only */
};

#define SHUNT_PLANS 5 /* that can be carried out: all but auto */

/** Whether ports that cannot pause their DMA may run on while their group moves under them. */
enum shunt_live {
	SHUNT_LIVE_NO,     /**< no: such a plan is refused */
	SHUNT_LIVE_ASKED,  /**< under replace, where the IOMMU was not seen to refuse DMA in one */
	SHUNT_LIVE_FORCED, /**< under replace and detach-attach, whatever is known */
};

/** The plan of a name, "quiesce". @return 0; -EINVAL, naming those there are */
int shunt_plan_parse(const char *name, enum shunt_plan *plan);

/** Name of a plan. */
const char *shunt_plan_name(enum shunt_plan plan);

struct shunt_switch_member;
struct shunt_switch_result;

/** What it took to make a port run again after a switch. */
struct shunt_recovery {
	uint64_t time; /**< ticks, from noticing that a queue may not run to all running */
	uint32_t repaired_descriptors; /**< consumed by the NIC, write-back refused: given back */
	uint32_t queue_resets;
	uint32_t port_resets;
	uint32_t function_resets;
	uint32_t rx_dropped; /**< frames given up: in the NIC when it was reset */
	uint32_t tx_dropped; /**< frames given up: handed to the NIC, not sent when it was reset */
};

/** What there is to say that a port may not run. */
enum shunt_doubt {
	SHUNT_DOUBT_NONE,  /**< its DMA was paused meanwhile, and none was refused */
	SHUNT_DOUBT_SOME,  /**< it ran, and no refused DMA is known of */
	SHUNT_DOUBT_FAULT, /**< a DMA of this port was refused, or nobody can tell */
};

/**
 * What a port can do for its group; a function that is not there is NULL, and plans that need it
 * are refused. Called by the thread that switches or checks, one call at a time, between hold and
 * release.
 *
 *   hold -+- pause ... drain ... resume          SHUNT_PLAN_QUIESCE
 *         |- stop ... start                      SHUNT_PLAN_RESTART
 *         |- one of the two                      SHUNT_PLAN_STOP_REPLACE_START
 *         |- recover                             after every switch
 *         '- switched                            then
 *                                      -- release
 */
struct shunt_port_ops {
	/** Keeps everybody else from starting, stopping or changing the port; waits for them. */
	void (*hold)(void *port);
	void (*release)(void *port);
	/**
	 * Has the port end its DMA; bursts that begin from now on return 0. Descriptors, rings and
	 * counters stay as they are. A stopped port has nothing to pause. To be resumed even if it
	 * fails.
	 */
	int (*pause)(void *port);
	/**
	 * Waits until the paused port's DMA has ended, and proves it. All ports are paused before
	 * the first one is waited for: their DMA ends side by side. With pause.
	 *
	 * @return 0: no DMA is under way or will be until resume; -ETIMEDOUT it does not end
	 */
	int (*drain)(void *port);
	/**
	 * Whether frames that arrive while it is paused wait in the port itself, as a NIC's FIFO
	 * has it, and not at their sender. NULL: they do not. Where all paused members' do,
	 * they resume in the order of their pauses.
	 */
	bool (*keeps_frames)(void *port);
	/** Undoes pause: the port goes on where it was. @return 0, failure of an access */
	int (*resume)(void *port);
	/** Stops the port: no DMA, buffers given back, bursts return 0. To be started even if it
	 *  fails. */
	int (*stop)(void *port);
	/** Starts what stop stopped, set up as before. */
	int (*start)(void *port);
	/**
	 * Makes sure every started queue runs, and mends those that do not: repair of descriptors,
	 * queue reset, port reset, function level reset, each only when the one before failed.
	 * Bursts of other cores return 0 meanwhile; buffers, counters and configuration are kept.
	 *
	 * Without any doubt only what the pause itself left undone is done: to look at a port takes
	 * some of the processor, which may be a poller's.
	 *
	 * @param[out] recovery  what was done; zeroed by the caller
	 * @return 0; -EIO the port does not run, the text says what was tried
	 */
	int (*recover)(void *port, enum shunt_doubt doubt, struct shunt_recovery *recovery);
	/** Tells of a switch that began, whatever became of it: for the port's counters. */
	void (*switched)(void *port, const struct shunt_switch_result *result,
		const struct shunt_switch_member *member);
};

/**
 * Who can tell of faults.
 *
 * @return fault records of this function since the last call for it; negative: unknown
 */
typedef int64_t (*shunt_fault_observer)(void *context, const char *function);

/** What a port did while its group moved. */
enum shunt_halt {
	SHUNT_HALT_NONE,  /**< it ran */
	SHUNT_HALT_PAUSE, /**< its DMA was paused */
	SHUNT_HALT_STOP,  /**< it was stopped */
};

/** One member's part of a switch. Times in shunt_clock ticks. */
struct shunt_switch_member {
	char function[16];
	char driver[SHUNT_DRIVER_NAME];
	uint64_t ioctl_start; /**< its first attach or detach ioctl began */
	uint64_t ioctl_end;   /**< its last one returned */
	uint64_t ioctl_time;  /**< spent inside its ioctls */
	enum shunt_halt halt;
	uint64_t pause_start; /**< its pollers were asked to stay out, or it was stopped; 0: it ran
			       */
	uint64_t pause_end;   /**< it runs again, pollers are let in */
	uint32_t hwpt_id;     /**< that it is attached to now; 0: detached */
	int64_t faults;       /**< fault records during the switch; negative: unknown */
	int64_t faults_late; /**< those that came between the switch before and this one: who writes
				  a record may be late, so they may be that one's */
	struct shunt_recovery recovery;
};

/** What a switch did. */
struct shunt_switch_result {
	enum shunt_plan plan;      /**< that was taken; auto: refused before one was */
	enum shunt_plan asked;     /**< for */
	char why[SHUNT_PLAN_TEXT]; /**< asked for auto: why that plan, otherwise "" */
	enum shunt_live live;
	char warning[SHUNT_PLAN_TEXT]; /**< what may become of ports that ran on, or "" */
	uint32_t from_hwpt;
	uint32_t to_hwpt;
	enum shunt_hwpt_kind hwpt_kind; /**< of to_hwpt */
	uint64_t start;                 /**< ticks: preflight done, before the first ioctl */
	uint64_t moved; /**< ticks: last ioctl returned, ports resumed; before recovery */
	uint64_t end;   /**< ticks: every port runs */
	bool rolled_back;
	unsigned int member_count;
	struct shunt_switch_member members[SHUNT_GROUP_MAX_MEMBERS];
};

/** What a switch says of its plan. */
enum shunt_outcome {
	SHUNT_OUTCOME_CLEAN,   /**< surely no fault */
	SHUNT_OUTCOME_MENDED,  /**< surely no fault, but a port had to be mended: says nothing */
	SHUNT_OUTCOME_UNKNOWN, /**< no fault record, but of some member nobody could tell */
	SHUNT_OUTCOME_FAULTED, /**< a member has a fault record */
};

/** What a switch says of its plan, from all its members together. */
enum shunt_outcome shunt_switch_outcome(const struct shunt_switch_result *result);

struct shunt_group;

/**
 * An empty port group.
 *
 * @param number  the kernel's IOMMU group, for messages and hwpts
 */
int shunt_group_create(int number, struct shunt_group **group);

/** Releases a group without members. NULL is allowed. */
void shunt_group_destroy(struct shunt_group *group);

/** Sets who is asked for faults after each switch; NULL: unknown. */
void shunt_group_observe(struct shunt_group *group, shunt_fault_observer observer, void *context);

/** Whether somebody is asked for faults. */
bool shunt_group_observed(struct shunt_group *group);

/**
 * Tells the group what was seen of replace on what runs below it; without, it knows nothing.
 * Copied. The group adds the faults of its own replaces, so that auto leaves replace at the first
 * one; what they say in its favour is its caller's to judge, who knows whether there was traffic.
 */
void shunt_group_evidence(struct shunt_group *group, const struct shunt_evidence *evidence);

/**
 * What a switch by SHUNT_PLAN_AUTO would do now.
 *
 * @param[out] plan  replace, quiesce or stop-replace-start
 * @param[out] why   "4,120 switches under traffic without a fault on sim hitless, explicit hwpts"
 * @return 0; -ENODEV no member; -EOPNOTSUPP replace is not to be had and a member can neither pause
 *         nor be stopped, both said in the text; errors of shunt_group_prepare()
 */
int shunt_group_choose(struct shunt_group *group, struct shunt_space *to, enum shunt_plan *plan,
	char why[SHUNT_PLAN_TEXT]);

/**
 * Attaches a device to the hwpt that the group uses, or, as first member, to that of `space`.
 *
 * @param device  bound, not attached; stays the caller's, must outlive its membership
 * @param driver  who drives the port, for people: "net_shunt igb", "net_e1000_igb". Copied; what
 *                SHUNT_DRIVER_NAME has no room for is left out
 * @param ops     what the port can do; NULL: there is no port, the caller takes care of the
 *                device's DMA
 * @return 0; -EBUSY already a member; -EINVAL another iommufd, or ops by halves: pause without
 *         drain and resume, stop without start; -ENOSPC; the kernel's errno
 */
int shunt_group_join(struct shunt_group *group, struct shunt_vfio_device *device,
	const char *driver, const struct shunt_port_ops *ops, void *port,
	struct shunt_space *space);

/** Detaches a member. Its DMA must have stopped. @return 0, -ENOENT, the kernel's errno */
int shunt_group_leave(struct shunt_group *group, struct shunt_vfio_device *device);

/** Makes the hwpt for a later switch to `space`: nothing is built inside the switch. */
int shunt_group_prepare(struct shunt_group *group, struct shunt_space *space);

/**
 * Switches all members to another space.
 *
 * Refused before anything is touched: no member; the space already in use (-EALREADY: the kernel
 * would do nothing and a measurement would lie); restart to a space that another group uses
 * (-EBUSY); a mapping in use that `to` lacks (-ENOENT); a member that cannot do what the plan needs
 * (-EOPNOTSUPP); a port that would run on though its driver was not made for it (-EPERM, below). By
 * then auto has become one of the others: that takes nothing from the time of the switch.
 *
 * On a failure on the way every member is put back, in reverse order, under the hwpt it had, and
 * result->rolled_back is true; if that fails too, result->members says who is where and
 * shunt_errmsg() how to get out. Either way every port is made to run again as far as it can.
 *
 * @param[out] result  filled on success and on failure
 * @return 0; the errno of the call that failed, named in shunt_errmsg(); -EIO switched, but a call
 *         of a port's recovery failed: the text says whether it runs
 */
int shunt_group_switch(struct shunt_group *group, struct shunt_space *to, enum shunt_plan plan,
	struct shunt_switch_result *result);

/**
 * The same, under ports that cannot pause their DMA: their drivers were not made for it. If a DMA
 * of theirs is refused meanwhile they may receive nothing any more until they are stopped and
 * started. So it has to be asked for, and is refused (-EPERM, the text has the reason and the way
 * out) under replace where this group's evidence has faults of replace, under detach-attach always,
 * for that refuses DMA on every IOMMU; unless it is forced. What may happen is said in
 * result->warning. auto takes replace where that was seen hitless. Other plans let no port run:
 * live changes nothing.
 */
int shunt_group_switch_live(struct shunt_group *group, struct shunt_space *to, enum shunt_plan plan,
	enum shunt_live live, struct shunt_switch_result *result);

/** What became of the switches of a group so far. */
struct shunt_group_history {
	uint64_t switches; /**< done */
	uint64_t failed;   /**< begun, and failed: rolled back, or with a port that needed help */
	struct shunt_switch_result last; /**< if there was one: of the last that began */
};

/** Switches that were begun, by whomever; those that were refused are none. */
void shunt_group_history(struct shunt_group *group, struct shunt_group_history *history);

/** Whether anything had to be done. */
static inline bool shunt_recovery_mended(const struct shunt_recovery *recovery)
{
	return recovery->repaired_descriptors || recovery->queue_resets || recovery->port_resets ||
	       recovery->function_resets;
}

/** Whether there were records of faults after the switch before was done. */
bool shunt_switch_late_faults(const struct shunt_switch_result *result);

/**
 * Looks after the ports between switches: is every queue running? Mends those that are not.
 *
 * @param[out] result  start, end, and of each member what was mended
 * @return ports that were mended; -EBUSY a switch is under way, which looks after them; errors of
 *         recovery
 */
int shunt_group_check(struct shunt_group *group, struct shunt_switch_result *result);

/** The space in use; NULL without members or after a failed roll-back. */
struct shunt_space *shunt_group_space(struct shunt_group *group);

/** Number of the IOMMU group. */
int shunt_group_number(const struct shunt_group *group);

/** Number of members. */
unsigned int shunt_group_members(struct shunt_group *group);

/** What switches and checks were to a member since it joined. Times in shunt_clock ticks. */
struct shunt_member_counts {
	uint64_t switches;    /**< done */
	uint64_t failed;      /**< rolled back, or left in the middle */
	uint64_t faults;      /**< records of its function during switches, at least */
	uint64_t unknown;     /**< switches without one in which nobody could tell */
	uint64_t recoveries;  /**< switches and checks after which something was mended */
	uint64_t halted_last; /**< paused or stopped in the last switch, 0: it ran */
	uint64_t halted_max;
};

/** Names a member's driver, if that was not known when it joined. @return 0, -ENOENT */
int shunt_group_driver(
	struct shunt_group *group, struct shunt_vfio_device *device, const char *driver);

/** A member, as it was when it was asked for. */
struct shunt_member_info {
	char function[16];
	char driver[SHUNT_DRIVER_NAME];
	uint32_t hwpt_id; /**< that it is attached to; 0: detached */
	bool can_pause;   /**< its DMA */
	bool can_stop;    /**< and start again */
	struct shunt_member_counts counts;
};

/** The members, in the order in which they joined. @return their number */
unsigned int shunt_group_list(
	struct shunt_group *group, struct shunt_member_info members[SHUNT_GROUP_MAX_MEMBERS]);

#ifdef __cplusplus
}
#endif

#endif
