/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/error.h>

#include "script.h"
#include "words.h"

#define ANSWER_COLUMN 48

int script_load(const char *path, struct script *script)
{
	FILE *file = fopen(path, "re");
	char line[WORDS_LINE];
	int ret = 0;

	*script = (struct script){ NULL, 0 };
	if (!file)
		return shunt_fail_errno(-errno, "%s", path);
	while (!ret && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		ret = script_add(script, line);
	}
	fclose(file);
	return ret;
}

int script_add(struct script *script, const char *line)
{
	char **lines = realloc(script->lines, (script->count + 1) * sizeof(*lines));

	if (!lines)
		return shunt_fail(-ENOMEM, "out of memory");
	script->lines = lines;
	lines[script->count] = strdup(line);
	if (!lines[script->count])
		return shunt_fail(-ENOMEM, "out of memory");
	script->count++;
	return 0;
}

int script_copy(
	const struct script *script, size_t count, size_t from, size_t to, struct script *copy)
{
	*copy = (struct script){ NULL, 0 };
	for (size_t i = 0; i < count; i++) {
		int ret = i >= from && i < to ? 0 : script_add(copy, script->lines[i]);

		if (ret) {
			script_free(copy);
			return ret;
		}
	}
	return 0;
}

void script_free(struct script *script)
{
	for (size_t i = 0; i < script->count; i++)
		free(script->lines[i]);
	free(script->lines);
	*script = (struct script){ NULL, 0 };
}

bool script_is_operation(const char *line)
{
	line += strspn(line, " \t");
	return *line && *line != '#';
}

static const char *find_arrow(const char *line)
{
	return strstr(line, " " WORDS_ARROW " ");
}

struct version {
	unsigned long major, minor;
};

/* Reads "6.12.95", or "7". @return false: no number */
static bool read_version(const char *text, struct version *version)
{
	char *end;

	version->minor = 0;
	version->major = strtoul(text, &end, 10);
	if (end == text)
		return false;
	if (*end == '.')
		version->minor = strtoul(end + 1, NULL, 10);
	return true;
}

/* The part of an answer behind "; VERSION: ", if the release is that version or later. */
static const char *alternative(const char *answer, const char *release)
{
	const char *semicolon = strstr(answer, "; ");
	const char *colon = semicolon ? strstr(semicolon, ": ") : NULL;
	struct version wanted, have;

	if (!colon || !release || !read_version(semicolon + 2, &wanted) ||
		!read_version(release, &have))
		return NULL;
	if (have.major < wanted.major || (have.major == wanted.major && have.minor < wanted.minor))
		return NULL;
	return colon + 2;
}

bool script_expected(const char *line, const char *release, char *answer, size_t size)
{
	const char *arrow = find_arrow(line);
	const char *other;

	if (!arrow)
		return false;
	arrow += strlen(" " WORDS_ARROW " ");
	other = alternative(arrow, release);
	if (other)
		snprintf(answer, size, "%s", other);
	else
		snprintf(answer, size, "%.*s", (int)strcspn(arrow, ";"), arrow);
	return true;
}

void script_print(FILE *to, const char *line, const char *answer, bool keep_alternative)
{
	const char *arrow = find_arrow(line);
	const char *other = arrow && keep_alternative ? strchr(arrow, ';') : NULL;
	size_t length = arrow ? (size_t)(arrow - line) : strlen(line);

	while (length && line[length - 1] == ' ')
		length--;
	fprintf(to, "%-*.*s %s %s%s\n", ANSWER_COLUMN - 1, (int)length, line, WORDS_ARROW, answer,
		other ? other : "");
}
