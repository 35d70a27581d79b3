/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "evidence_file.h"
#include "shunt_error.h"

#define SCHEMA "shunt.evidence/1"

static const char *const kinds[SHUNT_HWPT_KINDS] = {
	[SHUNT_HWPT_EXPLICIT] = "explicit",
	[SHUNT_HWPT_AUTOMATIC] = "automatic",
};

static int broken(const char *path, const char *what)
{
	return shunt_fail(-EIO,
		"evidence %s is broken (%s): mend it, or remove it and gather what it knew again",
		path, what);
}

/* Of a text that is missing, and of no text, "". */
static const char *text_of(const json_t *entry, const char *name)
{
	const char *text = json_string_value(json_object_get(entry, name));

	return text ? text : "";
}

static uint64_t count_of(const json_t *entry, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(entry, name));
}

static bool has_count(const json_t *entry, const char *name)
{
	const json_t *value = json_object_get(entry, name);

	return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool is_kind(const json_t *entry, enum shunt_hwpt_kind kind)
{
	return strcmp(text_of(entry, "hwpt"), kinds[kind]) == 0;
}

static bool sound(const json_t *entry)
{
	if (!text_of(entry, "iommu")[0] || !json_is_string(json_object_get(entry, "kernel")) ||
		!json_is_boolean(json_object_get(entry, "emulated")) ||
		!text_of(entry, "first")[0] || !text_of(entry, "last")[0])
		return false;
	if (!is_kind(entry, SHUNT_HWPT_EXPLICIT) && !is_kind(entry, SHUNT_HWPT_AUTOMATIC))
		return false;
	return has_count(entry, "switches") && has_count(entry, "faulted") &&
	       has_count(entry, "unknown") &&
	       count_of(entry, "faulted") <= count_of(entry, "switches") &&
	       count_of(entry, "unknown") <=
		       count_of(entry, "switches") - count_of(entry, "faulted");
}

static int check(const char *path, const json_t *root)
{
	const json_t *entries = json_object_get(root, "entries");
	char what[64];

	if (strcmp(text_of(root, "schema"), SCHEMA) != 0)
		return broken(path, "its schema is not " SCHEMA);
	if (!json_is_array(entries))
		return broken(path, "it has no list of entries");
	for (size_t i = 0; i < json_array_size(entries); i++) {
		if (sound(json_array_get(entries, i)))
			continue;
		snprintf(what, sizeof(what), "entry %zu lacks something, or counts wrong", i + 1);
		return broken(path, what);
	}
	return 0;
}

int evidence_load(const char *path, json_t **root)
{
	json_error_t error;
	char what[JSON_ERROR_TEXT_LENGTH + 32];
	FILE *file = fopen(path, "re");
	int ret;

	if (!file && errno == ENOENT) {
		*root = json_pack("{s:s, s:[]}", "schema", SCHEMA, "entries");
		return *root ? 0 : shunt_fail(-ENOMEM, "evidence: out of memory");
	}
	if (!file)
		return shunt_fail_errno(-errno, "evidence %s", path);
	*root = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
	fclose(file);
	if (!*root) {
		snprintf(what, sizeof(what), "line %d: %s", error.line, error.text);
		return broken(path, what);
	}
	ret = check(path, *root);
	if (ret)
		json_decref(*root);
	return ret;
}

static json_t *find(const json_t *root, const struct shunt_evidence *key, enum shunt_hwpt_kind kind)
{
	const json_t *entries = json_object_get(root, "entries");

	for (size_t i = 0; i < json_array_size(entries); i++) {
		json_t *entry = json_array_get(entries, i);

		if (is_kind(entry, kind) && strcmp(text_of(entry, "iommu"), key->iommu) == 0 &&
			strcmp(text_of(entry, "kernel"), key->kernel) == 0 &&
			json_is_true(json_object_get(entry, "emulated")) == key->emulated)
			return entry;
	}
	return NULL;
}

void evidence_take(json_t *root, struct shunt_evidence *evidence)
{
	for (unsigned int kind = 0; kind < SHUNT_HWPT_KINDS; kind++) {
		const json_t *entry = find(root, evidence, (enum shunt_hwpt_kind)kind);
		struct shunt_evidence_seen *seen = &evidence->seen[kind];

		if (!entry)
			continue;
		seen->switches = count_of(entry, "switches");
		seen->faulted = count_of(entry, "faulted");
		seen->unknown = count_of(entry, "unknown");
		snprintf(seen->first, sizeof(seen->first), "%s", text_of(entry, "first"));
		snprintf(seen->last, sizeof(seen->last), "%s", text_of(entry, "last"));
	}
}

static json_t *make(json_t *root, const struct shunt_evidence *key, enum shunt_hwpt_kind kind,
	const char *today)
{
	json_t *entry = json_pack("{s:s, s:s, s:b, s:s, s:i, s:i, s:i, s:s, s:s}", "iommu",
		key->iommu, "kernel", key->kernel, "emulated", key->emulated, "hwpt", kinds[kind],
		"switches", 0, "faulted", 0, "unknown", 0, "first", today, "last", today);

	if (!entry || json_array_append_new(json_object_get(root, "entries"), entry))
		return NULL;
	return entry;
}

static int add_count(json_t *entry, const char *name, uint64_t more)
{
	json_int_t sum = (json_int_t)count_of(entry, name) + (json_int_t)more;

	return json_object_set_new(entry, name, json_integer(sum));
}

int evidence_put(json_t *root, const struct shunt_evidence *seen, enum shunt_hwpt_kind kind,
	const char *today)
{
	const struct shunt_evidence_seen *more = &seen->seen[kind];
	json_t *entry = find(root, seen, kind);

	if (!entry)
		entry = make(root, seen, kind, today);
	if (!entry || add_count(entry, "switches", more->switches) ||
		add_count(entry, "faulted", more->faulted) ||
		add_count(entry, "unknown", more->unknown) ||
		json_object_set_new(entry, "last", json_string(today)))
		return shunt_fail(-ENOMEM, "evidence: out of memory");
	return 0;
}

/* Whole and on the disk: a fault that was seen is not forgotten with a machine that goes down. */
static int dump(const char *path, const json_t *root)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	int ret = 0;

	if (!file) {
		ret = -errno;
		if (fd >= 0)
			close(fd);
		return ret;
	}
	if (json_dumpf(root, file, JSON_INDENT(2)) || fputc('\n', file) == EOF)
		ret = -EIO;
	if (!ret && (fflush(file) || fsync(fd)))
		ret = -errno;
	if (fclose(file) && !ret)
		ret = -errno;
	return ret;
}

int evidence_store(const char *path, const json_t *root)
{
	char fresh[PATH_MAX];
	int ret;

	if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
		return shunt_fail_errno(-ENAMETOOLONG, "evidence %s", path);
	ret = dump(fresh, root);
	if (!ret && rename(fresh, path))
		ret = -errno;
	if (ret)
		unlink(fresh);
	return ret ? shunt_fail_errno(ret, "evidence: cannot write %s", path) : 0;
}
