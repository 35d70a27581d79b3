/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
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

static void print_one(
	const struct shunt_pci_machine *machine, const struct shunt_pci_function *function)
{
	struct shunt_pci_holder holder;

	printf("  %s  ", function->address);
	if (function->group == SHUNT_PCI_NO_GROUP)
		printf("no group  ");
	else
		printf("group %d  ", function->group);
	printf("%s", driver_text(function->driver));
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
	printf("%s  %s  %u of %u virtual function%s\n", function->address,
		driver_text(function->driver), count, function->vf_total,
		plural(function->vf_total));
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

/* @param words  the verb, and its arguments */
static int act(
	const struct shunt_pci_machine *machine, char *const *words, int word_count, bool force)
{
	const char *what = word_count ? words[0] : "";
	char *const *arguments = &words[1];
	int count = word_count - 1;

	if (force && strcmp(what, "remove") != 0)
		return shunt_fail(-EINVAL, "--force is for 'shunt vf remove'");
	if (strcmp(what, "list") == 0)
		return list_some(machine, arguments, count);
	if (strcmp(what, "create") == 0 && count == 2)
		return create(machine, arguments);
	if (strcmp(what, "remove") == 0 && count == 1) {
		int ret = shunt_pci_vf_remove(machine, arguments[0], force);

		return ret ? ret : list_some(machine, arguments, 1);
	}
	return shunt_fail(-EINVAL,
		"expected 'list [FUNCTION...]', 'create FUNCTION COUNT' or 'remove FUNCTION' "
		"(shunt vf --help)");
}

int shunt_vf(int argc, char **argv)
{
	struct shunt_pci_machine machine = { 0 };
	struct shunt_platform *platform = NULL;
	bool force = false;
	struct parse_option known[] = { { "force", .flag = &force }, { NULL } };
	int ret, first = parse_options(argc, argv, known, "shunt vf", usage);

	if (first <= 0)
		return parse_exit("shunt vf", first);
	ret = shunt_platform_kernel(&platform);
	machine.platform = platform;
	if (!ret)
		ret = act(&machine, argv + first, argc - first, force);
	shunt_platform_destroy(platform);
	return parse_exit("shunt vf", ret);
}
