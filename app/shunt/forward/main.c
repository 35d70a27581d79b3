/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <rte_ethdev.h>
#include <rte_launch.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "commands.h"
#include "forward.h"
#include "parse.h"
#include "rte_net_shunt.h"
#include "shunt_thread.h"

#define TICK_NS  1000000000ull
#define POLL_NS  5000000ull   /* longest time between two polls of the window */
#define CHECK_NS 100000000ull /* between two checks for stopped queues */
#define LCORE_NS 1000000ull   /* between two looks at an lcore that ends */
#define IN_A_ROW 10           /* failures of ports that end a run although they recovered */

static void sleep_until(uint64_t ticks)
{
	uint64_t now = shunt_clock_now();
	uint64_t ns = ticks > now ? shunt_clock_to_ns(ticks - now) : 0;
	struct timespec pause = { .tv_sec = (time_t)(ns / TICK_NS),
		.tv_nsec = (long)(ns % TICK_NS) };

	nanosleep(&pause, NULL);
}

/*
 * A run continues after a port failed and recovered: that is counted, reported, and its loss
 * accounted for. A port that fails every time ends it.
 */
static int continue_run(struct forward *run, const struct shunt_switch_result *result, int ret)
{
	const char *why = strdupa(shunt_errmsg());

	if (!result->recovered)
		return ret;
	if (++run->measurement.failed_in_a_row == IN_A_ROW)
		return shunt_fail(ret, "%s (failure %d in a row)", why, IN_A_ROW);
	fprintf(stderr, "shunt forward: %s; the run continues\n", why);
	return 0;
}

static int switch_once(struct forward *run)
{
	struct forward_measurement *measurement = &run->measurement;
	const uint64_t number = measurement->switches + measurement->failed;
	struct shunt_switch_result result;
	int ret, err;

	ret = forward_log_begin(&measurement->log, number);
	if (ret)
		return ret;
	ret = shunt_group_switch(run->ports.group, forward_spaces_next(&run->ports),
		run->config.options->plan, &result);
	if (!result.start)
		return ret;
	measurement->taken = result.plan;
	snprintf(measurement->why, sizeof(measurement->why), "%s", result.why);
	if (run->config.options->cold_ns)
		forward_cold_switched(&measurement->cold, number, &result);
	forward_evidence_switch(&measurement->evidence, &result);
	if (ret) {
		const char *why = strdupa(shunt_errmsg());

		measurement->failed++;
		err = shunt_window_switch(measurement->window, &result);
		if (!err)
			err = forward_log_end(&measurement->log, number, &result);
		return err ? err : continue_run(run, &result, shunt_fail(ret, "%s", why));
	}
	measurement->failed_in_a_row = 0;
	measurement->switches++;
	ret = shunt_window_switch(measurement->window, &result);
	return ret ? ret : forward_log_end(&measurement->log, number, &result);
}

/* Checks between switches that are far apart; recoveries explain losses. */
static int check_ports(struct forward *run, uint64_t now)
{
	struct shunt_switch_result result = { 0 };
	int ret;

	if (now - run->measurement.checked < shunt_clock_from_ns(CHECK_NS))
		return 0;
	run->measurement.checked = now;
	ret = shunt_group_check(run->ports.group, &result);
	if (ret < 0 && continue_run(run, &result, ret))
		return ret;
	return ret ? shunt_window_check(run->measurement.window, &result) : 0;
}

/* Updates the platform's info; the kernel platform does not know the NIC's name. */
static void update_info(struct forward *run)
{
	run->config.platform->ops->info(
		run->config.platform, run->ports.list[0].function, &run->config.info);
	if (!run->config.info.nic[0])
		snprintf(run->config.info.nic, sizeof(run->config.info.nic), "%s", run->ports.nic);
}

static bool all_switched(const struct forward *run)
{
	return run->config.options->switches &&
	       run->measurement.switches >= run->config.options->switches;
}

/* After the last switch, its measurement still has to complete. */
static bool finished(const struct forward *run, uint64_t now, uint64_t deadline)
{
	return forward_interrupted() || now >= deadline ||
	       (all_switched(run) && shunt_window_complete(run->measurement.window));
}

