/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GROUP_FIXTURE_H
#define GROUP_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include <shunt/group.h>
#include <shunt/sim.h>
#include <shunt/space.h>

#include "inject.h"

/*
 * A group of three ports on the software platform, with calls that can be made to fail: what each
 * test of lib/group starts from. The ports do nothing but to note what the group asks of them.
 */

#define PORTS        3
#define IOVA         0x100000000ull
#define DRIVER       "net_fake"
#define OTHER_DRIVER "net_e1000_igb"

struct port {
	struct shunt_vfio_device device;
	bool open;
	unsigned int recovers;          /* calls of recover */
	enum shunt_suspicion suspicion; /* in the last one */
	/* What the group asked of it, and what it has to be when it is asked. */
	bool held, paused, stopped;
	bool keeps_frames;
	unsigned int pauses, stops;
	unsigned int resumed; /* rig::resumes, when it last was */
	unsigned int told;    /* of switches */
	struct shunt_switch_member last;
	int fail_pause, fail_drain, fail_resume, fail_stop, fail_start; /* errno of the next call */
};

struct rig {
	struct shunt_platform *sim;
	struct inject *inject;
	struct shunt_iommufd iommufd;
	struct shunt_arena arena;
	struct shunt_spaces *spaces;
	struct shunt_space *a, *b;
	struct shunt_group *group;
	struct port ports[PORTS];
	unsigned int members;
	unsigned int resumes; /* of all ports */
	bool halted_for_good; /* ports of members that are left detached stay as they are */
};

extern struct rig rig;

/* What the rig's ports can do. */
extern const struct shunt_port_ops *const port_ops;

/* What a port of another driver can do, and one that can do nothing. */
extern const struct shunt_port_ops stop_ops, least_ops;

/** Platform and memory, nothing opened. With free_platform(), for cmocka. */
int make_platform(void **state);
/** The same, and then set_up(). */
int make_group(void **state);
/** Takes down whatever is there, and checks that nothing is left. */
int free_platform(void **state);

/** Spaces "a" and "b" with the arena mapped, three members on "a". @return first error */
int set_up(void);
/** Takes down whatever is there. @return first error */
int take_down(void);
void assert_nothing_left(void);

uint32_t hwpt_of(struct shunt_space *space);
void assert_members_on(const struct shunt_switch_result *result, struct shunt_space *space);

/** A member comes back, as the last one, with other operations. */
void join_again(unsigned int i, const struct shunt_port_ops *ops);

/** What is known of replace with explicit hwpts on "sim hitless", under dense traffic and as much
 *  under cold. */
struct shunt_evidence known(uint64_t switches, uint64_t faulted, uint64_t unknown);

/** Switches by auto, there or back; what it has to take and to say. */
void assert_auto(enum shunt_plan plan, const char *why);

/* Observers of faults; they are asked before a switch, for what came late, and after it. */
int64_t no_faults(void *context, const char *function);
int64_t nobody_can_tell(void *context, const char *function);
int64_t three_faults_of_the_second(void *context, const char *function);
int64_t late_faults_of_the_second(void *context, const char *function);

#define group_test(test) cmocka_unit_test_setup_teardown(test, make_group, free_platform)

#endif
