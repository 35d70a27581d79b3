/* SPDX-License-Identifier: BSD-3-Clause */
/* The barrier between pollers and the pausing thread, and a kernel without it. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "shunt_barrier.h"

/* From now on membarrier(2) fails in this thread. @return whether that can be had */
static bool refuse_membarrier(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_membarrier, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOMEM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void a_failed_barrier_is_reported_and_not_counted(void **state)
{
	uint64_t before;

	if (shunt_barrier_missing())
		skip();
	before = shunt_barrier_begun();
	assert_int_equal(shunt_barrier_after(before), 0);
	assert_int_equal(shunt_barrier_after(before), 0); /* by that one */
	if (!refuse_membarrier())
		skip();
	before = shunt_barrier_begun();
	assert_int_equal(shunt_barrier(), -ENOMEM);
	assert_int_equal(shunt_barrier_after(before), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_barrier_is_reported_and_not_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
