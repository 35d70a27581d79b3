/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/utsname.h>

#include <rte_ethdev.h>
#include <rte_version.h>

#include <shunt/clock.h>
#include <shunt/error.h>
#include <shunt/version.h>

#include "forward.h"
#include "text.h"

static void fill_port(const struct forward *run, unsigned int i, struct shunt_record_port *row)
{
	const struct forward_port *port = &run->ports.list[i];
	struct shunt_watch *returned = shunt_tester_watch(run->traffic.tester, i);
	struct shunt_window_figures *figures = shunt_window_figures(run->measurement.window, i);
	struct rte_eth_stats stats = { 0 };

	rte_eth_stats_get(port->id, &stats);
	*row = (struct shunt_record_port){
		.name = port->name,
		.function = port->function,
		.driver = port->driver,
		.rx = port->rx,
		.sent = shunt_tester_sent(run->traffic.tester, i),
		.received = returned->frames - returned->late + figures->late,
		.late = figures->late,
		.duplicates = returned->late - figures->late,
		.corrupt = shunt_tester_corrupt(run->traffic.tester, i),
		.figures = figures,
		.times = shunt_tester_times(run->traffic.tester, i, SHUNT_PHASE_SWITCHING),
		.baseline = shunt_tester_times(run->traffic.tester, i, SHUNT_PHASE_BASELINE),
	};
	if (run->measurement.truth)
		row->truth = *forward_truth_result(run->measurement.truth, i);
	row->rx_dropped = stats.imissed + figures->recovered.rx_dropped;
	row->tx_dropped = stats.oerrors + figures->recovered.tx_dropped;
}

static void fill_run(const struct forward *run, struct shunt_record_run *row)
{
	static struct utsname host;
	static char processor[128];

	uname(&host);
	/* x86; other architectures have no such line. */
	snprintf(processor, sizeof(processor), "%s", text_field("/proc/cpuinfo", "model name\t: "));
	*row = (struct shunt_record_run){
		.version = SHUNT_VERSION,
		.dpdk = rte_version(),
		.date = run->config.date,
		.host = host.nodename,
		.processor = processor,
		.processors = run->config.processors,
		.command = run->config.options->command,
		.command_words = run->config.options->command_words,
		.interrupted = run->measurement.interrupted,
	};
}

static void fill_record(const struct forward *run, struct shunt_record *record)
{
	const struct forward_measurement *measurement = &run->measurement;
	const struct forward_options *options = run->config.options;
	static char traffic[512];

	if (options->pcap)
		snprintf(traffic, sizeof(traffic), "pcap %s", options->pcap);
	else if (options->imix)
		snprintf(traffic, sizeof(traffic), "imix");
	else
		snprintf(traffic, sizeof(traffic), "%u bytes", options->size);
	*record = (struct shunt_record){
		.platform = run->config.platform->name,
		.info = run->config.info,
		.hugepages = run->config.hugepages,
		.plan = shunt_plan_name(options->plan),
		.plan_taken = shunt_plan_name(measurement->taken),
		.plan_reason = measurement->why,
		.traffic = traffic,
		.rate = options->rate,
		.switch_every_ns = options->switch_every_ns,
		.cold_idle_ns = options->cold_ns,
		.evidence_traffic = shunt_evidence_traffic_name(measurement->evidence.traffic),
		.evidence = forward_evidence_sum(&measurement->evidence),
		.switches = measurement->switches,
		.failed = measurement->failed,
		.duration_s =
			(double)shunt_clock_to_ns(measurement->end - measurement->start) / 1e9,
		.baseline_s =
			(double)shunt_clock_to_ns(measurement->switching - measurement->start) /
			1e9,
		.foreign = shunt_tester_foreign(run->traffic.tester),
		.group = shunt_group_number(run->ports.group),
		.group_figures = shunt_window_group_figures(measurement->window),
		.port_count = run->ports.count,
	};
	fill_run(run, &record->run);
	if (measurement->truth)
		record->group_ground_truth = *forward_truth_group_result(measurement->truth);
	shunt_window_changed(measurement->window, &record->changed, &record->changed_in_switches);
	for (unsigned int i = 0; i < run->ports.count; i++)
		fill_port(run, i, &record->ports[i]);
	/* A port's frames leave through the next one, unless it sends its own. */
	for (unsigned int i = 0; i < run->ports.count; i++)
		record->ports[run->ports.list[i].out_index].tx = run->ports.list[i].tx;
	for (unsigned int i = 0; i < run->ports.count && run->config.source == FORWARD_OWN; i++)
		record->ports[i].tx = run->traffic.senders[i].sent;
}

static int judge(const struct shunt_record *record)
{
	uint64_t unexplained = shunt_record_unexplained(record);
	uint64_t changed = record->changed - record->changed_in_switches;

	if (unexplained || changed)
		return shunt_fail(-EIO,
			"unexplained loss: %" PRIu64 " frame%s lost, %" PRIu64
			" corrupted, with no fault or reset to account for them",
			unexplained, plural(unexplained), changed);
	if (record->failed && !record->switches)
		return shunt_fail(-EIO, "%" PRIu64 " switch%s failed and none succeeded",
			record->failed, plural_es(record->failed));
	return 0;
}

static int write_record(struct forward *run, const struct shunt_record *record)
{
	int ret;

	if (!run->config.options->json)
		return 0;
	ret = shunt_output_close(
		&run->measurement.json, shunt_record_write(record, run->measurement.json.file));
	return ret ? shunt_fail_while(ret, "--json") : 0;
}

int forward_record(struct forward *run)
{
	struct shunt_record record;
	int ret, err;

	fill_record(run, &record);
	forward_view_summary(&run->config, &record);
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
	struct forward_measurement *measurement = &run->measurement;
	const struct forward_options *options = run->config.options;
	int ret;

	ret = open_output(&measurement->json, "--json", options->json);
	if (!ret)
		ret = open_output(&measurement->timeline_file, "--timeline", options->timeline);
	if (!ret && measurement->json.standard && measurement->timeline_file.standard)
		ret = shunt_fail(
			-EINVAL, "--json and --timeline: only one can go to standard output");
	if (ret)
		forward_outputs_close(measurement);
	run->config.text =
		measurement->json.standard || measurement->timeline_file.standard ? stderr : stdout;
	return ret;
}

void forward_outputs_close(struct forward_measurement *measurement)
{
	if (measurement->json.file)
		shunt_output_close(&measurement->json, -ECANCELED);
	if (measurement->timeline_file.file)
		shunt_output_close(&measurement->timeline_file, -ECANCELED);
}
