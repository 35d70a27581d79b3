/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/error.h>

#include "compare.h"
#include "platforms.h"

void compare_free(struct transcript *answers)
{
	for (size_t i = 0; i < answers->count; i++)
		free(answers->answers[i]);
	free(answers->answers);
	*answers = (struct transcript){ NULL, 0 };
}

int compare_play(struct player *player, const struct script *script, struct transcript *answers)
{
	int ret;

	answers->count = 0;
	answers->answers = calloc(script->count + 1, sizeof(*answers->answers));
	if (!answers->answers)
		return shunt_fail(-ENOMEM, "out of memory");
	ret = player_begin(player);
	if (ret)
		goto no_player;
	for (size_t i = 0; i < script->count; i++) {
		answers->count = i + 1;
		if (!script_is_operation(script->lines[i]))
			continue;
		ret = player_play(player, script->lines[i]);
		if (ret)
			goto stopped;
		answers->answers[i] = strdup(player->answer);
		if (!answers->answers[i]) {
			ret = shunt_fail(-ENOMEM, "out of memory");
			goto stopped;
		}
	}
	player_end(player);
	return 0;

stopped:
	player_end(player);
no_player:
	compare_free(answers);
	return ret;
}

/*
 * What later kernels answer differently although lib/sim, which follows 6.12, is right, and random
 * scripts come upon:
 *   copy  pieces that are no whole pages, into an IOAS with a hwpt: Linux 7's page tables refuse
 *         with ENXIO what the IOMMU core of 6.12 refused with EINVAL
 */
static const char *as_of_612(const char *line, const char *answer, const char *release)
{
	if (release && strtoul(release, NULL, 10) >= 7 && strncmp(line, "copy ", 5) == 0 &&
		strcmp(answer, "ENXIO") == 0)
		return "EINVAL";
	return answer;
}

int compare_once(struct player *a, struct player *b, const struct script *script,
	struct difference *difference)
{
	struct transcript of_a, of_b;
	int ret;

	difference->found = false;
	ret = compare_play(a, script, &of_a);
	if (ret)
		return ret;
	ret = compare_play(b, script, &of_b);
	if (ret)
		goto no_b;
	for (size_t i = 0; i < script->count && !difference->found; i++) {
		const char *line = script->lines[i];

		if (!of_a.answers[i] || strcmp(as_of_612(line, of_a.answers[i],
						       platforms_release(a->platform->name)),
						as_of_612(line, of_b.answers[i],
							platforms_release(b->platform->name))) == 0)
			continue;
		difference->found = true;
		difference->line = i;
		snprintf(difference->a, sizeof(difference->a), "%s", of_a.answers[i]);
		snprintf(difference->b, sizeof(difference->b), "%s", of_b.answers[i]);
	}
	compare_free(&of_b);
no_b:
	compare_free(&of_a);
	return ret;
}

/* Tries the script without lines [from, to). @return 1 it still differs and is shorter now, 0 */
static int try_without(struct player *a, struct player *b, struct script *script, size_t from,
	size_t to, struct difference *difference)
{
	struct difference shorter_difference;
	struct script shorter;
	int ret = script_copy(script, script->count, from, to, &shorter);

	if (ret)
		return ret;
	ret = compare_once(a, b, &shorter, &shorter_difference);
	if (ret || !shorter_difference.found) {
		script_free(&shorter);
		return ret;
	}
	script_free(script);
	*script = shorter;
	*difference = shorter_difference;
	return 1;
}

static int cut_behind(struct script *script, const struct difference *difference)
{
	struct script shorter;
	int ret = script_copy(script, difference->line + 1, 0, 0, &shorter);

	if (!ret) {
		script_free(script);
		*script = shorter;
	}
	return ret;
}

/* Pieces of half the script, then of a quarter, and so on to single lines, until none can go. */
int compare_shrink(
	struct player *a, struct player *b, struct script *script, struct difference *difference)
{
	int ret = cut_behind(script, difference);
	size_t piece = script->count / 2;

	if (ret)
		return ret;
	if (!piece)
		piece = 1;
	for (;;) {
		bool shorter = false;
		size_t at = 0;

		while (at < script->count) {
			size_t to = at + piece < script->count ? at + piece : script->count;

			ret = try_without(a, b, script, at, to, difference);
			if (ret < 0)
				return ret;
			if (ret) {
				shorter = true;
				ret = cut_behind(script, difference);
				if (ret)
					return ret;
			} else {
				at = to;
			}
		}
		if (piece > 1)
			piece /= 2;
		else if (!shorter)
			return 0;
	}
}
