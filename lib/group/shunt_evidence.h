/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_EVIDENCE_H
#define SHUNT_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shunt_platform.h"

/*
 * Evidence: what was seen of the plan replace on this machine, in a file, so that the plan auto
 * takes replace only where it was seen to be hitless.
 *
 *   evidence.json
 *     |- intel-iommu legacy, Linux 6.12.95   explicit hwpts:   12 of 1,000 switches faulted
 *     |                                      automatic hwpts:  nothing
 *     `- sim hitless                         explicit hwpts:   4,120 switches, none faulted
 *
 * What makes a switch behave as it does is the key: the IOMMU with its mode, the kernel, whether
 * they are emulated, and the kind of hwpt. A few switches look hitless where they are not, so
 * replace counts as hitless from SHUNT_EVIDENCE_ENOUGH switches on, all of which met traffic, none
 * of which faulted, and of none of which nobody could tell. By the rule of three (of n trials none
 * failed: the probability of a failure is below 3 / n, at 95 % confidence) a switch then faults
 * with a probability below 0.1 %: under traffic like the one that was seen. One fault settles the
 * matter for good, as long as the file has it.
 *
 * Any thread, any number of processes: a lock beside the file (FILE.lock) orders the writers, and
 * each adds to what is there. The file appears whole or not at all.
 */

#ifdef __cplusplus
extern "C" {
#endif

#define SHUNT_EVIDENCE_ENOUGH 3000 /* switches under traffic: 3 / 3,000 = 0.1 % */
#define SHUNT_EVIDENCE_TEXT   320
#define SHUNT_EVIDENCE_FILE   "evidence.json"

/** What an attach is given. */
enum shunt_hwpt_kind {
	SHUNT_HWPT_EXPLICIT,  /**< a hwpt that was made in advance */
	SHUNT_HWPT_AUTOMATIC, /**< the IOAS: the kernel makes a hwpt inside the attach */
};

#define SHUNT_HWPT_KINDS 2

/** What was seen of replace with one kind of hwpt. Counts are of switches. */
struct shunt_evidence_seen {
	uint64_t switches; /**< under traffic: frames of every port were on their way while it
				moved; and all of those below */
	uint64_t faulted;  /**< with a fault record of any port */
	uint64_t unknown;  /**< without one, and for some port nobody could tell */
	char first[12];    /**< date of the first ones, UTC, "2026-11-25"; "": none */
	char last[12];
};

/** What was seen on one IOMMU and kernel, by enum shunt_hwpt_kind. */
struct shunt_evidence {
	char iommu[sizeof(((struct shunt_platform_info *)NULL)->iommu)];
	char kernel[sizeof(((struct shunt_platform_info *)NULL)->kernel)];
	bool emulated;
	struct shunt_evidence_seen seen[SHUNT_HWPT_KINDS];
};

/**
 * The file used unless another is named: /var/lib/shunt/evidence.json for root, otherwise
 * $XDG_STATE_HOME/shunt/evidence.json, by default ~/.local/state/shunt/evidence.json.
 *
 * @return 0; -ENOENT no home folder is known; -ENAMETOOLONG
 */
int shunt_evidence_path(char *path, size_t size);

/** No evidence yet of what runs below. */
void shunt_evidence_init(const struct shunt_platform_info *info, struct shunt_evidence *evidence);

/**
 * Reads what is known of what runs below. A file that is not there knows nothing.
 *
 * @return 0; -EIO the file is broken, the text says where and what to do; -errno of reading.
 *         On a failure the evidence is empty.
 */
int shunt_evidence_read(
	const char *path, const struct shunt_platform_info *info, struct shunt_evidence *evidence);

/**
 * Whether shunt_evidence_add() could write: makes the folder and takes the lock, so that a long
 * run does not end with evidence that cannot be kept.
 *
 * @return 0; the errors of shunt_evidence_add(), but for those of reading
 */
int shunt_evidence_writable(const char *path);

/**
 * Adds to the file what was seen since, with today's date. Nothing seen: nothing is written.
 *
 * @param seen  of these the counts are read, and the key
 * @return 0; -EIO the file is broken and stays as it is; -EBUSY another process holds the lock; the
 *         errno of the folder or the file that cannot be written, named in the text
 */
int shunt_evidence_add(const char *path, const struct shunt_evidence *seen);

/** Whether replace was seen hitless, as said above. */
bool shunt_evidence_hitless(const struct shunt_evidence_seen *seen);

/**
 * Says what is known: "4,120 switches under traffic without a fault on sim hitless, explicit
 * hwpts".
 */
void shunt_evidence_say(const struct shunt_evidence *evidence, enum shunt_hwpt_kind kind,
	char text[SHUNT_EVIDENCE_TEXT]);

#ifdef __cplusplus
}
#endif

#endif
