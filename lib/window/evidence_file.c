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
		"evidence %s is broken (%s): repair it, or remove it and gather the evidence again",
		path, what);
}

/* An entry, taken apart; its texts are the JSON's. */
struct entry {
	const char *iommu, *kernel, *first, *last;
	int emulated;
	unsigned int kind;    /* SHUNT_HWPT_KINDS: none of them */
	unsigned int traffic; /* SHUNT_EVIDENCE_TRAFFICS: none of them */
	json_int_t switches, faulted, unknown;
};

/* @return whether the entry has every member, and of the right type */
static bool take_apart(json_t *json, struct entry *entry)
{
	const char *hwpt, *traffic;

	if (json_unpack(json, "{s:s, s:s, s:b, s:s, s:s, s:I, s:I, s:I, s:s, s:s}", "iommu",
		    &entry->iommu, "kernel", &entry->kernel, "emulated", &entry->emulated, "hwpt",
		    &hwpt, "traffic", &traffic, "switches", &entry->switches, "faulted",
		    &entry->faulted, "unknown", &entry->unknown, "first", &entry->first, "last",
		    &entry->last))
		return false;
	for (entry->kind = 0; entry->kind < SHUNT_HWPT_KINDS; entry->kind++)
		if (strcmp(kinds[entry->kind], hwpt) == 0)
			break;
	for (entry->traffic = 0; entry->traffic < SHUNT_EVIDENCE_TRAFFICS; entry->traffic++)
		if (strcmp(shunt_evidence_traffic_name(entry->traffic), traffic) == 0)
			break;
	return true;
}

static bool sound(json_t *json)
{
	struct entry entry;

	return take_apart(json, &entry) && entry.iommu[0] && entry.first[0] && entry.last[0] &&
	       entry.kind < SHUNT_HWPT_KINDS && entry.traffic < SHUNT_EVIDENCE_TRAFFICS &&
	       entry.faulted >= 0 && entry.unknown >= 0 && entry.faulted <= entry.switches &&
	       entry.unknown <= entry.switches - entry.faulted;
}

/* @return whether it is the schema of a file */
static bool has_schema(const json_t *root, const char *schema)
{
	const char *text = json_string_value(json_object_get(root, "schema"));

	return text && strcmp(text, schema) == 0;
}

/* What a file of the schema before was gathered under. */
static int name_traffics(json_t *root)
{
	const char *dense = shunt_evidence_traffic_name(SHUNT_EVIDENCE_DENSE);
	json_t *entries = json_object_get(root, "entries"), *entry;
	size_t i;

	if (!has_schema(root, SCHEMA_DENSE))
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

	if (!has_schema(root, SCHEMA))
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

/* @param[out] entry  the same, taken apart */
static json_t *find(const json_t *root, const struct shunt_evidence *key, unsigned int kind,
	unsigned int traffic, struct entry *entry)
{
	json_t *entries = json_object_get(root, "entries"), *json;
	size_t i;

	json_array_foreach (entries, i, json)
		if (take_apart(json, entry) && entry->kind == kind && entry->traffic == traffic &&
			strcmp(entry->iommu, key->iommu) == 0 &&
			strcmp(entry->kernel, key->kernel) == 0 && entry->emulated == key->emulated)
			return json;
	return NULL;
}

static void take(const struct entry *entry, struct shunt_evidence_seen *seen)
{
	seen->switches = (uint64_t)entry->switches;
	seen->faulted = (uint64_t)entry->faulted;
	seen->unknown = (uint64_t)entry->unknown;
	snprintf(seen->first, sizeof(seen->first), "%s", entry->first);
	snprintf(seen->last, sizeof(seen->last), "%s", entry->last);
}

static void take_all(json_t *root, struct shunt_evidence *evidence)
{
	struct entry entry;

	for (unsigned int kind = 0; kind < SHUNT_HWPT_KINDS; kind++)
		for (unsigned int i = 0; i < SHUNT_EVIDENCE_TRAFFICS; i++)
			if (find(root, evidence, kind, i, &entry))
				take(&entry, &evidence->seen[kind][i]);
}

/* Adds to the entry of its key, or appends one. */
static int put(json_t *root, const struct shunt_evidence *seen, unsigned int kind,
	unsigned int traffic, const char *today)
{
	const struct shunt_evidence_seen *more = &seen->seen[kind][traffic];
	struct entry old;
	json_t *entry = find(root, seen, kind, traffic, &old), *sum;
	int ret;

	if (!entry)
		old = (struct entry){ .first = today };
	sum = json_pack("{s:s, s:s, s:b, s:s, s:s, s:I, s:I, s:I, s:s, s:s}", "iommu", seen->iommu,
		"kernel", seen->kernel, "emulated", seen->emulated, "hwpt", kinds[kind], "traffic",
		shunt_evidence_traffic_name(traffic), "switches",
		old.switches + (json_int_t)more->switches, "faulted",
		old.faulted + (json_int_t)more->faulted, "unknown",
		old.unknown + (json_int_t)more->unknown, "first", old.first, "last", today);
	if (!sum)
		return shunt_fail(-ENOMEM, "evidence: out of memory");
	if (entry)
		ret = json_object_update_new(entry, sum);
	else
		ret = json_array_append_new(json_object_get(root, "entries"), sum);
	return ret ? shunt_fail(-ENOMEM, "evidence: out of memory") : 0;
}

static int put_all(json_t *root, const struct shunt_evidence *seen, const char *today)
{
	int ret = 0;

	for (unsigned int kind = 0; kind < SHUNT_HWPT_KINDS; kind++)
		for (unsigned int i = 0; i < SHUNT_EVIDENCE_TRAFFICS && !ret; i++)
			if (seen->seen[kind][i].switches)
				ret = put(root, seen, kind, i, today);
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
