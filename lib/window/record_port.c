/* SPDX-License-Identifier: BSD-3-Clause */

#include <shunt/clock.h>

#include "record_json.h"

uint64_t shunt_record_lost(const struct shunt_record_port *port)
{
	return port->sent - port->received;
}

static uint64_t above(uint64_t value, uint64_t limit)
{
	return value > limit ? value - limit : 0;
}

static uint64_t port_unexplained(const struct shunt_record_port *port)
{
	const struct shunt_window_figures *figures = port->figures;

	return above(figures->rx_lost - figures->rx_explained, port->rx_dropped) +
	       above(figures->tx_lost - figures->tx_explained, port->tx_dropped);
}

uint64_t shunt_record_unexplained(const struct shunt_record *record)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < record->port_count; i++)
		sum += port_unexplained(&record->ports[i]);
	return sum;
}

static void set_count(json_t *json, const char *name, uint64_t count)
{
	json_object_set_new(json, name, record_count(count));
}

/* None seen is a number only if somebody looked, and could tell, in every switch. */
static json_t *faults_json(const struct shunt_record *record, int64_t faults)
{
	if (faults < 0 || (faults == 0 && !record->info.fault_observers[0]))
		return json_string("unknown");
	return json_integer(faults);
}

static json_t *accounting_json(const struct shunt_record_port *port)
{
	const struct shunt_window_figures *figures = port->figures;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "rx_lost",
		record_count(figures->rx_lost), "rx_lost_in_faulted_switches",
		record_count(figures->rx_explained), "rx_dropped", record_count(port->rx_dropped),
		"tx_lost", record_count(figures->tx_lost), "tx_lost_in_faulted_switches",
		record_count(figures->tx_explained), "tx_dropped", record_count(port->tx_dropped),
		"unexplained", record_count(port_unexplained(port)));
}

static json_t *recovery_json(const struct shunt_recovery *recovery)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "repaired_descriptors",
		(json_int_t)recovery->repaired_descriptors, "queue_resets",
		(json_int_t)recovery->queue_resets, "port_resets",
		(json_int_t)recovery->port_resets, "function_resets",
		(json_int_t)recovery->function_resets, "rx_dropped",
		(json_int_t)recovery->rx_dropped, "tx_dropped", (json_int_t)recovery->tx_dropped);
}

static void set_quantiles(json_t *json, const char *name, struct shunt_samples *samples)
{
	json_object_set_new(json, name, record_quantiles(samples));
}

static void set_p99(json_t *json, const char *name, struct shunt_samples *samples)
{
	json_object_set_new(json, name, record_quantile(samples, 0.99));
}

static void set_methods(json_t *json, struct shunt_window_figures *figures)
{
	set_quantiles(json, "loss_window_ns", &figures->loss_window_ns);
	set_p99(json, "loss_uncertainty_ns", &figures->loss_uncertainty_ns);
	json_object_set_new(json, "methods",
		json_pack("{s:o, s:o}", "compared", record_count(figures->methods_compared),
			"agree", record_count(figures->methods_agree)));
}

static void set_outages(json_t *json, struct shunt_window_figures *figures)
{
	set_quantiles(json, "outage_ns", &figures->outage_ns);
	set_p99(json, "outage_uncertainty_ns", &figures->outage_uncertainty_ns);
	set_count(json, "outages_measured", figures->outage_ns.count);
	set_quantiles(json, "returned_outage_ns", &figures->returned_ns);
	set_p99(json, "returned_outage_uncertainty_ns", &figures->returned_uncertainty_ns);
	set_count(json, "returned_outages_measured", figures->returned_ns.count);
}

static void set_times(json_t *json, const struct shunt_times *times)
{
	json_object_set_new(json, "gap_ns", record_histogram(&times->gap));
	json_object_set_new(json, "latency_ns", record_histogram(&times->latency));
}

static json_t *failed_json(
	const struct shunt_record *record, const struct shunt_window_failed *failed)
{
	json_t *json = record_failed(failed);

	json_object_set_new(json, "faults", faults_json(record, failed->faults));
	set_count(json, "faults_unknown_switches", failed->fault_unknown);
	return json;
}

json_t *record_port(const struct shunt_record *record, const struct shunt_record_port *port)
{
	struct shunt_window_figures *figures = port->figures;
	json_t *json = json_pack("{s:s, s:s, s:s}", "name", port->name, "function", port->function,
		"driver", port->driver);

	set_count(json, "rx", port->rx);
	set_count(json, "tx", port->tx);
	set_count(json, "sent", port->sent);
	set_count(json, "received", port->received);
	set_count(json, "lost", shunt_record_lost(port));
	set_count(json, "late", port->late);
	set_count(json, "duplicates", port->duplicates);
	set_count(json, "corrupt", port->corrupt);
	json_object_set_new(json, "max_gap_ns", record_longest(&port->times->gap));
	set_p99(json, "uncertainty_ns", &figures->uncertainty_ns);
	json_object_set_new(json, "faults", faults_json(record, figures->faults));
	set_count(json, "faults_unknown_switches", figures->fault_unknown);
	set_count(json, "recoveries", figures->recoveries);
	json_object_set_new(json, "recovered", recovery_json(&figures->recovered));
	json_object_set_new(json, "window_ns", record_quantiles(&figures->window_ns));
	set_count(json, "windows_measured", figures->window_ns.count);
	set_count(json, "windows_unmeasured", figures->unmeasured);
	json_object_set_new(json, "failed", failed_json(record, &figures->failed));
	set_methods(json, figures);
	set_outages(json, figures);
	set_times(json, port->times);
	set_quantiles(json, "ioctl_ns", &figures->ioctl_ns);
	set_quantiles(json, "paused_ns", &figures->paused_ns);
	set_quantiles(json, "recovery_ns", &figures->recovery_ns);
	json_object_set_new(json, "loss_accounting", accounting_json(port));
	if (port->truth.known)
		json_object_set_new(json, "ground_truth", record_ground_truth(&port->truth));
	return json;
}
