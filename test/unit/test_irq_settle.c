/* SPDX-License-Identifier: BSD-3-Clause */
/* Processors that have handled their interrupts, and one that runs nobody else. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "irq_settle.h"

#define SIZE sizeof(struct processors)

static void lists_of_processors_are_read(void **state)
{
	struct processors set = { 0 };
	static const char *const wrong[] = { "a", "1-", "3-1", "0,x", "8192", "1;2" };

	assert_int_equal(processors_add(&set, "0-2,5,64\n"), 0);
	assert_int_equal(CPU_COUNT_S(SIZE, set.parts), 5);
	assert_true(CPU_ISSET_S(64, SIZE, set.parts));
	assert_int_equal(processors_add(&set, "\n"), 0);
	assert_int_equal(CPU_COUNT_S(SIZE, set.parts), 5);
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(processors_add(&set, wrong[i]), -EINVAL);
}

/* A busy machine may take longer than the bound: then it says so, and goes on. */
static void settling_leaves_the_caller_where_it_is(void **state)
{
	struct processors set = { 0 }, own, after;
	struct visitor *visitor;
	int ret;

	assert_int_equal(visitor_create(&visitor), 0);
	assert_int_equal(sched_getaffinity(0, SIZE, own.parts), 0);
	assert_int_equal(visitor_settle(visitor, &set), 0); /* of none */
	for (int i = 0; i < 10; i++) {
		ret = visitor_settle(visitor, &own);
		assert_true(ret == 0 || ret == -ETIMEDOUT);
	}
	CPU_SET_S(SETTLE_PROCESSORS - 1, SIZE, set.parts); /* not there */
	ret = visitor_settle(visitor, &set);
	assert_true(ret == -EINVAL || ret == -ETIMEDOUT);
	assert_int_equal(sched_getaffinity(0, SIZE, after.parts), 0);
	assert_true(CPU_EQUAL_S(SIZE, own.parts, after.parts));
	visitor_destroy(visitor);
}

struct poller {
	int processor;
	atomic_bool runs;
	atomic_bool stop;
};

static void *poll_on(void *argument)
{
	struct poller *poller = argument;

	poller->runs = true;
	while (!poller->stop)
		;
	return NULL;
}

/* In real time, as high as it goes, on another processor than the caller's. @return whether it may
 */
static bool start(struct poller *poller, pthread_t *thread)
{
	const struct sched_param first = { .sched_priority = sched_get_priority_max(SCHED_FIFO) };
	pthread_attr_t attributes;
	cpu_set_t one;
	bool may;

	CPU_ZERO(&one);
	CPU_SET((unsigned int)poller->processor, &one);
	pthread_attr_init(&attributes);
	pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
	pthread_attr_setschedparam(&attributes, &first);
	pthread_attr_setaffinity_np(&attributes, sizeof(one), &one);
	may = pthread_create(thread, &attributes, poll_on, poller) == 0;
	pthread_attr_destroy(&attributes);
	while (may && !poller->runs)
		sched_yield();
	return may;
}

/* It ends when the answer is there: a wait for the processor would never end. */
static void an_idle_processor_is_not_waited_for(void **state)
{
	struct poller poller = { .processor = -1 };
	struct processors set = { 0 };
	struct visitor *visitor;
	cpu_set_t own, here;
	pthread_t thread;

	assert_int_equal(sched_getaffinity(0, sizeof(own), &own), 0);
	CPU_ZERO(&here);
	CPU_SET((unsigned int)sched_getcpu(), &here);
	for (int i = 0; i < CPU_SETSIZE && poller.processor < 0; i++)
		if (CPU_ISSET(i, &own) && !CPU_ISSET(i, &here))
			poller.processor = i;
	if (poller.processor < 0)
		skip();
	assert_int_equal(sched_setaffinity(0, sizeof(here), &here), 0);
	assert_int_equal(visitor_create(&visitor), 0);
	if (!start(&poller, &thread)) {
		visitor_destroy(visitor);
		skip();
	}
	CPU_SET_S(poller.processor, SIZE, set.parts);
	assert_int_equal(visitor_settle(visitor, &set), -ETIMEDOUT);
	assert_int_equal(visitor_settle(visitor, &set), -ETIMEDOUT);
	/* Nor is the visitor kept there. */
	visitor_destroy(visitor);
	assert_false(poller.stop);
	poller.stop = true;
	pthread_join(thread, NULL);
	assert_int_equal(sched_setaffinity(0, sizeof(own), &own), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_of_processors_are_read),
		cmocka_unit_test(settling_leaves_the_caller_where_it_is),
		cmocka_unit_test(an_idle_processor_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
