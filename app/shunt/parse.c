/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/error.h>

#include "parse.h"
#include "text.h"

#define MAX_OPTIONS 32
#define LONG        256 /* getopt's code of the first option */

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
	{ "h", 3600000000000 },
	{ NULL, 0 },
};

static const struct unit size_units[] = {
	{ "", 1 },
	{ "k", 1ull << 10 },
	{ "K", 1ull << 10 },
	{ "m", 1ull << 20 },
	{ "M", 1ull << 20 },
	{ "g", 1ull << 30 },
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
			"%s '%s': expected a number from %" PRIu64 " to %" PRIu64, option, text,
			min, max);
	return 0;
}

/* The fraction of a unit, as in 0.5s, rounded down. @return 0, -EINVAL */
static int parse_fraction(const char *text, char **end, uint64_t factor, uint64_t *value)
{
	unsigned __int128 part = 0, parts = 1;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (parts > UINT64_MAX)
			continue;
		part = 10 * part + (unsigned int)(*text - '0');
		parts *= 10;
	}
	*end = (char *)(uintptr_t)text;
	*value = (uint64_t)(part * factor / parts);
	return 0;
}

static int parse_with_unit(const char *text, const struct unit *units, uint64_t *value)
{
	uint64_t number, part = 0;
	const char *fraction;
	char *end;

	if (parse_digits(text, &end, &number))
		return -EINVAL;
	fraction = *end == '.' ? end + 1 : NULL;
	if (fraction && parse_fraction(fraction, &end, 1, &part))
		return -EINVAL;
	for (; units->name; units++) {
		if (strcmp(end, units->name) != 0)
			continue;
		if (fraction)
			parse_fraction(fraction, &end, units->factor, &part);
		if (__builtin_mul_overflow(number, units->factor, value) ||
			__builtin_add_overflow(*value, part, value))
			return -EINVAL;
		return 0;
	}
	return -EINVAL;
}

int parse_time(const char *option, const char *text, uint64_t *ns)
{
	if (parse_with_unit(text, time_units, ns))
		return shunt_fail(-EINVAL,
			"%s '%s': expected a time with its unit (250us, 100ms, 0.5s, 2m, 1h)",
			option, text);
	return 0;
}

int parse_size(const char *option, const char *text, uint64_t *bytes)
{
	if (parse_with_unit(text, size_units, bytes))
		return shunt_fail(
			-EINVAL, "%s '%s': expected a size (4096, 4k, 2M, 1.5G)", option, text);
	return 0;
}

int parse_platform(const char *text, void *kernel)
{
	bool *is_kernel = kernel;

	*is_kernel = strcmp(text, "kernel") == 0;
	if (*is_kernel || strcmp(text, "sim") == 0)
		return 0;
	return shunt_fail(-EINVAL, "--platform '%s': expected kernel or sim", text);
}

/* The long options that a word may abbreviate. @param[out] count  their number */
static const char *matches(const struct option *known, const char *word, unsigned int *count)
{
	size_t length = strcspn(word, "=");
	const char *names = "";

	for (*count = 0; known->name; known++)
		if (strncmp(known->name, word, length) == 0)
			names = text_of("%s%s--%s", names, (*count)++ ? ", " : "", known->name);
	return names;
}

/* Explains a wrong option, before the next call of getopt_long(). */
static int explain(int code, char **argv, const struct option *known, const char *command)
{
	const char *word = argv[optind - 1], *names;
	unsigned int count;

	if (code == ':')
		return shunt_fail(-EINVAL, "%s needs a value", word);
	/* After a letter inside a group of letters, optind is still at that word. */
	if (optopt && (strncmp(word, "--", 2) != 0 || !strchr(word, '=')))
		return shunt_fail(-EINVAL, "unknown option '-%c' (%s --help)", optopt, command);
	if (optopt)
		return shunt_fail(-EINVAL, "%.*s takes no value", (int)strcspn(word, "="), word);
	names = matches(known, word + 2, &count);
	if (count > 1)
		return shunt_fail(-EINVAL, "option '%s' is ambiguous: %s", word, names);
	return shunt_fail(-EINVAL, "unknown option '%s' (%s --help)", word, command);
}

static int take(struct parse_option *option)
{
	const char *name = text_of("--%s", option->name);
	uint64_t number = 0;
	int ret;

	option->given = true;
	if (option->take)
		return option->take(optarg, option->context);
	if (option->time)
		return parse_time(name, optarg, option->time);
	if (option->flag)
		*option->flag = true;
	if (option->text)
		*option->text = optarg;
	if (option->flag || option->text)
		return 0;
	ret = parse_number(name, optarg, option->min, option->max, &number);
	if (ret)
		return ret;
	if (option->number)
		*option->number = number;
	if (option->count)
		*option->count = (unsigned int)number;
	return 0;
}

int parse_options(
	int argc, char **argv, struct parse_option *options, const char *command, const char *usage)
{
	struct option known[MAX_OPTIONS] = { { "help", no_argument, NULL, 'h' } };
	int code, ret = 0, verbose = 0;

	for (int i = 0; options[i].name; i++) {
		known[i + 1] = known[i];
		known[i] = (struct option){ options[i].name,
			options[i].flag ? no_argument : required_argument, NULL, LONG + i };
		if (strcmp(options[i].name, "verbose") == 0)
			verbose = LONG + i;
	}
	opterr = 0;
	optind = 1;
	while (!ret &&
		(code = getopt_long(argc, argv, verbose ? ":hv" : ":h", known, NULL)) != -1) {
		if (code == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (code == 'v')
			code = verbose;
		ret = code >= LONG ? take(&options[code - LONG])
				   : explain(code, argv, known, command);
	}
	return ret ? ret : optind;
}

int parse_exit(const char *command, int ret)
{
	if (ret >= 0 && text_flush(stdout, "standard output"))
		ret = -EIO;
	if (ret < 0)
		fprintf(stderr, "%s: %s\n", command, shunt_errmsg());
	return ret ? 1 : 0;
}
