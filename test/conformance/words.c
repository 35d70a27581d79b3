/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/error.h>

#include "words.h"

int words_split(const char *line, struct words *words)
{
	char *rest = NULL;

	memset(words, 0, sizeof(*words));
	if (strlen(line) >= sizeof(words->text))
		return shunt_fail(-EINVAL, "a line of more than %u characters", WORDS_LINE - 1);
	memcpy(words->text, line, strlen(line) + 1);
	for (char *word = strtok_r(words->text, " \t\n", &rest); word;
		word = strtok_r(NULL, " \t\n", &rest)) {
		char *equals = strchr(word, '=');

		if (strcmp(word, WORDS_ARROW) == 0 || strcmp(word, "#") == 0)
			break;
		if (words->count == WORDS_MAX || words->option_count == WORDS_MAX)
			return shunt_fail(-EINVAL, "more than %u words in a line", WORDS_MAX);
		if (equals) {
			*equals = '\0';
			words->options[words->option_count++] =
				(struct words_option){ .key = word, .value = equals + 1 };
		} else {
			words->word[words->count++] = word;
		}
	}
	return 0;
}

const char *words_option(struct words *words, const char *key)
{
	for (unsigned int i = 0; i < words->option_count; i++) {
		struct words_option *option = &words->options[i];

		if (strcmp(option->key, key) == 0) {
			option->used = true;
			return option->value;
		}
	}
	return NULL;
}

const char *words_unused(const struct words *words)
{
	for (unsigned int i = 0; i < words->option_count; i++) {
		if (!words->options[i].used)
			return words->options[i].key;
	}
	return NULL;
}

bool words_number(const char *text, uint64_t *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, 0);
	if (errno)
		return false;
	if (*end == 'p')
		return end[1] == '\0' && !__builtin_mul_overflow(*value, WORDS_PAGE, value);
	return *end == '\0';
}

int words_option_number(struct words *words, const char *key, uint64_t *value)
{
	const char *text = words_option(words, key);

	if (text && !words_number(text, value))
		return shunt_fail(-EINVAL, "%s=%s: a number is wanted", key, text);
	return 0;
}
