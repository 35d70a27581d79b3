/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_GROUP_H
#define SHUNT_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <shunt/platform.h>
#include <shunt/space.h>
#include <shunt/vfio.h>

/*
 * The port group: the ports of one IOMMU group, attached and switched as one.
 *
 *   struct shunt_group 10 ---- translated by hwpt 4 of space "a"
 *     |- member 0000:03:00.0   device, port operations
 *     |- member 0000:04:00.0
 *     `- member 0000:05:00.0
 *
 * What the kernel does in a group (measured; doc/design.md has the table):
 * - The first member's replace moves the translation of all members at once.
 * - The calls for the other members change nothing, but the kernel records the hwpt of each device.
 * - The first attach of a further device must name the hwpt that the group has.
 * - A late replace of one member moves all of them.
 * So only the functions of this file attach, replace or detach.
 *
 * Any thread. One operation on a group runs at a time, a second one waits. Other cores keep polling
 * the ports meanwhile.
 *
 * Structures that can grow end in `reserved`. A later version names parts of it, the size stays.
 * The caller leaves it zero in tables of operations, and does not read it in results.
 */

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Evidence: what was seen of the plan replace, so that the plan auto takes it only where it was
 * seen to be hitless.
 *
 *   intel-iommu legacy, Linux 6.12.95   explicit hwpts    dense:  12 of 1,000 switches faulted
 *                                                         cold:   nothing
 *                                       automatic hwpts   nothing
 *   sim hitless                         explicit hwpts    dense:  4,120 switches, none faulted
 *                                                         cold:   3,007 switches, none faulted
 *
 * The key is what makes a switch behave as it does: the IOMMU and its mode, the kernel, whether
 * they are emulated, and the kind of hwpt. A few switches look hitless where thousands are not. So
 * replace counts as hitless from SHUNT_EVIDENCE_ENOUGH switches on that met traffic: none of them
 * faulted, and the fault status of all is known. By the rule of three (n trials without a failure:
 * the probability of one is below 3 / n, at 95 % confidence) a switch then faults with a
 * probability below 0.1 %, under such traffic. A single fault settles the matter for good.
 *
 * Two kinds of traffic are kept apart. Under dense traffic an IOMMU has the function's entry in its
 * cache, and an update in several steps may go unnoticed. Where the entry was invalidated or
 * evicted, DMA fetches it in the middle of the update, and is refused. So replace is allowed only
 * where it was seen hitless under both.
 *
 * <shunt/evidence.h> keeps it in a file. Any thread.
 */

#define SHUNT_EVIDENCE_ENOUGH 3000 /* switches under traffic: 3 / 3,000 = 0.1 % */
#define SHUNT_EVIDENCE_TEXT   512

/** What an attach is given. */
enum shunt_hwpt_kind {
	SHUNT_HWPT_EXPLICIT,  /**< a hwpt that was made in advance */
	SHUNT_HWPT_AUTOMATIC, /**< the IOAS: the kernel makes a hwpt inside the attach */
};

#define SHUNT_HWPT_KINDS 2

/** What the IOMMU's caches had of the ports when a switch began. */
enum shunt_evidence_traffic {
	SHUNT_EVIDENCE_DENSE, /**< their entries: frames came before the switch, and while it moved
			       */
	SHUNT_EVIDENCE_COLD,  /**< nothing: no DMA since an invalidation, and the first while it
				   moved */
	SHUNT_EVIDENCE_OTHER, /**< unknown, for example an application's: only faults count */
};

#define SHUNT_EVIDENCE_TRAFFICS 3

/** What was seen of replace with one kind of hwpt and traffic. Counts are of switches. */
struct shunt_evidence_seen {
	uint64_t switches; /**< under traffic: frames of every port were on their way while it
				moved; and all of those below */
	uint64_t faulted;  /**< with a fault record of any port */
	uint64_t unknown;  /**< without a record, the fault status of some port unknown */
	char first[12];    /**< date of the first ones, UTC, "2026-11-25"; "": none */
	char last[12];
};

/** What was seen on one IOMMU and kernel. */
struct shunt_evidence {
	char iommu[sizeof(((struct shunt_platform_info *)NULL)->iommu)];
	char kernel[sizeof(((struct shunt_platform_info *)NULL)->kernel)];
	bool emulated;
	struct shunt_evidence_seen seen[SHUNT_HWPT_KINDS][SHUNT_EVIDENCE_TRAFFICS];
};

