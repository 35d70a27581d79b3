/* SPDX-License-Identifier: BSD-3-Clause */
#include <shunt/platform.h>
#include <shunt/version.h>

const char *shunt_version(void)
{
	return SHUNT_VERSION;
}

void shunt_platform_destroy(struct shunt_platform *platform)
{
	if (platform)
		platform->ops->destroy(platform);
}
