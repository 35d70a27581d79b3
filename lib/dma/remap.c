/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "shunt_error.h"
#include "spaces.h"

static int remap_one(struct shunt_space *space, const struct shunt_mapping *mapping)
{
	char why[512];
	int ret;

	ret = space_unmap_one(space, mapping);
	if (ret)
		return ret;
	ret = space_map_one(space, mapping);
	if (!ret)
		return 0;
	snprintf(why, sizeof(why), "%s", shunt_errmsg());
	if (!space_map_one(space, mapping))
		return shunt_fail(ret, "%s; mapped in a second attempt", why);
	space->lost = mapping->iova + 1;
	return shunt_fail_while(
		ret, "%s; the mapping of IOVA 0x%" PRIx64 " is lost", why, mapping->iova);
}

static int remap_all(struct shunt_space *space, const struct mappings *mappings)
{
	int ret = 0;

	for (size_t i = 0; i < mappings->count && !ret; i++)
		ret = remap_one(space, &mappings->items[i]);
	return ret;
}

int shunt_space_remap(struct shunt_space *space)
{
	int ret;

	pthread_mutex_lock(&space->all->lock);
	if (space->users > 1)
		ret = shunt_fail(-EBUSY, "another group uses it too");
	else
		ret = remap_all(space, &space->all->shared);
	if (!ret)
		ret = remap_all(space, &space->own);
	pthread_mutex_unlock(&space->all->lock);
	return ret ? shunt_fail_while(ret, "space '%s'", space->name) : 0;
}
