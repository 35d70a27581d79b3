/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "generator.h"

/* splitmix64, in the public domain. */
uint64_t generator_next(struct generator *generator)
{
	uint64_t z = generator->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

unsigned int generator_below(struct generator *generator, unsigned int n)
{
	return (unsigned int)(generator_next(generator) % n);
}

bool generator_percent(struct generator *generator, unsigned int chance)
{
	return generator_below(generator, 100) < chance;
}

void generator_put(struct generator *generator, const char *format, ...)
{
	size_t used = strlen(generator->line);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(generator->line + used, sizeof(generator->line) - used, format, arguments);
	va_end(arguments);
}

void generator_put_ioas(struct generator *generator, unsigned int ioas)
{
	if (generator_percent(generator, 3))
		generator_put(generator, " #%u", generator_below(generator, 14));
	else if (generator_percent(generator, 2))
		generator_put(generator, " @%u", generator_below(generator, generator->ports));
	else
		generator_put(generator, " %c", 'A' + ioas);
}

unsigned int generator_some_ioas(struct generator *generator)
{
	unsigned int ioas = generator_below(generator, GENERATOR_IOASES);

	for (unsigned int i = 0; i < GENERATOR_IOASES; i++) {
		if (generator->ioases[(ioas + i) % GENERATOR_IOASES].there)
			return (ioas + i) % GENERATOR_IOASES;
	}
	return ioas;
}

unsigned int generator_some_hwpt(struct generator *generator)
{
	unsigned int hwpt = generator_below(generator, GENERATOR_HWPTS);

	for (unsigned int i = 0; i < GENERATOR_HWPTS; i++) {
		if (generator->hwpts[(hwpt + i) % GENERATOR_HWPTS])
			return (hwpt + i) % GENERATOR_HWPTS;
	}
	return hwpt;
}

unsigned int generator_some_device(struct generator *generator, bool bound)
{
	unsigned int device = generator_below(generator, generator->ports);

	for (unsigned int i = 0; i < generator->ports; i++) {
		if (generator->devices[(device + i) % generator->ports].bound == bound)
			return (device + i) % generator->ports;
	}
	return device;
}

uint64_t generator_some_iova(struct generator *generator)
{
	static const uint64_t edges[] = {
		0,
		0xfedff000,
		0xfedfe000,
		0xfee00000,
		0xfeeff000,
		0xfef00000,
		0xfffffffff000,
		0xffffffffe000,
		0x1000000000000,
		0xfffffffffffff000,
		0xffffffffffffe000,
	};
	uint64_t iova;

	if (generator_percent(generator, 15))
		iova = edges[generator_below(generator, GENERATOR_COUNT(edges))];
	else
		iova = (uint64_t)generator_below(generator, 24) << 12;
	if (generator_percent(generator, 3))
		return UINT64_MAX;
	if (generator->small_pages)
		return iova;
	if (generator->bytes ? generator_percent(generator, 25) : generator_percent(generator, 3))
		iova += generator_percent(generator, 50) ? 0x800 : generator_below(generator, 4096);
	return iova;
}

uint64_t generator_some_length(struct generator *generator)
{
	static const uint64_t odd[] = { 0, UINT64_MAX, 0xffffffffffffe000, 0x8000000000000000, 1,
		0x800, 0x1001, 0x1800 };

	if (generator->bytes && generator_percent(generator, 40))
		return generator_percent(generator, 60) ? 0x800
							: 1 + generator_below(generator, 0x3000);
	if (generator_percent(generator, 4))
		return odd[generator_below(
			generator, generator->small_pages ? 4 : GENERATOR_COUNT(odd))];
	return (1 + generator_below(generator, generator_percent(generator, 80) ? 4 : 40)) *
	       (uint64_t)WORDS_PAGE;
}

void generator_put_prot(struct generator *generator)
{
	static const char *const names[] = { "rw", "rw", "rw", "r", "r", "w" };

	generator_put(generator, " %s",
		generator_percent(generator, 2)
			? "none"
			: names[generator_below(generator, GENERATOR_COUNT(names))]);
}

/* Bends the structure that is handed over. */
void generator_put_size(struct generator *generator, const char *key)
{
	if (generator_percent(generator, 94))
		return;
	switch (generator_below(generator, 6)) {
	case 0:
		generator_put(generator, " %s=%u", key, 4 * generator_below(generator, 14));
		break;
	case 1:
		generator_put(generator, " %s=300", key);
		break;
	case 2:
		generator_put(
			generator, " %s=300 tail=%u", key, 64 + generator_below(generator, 100));
		break;
	case 3:
		generator_put(generator, " arg=none");
		break;
	case 4:
		generator_put(generator, " arg=edge");
		break;
	default:
		generator_put(generator, " arg=edge %s=300", key);
		break;
	}
}

void generator_put_flaw(struct generator *generator, const char *key)
{
	if (generator_percent(generator, 2))
		generator_put(generator, " %s=%s", key,
			generator_percent(generator, 50) ? "0x80" : "0x8000");
}
