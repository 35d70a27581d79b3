/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/error.h>
#include <shunt/tester.h>

#include "commands.h"
#include "options.h"
#include "parse.h"

static const char usage[] =
	"Usage: shunt forward [OPTION...]\n"
	"Forwards traffic between the ports of one IOMMU group while it switches the\n"
	"group between two address spaces, and measures the DMA fault windows.\n"
	"\n"
	"Platform\n"
	"  --platform PLATFORM   kernel: this machine (default); sim: the software\n"
	"                        platform, which runs anywhere\n"
	"  --ports LIST          PCI addresses of a group's ports, separated by commas\n"
	"  --tester ADDRESS      port outside the group that sends and receives the\n"
	"                        traffic, on one Ethernet segment with the ports;\n"
	"                        default: each port sends to the next one\n"
	"  --inherit PATH=FD     use an inherited descriptor instead of opening PATH\n"
	"                        (/dev/iommu, /dev/vfio/devices/vfio0); repeatable\n"
	"Platform sim only\n"
	"  --ports N             the group's first N ports (1 to 16, default 3)\n"
	"  --groups N            number of IOMMU groups (default 1)\n"
	"  --iommu KIND          blocking (clear, flush, set), hitless, or cached\n"
	"                        (hitless while its entry is cached); default blocking\n"
	"  --nic KIND            reaction to a refused DMA: drop or wedge (default drop)\n"
	"Switching\n"
	"  --plan PLAN           replace (default), quiesce (replace with DMA paused),\n"
	"                        stop-replace-start, detach-attach, restart (stop,\n"
	"                        unmap, map, start) or auto (replace if it was hitless\n"
	"                        in 3000 switches under dense and 3000 under cold\n"
	"                        traffic, otherwise quiesce)\n"
	"  --evidence FILE       record of earlier replaces: auto reads it, runs that\n"
	"                        replace add to it; none: neither. Default: on kernel\n"
	"                        /var/lib/shunt/evidence.json (root) or\n"
	"                        ~/.local/state/shunt/evidence.json, on sim none\n"
	"  --switch-every TIME   time between two switches, 0s for none (default 100ms)\n"
	"  --switches N          stop after N switches\n"
	"  --cold TIME           make the IOMMU's caches cold before each switch: stop\n"
	"                        the traffic, invalidate the caches, stay idle for TIME,\n"
	"                        send the first frames in the middle of the switch\n"
	"  --map SPACE:IOVA:SIZE memory that only this space has ('a' is used first)\n"
	"Traffic\n"
	"  --rate N | max        frames per second and port (default max: no limit)\n"
	"  --size N | imix       frame size with FCS, 64 to 9000 (default 64)\n"
	"  --pcap FILE           send the frames of a capture file\n"
	"Run\n"
	"  --baseline TIME       run this long without switches first, as a reference\n"
	"                        (default 1s; 0s without switches)\n"
	"  --duration TIME       run this long after the baseline (default 10s, or until\n"
	"                        --switches are done)\n"
	"  --json FILE           write the result record, '-' for standard output\n"
	"  --log FILE            append a JSON line before and after each switch, and\n"
	"                        for each measurement\n"
	"  --timeline FILE       write one switch in full (frames, ioctls, faults), for\n"
	"                        shunt report --timeline\n"
	"  --timeline-switch N   number of that switch, from 0 (default the first with a\n"
	"                        fault window, otherwise the last)\n"
	"  --memory MIB          memory for frames (default 256)\n"
	"  --no-huge             use plain memory even if hugepages are free\n"
	"Times are written 250us, 100ms, 0.5s, 2m, 1h; sizes 4096, 4k, 2M, 1.5G.\n";

static int parse_ports(const char *text, void *context)
{
	struct forward_options *options = context;
	uint64_t ports;
	int ret;

	free(options->ports);
	options->ports = NULL;
	if (strchr(text, ':')) {
		options->ports = strdup(text);
		options->sim.ports = SHUNT_SIM_MAX_PORTS_PER_GROUP;
		return options->ports ? 0 : shunt_fail(-ENOMEM, "out of memory");
	}
	ret = parse_number("--ports", text, 1, SHUNT_SIM_MAX_PORTS_PER_GROUP, &ports);
	options->sim.ports = (unsigned int)ports;
	return ret;
}

