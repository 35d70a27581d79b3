/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <rte_pci.h>

#include <shunt/error.h>
#include <shunt/pci.h>
#include <shunt/vfio.h>

#include "run.h"

#define ALLOW "--allow"

/* Value of -a in the forms that getopt takes: "-a X", "-aX", "--allow X", "--allow=X". */
static const char *allowed(char **arguments, unsigned int *at)
{
	const char *word = arguments[*at];

	if (strcmp(word, "-a") == 0 || strcmp(word, ALLOW) == 0)
		return arguments[*at + 1] ? arguments[++*at] : NULL;
	if (strncmp(word, "-a", 2) == 0)
		return word + 2;
	if (strncmp(word, ALLOW "=", strlen(ALLOW "=")) == 0)
		return word + strlen(ALLOW "=");
	return NULL;
}

/* "pci:0000:03:00.0,key=value"; devices of other buses have other names. */
static bool pci_address(const char *value, char *address, size_t size)
{
	struct rte_pci_addr parsed;

	if (strncmp(value, "pci:", strlen("pci:")) == 0)
		value += strlen("pci:");
	snprintf(address, size, "%.*s", (int)strcspn(value, ","), value);
	return !rte_pci_addr_parse(address, &parsed);
}

/* Opening it is the only proof that it is free: a container or another process may hold it without
 * a trace. */
static int try(
	const struct shunt_pci_list *list, struct shunt_iommufd *iommufd, const char *address)
{
	const struct shunt_pci_function *function;
	struct shunt_vfio_device device;
	int ret;

	ret = shunt_pci_find(list, address, &function);
	if (!ret)
		ret = shunt_pci_usable(list, function);
	if (!ret)
		ret = shunt_vfio_open(iommufd, function->cdev, function->address, &device);
	if (!ret)
		shunt_vfio_close(&device);
	return ret;
}

static int try_all(
	char **arguments, const struct shunt_pci_list *list, struct shunt_iommufd *iommufd)
{
	char address[32];
	int ret = 0;

	for (unsigned int i = 0; !ret && arguments[i] && strcmp(arguments[i], "--") != 0; i++) {
		const char *value = allowed(arguments, &i);

		if (value && pci_address(value, address, sizeof(address)))
			ret = try(list, iommufd, address);
	}
	return ret;
}

int run_check_functions(char **arguments)
{
	struct shunt_platform *platform;
	struct shunt_iommufd iommufd;
	struct shunt_pci_list list;
	int ret;

	ret = shunt_platform_kernel(&platform);
	if (ret)
		return ret;
	ret = shunt_iommufd_open(platform, &iommufd);
	if (ret)
		goto destroy;
	ret = shunt_pci_scan(platform, &list);
	if (ret)
		goto close;
	ret = try_all(arguments, &list, &iommufd);
	shunt_pci_list_free(&list);
close:
	shunt_iommufd_close(&iommufd);
destroy:
	shunt_platform_destroy(platform);
	return ret;
}
