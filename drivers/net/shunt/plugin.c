/* SPDX-License-Identifier: BSD-3-Clause */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

#include <rte_bus.h>

#include <shunt/error.h>

#include "plugin.h"

#define DRIVER "net_shunt"
#define EAL    "librte_eal.so"

/* File of the library that an object is in. */
static const char *file_of(const void *object)
{
	Dl_info info;

	return dladdr(object, &info) && info.dli_fname ? info.dli_fname : "the program";
}

/* Finds the driver of that name, if it is not this copy's: another copy came first. */
static const struct rte_vdev_driver *other_copy(void)
{
	struct rte_bus *vdev = rte_bus_find_by_name("vdev");
	struct rte_vdev_driver *found = NULL;

	if (!vdev || vdev->parse(DRIVER, &found))
		return NULL;
	return found;
}

struct eals {
	unsigned int count;
	const char *files[2];
};

static int count_eal(struct dl_phdr_info *info, size_t size, void *arg)
{
	const char *slash = strrchr(info->dlpi_name, '/');
	const char *name = slash ? slash + 1 : info->dlpi_name;
	struct eals *eals = arg;

	if (strncmp(name, EAL, strlen(EAL)) != 0)
		return 0;
	if (eals->count < RTE_DIM(eals->files))
		eals->files[eals->count] = info->dlpi_name;
	eals->count++;
	return 0;
}

/* Drivers are bound to one release: what they share with ethdev is no part of the stable ABI. */
int shunt_check_release(void)
{
	struct eals eals = { 0 };

	if (rte_version_year() != RTE_VER_YEAR || rte_version_month() != RTE_VER_MONTH)
		return shunt_fail(-ENOTSUP,
			"it was built for DPDK %02d.%02d and this process runs %s: build it with "
			"that release's headers",
			RTE_VER_YEAR, RTE_VER_MONTH, rte_version());
	dl_iterate_phdr(count_eal, &eals);
	if (eals.count > 1)
		return shunt_fail(-ENOTSUP,
			"it was built for DPDK %02d.%02d and brought a second EAL with it (%s, "
			"%s): "
			"build it with the headers of the release that the application uses",
			RTE_VER_YEAR, RTE_VER_MONTH, eals.files[0], eals.files[1]);
	return 0;
}

static char refusal[512];

static int refuse(struct rte_vdev_device *vdev)
{
	SHUNT_LOG(ERR, "%s: %s", rte_vdev_device_name(vdev), refusal);
	return -ENOTSUP;
}

/* Without a driver of that name EAL does not start where the user names a device. */
static struct rte_vdev_driver refusing_driver = { .probe = refuse };

static int start(void)
{
	const struct rte_vdev_driver *other = other_copy();
	struct rte_vdev_driver *driver = &net_shunt_driver;
	int ret;

	if (other)
		return shunt_fail(-EEXIST, "the driver is here already, from %s", file_of(other));
	ret = shunt_check_release();
	if (!ret)
		ret = autoprobe_register();
	if (!ret)
		ret = telemetry_register();
	if (ret) {
		snprintf(refusal, sizeof(refusal), "%s", shunt_errmsg());
		driver = &refusing_driver;
	}
	if (!ret)
		pci_register();
	driver->driver.name = DRIVER;
	rte_vdev_register(driver);
	return ret;
}

RTE_INIT(net_shunt_start)
{
	if (start())
		SHUNT_LOG(ERR, "%s does nothing: %s", file_of(&net_shunt_driver), shunt_errmsg());
}
