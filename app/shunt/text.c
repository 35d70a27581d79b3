/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "text.h"

/* The oldest text makes room for the new one. */
char *text_keep(char *text)
{
	static char *kept[TEXT_KEPT], none[1];
	static unsigned int next;

	if (!text)
		return none;
	free(kept[next]);
	kept[next] = text;
	next = (next + 1) % TEXT_KEPT;
	return text;
}

const char *text_of(const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	return text_keep(length < 0 ? NULL : text);
}

const char *time_text(uint64_t ns)
{
	static const char *const units[] = { "us", "ms", "s" };
	double value = (double)ns / 1e3;
	size_t unit = 0;

	if (ns < 1000)
		return text_of("%" PRIu64 " ns", ns);
	/* 999.5 would be printed as 1000. */
	while (value >= 999.5 && unit < 2) {
		value /= 1e3;
		unit++;
	}
	return text_of("%.*f %s", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value, units[unit]);
}

const char *quantile_text(struct shunt_samples *samples, double q)
{
	return samples->count ? time_text(shunt_samples_quantile(samples, q)) : "-";
}

const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

const char *plural_es(uint64_t count)
{
	return count == 1 ? "" : "es";
}

const char *driver_text(const char *driver)
{
	return driver[0] ? driver : "no driver";
}

/* C0 and DEL of ASCII, and C1, which UTF-8 encodes as 0xC2 and 0x80 to 0x9F. */
static bool is_control(const unsigned char *at)
{
	return *at < ' ' || *at == 0x7f || (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0);
}

const char *safe_text(const char *text, size_t most)
{
	const unsigned char *at = (const unsigned char *)text;
	char *safe = calloc(1, most + 1);
	size_t used = 0, need;

	for (; safe && *at; at++, used += need) {
		need = !is_control(at) ? 1 : *at == 0xc2 ? strlen("\\x00\\x00") : strlen("\\x00");
		if (used + need > most)
			break;
		if (!is_control(at)) {
			safe[used] = (char)*at;
		} else if (*at == 0xc2) {
			snprintf(safe + used, need + 1, "\\x%02x\\x%02x", at[0], at[1]);
			at++;
		} else {
			snprintf(safe + used, need + 1, "\\x%02x", *at);
		}
	}
	return text_keep(safe);
}

int text_json(json_t *json)
{
	int ret = 0;

	if (!json)
		return shunt_fail(-ENOMEM, "out of memory for JSON");
	if (json_dumpf(json, stdout, JSON_INDENT(2)) || fputc('\n', stdout) == EOF)
		ret = shunt_fail(-EIO, "writing JSON failed");
	json_decref(json);
	return ret;
}

json_t *text_or_null(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

json_t *text_ns(bool known, uint64_t ticks)
{
	return known ? json_integer((json_int_t)shunt_clock_to_ns(ticks)) : json_null();
}

json_t *text_append(json_t *array, json_t *item)
{
	if (!json_array_append_new(array, item))
		return array;
	json_decref(array);
	return NULL;
}

char *text_field(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	char *line = NULL, *rest = NULL;
	size_t room = 0;

	while (file && !rest && getline(&line, &room, file) >= 0)
		if (strncmp(line, name, strlen(name)) == 0)
			rest = strndup(line + strlen(name), strcspn(line + strlen(name), "\n"));
	if (file)
		fclose(file);
	free(line);
	return text_keep(rest);
}

char *text_line(const char *path)
{
	return text_field(path, "");
}

int text_flush(FILE *file, const char *name)
{
	bool before = ferror(file);

	errno = 0;
	if (!fflush(file) && !before)
		return 0;
	/* The errno of an earlier failure is lost: write again to get it. */
	if (!errno && (fputc('\n', file) == EOF || fflush(file)) && !errno)
		errno = EIO;
	return shunt_fail_errno(errno ? -errno : -EIO, "%s", name);
}
