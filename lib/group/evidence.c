/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shunt_evidence.h"

#define NUMBER 32

void shunt_evidence_init(const struct shunt_platform_info *info, struct shunt_evidence *evidence)
{
	*evidence = (struct shunt_evidence){ .emulated = info->emulated };
	memcpy(evidence->iommu, info->iommu, sizeof(evidence->iommu));
	memcpy(evidence->kernel, info->kernel, sizeof(evidence->kernel));
}

bool shunt_evidence_hitless(const struct shunt_evidence_seen *seen)
{
	return seen->switches >= SHUNT_EVIDENCE_ENOUGH && !seen->faulted && !seen->unknown;
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

static void say_counts(const struct shunt_evidence_seen *seen, char *text, size_t size)
{
	char part[NUMBER], all[NUMBER];

	number(seen->switches, all);
	if (seen->faulted)
		snprintf(text, size, "%s of %s replaces faulted", number(seen->faulted, part), all);
	else if (seen->unknown)
		snprintf(text, size, "in %s of %s replaces nobody could tell whether they faulted",
			number(seen->unknown, part), all);
	else if (!seen->switches)
		snprintf(text, size, "nothing is known of replace");
	else if (shunt_evidence_hitless(seen))
		snprintf(text, size, "%s switches under traffic without a fault", all);
	else
		snprintf(text, size,
			"%s switches under traffic without a fault are not yet the %s that it "
			"takes",
			all, number(SHUNT_EVIDENCE_ENOUGH, part));
}

void shunt_evidence_say(const struct shunt_evidence *evidence, enum shunt_hwpt_kind kind,
	char text[SHUNT_EVIDENCE_TEXT])
{
	char counts[160];

	say_counts(&evidence->seen[kind], counts, sizeof(counts));
	snprintf(text, SHUNT_EVIDENCE_TEXT, "%s on %s%s%s, %s hwpts", counts,
		evidence->iommu[0] ? evidence->iommu : "an unknown IOMMU",
		evidence->kernel[0] ? ", Linux " : "", evidence->kernel,
		kind == SHUNT_HWPT_EXPLICIT ? "explicit" : "automatic");
}
