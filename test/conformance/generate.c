/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "generate.h"
#include "generator.h"

static void make_ioas(struct generator *generator)
{
	unsigned int ioas = generator_below(generator, GENERATOR_IOASES);

	for (unsigned int i = 0; i < GENERATOR_IOASES && generator->ioases[ioas].there; i++)
		ioas = (ioas + 1) % GENERATOR_IOASES;
	generator_put(generator, "ioas %c", 'A' + ioas);
	generator_put_flaw(generator, "flags");
	generator_put_size(generator, "size");
	memset(&generator->ioases[ioas], 0, sizeof(generator->ioases[ioas]));
	generator->ioases[ioas].there = true;
}

static void make_hwpt(struct generator *generator)
{
	unsigned int hwpt = generator_below(generator, GENERATOR_HWPTS);

	for (unsigned int i = 0; i < GENERATOR_HWPTS && generator->hwpts[hwpt]; i++)
		hwpt = (hwpt + 1) % GENERATOR_HWPTS;
	generator_put(generator, "hwpt H%u", hwpt);
	if (generator_percent(generator, 4))
		generator_put_ioas(generator, generator_some_ioas(generator));
	else
		generator_put(generator, " @%u", generator_some_device(generator, true));
	if (generator_percent(generator, 4))
		generator_put(generator, " H%u", generator_some_hwpt(generator));
	else
		generator_put_ioas(generator, generator_some_ioas(generator));
	if (generator_percent(generator, 2))
		generator_put(generator, " flags=%u", 1u << generator_below(generator, 2));
	else
		generator_put_flaw(generator, "flags");
	generator_put_flaw(generator, "reserved");
	if (generator_percent(generator, 2))
		generator_put(generator, " data-type=%u", generator_below(generator, 2));
	if (generator_percent(generator, 2))
		generator_put(generator, " data-length=%u", 8 * generator_below(generator, 3));
	generator_put_size(generator, "size");
	generator->hwpts[hwpt] = true;
}

static void destroy(struct generator *generator)
{
	unsigned int one;

	generator_put(generator, "destroy");
	if (generator_percent(generator, 50)) {
		one = generator_some_hwpt(generator);
		generator_put(generator, " H%u", one);
		if (generator_percent(generator, 60))
			generator->hwpts[one] = false;
	} else if (generator_percent(generator, 50)) {
		one = generator_some_ioas(generator);
		generator_put(generator, " %c", 'A' + one);
		if (generator_percent(generator, 40))
			generator->ioases[one].there = false;
	} else if (generator_percent(generator, 70)) {
		generator_put(generator, " #%u", generator_below(generator, 14));
	} else {
		generator_put(generator, " @%u", generator_below(generator, generator->ports));
	}
	generator_put_size(generator, "size");
}

static void bind(struct generator *generator)
{
	static const char *const wrong[] = { "device", "none", "closed", "1", "0" };
	unsigned int device = generator_some_device(generator, generator_percent(generator, 5));

	generator_put(generator, "bind %u", device);
	if (generator_percent(generator, 3))
		generator_put(generator, " iommufd=%s",
			wrong[generator_below(generator, GENERATOR_COUNT(wrong))]);
	generator_put_flaw(generator, "flags");
	/* Linux 7 looks at what is behind the structure, 6.12 does not. */
	if (generator_percent(generator, 2))
		generator_put(generator, " argsz=%u", 4 * generator_below(generator, 8));
	else if (generator_percent(generator, 1))
		generator_put(generator, " arg=none");
	generator->devices[device].bound = generator->devices[device].open;
}

static void attach(struct generator *generator)
{
	unsigned int device = generator_some_device(generator, generator_percent(generator, 97));

	generator_put(generator, "attach %u", device);
	if (generator_percent(generator, 60))
		generator_put(generator, " H%u", generator_some_hwpt(generator));
	else
		generator_put_ioas(generator, generator_some_ioas(generator));
	generator_put_flaw(generator, "flags");
	generator_put_size(generator, "argsz");
	generator->devices[device].attached = true;
}

static void detach(struct generator *generator)
{
	unsigned int device = generator_some_device(generator, generator_percent(generator, 97));

	generator_put(generator, "detach %u", device);
	generator_put_flaw(generator, "flags");
	generator_put_size(generator, "argsz");
	generator->devices[device].attached = false;
}

