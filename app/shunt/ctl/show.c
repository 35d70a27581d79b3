/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <shunt/error.h>

#include "ctl.h"
#include "text.h"

/* jansson iterates over non-const objects only. */
static json_t *walked(const json_t *object)
{
	return (json_t *)(uintptr_t)object;
}

/* Prints a reply as text or as JSON, and releases it. */
static int show(json_t *answer, const struct ctl_options *options, void (*print)(const json_t *))
{
	if (options->json)
		return text_json(answer);
	print(answer);
	json_decref(answer);
	return 0;
}

static void print_ports(const json_t *group)
{
	const char *id;
	json_t *port;

	json_object_foreach (walked(json_object_get(group, "ports")), id, port)
		printf("  port %-3s %-14s %-24s %s%s\n", id, ctl_text(port, "function"),
			ctl_text(port, "name"), ctl_text(port, "driver"),
			ctl_count(port, "can_pause")  ? ""
			: ctl_count(port, "can_stop") ? ", cannot pause: stop and start"
						      : ", can neither pause nor stop");
}

static void print_list(const json_t *list)
{
	const char *kernel = ctl_text(list, "kernel");
	const char *number;
	json_t *group;

	printf("platform %s: IOMMU %s%s%s%s; %s\n", ctl_text(list, "platform"),
		ctl_text(list, "iommu"), kernel[0] ? ", Linux " : "", kernel,
		ctl_count(list, "emulated") ? "; emulated: no figure is from hardware" : "",
		ctl_text(list, "dpdk"));
	json_object_foreach (walked(json_object_get(list, "groups")), number, group) {
		printf("group %s: space '%s'\n", number, ctl_text(group, "space"));
		print_ports(group);
	}
}

static void print_group(const json_t *group)
{
	printf("group %" PRIu64 ": space '%s'\n", ctl_count(group, "group"),
		ctl_text(group, "space"));
	print_ports(group);
	printf("auto would use %s: %s\n", ctl_text(group, "auto"), ctl_text(group, "auto_why"));
}

static void print_spaces(const json_t *spaces)
{
	const char *ioas;
	json_t *space;

	json_object_foreach (walked(spaces), ioas, space) {
		uint64_t groups = ctl_count(space, "groups");

		printf("space '%s': IOAS %s, %.1f MiB mapped, %s\n", ctl_text(space, "name"), ioas,
			(double)ctl_count(space, "mapped_bytes") / (1 << 20),
			groups ? "in use" : "not in use");
	}
}

static void print_copy(const json_t *space)
{
	printf("space '%s': IOAS %" PRIu64 ", %.1f MiB mapped\n", ctl_text(space, "name"),
		ctl_count(space, "ioas"), (double)ctl_count(space, "mapped_bytes") / (1 << 20));
}

static void print_destroyed(const json_t *answer)
{
	printf("space '%s' destroyed\n", ctl_text(answer, "destroyed"));
}

static void print_faults(const json_t *faults)
{
	const char *number;
	json_t *fault;

	printf("%" PRIu64 " fault record%s stored", ctl_count(faults, "records"),
		plural(ctl_count(faults, "records")));
	printf(json_object_size(json_object_get(faults, "last")) ? "; most recent:\n" : "\n");
	json_object_foreach (walked(json_object_get(faults, "last")), number, fault)
		printf("  %12s ago  %-12s %-5s of %-18s reason %" PRIu64 " (%s)\n",
			time_text(ctl_count(fault, "ago_ns")), ctl_text(fault, "function"),
			ctl_text(fault, "access"), ctl_text(fault, "iova"),
			ctl_count(fault, "reason"), ctl_text(fault, "observer"));
}

static void print_member(const char *id, const json_t *port)
{
	const char *faults = ctl_text(port, "faults");

	printf("%-5s %-14s %-16s %10s %-6s %10s %8s %10s\n", id, ctl_text(port, "function"),
		ctl_text(port, "driver"), time_text(ctl_count(port, "ioctl_ns")),
		ctl_text(port, "halt"), time_text(ctl_count(port, "paused_ns")),
		faults[0] ? faults : text_of("%" PRIu64, ctl_count(port, "faults")),
		json_object_get(port, "recovered") ? time_text(ctl_count(port, "recovery_ns"))
						   : "-");
}

void ctl_print_warning(const json_t *result)
{
	const char *warning = ctl_text(result, "warning");

	if (warning[0])
		printf("warning: %s\n", warning);
}

void ctl_print_result(const json_t *result)
{
	const char *why = ctl_text(result, "plan_reason");
	const char *id;
	json_t *port;

	printf("group %" PRIu64 ": space '%s', %" PRIu64 " switch%s so far, %" PRIu64 " failed\n",
		ctl_count(result, "group"), ctl_text(result, "space"),
		ctl_count(result, "switches"), plural_es(ctl_count(result, "switches")),
		ctl_count(result, "failed_switches"));
	if (!json_object_get(result, "plan"))
		return;
	printf("last switch: by %s, %s%s, %s%s%s\n", ctl_text(result, "plan_taken"),
		time_text(ctl_count(result, "duration_ns")),
		ctl_count(result, "rolled_back") ? ", rolled back" : "",
		ctl_text(result, "outcome"), why[0] ? "; auto: " : "", why);
	ctl_print_warning(result);
	printf("%-5s %-14s %-16s %10s %-6s %10s %8s %10s\n", "port", "function", "driver", "ioctls",
		"halt", "for", "faults", "recovered");
	json_object_foreach (walked(json_object_get(result, "ports")), id, port)
		print_member(id, port);
}

int ctl_list(struct ctl_process *process, const struct ctl_options *options)
{
	json_t *list;
	int ret = ctl_ask_list(process, &list);

	if (!ret)
		ctl_report_wanted(process);
	return ret ? ret : show(list, options, print_list);
}

int ctl_spaces(struct ctl_process *process, const struct ctl_options *options)
{
	json_t *spaces;
	int ret = ctl_ask_spaces(process, &spaces);

	return ret ? ret : show(spaces, options, print_spaces);
}

/* Verbs that are one request; the plugin's command has the verb's name. */
static const struct {
	const char *verb;
	bool of_group; /* the request begins with its number; the verb's argument follows */
	void (*print)(const json_t *answer);
} requests[] = {
	{ "group", true, print_group },
	{ "copy", true, print_copy },
	{ "destroy", false, print_destroyed },
	{ "faults", false, print_faults },
	{ "result", true, ctl_print_result },
};

int ctl_show(struct ctl_process *process, const struct ctl_options *options)
{
	const char *word = options->word_count ? text_of(",%s", options->words[0]) : "";
	int group, ret;
	json_t *answer;
	size_t i = 0;

	while (strcmp(requests[i].verb, options->verb) != 0)
		i++;
	group = requests[i].of_group ? ctl_group(process, options) : 0;
	if (group < 0)
		return group;
	ret = ctl_ask(process, &answer, "/shunt/%s%s%s", options->verb,
		requests[i].of_group ? text_of(",%d", group) : "", word);
	return ret ? ret : show(answer, options, requests[i].print);
}
