/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The evidence of replace: when it counts as hitless, what it says, and its file, which several
 * processes may write and people may break.
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
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <shunt/error.h>
#include <shunt/evidence.h>

#define NOBODY 65534

static const struct shunt_platform_info vtd = { .iommu = "intel-iommu legacy",
	.kernel = "6.12.95" };

static char folder[64], file[96];

static int make_folder(void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/shunt-evidence-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/evidence.json", folder);
	return 0;
}

static int drop_folder(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command); /* NOLINT(cert-env33-c) a name of our own */
}

static struct shunt_evidence seen(uint64_t switches, uint64_t faulted, uint64_t unknown)
{
	struct shunt_evidence evidence;

	shunt_evidence_init(&vtd, &evidence);
	evidence.seen[SHUNT_HWPT_EXPLICIT][SHUNT_EVIDENCE_DENSE].switches = switches;
	evidence.seen[SHUNT_HWPT_EXPLICIT][SHUNT_EVIDENCE_DENSE].faulted = faulted;
	evidence.seen[SHUNT_HWPT_EXPLICIT][SHUNT_EVIDENCE_DENSE].unknown = unknown;
	return evidence;
}

static void add(const struct shunt_evidence *evidence)
{
	assert_int_equal(shunt_evidence_add(file, evidence), 0);
}

static struct shunt_evidence_seen in_file_of(const struct shunt_platform_info *info,
	enum shunt_hwpt_kind kind, enum shunt_evidence_traffic traffic)
{
	struct shunt_evidence evidence;

	assert_int_equal(shunt_evidence_read(file, info, &evidence), 0);
	return evidence.seen[kind][traffic];
}

static struct shunt_evidence_seen in_file(
	const struct shunt_platform_info *info, enum shunt_hwpt_kind kind)
{
	return in_file_of(info, kind, SHUNT_EVIDENCE_DENSE);
}

static void assert_counts(const struct shunt_evidence_seen *counts, uint64_t switches,
	uint64_t faulted, uint64_t unknown)
{
	assert_int_equal(counts->switches, switches);
	assert_int_equal(counts->faulted, faulted);
	assert_int_equal(counts->unknown, unknown);
}

static void write_file(const char *text)
{
	FILE *stream = fopen(file, "we");

	assert_non_null(stream);
	fputs(text, stream);
	fclose(stream);
}

static bool hitless(uint64_t switches, uint64_t faulted, uint64_t unknown)
{
	const struct shunt_evidence evidence = seen(switches, faulted, unknown);

	return shunt_evidence_hitless(&evidence.seen[SHUNT_HWPT_EXPLICIT][SHUNT_EVIDENCE_DENSE]);
}

static void hitless_from_enough_switches_on(void **state)
{
	assert_false(hitless(0, 0, 0));
	assert_false(hitless(SHUNT_EVIDENCE_ENOUGH - 1, 0, 0));
	assert_true(hitless(SHUNT_EVIDENCE_ENOUGH, 0, 0));
	assert_true(hitless(UINT64_MAX, 0, 0));
}

static void one_fault_or_unknown_is_enough(void **state)
{
	assert_false(hitless(SHUNT_EVIDENCE_ENOUGH + 1, 1, 0));
	assert_false(hitless(SHUNT_EVIDENCE_ENOUGH + 1, 0, 1));
	assert_false(hitless(1000000000, 1, 0));
	assert_false(hitless(1000000000, 0, 1));
}