/** No evidence yet of what runs below. */
void shunt_evidence_init(const struct shunt_platform_info *info, struct shunt_evidence *evidence);

/** Whether replace was seen hitless under one kind of traffic, as said above. */
bool shunt_evidence_hitless(const struct shunt_evidence_seen *seen);

/** Whether it was under dense and under cold traffic, and nothing speaks against it. */
bool shunt_evidence_allows(const struct shunt_evidence *evidence, enum shunt_hwpt_kind kind);

/** Counts of all kinds of traffic; no dates. */
struct shunt_evidence_seen shunt_evidence_sum(
	const struct shunt_evidence *evidence, enum shunt_hwpt_kind kind);

/** "dense", "cold", "other" */
const char *shunt_evidence_traffic_name(enum shunt_evidence_traffic traffic);

/**
 * Says what is known, and under which traffic: "4,120 switches under dense traffic without a fault,
 * nothing is known of replace under cold traffic on sim hitless, explicit hwpts".
 */
void shunt_evidence_say(const struct shunt_evidence *evidence, enum shunt_hwpt_kind kind,
	char text[SHUNT_EVIDENCE_TEXT]);

#define SHUNT_GROUP_MAX_MEMBERS 32
#define SHUNT_DRIVER_NAME       32
#define SHUNT_PLAN_TEXT         768 /* why a plan was taken */

/** How a switch is done. */
enum shunt_plan {
	SHUNT_PLAN_REPLACE, /**< replace the hwpt while DMA goes on */
	SHUNT_PLAN_QUIESCE, /**< every port pauses its DMA, replace, every port resumes */
	SHUNT_PLAN_STOP_REPLACE_START, /**< every port stops, replace, every port starts; if only
					    some ports can pause, those pause instead */
	SHUNT_PLAN_DETACH_ATTACH, /**< detach every member, attach every member to the new hwpt */
	SHUNT_PLAN_RESTART,       /**< stop the ports, unmap and map everything, start: the only
				       way without a second page table */
	SHUNT_PLAN_AUTO,          /**< chooses: replace if it was seen hitless under dense and
				       under cold traffic (shunt_group_evidence()), else quiesce,
				       or stop-replace-start if a member cannot pause */
};

#define SHUNT_PLANS 5 /* that can be carried out: all but auto */

/** Whether ports that cannot pause their DMA may run on during a switch. */
enum shunt_unpaused {
	SHUNT_UNPAUSED_REFUSE, /**< no: such a plan is refused */
	SHUNT_UNPAUSED_ALLOW,  /**< under replace, unless replace was seen to refuse DMA */
	SHUNT_UNPAUSED_FORCE,  /**< under replace and detach-attach, whatever is known */
};

/** Finds a plan by name, "quiesce". @return 0; -EINVAL unknown, the text lists the plans */
int shunt_plan_parse(const char *name, enum shunt_plan *plan);

/** Name of a plan. */
const char *shunt_plan_name(enum shunt_plan plan);

struct shunt_switch_member;
struct shunt_switch_result;

/** What was done to make a port run again after a switch. */
struct shunt_recovery {
	uint64_t time; /**< ticks, from the first sign of a hang until all queues run */
	uint32_t repaired_descriptors; /**< consumed by the NIC, but the write-back was refused */
	uint32_t queue_resets;
	uint32_t port_resets;
	uint32_t function_resets;
	uint32_t rx_dropped; /**< frames lost in the NIC by a reset */
	uint32_t tx_dropped; /**< frames given to the NIC, not sent before a reset */
};

/** How likely it is that a port hangs. */
enum shunt_suspicion {
	SHUNT_SUSPICION_NONE,  /**< its DMA was paused during the switch, and none was refused */
	SHUNT_SUSPICION_SOME,  /**< it ran, and no DMA is known to have been refused */
	SHUNT_SUSPICION_FAULT, /**< a DMA of this port was refused, or its fault status is unknown
				*/
};

