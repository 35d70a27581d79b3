/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <shunt/clock.h>

#include "forward.h"
#include "screen.h"
#include "text.h"

#define LONG (1u << 30) /* bytes; 16 of them take 20 s in plain memory */

static const char *faults_text(int64_t faults)
{
	return faults < 0 ? "unknown" : text_of("%" PRId64, faults);
}

static double seconds(uint64_t ticks)
{
	return (double)shunt_clock_to_ns(ticks) / 1e9;
}

void forward_view_memory(FILE *text, const char *option, uint64_t bytes, const char *user)
{
	if (bytes < LONG)
		return;
	fprintf(text, "%s: allocating and mapping %.1f GiB for %s\n", option,
		(double)bytes / (1 << 30), user);
	fflush(text);
}

void forward_view_head(const struct forward_config *config, const struct forward_ports *ports,
	const struct forward_measurement *measurement)
{
	const struct forward_options *options = config->options;
	const char *rate = options->rate ? text_of("%" PRIu64 " frames/s per port", options->rate)
					 : "no rate limit";
	const char *size = options->imix   ? "IMIX frames"
			   : options->pcap ? "frames of a capture"
					   : text_of("%u-byte frames", options->size);

	fprintf(config->text, "platform %s: IOMMU %s, NIC %s%s\n", config->platform->name,
		config->info.iommu, config->info.nic,
		config->info.emulated ? "; emulated: no figure below is from hardware" : "");
	fprintf(config->text, "group %d: %u port%s, %s, %s\n", shunt_group_number(ports->group),
		ports->count, plural(ports->count), size, rate);
	if (options->switch_every_ns)
		fprintf(config->text, "plan %s every %g ms between spaces '%s' and '%s'\n",
			shunt_plan_name(options->plan), (double)options->switch_every_ns / 1e6,
			shunt_space_name(ports->spaces[0]), shunt_space_name(ports->spaces[1]));
	if (options->cold_ns)
		fprintf(config->text,
			"cold caches: before each switch the traffic stops, a quiesce invalidates "
			"the caches, and the ports stay idle for %g ms\n",
			(double)options->cold_ns / 1e6);
	if (options->plan == SHUNT_PLAN_AUTO)
		fprintf(config->text, "auto uses %s: %s\n", shunt_plan_name(measurement->taken),
			measurement->why);
	if (measurement->evidence.refused[0])
		fprintf(config->text, "evidence will not be saved: %s\n",
			measurement->evidence.refused);
	if (!shunt_clock_steady("/sys"))
		fprintf(config->text,
			"the time-stamp counter is not steady, so all times below may be wrong\n");
	if (!config->hugepages)
		fprintf(config->text,
			"plain memory, no hugepages: the IOMMU translates 4 KiB pages\n");
	fflush(config->text);
}

static uint64_t lost_of(const struct shunt_window_figures *figures)
{
	return figures->rx_lost + figures->tx_lost;
}

/* "-" until one is measured. */
static const char *last_window(const struct shunt_window_figures *figures)
{
	return figures->window_ns.count ? time_text(figures->last_window_ns) : "-";
}

/* Sums over the ports for a line; its windows are those of the port with the longest ones. */
struct totals {
	uint64_t lost;
	int64_t faults;
	struct shunt_window_figures *last;
	struct shunt_window_figures *p99;
};

static bool longer(struct shunt_samples *a, struct shunt_samples *b)
{
	return a->count &&
	       (!b->count || shunt_samples_quantile(a, 0.99) > shunt_samples_quantile(b, 0.99));
}

static struct totals sum_up(struct shunt_window *window, unsigned int count)
{
	struct shunt_window_figures *first = shunt_window_figures(window, 0);
	struct totals totals = { .last = first, .p99 = first };

	for (unsigned int i = 0; i < count; i++) {
		struct shunt_window_figures *figures = shunt_window_figures(window, i);

		totals.lost += lost_of(figures);
		if (figures->faults < 0)
			totals.faults = figures->faults;
		else if (totals.faults >= 0)
			totals.faults += figures->faults;
		if (figures->last_window_ns > totals.last->last_window_ns)
			totals.last = figures;
		if (longer(&figures->window_ns, &totals.p99->window_ns))
			totals.p99 = figures;
	}
	return totals;
}

static double mpps(struct forward_measurement *measurement, const struct forward_ports *ports,
	unsigned int port, double elapsed)
{
	uint64_t rx = atomic_load_explicit(&ports->list[port].rx, memory_order_relaxed);
	uint64_t before = measurement->view.rx[port];

	measurement->view.rx[port] = rx;
	return elapsed > 0 ? (double)(rx - before) / elapsed / 1e6 : 0;
}

static void print_line(FILE *text, const struct forward_ports *ports,
	struct forward_measurement *measurement, double at, double elapsed)
{
	struct totals totals = sum_up(measurement->window, ports->count);

