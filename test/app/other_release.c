/* SPDX-License-Identifier: BSD-3-Clause */
/* Preloaded: the process seems to run another release of DPDK than the plugin was built for. */

unsigned int rte_version_month(void);
const char *rte_version(void);

unsigned int rte_version_month(void)
{
	return 7;
}

const char *rte_version(void)
{
	return "DPDK 22.07.0";
}
