/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <shunt/error.h>

#include "telemetry.h"

int telemetry_find_group(
	struct shunt_context *context, const char *word, struct context_group **group)
{
	char *end, held[128] = "";
	size_t used = 0;
	long number;

	errno = 0;
	number = strtol(word, &end, 10);
	if (errno || end == word || *end)
		return shunt_fail(
			-EINVAL, "group '%s': expected the number of an IOMMU group", word);
	TAILQ_FOREACH (*group, &context->groups, next)
		if (shunt_group_number((*group)->group) == number)
			return 0;
	for (struct context_group *each = TAILQ_FIRST(&context->groups);
		each && used < sizeof(held); each = TAILQ_NEXT(each, next))
		used += (size_t)snprintf(held + used, sizeof(held) - used, "%s%d", used ? ", " : "",
			shunt_group_number(each->group));
	return shunt_fail(-ENOENT, "group %s: no port of it is held here, but of %s", word, held);
}

int telemetry_find_space(
	struct shunt_context *context, const char *word, struct shunt_space **space)
{
	struct shunt_space *each = NULL;
	char names[256] = "";
	size_t used = 0;

	*space = shunt_space_find(context->spaces, word);
	if (*space)
		return 0;
	while ((each = shunt_space_next(context->spaces, each)) != NULL && used < sizeof(names))
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s'%s'",
			used ? ", " : "", shunt_space_name(each));
	return shunt_fail(-ENOENT, "there is no space '%.40s', only %s%s", word, names,
		used < sizeof(names) ? "" : "...");
}

int telemetry_part(const struct words *words, unsigned long room, struct part *part)
{
	char *end;

	*part = (struct part){ .room = room };
	if (!words->count)
		return 0;
	errno = 0;
	part->skip = strtoul(words->text[0], &end, 10);
	if (errno || *end || !isdigit((unsigned char)words->text[0][0]))
		return shunt_fail(-EINVAL, "'%.40s': how many to skip", words->text[0]);
	return 0;
}

bool telemetry_in_part(struct part *part)
{
	unsigned long *left = part->skip ? &part->skip : &part->room;
	const bool told = !part->skip && part->room;

	*left -= *left > 0;
	return told;
}
