/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/error.h>

#include "commands.h"
#include "doctor.h"
#include "parse.h"
#include "rte_net_shunt.h"

static const char usage[] =
	"Usage: shunt doctor [--json] [FUNCTION...]\n"
	"Checks everything that a switch needs and prints one line each: ok, warn (a\n"
	"switch works without it) or wrong. A line ends with the command that fixes the\n"
	"problem, if there is one. A function that no process has open is opened,\n"
	"switched once between two empty page tables, and closed. Exit status 0: a\n"
	"switch can work.\n"
	"  FUNCTION  PCI address: 0000:03:00.0 or 03:00.0; default: every unused function\n"
	"            that shunt drives, of which one that can be switched is enough\n"
	"  --json    print one JSON object\n";

struct options {
	bool json;
	const char *const *addresses;
	size_t count;
};

static bool examine(
	struct doctor *doctor, const struct shunt_pci_function *function, bool named, bool sound)
{
	if (!doctor_check_function(doctor, function, named))
		return false;
	if (sound)
		return doctor_try_switch(doctor, function);
	doctor_find(doctor, FINDING_WARN, function->address,
		"%s, group %d, %s: no switch was tried because of the problems above",
		function->driver, function->group, function->cdev);
	return false;
}

static int check_arguments(const struct doctor *doctor, const struct options *options)
{
	const struct shunt_pci_function *function, *other;
	int ret;

	for (size_t i = 0; i < options->count; i++) {
		ret = shunt_pci_find(&doctor->list, options->addresses[i], &function);
		if (ret)
			return ret;
		for (size_t j = 0; j < i; j++)
			if (!shunt_pci_find(&doctor->list, options->addresses[j], &other) &&
				other == function)
				return shunt_fail(-EINVAL, "%s is given twice", function->address);
	}
	return 0;
}

/* The named functions, otherwise all bound ones: an application takes them unless restricted. */
static unsigned int count_ports(const struct doctor *doctor, const struct options *options)
{
	const size_t count = options->count ? options->count : doctor->list.count;
	const struct shunt_pci_function *function;
	unsigned int ports = 0;

	for (size_t i = 0; i < count; i++) {
		function = &doctor->list.functions[i];
		if (options->count &&
			shunt_pci_find(&doctor->list, options->addresses[i], &function))
			continue;
		ports += rte_net_shunt_drives(function->vendor, function->device) &&
			 (options->count || function->cdev[0]);
	}
	return ports;
}

static void examine_named(struct doctor *doctor, const struct options *options, bool sound)
{
	const struct shunt_pci_function *function;

	for (size_t i = 0; i < options->count; i++)
		if (!shunt_pci_find(&doctor->list, options->addresses[i], &function))
			examine(doctor, function, true, sound);
}

/* One that can be switched is enough: problems of the others become warnings. */
static void examine_all(struct doctor *doctor, bool sound)
{
	size_t first = doctor->count, driven = 0, wrong = doctor_count(doctor, FINDING_WRONG);
	const struct shunt_pci_function *function;
	bool ready = false;

	for (size_t i = 0; i < doctor->list.count; i++) {
		function = &doctor->list.functions[i];
		if (!rte_net_shunt_drives(function->vendor, function->device))
			continue;
		driven++;
		ready |= examine(doctor, function, false, sound);
	}
	for (size_t i = first; ready && i < doctor->count; i++)
		if (doctor->findings[i].state == FINDING_WRONG)
			doctor->findings[i].state = FINDING_WARN;
	if (!driven)
		doctor_advise(doctor_find(doctor, FINDING_WRONG, "functions",
				      "none that shunt drives: %s", rte_net_shunt_driven()),
			"without one, use 'shunt forward --platform sim'");
	else if (!ready && doctor_count(doctor, FINDING_WRONG) == wrong)
		doctor_advise(doctor_find(doctor, FINDING_WRONG, "functions",
				      "none can be switched in its present state"),
			"'shunt doctor FUNCTION' tells what one of them needs");
}

static int run(const struct options *options)
{
	struct doctor doctor = { .boot = "/boot", .plugins = RTE_EAL_PMD_PATH };
	struct shunt_platform *platform = NULL;
	bool sound;
	int ret;

	ret = shunt_platform_kernel(&platform);
	if (ret)
		return ret;
	doctor.machine =
		(struct shunt_pci_machine){ .platform = platform, .proc = "/proc", .dev = "/dev" };
	ret = shunt_pci_scan(platform, &doctor.list);
	if (!ret)
		ret = check_arguments(&doctor, options);
	if (ret)
		goto out;
	doctor.ports = count_ports(&doctor, options);
	doctor_check_kernel(&doctor);
	for (size_t i = 0; i < doctor.list.skipped_count; i++)
		doctor_find(&doctor, FINDING_WARN, doctor.list.skipped[i].address, "skipped: %s",
			doctor.list.skipped[i].reason);
	doctor_check_interrupts(&doctor);
	doctor_check_memory(&doctor);
	doctor_check_observers(&doctor);
	doctor_check_evidence(&doctor);
	sound = !doctor_count(&doctor, FINDING_WRONG);
	if (options->count)
		examine_named(&doctor, options, sound);
	else
		examine_all(&doctor, sound);
	doctor_deduplicate(&doctor);
	if (doctor.out_of_memory)
		ret = shunt_fail(-ENOMEM, "out of memory");
	else if (options->json)
		ret = doctor_print_json(&doctor);
	else
		doctor_print_lines(&doctor, stdout);
	if (!ret && doctor_count(&doctor, FINDING_WRONG))
		ret = 1;
out:
	free(doctor.findings);
	shunt_pci_list_free(&doctor.list);
	shunt_platform_destroy(platform);
	return ret;
}

int shunt_doctor(int argc, char **argv)
{
	struct options options = { 0 };
	struct parse_option known[] = { { "json", .flag = &options.json }, { NULL } };
	int first = parse_options(argc, argv, known, "shunt doctor", usage);

	if (first <= 0)
		return parse_exit("shunt doctor", first);
	options.addresses = (const char *const *)&argv[first];
	options.count = (size_t)(argc - first);
	return parse_exit("shunt doctor", run(&options));
}
