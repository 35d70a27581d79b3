/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <shunt/error.h>

#include "rte_net_shunt.h"
#include "telemetry.h"

#define SPACES_PART 64 /* of a reply, which has 16 KiB */

static void describe(struct shunt_space *space, struct telemetry_reply reply)
{
	reply_text(reply, "name", shunt_space_name(space));
	reply_count(reply, "mapped_bytes", shunt_space_mapped(space));
	reply_count(reply, "groups", shunt_space_users(space));
}

int telemetry_spaces(
	struct shunt_context *context, const struct words *words, struct telemetry_reply reply)
{
	struct shunt_space *space = NULL;
	struct part part;
	int ret;

	ret = telemetry_part(words, SPACES_PART, &part);
	if (ret)
		return ret;
	while ((space = shunt_space_next(context->spaces, space)) != NULL)
		if (telemetry_in_part(&part))
			describe(space, reply_nth(reply, shunt_space_ioas(space)));
	return 0;
}

static int check_name(const char *name)
{
	for (const char *at = name; *at; at++)
		if (!isalnum((unsigned char)*at) && *at != '_' && *at != '-' && *at != '.')
			return shunt_fail(-EINVAL, "the name of a space: letters, digits, '_', '-' "
						   "and '.' are allowed");
	return 0;
}

/* With its hwpt, so that the first switch to it builds nothing. */
int telemetry_copy(
	struct shunt_context *context, const struct words *words, struct telemetry_reply reply)
{
	struct shunt_space *from, *space;
	struct context_group *entry;
	char why[600];
	int ret;

	ret = telemetry_find_group(context, words->text[0], &entry);
	if (!ret)
		ret = check_name(words->text[1]);
	if (ret)
		return ret;
	from = shunt_group_space(entry->group);
	if (!from)
		return shunt_fail(
			-EBUSY, "group %s is on no space since a failed roll-back", words->text[0]);
	ret = shunt_space_copy(from, words->text[1], &space);
	if (ret)
		return ret;
	ret = shunt_group_prepare(entry->group, space);
	if (ret) {
		snprintf(why, sizeof(why), "%s", shunt_errmsg());
		shunt_space_destroy(space);
		return shunt_fail(ret, "%s", why);
	}
	reply_count(reply, "ioas", shunt_space_ioas(space));
	describe(space, reply);
	return 0;
}

int telemetry_destroy(
	struct shunt_context *context, const struct words *words, struct telemetry_reply reply)
{
	struct shunt_space *space;
	int ret;

	ret = telemetry_find_space(context, words->text[0], &space);
	if (!ret && strcmp(words->text[0], RTE_NET_SHUNT_FIRST_SPACE) == 0)
		ret = shunt_fail(
			-EBUSY, "space '%s' stays: every new group begins with it", words->text[0]);
	if (!ret)
		ret = shunt_space_destroy(space);
	if (!ret)
		reply_text(reply, "destroyed", words->text[0]);
	return ret;
}
