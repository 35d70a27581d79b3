/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include <shunt/clock.h>
#include <shunt/error.h>
#include <shunt/iommufd.h>
#include <shunt/vfio.h>

#include "doctor.h"
#include "rte_net_shunt.h"

/*
 * The proof: the calls of a switch, on an unused function. Its Bus Master is off, so no DMA can be
 * refused, and the kernel resets it on close.
 */

static int switch_once(
	struct shunt_iommufd *iommufd, struct shunt_vfio_device *device, uint64_t *ticks)
{
	uint32_t ioas, hwpts[2];
	uint64_t start;
	int ret;

	for (int i = 0; i < 2; i++) {
		ret = shunt_ioas_alloc(iommufd, &ioas);
		if (ret)
			return ret;
		ret = shunt_hwpt_alloc(iommufd, device->id, ioas, &hwpts[i]);
		if (ret)
			return ret;
	}
	ret = shunt_vfio_attach(device, hwpts[0], NULL);
	if (ret)
		return ret;
	start = shunt_clock_now();
	ret = shunt_vfio_attach(device, hwpts[1], NULL);
	*ticks = shunt_clock_now() - start;
	if (ret)
		return shunt_fail_while(ret, "replace");
	return shunt_vfio_detach(device);
}

/* The kernel reports the ranges only before the first attach. */
static int check_width(struct doctor *doctor, const struct shunt_pci_function *function,
	struct shunt_vfio_device *device, bool *fits)
{
	struct shunt_iova_range *ranges;
	uint32_t count;
	int ret = shunt_vfio_allowed(device, &ranges, &count);

	if (ret)
		return ret;
	*fits = doctor_check_width(doctor, function, ranges, count);
	free(ranges);
	return 0;
}

/* Only our drivers can pause. */
static void report_trial(
	struct doctor *doctor, const struct shunt_pci_function *function, uint64_t ticks)
{
	char driver[DOCTOR_DRIVER] = "";
	struct finding *finding;

	doctor_driver(doctor, function, driver);
	finding = doctor_find(doctor, FINDING_OK, function->address,
		"%s, group %d, %s, driven by %s: a switch was tried and took %.1f ms",
		function->driver, function->group, function->cdev, driver,
		(double)shunt_clock_to_ns(ticks) / 1e6);
	if (!rte_net_shunt_driver(function->vendor, function->device))
		doctor_advise(finding,
			"%s cannot pause DMA, so its port is stopped and started for a switch",
			driver);
}

bool doctor_try_switch(struct doctor *doctor, const struct shunt_pci_function *function)
{
	struct shunt_iommufd iommufd;
	struct shunt_vfio_device device;
	uint64_t ticks = 0;
	bool fits = false;
	int ret;

	ret = shunt_iommufd_open(doctor->machine.platform, &iommufd);
	if (ret)
		goto out;
	ret = shunt_vfio_open(&iommufd, function->cdev, function->address, &device);
	if (ret == -EPERM) {
		shunt_iommufd_close(&iommufd);
		doctor_bind_refused(doctor, function);
		return false;
	}
	if (ret)
		goto close_iommufd;
	ret = check_width(doctor, function, &device, &fits);
	if (!ret)
		ret = switch_once(&iommufd, &device, &ticks);
	/* Closing the iommufd releases its objects. */
	shunt_vfio_close(&device);
close_iommufd:
	shunt_iommufd_close(&iommufd);
out:
	if (ret)
		doctor_advise(doctor_find(doctor, FINDING_WRONG, function->address,
				      "a switch of group %d was tried and failed: %s",
				      function->group, shunt_errmsg()),
			"see also the kernel's log (dmesg)");
	else
		report_trial(doctor, function, ticks);
	return !ret && fits;
}
