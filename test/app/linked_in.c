/* SPDX-License-Identifier: BSD-3-Clause */
/* A dynamic program that has DPDK in itself, as far as the dynamic linker can see. */

int rte_vfio_setup_device(const char *sysfs_base, const char *dev_addr, int *fd, void *info);

int rte_vfio_setup_device(const char *sysfs_base, const char *dev_addr, int *fd, void *info)
{
	return -1;
}

int main(void)
{
	return 0;
}
