/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "forward.h"
#include "shunt_clock.h"
#include "text.h"

static const char *faults_text(int64_t faults, char text[TIME_TEXT])
{
	if (faults < 0)
		snprintf(text, TIME_TEXT, "unknown");
	else
		snprintf(text, TIME_TEXT, "%" PRId64, faults);
	return text;
}

static double seconds(uint64_t ticks)
{
	return (double)shunt_clock_to_ns(ticks) / 1e9;
}

void forward_view_head(const struct forward *run)
{
	const struct forward_options *options = run->options;
	char rate[48] = "as many as the ports take";
	char size[32] = "frames of a capture";

	if (options->rate)
		snprintf(rate, sizeof(rate), "%" PRIu64 " a second and port", options->rate);
	if (options->imix)
		snprintf(size, sizeof(size), "IMIX frames");
	else if (!options->pcap)
		snprintf(size, sizeof(size), "%u-byte frames", options->size);
	printf("platform %s: IOMMU %s, NIC %s%s\n", run->platform->name, run->info.iommu,
		run->info.nic,
		run->info.emulated ? "; emulated, so no figure below is hardware's" : "");
	printf("group %d: %u ports, %s, %s\n", shunt_group_number(run->group), run->count, size,
		rate);
	if (options->switch_every_ns)
		printf("plan %s every %g ms between spaces '%s' and '%s'\n",
			shunt_plan_name(options->plan), (double)options->switch_every_ns / 1e6,
			shunt_space_name(run->spaces[0]), shunt_space_name(run->spaces[1]));
	if (options->plan == SHUNT_PLAN_AUTO)
		printf("auto takes %s: %s\n", shunt_plan_name(run->taken), run->why);
	if (run->evidence.refused[0])
		printf("what is seen of replace is not kept: %s\n", run->evidence.refused);
	if (!run->hugepages)
		printf("plain memory, no hugepages: pages of 4 KiB, more of them for the IOMMU to "
		       "translate\n");
	fflush(stdout);
}

/* What a line sums up over the ports. */
struct totals {
	uint64_t lost;
	int64_t faults;
	uint64_t last_window;
	uint64_t p99_window;
};

static uint64_t lost_of(const struct shunt_window_figures *figures)
{
	return figures->rx_lost + figures->tx_lost;
}

static struct totals sum_up(const struct forward *run)
{
	struct totals totals = { 0 };

	for (unsigned int i = 0; i < run->count; i++) {
		struct shunt_window_figures *figures = shunt_window_figures(run->window, i);
		uint64_t p99 = shunt_samples_quantile(&figures->window_ns, 0.99);

		totals.lost += lost_of(figures);
		if (figures->faults < 0)
			totals.faults = figures->faults;
		else if (totals.faults >= 0)
			totals.faults += figures->faults;
		if (figures->last_window_ns > totals.last_window)
			totals.last_window = figures->last_window_ns;
		if (p99 > totals.p99_window)
			totals.p99_window = p99;
	}
	return totals;
}

static double mpps(struct forward *run, unsigned int port, double elapsed)
{
	uint64_t rx = atomic_load_explicit(&run->ports[port].rx, memory_order_relaxed);
	uint64_t before = run->view.rx[port];

	run->view.rx[port] = rx;
	return elapsed > 0 ? (double)(rx - before) / elapsed / 1e6 : 0;
}

static void print_line(struct forward *run, double at, double elapsed)
{
	struct totals totals = sum_up(run);
	char last[TIME_TEXT], p99[TIME_TEXT], faults[TIME_TEXT];

	printf("%6.1f s ", at);
	for (unsigned int i = 0; i < run->count; i++)
		printf(" %.2f", mpps(run, i, elapsed));
	printf(" Mpps  switches %" PRIu64 "  window last %s p99 %s  lost %" PRIu64 "  faults %s\n",
		run->switches, time_text(totals.last_window, last),
		time_text(totals.p99_window, p99), totals.lost, faults_text(totals.faults, faults));
}

static void print_table(struct forward *run, double at, double elapsed)
{
	char last[TIME_TEXT], p99[TIME_TEXT], max[TIME_TEXT], faults[TIME_TEXT];

	if (run->view.painted)
		printf("\033[%uA", run->count + 2);
	run->view.painted = true;
	printf("\033[K%6.1f s  %" PRIu64 " switches\n", at, run->switches);
	printf("\033[K%-12s %-12s %8s %11s %11s %11s %10s %10s %10s\n", "port", "function", "Mpps",
		"window", "p99", "max", "lost", "faults", "recoveries");
	for (unsigned int i = 0; i < run->count; i++) {
		struct shunt_window_figures *figures = shunt_window_figures(run->window, i);

		printf("\033[K%-12s %-12s %8.2f %11s %11s %11s %10" PRIu64 " %10s %10" PRIu64 "\n",
			run->ports[i].name, run->ports[i].function, mpps(run, i, elapsed),
			time_text(figures->last_window_ns, last),
			time_text(shunt_samples_quantile(&figures->window_ns, 0.99), p99),
			time_text(shunt_samples_quantile(&figures->window_ns, 1.0), max),
			lost_of(figures), faults_text(figures->faults, faults),
			figures->recoveries);
	}
}

void forward_view_tick(struct forward *run)
{
	uint64_t now = shunt_clock_now();
	double elapsed = seconds(now - (run->view.last ? run->view.last : run->start));

	run->view.last = now;
	if (isatty(STDOUT_FILENO))
		print_table(run, seconds(now - run->start), elapsed);
	else
		print_line(run, seconds(now - run->start), elapsed);
	fflush(stdout);
}