/**
 * Operations of a port. NULL: the port cannot do it, and plans that need it are refused. Called by
 * the thread that switches or checks, one call at a time, between hold and release.
 *
 *   hold -+- pause ... drain ... resume          SHUNT_PLAN_QUIESCE
 *         |- stop ... start                      SHUNT_PLAN_RESTART
 *         |- one of the two                      SHUNT_PLAN_STOP_REPLACE_START
 *         |- recover                             after every switch
 *         '- switched                            then
 *                                      -- release
 */
struct shunt_port_ops {
	/** Keeps other threads from starting, stopping or configuring the port; waits for them. */
	void (*hold)(void *port);
	void (*release)(void *port);
	/**
	 * Asks the port to end its DMA. Bursts that begin later return 0. Descriptors, rings and
	 * counters are kept. Does nothing to a stopped port. resume follows, even on failure.
	 */
	int (*pause)(void *port);
	/**
	 * Waits until the paused port's DMA has ended, and proves it. All ports are paused before
	 * the first drain, so that their DMA ends in parallel. Required with pause.
	 *
	 * @return 0: no DMA is in flight, and none begins before resume; -ETIMEDOUT it did not end
	 */
	int (*drain)(void *port);
	/**
	 * Whether frames that arrive during a pause wait in the port, for example in a NIC's FIFO,
	 * and not at their sender. NULL: no. If all paused members keep them, members resume in
	 * the order in which they were paused.
	 */
	bool (*keeps_frames)(void *port);
	/** Undoes pause. @return 0; the errno of a register access */
	int (*resume)(void *port);
	/** Stops the port: no DMA, buffers freed, bursts return 0. start follows, even on failure.
	 */
	int (*stop)(void *port);
	/** Starts the port with the configuration that it had before stop. */
	int (*start)(void *port);
	/**
	 * Checks that every started queue runs, and recovers those that hang: repair of
	 * descriptors, queue reset, port reset, function level reset, each only if the one before
	 * failed. Bursts of other cores return 0 meanwhile. Buffers, counters and configuration are
	 * kept.
	 *
	 * Under SHUNT_SUSPICION_NONE it only completes what the pause left undone: a check takes
	 * processor time, which may be a poller's.
	 *
	 * If everything failed, the port tells its application. Calls return at once then, until
	 * the next attempt is due.
	 *
	 * @param[out] recovery  what was done; zeroed by the caller
	 * @return 0; -EIO the port hangs, the text says what was tried
	 */
	int (*recover)(void *port, enum shunt_suspicion suspicion, struct shunt_recovery *recovery);
	/** Reports a switch that began, done or failed: for the port's counters. */
	void (*switched)(void *port, const struct shunt_switch_result *result,
		const struct shunt_switch_member *member);
	void (*reserved[4])(void);
};

/**
 * Reports IOMMU faults.
 *
 * @return number of fault records of this function since the previous call; negative: unknown
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
	uint64_t pause_start; /**< its pause or stop began; 0: it ran */
	uint64_t pause_end;   /**< it runs again */
	uint32_t hwpt_id;     /**< that it is attached to after the switch; 0: detached */
	int64_t faults;       /**< fault records during the switch; negative: unknown */
	int64_t faults_late;  /**< fault records between the previous switch and this one: a late
				   record may belong to the previous switch */
	struct shunt_recovery recovery;
	bool down; /**< it hangs: its recovery failed twice */
	uint64_t reserved[4];
};

/** What a switch did. */
struct shunt_switch_result {
	enum shunt_plan plan;      /**< that was taken; auto: refused before one was chosen */
	enum shunt_plan asked;     /**< the caller's */
	char why[SHUNT_PLAN_TEXT]; /**< if auto was asked for, the reason for the plan; else "" */
	enum shunt_unpaused unpaused;
	char warning[SHUNT_PLAN_TEXT]; /**< the risk for ports that ran on, or "" */
	uint32_t from_hwpt;
	uint32_t to_hwpt;
	enum shunt_hwpt_kind hwpt_kind; /**< of to_hwpt */
	uint64_t start;                 /**< ticks: preflight done, before the first ioctl */
	uint64_t moved; /**< ticks: last ioctl returned, ports resumed; before recovery */
	uint64_t end;   /**< ticks: every port runs */
	int error; /**< 0: done; otherwise what the switch returned, the errno of what failed */
	bool rolled_back;
	bool recovered; /**< only port operations failed: no ioctl did, and every port runs */
	unsigned int member_count;
	uint64_t reserved[4];
	struct shunt_switch_member members[SHUNT_GROUP_MAX_MEMBERS];
};

