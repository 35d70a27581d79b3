/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "report.h"
#include "shunt_error.h"
#include "text.h"

static int parse(FILE *file, const char *path, json_t **json)
{
	json_error_t error;

	*json = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
	if (*json)
		return 0;
	return shunt_fail(-EINVAL, "%s: line %d: no JSON: %s", path, error.line, error.text);
}

static int check(const json_t *json, const char *path, const char *schema)
{
	const char *found = report_text(json, "schema");

	if (!found[0])
		return shunt_fail(-EINVAL, "%s: no file of shunt: it names no schema", path);
	if (strcmp(found, schema) != 0)
		return shunt_fail(
			-EINVAL, "%s: its schema is '%s', '%s' is wanted", path, found, schema);
	if (!json_array_size(json_object_get(json, "ports")))
		return shunt_fail(-EINVAL, "%s: it has no ports", path);
	return 0;
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

const char *report_time(const json_t *json, const char *name, char text[TIME_TEXT])
{
	double ns = report_number(json, name);

	return ns >= 0 ? time_text((uint64_t)ns, text) : "unknown";
}
