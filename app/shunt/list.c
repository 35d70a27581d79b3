/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <shunt/error.h>
#include <shunt/pci.h>
#include <shunt/sim.h>

#include "commands.h"
#include "parse.h"
#include "text.h"

#define DEFAULT_PORTS  3
#define DEFAULT_GROUPS 1
#define CDEV_FOLDER    "/dev/vfio/devices/"

/*
 * What `shunt list` prints, as a table or as JSON.
 *
 *   struct listing
 *     |- platform's name and info
 *     |- functions, in order of address
 *     `- groups, in order of number: usable, or why not
 */

/** Whether a group can be used. */
enum listing_state {
	LISTING_USABLE,   /**< bound to VFIO, nothing blocks */
	LISTING_UNBOUND,  /**< no function is bound to VFIO */
	LISTING_BLOCKED,  /**< a function is, but another one blocks */
	LISTING_BRIDGES,  /**< nothing but bridges */
	LISTING_HELD,     /**< bound to VFIO, but a process has a function open */
	LISTING_NO_IOMMU, /**< bound to VFIO, but no IOMMU translates its DMA */
};

/** An IOMMU group. */
struct listing_group {
	int number;
	enum listing_state state;
	char reason[1024]; /**< why it cannot be used, and the fix; "" if usable */
};

struct listing {
	const char *platform;
	struct shunt_platform_info info;
	struct shunt_pci_list functions;
	struct listing_group *groups;
	size_t group_count;
};

/* Picks the function to judge a group by: one bound to VFIO, otherwise any that is no bridge. */
static const struct shunt_pci_function *representative(
	const struct shunt_pci_list *list, int number)
{
	const struct shunt_pci_function *function, *found = NULL;
	size_t i;

	for (i = 0; i < list->count; i++) {
		function = &list->functions[i];
		if (function->group != number || function->is_bridge)
			continue;
		if (function->cdev[0])
			return function;
		if (!found)
			found = function;
	}
	return found;
}

/* A group belongs to one process. No other process can hold one of the software platform. */
static void judge_holders(const struct shunt_pci_list *list, struct listing_group *group)
{
	const struct shunt_pci_machine machine = { .platform = list->platform };
	struct shunt_pci_holder holder;

	group->state = LISTING_USABLE;
	for (size_t i = 0; group->state == LISTING_USABLE && i < list->count; i++) {
		const struct shunt_pci_function *function = &list->functions[i];

		if (function->group != group->number || strcmp(list->platform->name, "kernel") != 0)
			continue;
		if (shunt_pci_find_holder(&machine, function, &holder) > 0)
			snprintf(group->reason, sizeof(group->reason),
				"process %ld (%s) has %s open", (long)holder.pid, holder.command,
				function->address);
		else if (shunt_pci_taken_back(&machine, function, &holder))
			snprintf(group->reason, sizeof(group->reason), "%s", shunt_errmsg());
		else
			continue;
		group->state = LISTING_HELD;
	}
}

static void judge(const struct shunt_pci_list *list, struct listing_group *group)
{
	const struct shunt_pci_function *function = representative(list, group->number);
	int ret;

	if (!function) {
		group->state = LISTING_BRIDGES;
		snprintf(group->reason, sizeof(group->reason),
			"IOMMU group %d contains only bridges, which VFIO does not accept",
			group->number);
		return;
	}
	ret = shunt_pci_usable(list, function);
	if (!ret) {
		judge_holders(list, group);
		return;
	}
	group->state = ret == -EBUSY        ? LISTING_BLOCKED
		       : function->no_iommu ? LISTING_NO_IOMMU
					    : LISTING_UNBOUND;
	snprintf(group->reason, sizeof(group->reason), "%s", shunt_errmsg());
}

static int by_number(const void *left, const void *right)
{
	const struct listing_group *a = left, *b = right;

	return (a->number > b->number) - (a->number < b->number);
}

static int find_groups(struct listing *listing)
{
	const struct shunt_pci_list *list = &listing->functions;
	size_t i, j;

	listing->groups = calloc(list->count ? list->count : 1, sizeof(*listing->groups));
	if (!listing->groups)
		return shunt_fail(-ENOMEM, "list: out of memory");
	for (i = 0; i < list->count; i++) {
		int number = list->functions[i].group;

		for (j = 0; j < listing->group_count && listing->groups[j].number != number; j++)
			;
		if (number == SHUNT_PCI_NO_GROUP || j < listing->group_count)
			continue;
		listing->groups[listing->group_count].number = number;
		judge(list, &listing->groups[listing->group_count]);
		listing->group_count++;
	}
	qsort(listing->groups, listing->group_count, sizeof(*listing->groups), by_number);
	return 0;
}

