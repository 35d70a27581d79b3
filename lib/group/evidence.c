/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <shunt/group.h>

#define NUMBER 32

void shunt_evidence_init(const struct shunt_platform_info *info, struct shunt_evidence *evidence)
{
	*evidence = (struct shunt_evidence){ .emulated = info->emulated };
	memcpy(evidence->iommu, info->iommu, sizeof(evidence->iommu));
	memcpy(evidence->kernel, info->kernel, sizeof(evidence->kernel));
}

const char *shunt_evidence_traffic_name(enum shunt_evidence_traffic traffic)
{
	static const char *const names[SHUNT_EVIDENCE_TRAFFICS] = {
		[SHUNT_EVIDENCE_DENSE] = "dense",
		[SHUNT_EVIDENCE_COLD] = "cold",
		[SHUNT_EVIDENCE_OTHER] = "other",
	};

	return names[traffic];
}

bool shunt_evidence_hitless(const struct shunt_evidence_seen *seen)
{
	return seen->switches >= SHUNT_EVIDENCE_ENOUGH && !seen->faulted && !seen->unknown;
}

bool shunt_evidence_allows(const struct shunt_evidence *evidence, enum shunt_hwpt_kind kind)
{
	const struct shunt_evidence_seen *seen = evidence->seen[kind];

	return shunt_evidence_hitless(&seen[SHUNT_EVIDENCE_DENSE]) &&
	       shunt_evidence_hitless(&seen[SHUNT_EVIDENCE_COLD]) &&
	       !seen[SHUNT_EVIDENCE_OTHER].switches;
}

struct shunt_evidence_seen shunt_evidence_sum(
	const struct shunt_evidence *evidence, enum shunt_hwpt_kind kind)
{
	struct shunt_evidence_seen sum = { 0 };

	for (unsigned int i = 0; i < SHUNT_EVIDENCE_TRAFFICS; i++) {
		sum.switches += evidence->seen[kind][i].switches;
		sum.faulted += evidence->seen[kind][i].faulted;
		sum.unknown += evidence->seen[kind][i].unknown;
	}
	return sum;
}

/* With commas between thousands. */
static const char *number(uint64_t value, char text[NUMBER])
{
	char digits[NUMBER];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, value);
	size_t used = 0;

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			text[used++] = ',';
		text[used++] = digits[i];
	}
	text[used] = '\0';
	return text;
}

static void say_counts(
	const struct shunt_evidence_seen *seen, const char *traffic, char *text, size_t size)
{
	char part[NUMBER], all[NUMBER];

	number(seen->switches, all);
	if (seen->faulted)
		snprintf(text, size, "%s of %s replaces faulted under %s traffic",
			number(seen->faulted, part), all, traffic);
	else if (seen->unknown)
		snprintf(text, size, "fault status unknown for %s of %s replaces under %s traffic",
			number(seen->unknown, part), all, traffic);
	else if (!seen->switches)
		snprintf(text, size, "nothing is known of replace under %s traffic", traffic);
	else if (shunt_evidence_hitless(seen))
		snprintf(text, size, "%s switches under %s traffic without a fault", all, traffic);
	else
		snprintf(text, size,
			"%s switches under %s traffic without a fault are not yet the %s that it "
			"takes",
			all, traffic, number(SHUNT_EVIDENCE_ENOUGH, part));
}

/* Bit a kind of traffic that decides: where a replace faulted, where its fault status is unknown,
 * or both. */
static unsigned int deciding(const struct shunt_evidence_seen *seen)
{
	unsigned int faulted = 0, unknown = 0, known = 0;

	for (unsigned int i = 0; i < SHUNT_EVIDENCE_TRAFFICS; i++) {
		faulted |= (seen[i].faulted != 0) << i;
		unknown |= (seen[i].unknown != 0) << i;
		known |= (seen[i].switches != 0) << i;
	}
	if (faulted || unknown)
		return faulted ? faulted : unknown;
	return known ? 1u << SHUNT_EVIDENCE_DENSE | 1u << SHUNT_EVIDENCE_COLD : 0;
}

/* @return length of what was said */
static size_t say_traffics(const struct shunt_evidence_seen *seen, char text[SHUNT_EVIDENCE_TEXT])
{
	const unsigned int traffics = deciding(seen);
	char counts[160];
	size_t used = 0;

	if (!traffics)
		used = (size_t)snprintf(text, SHUNT_EVIDENCE_TEXT, "nothing is known of replace");
	for (unsigned int i = 0; i < SHUNT_EVIDENCE_TRAFFICS; i++) {
		if (!(traffics >> i & 1))
			continue;
		say_counts(&seen[i], shunt_evidence_traffic_name((enum shunt_evidence_traffic)i),
			counts, sizeof(counts));
		used += (size_t)snprintf(
			text + used, SHUNT_EVIDENCE_TEXT - used, "%s%s", used ? ", " : "", counts);
	}
	return used;
}

void shunt_evidence_say(const struct shunt_evidence *evidence, enum shunt_hwpt_kind kind,
	char text[SHUNT_EVIDENCE_TEXT])
{
	const size_t used = say_traffics(evidence->seen[kind], text);

	snprintf(text + used, SHUNT_EVIDENCE_TEXT - used, " on %s%s%s, %s hwpts",
		evidence->iommu[0] ? evidence->iommu : "an unknown IOMMU",
		evidence->kernel[0] ? ", Linux " : "", evidence->kernel,
		kind == SHUNT_HWPT_EXPLICIT ? "explicit" : "automatic");
}
