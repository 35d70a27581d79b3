/* SPDX-License-Identifier: BSD-3-Clause */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <shunt/error.h>

#include "run.h"

#define EAL "librte_eal.so."

static int find_program(const char *name, char path[PATH_MAX])
{
	const char *folders = getenv("PATH");

	if (strchr(name, '/')) {
		snprintf(path, PATH_MAX, "%s", name);
		return access(path, X_OK) ? shunt_fail_errno(-errno, "%s", path) : 0;
	}
	for (const char *at = folders ? folders : "/usr/bin:/bin"; *at;) {
		size_t length = strcspn(at, ":");

		snprintf(path, PATH_MAX, "%.*s/%s", (int)length, at, name);
		if (length && !access(path, X_OK))
			return 0;
		at += length + (at[length] == ':');
	}
	return shunt_fail(-ENOENT, "%s: no such program in PATH", name);
}

static bool has_interpreter(int fd, const ElfW(Ehdr) * header)
{
	ElfW(Phdr) program;

	for (unsigned int i = 0; i < header->e_phnum; i++) {
		off_t at = (off_t)(header->e_phoff + i * sizeof(program));

		if (pread(fd, &program, sizeof(program), at) != sizeof(program))
			return false;
		if (program.p_type == PT_INTERP)
			return true;
	}
	return false;
}

/* The dynamic linker preloads only into dynamic programs, and not into those with more privileges
 * than their user. */
static int check_file(const char *path, int fd)
{
	ElfW(Ehdr) header;
	struct stat status;
	ssize_t got = pread(fd, &header, sizeof(header), 0);

	if (got < 0 || fstat(fd, &status))
		return shunt_fail_errno(-errno, "%s", path);
	if (got >= 2 && memcmp(&header, "#!", 2) == 0)
		return shunt_fail(-ENOEXEC,
			"%s is a script: put `shunt run` into it, before the application", path);
	if (got != sizeof(header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
		header.e_phentsize != sizeof(ElfW(Phdr)))
		return shunt_fail(-ENOEXEC, "%s is not a program for this machine", path);
	if (!has_interpreter(fd, &header))
		return shunt_fail(-ENOEXEC,
			"%s is statically linked, so nothing can be preloaded into it: link it "
			"with DPDK's shared libraries",
			path);
	if ((status.st_mode & (S_ISUID | S_ISGID)) ||
		fgetxattr(fd, "security.capability", NULL, 0) > 0)
		return shunt_fail(-ENOEXEC,
			"%s has more privileges than its user, so nothing is preloaded into it: "
			"start a copy without set-user-ID and capabilities",
			path);
	return 0;
}

/* Like ldd: the dynamic linker prints what it would load, and exits. */
static int list_libraries(const char *path, int out)
{
	char *const arguments[] = { (char *)(uintptr_t)path, NULL };

	if (dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0 ||
		setenv("LD_TRACE_LOADED_OBJECTS", "1", 1))
		return -1;
	return execv(path, arguments);
}

struct libraries {
	char eals[2][32]; /* by file name */
	unsigned int eal_count;
	char missing[128];
};

static void take_line(char *line, struct libraries *libraries)
{
	const char *name = line + strspn(line, "\t ");
	size_t length = strcspn(name, " \n");

	if (strstr(name, "=> not found") && !libraries->missing[0])
		snprintf(libraries->missing, sizeof(libraries->missing), "%.*s", (int)length, name);
	if (strncmp(name, EAL, strlen(EAL)) == 0 && libraries->eal_count < 2)
		snprintf(libraries->eals[libraries->eal_count++], sizeof(libraries->eals[0]),
			"%.*s", (int)length, name);
}

static int read_libraries(const char *path, struct libraries *libraries)
{
	int ends[2], status;
	char *line = NULL;
	size_t room = 0;
	FILE *file;
	pid_t pid;

	*libraries = (struct libraries){ 0 };
	if (pipe2(ends, O_CLOEXEC))
		return shunt_fail_errno(-errno, "pipe");
	pid = fork();
	if (pid == 0)
		_exit(list_libraries(path, ends[1]) ? 1 : 0);
	close(ends[1]);
	file = fdopen(ends[0], "r");
	while (file && getline(&line, &room, file) > 0)
		take_line(line, libraries);
	free(line);
	if (file)
		fclose(file);
	else
		close(ends[0]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return shunt_fail_errno(-errno, "asking the dynamic linker about %s", path);
	return 0;
}

/* Compares the application's libraries without and with ours: ours may add another release. */
static int check_libraries(const char *path, const char *library)
{
	struct libraries own, both;
	const char *preload = getenv("LD_PRELOAD");
	char *list = strdup(preload ? preload : "");
	int ret;

	if (!list)
		return shunt_fail(-ENOMEM, "out of memory");
	unsetenv("LD_PRELOAD");
	ret = read_libraries(path, &own);
	setenv("LD_PRELOAD", list, 1);
	free(list);
	if (!ret)
		ret = read_libraries(path, &both);
	if (ret)
		return ret;
	if (both.missing[0])
		return shunt_fail(
			-ENOTSUP, "%s: the dynamic linker does not find %s", path, both.missing);
	if (!own.eal_count)
		return shunt_fail(-ENOTSUP,
			"%s does not use DPDK's shared libraries (" EAL
			"N): it is no DPDK application, or is linked with static ones; link it "
			"with the shared libraries",
			path);
	if (both.eal_count > 1)
		return shunt_fail(-ENOTSUP,
			"%s uses another DPDK release than %s was built for (%s and %s): build "
			"shunt for that release",
			path, library, own.eals[0],
			strcmp(own.eals[0], both.eals[0]) == 0 ? both.eals[1] : both.eals[0]);
	return 0;
}

int run_check_program(const char *name, const char *library, char path[PATH_MAX])
{
	int ret = find_program(name, path);
	int fd;

	if (ret)
		return ret;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return shunt_fail_errno(-errno, "%s", path);
	ret = check_file(path, fd);
	close(fd);
	return ret ? ret : check_libraries(path, library);
}
