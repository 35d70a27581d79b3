/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_ethdev.h>
#include <rte_launch.h>

#include "commands.h"
#include "forward.h"
#include "rte_net_shunt.h"
#include "shunt_clock.h"
#include "shunt_error.h"
#include "shunt_thread.h"

#define TICK_NS  1000000000ull
#define POLL_NS  5000000ull   /* gaps are taken in at least that often */
#define CHECK_NS 100000000ull /* a queue that stopped between two switches is noticed within it */

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	interrupted = 1;
}

/* The first Ctrl-C ends the run with its summary; a second one ends the process. */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static void sleep_until(uint64_t ticks)
{
	uint64_t now = shunt_clock_now();
	uint64_t ns = ticks > now ? shunt_clock_to_ns(ticks - now) : 0;
	struct timespec pause = { .tv_sec = (time_t)(ns / TICK_NS),
		.tv_nsec = (long)(ns % TICK_NS) };

	nanosleep(&pause, NULL);
}

static int switch_once(struct forward *run)
{
	struct shunt_space *to =
		shunt_group_space(run->group) == run->spaces[0] ? run->spaces[1] : run->spaces[0];
	const uint64_t number = run->switches + run->failed;
	struct shunt_switch_result result;
	int ret, err;

	ret = forward_log_begin(run, number);
	if (ret)
		return ret;
	ret = shunt_group_switch(run->group, to, run->options->plan, &result);
	if (!result.start)
		return ret;
	run->taken = result.plan;
	snprintf(run->why, sizeof(run->why), "%s", result.why);
	forward_evidence_switch(&run->evidence, &result);
	if (ret) {
		char why[1024];

		run->failed++;
		snprintf(why, sizeof(why), "%s", shunt_errmsg());
		err = shunt_window_switch(run->window, &result);
		if (!err)
			err = forward_log_end(run, number, &result);
		return err ? err : shunt_fail(ret, "%s", why);
	}
	run->switches++;
	ret = shunt_window_switch(run->window, &result);
	return ret ? ret : forward_log_end(run, number, &result);
}

/* Between switches that are far apart; what was mended explains what was lost. */
static int check_ports(struct forward *run, uint64_t now)
{
	struct shunt_switch_result result;
	int ret;

	if (now - run->looked_after < shunt_clock_from_ns(CHECK_NS))
		return 0;
	run->looked_after = now;
	ret = shunt_group_check(run->group, &result);
	return ret > 0 ? shunt_window_check(run->window, &result) : ret;
}

/* What runs below; the kernel knows no NICs by name, the ports do. */
static void update_info(struct forward *run)
{
	run->platform->ops->info(run->platform, &run->info);
	if (!run->info.nic[0])
		snprintf(run->info.nic, sizeof(run->info.nic), "%s", run->nic);
}

static bool all_switched(const struct forward *run)
{
	return run->options->switches && run->switches >= run->options->switches;
}

/* After the last switch the frames that tell of it are still to come. */
static bool finished(const struct forward *run, uint64_t now, uint64_t deadline)
{
	return interrupted || now >= deadline ||
	       (all_switched(run) && shunt_window_complete(run->window));
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * Switches, polls and shows, each when it is due; a switch that came late moves those after it.
 * What a switch did is taken in later: on a shared processor it would keep the worker from running.
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
			ret = switch_once(run);
			run->looked_after = shunt_clock_now();
			next_switch = all_switched(run)
					      ? UINT64_MAX
					      : RTE_MAX(next_switch + every, run->looked_after);
			next_poll = earlier(next_poll, run->looked_after + every / 2);
		}
		if (!ret)
			ret = forward_ports_check(run);
		if (!ret)
			ret = check_ports(run, now);
		if (!ret && now >= next_poll) {
			ret = shunt_window_poll(run->window);
			forward_timeline_poll(run);
			next_poll = now + poll;
		}
		if (now >= next_tick) {
			forward_view_tick(run);
			next_tick += tick;
		}
		next = earlier(earlier(next_switch, next_tick), earlier(next_poll, deadline));
		sleep_until(next);
	}
	return ret;
}

