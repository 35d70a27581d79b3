/* SPDX-License-Identifier: BSD-3-Clause */
#include "shunt_platform.h"

void shunt_platform_destroy(struct shunt_platform *platform)
{
	if (platform)
		platform->ops->destroy(platform);
}
