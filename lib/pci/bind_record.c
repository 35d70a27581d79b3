/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <shunt/error.h>

#include "bind.h"

#define SCHEMA   "shunt.bind/2"
#define SUFFIX   ".bind"
#define SUFFIX_1 ".json" /* what shunt.bind/1 had */
#define NONE     "-"
#define LOCK_MS  10000
#define LOCK_NAP 10

static int cannot_write(int err, const char *what)
{
	return shunt_fail_errno(err, "records of bindings: cannot write %s%s", what,
		err == -EACCES || err == -EPERM ? " (run it as root)" : "");
}

static int make_folder(const char *folder)
{
	char path[PATH_MAX];
	int ret = pci_path(path, "%s", folder);

	if (ret)
		return ret;
	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			return cannot_write(-errno, path);
		if (!slash)
			return 0;
		*slash = '/';
	}
}

int pci_records_lock(const struct shunt_pci_machine *machine, bool make, int *lock)
{
	const struct timespec nap = { .tv_nsec = LOCK_NAP * 1000000 };
	const char *folder = pci_machine_records(machine);
	int fd, ret;

	if (make) {
		ret = make_folder(folder);
		if (ret)
			return ret;
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return shunt_fail_errno(-errno, "records of bindings: open %s", folder);
	if (access(folder, W_OK)) {
		ret = cannot_write(-errno, folder);
		goto fail;
	}
	for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB); waited += LOCK_NAP) {
		if (errno == EWOULDBLOCK && waited < LOCK_MS) {
			nanosleep(&nap, NULL);
			continue;
		}
		ret = errno != EWOULDBLOCK
			      ? shunt_fail_errno(-errno, "records of bindings: lock of %s", folder)
			      : shunt_fail(-EBUSY,
					"another process has been binding for %d seconds (lock of "
					"%s): wait for it to end, or end it",
					LOCK_MS / 1000, folder);
		goto fail;
	}
	*lock = fd;
	return 0;

fail:
	close(fd);
	return ret;
}

static int damaged(const char *path, const char *what)
{
	return shunt_fail(-EIO,
		"record %s is damaged (%s): remove it, and put its functions back by hand as "
		"'shunt unbind' of one of them then says",
		path, what);
}

static void take_none(char *text)
{
	if (strcmp(text, NONE) == 0)
		text[0] = '\0';
}

#define FUNCTION "%15[^ \n/] %31[^ \n/] %63[^ \n/]" /* as struct pci_saved */

static int read_functions(const char *path, FILE *file, struct pci_record *record)
{
	struct pci_saved saved;
	char group[10];
	int ret = 0, end = 0, words = 0;

	if (fscanf(file, SCHEMA "%n", &end) != 0 || !end)
		return damaged(path, "no schema " SCHEMA);
	if (fscanf(file, " group %9[0-9] ", group) != 1)
		return damaged(path, "group missing");
	record->group = (int)strtol(group, NULL, 10);
	while (!ret && (words = fscanf(file, FUNCTION " ", saved.address, saved.driver,
				saved.override)) == 3) {
		take_none(saved.driver);
		take_none(saved.override);
		ret = pci_record_add(record, &saved);
	}
	if (!ret && (words != EOF || !record->count))
		return damaged(path, "a function's address, driver or driver_override");
	return ret;
}

static bool ends_with(const char *file, const char *suffix)
{
	size_t length = strlen(file), end = strlen(suffix);

	return length > end && strcmp(file + length - end, suffix) == 0;
}

static int read_record(const char *folder, const char *name, struct pci_record *record)
{
	char path[PATH_MAX];
	FILE *file;
	int ret = pci_path(path, "%s/%s", folder, name);

	memset(record, 0, sizeof(*record));
	if (ret)
		return ret;
	if (ends_with(name, SUFFIX_1))
		return damaged(path, "an older version wrote it");
	memcpy(record->file, name, strlen(name) + 1);
	file = fopen(path, "re");
	if (!file)
		return shunt_fail_errno(-errno, "records of bindings: %s", path);
	ret = read_functions(path, file, record);
	fclose(file);
	if (ret)
		pci_record_free(record);
	return ret;
}

static int is_record(const struct dirent *entry)
{
	const char *file = entry->d_name;

	return file[0] != '.' && strlen(file) < sizeof(((struct pci_record *)0)->file) &&
	       (ends_with(file, SUFFIX) || ends_with(file, SUFFIX_1));
}

