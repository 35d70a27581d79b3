/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <shunt/error.h>

#include "hosted.h"

/*
 * net_vmxnet3 (DPDK 22.11 to 25.11) lets the device read features and VLAN filters at each start
 * before it sets their address, which a stop has set to 0. QEMU's device then makes 129 reads at
 * IOVA 0. If these were refused, they would hide a fault of a switch. So every space gets a
 * read-only page of zeros at IOVA 0. The driver sets the real values shortly afterwards.
 */

#define VMWARE  0x15ad
#define VMXNET3 0x07b0

static void *page; /* NULL: no function needs it. Context's lock */
static unsigned int users;

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static int map(struct shunt_context *context)
{
	int ret;

	page = mmap(NULL, page_size(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED) {
		page = NULL;
		return shunt_fail_errno(-errno, "a page for IOVA 0");
	}
	ret = shunt_spaces_map(context->spaces, page, page_size(), 0, SHUNT_DMA_READ);
	if (!ret)
		return 0;
	munmap(page, page_size());
	page = NULL;
	return shunt_fail_while(ret, "a page of zeros at IOVA 0");
}

static bool wants(const struct hosted_function *function)
{
	return function->vendor == VMWARE && function->device_id == VMXNET3;
}

int hosted_iova0_get(const struct hosted_function *function)
{
	int ret = 0;

	if (!wants(function))
		return 0;
	if (!page)
		ret = map(function->context);
	users += !ret;
	return ret;
}

int hosted_iova0_put(const struct hosted_function *function)
{
	int ret;

	if (!wants(function) || --users)
		return 0;
	ret = shunt_spaces_drop(function->context->spaces, 0, page_size());
	munmap(page, page_size());
	page = NULL;
	return ret;
}