static const struct {
	const char *name;
	const char *text;
	const char *before_reason; /* NULL: it is not shown, or only if verbose */
} states[] = {
	[LISTING_USABLE] = { "usable", "usable", NULL },
	[LISTING_UNBOUND] = { "unbound", "not bound to VFIO", NULL },
	[LISTING_BLOCKED] = { "blocked", "blocked", "\n  " },
	[LISTING_BRIDGES] = { "bridges", "bridges only", NULL },
	[LISTING_HELD] = { "held", "held", ": " },
	[LISTING_NO_IOMMU] = { "no-iommu", "without an IOMMU", "\n  " },
};

static const char *or_dash(const char *text)
{
	return text[0] ? text : "-";
}

static const char *short_cdev(const char *cdev)
{
	size_t folder = strlen(CDEV_FOLDER);

	return strncmp(cdev, CDEV_FOLDER, folder) == 0 ? cdev + folder : or_dash(cdev);
}

struct widths {
	int driver;
	int cdev;
};

static void widen(int *width, const char *text)
{
	if ((int)strlen(text) > *width)
		*width = (int)strlen(text);
}

static void print_functions(const struct listing *listing, int group, const struct widths *widths,
	bool verbose, FILE *out)
{
	const struct shunt_pci_function *function;
	size_t i;

	for (i = 0; i < listing->functions.count; i++) {
		function = &listing->functions.functions[i];
		if (function->group != group)
			continue;
		fprintf(out, "  %-12s  %-*s  %-*s  %s", function->address, widths->driver,
			or_dash(function->driver), widths->cdev, short_cdev(function->cdev),
			function->name);
		if (verbose)
			fprintf(out, " [%04x:%04x] class %06x%s", function->vendor,
				function->device, function->class_code,
				shunt_pci_blocks_group(function) ? ", blocks its group" : "");
		if (function->physfn[0])
			fprintf(out, ", virtual function of %s", function->physfn);
		fputc('\n', out);
	}
}

static void print_group(const struct listing_group *group, bool verbose, FILE *out)
{
	const char *before = states[group->state].before_reason;

	if (verbose && group->state == LISTING_UNBOUND)
		before = "\n  ";
	fprintf(out, "group %d: %s%s%s\n", group->number, states[group->state].text,
		before ? before : "", before ? group->reason : "");
}

static size_t count_of(const struct listing *listing, int group)
{
	size_t i, count = 0;

	for (i = 0; i < listing->functions.count; i++)
		count += listing->functions.functions[i].group == group;
	return count;
}

static void print_table(const struct listing *listing, bool verbose, FILE *out)
{
	struct widths widths = { (int)strlen("DRIVER"), (int)strlen("CDEV") };
	size_t count = listing->functions.count;
	size_t i;

	for (i = 0; i < count; i++) {
		widen(&widths.driver, listing->functions.functions[i].driver);
		widen(&widths.cdev, short_cdev(listing->functions.functions[i].cdev));
	}
	fprintf(out, "platform %s: %zu PCI function%s, %zu IOMMU group%s; IOMMU %s%s\n",
		listing->platform, count, plural(count), listing->group_count,
		plural(listing->group_count), listing->info.iommu,
		!listing->info.emulated                    ? ""
		: strcmp(listing->platform, "kernel") == 0 ? "; in a virtual machine"
							   : "; emulated, not silicon");
	if (count)
		fprintf(out, "  %-12s  %-*s  %-*s  %s\n", "FUNCTION", widths.driver, "DRIVER",
			widths.cdev, "CDEV", "NAME");
	for (i = 0; i < listing->group_count; i++) {
		print_group(&listing->groups[i], verbose, out);
		print_functions(listing, listing->groups[i].number, &widths, verbose, out);
	}
	if (count_of(listing, SHUNT_PCI_NO_GROUP)) {
		fputs("no group:\n", out);
		print_functions(listing, SHUNT_PCI_NO_GROUP, &widths, verbose, out);
	}
	for (i = 0; i < listing->functions.skipped_count; i++)
		fprintf(out, "skipped: %s\n", listing->functions.skipped[i].reason);
	if (!listing->group_count)
		fputs("No IOMMU groups: the IOMMU is missing or disabled, so user space cannot "
		      "drive\n"
		      "functions with DMA. To try shunt without hardware:\n"
		      "  shunt list --platform sim\n"
		      "  shunt forward --platform sim --ports 3\n",
			out);
}

static json_t *hexadecimal(unsigned int value, int digits)
{
	return json_sprintf("0x%0*x", digits, value);
}

/* The name is omitted if libpci returns one that is not UTF-8. */
static json_t *describe(const struct shunt_pci_function *function)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o*, s:o, s:o, s:b, s:b, s:o, s:i}", "address",
		function->address, "vendor", hexadecimal(function->vendor, 4), "device",
		hexadecimal(function->device, 4), "class", hexadecimal(function->class_code, 6),
		"name", json_string(function->name), "driver", text_or_null(function->driver),
		"cdev", text_or_null(function->cdev), "bridge", (int)function->is_bridge, "blocks",
		(int)shunt_pci_blocks_group(function), "physfn", text_or_null(function->physfn),
		"vf_total", (int)function->vf_total);
}