/* What was seen under one kind of traffic says nothing of another. */
static void allowed_by_dense_and_by_cold_traffic(void **state)
{
	struct shunt_evidence evidence = seen(SHUNT_EVIDENCE_ENOUGH, 0, 0);
	struct shunt_evidence_seen *kinds = evidence.seen[SHUNT_HWPT_EXPLICIT];
	struct shunt_evidence_seen sum;

	assert_false(shunt_evidence_allows(&evidence, SHUNT_HWPT_EXPLICIT));
	kinds[SHUNT_EVIDENCE_COLD].switches = SHUNT_EVIDENCE_ENOUGH - 1;
	assert_false(shunt_evidence_allows(&evidence, SHUNT_HWPT_EXPLICIT));
	kinds[SHUNT_EVIDENCE_COLD].switches++;
	assert_true(shunt_evidence_allows(&evidence, SHUNT_HWPT_EXPLICIT));
	assert_false(shunt_evidence_allows(&evidence, SHUNT_HWPT_AUTOMATIC));
	kinds[SHUNT_EVIDENCE_COLD].faulted = 1;
	assert_false(shunt_evidence_allows(&evidence, SHUNT_HWPT_EXPLICIT));
	kinds[SHUNT_EVIDENCE_COLD].faulted = 0;
	kinds[SHUNT_EVIDENCE_DENSE].unknown = 1;
	assert_false(shunt_evidence_allows(&evidence, SHUNT_HWPT_EXPLICIT));
	kinds[SHUNT_EVIDENCE_DENSE].unknown = 0;
	kinds[SHUNT_EVIDENCE_OTHER].switches = kinds[SHUNT_EVIDENCE_OTHER].faulted = 2;
	assert_false(shunt_evidence_allows(&evidence, SHUNT_HWPT_EXPLICIT));
	sum = shunt_evidence_sum(&evidence, SHUNT_HWPT_EXPLICIT);
	assert_counts(&sum, 2 * SHUNT_EVIDENCE_ENOUGH + 2, 2, 0);
}

static void says(uint64_t switches, uint64_t faulted, uint64_t unknown, const char *text)
{
	const struct shunt_evidence evidence = seen(switches, faulted, unknown);
	char said[SHUNT_EVIDENCE_TEXT];

	shunt_evidence_say(&evidence, SHUNT_HWPT_EXPLICIT, said);
	assert_string_equal(said, text);
}

static void texts_of_evidence(void **state)
{
	struct shunt_evidence evidence = seen(9, 0, 0);
	char said[SHUNT_EVIDENCE_TEXT];

	says(0, 0, 0,
		"nothing is known of replace on intel-iommu legacy, Linux 6.12.95, explicit hwpts");
	says(4120, 0, 0,
		"4,120 switches under dense traffic without a fault, nothing is known of replace "
		"under cold traffic on intel-iommu legacy, Linux 6.12.95, explicit hwpts");
	says(999, 0, 0,
		"999 switches under dense traffic without a fault are not yet the 3,000 that it "
		"takes, nothing is known of replace under cold traffic on intel-iommu legacy, "
		"Linux 6.12.95, explicit hwpts");
	says(1234567, 12, 1,
		"12 of 1,234,567 replaces faulted under dense traffic on intel-iommu legacy, Linux "
		"6.12.95, explicit hwpts");
	says(4000, 0, 2,
		"fault status unknown for 2 of 4,000 replaces under dense traffic "
		"on intel-iommu legacy, Linux 6.12.95, explicit hwpts");
	shunt_evidence_say(&evidence, SHUNT_HWPT_AUTOMATIC, said);
	assert_non_null(strstr(said, "nothing is known"));
	assert_non_null(strstr(said, "automatic hwpts"));
	/* Of several that speak against it each is named; of one nothing that speaks for it. */
	evidence.seen[SHUNT_HWPT_EXPLICIT][SHUNT_EVIDENCE_COLD] =
		(struct shunt_evidence_seen){ .switches = 50, .faulted = 2 };
	shunt_evidence_say(&evidence, SHUNT_HWPT_EXPLICIT, said);
	assert_string_equal(said,
		"2 of 50 replaces faulted under cold traffic on intel-iommu legacy, Linux 6.12.95, "
		"explicit hwpts");
	evidence.seen[SHUNT_HWPT_EXPLICIT][SHUNT_EVIDENCE_OTHER] =
		(struct shunt_evidence_seen){ .switches = 1, .faulted = 1 };
	shunt_evidence_say(&evidence, SHUNT_HWPT_EXPLICIT, said);
	assert_non_null(strstr(said,
		"2 of 50 replaces faulted under cold traffic, 1 of 1 replaces faulted under other "
		"traffic on intel"));
}

static void a_file_that_is_not_there_knows_nothing(void **state)
{
	const struct shunt_evidence_seen counts = in_file(&vtd, SHUNT_HWPT_EXPLICIT);
	const struct shunt_evidence nothing = seen(0, 0, 0);

	assert_counts(&counts, 0, 0, 0);
	assert_string_equal(counts.first, "");
	add(&nothing);
	assert_int_equal(access(file, F_OK), -1); /* nothing to say, nothing written */
}

