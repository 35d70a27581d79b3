/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include <shunt/error.h>
#include <shunt/evidence.h>

#include "shunt_output.h"

#define SYSTEM_FOLDER "/var/lib/shunt"
#define LOCK_MS       10000
#define LOCK_NAP      10
#define SCHEMA        "shunt.evidence/2"
#define SCHEMA_DENSE  "shunt.evidence/1" /* entries name no traffic */

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

static bool is_traffic(const json_t *entry, enum shunt_evidence_traffic traffic)
{
	return strcmp(text_of(entry, "traffic"), shunt_evidence_traffic_name(traffic)) == 0;
}

static bool names_traffic(const json_t *entry)
{
	for (unsigned int i = 0; i < SHUNT_EVIDENCE_TRAFFICS; i++)
		if (is_traffic(entry, (enum shunt_evidence_traffic)i))
			return true;
	return false;
}

static bool sound(const json_t *entry)
{
	if (!text_of(entry, "iommu")[0] || !json_is_string(json_object_get(entry, "kernel")) ||
		!json_is_boolean(json_object_get(entry, "emulated")) ||
		!text_of(entry, "first")[0] || !text_of(entry, "last")[0] || !names_traffic(entry))
		return false;
	if (!is_kind(entry, SHUNT_HWPT_EXPLICIT) && !is_kind(entry, SHUNT_HWPT_AUTOMATIC))
		return false;
	return has_count(entry, "switches") && has_count(entry, "faulted") &&
	       has_count(entry, "unknown") &&
	       count_of(entry, "faulted") <= count_of(entry, "switches") &&
	       count_of(entry, "unknown") <=
		       count_of(entry, "switches") - count_of(entry, "faulted");
}

/* What a file of the schema before was gathered under. */
static int name_traffics(json_t *root)
{
	const char *dense = shunt_evidence_traffic_name(SHUNT_EVIDENCE_DENSE);
	json_t *entries = json_object_get(root, "entries"), *entry;
	size_t i;

	if (strcmp(text_of(root, "schema"), SCHEMA_DENSE) != 0)
		return 0;
	json_array_foreach (entries, i, entry)
		if (json_is_object(entry) &&
			json_object_set_new(entry, "traffic", json_string(dense)))
			return shunt_fail(-ENOMEM, "evidence: out of memory");
	return json_object_set_new(root, "schema", json_string(SCHEMA))
		       ? shunt_fail(-ENOMEM, "evidence: out of memory")
		       : 0;
}

static int check(const char *path, const json_t *root)
{
	const json_t *entries = json_object_get(root, "entries");
	char what[64];

	if (strcmp(text_of(root, "schema"), SCHEMA) != 0)
		return broken(path, "its schema is not " SCHEMA " or " SCHEMA_DENSE);
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

static int load(const char *path, json_t **root)
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
	ret = name_traffics(*root);
	if (!ret)
		ret = check(path, *root);
	if (ret)
		json_decref(*root);
	return ret;
}

static json_t *find(const json_t *root, const struct shunt_evidence *key, enum shunt_hwpt_kind kind,
	enum shunt_evidence_traffic traffic)
{
	const json_t *entries = json_object_get(root, "entries");

	for (size_t i = 0; i < json_array_size(entries); i++) {
		json_t *entry = json_array_get(entries, i);

		if (is_kind(entry, kind) && is_traffic(entry, traffic) &&
			strcmp(text_of(entry, "iommu"), key->iommu) == 0 &&
			strcmp(text_of(entry, "kernel"), key->kernel) == 0 &&
			json_is_true(json_object_get(entry, "emulated")) == key->emulated)
			return entry;
	}
	return NULL;
}

static void take(const json_t *entry, struct shunt_evidence_seen *seen)
{
	if (!entry)
		return;
	seen->switches = count_of(entry, "switches");
	seen->faulted = count_of(entry, "faulted");
	seen->unknown = count_of(entry, "unknown");
	snprintf(seen->first, sizeof(seen->first), "%s", text_of(entry, "first"));
	snprintf(seen->last, sizeof(seen->last), "%s", text_of(entry, "last"));
}

static void take_all(json_t *root, struct shunt_evidence *evidence)
{
	for (unsigned int kind = 0; kind < SHUNT_HWPT_KINDS; kind++)
		for (unsigned int i = 0; i < SHUNT_EVIDENCE_TRAFFICS; i++)
			take(find(root, evidence, (enum shunt_hwpt_kind)kind,
				     (enum shunt_evidence_traffic)i),
				&evidence->seen[kind][i]);
}

static json_t *make(json_t *root, const struct shunt_evidence *key, enum shunt_hwpt_kind kind,
	enum shunt_evidence_traffic traffic, const char *today)
{
	json_t *entry = json_pack("{s:s, s:s, s:b, s:s, s:s, s:i, s:i, s:i, s:s, s:s}", "iommu",
		key->iommu, "kernel", key->kernel, "emulated", key->emulated, "hwpt", kinds[kind],
		"traffic", shunt_evidence_traffic_name(traffic), "switches", 0, "faulted", 0,
		"unknown", 0, "first", today, "last", today);

	if (!entry || json_array_append_new(json_object_get(root, "entries"), entry))
		return NULL;
	return entry;
}

static int add_count(json_t *entry, const char *name, uint64_t more)
{
	json_int_t sum = (json_int_t)count_of(entry, name) + (json_int_t)more;

	return json_object_set_new(entry, name, json_integer(sum));
}