/* The functions of a group; NULL when out of memory. */
static json_t *functions_of(const struct listing *listing, int group)
{
	json_t *array = json_array();

	for (size_t i = 0; i < listing->functions.count; i++)
		if (listing->functions.functions[i].group == group)
			array = text_append(array, describe(&listing->functions.functions[i]));
	return array;
}

static json_t *groups_of(const struct listing *listing)
{
	json_t *array = json_array();

	for (size_t i = 0; i < listing->group_count; i++) {
		const struct listing_group *group = &listing->groups[i];

		array = text_append(array,
			json_pack("{s:i, s:s, s:o, s:o}", "id", group->number, "state",
				states[group->state].name, "reason", text_or_null(group->reason),
				"functions", functions_of(listing, group->number)));
	}
	return array;
}

static json_t *skipped_of(const struct listing *listing)
{
	json_t *array = json_array();

	for (size_t i = 0; i < listing->functions.skipped_count; i++) {
		const struct shunt_pci_skipped *skipped = &listing->functions.skipped[i];

		array = text_append(array, json_pack("{s:s, s:s}", "address", skipped->address,
						   "reason", skipped->reason));
	}
	return array;
}

static int print_json(const struct listing *listing)
{
	return text_json(json_pack("{s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:o}", "schema",
		"shunt.list/1", "platform", listing->platform, "iommu", listing->info.iommu, "nic",
		listing->info.nic, "emulated", (int)listing->info.emulated, "groups",
		groups_of(listing), "ungrouped", functions_of(listing, SHUNT_PCI_NO_GROUP),
		"skipped", skipped_of(listing)));
}

static const char usage[] =
	"Usage: shunt list [--platform kernel|sim] [--ports N] [--groups N] [-v] [--json]\n"
	"Lists PCI functions by IOMMU group, and whether a group is usable or what\n"
	"blocks it.\n"
	"  --platform kernel|sim  this machine (default), or the software platform\n"
	"  --ports N              ports in each group of the software platform, default 3\n"
	"  --groups N             groups of the software platform, default 1\n"
	"  -v, --verbose          also ids and classes, and how to bind a group\n"
	"  --json                 print one JSON object\n";

struct options {
	bool kernel;
	bool json;
	bool verbose;
	struct shunt_sim_config config;
};

/* @return 1; 0: help was printed; -EINVAL */
static int parse(int argc, char **argv, struct options *options)
{
	struct parse_option known[] = {
		{ "platform", .take = parse_platform, .context = &options->kernel },
		{ "ports", "sim", .count = &options->config.ports, .min = 1,
			.max = SHUNT_SIM_MAX_PORTS_PER_GROUP },
		{ "groups", "sim", .count = &options->config.groups, .min = 1,
			.max = SHUNT_SIM_MAX_GROUPS },
		{ "verbose", .flag = &options->verbose },
		{ "json", .flag = &options->json },
		{ NULL },
	};
	int first = parse_options(argc, argv, known, "shunt list", usage);

	if (first > 0 && first < argc)
		return shunt_fail(
			-EINVAL, "unexpected argument '%s': see 'shunt list --help'", argv[first]);
	for (int i = 0; first > 0 && options->kernel && known[i].name; i++)
		if (known[i].applies && known[i].given)
			return shunt_fail(-EINVAL,
				"--%s applies to the software platform: add --platform sim",
				known[i].name);
	return first > 0 ? 1 : first;
}

static int run(const struct options *options)
{
	struct shunt_platform *platform = NULL;
	struct listing listing = { 0 };
	int ret;

	ret = options->kernel ? shunt_platform_kernel(&platform)
			      : shunt_sim_create(&options->config, &platform);
	if (ret)
		return ret;
	listing.platform = platform->name;
	platform->ops->info(platform, NULL, &listing.info);
	ret = shunt_pci_scan(platform, &listing.functions);
	if (ret)
		goto out_platform;
	ret = find_groups(&listing);
	if (ret)
		goto out_list;
	if (options->json)
		ret = print_json(&listing);
	else
		print_table(&listing, options->verbose, stdout);
	free(listing.groups);
out_list:
	shunt_pci_list_free(&listing.functions);
out_platform:
	shunt_platform_destroy(platform);
	return ret;
}

int shunt_list(int argc, char **argv)
{
	struct options options = {
		.kernel = true,
		.config = { .groups = DEFAULT_GROUPS, .ports = DEFAULT_PORTS },
	};
	int ret = parse(argc, argv, &options);

	return parse_exit("shunt list", ret > 0 ? run(&options) : ret);
}
