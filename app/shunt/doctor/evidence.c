/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <shunt/error.h>
#include <shunt/evidence.h>

#include "doctor.h"
#include "rte_net_shunt.h"
#include "text.h"

#define SUBJECT    "replace"
#define MAX_IOMMUS 16  /* kinds that are reported */
#define PORTS      128 /* of a list of ports in a command */

/* The functions of a group that a run can switch, separated by commas. */
static const char *ports_of(const struct doctor *doctor, int group)
{
	const char *ports = "";

	for (size_t i = 0; i < doctor->list.count; i++) {
		const struct shunt_pci_function *function = &doctor->list.functions[i];

		if (rte_net_shunt_drives(function->vendor, function->device) &&
			function->group == group && function->cdev[0])
			ports = text_of("%s%s%s", ports, ports[0] ? "," : "", function->address);
	}
	return ports[0] && strlen(ports) < PORTS ? ports : "PORTS";
}

/*
 * The run that gathers the missing evidence under one kind of traffic; "" if none is missing. Not
 * every switch counts: run a third more than are missing, and three times as many with cold caches.
 */
static const char *command_for(const struct shunt_evidence_seen *seen, const char *ports, bool cold)
{
	const uint64_t missing = SHUNT_EVIDENCE_ENOUGH - seen->switches;

	if (shunt_evidence_hitless(seen))
		return "";
	return text_of("shunt forward --ports %s --plan replace%s --switch-every 10ms --switches "
		       "%" PRIu64,
		ports, cold ? " --cold 10ms" : "", cold ? 3 * missing : missing + missing / 3);
}

static void advise_gathering(const struct doctor *doctor, int group,
	const struct shunt_evidence_seen *seen, struct finding *finding)
{
	const char *ports = ports_of(doctor, group);
	const char *dense = command_for(&seen[SHUNT_EVIDENCE_DENSE], ports, false);
	const char *cold = command_for(&seen[SHUNT_EVIDENCE_COLD], ports, true);

	doctor_advise(finding, "plan auto takes quiesce; to gather evidence: %s%s%s", dense,
		dense[0] && cold[0] ? "; then " : "", cold);
}

static void report_kind(struct doctor *doctor, int group, const struct shunt_evidence *evidence,
	enum shunt_hwpt_kind kind)
{
	const struct shunt_evidence_seen all = shunt_evidence_sum(evidence, kind);
	char text[SHUNT_EVIDENCE_TEXT];
	struct finding *finding;

	shunt_evidence_say(evidence, kind, text);
	finding = doctor_find(doctor, FINDING_OK, SUBJECT, "%s", text);
	if (shunt_evidence_allows(evidence, kind))
		doctor_advise(finding, "plan auto takes it");
	else if (all.faulted || all.unknown)
		doctor_advise(finding, "plan auto takes quiesce");
	else
		advise_gathering(doctor, group, evidence->seen[kind], finding);
}

/* @param info, group  an IOMMU, and one of its groups, to gather more evidence with */
static void check_evidence(struct doctor *doctor, const struct shunt_platform_info *info, int group)
{
	struct shunt_evidence evidence;
	const enum shunt_hwpt_kind first = SHUNT_HWPT_EXPLICIT, second = SHUNT_HWPT_AUTOMATIC;
	char path[PATH_MAX];
	int ret;

	if (strcmp(info->iommu, "none") == 0) /* reported elsewhere */
		return;
	ret = doctor->evidence ? 0 : shunt_evidence_path(path, sizeof(path));
	if (!ret)
		ret = shunt_evidence_read(
			doctor->evidence ? doctor->evidence : path, info, &evidence);
	if (ret) {
		doctor_find(doctor, FINDING_WARN, SUBJECT,
			"the evidence file cannot be used, so plan auto does not work: %s",
			shunt_errmsg());
		return;
	}
	if (shunt_evidence_sum(&evidence, first).switches ||
		!shunt_evidence_sum(&evidence, second).switches)
		report_kind(doctor, group, &evidence, first);
	if (shunt_evidence_sum(&evidence, second).switches)
		report_kind(doctor, group, &evidence, second);
}

/* Once for each IOMMU that translates a function to switch; without one, for the platform. */
void doctor_check_evidence(struct doctor *doctor)
{
	struct shunt_platform *platform = doctor->machine.platform;
	char seen[MAX_IOMMUS][sizeof(((struct shunt_platform_info *)NULL)->iommu)];
	struct shunt_platform_info info;
	unsigned int count = 0, known;

	for (size_t i = 0; i < doctor->list.count && count < MAX_IOMMUS; i++) {
		const struct shunt_pci_function *function = &doctor->list.functions[i];

		if (!rte_net_shunt_drives(function->vendor, function->device) ||
			function->group == SHUNT_PCI_NO_GROUP)
			continue;
		platform->ops->info(platform, function->address, &info);
		for (known = 0; known < count && strcmp(seen[known], info.iommu) != 0; known++)
			;
		if (known < count)
			continue;
		memcpy(seen[count++], info.iommu, sizeof(seen[0]));
		check_evidence(doctor, &info, function->group);
	}
	if (count)
		return;
	platform->ops->info(platform, NULL, &info);
	check_evidence(doctor, &info, SHUNT_PCI_NO_GROUP);
}
