/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "list.h"

#define CDEV_FOLDER "/dev/vfio/devices/"

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
		fputc('\n', out);
	}
}

static void print_group(const struct listing_group *group, bool verbose, FILE *out)
{
	switch (group->state) {
	case LISTING_USABLE:
		fprintf(out, "group %d: can be used\n", group->number);
		break;
	case LISTING_UNBOUND:
		fprintf(out, "group %d: not bound to VFIO\n", group->number);
		if (verbose)
			fprintf(out, "  %s\n", group->reason);
		break;
	case LISTING_BLOCKED:
		fprintf(out, "group %d: blocked\n  %s\n", group->number, group->reason);
		break;
	case LISTING_BRIDGES:
		fprintf(out, "group %d: bridges only\n", group->number);
		break;
	}
}

static size_t count_of(const struct listing *listing, int group)
{
	size_t i, count = 0;

	for (i = 0; i < listing->functions.count; i++)
		count += listing->functions.functions[i].group == group;
	return count;
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

void listing_print_table(const struct listing *listing, bool verbose, FILE *out)
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
		listing->info.emulated ? "; emulated, not silicon" : "");
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
	if (!listing->group_count)
		fputs("There are no IOMMU groups here: the IOMMU is missing or switched off, so no "
		      "function can be\ndriven from user space with DMA. To try shunt without "
		      "hardware, on the software platform:\n"
		      "  shunt list --platform sim\n"
		      "  shunt forward --platform sim --ports 3\n",
			out);
}