/* First the same without switches, to show beside. */
static int run_until_finished(struct forward *run)
{
	const struct forward_options *options = run->options;
	int ret = 0;

	if (options->baseline_ns)
		shunt_window_baseline(run->window);
	run->start = shunt_clock_now();
	shunt_tester_start(run->tester);
	if (options->baseline_ns) {
		ret = run_phase(run, run->start, options->baseline_ns, 0);
		shunt_window_switching(run->window);
	}
	run->switching = options->baseline_ns ? shunt_clock_now() : run->start;
	return ret ? ret
		   : run_phase(run, run->switching, options->duration_ns,
			     shunt_clock_from_ns(options->switch_every_ns));
}

static void fill_port(const struct forward *run, unsigned int i, struct shunt_record_port *row)
{
	const struct forward_port *port = &run->ports[i];
	struct shunt_watch *returned = shunt_tester_watch(run->tester, i);
	struct shunt_window_figures *figures = shunt_window_figures(run->window, i);
	struct rte_eth_stats stats = { 0 };

	rte_eth_stats_get(port->id, &stats);
	*row = (struct shunt_record_port){
		.name = port->name,
		.function = port->function,
		.driver = port->driver,
		.rx = port->rx,
		.sent = shunt_tester_sent(run->tester, i),
		.received = returned->frames - returned->late + figures->late,
		.late = figures->late,
		.duplicates = returned->late - figures->late,
		.corrupt = shunt_tester_corrupt(run->tester, i),
		.figures = figures,
		.times = shunt_tester_times(run->tester, i, SHUNT_PHASE_SWITCHING),
		.baseline = shunt_tester_times(run->tester, i, SHUNT_PHASE_BASELINE),
	};
	if (run->truth)
		row->truth = *forward_truth_result(run->truth, i);
	row->rx_dropped = stats.imissed + figures->recovered.rx_dropped;
	row->tx_dropped = stats.oerrors + figures->recovered.tx_dropped;
}

static void fill_record(const struct forward *run, struct shunt_record *record)
{
	static char traffic[512];

	if (run->options->pcap)
		snprintf(traffic, sizeof(traffic), "pcap %s", run->options->pcap);
	else if (run->options->imix)
		snprintf(traffic, sizeof(traffic), "imix");
	else
		snprintf(traffic, sizeof(traffic), "%u bytes", run->options->size);
	*record = (struct shunt_record){
		.platform = run->platform->name,
		.info = run->info,
		.hugepages = run->hugepages,
		.plan = shunt_plan_name(run->options->plan),
		.plan_taken = shunt_plan_name(run->taken),
		.plan_why = run->why,
		.traffic = traffic,
		.rate = run->options->rate,
		.switches = run->switches,
		.failed = run->failed,
		.duration_s = (double)shunt_clock_to_ns(run->end - run->start) / 1e9,
		.baseline_s = (double)shunt_clock_to_ns(run->switching - run->start) / 1e9,
		.foreign = shunt_tester_foreign(run->tester),
		.group = shunt_group_number(run->group),
		.group_figures = shunt_window_group_figures(run->window),
		.port_count = run->count,
	};
	if (run->truth)
		record->group_truth = *forward_truth_group_result(run->truth);
	shunt_window_changed(run->window, &record->changed, &record->changed_in_switches);
	for (unsigned int i = 0; i < run->count; i++)
		fill_port(run, i, &record->ports[i]);
	/* A port's frames leave through the next one; or it sends some itself. */
	for (unsigned int i = 0; i < run->count; i++)
		record->ports[run->ports[i].out_index].tx = run->ports[i].tx;
	for (unsigned int i = 0; i < run->count && run->source == FORWARD_OWN; i++)
		record->ports[i].tx = run->senders[i].sent;
}

static int judge(const struct shunt_record *record)
{
	uint64_t unexplained = shunt_record_unexplained(record);
	uint64_t changed = record->changed - record->changed_in_switches;

	if (unexplained || changed)
		return shunt_fail(-EIO,
			"the books do not balance: %" PRIu64 " frames lost and %" PRIu64
			" changed without explanation",
			unexplained, changed);
	return 0;
}

static int report(struct forward *run)
{
	struct shunt_record record;
	int ret;

	fill_record(run, &record);
	forward_view_summary(run, &record);
	if (run->options->json) {
		ret = shunt_record_write(&record, run->options->json);
		if (ret)
			return ret;
	}
	ret = forward_timeline_write(run);
	return ret ? ret : judge(&record);
}

static int start_lcores(struct forward *run)
{
	int ret = rte_eal_remote_launch(
		run->source == FORWARD_OWN ? forward_own_lcore : forward_lcore, run, run->lcore);

	if (!ret && run->source == FORWARD_TESTER)
		ret = rte_eal_remote_launch(forward_tester_lcore, run, run->tester_lcore);
	return ret ? shunt_fail_errno(ret, "starting the lcores") : 0;
}

