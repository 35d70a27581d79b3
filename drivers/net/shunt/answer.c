/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "shunt_dpdk.h"

static void note(struct answer answer, int ret)
{
	if (ret < 0 && !*answer.error)
		*answer.error = ret;
}

struct answer answer_begin(struct rte_tel_data *data, int *error)
{
	*error = 0;
	rte_tel_data_start_dict(data);
	return (struct answer){ .data = data, .error = error };
}

void answer_count(struct answer answer, const char *name, uint64_t count)
{
	if (answer.data)
		note(answer, SHUNT_TEL_ADD_COUNT(answer.data, name, count));
}

void answer_number(struct answer answer, const char *name, int number)
{
	if (answer.data)
		note(answer, rte_tel_data_add_dict_int(answer.data, name, number));
}

void answer_flag(struct answer answer, const char *name, bool flag)
{
	answer_number(answer, name, flag);
}

/* Length of the first part of a text: as much as fits, to the end of a word where there is one. */
static size_t part_of(const char *text)
{
	size_t length = strlen(text);

	if (length < RTE_TEL_MAX_STRING_LEN)
		return length;
	for (length = RTE_TEL_MAX_STRING_LEN - 1; length && text[length - 1] != ' '; length--)
		;
	return length ? length : RTE_TEL_MAX_STRING_LEN - 1;
}

static void add_parts(struct answer answer, const char *name, const char *text)
{
	struct rte_tel_data *parts = rte_tel_data_alloc();
	char part[RTE_TEL_MAX_STRING_LEN];
	size_t length;
	int ret;

	if (!parts) {
		note(answer, -ENOMEM);
		return;
	}
	rte_tel_data_start_array(parts, RTE_TEL_STRING_VAL);
	for (; *text; text += length) {
		length = part_of(text);
		snprintf(part, sizeof(part), "%.*s", (int)length, text);
		note(answer, rte_tel_data_add_array_string(parts, part));
	}
	ret = rte_tel_data_add_dict_container(answer.data, name, parts, 0);
	if (ret)
		rte_tel_data_free(parts);
	note(answer, ret);
}

void answer_text(struct answer answer, const char *name, const char *text)
{
	if (!answer.data)
		return;
	if (strlen(text) < RTE_TEL_MAX_STRING_LEN)
		note(answer, rte_tel_data_add_dict_string(answer.data, name, text));
	else
		add_parts(answer, name, text);
}

struct answer answer_object(struct answer answer, const char *name)
{
	struct answer object = { .error = answer.error };
	int ret = -ENOMEM;

	if (!answer.data)
		return object;
	object.data = rte_tel_data_alloc();
	if (object.data) {
		rte_tel_data_start_dict(object.data);
		ret = rte_tel_data_add_dict_container(answer.data, name, object.data, 0);
	}
	if (ret) {
		rte_tel_data_free(object.data);
		object.data = NULL;
	}
	note(answer, ret);
	return object;
}

struct answer answer_nth(struct answer answer, unsigned int number)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", number);
	return answer_object(answer, name);
}