/** What a switch tells about its plan. */
enum shunt_outcome {
	SHUNT_OUTCOME_CLEAN,     /**< certainly no fault */
	SHUNT_OUTCOME_RECOVERED, /**< certainly no fault, but a port was recovered: no evidence */
	SHUNT_OUTCOME_FAILED,    /**< certainly no fault, but the switch failed: no evidence */
	SHUNT_OUTCOME_UNKNOWN, /**< no fault record, but the fault status of a member is unknown */
	SHUNT_OUTCOME_FAULTED, /**< a member has a fault record */
};

/** Outcome of a switch, over all members. */
enum shunt_outcome shunt_switch_outcome(const struct shunt_switch_result *result);

struct shunt_group;

/**
 * An empty port group.
 *
 * @param number  the kernel's IOMMU group, for messages and hwpts
 */
int shunt_group_create(int number, struct shunt_group **group);

/** Releases a group. NULL is allowed. @return 0; -EBUSY it has members, nothing was changed */
int shunt_group_destroy(struct shunt_group *group);

/** Sets the observer that is asked for faults after each switch; NULL: fault status unknown. */
void shunt_group_observe(struct shunt_group *group, shunt_fault_observer observer, void *context);

/** Whether the group has an observer. */
bool shunt_group_observed(struct shunt_group *group);

/**
 * Gives the group the evidence of replace on its platform; without this call it has none. Copied.
 * The group adds faults of its own replaces, so that auto gives up replace at the first one.
 * Hitless replaces are for the caller to add: only the caller knows whether there was traffic.
 */
void shunt_group_evidence(struct shunt_group *group, const struct shunt_evidence *evidence);

/**
 * What a switch by SHUNT_PLAN_AUTO would do now.
 *
 * @param[out] plan  replace, quiesce or stop-replace-start
 * @param[out] why   what is known of replace and under which traffic, as shunt_evidence_say()
 * @return 0; -ENODEV no member; -EOPNOTSUPP replace is unavailable and a member can neither pause
 *         nor be stopped, the text says both; errors of shunt_group_prepare()
 */
int shunt_group_choose(struct shunt_group *group, struct shunt_space *to, enum shunt_plan *plan,
	char why[SHUNT_PLAN_TEXT]);

/**
 * Attaches a device to the hwpt that the group uses, or, as first member, to that of `space`.
 *
 * @param device  bound, not attached; stays the caller's; not to be closed while it is a member
 * @param driver  name of the port's driver, for messages: "net_shunt igb". Copied, and cut to
 *                SHUNT_DRIVER_NAME
 * @param ops     operations of the port; NULL: no port, the caller takes care of the device's DMA
 * @return 0; -EBUSY already a member; -EINVAL the device, the members and the space are not all of
 *         one iommufd, or ops has pause without drain and resume, or stop without start;
 *         -ENOSPC; -EADDRINUSE a mapping is outside of what the IOMMU allows; the kernel's errno
 */
int shunt_group_join(struct shunt_group *group, struct shunt_vfio_device *device,
	const char *driver, const struct shunt_port_ops *ops, void *port,
	struct shunt_space *space);

/**
 * Detaches a member. Its DMA must have stopped. It leaves the group even if the detach fails:
 * closing the device detaches it.
 *
 * @return 0; -ENOENT it is not a member; the kernel's errno of the detach
 */
int shunt_group_leave(struct shunt_group *group, struct shunt_vfio_device *device);

/** Makes the hwpt for a later switch to `space`: nothing is built inside the switch. */
int shunt_group_prepare(struct shunt_group *group, struct shunt_space *space);