	fprintf(text, "%6.1f s ", at);
	for (unsigned int i = 0; i < ports->count; i++)
		fprintf(text, " %.2f", mpps(measurement, ports, i, elapsed));
	fprintf(text,
		" Mpps  switches %" PRIu64 "  window last %s p99 %s  lost %" PRIu64 "  faults %s\n",
		measurement->switches, last_window(totals.last),
		quantile_text(&totals.p99->window_ns, 0.99), totals.lost,
		faults_text(totals.faults));
	fflush(text);
}

#define COLUMNS 79 /* of a line that every terminal has room for */

/* Columns of wider terminals, the most telling first. */
static const struct {
	const char *heading;
	size_t samples; /* of the figures */
	double quantile;
} further[] = {
	{ "uncertainty p99", offsetof(struct shunt_window_figures, uncertainty_ns), 0.99 },
	{ "outage p99", offsetof(struct shunt_window_figures, outage_ns), 0.99 },
	{ "outage max", offsetof(struct shunt_window_figures, outage_ns), 1.0 },
	{ "paused p99", offsetof(struct shunt_window_figures, paused_ns), 0.99 },
	{ "ioctls p99", offsetof(struct shunt_window_figures, ioctl_ns), 0.99 },
	{ "recovery p99", offsetof(struct shunt_window_figures, recovery_ns), 0.99 },
};

/* A line of the table. @param figures  NULL: the headings */
static void print_wide(
	struct screen *screen, const char *line, struct shunt_window_figures *figures)
{
	size_t columns = COLUMNS, width;

	for (size_t i = 0; i < RTE_DIM(further); i++, columns += width) {
		const char *cell = further[i].heading;

		width = strlen(" ") + strlen(cell);
		if (columns + width >= screen->columns)
			break;
		if (figures)
			cell = quantile_text((void *)((char *)figures + further[i].samples),
				further[i].quantile);
		line = text_of("%s%*s", line, (int)width, cell);
	}
	screen_line(screen, "%s", line);
}

static void print_table(const struct forward_ports *ports, struct forward_measurement *measurement,
	double at, double elapsed)
{
	struct screen *screen = &measurement->view.screen;

	screen_begin(screen, ports->count + 2);
	screen_line(screen, "%6.1f s  %" PRIu64 " switch%s", at, measurement->switches,
		plural_es(measurement->switches));
	print_wide(screen,
		text_of("%-4s %-12s %5s %8s %8s %8s %8s %8s %10s", "port", "function", "Mpps",
			"window", "p99", "max", "lost", "faults", "recoveries"),
		NULL);
	for (unsigned int i = 0; i < ports->count; i++) {
		struct shunt_window_figures *figures = shunt_window_figures(measurement->window, i);

		print_wide(screen,
			text_of("%-4u %-12s %5.2f %8s %8s %8s %8" PRIu64 " %8s %10" PRIu64,
				ports->list[i].id, ports->list[i].function,
				mpps(measurement, ports, i, elapsed), last_window(figures),
				quantile_text(&figures->window_ns, 0.99),
				quantile_text(&figures->window_ns, 1.0), lost_of(figures),
				faults_text(figures->faults), figures->recoveries),
			figures);
	}
	screen_end(screen);
}

void forward_view_tick(
	FILE *text, const struct forward_ports *ports, struct forward_measurement *measurement)
{
	uint64_t now = shunt_clock_now();
	double elapsed = seconds(
		now - (measurement->view.last ? measurement->view.last : measurement->start));

	if (!measurement->view.last)
		screen_init(&measurement->view.screen, text);
	measurement->view.last = now;
	if (measurement->view.screen.moves)
		print_table(ports, measurement, seconds(now - measurement->start), elapsed);
	else
		print_line(text, ports, measurement, seconds(now - measurement->start), elapsed);
}

/* p50, p99 and maximum. */
static void print_samples(FILE *text, const char *name, struct shunt_samples *samples)
{
	fprintf(text, "%12s %s p50 %s p99 %s max %s", "", name, quantile_text(samples, 0.50),
		quantile_text(samples, 0.99), quantile_text(samples, 1.0));
}

static void print_uncertainty(FILE *text, struct shunt_samples *samples)
{
	fprintf(text, " (uncertainty %s)\n", quantile_text(samples, 0.99));
}

static void print_windows(FILE *text, struct shunt_window_figures *figures)
{
	print_samples(text, "fault window", &figures->window_ns);
	print_uncertainty(text, &figures->uncertainty_ns);
	print_samples(text, "by frames lost", &figures->loss_window_ns);
	fprintf(text, " (methods agree in %" PRIu64 " of %" PRIu64 " switch%s with loss)\n",
		figures->methods_agree, figures->methods_compared,
		plural_es(figures->methods_compared));
	print_samples(text, "outage", &figures->outage_ns);
	print_uncertainty(text, &figures->outage_uncertainty_ns);
}

static void print_failed(FILE *text, struct shunt_window_failed *failed)
{
	if (!failed->window_ns.count && !failed->unmeasured)
		return;
	print_samples(text, "fault window of failed switches", &failed->window_ns);
	print_uncertainty(text, &failed->uncertainty_ns);
	fprintf(text, "%12s lost in failed switches %" PRIu64 ", faults %s\n", "", failed->lost,
		faults_text(failed->faults));
}