static void counts_add_up_under_their_key(void **state)
{
	struct shunt_platform_info other = vtd;
	struct shunt_evidence evidence = seen(1000, 0, 3);
	struct shunt_evidence_seen counts;
	time_t now = time(NULL);
	char today[12];

	strftime(today, sizeof(today), "%Y-%m-%d", gmtime(&now));
	add(&evidence);
	evidence = seen(500, 2, 0);
	evidence.seen[SHUNT_HWPT_AUTOMATIC][SHUNT_EVIDENCE_DENSE].switches = 7;
	add(&evidence);
	counts = in_file(&vtd, SHUNT_HWPT_EXPLICIT);
	assert_counts(&counts, 1500, 2, 3);
	assert_true(strcmp(counts.first, counts.last) <= 0 && strcmp(counts.last, today) >= 0);
	counts = in_file(&vtd, SHUNT_HWPT_AUTOMATIC);
	assert_counts(&counts, 7, 0, 0);
	counts = in_file_of(&vtd, SHUNT_HWPT_EXPLICIT, SHUNT_EVIDENCE_COLD);
	assert_counts(&counts, 0, 0, 0);
	evidence = seen(0, 0, 0);
	evidence.seen[SHUNT_HWPT_EXPLICIT][SHUNT_EVIDENCE_COLD].switches = 40;
	evidence.seen[SHUNT_HWPT_EXPLICIT][SHUNT_EVIDENCE_OTHER].switches = 1;
	evidence.seen[SHUNT_HWPT_EXPLICIT][SHUNT_EVIDENCE_OTHER].faulted = 1;
	add(&evidence);
	counts = in_file(&vtd, SHUNT_HWPT_EXPLICIT);
	assert_counts(&counts, 1500, 2, 3);
	counts = in_file_of(&vtd, SHUNT_HWPT_EXPLICIT, SHUNT_EVIDENCE_COLD);
	assert_counts(&counts, 40, 0, 0);
	counts = in_file_of(&vtd, SHUNT_HWPT_EXPLICIT, SHUNT_EVIDENCE_OTHER);
	assert_counts(&counts, 1, 1, 0);

	other.emulated = true;
	counts = in_file(&other, SHUNT_HWPT_EXPLICIT);
	assert_counts(&counts, 0, 0, 0);
	other = vtd;
	snprintf(other.kernel, sizeof(other.kernel), "6.12.96");
	counts = in_file(&other, SHUNT_HWPT_EXPLICIT);
	assert_counts(&counts, 0, 0, 0);
	other = vtd;
	snprintf(other.iommu, sizeof(other.iommu), "intel-iommu scalable");
	counts = in_file(&other, SHUNT_HWPT_EXPLICIT);
	assert_counts(&counts, 0, 0, 0);
}

#define ENTRY_OF_1                                                                            \
	"{ \"iommu\": \"intel-iommu legacy\", \"kernel\": \"6.12.95\", \"emulated\": false, " \
	"\"hwpt\": \"explicit\", \"first\": \"2020-01-02\", \"last\": \"2020-01-03\", "
#define ENTRY            ENTRY_OF_1 "\"traffic\": \"dense\", "
#define COUNTS           "\"switches\": 5, \"faulted\": 2, \"unknown\": 3 }"
#define SOUND            ENTRY COUNTS
#define FILE_OF(entries) "{ \"schema\": \"shunt.evidence/2\", \"entries\": [ " entries " ] }"