/**
 * Switches all members to another space.
 *
 * Refused before anything is changed:
 *
 *   -ENODEV      no member
 *   -EALREADY    the space is in use already: the kernel would do nothing
 *   -EBUSY       restart to a space that another group uses; or a roll-back failed before
 *   -EINVAL      a space of another iommufd
 *   -ENOENT      `to` lacks a mapping that is in use
 *   -EOPNOTSUPP  a member cannot do what the plan needs
 *   -EPERM       a port would run on that cannot pause its DMA, see below
 *
 * auto is resolved before the switch begins, outside its measured time.
 *
 * If a step fails, every member goes back to its old hwpt, in reverse order: result->rolled_back.
 * If that fails too, result->members says where each member is, and shunt_errmsg() what to do. In
 * both cases every port is recovered as far as possible. Only a member that is left detached stays
 * paused or stopped.
 *
 * @param[out] result  filled on success and on failure
 * @return 0; the errno of the call that failed, named in shunt_errmsg(); -EIO the group switched,
 * but the recovery of a port failed: result->recovered says whether it runs
 */
int shunt_group_switch(struct shunt_group *group, struct shunt_space *to, enum shunt_plan plan,
	struct shunt_switch_result *result);

/**
 * The same, while ports that cannot pause their DMA run on. Their drivers were not written for
 * that: after a refused DMA a port may receive nothing until it is stopped and started.
 *
 *   plan            ALLOW                                           FORCE
 *   replace         refused if the evidence has faults of replace   done
 *   detach-attach   refused: it blocks DMA on every IOMMU           done
 *
 * A refusal is -EPERM, with the reason and the alternative in the text. result->warning names the
 * risk. auto becomes replace if that was seen hitless. Other plans pause or stop every port.
 */
int shunt_group_switch_unpaused(struct shunt_group *group, struct shunt_space *to,
	enum shunt_plan plan, enum shunt_unpaused unpaused, struct shunt_switch_result *result);

/** Outcomes of a group's switches. */
struct shunt_group_history {
	uint64_t switches; /**< done */
	uint64_t failed;   /**< begun, and failed: rolled back, or a port operation failed */
	struct shunt_switch_result last; /**< of the last that began; zero: none did */
	uint64_t reserved[4];
};

/** Copies the history. Switches of all callers count; refused ones do not. */
void shunt_group_history(struct shunt_group *group, struct shunt_group_history *history);

/** Whether anything had to be done. */
static inline bool shunt_recovery_any(const struct shunt_recovery *recovery)
{
	return recovery->repaired_descriptors || recovery->queue_resets || recovery->port_resets ||
	       recovery->function_resets;
}

/** Whether fault records came after the previous switch had ended. */
bool shunt_switch_late_faults(const struct shunt_switch_result *result);

/**
 * Checks the ports between switches, and recovers those that hang.
 *
 * @param[out] result  start, end, the recovery of each member, and on failure `recovered`
 * @return number of ports recovered; -EBUSY a switch is in progress; errors of recovery
 */
int shunt_group_check(struct shunt_group *group, struct shunt_switch_result *result);

/** The space in use; NULL without members or after a failed roll-back. */
struct shunt_space *shunt_group_space(struct shunt_group *group);

/** Number of the IOMMU group. */
int shunt_group_number(const struct shunt_group *group);

/** Number of members. */
unsigned int shunt_group_members(struct shunt_group *group);

/** Counters of a member since it joined. Times in shunt_clock ticks. */
struct shunt_member_counts {
	uint64_t switches;    /**< done */
	uint64_t failed;      /**< rolled back, or incomplete */
	uint64_t faults;      /**< fault records of its function during switches, at least */
	uint64_t unknown;     /**< switches with unknown fault status */
	uint64_t recoveries;  /**< switches and checks that recovered the port */
	uint64_t halted_last; /**< paused or stopped in the last switch, 0: it ran */
	uint64_t halted_max;
	uint64_t reserved[4];
};

/** Sets the name of a member's driver, if it was unknown at the join. @return 0, -ENOENT */
int shunt_group_driver(
	struct shunt_group *group, struct shunt_vfio_device *device, const char *driver);

/** A snapshot of a member. */
struct shunt_member_info {
	char function[16];
	char driver[SHUNT_DRIVER_NAME];
	uint32_t hwpt_id; /**< that it is attached to; 0: detached */
	bool can_pause;   /**< its DMA */
	bool can_stop;    /**< and start again */
	struct shunt_member_counts counts;
	uint64_t reserved[4];
};

/** The members, in the order in which they joined. @return their number */
unsigned int shunt_group_list(
	struct shunt_group *group, struct shunt_member_info members[SHUNT_GROUP_MAX_MEMBERS]);

#ifdef __cplusplus
}
#endif

#endif