static const char *histogram_text(const struct shunt_histogram *histogram, double q)
{
	if (!shunt_histogram_count(histogram))
		return "-";
	return time_text(shunt_clock_to_ns(shunt_histogram_quantile(histogram, q)));
}

static void print_times(FILE *text, const char *when, const struct shunt_times *times)
{
	fprintf(text, "%12s %s: latency p50 %s p99 %s p99.9 %s, longest gap %s\n", "", when,
		histogram_text(&times->latency, 0.50), histogram_text(&times->latency, 0.99),
		histogram_text(&times->latency, 0.999), histogram_text(&times->gap, 1.0));
}

static void print_port_summary(
	const struct forward_config *config, const struct shunt_record_port *port)
{
	struct shunt_window_figures *figures = port->figures;

	fprintf(config->text,
		"%-12s sent %" PRIu64 " received %" PRIu64 " lost %" PRIu64
		" faults %s recoveries %" PRIu64 "\n",
		port->name, port->sent, port->received, shunt_record_lost(port),
		faults_text(figures->faults), figures->recoveries);
	if (config->options->switch_every_ns)
		print_windows(config->text, figures);
	print_failed(config->text, &figures->failed);
	print_times(config->text, config->options->switch_every_ns ? "with switches" : "whole run",
		port->times);
	if (config->options->baseline_ns)
		print_times(config->text, "baseline", port->baseline);
}

static void print_group(FILE *text, const struct shunt_record *record)
{
	struct shunt_window_figures *figures = record->group_figures;

	fprintf(text, "group %d\n", record->group);
	print_samples(text, "first port blocked to last port free", &figures->window_ns);
	print_uncertainty(text, &figures->uncertainty_ns);
}

static void print_truth(FILE *text, const struct shunt_record *record)
{
	const struct shunt_record_ground_truth *group = &record->group_ground_truth;
	uint64_t compared = 0, within = 0;

	if (!group->known)
		return;
	for (unsigned int i = 0; i < record->port_count; i++) {
		compared += record->ports[i].truth.compared;
		within += record->ports[i].truth.within;
	}
	fprintf(text,
		"ground truth within the uncertainty: %" PRIu64 " of %" PRIu64
		" port window%s, %" PRIu64 " of %" PRIu64 " group window%s\n",
		within, compared, plural(compared), group->within, group->compared,
		plural(group->compared));
}

void forward_view_summary(const struct forward_config *config, const struct shunt_record *record)
{
	uint64_t received = 0;

	for (unsigned int i = 0; i < record->port_count; i++)
		received += record->ports[i].received;
	fprintf(config->text,
		"\n%" PRIu64 " switch%s by %s in %.1f s (%" PRIu64
		" failed) after a %.1f s baseline; "
		"%.2f Mpps forwarded\n",
		record->switches, plural_es(record->switches), record->plan,
		record->duration_s - record->baseline_s, record->failed, record->baseline_s,
		record->duration_s > 0 ? (double)received / record->duration_s / 1e6 : 0);
	if (config->options->plan == SHUNT_PLAN_AUTO)
		fprintf(config->text, "auto last used %s: %s\n", record->plan_taken,
			record->plan_reason);
	for (unsigned int i = 0; i < record->port_count; i++)
		print_port_summary(config, &record->ports[i]);
	if (config->options->switch_every_ns) {
		print_group(config->text, record);
		print_truth(config->text, record);
	}
	fprintf(config->text,
		"loss: %" PRIu64 " frame%s unexplained, %" PRIu64 " corrupted, %" PRIu64
		" of them in switches with faults\n",
		shunt_record_unexplained(record), plural(shunt_record_unexplained(record)),
		record->changed, record->changed_in_switches);
	if (config->options->json && config->text == stdout)
		fprintf(config->text, "result record: %s\n", config->options->json);
	fflush(config->text);
}

/* Ports with full rings, at a rate that they cannot forward, have no DMA. */
void forward_view_evidence(FILE *text, const struct forward_evidence *evidence)
{
	const struct shunt_evidence_seen sum = forward_evidence_sum(evidence);

	if (!evidence->path[0] || !evidence->replaces)
		return;
	fprintf(text,
		"evidence: counted %" PRIu64 " of %" PRIu64 " replace%s under %s traffic: %" PRIu64
		" faulted, fault status unknown for %" PRIu64 "; file %s\n",
		sum.switches, evidence->replaces, plural(evidence->replaces),
		shunt_evidence_traffic_name(evidence->traffic), sum.faulted, sum.unknown,
		evidence->path);
	if (evidence->traffic == SHUNT_EVIDENCE_COLD && sum.switches < evidence->replaces)
		fprintf(text,
			"in the others the first frame of a port came before or after the group "
			"moved\n");
	else if (2 * sum.switches < evidence->replaces)
		fprintf(text,
			"the others may not have met traffic: more do at a --rate that the ports "
			"can forward\n");
	fflush(text);
}