/* Performs a switch that is due, or a step towards it. */
static int switch_or_step(struct forward *run, uint64_t now, uint64_t every, uint64_t *next)
{
	uint64_t again = 0;
	int ret = 0;

	/* Lets the workers run, which this thread may have delayed. */
	if (!shunt_window_room(run->measurement.window)) {
		*next = now + shunt_clock_from_ns(POLL_NS);
		return 0;
	}
	if (run->config.options->cold_ns)
		ret = forward_cold_step(run, now, &again);
	if (ret || again) {
		*next = again;
		return ret;
	}
	ret = switch_once(run);
	run->measurement.checked = shunt_clock_now();
	*next = all_switched(run) ? UINT64_MAX
				  : RTE_MAX(*next + every,
					    run->measurement.checked +
						    (run->config.options->cold_ns ? every : 0));
	return ret;
}

/*
 * Switches, polls and displays when due; a late switch delays the following ones. Results of a
 * switch are polled later: on a shared processor polling at once would delay the worker.
 */
static int run_phase(struct forward *run, uint64_t start, uint64_t duration_ns, uint64_t every)
{
	uint64_t tick = shunt_clock_from_ns(TICK_NS), poll = shunt_clock_from_ns(POLL_NS);
	uint64_t next_switch = every ? start + every : UINT64_MAX;
	uint64_t next_tick = start + tick, next_poll = start, next, now;
	uint64_t deadline = duration_ns ? start + shunt_clock_from_ns(duration_ns) : UINT64_MAX;
	int ret = 0;

	while (!ret && !finished(run, now = shunt_clock_now(), deadline)) {
		if (now >= next_switch) {
			ret = switch_or_step(run, now, every, &next_switch);
			next_poll = RTE_MIN(next_poll, run->measurement.checked + every / 2);
		}
		if (!ret)
			ret = forward_ports_check(&run->ports);
		/* With cold caches, a check would warm them. */
		if (!ret && run->measurement.cold.state == FORWARD_FLOWS)
			ret = check_ports(run, now);
		if (!ret && now >= next_poll) {
			ret = shunt_window_poll(run->measurement.window);
			forward_timeline_poll(run);
			next_poll = now + poll;
		}
		if (now >= next_tick) {
			forward_view_tick(run->config.text, &run->ports, &run->measurement);
			while (next_tick <= now) /* once after a stop of the process */
				next_tick += tick;
		}
		next = RTE_MIN(next_switch, next_tick);
		next = RTE_MIN(next, next_poll);
		sleep_until(RTE_MIN(next, deadline));
	}
	return ret;
}

/* First a baseline without switches. */
static int run_until_finished(struct forward *run)
{
	struct forward_measurement *measurement = &run->measurement;
	const struct forward_options *options = run->config.options;
	int ret = 0;

	if (options->baseline_ns)
		shunt_window_baseline(measurement->window);
	measurement->start = shunt_clock_now();
	shunt_tester_start(run->traffic.tester);
	if (options->baseline_ns) {
		ret = run_phase(run, measurement->start, options->baseline_ns, 0);
		shunt_window_switching(measurement->window);
	}
	measurement->switching = options->baseline_ns ? shunt_clock_now() : measurement->start;
	return ret ? ret
		   : run_phase(run, measurement->switching, options->duration_ns,
			     shunt_clock_from_ns(options->switch_every_ns));
}

static int start_lcores(struct forward *run)
{
	int ret = rte_eal_remote_launch(
		run->config.source == FORWARD_OWN ? forward_own_lcore : forward_lcore,
		&run->traffic, FORWARD_WORKER);

	if (!ret && run->config.source == FORWARD_TESTER)
		ret = rte_eal_remote_launch(forward_tester_lcore, &run->traffic, FORWARD_SENDING);
	return ret ? shunt_fail_errno(ret, "starting the lcores") : 0;
}

/* EAL waits busily. This thread has a real-time priority, and a worker may share its processor. */
static void stop_lcores(struct forward *run)
{
	unsigned int lcore;

	atomic_store(&run->traffic.stop, true);
	RTE_LCORE_FOREACH_WORKER (lcore)
		while (rte_eal_get_lcore_state(lcore) == RUNNING)
			sleep_until(shunt_clock_now() + shunt_clock_from_ns(LCORE_NS));
	rte_eal_mp_wait_lcore();
}

/* A failed run is evidence against replace only. */
static int keep_evidence(struct forward *run, int ret)
{
	const char *why = strdupa(shunt_errmsg());
	int err;

	err = forward_evidence_keep(&run->measurement.evidence, &run->config.info, !ret);
	if (!err)
		forward_view_evidence(run->config.text, &run->measurement.evidence);
	return ret ? shunt_fail(ret, "%s", why) : err;
}