/* It was gathered before traffic was told apart, and is not lost. */
static void a_file_of_the_schema_before_is_of_dense_traffic(void **state)
{
	struct shunt_evidence evidence = seen(1, 0, 0);
	struct shunt_evidence_seen counts;
	char text[2048];
	FILE *stream;

	write_file("{ \"schema\": \"shunt.evidence/1\", \"entries\": [ " ENTRY_OF_1 COUNTS " ] }");
	counts = in_file(&vtd, SHUNT_HWPT_EXPLICIT);
	assert_counts(&counts, 5, 2, 3);
	assert_string_equal(counts.first, "2020-01-02");
	counts = in_file_of(&vtd, SHUNT_HWPT_EXPLICIT, SHUNT_EVIDENCE_COLD);
	assert_counts(&counts, 0, 0, 0);
	evidence.seen[SHUNT_HWPT_EXPLICIT][SHUNT_EVIDENCE_COLD].switches = 9;
	add(&evidence);
	counts = in_file(&vtd, SHUNT_HWPT_EXPLICIT);
	assert_counts(&counts, 6, 2, 3);
	counts = in_file_of(&vtd, SHUNT_HWPT_EXPLICIT, SHUNT_EVIDENCE_COLD);
	assert_counts(&counts, 9, 0, 0);
	stream = fopen(file, "re");
	text[fread(text, 1, sizeof(text) - 1, stream)] = '\0';
	fclose(stream);
	assert_non_null(strstr(text, "shunt.evidence/2"));
}

static void what_else_stands_in_the_file_is_kept(void **state)
{
	const struct shunt_evidence evidence = seen(1, 0, 0);
	struct shunt_evidence_seen counts;
	char text[2048];
	FILE *stream;

	write_file("{ \"schema\": \"shunt.evidence/2\", \"note\": \"ours\", \"entries\": [ " SOUND
		   " ] }");
	add(&evidence);
	counts = in_file(&vtd, SHUNT_HWPT_EXPLICIT);
	assert_counts(&counts, 6, 2, 3);
	assert_string_equal(counts.first, "2020-01-02");
	assert_true(strcmp(counts.last, "2020-01-03") > 0);
	stream = fopen(file, "re");
	text[fread(text, 1, sizeof(text) - 1, stream)] = '\0';
	fclose(stream);
	assert_non_null(strstr(text, "\"note\": \"ours\""));
}

static void a_broken_file_is_reported_and_left_alone(void **state)
{
	static const char *const broken[] = {
		"",
		"{ \"schema\": \"shunt.evidence/1\", \"entries\": [",
		"[]",
		"{ \"schema\": \"shunt.evidence/3\", \"entries\": [] }",
		"{ \"schema\": \"shunt.evidence/1\", \"entries\": 3 }",
		"{ \"schema\": \"shunt.evidence/1\", \"entries\": [ 7 ] }",
		FILE_OF("7"),
		FILE_OF(ENTRY_OF_1 COUNTS),
		FILE_OF(ENTRY_OF_1 "\"traffic\": \"thick\", " COUNTS),
		FILE_OF(ENTRY "\"switches\": 5, \"faulted\": 2 }"),
		FILE_OF(ENTRY "\"switches\": 5, \"faulted\": -2, \"unknown\": 0 }"),
		FILE_OF(ENTRY "\"switches\": 5, \"faulted\": 6, \"unknown\": 0 }"),
		FILE_OF(ENTRY "\"switches\": 5, \"faulted\": 3, \"unknown\": 3 }"),
		FILE_OF(ENTRY "\"switches\": \"5\", \"faulted\": 0, \"unknown\": 0 }"),
		FILE_OF(SOUND ", {}"),
	};
	const struct shunt_evidence more = seen(1, 1, 0);
	struct shunt_evidence evidence;
	struct stat before, after;

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		write_file(broken[i]);
		stat(file, &before);
		assert_int_equal(shunt_evidence_read(file, &vtd, &evidence), -EIO);
		assert_non_null(strstr(shunt_errmsg(), file));
		assert_non_null(strstr(shunt_errmsg(), "remove it"));
		assert_counts(&evidence.seen[SHUNT_HWPT_EXPLICIT][SHUNT_EVIDENCE_DENSE], 0, 0, 0);
		assert_int_equal(shunt_evidence_add(file, &more), -EIO);
		stat(file, &after);
		assert_int_equal(after.st_size, before.st_size);
		assert_int_equal(after.st_ino, before.st_ino);
	}
	write_file(FILE_OF(SOUND));
	assert_int_equal(shunt_evidence_read(file, &vtd, &evidence), 0);
}

