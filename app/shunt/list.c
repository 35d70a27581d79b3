/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "list.h"
#include "parse.h"
#include "shunt_error.h"
#include "shunt_sim.h"

#define DEFAULT_PORTS  3
#define DEFAULT_GROUPS 1

static const char usage[] =
	"usage: shunt list [--platform kernel|sim] [--ports N] [--groups N] [-v] [--json]\n"
	"Lists PCI functions by IOMMU group, and which groups can be used or who blocks them.\n"
	"  --platform kernel|sim  this machine (default), or the software platform\n"
	"  --ports N              ports of each group of the software platform, default 3\n"
	"  --groups N             groups of the software platform, default 1\n"
	"  -v, --verbose          also ids and classes, and how to bind a group\n"
	"  --json                 one JSON object\n";

struct options {
	bool sim;
	bool json;
	bool verbose;
	bool help;
	struct shunt_sim_config config;
};

static int parse_count(const char *option, const char *text, unsigned int max, unsigned int *count)
{
	uint64_t value;
	int ret = parse_number(option, text, 1, max, &value);

	if (!ret)
		*count = (unsigned int)value;
	return ret;
}

static int parse(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "platform", required_argument, NULL, 'p' },
		{ "ports", required_argument, NULL, 'n' },
		{ "groups", required_argument, NULL, 'g' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *sim_only = NULL;
	int option, ret = 0;

	opterr = 0;
	optind = 1;
	while (!ret && (option = getopt_long(argc, argv, ":vh", known, NULL)) != -1) {
		switch (option) {
		case 'p':
			options->sim = strcmp(optarg, "sim") == 0;
			if (!options->sim && strcmp(optarg, "kernel") != 0)
				ret = shunt_fail(
					-EINVAL, "--platform %s: expected kernel or sim", optarg);
			break;
		case 'n':
			sim_only = "--ports";
			ret = parse_count(sim_only, optarg, SHUNT_SIM_MAX_PORTS_PER_GROUP,
				&options->config.ports);
			break;
		case 'g':
			sim_only = "--groups";
			ret = parse_count(
				sim_only, optarg, SHUNT_SIM_MAX_GROUPS, &options->config.groups);
			break;
		case 'v':
			options->verbose = true;
			break;
		case 'j':
			options->json = true;
			break;
		case 'h':
			options->help = true;
			break;
		case ':':
			ret = shunt_fail(-EINVAL, "%s needs a value", argv[optind - 1]);
			break;
		default:
			ret = shunt_fail(-EINVAL, "unknown option %s: see 'shunt list --help'",
				argv[optind - 1]);
			break;
		}
	}
	if (ret)
		return ret;
	if (optind < argc)
		return shunt_fail(
			-EINVAL, "unexpected argument '%s': see 'shunt list --help'", argv[optind]);
	if (sim_only && !options->sim && !options->help)
		return shunt_fail(-EINVAL, "%s describes the software platform: add --platform sim",
			sim_only);
	return 0;
}

const char *listing_state_name(enum listing_state state)
{
	static const char *const names[] = {
		[LISTING_USABLE] = "usable",
		[LISTING_UNBOUND] = "unbound",
		[LISTING_BLOCKED] = "blocked",
		[LISTING_BRIDGES] = "bridges",
	};

	return names[state];
}

/* The function that speaks for its group: one bound to VFIO, else any that could be. */
static const struct shunt_pci_function *speaker(const struct shunt_pci_list *list, int number)
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

static void judge(const struct shunt_pci_list *list, struct listing_group *group)
{
	const struct shunt_pci_function *function = speaker(list, group->number);
	int ret;

	if (!function) {
		group->state = LISTING_BRIDGES;
		snprintf(group->reason, sizeof(group->reason),
			"IOMMU group %d has nothing but bridges, which VFIO does not take",
			group->number);
		return;
	}
	ret = shunt_pci_usable(list, function);
	if (!ret) {
		group->state = LISTING_USABLE;
		return;
	}
	group->state = ret == -EBUSY ? LISTING_BLOCKED : LISTING_UNBOUND;
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

static int run(const struct options *options)
{
	struct shunt_platform *platform = NULL;
	struct listing listing = { 0 };
	int ret;

	ret = options->sim ? shunt_sim_create(&options->config, &platform)
			   : shunt_platform_kernel(&platform);
	if (ret)
		return ret;
	listing.platform = platform->name;
	platform->ops->info(platform, &listing.info);
	ret = shunt_pci_scan(platform, &listing.functions);
	if (ret)
		goto out_platform;
	ret = find_groups(&listing);
	if (ret)
		goto out_list;
	if (options->json)
		ret = listing_print_json(&listing, stdout);
	else
		listing_print_table(&listing, options->verbose, stdout);
	free(listing.groups);
out_list:
	shunt_pci_list_free(&listing.functions);
out_platform:
	shunt_platform_destroy(platform);
	return ret;
}

int shunt_list(int argc, char **argv)
{
	struct options options = { .config = { .groups = DEFAULT_GROUPS, .ports = DEFAULT_PORTS } };
	int ret = parse(argc, argv, &options);

	if (!ret && options.help)
		fputs(usage, stdout);
	else if (!ret)
		ret = run(&options);
	if (!ret && fflush(stdout))
		ret = shunt_fail_errno(-errno, "writing the list");
	if (ret)
		fprintf(stderr, "shunt list: %s\n", shunt_errmsg());
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