static void stop_lcores(struct forward *run)
{
	atomic_store(&run->stop_lcore, true);
	rte_eal_mp_wait_lcore();
}

/* A run that went wrong says nothing for replace, only against it. */
static int keep_evidence(struct forward *run, int ret)
{
	char why[1024] = "";
	int err;

	if (ret)
		snprintf(why, sizeof(why), "%s", shunt_errmsg());
	err = forward_evidence_keep(&run->evidence, &run->info, !ret);
	if (!err)
		forward_view_evidence(run);
	return ret ? shunt_fail(ret, "%s", why) : err;
}

/* Ends in the order in which frames move: tester, then lcores, then books. */
static int measure(struct forward *run)
{
	char why[1024] = "";
	int ret, err;

	ret = start_lcores(run);
	if (ret) {
		stop_lcores(run);
		return ret;
	}
	catch_signals();
	shunt_thread_urgent();
	ret = run_until_finished(run);
	if (ret)
		snprintf(why, sizeof(why), "%s", shunt_errmsg());
	run->end = shunt_clock_now();
	update_info(run); /* observers of faults show themselves in the course of the run */
	forward_traffic_end(run);
	stop_lcores(run);
	err = shunt_window_end(run->window);
	if (!err)
		err = forward_log_check(run);
	if (!err)
		err = report(run);
	return keep_evidence(run, ret ? shunt_fail(ret, "%s", why) : err);
}

static int with_ports(struct forward *run)
{
	int ret;

	ret = forward_ports_start(run);
	if (ret)
		return ret;
	ret = forward_spaces_make(run);
	if (!ret)
		ret = forward_evidence_open(run);
	if (!ret)
		ret = forward_traffic_connect(run);
	if (!ret)
		ret = forward_senders_make(run);
	if (!ret)
		ret = forward_ports_wait(run);
	update_info(run);
	if (!ret) {
		forward_view_head(run);
		ret = measure(run);
	}
	forward_senders_free(run);
	forward_traffic_free(run);
	forward_ports_stop(run);
	forward_spaces_free(run);
	return ret;
}

static int make_kernel(struct forward *run)
{
	int ret = shunt_platform_kernel(&run->platform);

	for (unsigned int i = 0; i < run->options->inherit_count && !ret; i++) {
		const struct forward_inherit *inherit = &run->options->inherit[i];

		ret = shunt_platform_inherit(run->platform, inherit->path, inherit->fd);
		if (ret)
			shunt_platform_destroy(run->platform);
	}
	return ret;
}

/* The engine runs where the thread that makes it may. */
static int make_platform(struct forward *run)
{
	cpu_set_t own;
	int ret;

	if (run->options->kernel)
		return make_kernel(run);
	sched_getaffinity(0, sizeof(own), &own);
	sched_setaffinity(0, sizeof(run->engine_processors), &run->engine_processors);
	ret = shunt_sim_create(&run->options->sim, &run->platform);
	sched_setaffinity(0, sizeof(own), &own);
	return ret;
}

static int with_platform(struct forward *run)
{
	int ret;

	ret = make_platform(run);
	if (ret)
		return ret;
	update_info(run);
	ret = with_ports(run);
	rte_net_shunt_platform(NULL);
	shunt_platform_destroy(run->platform);
	return ret;
}

static int forward(const struct forward_options *options)
{
	struct forward run = { .options = options };
	int ret;

	if (options->kernel)
		run.source = options->tester ? FORWARD_TESTER : FORWARD_OWN;
	ret = forward_log_open(&run);
	if (ret)
		return ret;
	ret = forward_traffic_make(&run);
	if (ret)
		goto close_log;
	ret = forward_eal_start(&run);
	if (!ret) {
		ret = with_platform(&run);
		forward_eal_stop();
	}
	shunt_traffic_free(&run.traffic);
close_log:
	forward_log_close(&run);
	return ret;
}

int shunt_forward(int argc, char **argv)
{
	struct forward_options options;
	int ret;

	ret = forward_options_parse(argc, argv, &options);
	if (!ret)
		ret = forward(&options);
	forward_options_free(&options);
	if (ret >= 0)
		return 0;
	fprintf(stderr, "shunt forward: %s\n", shunt_errmsg());
	return 1;
}
