/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "telemetry.h"

static void note(struct telemetry_reply reply, int ret)
{
	if (ret < 0 && !*reply.error)
		*reply.error = ret;
}

struct telemetry_reply reply_begin(struct rte_tel_data *data, int *error)
{
	*error = 0;
	rte_tel_data_start_dict(data);
	return (struct telemetry_reply){ .data = data, .error = error };
}

void reply_count(struct telemetry_reply reply, const char *name, uint64_t count)
{
	if (reply.data)
		note(reply, SHUNT_TEL_ADD_COUNT(reply.data, name, count));
}

void reply_number(struct telemetry_reply reply, const char *name, int number)
{
	if (reply.data)
		note(reply, rte_tel_data_add_dict_int(reply.data, name, number));
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

static void add_parts(struct telemetry_reply reply, const char *name, const char *text)
{
	struct rte_tel_data *parts = rte_tel_data_alloc();
	char part[RTE_TEL_MAX_STRING_LEN];
	size_t length;
	int ret;

	if (!parts) {
		note(reply, -ENOMEM);
		return;
	}
	rte_tel_data_start_array(parts, RTE_TEL_STRING_VAL);
	for (; *text; text += length) {
		length = part_of(text);
		snprintf(part, sizeof(part), "%.*s", (int)length, text);
		note(reply, rte_tel_data_add_array_string(parts, part));
	}
	ret = rte_tel_data_add_dict_container(reply.data, name, parts, 0);
	if (ret)
		rte_tel_data_free(parts);
	note(reply, ret);
}

void reply_text(struct telemetry_reply reply, const char *name, const char *text)
{
	if (!reply.data)
		return;
	if (strlen(text) < RTE_TEL_MAX_STRING_LEN)
		note(reply, rte_tel_data_add_dict_string(reply.data, name, text));
	else
		add_parts(reply, name, text);
}

struct telemetry_reply reply_object(struct telemetry_reply reply, const char *name)
{
	struct telemetry_reply object = { .error = reply.error };
	int ret = -ENOMEM;

	if (!reply.data)
		return object;
	object.data = rte_tel_data_alloc();
	if (object.data) {
		rte_tel_data_start_dict(object.data);
		ret = rte_tel_data_add_dict_container(reply.data, name, object.data, 0);
	}
	if (ret) {
		rte_tel_data_free(object.data);
		object.data = NULL;
	}
	note(reply, ret);
	return object;
}

struct telemetry_reply reply_nth(struct telemetry_reply reply, unsigned int number)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", number);
	return reply_object(reply, name);
}
