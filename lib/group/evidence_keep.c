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

#include "evidence_file.h"
#include "shunt_error.h"

#define SYSTEM_FOLDER "/var/lib/shunt"
#define LOCK_MS       10000
#define LOCK_NAP      10

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
	json_t *root;
	int ret;

	shunt_evidence_init(info, evidence);
	ret = evidence_load(path, &root);
	if (ret)
		return ret;
	evidence_take(root, evidence);
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
	json_t *root;
	int ret;

	gmtime_r(&now, &date);
	strftime(today, sizeof(today), "%Y-%m-%d", &date);
	ret = evidence_load(path, &root);
	if (ret)
		return ret;
	for (unsigned int kind = 0; kind < SHUNT_HWPT_KINDS && !ret; kind++)
		if (seen->seen[kind].switches)
			ret = evidence_put(root, seen, (enum shunt_hwpt_kind)kind, today);
	if (!ret)
		ret = evidence_store(path, root);
	json_decref(root);
	return ret;
}

int shunt_evidence_add(const char *path, const struct shunt_evidence *seen)
{
	uint64_t switches = 0;
	int lock, ret;

	for (unsigned int kind = 0; kind < SHUNT_HWPT_KINDS; kind++)
		switches += seen->seen[kind].switches;
	if (!switches)
		return 0;
	lock = lock_file(path);
	if (lock < 0)
		return lock;
	ret = add_locked(path, seen);
	close(lock);
	return ret;
}
