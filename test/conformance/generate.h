/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GENERATE_H
#define GENERATE_H

#include <stdint.h>

#include "script.h"

/*
 * Random scripts. A script is a function of its seed and length alone, not of any platform's
 * answers: the generator keeps its own guess of what exists, so that most operations have something
 * to work on, and bends the arguments of some.
 *
 *   seed --> guess of what exists: IOASes with mappings, hwpts, devices bound and attached
 *              `--> next operation, by weight --> line --> changes the guess
 *
 * Left out are operations for which a kernel is known not to answer but to go wrong: copies of
 * mappings that are no whole pages into an IOAS that may not use huge pages
 * (batch_iommu_map_small() of Linux 6.12 maps whole pages past the end and on).
 */

/** Makes a script of `operations` lines for `ports` devices. @return 0, -ENOMEM */
int generate_script(
	uint64_t seed, unsigned int operations, unsigned int ports, struct script *script);

#endif
