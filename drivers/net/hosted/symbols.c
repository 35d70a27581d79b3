/* SPDX-License-Identifier: BSD-3-Clause */
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbols.h"

struct dynamic {
	const ElfW(Sym) * symbols;
	const char *strings;
	const uint32_t *hash;     /* DT_HASH: number of buckets, of symbols, ... */
	const uint32_t *gnu_hash; /* DT_GNU_HASH */
	const char *soname;
};

/* Addresses in a dynamic section are absolute where the linker has relocated it, as glibc does on
 * most machines, and offsets elsewhere. */
static const void *at(const struct link_map *object, ElfW(Addr) address)
{
	return (const void *)(address < object->l_addr ? address + object->l_addr : address);
}

static void read_dynamic(const struct link_map *object, struct dynamic *dynamic)
{
	ElfW(Xword) soname = 0;

	*dynamic = (struct dynamic){ 0 };
	for (const ElfW(Dyn) *entry = object->l_ld; entry->d_tag != DT_NULL; entry++) {
		switch (entry->d_tag) {
		case DT_SYMTAB:
			dynamic->symbols = at(object, entry->d_un.d_ptr);
			break;
		case DT_STRTAB:
			dynamic->strings = at(object, entry->d_un.d_ptr);
			break;
		case DT_HASH:
			dynamic->hash = at(object, entry->d_un.d_ptr);
			break;
		case DT_GNU_HASH:
			dynamic->gnu_hash = at(object, entry->d_un.d_ptr);
			break;
		case DT_SONAME:
			soname = entry->d_un.d_val;
			break;
		default:
			break;
		}
	}
	if (soname && dynamic->strings)
		dynamic->soname = dynamic->strings + soname;
}

/* GNU's table has no count: the last chain ends with the last symbol. It is: buckets, first symbol
 * in the table, words of the filter, its shift, the filter, the buckets, the chains. */
static uint32_t count_gnu(const uint32_t *table)
{
	const uint32_t buckets = table[0], first = table[1];
	const uint32_t *bucket =
		(const uint32_t *)((const ElfW(Addr) *)(const void *)(table + 4) + table[2]);
	const uint32_t *chain = bucket + buckets;
	uint32_t last = 0;

	for (uint32_t i = 0; i < buckets; i++)
		if (bucket[i] > last)
			last = bucket[i];
	if (last < first)
		return first;
	while (!(chain[last - first] & 1))
		last++;
	return last + 1;
}

int symbols_walk(const struct link_map *object,
	int (*visit)(const char *name, bool defined, void *context), void *context)
{
	struct dynamic dynamic;
	uint32_t count = 0;
	int ret = 0;

	read_dynamic(object, &dynamic);
	if (!dynamic.symbols || !dynamic.strings)
		return 0;
	if (dynamic.hash)
		count = dynamic.hash[1];
	else if (dynamic.gnu_hash)
		count = count_gnu(dynamic.gnu_hash);
	for (uint32_t i = 1; i < count && !ret; i++)
		ret = visit(dynamic.strings + dynamic.symbols[i].st_name,
			dynamic.symbols[i].st_shndx != SHN_UNDEF, context);
	return ret;
}

struct sought {
	const char *name;
	bool defined;
};

static int match(const char *name, bool defined, void *context)
{
	const struct sought *sought = context;

	return defined == sought->defined && strcmp(name, sought->name) == 0;
}

bool symbols_has(const struct link_map *object, const char *name, bool defined)
{
	struct sought sought = { name, defined };

	return symbols_walk(object, match, &sought);
}

struct link_map *symbols_objects(void)
{
	return _r_debug.r_map;
}

const char *symbols_object_name(const struct link_map *object)
{
	const char *slash = strrchr(object->l_name, '/');

	if (!object->l_name[0])
		return "the application";
	return slash ? slash + 1 : object->l_name;
}

static struct link_map *find_object(const char *soname)
{
	struct dynamic dynamic;

	for (struct link_map *object = symbols_objects(); object; object = object->l_next) {
		read_dynamic(object, &dynamic);
		if (dynamic.soname && strcmp(dynamic.soname, soname) == 0)
			return object;
	}
	return NULL;
}

/* Objects that were looked at are few, and so are the libraries of a program. */
static bool needs(struct link_map *object, const char *library, struct link_map **seen,
	unsigned int *count, unsigned int room)
{
	struct dynamic dynamic;

	for (unsigned int i = 0; i < *count; i++)
		if (seen[i] == object)
			return false;
	if (*count == room)
		return false;
	seen[(*count)++] = object;
	read_dynamic(object, &dynamic);
	for (const ElfW(Dyn) *entry = object->l_ld; entry->d_tag != DT_NULL; entry++) {
		const char *name;
		struct link_map *next;

		if (entry->d_tag != DT_NEEDED || !dynamic.strings)
			continue;
		name = dynamic.strings + entry->d_un.d_val;
		if (strncmp(name, library, strlen(library)) == 0)
			return true;
		next = find_object(name);
		if (next && needs(next, library, seen, count, room))
			return true;
	}
	return false;
}

bool symbols_program_needs(const char *library)
{
	unsigned int room = 0, count = 0;
	struct link_map **seen;
	bool found;

	for (struct link_map *object = symbols_objects(); object; object = object->l_next)
		room++;
	seen = calloc(room + 1, sizeof(struct link_map *));
	if (!seen)
		return false;
	found = needs(symbols_objects(), library, seen, &count, room);
	free(seen);
	return found;
}
