/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEXT_H
#define TEXT_H

#include <stdint.h>

/* Figures as people read them. */

#define TIME_TEXT 32

/** A time in the unit that suits it. @return text */
const char *time_text(uint64_t ns, char text[TIME_TEXT]);

#endif
