/* SPDX-License-Identifier: BSD-3-Clause */

#include <shunt/clock.h>

#include "figures.h"

static void add_recovery(struct shunt_recovery *sum, const struct shunt_recovery *recovery)
{
	sum->repaired_descriptors += recovery->repaired_descriptors;
	sum->queue_resets += recovery->queue_resets;
	sum->port_resets += recovery->port_resets;
	sum->function_resets += recovery->function_resets;
	sum->rx_dropped += recovery->rx_dropped;
	sum->tx_dropped += recovery->tx_dropped;
}

static void add_faults(int64_t *sum, uint64_t *unknown, int64_t faults)
{
	if (faults < 0) {
		(*unknown)++;
		if (*sum == 0)
			*sum = faults;
	} else if (faults > 0) {
		*sum = faults + (*sum > 0 ? *sum : 0);
	}
}

int figures_add_recovery(
	struct shunt_window_figures *figures, const struct shunt_recovery *recovery)
{
	if (!shunt_recovery_any(recovery))
		return 0;
	add_recovery(&figures->recovered, recovery);
	figures->recoveries++;
	return shunt_samples_add(&figures->recovery_ns, shunt_clock_to_ns(recovery->time));
}

static int add_times(struct shunt_window_figures *figures, const struct shunt_switch_member *member)
{
	int ret = shunt_samples_add(&figures->ioctl_ns, shunt_clock_to_ns(member->ioctl_time));

	if (!ret && member->pause_start)
		ret = shunt_samples_add(&figures->paused_ns,
			shunt_clock_to_ns(member->pause_end - member->pause_start));
	return ret;
}

int figures_add_member(struct shunt_window_figures *figures,
	const struct shunt_switch_result *result, unsigned int port)
{
	const struct shunt_switch_member *member = &result->members[port];
	struct shunt_window_failed *failed = &figures->failed;
	int ret = 0;

	add_faults(&figures->faults, &figures->fault_unknown, member->faults);
	if (result->error)
		add_faults(&failed->faults, &failed->fault_unknown, member->faults);
	else
		ret = add_times(figures, member);
	return ret ? ret : figures_add_recovery(figures, &member->recovery);
}

/* A time and its uncertainty. */
static int add_pair(struct shunt_samples *times, struct shunt_samples *uncertainties, uint64_t time,
	uint64_t uncertainty)
{
	int ret = shunt_samples_add(times, shunt_clock_to_ns(time));

	return ret ? ret : shunt_samples_add(uncertainties, shunt_clock_to_ns(uncertainty));
}

static int add_outage(struct shunt_samples *times, struct shunt_samples *uncertainties,
	const struct shunt_outage *outage)
{
	return outage->length ? add_pair(times, uncertainties, outage->length, outage->usual) : 0;
}

static int add_loss(
	struct shunt_window_figures *figures, const struct shunt_measurement *measurement)
{
	if (!measurement->lost)
		return shunt_samples_add(&figures->loss_window_ns, 0);
	if (!measurement->loss_uncertainty)
		return 0;
	figures->methods_compared++;
	figures->methods_agree += shunt_window_methods_agree(measurement);
	return add_pair(&figures->loss_window_ns, &figures->loss_uncertainty_ns,
		measurement->loss_window, measurement->loss_uncertainty);
}

static int add_failed(
	struct shunt_window_failed *failed, uint64_t window, uint64_t uncertainty, uint64_t lost)
{
	failed->lost += lost;
	return add_pair(&failed->window_ns, &failed->uncertainty_ns, window, uncertainty);
}

int figures_add_measurement(
	struct shunt_window_figures *figures, const struct shunt_measurement *measurement)
{
	int ret;

	if (measurement->result->error)
		return add_failed(&figures->failed, measurement->window, measurement->uncertainty,
			measurement->lost);
	figures->last_window_ns = shunt_clock_to_ns(measurement->window);
	ret = add_pair(&figures->window_ns, &figures->uncertainty_ns, measurement->window,
		measurement->uncertainty);
	if (!ret)
		ret = add_loss(figures, measurement);
	if (!ret)
		ret = add_outage(
			&figures->outage_ns, &figures->outage_uncertainty_ns, &measurement->outage);
	if (!ret)
		ret = add_outage(&figures->returned_ns, &figures->returned_uncertainty_ns,
			&measurement->returned);
	return ret;
}

int figures_add_group(struct shunt_window_group_figures *figures,
	const struct shunt_group_measurement *measurement)
{
	if (measurement->result->error)
		return add_failed(&figures->failed, measurement->window, measurement->uncertainty,
			measurement->lost);
	return add_pair(&figures->window_ns, &figures->uncertainty_ns, measurement->window,
		measurement->uncertainty);
}

static void free_failed(struct shunt_window_failed *failed)
{
	shunt_samples_free(&failed->window_ns);
	shunt_samples_free(&failed->uncertainty_ns);
}

void figures_free(struct shunt_window_figures *figures)
{
	free_failed(&figures->failed);
	shunt_samples_free(&figures->window_ns);
	shunt_samples_free(&figures->uncertainty_ns);
	shunt_samples_free(&figures->loss_window_ns);
	shunt_samples_free(&figures->loss_uncertainty_ns);
	shunt_samples_free(&figures->outage_ns);
	shunt_samples_free(&figures->outage_uncertainty_ns);
	shunt_samples_free(&figures->returned_ns);
	shunt_samples_free(&figures->returned_uncertainty_ns);
	shunt_samples_free(&figures->ioctl_ns);
	shunt_samples_free(&figures->paused_ns);
	shunt_samples_free(&figures->recovery_ns);
}

void figures_free_group(struct shunt_window_group_figures *figures)
{
	free_failed(&figures->failed);
	shunt_samples_free(&figures->window_ns);
	shunt_samples_free(&figures->uncertainty_ns);
}
