/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <jansson.h>

#include "list.h"
#include "shunt_error.h"

static json_t *hexadecimal(unsigned int value, int digits)
{
	return json_sprintf("0x%0*x", digits, value);
}

static json_t *text_or_null(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

/* A libpci name is not always UTF-8; one that is not is left out. */
static json_t *describe(const struct shunt_pci_function *function)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o*, s:o, s:o, s:b, s:b}", "address",
		function->address, "vendor", hexadecimal(function->vendor, 4), "device",
		hexadecimal(function->device, 4), "class", hexadecimal(function->class_code, 6),
		"name", json_string(function->name), "driver", text_or_null(function->driver),
		"cdev", text_or_null(function->cdev), "bridge", (int)function->is_bridge, "blocks",
		(int)shunt_pci_blocks_group(function));
}

/* The functions of a group; NULL when out of memory. */
static json_t *functions_of(const struct listing *listing, int group)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < listing->functions.count; i++) {
		if (listing->functions.functions[i].group != group)
			continue;
		if (json_array_append_new(array, describe(&listing->functions.functions[i]))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *groups_of(const struct listing *listing)
{
	json_t *array = json_array();
	const struct listing_group *group;
	size_t i;

	for (i = 0; i < listing->group_count; i++) {
		group = &listing->groups[i];
		if (json_array_append_new(
			    array, json_pack("{s:i, s:s, s:o, s:o}", "id", group->number, "state",
					   listing_state_name(group->state), "reason",
					   text_or_null(group->reason), "functions",
					   functions_of(listing, group->number)))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

int listing_print_json(const struct listing *listing, FILE *out)
{
	json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:b, s:o, s:o}", "schema", "shunt.list/1",
		"platform", listing->platform, "iommu", listing->info.iommu, "nic",
		listing->info.nic, "emulated", (int)listing->info.emulated, "groups",
		groups_of(listing), "ungrouped", functions_of(listing, SHUNT_PCI_NO_GROUP));
	int ret = 0;

	if (!root)
		return shunt_fail(-ENOMEM, "list: out of memory for JSON");
	if (json_dumpf(root, out, JSON_INDENT(2)) || fputc('\n', out) == EOF)
		ret = shunt_fail(-EIO, "list: writing JSON failed");
	json_decref(root);
	return ret;
}