/* p50, p99 and maximum. */
static void print_samples(const char *name, struct shunt_samples *samples)
{
	char p50[TIME_TEXT], p99[TIME_TEXT], max[TIME_TEXT];

	printf("%12s %s p50 %s p99 %s max %s", "", name,
		time_text(shunt_samples_quantile(samples, 0.50), p50),
		time_text(shunt_samples_quantile(samples, 0.99), p99),
		time_text(shunt_samples_quantile(samples, 1.0), max));
}

static void print_resolution(struct shunt_samples *samples)
{
	char text[TIME_TEXT];

	printf(" (resolution %s)\n", time_text(shunt_samples_quantile(samples, 0.99), text));
}

static void print_windows(struct shunt_window_figures *figures)
{
	print_samples("fault window", &figures->window_ns);
	print_resolution(&figures->resolution_ns);
	print_samples("by frames lost", &figures->loss_window_ns);
	printf(" (the methods agree in %" PRIu64 " of %" PRIu64 " switches with loss)\n",
		figures->methods_agree, figures->methods_compared);
	print_samples("outage", &figures->outage_ns);
	print_resolution(&figures->outage_resolution_ns);
}

static const char *quantile_text(
	const struct shunt_histogram *histogram, double q, char text[TIME_TEXT])
{
	return time_text(shunt_clock_to_ns(shunt_histogram_quantile(histogram, q)), text);
}

static void print_times(const char *when, const struct shunt_times *times)
{
	char p50[TIME_TEXT], p99[TIME_TEXT], most[TIME_TEXT], gap[TIME_TEXT];

	printf("%12s %s: latency p50 %s p99 %s p99.9 %s, longest gap %s\n", "", when,
		quantile_text(&times->latency, 0.50, p50),
		quantile_text(&times->latency, 0.99, p99),
		quantile_text(&times->latency, 0.999, most), quantile_text(&times->gap, 1.0, gap));
}

static void print_port_summary(const struct forward *run, const struct shunt_record_port *port)
{
	struct shunt_window_figures *figures = port->figures;
	char faults[TIME_TEXT];

	printf("%-12s sent %" PRIu64 " received %" PRIu64 " lost %" PRIu64
	       " faults %s recoveries %" PRIu64 "\n",
		port->name, port->sent, port->received, shunt_record_lost(port),
		faults_text(figures->faults, faults), figures->recoveries);
	if (run->options->switch_every_ns)
		print_windows(figures);
	print_times(run->options->switch_every_ns ? "with switches" : "all in all", port->times);
	if (run->options->baseline_ns)
		print_times("without", port->baseline);
}

static void print_group(const struct shunt_record *record)
{
	struct shunt_window_group_figures *figures = record->group_figures;

	printf("group %d\n", record->group);
	print_samples("first blocked to last free", &figures->window_ns);
	print_resolution(&figures->resolution_ns);
}

static void print_truth(const struct shunt_record *record)
{
	const struct shunt_record_truth *group = &record->group_truth;
	uint64_t compared = 0, within = 0;

	if (!group->known)
		return;
	for (unsigned int i = 0; i < record->port_count; i++) {
		compared += record->ports[i].truth.compared;
		within += record->ports[i].truth.within;
	}
	printf("model's truth within the resolution: %" PRIu64 " of %" PRIu64
	       " windows of ports, %" PRIu64 " of %" PRIu64 " of the group\n",
		within, compared, group->within, group->compared);
}

void forward_view_summary(const struct forward *run, const struct shunt_record *record)
{
	uint64_t received = 0;

	for (unsigned int i = 0; i < record->port_count; i++)
		received += record->ports[i].received;
	printf("\n%" PRIu64 " switches by %s in %.1f s (%" PRIu64
	       " failed), %.1f s without before; "
	       "%.2f Mpps forwarded\n",
		record->switches, record->plan, record->duration_s - record->baseline_s,
		record->failed, record->baseline_s,
		record->duration_s > 0 ? (double)received / record->duration_s / 1e6 : 0);
	if (run->options->plan == SHUNT_PLAN_AUTO)
		printf("auto took %s in the end: %s\n", record->plan_taken, record->plan_why);
	for (unsigned int i = 0; i < record->port_count; i++)
		print_port_summary(run, &record->ports[i]);
	if (run->options->switch_every_ns) {
		print_group(record);
		print_truth(record);
	}
	printf("books: %" PRIu64 " frames lost without explanation, %" PRIu64
	       " came back changed, %" PRIu64 " of them in switches with faults\n",
		shunt_record_unexplained(record), record->changed, record->changed_in_switches);
	if (run->options->json && strcmp(run->options->json, "-") != 0)
		printf("result record: %s\n", run->options->json);
	fflush(stdout);
}

/* Ports whose rings are full, for a rate that nobody can forward, have no DMA to meet. */
void forward_view_evidence(const struct forward *run)
{
	uint64_t switches = 0, faulted = 0, unknown = 0;

	if (!run->evidence.path[0] || !run->evidence.replaces)
		return;
	for (unsigned int kind = 0; kind < SHUNT_HWPT_KINDS; kind++) {
		const struct shunt_evidence_seen *seen = &run->evidence.seen.seen[kind];

		switches += seen->switches;
		faulted += seen->faulted;
		unknown += seen->unknown;
	}
	printf("evidence: %" PRIu64 " of %" PRIu64 " replaces count, %" PRIu64
	       " of them faulted, %" PRIu64 " unknown; file %s\n",
		switches, run->evidence.replaces, faulted, unknown, run->evidence.path);
	if (2 * switches < run->evidence.replaces)
		printf("the others did not surely meet traffic: at a --rate that the ports can "
		       "forward more do\n");
	fflush(stdout);
}
