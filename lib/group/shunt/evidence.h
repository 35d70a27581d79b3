/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_EVIDENCE_H
#define SHUNT_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <shunt/platform.h>

/*
 * Evidence: what was seen of the plan replace, so that the plan auto takes it only where it was
 * seen to be hitless.
 *
 *   intel-iommu legacy, Linux 6.12.95   explicit hwpts    dense:  12 of 1,000 switches faulted
 *                                                         cold:   nothing
 *                                       automatic hwpts   nothing
 *   sim hitless                         explicit hwpts    dense:  4,120 switches, none faulted
 *                                                         cold:   3,007 switches, none faulted
 *
 * The key is what makes a switch behave as it does: the IOMMU and its mode, the kernel, whether
 * they are emulated, and the kind of hwpt. A few switches look hitless where thousands are not. So
 * replace counts as hitless from SHUNT_EVIDENCE_ENOUGH switches on that met traffic: none of them
 * faulted, and the fault status of all is known. By the rule of three (n trials without a failure:
 * the probability of one is below 3 / n, at 95 % confidence) a switch then faults with a
 * probability below 0.1 %, under such traffic. A single fault settles the matter for good.
 *
 * Two kinds of traffic are kept apart. Under dense traffic an IOMMU has the function's entry in its
 * cache, and an update in several steps may go unnoticed. Where the entry was invalidated or
 * evicted, DMA fetches it in the middle of the update, and is refused. So replace is allowed only
 * where it was seen hitless under both.
 *
 * <shunt/evidence_file.h> keeps it in a file. Any thread.
 */

#ifdef __cplusplus
extern "C" {
#endif

#define SHUNT_EVIDENCE_ENOUGH 3000 /* switches under traffic: 3 / 3,000 = 0.1 % */
#define SHUNT_EVIDENCE_TEXT   512

/** What an attach is given. */
enum shunt_hwpt_kind {
	SHUNT_HWPT_EXPLICIT,  /**< a hwpt that was made in advance */
	SHUNT_HWPT_AUTOMATIC, /**< the IOAS: the kernel makes a hwpt inside the attach */
};

#define SHUNT_HWPT_KINDS 2

/** What the IOMMU's caches had of the ports when a switch began. */
enum shunt_evidence_traffic {
	SHUNT_EVIDENCE_DENSE, /**< their entries: frames came before the switch, and while it moved
			       */
	SHUNT_EVIDENCE_COLD,  /**< nothing: no DMA since an invalidation, and the first while it
				   moved */
	SHUNT_EVIDENCE_OTHER, /**< unknown, for example an application's: only faults count */
};

#define SHUNT_EVIDENCE_TRAFFICS 3

/** What was seen of replace with one kind of hwpt and traffic. Counts are of switches. */
struct shunt_evidence_seen {
	uint64_t switches; /**< under traffic: frames of every port were on their way while it
				moved; and all of those below */
	uint64_t faulted;  /**< with a fault record of any port */
	uint64_t unknown;  /**< without a record, the fault status of some port unknown */
	char first[12];    /**< date of the first ones, UTC, "2026-11-25"; "": none */
	char last[12];
};

/** What was seen on one IOMMU and kernel. */
struct shunt_evidence {
	char iommu[sizeof(((struct shunt_platform_info *)NULL)->iommu)];
	char kernel[sizeof(((struct shunt_platform_info *)NULL)->kernel)];
	bool emulated;
	struct shunt_evidence_seen seen[SHUNT_HWPT_KINDS][SHUNT_EVIDENCE_TRAFFICS];
};

/** No evidence yet of what runs below. */
void shunt_evidence_init(const struct shunt_platform_info *info, struct shunt_evidence *evidence);

/** Whether replace was seen hitless under one kind of traffic, as said above. */
bool shunt_evidence_hitless(const struct shunt_evidence_seen *seen);

/** Whether it was under dense and under cold traffic, and nothing speaks against it. */
bool shunt_evidence_allows(const struct shunt_evidence *evidence, enum shunt_hwpt_kind kind);

/** Counts of all kinds of traffic; no dates. */
struct shunt_evidence_seen shunt_evidence_sum(
	const struct shunt_evidence *evidence, enum shunt_hwpt_kind kind);

/** "dense", "cold", "other" */
const char *shunt_evidence_traffic_name(enum shunt_evidence_traffic traffic);

/**
 * Says what is known, and under which traffic: "4,120 switches under dense traffic without a fault,
 * nothing is known of replace under cold traffic on sim hitless, explicit hwpts".
 */
void shunt_evidence_say(const struct shunt_evidence *evidence, enum shunt_hwpt_kind kind,
	char text[SHUNT_EVIDENCE_TEXT]);

#ifdef __cplusplus
}
#endif

#endif