static int parse_rate(const char *text, void *rate)
{
	if (strcmp(text, "max") != 0)
		return parse_number("--rate", text, 1, 100000000, rate);
	*(uint64_t *)rate = SHUNT_RATE_MAX;
	return 0;
}

static int parse_frame_size(const char *text, void *context)
{
	struct forward_options *options = context;
	uint64_t size;
	int ret;

	options->imix = strcmp(text, "imix") == 0;
	if (options->imix)
		return 0;
	ret = parse_number("--size", text, SHUNT_FRAME_MIN + SHUNT_FCS, SHUNT_FRAME_MAX, &size);
	options->size = (unsigned int)size;
	return ret;
}

static int parse_cold(const char *text, void *ns)
{
	int ret = parse_time("--cold", text, ns);

	if (ret || *(uint64_t *)ns)
		return ret;
	return shunt_fail(-EINVAL, "--cold %s: expected an idle time above 0, such as 10ms", text);
}

static int parse_map(const char *text, void *context)
{
	struct forward_options *options = context;
	struct forward_map *map = &options->maps[options->map_count];
	char copy[128], *rest = copy, *space, *iova, *size;
	int ret;

	if (options->map_count == FORWARD_MAX_MAPS)
		return shunt_fail(-EINVAL, "--map: at most %d", FORWARD_MAX_MAPS);
	snprintf(copy, sizeof(copy), "%s", text);
	space = strsep(&rest, ":");
	iova = strsep(&rest, ":");
	size = strsep(&rest, ":");
	if (!size || rest || !*space || strlen(space) >= sizeof(map->space))
		return shunt_fail(-EINVAL, "--map '%s': expected SPACE:IOVA:SIZE", text);
	snprintf(map->space, sizeof(map->space), "%s", space);
	ret = parse_number("--map, IOVA", iova, 0, UINT64_MAX, &map->iova);
	if (!ret)
		ret = parse_size("--map, SIZE", size, &map->length);
	options->map_count++;
	return ret;
}

static int parse_inherit(const char *text, void *context)
{
	struct forward_options *options = context;
	struct forward_inherit *inherit = &options->inherit[options->inherit_count];
	const char *equals = strrchr(text, '=');
	uint64_t fd;
	int ret;

	if (options->inherit_count == FORWARD_MAX_INHERIT)
		return shunt_fail(-EINVAL, "--inherit: at most %d", FORWARD_MAX_INHERIT);
	if (!equals || text[0] != '/' || equals - text >= (int)sizeof(inherit->path))
		return shunt_fail(-EINVAL, "--inherit '%s': expected PATH=FD", text);
	ret = parse_number("--inherit, FD", equals + 1, 3, INT_MAX, &fd);
	snprintf(inherit->path, sizeof(inherit->path), "%.*s", (int)(equals - text), text);
	inherit->fd = (int)fd;
	options->inherit_count++;
	return ret;
}

static int parse_iommu(const char *text, void *iommu)
{
	return shunt_sim_iommu_parse(text, iommu);
}

static int parse_nic(const char *text, void *nic)
{
	return shunt_sim_nic_parse(text, nic);
}

static int parse_plan(const char *text, void *plan)
{
	return shunt_plan_parse(text, plan);
}

static int check_timeline(const struct forward_options *options)
{
	if (options->timeline && !options->switch_every_ns)
		return shunt_fail(-EINVAL, "--timeline: --switch-every 0s disables switches");
	if (!options->timeline && options->timeline_switch != UINT64_MAX)
		return shunt_fail(-EINVAL, "--timeline-switch: --timeline is missing");
	return 0;
}

/* Caches matter only if DMA continues during a switch. */
static int check_cold(const struct forward_options *options)
{
	if (!options->cold_ns)
		return 0;
	if (!options->switch_every_ns)
		return shunt_fail(-EINVAL, "--cold: --switch-every 0s disables switches");
	if (options->plan != SHUNT_PLAN_REPLACE)
		return shunt_fail(-EINVAL, "--cold: applies to the plan replace, not to %s",
			shunt_plan_name(options->plan));
	return 0;
}