static int put(json_t *root, const struct shunt_evidence *seen, enum shunt_hwpt_kind kind,
	enum shunt_evidence_traffic traffic, const char *today)
{
	const struct shunt_evidence_seen *more = &seen->seen[kind][traffic];
	json_t *entry = find(root, seen, kind, traffic);

	if (!entry)
		entry = make(root, seen, kind, traffic, today);
	if (!entry || add_count(entry, "switches", more->switches) ||
		add_count(entry, "faulted", more->faulted) ||
		add_count(entry, "unknown", more->unknown) ||
		json_object_set_new(entry, "last", json_string(today)))
		return shunt_fail(-ENOMEM, "evidence: out of memory");
	return 0;
}

static int put_all(json_t *root, const struct shunt_evidence *seen, const char *today)
{
	int ret = 0;

	for (unsigned int kind = 0; kind < SHUNT_HWPT_KINDS; kind++)
		for (unsigned int i = 0; i < SHUNT_EVIDENCE_TRAFFICS && !ret; i++)
			if (seen->seen[kind][i].switches)
				ret = put(root, seen, (enum shunt_hwpt_kind)kind,
					(enum shunt_evidence_traffic)i, today);
	return ret;
}

static int store(const char *path, const json_t *root)
{
	struct shunt_output output;
	int ret = shunt_output_open(&output, path);

	if (!ret) {
		if (json_dumpf(root, output.file, JSON_INDENT(2)) ||
			fputc('\n', output.file) == EOF)
			ret = shunt_fail(-EIO, "%s", path);
		ret = shunt_output_close(&output, ret);
	}
	return ret ? shunt_fail_while(ret, "evidence: cannot write") : 0;
}

int shunt_evidence_path(char *path, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int used;

	if (geteuid() == 0)
		used = snprintf(path, size, "%s/%s", SYSTEM_FOLDER, SHUNT_EVIDENCE_FILE);
	else if (state && state[0] == '/')
		used = snprintf(path, size, "%s/shunt/%s", state, SHUNT_EVIDENCE_FILE);
	else if (home && home[0] == '/')
		used = snprintf(path, size, "%s/.local/state/shunt/%s", home, SHUNT_EVIDENCE_FILE);
	else
		return shunt_fail(-ENOENT, "evidence: no home folder: set HOME or XDG_STATE_HOME");
	return (size_t)used < size ? 0 : shunt_fail_errno(-ENAMETOOLONG, "evidence");
}

int shunt_evidence_read(
	const char *path, const struct shunt_platform_info *info, struct shunt_evidence *evidence)
{
	json_t *root = NULL;
	int ret;

	shunt_evidence_init(info, evidence);
	ret = load(path, &root);
	if (ret)
		return ret;
	take_all(root, evidence);
	json_decref(root);
	return 0;
}

static int cannot_write(int err, const char *what)
{
	return shunt_fail_errno(err, "evidence: cannot write %s", what);
}

static int make_folder_of(const char *file)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s", file) >= (int)sizeof(path))
		return cannot_write(-ENAMETOOLONG, file);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			return cannot_write(-errno, path);
		*slash = '/';
	}
	return 0;
}

/* Not of the file itself, which is another one after each rename. @return to be closed; -errno */
static int lock_file(const char *file)
{
	const struct timespec nap = { .tv_nsec = LOCK_NAP * 1000000 };
	char path[PATH_MAX];
	int fd, ret;

	ret = make_folder_of(file);
	if (ret)
		return ret;
	if (snprintf(path, sizeof(path), "%s.lock", file) >= (int)sizeof(path))
		return cannot_write(-ENAMETOOLONG, file);
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return cannot_write(-errno, path);
	for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB); waited += LOCK_NAP) {
		if (errno == EWOULDBLOCK && waited < LOCK_MS) {
			nanosleep(&nap, NULL);
			continue;
		}
		ret = errno != EWOULDBLOCK
			      ? shunt_fail_errno(-errno, "evidence: lock of %s", path)
			      : shunt_fail(-EBUSY,
					"evidence: another process has held %s for %d seconds: "
					"wait for it to end, or end it",
					path, LOCK_MS / 1000);
		close(fd);
		return ret;
	}
	return fd;
}

/* The new file is made in the folder of the old one. */
static int check_folder(const char *file)
{
	const char *slash = strrchr(file, '/');
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.*s", slash ? (int)(slash - file + 1) : 1,
		slash ? file : ".");
	return access(path, W_OK | X_OK) ? cannot_write(-errno, path) : 0;
}

int shunt_evidence_writable(const char *path)
{
	int lock = lock_file(path), ret;

	if (lock < 0)
		return lock;
	ret = check_folder(path);
	close(lock);
	return ret;
}

static int add_locked(const char *path, const struct shunt_evidence *seen)
{
	time_t now = time(NULL);
	struct tm date;
	char today[12];
	json_t *root = NULL;
	int ret;

	gmtime_r(&now, &date);
	strftime(today, sizeof(today), "%Y-%m-%d", &date);
	ret = load(path, &root);
	if (ret)
		return ret;
	ret = put_all(root, seen, today);
	if (!ret)
		ret = store(path, root);
	json_decref(root);
	return ret;
}

int shunt_evidence_add(const char *path, const struct shunt_evidence *seen)
{
	uint64_t switches = 0;
	int lock, ret;

	for (unsigned int kind = 0; kind < SHUNT_HWPT_KINDS; kind++)
		switches += shunt_evidence_sum(seen, (enum shunt_hwpt_kind)kind).switches;
	if (!switches)
		return 0;
	lock = lock_file(path);
	if (lock < 0)
		return lock;
	ret = add_locked(path, seen);
	close(lock);
	return ret;
}
