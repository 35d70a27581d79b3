/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "rte_net_shunt.h"
#include "shunt_error.h"
#include "shunt_evidence.h"

#define SUBJECT "replace"

/* The functions of one group that a run can switch, with commas between them. */
static void list_ports(const struct doctor *doctor, char *ports, size_t size)
{
	int group = SHUNT_PCI_NO_GROUP;
	size_t used = 0;

	ports[0] = '\0';
	for (size_t i = 0; i < doctor->list.count && used < size; i++) {
		const struct shunt_pci_function *function = &doctor->list.functions[i];

		if (!rte_net_shunt_drives(function->vendor, function->device) ||
			function->group == SHUNT_PCI_NO_GROUP || !function->cdev[0])
			continue;
		if (group == SHUNT_PCI_NO_GROUP)
			group = function->group;
		if (function->group == group)
			used += (size_t)snprintf(ports + used, size - used, "%s%s", used ? "," : "",
				function->address);
	}
	if (!used || used >= size)
		snprintf(ports, size, "PORTS");
}

/* Not every switch meets traffic: a third more than are missing. */
static void advise_gathering(const struct doctor *doctor, const struct shunt_evidence_seen *seen,
	struct finding *finding)
{
	const uint64_t missing = SHUNT_EVIDENCE_ENOUGH - seen->switches;
	char ports[128];

	list_ports(doctor, ports, sizeof(ports));
	doctor_advise(finding,
		"plan auto takes quiesce; to gather evidence: shunt forward --ports %s --plan "
		"replace --switch-every 10ms --switches %" PRIu64,
		ports, missing + missing / 3);
}

static void say_kind(
	struct doctor *doctor, const struct shunt_evidence *evidence, enum shunt_hwpt_kind kind)
{
	const struct shunt_evidence_seen *seen = &evidence->seen[kind];
	char text[SHUNT_EVIDENCE_TEXT];
	struct finding *finding;

	shunt_evidence_say(evidence, kind, text);
	finding = doctor_find(doctor, FINDING_OK, SUBJECT, "%s", text);
	if (shunt_evidence_hitless(seen))
		doctor_advise(finding, "plan auto takes it");
	else if (seen->faulted || seen->unknown)
		doctor_advise(finding, "plan auto takes quiesce");
	else
		advise_gathering(doctor, seen, finding);
}

void doctor_check_evidence(struct doctor *doctor, const struct shunt_platform_info *info)
{
	struct shunt_evidence evidence;
	const enum shunt_hwpt_kind first = SHUNT_HWPT_EXPLICIT, second = SHUNT_HWPT_AUTOMATIC;
	char path[PATH_MAX];
	int ret = 0;

	if (strcmp(info->iommu, "none") == 0) /* that is said elsewhere */
		return;
	if (doctor->evidence)
		doctor_path(path, sizeof(path), "%s", doctor->evidence);
	else
		ret = shunt_evidence_path(path, sizeof(path));
	if (!ret)
		ret = shunt_evidence_read(path, info, &evidence);
	if (ret) {
		doctor_find(doctor, FINDING_WARN, SUBJECT,
			"what was seen of it is not known, so plan auto does not work: %s",
			shunt_errmsg());
		return;
	}
	if (evidence.seen[first].switches || !evidence.seen[second].switches)
		say_kind(doctor, &evidence, first);
	if (evidence.seen[second].switches)
		say_kind(doctor, &evidence, second);
}
