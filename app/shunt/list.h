/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LIST_H
#define LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "shunt_pci.h"
#include "shunt_platform.h"

/*
 * What `shunt list` knows, and its two ways to say it.
 *
 *   struct listing
 *     |- platform's name and info
 *     |- functions, in order of address
 *     `- groups, in order of number: usable, or why not
 */

/** What can be done with a group. */
enum listing_state {
	LISTING_USABLE,  /**< bound to VFIO, nothing blocks */
	LISTING_UNBOUND, /**< no function is bound to VFIO */
	LISTING_BLOCKED, /**< a function is, but another one blocks */
	LISTING_BRIDGES, /**< nothing but bridges */
};

/** An IOMMU group. */
struct listing_group {
	int number;
	enum listing_state state;
	char reason[1024]; /**< why it cannot be used, and the mend; "" when usable */
};

struct listing {
	const char *platform;
	struct shunt_platform_info info;
	struct shunt_pci_list functions;
	struct listing_group *groups;
	size_t group_count;
};

/** Name of a state, for people and for JSON. */
const char *listing_state_name(enum listing_state state);

/** Prints it as a table; verbose adds ids, classes and the mend of unbound groups. */
void listing_print_table(const struct listing *listing, bool verbose, FILE *out);

/** Prints it as one JSON object. @return 0, -ENOMEM, -EIO */
int listing_print_json(const struct listing *listing, FILE *out);

#endif
