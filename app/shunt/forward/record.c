/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <rte_ethdev.h>
#include <rte_version.h>

#include <shunt/clock.h>
#include <shunt/error.h>
#include <shunt/version.h>

#include "forward.h"

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

/* "model name" of x86; other architectures have none. */
static void find_processor(char *model, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256];

	model[0] = '\0';
	while (file && !model[0] && fgets(line, sizeof(line), file))
		if (strncmp(line, "model name", strlen("model name")) == 0 && strchr(line, ':'))
			snprintf(model, size, "%.*s", (int)strcspn(strchr(line, ':') + 2, "\n"),
				strchr(line, ':') + 2);
	if (file)
		fclose(file);
}

static void fill_run(const struct forward *run, struct shunt_record_run *row)
{
	static struct utsname host;
	static char processor[128];

	uname(&host);
	find_processor(processor, sizeof(processor));
	*row = (struct shunt_record_run){
		.version = SHUNT_VERSION,
		.dpdk = rte_version(),
		.date = run->date,
		.host = host.nodename,
		.processor = processor,
		.processors = run->processors,
		.command = run->options->command,
		.command_words = run->options->command_words,
		.interrupted = run->interrupted,
	};
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
		.plan_reason = run->why,
		.traffic = traffic,
		.rate = run->options->rate,
		.switch_every_ns = run->options->switch_every_ns,
		.cold_idle_ns = run->options->cold_ns,
		.evidence_traffic = shunt_evidence_traffic_name(run->evidence.traffic),
		.evidence = forward_evidence_sum(&run->evidence),
		.switches = run->switches,
		.failed = run->failed,
		.duration_s = (double)shunt_clock_to_ns(run->end - run->start) / 1e9,
		.baseline_s = (double)shunt_clock_to_ns(run->switching - run->start) / 1e9,
		.foreign = shunt_tester_foreign(run->tester),
		.group = shunt_group_number(run->group),
		.group_figures = shunt_window_group_figures(run->window),
		.port_count = run->count,
	};
	fill_run(run, &record->run);
	if (run->truth)
		record->group_ground_truth = *forward_truth_group_result(run->truth);
	shunt_window_changed(run->window, &record->changed, &record->changed_in_switches);
	for (unsigned int i = 0; i < run->count; i++)
		fill_port(run, i, &record->ports[i]);
	/* A port's frames leave through the next one, unless it sends its own. */
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
			"unexplained loss: %" PRIu64 " frames lost, %" PRIu64
			" corrupted, with no fault or reset to account for them",
			unexplained, changed);
	if (record->failed && !record->switches)
		return shunt_fail(
			-EIO, "%" PRIu64 " switches failed and none succeeded", record->failed);
	return 0;
}

static int write_record(struct forward *run, const struct shunt_record *record)
{
	int ret;

	if (!run->options->json)
		return 0;
	ret = shunt_output_close(&run->json, shunt_record_write(record, run->json.file));
	return ret ? shunt_fail_while(ret, "--json") : 0;
}

int forward_record(struct forward *run)
{
	struct shunt_record record;
	int ret, err;

	fill_record(run, &record);
	forward_view_summary(run, &record);
	ret = write_record(run, &record);
	err = forward_timeline_write(run);
	if (!ret)
		ret = err;
	return ret ? ret : judge(&record);
}

static int open_output(struct shunt_output *output, const char *option, const char *path)
{
	int ret = path ? shunt_output_open(output, path) : 0;

	return ret ? shunt_fail_while(ret, "%s", option) : 0;
}

int forward_outputs_open(struct forward *run)
{
	const struct forward_options *options = run->options;
	int ret;

	ret = open_output(&run->json, "--json", options->json);
	if (!ret)
		ret = open_output(&run->timeline_file, "--timeline", options->timeline);
	if (!ret && run->json.standard && run->timeline_file.standard)
		ret = shunt_fail(
			-EINVAL, "--json and --timeline: only one can go to standard output");
	if (ret)
		forward_outputs_close(run);
	run->text = run->json.standard || run->timeline_file.standard ? stderr : stdout;
	return ret;
}

void forward_outputs_close(struct forward *run)
{
	if (run->json.file)
		shunt_output_close(&run->json, -ECANCELED);
	if (run->timeline_file.file)
		shunt_output_close(&run->timeline_file, -ECANCELED);
}