/* Options of the other platform are errors. */
static int check_platform(const struct forward_options *options, const struct parse_option *known)
{
	if (!options->kernel && options->tester)
		return shunt_fail(-EINVAL, "--tester: applies to the platform kernel; on sim the "
					   "tester needs no port");
	if (!options->kernel && options->inherit_count)
		return shunt_fail(-EINVAL, "--inherit: applies to the platform kernel");
	if (!options->kernel)
		return 0;
	for (; known->name; known++)
		if (known->given && known->applies &&
			(!options->ports || known->take != parse_ports))
			return shunt_fail(-EINVAL,
				"--%s applies to the software platform: add --platform sim, or "
				"remove it",
				known->applies);
	if (!options->ports)
		return shunt_fail(-EINVAL,
			"--ports is missing: 'shunt list' shows the ports of this machine "
			"(--platform sim needs none)");
	return 0;
}

int forward_options_parse(int argc, char **argv, struct forward_options *options)
{
	const uint64_t unset = UINT64_MAX;
	/* The second text is the option's name if it applies to the software platform only. */
	struct parse_option known[] = {
		{ "platform", .take = parse_platform, .context = &options->kernel },
		{ "ports", "ports with a number", .take = parse_ports, .context = options },
		{ "tester", .text = &options->tester },
		{ "inherit", .take = parse_inherit, .context = options },
		{ "groups", "groups", .count = &options->sim.groups, .min = 1,
			.max = SHUNT_SIM_MAX_GROUPS },
		{ "iommu", "iommu", .take = parse_iommu, .context = &options->sim.iommu },
		{ "nic", "nic", .take = parse_nic, .context = &options->sim.nic },
		{ "plan", .take = parse_plan, .context = &options->plan },
		{ "switch-every", .time = &options->switch_every_ns },
		{ "switches", .number = &options->switches, .min = 1, .max = UINT32_MAX },
		{ "cold", .take = parse_cold, .context = &options->cold_ns },
		{ "baseline", .time = &options->baseline_ns },
		{ "duration", .time = &options->duration_ns },
		{ "rate", .take = parse_rate, .context = &options->rate },
		{ "size", .take = parse_frame_size, .context = options },
		{ "pcap", .text = &options->pcap },
		{ "map", .take = parse_map, .context = options },
		{ "json", .text = &options->json },
		{ "log", .text = &options->log },
		{ "timeline", .text = &options->timeline },
		{ "timeline-switch", .number = &options->timeline_switch, .max = UINT32_MAX },
		{ "evidence", .text = &options->evidence },
		{ "memory", .number = &options->memory_mib, .min = 1, .max = 1u << 20 },
		{ "no-huge", .flag = &options->no_huge },
		{ NULL },
	};
	int ret, first;

	*options = (struct forward_options){
		.command = argv,
		.command_words = (unsigned int)argc,
		.kernel = true,
		.sim = { .groups = 1, .ports = 3 },
		.switch_every_ns = 100000000,
		.baseline_ns = unset,
		.duration_ns = unset,
		.timeline_switch = UINT64_MAX,
		.memory_mib = COMMAND_MEMORY_MIB,
	};
	first = parse_options(argc, argv, known, "shunt forward", usage);
	if (first <= 0)
		return first;
	ret = first < argc ? shunt_fail(-EINVAL, "unexpected argument '%s'", argv[first]) : 0;
	if (!ret && options->evidence && !*options->evidence)
		ret = shunt_fail(-EINVAL, "--evidence '': expected a file or none");
	if (!ret)
		ret = check_platform(options, known);
	if (!ret && options->switches && !options->switch_every_ns)
		ret = shunt_fail(-EINVAL, "--switches: --switch-every 0s disables switches");
	if (!ret)
		ret = check_cold(options);
	if (!ret)
		ret = check_timeline(options);
	if (!ret && options->pcap && (options->size || options->imix))
		ret = shunt_fail(
			-EINVAL, "--pcap and --size: a capture determines the frame sizes");
	if (!options->size)
		options->size = 64;
	if (options->baseline_ns == unset)
		options->baseline_ns = options->switch_every_ns ? 1000000000 : 0;
	if (options->duration_ns == unset)
		options->duration_ns = options->switches ? 0 : 10000000000;
	return ret ? ret : 1;
}

void forward_options_free(struct forward_options *options)
{
	free(options->ports);
}
