/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/error.h>
#include <shunt/pci.h>

#include "commands.h"
#include "parse.h"
#include "text.h"

#define COUNT_MAX 65535 /* sriov_totalvfs has 16 bits */

static const char usage[] =
	"Usage: shunt vf list [FUNCTION...]\n"
	"       shunt vf create FUNCTION COUNT\n"
	"       shunt vf remove [--force] FUNCTION\n"
	"Shows, makes and removes the virtual functions of a physical function (SR-IOV).\n"
	"New ones have no driver of the kernel: 'shunt bind' puts them on vfio-pci.\n"
	"  FUNCTION  PCI address of the physical function: 0000:03:00.0 or 03:00.0\n"
	"  COUNT     how many; it must have none before\n"
	"  --force   also remove those that the kernel's drivers use. One that a process\n"
	"            has open is never removed\n";

struct options {
	bool force;
	bool help;
	int count; /* of arguments */
	char **arguments;
};

static int parse(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "force", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	opterr = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
		if (option == 'f')
			options->force = true;
		else if (option == 'h')
			options->help = true;
		else
			return parse_option_error(option, argv, known, "shunt vf");
	}
	options->count = argc - optind;
	options->arguments = &argv[optind];
	return 0;
}

static void print_one(
	const struct shunt_pci_machine *machine, const struct shunt_pci_function *function)
{
	struct shunt_pci_holder holder;

	printf("  %s  ", function->address);
	if (function->group == SHUNT_PCI_NO_GROUP)
		printf("no group  ");
	else
		printf("group %d  ", function->group);
	printf("%s", function->driver[0] ? function->driver : "no driver");
	if (shunt_pci_find_holder(machine, function, &holder) > 0)
		printf("  process %ld (%s)", (long)holder.pid, holder.command);
	putchar('\n');
}

/* A physical function and its virtual ones. */
static void print(const struct shunt_pci_machine *machine, const struct shunt_pci_list *list,
	const struct shunt_pci_function *function)
{
	unsigned int count = 0;

	for (size_t i = 0; i < list->count; i++)
		count += strcmp(list->functions[i].physfn, function->address) == 0;
	printf("%s  %s  %u of %u virtual functions\n", function->address,
		function->driver[0] ? function->driver : "no driver", count, function->vf_total);
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->functions[i].physfn, function->address) == 0)
			print_one(machine, &list->functions[i]);
}

static int list_some(const struct shunt_pci_machine *machine, char *const *addresses, int count)
{
	const struct shunt_pci_function *function;
	struct shunt_pci_list list;
	unsigned int found = 0;
	int ret = shunt_pci_scan(machine->platform, &list);

	if (ret)
		return ret;
	for (int i = 0; !ret && i < count; i++) {
		ret = shunt_pci_find(&list, addresses[i], &function);
		if (!ret && !function->vf_total)
			ret = shunt_fail(-ENOTSUP, "%s has no SR-IOV%s%s", function->address,
				function->physfn[0] ? ": it is a virtual function of " : "",
				function->physfn);
		if (!ret)
			print(machine, &list, function);
	}
	for (size_t i = 0; !count && i < list.count; i++) {
		if (!list.functions[i].vf_total)
			continue;
		print(machine, &list, &list.functions[i]);
		found++;
	}
	if (!count && !found)
		printf("no function has SR-IOV\n");
	shunt_pci_list_free(&list);
	return ret;
}

static int create(const struct shunt_pci_machine *machine, char *const *arguments)
{
	uint64_t count;
	int ret = parse_number("COUNT", arguments[1], 1, COUNT_MAX, &count);

	if (!ret)
		ret = shunt_pci_vf_create(machine, arguments[0], (unsigned int)count);
	return ret ? ret : list_some(machine, arguments, 1);
}

static int act(const struct options *options, const struct shunt_pci_machine *machine)
{
	const char *what = options->count ? options->arguments[0] : "";
	char *const *arguments = &options->arguments[1];
	int count = options->count - 1;

	if (options->force && strcmp(what, "remove") != 0)
		return shunt_fail(-EINVAL, "--force is for 'shunt vf remove'");
	if (strcmp(what, "list") == 0)
		return list_some(machine, arguments, count);
	if (strcmp(what, "create") == 0 && count == 2)
		return create(machine, arguments);
	if (strcmp(what, "remove") == 0 && count == 1) {
		int ret = shunt_pci_vf_remove(machine, arguments[0], options->force);

		return ret ? ret : list_some(machine, arguments, 1);
	}
	return shunt_fail(-EINVAL,
		"expected 'list [FUNCTION...]', 'create FUNCTION COUNT' or 'remove FUNCTION' "
		"(shunt vf --help)");
}

int shunt_vf(int argc, char **argv)
{
	struct shunt_platform *platform = NULL;
	struct options options = { 0 };
	int ret = parse(argc, argv, &options);

	if (!ret && options.help) {
		fputs(usage, stdout);
	} else if (!ret) {
		ret = shunt_platform_kernel(&platform);
		if (!ret)
			ret = act(&options, &(struct shunt_pci_machine){ .platform = platform });
		shunt_platform_destroy(platform);
	}
	if (!ret && fflush(stdout))
		ret = shunt_fail_errno(-errno, "writing the result");
	if (ret)
		fprintf(stderr, "shunt vf: %s\n", shunt_errmsg());
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
