/* SPDX-License-Identifier: BSD-3-Clause */
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "forward.h"

#define AGAIN_MS 500

static atomic_bool interrupted;
static struct timespec interrupted_at;

static bool long_ago(const struct timespec *then, const struct timespec *now)
{
	return (now->tv_sec - then->tv_sec) * 1000 + (now->tv_nsec - then->tv_nsec) / 1000000 >
	       AGAIN_MS;
}

/*
 * The first signal ends the run with its summary and its record, a second one ends the process. It
 * does not count if it comes at once: timeout(1) and some shells signal the process and its group.
 */
static void interrupt(int number)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!atomic_load(&interrupted)) {
		interrupted_at = now;
		atomic_store(&interrupted, true);
	} else if (long_ago(&interrupted_at, &now)) {
		signal(number, SIG_DFL);
		raise(number);
	}
}

bool forward_interrupted(void)
{
	return atomic_load(&interrupted);
}

void forward_catch_signals(void)
{
	struct sigaction action = { .sa_handler = interrupt }, before;

	sigaddset(&action.sa_mask, SIGINT);
	sigaddset(&action.sa_mask, SIGTERM);
	sigaddset(&action.sa_mask, SIGHUP);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* nohup(1) ignores it. */
	if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &action, NULL);
}