static void open_or_close(struct generator *generator)
{
	unsigned int device = generator_below(generator, generator->ports);
	struct guess_device *guess = &generator->devices[device];

	for (unsigned int i = 0; i < generator->ports; i++) {
		if (!generator->devices[i].open) {
			generator_put(generator, "open %u", i);
			generator->devices[i].open = true;
			return;
		}
	}
	generator_put(generator, "close %u", device);
	*guess = (struct guess_device){ false, false, false };
}

static void rare(struct generator *generator)
{
	switch (generator_below(generator, 9)) {
	case 0:
		generator_put(generator, "compatibility get");
		break;
	case 1:
		generator_put(generator, "compatibility set");
		generator_put_ioas(generator, generator_some_ioas(generator));
		break;
	case 2:
		generator_put(generator, "compatibility %s",
			generator_percent(generator, 50) ? "clear" : "9");
		break;
	case 3:
		generator_put(generator, "dirty-tracking H%u %s", generator_some_hwpt(generator),
			generator_percent(generator, 50) ? "on" : "off");
		generator_put_flaw(generator, "flags");
		generator_put_size(generator, "size");
		return;
	case 4:
		generator_put(generator, "dirty-bitmap H%u 0x%x 0x%x 0x%x",
			generator_some_hwpt(generator), 0x800 * generator_below(generator, 8),
			0x800 * (1 + generator_below(generator, 8)),
			0x800 * generator_below(generator, 3));
		break;
	case 5:
		generator_put(generator, "info @%u room=%u",
			generator_below(generator, generator->ports),
			8 * generator_below(generator, 8));
		break;
	case 6:
		generator_put(
			generator, "request 0x%x", generator_percent(generator, 50) ? 0x7f : 0xff);
		return;
	case 7:
		generator_put(generator, "device-request %u %u",
			generator_below(generator, generator->ports),
			90 + generator_below(generator, 9));
		return;
	default:
		generator_put(generator, "iommufd %u", generator_percent(generator, 70) ? 0 : 1);
		return;
	}
	generator_put_flaw(generator, "reserved");
	generator_put_size(generator, "size");
}

static bool nothing_yet(const struct generator *generator)
{
	for (unsigned int i = 0; i < GENERATOR_IOASES; i++) {
		if (generator->ioases[i].there)
			return false;
	}
	return true;
}

static bool nobody_bound(const struct generator *generator)
{
	for (unsigned int i = 0; i < generator->ports; i++) {
		if (generator->devices[i].bound)
			return false;
	}
	return true;
}

static void make_line(struct generator *generator)
{
	static const struct {
		void (*make)(struct generator *generator);
		unsigned int weight;
	} choices[] = {
		{ make_ioas, 6 },
		{ make_hwpt, 10 },
		{ destroy, 10 },
		{ bind, 5 },
		{ attach, 26 },
		{ detach, 8 },
		{ open_or_close, 2 },
		{ generator_map, 18 },
		{ generator_unmap, 7 },
		{ generator_copy, 9 },
		{ generator_ranges, 6 },
		{ generator_allow, 3 },
		{ generator_option, 3 },
		{ rare, 3 },
	};
	unsigned int total = 0, at;

	generator->line[0] = '\0';
	if (nothing_yet(generator) && generator_percent(generator, 80)) {
		make_ioas(generator);
		return;
	}
	if (nobody_bound(generator) && generator_percent(generator, 50)) {
		bind(generator);
		return;
	}
	for (size_t i = 0; i < GENERATOR_COUNT(choices); i++)
		total += choices[i].weight;
	at = generator_below(generator, total);
	for (size_t i = 0; i < GENERATOR_COUNT(choices); i++) {
		if (at < choices[i].weight) {
			choices[i].make(generator);
			return;
		}
		at -= choices[i].weight;
	}
}

int generate_script(
	uint64_t seed, unsigned int operations, unsigned int ports, struct script *script)
{
	struct generator generator = { .state = seed, .ports = ports };
	int ret = 0;

	*script = (struct script){ NULL, 0 };
	generator.bytes = generator_percent(&generator, 20);
	generator.small_pages = !generator.bytes && generator_percent(&generator, 40);
	for (unsigned int i = 0; i < ports; i++)
		generator.devices[i].open = true;
	for (unsigned int i = 0; i < operations && !ret; i++) {
		make_line(&generator);
		ret = script_add(script, generator.line);
	}
	if (ret)
		script_free(script);
	return ret;
}
