/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>

#include "text.h"

const char *time_text(uint64_t ns, char text[TIME_TEXT])
{
	if (ns < 10000)
		snprintf(text, TIME_TEXT, "%" PRIu64 " ns", ns);
	else if (ns < 10000000)
		snprintf(text, TIME_TEXT, "%.1f us", (double)ns / 1e3);
	else
		snprintf(text, TIME_TEXT, "%.1f ms", (double)ns / 1e6);
	return text;
}
