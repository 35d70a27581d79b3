/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>

#include "commands.h"
#include "doctor.h"

/*
 * IOVAs are the process's own addresses, and an IOMMU may translate fewer bits than a process has:
 * VT-d 39 of 47. EAL allocates from low addresses, so that they fit.
 */
#define EAL_FIRST 0x100000000ull /* EAL's default for --base-virtaddr */

static bool within(const struct shunt_iova_range *range, uint64_t first, uint64_t last)
{
	return range->start <= first && last <= range->last;
}

static unsigned int width(uint64_t last)
{
	unsigned int bits = 0;

	for (; last; last >>= 1)
		bits++;
	return bits;
}

bool doctor_check_width(struct doctor *doctor, const struct shunt_pci_function *function,
	const struct shunt_iova_range *ranges, uint32_t count)
{
	const uint64_t eal_last = EAL_FIRST + ((uint64_t)COMMAND_MEMORY_MIB << 20) - 1;
	const uint64_t stack = (uintptr_t)&count; /* close to the end of the address space */
	struct shunt_iova_range largest = { 0 };
	struct finding *finding;
	bool fits = false;
	uint64_t last;

	for (uint32_t i = 0; i < count; i++) {
		fits |= within(&ranges[i], EAL_FIRST, eal_last);
		if (ranges[i].last - ranges[i].start >= largest.last - largest.start)
			largest = ranges[i];
	}
	last = count ? ranges[count - 1].last : 0;
	finding = doctor_find(doctor, fits ? FINDING_OK : FINDING_WRONG, function->address,
		"its IOMMU translates addresses of %u bits%s", width(last),
		fits ? "" : ", but none of those of EAL's memory");
	if (!fits)
		doctor_advise(finding,
			"start applications with EAL's --base-virtaddr within 0x%" PRIx64
			" to 0x%" PRIx64,
			largest.start, largest.last);
	else if (last < stack)
		doctor_advise(finding,
			"memory above 0x%" PRIx64
			" cannot be mapped: keep EAL's --base-virtaddr well below",
			last);
	return fits;
}
