/* SPDX-License-Identifier: BSD-3-Clause */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_version.h>

#include <shunt/error.h>

#include "hosted.h"
#include "plugin.h"

/*
 * If only some of EAL's VFIO functions were replaced, a PCI function could get two owners. So this
 * checks at load time that every VFIO function of this DPDK comes from here, for all callers in the
 * process.
 */

#define EAL     "librte_eal.so"
#define PCI_BUS "librte_bus_pci.so"
#define PREFIX  "rte_vfio_"
#define PRELOAD "LD_PRELOAD"

/* What an object of this process defines and wants, read from its dynamic section. */
struct symbols {
	const ElfW(Sym) * table;
	uint32_t count;
	const char *names;
	const char *soname;
};

/* Addresses in a dynamic section are absolute where the linker has relocated it, as glibc does on
 * most machines, and offsets elsewhere. */
static const void *at(const struct link_map *object, ElfW(Addr) address)
{
	return (const void *)(address < object->l_addr ? address + object->l_addr : address);
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

static struct symbols symbols_of(const struct link_map *object)
{
	const uint32_t *hash = NULL,
		       *gnu_hash = NULL; /* hash: number of buckets, of symbols, ... */
	struct symbols symbols = { 0 };
	ElfW(Xword) soname = 0;

	for (const ElfW(Dyn) *entry = object->l_ld; entry->d_tag != DT_NULL; entry++) {
		switch (entry->d_tag) {
		case DT_SYMTAB:
			symbols.table = at(object, entry->d_un.d_ptr);
			break;
		case DT_STRTAB:
			symbols.names = at(object, entry->d_un.d_ptr);
			break;
		case DT_HASH:
			hash = at(object, entry->d_un.d_ptr);
			break;
		case DT_GNU_HASH:
			gnu_hash = at(object, entry->d_un.d_ptr);
			break;
		case DT_SONAME:
			soname = entry->d_un.d_val;
			break;
		default:
			break;
		}
	}
	if (soname && symbols.names)
		symbols.soname = symbols.names + soname;
	if (symbols.table && symbols.names && (hash || gnu_hash))
		symbols.count = hash ? hash[1] : count_gnu(gnu_hash);
	return symbols;
}

/* Whether an object defines a symbol, or else wants it from elsewhere. */
static bool has(const struct link_map *object, const char *name, bool defined)
{
	const struct symbols symbols = symbols_of(object);

	for (uint32_t i = 1; i < symbols.count; i++)
		if ((symbols.table[i].st_shndx != SHN_UNDEF) == defined &&
			strcmp(symbols.names + symbols.table[i].st_name, name) == 0)
			return true;
	return false;
}

/* File name without its folder. */
static const char *name_of(const struct link_map *object)
{
	const char *slash = strrchr(object->l_name, '/');

	if (!object->l_name[0])
		return "the application";
	return slash ? slash + 1 : object->l_name;
}

static bool is_library(const struct link_map *object, const char *library)
{
	return strncmp(name_of(object), library, strlen(library)) == 0;
}

static struct link_map *program(void)
{
	return _r_debug.r_map; /* libraries follow in the order in which symbols are looked for */
}

static struct link_map *find_library(const char *library)
{
	struct link_map *object = program();

	while (object && !is_library(object, library))
		object = object->l_next;
	return object;
}

static struct link_map *find_soname(const char *soname)
{
	struct link_map *object = program();

	for (; object; object = object->l_next) {
		const struct symbols symbols = symbols_of(object);

		if (symbols.soname && strcmp(symbols.soname, soname) == 0)
			break;
	}
	return object;
}

/* Appends what an object needs to a list, each object once. @return whether a library is in it */
static bool add_needed(const struct link_map *object, const char *library, struct link_map **list,
	unsigned int *count)
{
	const struct symbols symbols = symbols_of(object);

	for (const ElfW(Dyn) *entry = object->l_ld; entry->d_tag != DT_NULL; entry++) {
		struct link_map *needed;
		const char *name;
		unsigned int i = 0;

		if (entry->d_tag != DT_NEEDED || !symbols.names)
			continue;
		name = symbols.names + entry->d_un.d_val;
		if (strncmp(name, library, strlen(library)) == 0)
			return true;
		needed = find_soname(name);
		while (i < *count && list[i] != needed)
			i++;
		if (needed && i == *count)
			list[(*count)++] = needed;
	}
	return false;
}

/* Whether the program needs a library whose name begins so, itself or through what it needs. */
static bool program_needs(const char *library)
{
	unsigned int room = 0, count = 1;
	struct link_map **list;
	bool found = false;

	for (struct link_map *object = program(); object; object = object->l_next)
		room++;
	list = calloc(room + 1, sizeof(struct link_map *));
	if (!list)
		return false;
	list[0] = program();
	for (unsigned int i = 0; i < count && !found; i++)
		found = add_needed(list[i], library, list, &count);
	free(list);
	return found;
}

static struct link_map *own_object(void)
{
	struct link_map *object = NULL;
	Dl_info info;

	if (!dladdr1((void *)(uintptr_t)hosted_vfio_api, &info, (void **)&object, RTLD_DL_LINKMAP))
		return NULL;
	return object;
}

static int check_application(const struct link_map *own)
{
	const char *first = hosted_vfio_api[0].name;

	if (has(program(), first, true))
		return shunt_fail(-ENOTSUP,
			"the application has DPDK linked into itself, its calls cannot be taken "
			"over: link it with DPDK's shared libraries");
	if (!program_needs(EAL))
		return shunt_fail(-ENOTSUP,
			"the application does not use DPDK's shared libraries (%s): it is no DPDK "
			"application, or has DPDK linked into itself; link it with the shared "
			"ones",
			EAL);
	for (struct link_map *object = program(); object; object = object->l_next)
		if (object != own && !is_library(object, EAL) && has(object, first, true))
			return shunt_fail(-EEXIST,
				"two providers of EAL's VFIO: %s beside %s; preload one of them",
				object->l_name, own->l_name);
	return 0;
}

static int check_known(const struct link_map *eal)
{
	const struct symbols symbols = symbols_of(eal);

	for (uint32_t i = 1; i < symbols.count; i++) {
		const char *name = symbols.names + symbols.table[i].st_name;
		const struct hosted_vfio_call *entry = hosted_vfio_api;

		if (symbols.table[i].st_shndx == SHN_UNDEF ||
			strncmp(name, PREFIX, strlen(PREFIX)) != 0)
			continue;
		while (entry->name && strcmp(entry->name, name) != 0)
			entry++;
		if (!entry->name)
			return shunt_fail(
				-ENOTSUP, "%s of this DPDK has no counterpart here", name);
	}
	return 0;
}

static int check_entries(unsigned int *count)
{
	const struct link_map *eal = find_library(EAL), *bus = find_library(PCI_BUS);
	int ret;

	if (!eal || !bus)
		return shunt_fail(-ENOTSUP, "no %s: there is nothing to take over", PCI_BUS);
	ret = check_known(eal);
	*count = 0;
	for (const struct hosted_vfio_call *entry = hosted_vfio_api; entry->name && !ret; entry++) {
		if (entry->needed && !has(bus, entry->name, false))
			return shunt_fail(-ENOTSUP,
				"%s does not call %s: this DPDK takes its devices in another way",
				name_of(bus), entry->name);
		if (dlsym(RTLD_DEFAULT, entry->name) != entry->function)
			return shunt_fail(-ENOTSUP,
				"%s is bound to another library: this one has to be loaded before "
				"all others (`shunt run` does it)",
				entry->name);
		(*count)++;
	}
	return ret;
}

/* Programs that the application starts do not inherit the preload. */
static void leave_environment(const struct link_map *own)
{
	const char *list = getenv(PRELOAD);
	size_t size = list ? strlen(list) + 1 : 0, used = 0;
	char *words = list ? strdup(list) : NULL, *kept = calloc(1, size + 1);
	char *next = words, *word;

	while (words && kept && (word = strsep(&next, ": ")) != NULL)
		if (*word && strcmp(word, own->l_name) != 0)
			used += (size_t)snprintf(
				kept + used, size - used, "%s%s", used ? ":" : "", word);
	if (used)
		setenv(PRELOAD, kept, 1);
	else
		unsetenv(PRELOAD);
	free(kept);
	free(words);
}

static int take_over(unsigned int *count)
{
	const struct link_map *own = own_object();
	int ret;

	if (!own)
		return shunt_fail(-EIO, "the dynamic linker does not know this library");
	ret = check_application(own);
	if (!ret)
		ret = shunt_check_release();
	if (!ret)
		ret = check_entries(count);
	if (!ret)
		leave_environment(own);
	return ret;
}

/* No caller yet that could get an error, and without the checks the process must not continue. */
RTE_INIT(hosted_start)
{
	unsigned int count = 0;

	if (take_over(&count)) {
		fprintf(stderr, "shunt: DPDK's drivers cannot be hosted: %s\n", shunt_errmsg());
		_exit(EXIT_FAILURE);
	}
	shunt_named_only();
	fprintf(stderr,
		"shunt: hosting DPDK's PCI drivers on iommufd: %u entry points of VFIO in %s "
		"(%s) taken over\n",
		count, rte_version(), name_of(find_library(EAL)));
}