/* Ends in the order in which frames move: tester, lcores, loss accounting. */
static int measure(struct forward *run)
{
	const char *why;
	int ret, err;

	ret = start_lcores(run);
	if (ret) {
		stop_lcores(run);
		return ret;
	}
	shunt_thread_urgent();
	ret = run_until_finished(run);
	why = strdupa(shunt_errmsg());
	run->measurement.end = shunt_clock_now();
	run->measurement.interrupted = forward_interrupted();
	update_info(run); /* fault observers appear during the run */
	forward_traffic_end(&run->traffic);
	stop_lcores(run);
	err = shunt_window_end(run->measurement.window);
	if (!err)
		err = forward_log_check(&run->measurement.log);
	if (!err)
		err = forward_record(run);
	return keep_evidence(run, ret ? shunt_fail(ret, "%s", why) : err);
}

/* Reports the first error, whatever tear-down says. */
static int with_ports(struct forward *run)
{
	const char *why;
	int ret;

	ret = forward_ports_start(&run->config, &run->traffic.frames, &run->ports);
	if (ret)
		return ret;
	update_info(run);
	ret = forward_spaces_make(&run->config, &run->ports);
	if (!ret)
		ret = forward_evidence_open(&run->config, &run->ports, &run->measurement);
	if (!ret)
		ret = forward_traffic_connect(&run->traffic);
	if (!ret)
		ret = forward_measurement_make(run);
	if (!ret)
		ret = forward_senders_make(&run->traffic);
	if (!ret)
		ret = forward_ports_wait(&run->ports);
	if (!ret) {
		forward_view_head(&run->config, &run->ports, &run->measurement);
		ret = measure(run);
	}
	why = strdupa(shunt_errmsg());
	forward_senders_free(&run->traffic);
	forward_measurement_free(run);
	forward_traffic_free(&run->traffic);
	forward_ports_stop(&run->ports);
	forward_spaces_free(&run->ports);
	return ret ? shunt_fail(ret, "%s", why) : 0;
}

static int make_kernel(struct forward *run)
{
	int ret = shunt_platform_kernel(&run->config.platform);

	for (unsigned int i = 0; i < run->config.options->inherit_count && !ret; i++) {
		const struct forward_inherit *inherit = &run->config.options->inherit[i];

		ret = shunt_platform_inherit(run->config.platform, inherit->path, inherit->fd);
		if (ret)
			shunt_platform_destroy(run->config.platform);
	}
	return ret;
}

/* The engine inherits the processors of the thread that creates it. */
static int make_platform(struct forward *run)
{
	cpu_set_t own;
	int ret;

	if (run->config.options->kernel)
		return make_kernel(run);
	sched_getaffinity(0, sizeof(own), &own);
	sched_setaffinity(0, sizeof(run->config.engine_processors), &run->config.engine_processors);
	ret = shunt_sim_create(&run->config.options->sim, &run->config.platform);
	sched_setaffinity(0, sizeof(own), &own);
	return ret;
}

static int with_platform(struct forward *run)
{
	int ret;

	ret = make_platform(run);
	if (ret)
		return ret;
	ret = with_ports(run);
	rte_net_shunt_platform(NULL);
	shunt_platform_destroy(run->config.platform);
	return ret;
}

static int forward(const struct forward_options *options)
{
	struct forward run = {
		.config = { .options = options, .date = time(NULL) },
		.traffic = { .config = &run.config, .ports = &run.ports },
	};
	int ret;

	if (options->kernel)
		run.config.source = options->tester ? FORWARD_TESTER : FORWARD_OWN;
	ret = forward_outputs_open(&run);
	if (ret)
		return ret;
	forward_catch_signals(); /* so that a signal during set-up ends with a record too */
	ret = log_open(&run.measurement.log.lines, options->log);
	if (ret)
		goto close_outputs;
	ret = forward_traffic_make(options, &run.traffic.frames);
	if (ret)
		goto close_log;
	ret = forward_eal_start(&run.config);
	if (!ret) {
		ret = with_platform(&run);
		forward_eal_stop();
	}
	shunt_traffic_free(&run.traffic.frames);
close_log:
	log_close(&run.measurement.log.lines);
close_outputs:
	forward_outputs_close(&run.measurement);
	return ret;
}

int shunt_forward(int argc, char **argv)
{
	struct forward_options options;
	int ret;

	ret = forward_options_parse(argc, argv, &options);
	if (ret > 0)
		ret = forward(&options);
	forward_options_free(&options);
	return parse_exit("shunt forward", ret);
}
