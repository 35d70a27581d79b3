/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <shunt/error.h>

#include "report.h"
#include "text.h"

#define PLACE 128  /* "ports[3].window_ns.p50" */
#define MOST  1e18 /* largest count or time in ns: 30 years */

enum kind { TEXT, FLAG, NUMBER, COUNT_OR_TEXT, OBJECT };
enum { RECORD = 1, TIMELINE = 2 };

/* Fields of every version. */
struct field {
	const char *name;
	enum kind kind;
	int in;
};

static const struct field fields[] = {
	{ "platform", TEXT, RECORD | TIMELINE },
	{ "iommu", TEXT, RECORD | TIMELINE },
	{ "nic", TEXT, RECORD | TIMELINE },
	{ "emulated", FLAG, RECORD | TIMELINE },
	{ "plan", TEXT, RECORD | TIMELINE },
	{ "traffic", TEXT, RECORD },
	{ "rate", COUNT_OR_TEXT, RECORD },
	{ "switches", NUMBER, RECORD },
	{ "failed_switches", NUMBER, RECORD },
	{ "duration_s", NUMBER, RECORD },
	{ "unexplained", NUMBER, RECORD },
	{ "group", OBJECT, RECORD },
	{ "from_ns", NUMBER, TIMELINE },
	{ "to_ns", NUMBER, TIMELINE },
	{ "switch", OBJECT, TIMELINE },
	{ NULL, TEXT, 0 },
};

static const struct field port_fields[] = {
	{ "name", TEXT, RECORD | TIMELINE },
	{ "function", TEXT, RECORD | TIMELINE },
	{ "sent", NUMBER, RECORD },
	{ "lost", NUMBER, RECORD },
	{ "faults", COUNT_OR_TEXT, RECORD },
	{ "window_ns", OBJECT, RECORD },
	{ NULL, TEXT, 0 },
};

static bool is_of(const json_t *value, enum kind kind)
{
	switch (kind) {
	case TEXT:
		return json_is_string(value);
	case FLAG:
		return json_is_boolean(value);
	case NUMBER:
		return json_is_number(value);
	case COUNT_OR_TEXT:
		return json_is_integer(value) || json_is_string(value);
	default:
		return json_is_object(value);
	}
}

static int check_fields(
	const json_t *json, const struct field *field, int in, const char *path, const char *place)
{
	static const char *const wanted[] = { "a text", "true or false", "a number",
		"a number or a text", "an object" };

	for (; field->name; field++) {
		const json_t *value = json_object_get(json, field->name);

		if (!(field->in & in))
			continue;
		if (!value)
			return shunt_fail(-EINVAL, "%s: %s%s is missing", path, place, field->name);
		if (!is_of(value, field->kind))
			return shunt_fail(-EINVAL, "%s: %s%s: expected %s", path, place,
				field->name, wanted[field->kind]);
	}
	return 0;
}

/* Checks counts and times; those of a time line may be negative. */
static int check_values(json_t *json, const char *path, const char *place, int in)
{
	double number = json_number_value(json);
	char inner[PLACE];
	const char *name;
	json_t *value;
	size_t i;
	int ret = 0;

	if (number < 0 && in != TIMELINE)
		return shunt_fail(-EINVAL, "%s: %s: %.15g is negative", path, place, number);
	if (number > MOST || number < -MOST)
		return shunt_fail(-EINVAL, "%s: %s: %.15g is out of range", path, place, number);
	json_object_foreach (json, name, value) {
		snprintf(inner, sizeof(inner), "%s%s%s", place, *place ? "." : "",
			safe_text(name, PLACE / 2));
		if (!ret)
			ret = check_values(value, path, inner, in);
	}
	json_array_foreach (json, i, value) {
		snprintf(inner, sizeof(inner), "%.100s[%zu]", place, i);
		if (!ret)
			ret = check_values(value, path, inner, in);
	}
	return ret;
}

static int check_schema(json_t *json, const char *path, const char *schema)
{
	const int in = strstr(schema, "timeline") ? TIMELINE : RECORD;
	const json_t *port;
	size_t i;
	int ret;

	ret = check_fields(json, fields, in, path, "");
	json_array_foreach (json_object_get(json, "ports"), i, port)
		if (!ret)
			ret = check_fields(port, port_fields, in, path, text_of("ports[%zu].", i));
	return ret ? ret : check_values(json, path, "", in);
}

static int parse(FILE *file, const char *path, json_t **json)
{
	json_error_t error;

	*json = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
	if (*json)
		return 0;
	return shunt_fail(-EINVAL, "%s: line %d: not JSON: %s", path, error.line,
		safe_text(error.text, 2 * JSON_ERROR_TEXT_LENGTH));
}

/* Names of these fields in version 1. */
static const struct {
	const char *was;
	const char *is;
} renamed[] = {
	{ "resolution_ns", "uncertainty_ns" },
	{ "loss_resolution_ns", "loss_uncertainty_ns" },
	{ "outage_resolution_ns", "outage_uncertainty_ns" },
	{ "returned_outage_resolution_ns", "returned_outage_uncertainty_ns" },
	{ "mend_ns", "recovery_ns" },
	{ "books", "loss_accounting" },
	{ "truth", "ground_truth" },
	{ "plan_why", "plan_reason" },
};

static void rename_fields(json_t *json)
{
	const char *name;
	json_t *value;
	size_t i;

	for (i = 0; i < sizeof(renamed) / sizeof(renamed[0]); i++) {
		value = json_object_get(json, renamed[i].was);
		if (value) {
			json_object_set(json, renamed[i].is, value);
			json_object_del(json, renamed[i].was);
		}
	}
	json_object_foreach (json, name, value)
		rename_fields(value);
	json_array_foreach (json, i, value)
		rename_fields(value);
}

/* Upgrades version 1 of the expected schema. */
static void upgrade(json_t *json, const char *schema)
{
	const char *found = report_text(json, "schema");
	size_t name = strcspn(schema, "/") + 1;

	if (strncmp(found, schema, name) != 0 || strcmp(found + name, "1") != 0)
		return;
	rename_fields(json);
	json_object_set_new(json, "schema", json_string(schema));
}

static int check(json_t *json, const char *path, const char *schema)
{
	const char *found;

	upgrade(json, schema);
	found = report_text(json, "schema");
	if (!found[0])
		return shunt_fail(-EINVAL, "%s: not a file of shunt: no schema", path);
	if (strcmp(found, schema) != 0)
		return shunt_fail(-EINVAL, "%s: schema '%s', expected '%s'", path,
			safe_text(found, 63), schema);
	if (!json_array_size(json_object_get(json, "ports")))
		return shunt_fail(-EINVAL, "%s: no ports", path);
	return check_schema(json, path, schema);
}

int report_read(const char *path, const char *schema, json_t **json)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	int ret;

	if (!file)
		return shunt_fail_errno(-errno, "%s", path);
	ret = parse(file, path, json);
	if (file != stdin)
		fclose(file);
	if (ret)
		return ret;
	ret = check(*json, path, schema);
	if (ret)
		json_decref(*json);
	return ret;
}

const char *report_text(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	return text ? text : "";
}

double report_number(const json_t *json, const char *name)
{
	const json_t *number = json_object_get(json, name);

	return json_is_number(number) ? json_number_value(number) : NAN;
}

const char *report_time(const json_t *json, const char *name)
{
	double ns = report_number(json, name);

	return ns >= 0 ? time_text((uint64_t)ns) : "unknown";
}

bool report_emulated(const json_t *json)
{
	return !json_is_false(json_object_get(json, "emulated"));
}