static void writers_add_to_each_other(void **state)
{
	enum { WRITERS = 4, TIMES = 25 };
	const struct shunt_evidence evidence = seen(3, 1, 1);
	struct shunt_evidence_seen counts;
	int status;

	for (int writer = 0; writer < WRITERS; writer++) {
		if (fork())
			continue;
		for (int i = 0; i < TIMES; i++)
			if (shunt_evidence_add(file, &evidence))
				_exit(1);
		_exit(0);
	}
	for (int writer = 0; writer < WRITERS; writer++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	counts = in_file(&vtd, SHUNT_HWPT_EXPLICIT);
	assert_counts(&counts, 3 * WRITERS * TIMES, WRITERS * TIMES, WRITERS * TIMES);
}

static void a_writer_waits_for_the_lock(void **state)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	const struct shunt_evidence evidence = seen(1, 0, 0);
	char lock[112];
	int fd, status;
	pid_t child;

	snprintf(lock, sizeof(lock), "%s.lock", file);
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	child = fork();
	if (!child) {
		close(fd); /* the lock is the parent's too */
		_exit(shunt_evidence_add(file, &evidence) != 0);
	}
	nanosleep(&pause, NULL);
	assert_int_equal(access(file, F_OK), -1);
	flock(fd, LOCK_UN);
	close(fd);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(access(file, F_OK), 0);
}

static void folders_that_cannot_be_written_are_named(void **state)
{
	const struct shunt_evidence evidence = seen(1, 0, 0);
	char inside[128], deep[160];

	/* Made as needed */
	snprintf(deep, sizeof(deep), "%s/a/b/evidence.json", folder);
	assert_int_equal(shunt_evidence_writable(deep), 0);
	assert_int_equal(shunt_evidence_add(deep, &evidence), 0);
	assert_int_equal(access(deep, F_OK), 0);

	/* A file where a folder has to be */
	write_file("{}");
	snprintf(inside, sizeof(inside), "%s/evidence.json", file);
	assert_int_equal(shunt_evidence_writable(inside), -ENOTDIR);
	assert_int_equal(shunt_evidence_add(inside, &evidence), -ENOTDIR);
	assert_non_null(strstr(shunt_errmsg(), inside));

	/* Somebody else's folder */
	assert_int_equal(unlink(file), 0);
	assert_int_equal(chmod(folder, 0555), 0);
	if (geteuid() == 0)
		assert_int_equal(seteuid(NOBODY), 0);
	assert_int_equal(shunt_evidence_writable(file), -EACCES);
	assert_non_null(strstr(shunt_errmsg(), folder));
	assert_int_equal(shunt_evidence_add(file, &evidence), -EACCES);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	chmod(folder, 0755);
}

static void the_default_is_the_users_own(void **state)
{
	char path[PATH_MAX];

	setenv("XDG_STATE_HOME", "/state", 1);
	setenv("HOME", "/home/somebody", 1);
	assert_int_equal(shunt_evidence_path(path, sizeof(path)), 0);
	if (geteuid() == 0) {
		assert_string_equal(path, "/var/lib/shunt/evidence.json");
		assert_int_equal(seteuid(NOBODY), 0);
	}
	assert_int_equal(shunt_evidence_path(path, sizeof(path)), 0);
	assert_string_equal(path, "/state/shunt/evidence.json");
	assert_int_equal(shunt_evidence_path(path, 8), -ENAMETOOLONG);
	setenv("XDG_STATE_HOME", "relative", 1); /* not valid by the specification: as if not set */
	assert_int_equal(shunt_evidence_path(path, sizeof(path)), 0);
	assert_string_equal(path, "/home/somebody/.local/state/shunt/evidence.json");
	unsetenv("HOME");
	assert_int_equal(shunt_evidence_path(path, sizeof(path)), -ENOENT);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
}

#define file_test(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hitless_from_enough_switches_on),
		cmocka_unit_test(one_fault_or_unknown_is_enough),
		cmocka_unit_test(allowed_by_dense_and_by_cold_traffic),
		cmocka_unit_test(texts_of_evidence),
		file_test(a_file_that_is_not_there_knows_nothing),
		file_test(counts_add_up_under_their_key),
		file_test(a_file_of_the_schema_before_is_of_dense_traffic),
		file_test(what_else_stands_in_the_file_is_kept),
		file_test(a_broken_file_is_reported_and_left_alone),
		file_test(writers_add_to_each_other),
		file_test(a_writer_waits_for_the_lock),
		file_test(folders_that_cannot_be_written_are_named),
		cmocka_unit_test(the_default_is_the_users_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
