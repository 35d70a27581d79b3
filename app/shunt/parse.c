/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"
#include "shunt_error.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit time_units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", 60000000000 },
	{ NULL, 0 },
};

static const struct unit size_units[] = {
	{ "", 1 },
	{ "K", 1ull << 10 },
	{ "M", 1ull << 20 },
	{ "G", 1ull << 30 },
	{ NULL, 0 },
};

/* Digits only: strtoull would also take signs and spaces. */
static int parse_digits(const char *text, char **end, uint64_t *value)
{
	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, end, text[0] == '0' && text[1] == 'x' ? 16 : 10);
	return errno ? -EINVAL : 0;
}

int parse_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	char *end;

	if (parse_digits(text, &end, value) || *end || *value < min || *value > max)
		return shunt_fail(-EINVAL,
			"%s '%s': a number from %" PRIu64 " to %" PRIu64 " is wanted", option, text,
			min, max);
	return 0;
}

static int parse_with_unit(const char *text, const struct unit *units, uint64_t *value)
{
	uint64_t number;
	char *end;

	if (parse_digits(text, &end, &number))
		return -EINVAL;
	for (; units->name; units++)
		if (strcmp(end, units->name) == 0)
			return __builtin_mul_overflow(number, units->factor, value) ? -EINVAL : 0;
	return -EINVAL;
}

int parse_time(const char *option, const char *text, uint64_t *ns)
{
	if (parse_with_unit(text, time_units, ns))
		return shunt_fail(-EINVAL,
			"%s '%s': a time with its unit is wanted (250us, 100ms, 10s, 2m)", option,
			text);
	return 0;
}

int parse_size(const char *option, const char *text, uint64_t *bytes)
{
	if (parse_with_unit(text, size_units, bytes))
		return shunt_fail(
			-EINVAL, "%s '%s': a size is wanted (4096, 4K, 2M, 1G)", option, text);
	return 0;
}
