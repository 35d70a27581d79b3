/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <shunt/error.h>

#include "text.h"

#define LINE 8192 /* of a log */

const char *time_text(uint64_t ns, char text[TIME_TEXT])
{
	static const char *const units[] = { "us", "ms", "s" };
	double value = (double)ns;
	size_t unit = 0;

	if (ns < 1000) {
		snprintf(text, TIME_TEXT, "%" PRIu64 " ns", ns);
		return text;
	}
	/* 999.5 would be printed as 1000. */
	value /= 1e3;
	while (value >= 999.5 && unit < 2) {
		value /= 1e3;
		unit++;
	}
	snprintf(text, TIME_TEXT, "%.*f %s",
		value < 9.995   ? 2
		: value < 99.95 ? 1
				: 0,
		value, units[unit]);
	return text;
}

const char *quantile_text(struct shunt_samples *samples, double q, char text[TIME_TEXT])
{
	if (samples->count)
		return time_text(shunt_samples_quantile(samples, q), text);
	snprintf(text, TIME_TEXT, "-");
	return text;
}

const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

const char *plural_es(uint64_t count)
{
	return count == 1 ? "" : "es";
}

/* C0 and DEL of ASCII, and C1, which UTF-8 encodes as 0xC2 and 0x80 to 0x9F. */
static bool is_control(const unsigned char *at)
{
	return *at < ' ' || *at == 0x7f || (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0);
}

const char *safe_text(const char *text, char *safe, size_t size)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t used = 0, need;

	for (; *at; at++, used += need) {
		need = !is_control(at) ? 1 : *at == 0xc2 ? strlen("\\x00\\x00") : strlen("\\x00");
		if (used + need >= size)
			break;
		if (!is_control(at)) {
			safe[used] = (char)*at;
		} else if (*at == 0xc2) {
			snprintf(safe + used, size - used, "\\x%02x\\x%02x", at[0], at[1]);
			at++;
		} else {
			snprintf(safe + used, size - used, "\\x%02x", *at);
		}
	}
	safe[used] = '\0';
	return safe;
}

static int write_all(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t done = write(fd, text, length);

		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			text += done;
			length -= (size_t)done;
		}
	}
	return 0;
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

json_t *text_append(json_t *array, json_t *item)
{
	if (!json_array_append_new(array, item))
		return array;
	json_decref(array);
	return NULL;
}

/* Others may append to the file, or it is a device: a line must not be divided. */
int text_log(int fd, json_t *json)
{
	char line[LINE];
	size_t length = json_dumpb(json, line, sizeof(line) - 1, JSON_COMPACT);

	json_decref(json);
	if (!length || length >= sizeof(line))
		return -ENOMEM;
	line[length] = '\n';
	return write_all(fd, line, length + 1);
}

bool text_line(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	bool read;

	text[0] = '\0';
	if (!file)
		return false;
	read = fgets(text, (int)size, file) != NULL;
	fclose(file);
	text[strcspn(text, "\n")] = '\0';
	return read;
}

bool text_field(const char *path, const char *name, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t length = strlen(name);
	bool found = false;
	char line[512];

	while (file && !found && fgets(line, sizeof(line), file))
		found = strncmp(line, name, length) == 0;
	if (file)
		fclose(file);
	if (found)
		snprintf(text, size, "%.*s", (int)strcspn(line + length, "\n"), line + length);
	return found;
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