int pci_records_read(const struct shunt_pci_machine *machine, struct pci_records *records)
{
	const char *folder = pci_machine_records(machine);
	struct dirent **entries;
	int ret = 0, count = scandir(folder, &entries, is_record, alphasort);

	*records = (struct pci_records){ 0 };
	if (count < 0)
		return errno == ENOENT
			       ? 0
			       : shunt_fail_errno(-errno, "records of bindings: %s", folder);
	records->records = calloc((size_t)count + 1, sizeof(*records->records));
	if (!records->records)
		ret = shunt_fail(-ENOMEM, "records of bindings: out of memory");
	for (int i = 0; i < count; i++) {
		if (!ret)
			ret = read_record(
				folder, entries[i]->d_name, &records->records[records->count]);
		if (!ret)
			records->count++;
		free(entries[i]);
	}
	free(entries);
	if (ret)
		pci_records_free(records);
	return ret;
}

void pci_records_free(struct pci_records *records)
{
	for (size_t i = 0; i < records->count; i++)
		pci_record_free(&records->records[i]);
	free(records->records);
	memset(records, 0, sizeof(*records));
}

struct pci_record *pci_records_find(const struct pci_records *records, const char *address)
{
	for (size_t i = 0; i < records->count; i++)
		if (pci_record_find(&records->records[i], address))
			return &records->records[i];
	return NULL;
}

struct pci_saved *pci_record_find(const struct pci_record *record, const char *address)
{
	for (size_t i = 0; i < record->count; i++)
		if (strcmp(record->functions[i].address, address) == 0)
			return &record->functions[i];
	return NULL;
}

int pci_record_add(struct pci_record *record, const struct pci_saved *saved)
{
	struct pci_saved *place = pci_record_find(record, saved->address);

	if (!place) {
		place = reallocarray(record->functions, record->count + 1, sizeof(*place));
		if (!place)
			return shunt_fail(-ENOMEM, "records of bindings: out of memory");
		record->functions = place;
		place += record->count++;
	}
	*place = *saved;
	return 0;
}

int pci_record_copy(const struct pci_record *record, struct pci_record *copy)
{
	*copy = *record;
	copy->functions = NULL;
	copy->count = 0;
	for (size_t i = 0; i < record->count; i++) {
		if (pci_record_add(copy, &record->functions[i])) {
			pci_record_free(copy);
			return -ENOMEM;
		}
	}
	return 0;
}

void pci_record_free(struct pci_record *record)
{
	free(record->functions);
	record->functions = NULL;
	record->count = 0;
}

static int dump(const struct pci_record *record, const char *path)
{
	FILE *file = fopen(path, "we");
	bool whole;

	if (!file)
		return cannot_write(-errno, path);
	whole = fprintf(file, SCHEMA "\ngroup %d\n", record->group) > 0;
	for (size_t i = 0; i < record->count && whole; i++) {
		const struct pci_saved *saved = &record->functions[i];

		whole = fprintf(file, "%s %s %s\n", saved->address,
				saved->driver[0] ? saved->driver : NONE,
				saved->override[0] ? saved->override : NONE) > 0;
	}
	if (fclose(file) || !whole)
		return cannot_write(errno ? -errno : -EIO, path);
	return 0;
}

int pci_record_write(const struct shunt_pci_machine *machine, const struct pci_record *record)
{
	const char *folder = pci_machine_records(machine);
	char path[PATH_MAX], fresh[PATH_MAX];
	int ret = pci_path(path, "%s/%s", folder, record->file);

	if (!ret)
		ret = pci_path(fresh, "%s/.%s.new", folder, record->file);
	if (ret)
		return ret;
	ret = dump(record, fresh);
	if (!ret && rename(fresh, path))
		ret = cannot_write(-errno, path);
	if (ret)
		unlink(fresh);
	return ret;
}

int pci_record_remove(const struct shunt_pci_machine *machine, const struct pci_record *record)
{
	char path[PATH_MAX];
	int ret = pci_path(path, "%s/%s", pci_machine_records(machine), record->file);

	if (!ret && unlink(path) && errno != ENOENT)
		ret = cannot_write(-errno, path);
	return ret;
}
