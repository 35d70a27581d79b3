/* SPDX-License-Identifier: BSD-3-Clause */
#include "figures.h"
#include "shunt_clock.h"

static void add_recovery(struct shunt_recovery *sum, const struct shunt_recovery *recovery)
{
	sum->repaired_descriptors += recovery->repaired_descriptors;
	sum->queue_resets += recovery->queue_resets;
	sum->port_resets += recovery->port_resets;
	sum->function_resets += recovery->function_resets;
	sum->rx_dropped += recovery->rx_dropped;
	sum->tx_dropped += recovery->tx_dropped;
}

static void add_faults(struct shunt_window_figures *figures, int64_t faults)
{
	if (faults < 0) {
		figures->fault_unknown++;
		if (figures->faults == 0)
			figures->faults = faults;
	} else if (faults > 0) {
		figures->faults = faults + (figures->faults > 0 ? figures->faults : 0);
	}
}

int figures_add_mended(struct shunt_window_figures *figures, const struct shunt_recovery *recovery)
{
	if (!shunt_recovery_mended(recovery))
		return 0;
	add_recovery(&figures->recovered, recovery);
	figures->recoveries++;
	return shunt_samples_add(&figures->mend_ns, shunt_clock_to_ns(recovery->time));
}

int figures_add_member(
	struct shunt_window_figures *figures, const struct shunt_switch_member *member)
{
	int ret = shunt_samples_add(&figures->ioctl_ns, shunt_clock_to_ns(member->ioctl_time));

	add_faults(figures, member->faults);
	if (!ret && member->pause_start)
		ret = shunt_samples_add(&figures->paused_ns,
			shunt_clock_to_ns(member->pause_end - member->pause_start));
	return ret ? ret : figures_add_mended(figures, &member->recovery);
}

/* A time and its resolution. */
static int add_pair(struct shunt_samples *times, struct shunt_samples *resolutions, uint64_t time,
	uint64_t resolution)
{
	int ret = shunt_samples_add(times, shunt_clock_to_ns(time));

	return ret ? ret : shunt_samples_add(resolutions, shunt_clock_to_ns(resolution));
}

static int add_outage(struct shunt_samples *times, struct shunt_samples *resolutions,
	const struct shunt_outage *outage)
{
	return outage->length ? add_pair(times, resolutions, outage->length, outage->usual) : 0;
}

static int add_loss(
	struct shunt_window_figures *figures, const struct shunt_measurement *measurement)
{
	if (!measurement->lost)
		return shunt_samples_add(&figures->loss_window_ns, 0);
	if (!measurement->loss_resolution)
		return 0;
	figures->methods_compared++;
	figures->methods_agree += shunt_window_methods_agree(measurement);
	return add_pair(&figures->loss_window_ns, &figures->loss_resolution_ns,
		measurement->loss_window, measurement->loss_resolution);
}

int figures_add_measurement(
	struct shunt_window_figures *figures, const struct shunt_measurement *measurement)
{
	int ret;

	figures->last_window_ns = shunt_clock_to_ns(measurement->window);
	ret = add_pair(&figures->window_ns, &figures->resolution_ns, measurement->window,
		measurement->resolution);
	if (!ret)
		ret = add_loss(figures, measurement);
	if (!ret)
		ret = add_outage(
			&figures->outage_ns, &figures->outage_resolution_ns, &measurement->outage);
	if (!ret)
		ret = add_outage(&figures->returned_ns, &figures->returned_resolution_ns,
			&measurement->returned);
	return ret;
}

int figures_add_group(struct shunt_window_group_figures *figures,
	const struct shunt_group_measurement *measurement)
{
	return add_pair(&figures->window_ns, &figures->resolution_ns, measurement->window,
		measurement->resolution);
}

void figures_free(struct shunt_window_figures *figures)
{
	shunt_samples_free(&figures->window_ns);
	shunt_samples_free(&figures->resolution_ns);
	shunt_samples_free(&figures->loss_window_ns);
	shunt_samples_free(&figures->loss_resolution_ns);
	shunt_samples_free(&figures->outage_ns);
	shunt_samples_free(&figures->outage_resolution_ns);
	shunt_samples_free(&figures->returned_ns);
	shunt_samples_free(&figures->returned_resolution_ns);
	shunt_samples_free(&figures->ioctl_ns);
	shunt_samples_free(&figures->paused_ns);
	shunt_samples_free(&figures->mend_ns);
}

void figures_free_group(struct shunt_window_group_figures *figures)
{
	shunt_samples_free(&figures->window_ns);
	shunt_samples_free(&figures->resolution_ns);
}
