/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>

#include "generator.h"

static void remember(struct generator *generator, unsigned int ioas, uint64_t iova, uint64_t length)
{
	struct guess_ioas *guess = &generator->ioases[ioas];
	unsigned int at = guess->mapping_count;

	if (at == GENERATOR_MAPPINGS)
		at = generator_below(generator, GENERATOR_MAPPINGS);
	else
		guess->mapping_count++;
	guess->mappings[at] = (struct mapping){ iova, length };
}

/* A mapping that exists, with luck, or any other range. */
static struct mapping some_mapping(struct generator *generator, unsigned int ioas)
{
	const struct guess_ioas *guess = &generator->ioases[ioas];
	struct mapping mapping;

	if (guess->mapping_count && generator_percent(generator, 85)) {
		mapping = guess->mappings[generator_below(generator, guess->mapping_count)];
		if (generator_percent(generator, 6))
			mapping.length += WORDS_PAGE;
		if (generator_percent(generator, 6))
			mapping.iova += WORDS_PAGE;
		if (generator_percent(generator, 3) && !generator->small_pages)
			mapping.length /= 2;
	} else {
		mapping.iova = generator_some_iova(generator);
		mapping.length = generator_some_length(generator);
	}
	return mapping;
}

static void put_memory(struct generator *generator)
{
	if (generator_percent(generator, 3)) {
		generator_put(generator, " page=none");
	} else if (generator_percent(generator, 2)) {
		generator_put(generator, " va=0x%" PRIx64,
			UINT64_MAX - 0xfff * (uint64_t)generator_below(generator, 3));
	} else {
		generator_put(generator, " page=%u", generator_below(generator, PLAYER_PAGES - 64));
		if (generator->small_pages)
			return;
		if (generator->bytes ? generator_percent(generator, 30)
				     : generator_percent(generator, 2))
			generator_put(generator, " offset=%u",
				generator_percent(generator, 50)
					? 0x800
					: generator_below(generator, 4096));
	}
}

void generator_map(struct generator *generator)
{
	unsigned int ioas = generator_some_ioas(generator);
	uint64_t length = generator_some_length(generator);

	generator_put(generator, "map");
	generator_put_ioas(generator, ioas);
	if (generator_percent(generator, 40)) {
		generator_put(generator, " any");
		/* Where it is likely to go. */
		remember(generator, ioas, WORDS_PAGE, length);
	} else {
		uint64_t iova = generator_some_iova(generator);

		generator_put(generator, " 0x%" PRIx64, iova);
		remember(generator, ioas, iova, length);
	}
	generator_put(generator, " 0x%" PRIx64, length);
	generator_put_prot(generator);
	put_memory(generator);
	generator_put_flaw(generator, "flags");
	generator_put_flaw(generator, "reserved");
	generator_put_size(generator, "size");
}

void generator_unmap(struct generator *generator)
{
	unsigned int ioas = generator_some_ioas(generator);

	generator_put(generator, "unmap");
	generator_put_ioas(generator, ioas);
	if (generator_percent(generator, 12)) {
		generator_put(generator, " all");
	} else {
		struct mapping mapping = some_mapping(generator, ioas);

		generator_put(generator, " 0x%" PRIx64 " 0x%" PRIx64, mapping.iova, mapping.length);
	}
	generator_put_size(generator, "size");
}

void generator_copy(struct generator *generator)
{
	unsigned int from = generator_some_ioas(generator), to = generator_some_ioas(generator);
	struct mapping mapping = some_mapping(generator, from);

	generator_put(generator, "copy");
	generator_put_ioas(generator, from);
	generator_put(generator, " 0x%" PRIx64 " 0x%" PRIx64, mapping.iova, mapping.length);
	generator_put_ioas(generator, to);
	if (generator_percent(generator, 30)) {
		generator_put(generator, " any");
	} else {
		uint64_t iova = generator_percent(generator, 60) ? mapping.iova
								 : generator_some_iova(generator);

		generator_put(generator, " 0x%" PRIx64, iova);
		remember(generator, to, iova, mapping.length);
	}
	generator_put_prot(generator);
	generator_put_flaw(generator, "flags");
	generator_put_size(generator, "size");
}

void generator_ranges(struct generator *generator)
{
	generator_put(generator, "ranges");
	generator_put_ioas(generator, generator_some_ioas(generator));
	if (generator_percent(generator, 10))
		generator_put(generator, " room=%u", generator_below(generator, 3));
	if (generator_percent(generator, 3))
		generator_put(generator, " at=none");
	generator_put_flaw(generator, "reserved");
	generator_put_size(generator, "size");
}

void generator_allow(struct generator *generator)
{
	static const char *const choices[] = { "", "", "", " 0x1000-0x1ffff",
		" 0x10000-0x13fff 0x4000-0x7fff", " 0x4000-0x7fff 0x8000-0x9fff 0xb000-0x1ffff",
		" 0x0-0xffffffffffff", " 0xfee00000-0xfee00fff", " 0x5000-0x4000", " 0x5000-0x5000",
		" 0x1000-0x4fff 0x4000-0x8000", " 0x1000000000000-0x1ffffffffffff",
		" 0xfffffffffffff000-0xffffffffffffffff", " 0x8000-0xfedfffff" };

	generator_put(generator, "allow");
	generator_put_ioas(generator, generator_some_ioas(generator));
	generator_put(
		generator, "%s", choices[generator_below(generator, GENERATOR_COUNT(choices))]);
	if (generator_percent(generator, 3))
		generator_put(generator, " at=none");
	generator_put_flaw(generator, "reserved");
	generator_put_size(generator, "size");
}

void generator_option(struct generator *generator)
{
	static const char *const hows[] = { "get", "set", "set", "set", "7" };

	if (generator_percent(generator, 10)) {
		generator_put(generator, "option rlimit-mode %s #%u %u",
			hows[generator_below(generator, 5)],
			generator_percent(generator, 80) ? 0 : 1, generator_below(generator, 3));
	} else if (generator_percent(generator, 5)) {
		generator_put(generator, "option %u get #0", 2 + generator_below(generator, 3));
	} else {
		generator_put(
			generator, "option huge-pages %s", hows[generator_below(generator, 5)]);
		generator_put_ioas(generator, generator_some_ioas(generator));
		if (!generator->small_pages)
			generator_put(generator, " 1");
		else
			generator_put(generator, " %u",
				generator_percent(generator, 90) ? generator_below(generator, 2)
								 : 2);
	}
	generator_put_flaw(generator, "reserved");
	generator_put_size(generator, "size");
}
