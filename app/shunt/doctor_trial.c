/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "doctor.h"
#include "rte_net_shunt.h"
#include "shunt_clock.h"
#include "shunt_error.h"
#include "shunt_iommufd.h"
#include "shunt_vfio.h"

/*
 * The proof: the calls of a switch, made on a function that nobody uses. It has Bus Master off, so
 * there is no DMA to be refused, and the kernel resets it when it is closed.
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

/* Only our own drivers can pause. */
static void say_tried(
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
			"%s cannot pause DMA: such a port is stopped and started around a switch",
			driver);
}

bool doctor_try_switch(struct doctor *doctor, const struct shunt_pci_function *function)
{
	struct shunt_iommufd iommufd;
	struct shunt_vfio_device device;
	uint64_t ticks = 0;
	int ret;

	ret = shunt_iommufd_open(doctor->machine.platform, &iommufd);
	if (ret)
		goto out;
	ret = shunt_vfio_open(&iommufd, function->cdev, function->address, &device);
	if (ret == -EPERM) {
		shunt_iommufd_close(&iommufd);
		doctor_interrupts_unsafe(doctor, function->address);
		return false;
	}
	if (ret)
		goto close_iommufd;
	ret = switch_once(&iommufd, &device, &ticks);
	/* What was allocated goes with the iommufd. */
	shunt_vfio_close(&device);
close_iommufd:
	shunt_iommufd_close(&iommufd);
out:
	if (ret)
		doctor_advise(doctor_find(doctor, FINDING_WRONG, function->address,
				      "a switch of group %d was tried and failed: %s",
				      function->group, shunt_errmsg()),
			"the kernel's log may say more (dmesg)");
	else
		say_tried(doctor, function, ticks);
	return !ret;
}
