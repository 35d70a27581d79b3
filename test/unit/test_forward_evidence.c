/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a run takes for evidence of replace: switches of two ports with made-up times. Each test
 * fails if a switch that says nothing counts.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "evidence.h"

#define IOCTL 1000 /* ticks */

static struct forward_evidence evidence;
static struct shunt_switch_result result;
static uint64_t number;
static const struct forward_cold_first *first; /* NULL: dense traffic */

static int set_up(void **state)
{
	memset(&evidence, 0, sizeof(evidence));
	number = 0;
	first = NULL;
	return 0;
}

static void begin(void)
{
	result = (struct shunt_switch_result){ .member_count = 2, .start = 100 };
	result.members[0].ioctl_start = 100;
	result.members[0].ioctl_end = 100 + IOCTL;
}

static void measured(unsigned int port, uint64_t uncertainty, uint64_t lost)
{
	const struct shunt_measurement measurement = {
		.number = number,
		.port = port,
		.uncertainty = uncertainty,
		.window = lost ? uncertainty : 0,
		.lost = lost,
		.result = &result,
	};

	forward_evidence_measured(&evidence, &measurement, first);
}

static void end(uint64_t uncertainty, uint64_t lost)
{
	forward_evidence_switch(&evidence, &result);
	measured(0, uncertainty, 0);
	measured(1, uncertainty, lost);
	number++;
}

static void assert_seen(uint64_t switches, uint64_t faulted, uint64_t unknown)
{
	const struct shunt_evidence_seen *seen =
		&evidence.seen.seen[SHUNT_HWPT_EXPLICIT][SHUNT_EVIDENCE_DENSE];

	assert_int_equal(seen->switches, switches);
	assert_int_equal(seen->faulted, faulted);
	assert_int_equal(seen->unknown, unknown);
}

static void every_port_has_to_meet_traffic(void **state)
{
	begin();
	end(IOCTL - 1, 0);
	assert_seen(1, 0, 0);
	begin();
	end(IOCTL, 0); /* the one frame may have come just before, the other just after */
	assert_seen(1, 0, 0);
	begin();
	forward_evidence_switch(&evidence, &result);
	measured(0, 10, 0);
	number++; /* the other port is not measured */
	assert_seen(1, 0, 0);
	begin();
	forward_evidence_switch(&evidence, &result);
	measured(1, 10, 0); /* not the first one's of the switch before */
	assert_seen(1, 0, 0);
	measured(0, 10, 0);
	assert_seen(2, 0, 0);
}

static void cold_for(uint64_t ioctl, uint64_t stamp, uint64_t left)
{
	const struct forward_cold_first frame = { .stamp = stamp, .left = left };

	first = &frame;
	begin();
	result.members[0].ioctl_end = 100 + ioctl;
	end(1000000, 0);
	first = NULL;
}

static void cold(uint64_t stamp, uint64_t left)
{
	cold_for(IOCTL, stamp, left);
}

/* The first frame since the caches were made cold, not any: by then they are warm. */
static void cold_traffic_has_to_begin_in_the_ioctl(void **state)
{
	const struct shunt_evidence_seen *seen = evidence.seen.seen[SHUNT_HWPT_EXPLICIT];

	evidence.traffic = SHUNT_EVIDENCE_COLD;
	cold(100, 100 + IOCTL);
	assert_int_equal(seen[SHUNT_EVIDENCE_COLD].switches, 1);
	cold(99, 99);
	cold(101 + IOCTL, 101 + IOCTL);
	cold(100 + IOCTL, 101 + IOCTL); /* it may have left behind it */
	assert_int_equal(seen[SHUNT_EVIDENCE_COLD].switches, 1);
	cold_for(9 * IOCTL, 100, 100); /* in an ioctl that lost its processor */
	assert_int_equal(seen[SHUNT_EVIDENCE_COLD].switches, 1);
	begin();
	result.members[1].faults = 1;
	end(10, 1);
	assert_int_equal(seen[SHUNT_EVIDENCE_COLD].switches, 2);
	assert_int_equal(seen[SHUNT_EVIDENCE_COLD].faulted, 1);
	assert_seen(0, 0, 0); /* of dense traffic nothing was learnt */
}

