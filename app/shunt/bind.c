/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <shunt/error.h>
#include <shunt/pci.h>

#include "commands.h"
#include "parse.h"
#include "text.h"

static const char bind_usage[] =
	"Usage: shunt bind [--force] [--user NAME] FUNCTION...\n"
	"Binds the whole IOMMU group of each PCI function to vfio-pci, except bridges,\n"
	"and records the previous drivers in " SHUNT_PCI_RECORDS " for 'shunt unbind'.\n"
	"If a step fails, everything is restored.\n"
	"  FUNCTION     PCI address: 0000:03:00.0 or 03:00.0\n"
	"  --force      also functions with a network interface that is up, or with a\n"
	"               block device\n"
	"  --user NAME  make a user the owner of the functions' character devices\n";

static const char unbind_usage[] =
	"Usage: shunt unbind [--force] [FUNCTION...]\n"
	"Restores the drivers, and the driver_override, that the whole IOMMU group of\n"
	"each PCI function had before 'shunt bind'. Default: all groups.\n"
	"  FUNCTION     PCI address: 0000:03:00.0 or 03:00.0\n"
	"  --force      also functions that were bound to another driver since and are in\n"
	"               use there\n";

struct options {
	const char *name;
	const char *usage;
	bool takes_user;
	bool force;
	const char *user;
	uid_t owner;
	const char *const *addresses;
	size_t count;
};

static int find_user(struct options *options)
{
	const struct passwd *entry;

	errno = 0;
	entry = getpwnam(options->user);
	if (!entry)
		return shunt_fail(-EINVAL, "--user %s: no such user", options->user);
	options->owner = entry->pw_uid;
	return 0;
}

/* @return 1; 0: help was printed; -EINVAL */
static int parse(int argc, char **argv, struct options *options)
{
	struct parse_option known[] = {
		{ "force", .flag = &options->force },
		{ options->takes_user ? "user" : NULL, .text = &options->user },
		{ NULL },
	};
	int first = parse_options(argc, argv, known, options->name, options->usage);

	if (first <= 0)
		return first;
	options->addresses = (const char *const *)&argv[first];
	options->count = (size_t)(argc - first);
	return options->user && find_user(options) ? -EINVAL : 1;
}

static void print(const struct shunt_pci_bindings *bindings)
{
	const struct shunt_pci_binding *binding;

	for (size_t i = 0; i < bindings->count; i++) {
		binding = &bindings->functions[i];
		printf("%s  group %d  ", binding->address, binding->group);
		if (binding->gone) {
			printf("no longer there\n");
			continue;
		}
		if (strcmp(binding->before, binding->after) == 0)
			printf("already on ");
		else
			printf("%s -> ", driver_text(binding->before));
		printf("%s%s%s\n", driver_text(binding->after), binding->cdev[0] ? "  " : "",
			binding->cdev);
	}
}

static void print_bound(const struct options *options, const struct shunt_pci_bindings *bindings)
{
	size_t moved = 0;

	print(bindings);
	for (size_t i = 0; i < bindings->count; i++)
		moved += strcmp(bindings->functions[i].before, bindings->functions[i].after) != 0;
	if (moved)
		printf("%zu function%s moved; 'shunt unbind %s' restores %s\n", moved,
			plural(moved), bindings->functions[0].address, moved == 1 ? "it" : "them");
	else
		printf("already bound, nothing to do\n");
	if (options->user)
		printf("'runuser -u %s -- shunt doctor %s' tells what %s still lacks\n",
			options->user, bindings->functions[0].address, options->user);
}

static int bind_functions(const struct options *options, struct shunt_platform *platform)
{
	const struct shunt_pci_machine machine = { .platform = platform };
	struct shunt_pci_bindings bindings;
	int ret;

	if (!options->count)
		return shunt_fail(
			-EINVAL, "no function is given: see 'shunt list' and 'shunt bind --help'");
	ret = shunt_pci_bind(&machine, options->addresses, options->count, options->force,
		options->owner, &bindings);
	if (ret)
		return ret;
	print_bound(options, &bindings);
	shunt_pci_bindings_free(&bindings);
	return 0;
}

static int unbind_functions(const struct options *options, struct shunt_platform *platform)
{
	const struct shunt_pci_machine machine = { .platform = platform };
	struct shunt_pci_bindings bindings;
	int ret = shunt_pci_unbind(
		&machine, options->addresses, options->count, options->force, &bindings);

	print(&bindings);
	if (!ret && !bindings.count)
		printf("no records of bindings in " SHUNT_PCI_RECORDS ": nothing to put back\n");
	shunt_pci_bindings_free(&bindings);
	return ret;
}

static int run(int argc, char **argv, struct options *options,
	int (*act)(const struct options *options, struct shunt_platform *platform))
{
	struct shunt_platform *platform = NULL;
	int ret = parse(argc, argv, options);

	if (ret > 0) {
		ret = shunt_platform_kernel(&platform);
		if (!ret)
			ret = act(options, platform);
		shunt_platform_destroy(platform);
	}
	return parse_exit(options->name, ret);
}

int shunt_bind(int argc, char **argv)
{
	struct options options = { .name = "shunt bind",
		.usage = bind_usage,
		.takes_user = true,
		.owner = SHUNT_PCI_NO_OWNER };

	return run(argc, argv, &options, bind_functions);
}

int shunt_unbind(int argc, char **argv)
{
	struct options options = { .name = "shunt unbind", .usage = unbind_usage };

	return run(argc, argv, &options, unbind_functions);
}
