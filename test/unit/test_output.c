/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files that are written for a user: what is there is kept until the new one is whole, links are
 * followed, and what is no regular file stays what it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <shunt/error.h>

#include "shunt_output.h"

#define NOBODY 65534

static char folder[64];

static int make_folder(void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/shunt-output-XXXXXX");
	assert_non_null(mkdtemp(folder));
	return chdir(folder);
}

static int drop_folder(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return chdir("/") || system(command); /* NOLINT(cert-env33-c) a name of our own */
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void assert_text(const char *path, const char *text)
{
	char found[64] = "";
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	found[fread(found, 1, sizeof(found) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(found, text);
}

static int write_to(const char *path, const char *text)
{
	struct shunt_output output;
	int ret = shunt_output_open(&output, path);

	if (ret)
		return ret;
	assert_true(fputs(text, output.file) >= 0);
	return shunt_output_close(&output, 0);
}

/* Names in the folder, "." and ".." not counted. */
static void assert_names(unsigned int count)
{
	char command[128];

	snprintf(command, sizeof(command), "test $(ls -A '%s' | wc -l) = %u", folder, count);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) a name of our own */
}

static void test_free_name(void **state)
{
	mode_t before = umask(027);
	struct stat made;

	assert_int_equal(write_to("new", "one"), 0);
	umask(before);
	assert_text("new", "one");
	assert_int_equal(stat("new", &made), 0);
	assert_int_equal(made.st_mode & 07777, 0640);
	assert_names(1);
}

/* A process that has the old one open keeps it whole. */
static void test_regular_file_is_replaced(void **state)
{
	struct stat before, after;

	put("file", "a longer text that was there");
	assert_int_equal(chmod("file", 0604), 0);
	if (geteuid() == 0)
		assert_int_equal(chown("file", NOBODY, NOBODY), 0);
	assert_int_equal(stat("file", &before), 0);
	assert_int_equal(write_to("file", "new"), 0);
	assert_text("file", "new");
	assert_int_equal(stat("file", &after), 0);
	assert_true(before.st_ino != after.st_ino);
	assert_int_equal(before.st_mode, after.st_mode);
	assert_int_equal(before.st_uid, after.st_uid);
	assert_int_equal(before.st_gid, after.st_gid);
	assert_names(1);
}

static void test_links_are_followed(void **state)
{
	struct stat link;

	assert_int_equal(mkdir("other", 0755), 0);
	put("other/file", "old");
	assert_int_equal(symlink("other/file", "near"), 0);
	assert_int_equal(symlink("near", "far"), 0);
	assert_int_equal(symlink("other/free", "dangling"), 0);
	assert_int_equal(write_to("far", "new"), 0);
	assert_int_equal(write_to("dangling", "made"), 0);
	assert_text("other/file", "new");
	assert_text("other/free", "made");
	assert_int_equal(lstat("far", &link), 0);
	assert_true(S_ISLNK(link.st_mode));
	assert_int_equal(lstat("dangling", &link), 0);
	assert_true(S_ISLNK(link.st_mode));
	assert_int_equal(symlink("round", "round"), 0);
	assert_int_equal(write_to("round", "never"), -ELOOP);
}

static void test_fifo_stays(void **state)
{
	struct stat fifo;
	char text[8] = "";
	int reader;

	assert_int_equal(mkfifo("fifo", 0600), 0);
	reader = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(reader >= 0);
	assert_int_equal(write_to("fifo", "piped"), 0);
	assert_int_equal(read(reader, text, sizeof(text)), 5);
	assert_string_equal(text, "piped");
	close(reader);
	assert_int_equal(stat("fifo", &fifo), 0);
	assert_true(S_ISFIFO(fifo.st_mode));
	assert_names(1);
}

static void append(const char *path, const char *text)
{
	int fd = shunt_output_append(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void test_append(void **state)
{
	append("file", "one ");
	append("file", "two");
	assert_text("file", "one two");
	assert_int_equal(shunt_output_append("none/file"), -ENOENT);
	assert_non_null(strstr(shunt_errmsg(), "none/file: No such file"));
}

/* Its reader comes late. */
static void test_append_to_fifo(void **state)
{
	int status;
	pid_t child;

	assert_int_equal(mkfifo("fifo", 0600), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char text[8] = "";
		int reader;

		usleep(50000);
		reader = open("fifo", O_RDONLY | O_CLOEXEC);
		_exit(read(reader, text, sizeof(text)) != 5 || strcmp(text, "piped") != 0);
	}
	append("fifo", "piped");
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* As of a shell's >(command), and of what a script has opened. */
static void test_own_descriptor(void **state)
{
	char path[32], text[16] = "";
	int pipes[2], file;

	assert_int_equal(pipe(pipes), 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", pipes[1]);
	assert_int_equal(write_to(path, "piped"), 0);
	assert_int_equal(read(pipes[0], text, sizeof(text)), 5);
	close(pipes[0]);
	close(pipes[1]);
	assert_int_equal(write_to(path, "closed"), -EBADF);

	file = open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(file, "before ", 7), 7);
	snprintf(path, sizeof(path), "/dev/fd/%d", file);
	assert_int_equal(write_to(path, "after"), 0);
	close(file);
	assert_text("file", "before after");
}

static void test_device_stays(void **state)
{
	struct stat before, after;

	assert_int_equal(symlink("/dev/null", "null"), 0);
	assert_int_equal(stat("null", &before), 0);
	assert_int_equal(write_to("null", "gone"), 0);
	assert_int_equal(stat("null", &after), 0);
	assert_true(S_ISCHR(after.st_mode));
	assert_int_equal(before.st_rdev, after.st_rdev);
	assert_int_equal(write_to("/dev/full", "too much"), -ENOSPC);
	assert_non_null(strstr(shunt_errmsg(), "/dev/full: No space left on device"));
}

static void test_refused_before(void **state)
{
	struct shunt_output output;

	assert_int_equal(shunt_output_open(&output, ""), -EINVAL);
	assert_int_equal(shunt_output_open(&output, "."), -EISDIR);
	assert_int_equal(shunt_output_open(&output, "none/"), -EISDIR);
	assert_int_equal(shunt_output_open(&output, "none/file"), -ENOENT);
	assert_non_null(strstr(shunt_errmsg(), "none/file: No such file or directory"));
	assert_names(0);
}

/* An error of the work leaves what is there. */
static void test_failure_keeps_the_old(void **state)
{
	struct shunt_output output;

	put("file", "old");
	assert_int_equal(shunt_output_open(&output, "file"), 0);
	assert_true(fputs("half", output.file) >= 0);
	assert_int_equal(shunt_output_close(&output, -ECANCELED), -ECANCELED);
	assert_text("file", "old");
	assert_names(1);
}

/* In a folder where nothing can be made, and in one where nothing can be renamed over. */
static int as_nobody(void)
{
	struct shunt_output output;

	if (setgid(NOBODY) || setuid(NOBODY))
		return 1;
	if (write_to("mine", "new") || write_to("sticky/mine", "new"))
		return 2;
	if (shunt_output_open(&output, "free") != -EACCES)
		return 3;
	return shunt_output_open(&output, "read-only") == -EACCES ? 0 : 4;
}

static void test_rights(void **state)
{
	int status;
	pid_t child;

	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(".", 0755), 0);
	assert_int_equal(mkdir("sticky", 0755), 0);
	assert_int_equal(chmod("sticky", 01777), 0);
	put("mine", "a longer text that was there");
	put("sticky/mine", "old");
	put("read-only", "old");
	assert_int_equal(chmod("mine", 0666), 0);
	assert_int_equal(chmod("sticky/mine", 0666), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(as_nobody());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_text("mine", "new");
	assert_text("sticky/mine", "new");
	assert_text("read-only", "old");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)
		TEST(test_free_name),
		TEST(test_regular_file_is_replaced),
		TEST(test_links_are_followed),
		TEST(test_fifo_stays),
		TEST(test_append),
		TEST(test_append_to_fifo),
		TEST(test_own_descriptor),
		TEST(test_device_stays),
		TEST(test_refused_before),
		TEST(test_failure_keeps_the_old),
		TEST(test_rights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