static void frames_lost_without_a_fault_are_no_evidence(void **state)
{
	begin();
	end(10, 1);
	assert_seen(0, 0, 0);
}

static void an_ioctl_that_lost_its_processor_meets_no_more(void **state)
{
	begin();
	end(10, 0);
	assert_seen(1, 0, 0);
	begin();
	result.members[0].ioctl_end = 100 + 1000 * IOCTL;
	end(2 * IOCTL, 0);
	assert_seen(1, 0, 0);
	end(2 * IOCTL - 1, 0);
	assert_seen(2, 0, 0);
}

static void faults_and_unknowns_count_without_traffic(void **state)
{
	begin();
	result.members[1].faults = 2;
	result.members[0].faults = -EOVERFLOW;
	end(10, 3);
	assert_seen(1, 1, 0);
	begin();
	result.members[0].faults = -EOVERFLOW;
	end(1000000, 0);
	assert_seen(2, 1, 1);
	begin();
	result.members[1].recovery.queue_resets = 1;
	end(10, 0);
	assert_seen(2, 1, 1); /* no fault, but what was it? */
	begin();
	result.members[1].faults = 1;
	result.error = -EINVAL;
	end(10, 0);
	assert_seen(3, 2, 1);
	begin();
	result.error = -EINVAL; /* put back, or not: it failed */
	end(10, 0);
	assert_seen(3, 2, 1);
	assert_int_equal(shunt_switch_outcome(&result), SHUNT_OUTCOME_FAILED);
}

/* One that failed at once says nothing of how long the others block. */
static void a_failed_ioctl_is_no_measure_of_the_others(void **state)
{
	begin();
	result.error = -EINVAL;
	result.members[0].ioctl_end = 101;
	end(10, 0);
	begin();
	end(10, 0);
	assert_seen(1, 0, 0);
}

/* It is the replace before that faulted, if there was one. */
static void a_late_record_counts_against_replace(void **state)
{
	begin();
	result.members[1].faults_late = 1;
	end(10, 0);
	assert_seen(1, 0, 0);
	begin();
	result.members[1].faults_late = 1;
	end(10, 0);
	assert_seen(3, 1, 0);
}

static void other_plans_are_no_evidence(void **state)
{
	begin();
	result.plan = SHUNT_PLAN_QUIESCE;
	result.members[0].faults = 1;
	end(10, 0);
	begin();
	result.plan = SHUNT_PLAN_QUIESCE;
	end(10, 0);
	assert_seen(0, 0, 0);
	begin();
	result.hwpt_kind = SHUNT_HWPT_AUTOMATIC;
	end(10, 0);
	assert_seen(0, 0, 0);
	assert_int_equal(
		evidence.seen.seen[SHUNT_HWPT_AUTOMATIC][SHUNT_EVIDENCE_DENSE].switches, 1);
}

static void without_observers_faults_are_unknown(void **state)
{
	const struct shunt_platform_info nobody = { .iommu = "x" };

	for (int i = 0; i < 5; i++) {
		begin();
		end(10, 0);
	}
	assert_int_equal(forward_evidence_keep(&evidence, &nobody, true), 0);
	assert_seen(5, 0, 5);
}

static void a_failed_run_is_no_evidence_for_replace(void **state)
{
	const struct shunt_platform_info info = { .iommu = "x", .fault_observers = "sim" };

	for (int i = 0; i < 5; i++) {
		begin();
		result.members[0].faults = i == 3;
		end(10, 0);
	}
	assert_seen(5, 1, 0);
	assert_int_equal(forward_evidence_keep(&evidence, &info, false), 0);
	assert_seen(1, 1, 0);
}

#define evidence_test(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		evidence_test(every_port_has_to_meet_traffic),
		evidence_test(cold_traffic_has_to_begin_in_the_ioctl),
		evidence_test(frames_lost_without_a_fault_are_no_evidence),
		evidence_test(an_ioctl_that_lost_its_processor_meets_no_more),
		evidence_test(faults_and_unknowns_count_without_traffic),
		evidence_test(a_failed_ioctl_is_no_measure_of_the_others),
		evidence_test(a_late_record_counts_against_replace),
		evidence_test(other_plans_are_no_evidence),
		evidence_test(without_observers_faults_are_unknown),
		evidence_test(a_failed_run_is_no_evidence_for_replace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
