/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rte_net_shunt.h"
#include "shunt_error.h"
#include "telemetry.h"

static unsigned int users_of(struct shunt_context *context, const struct shunt_space *space)
{
	struct context_group *entry;
	unsigned int users = 0;

	TAILQ_FOREACH (entry, &context->groups, next)
		users += shunt_group_space(entry->group) == space;
	return users;
}

static void describe(struct shunt_context *context, struct shunt_space *space, struct answer answer)
{
	answer_text(answer, "name", shunt_space_name(space));
	answer_count(answer, "mapped_bytes", shunt_space_mapped(space));
	answer_count(answer, "groups", users_of(context, space));
}

int telemetry_spaces(struct shunt_context *context, const struct words *words, struct answer answer)
{
	struct shunt_space *space = NULL;

	while ((space = shunt_space_next(context->spaces, space)) != NULL)
		describe(context, space, answer_nth(answer, shunt_space_ioas(space)));
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
int telemetry_copy(struct shunt_context *context, const struct words *words, struct answer answer)
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
	answer_count(answer, "ioas", shunt_space_ioas(space));
	describe(context, space, answer);
	return 0;
}

int telemetry_destroy(
	struct shunt_context *context, const struct words *words, struct answer answer)
{
	struct shunt_space *space;
	int ret;

	ret = telemetry_find_space(context, words->text[0], &space);
	if (!ret && strcmp(words->text[0], RTE_NET_SHUNT_FIRST_SPACE) == 0)
		ret = shunt_fail(
			-EBUSY, "space '%s' stays: every new group begins with it", words->text[0]);
	if (!ret && users_of(context, space))
		ret = shunt_fail(-EBUSY, "space '%s' is in use: switch its group away first",
			words->text[0]);
	if (!ret)
		ret = shunt_space_destroy(space);
	if (!ret)
		answer_text(answer, "destroyed", words->text[0]);
	return ret;
}
