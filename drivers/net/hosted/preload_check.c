/* SPDX-License-Identifier: BSD-3-Clause */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_version.h>

#include <shunt/error.h>

#include "hosted.h"
#include "plugin.h"
#include "symbols.h"

/*
 * If only some of EAL's VFIO functions were replaced, a PCI function could get two owners. So this
 * checks at load time that every VFIO function of this DPDK comes from here, for all callers in the
 * process.
 */

#define EAL     "librte_eal.so"
#define PCI_BUS "librte_bus_pci.so"
#define PREFIX  "rte_vfio_"
#define PRELOAD "LD_PRELOAD"

static bool is_library(const struct link_map *object, const char *library)
{
	return strncmp(symbols_object_name(object), library, strlen(library)) == 0;
}

static struct link_map *find_library(const char *library)
{
	struct link_map *object = symbols_objects();

	while (object && !is_library(object, library))
		object = object->l_next;
	return object;
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

	if (symbols_has(symbols_objects(), first, true))
		return shunt_fail(-ENOTSUP,
			"the application has DPDK linked into itself, its calls cannot be taken "
			"over: link it with DPDK's shared libraries");
	if (!symbols_program_needs(EAL))
		return shunt_fail(-ENOTSUP,
			"the application does not use DPDK's shared libraries (%s): it is no DPDK "
			"application, or has DPDK linked into itself; link it with the shared "
			"ones",
			EAL);
	for (struct link_map *object = symbols_objects(); object; object = object->l_next)
		if (object != own && !is_library(object, EAL) && symbols_has(object, first, true))
			return shunt_fail(-EEXIST,
				"two providers of EAL's VFIO: %s beside %s; preload one of them",
				object->l_name, own->l_name);
	return 0;
}

static int check_known(const char *name, bool defined, void *context)
{
	const struct hosted_vfio_call *entry = hosted_vfio_api;

	if (!defined || strncmp(name, PREFIX, strlen(PREFIX)) != 0)
		return 0;
	while (entry->name && strcmp(entry->name, name) != 0)
		entry++;
	if (entry->name)
		return 0;
	return shunt_fail(-ENOTSUP, "%s of this DPDK has no counterpart here", name);
}

static int check_entries(unsigned int *count)
{
	const struct link_map *eal = find_library(EAL), *bus = find_library(PCI_BUS);
	int ret;

	if (!eal || !bus)
		return shunt_fail(-ENOTSUP, "no %s: there is nothing to take over", PCI_BUS);
	ret = symbols_walk(eal, check_known, NULL);
	*count = 0;
	for (const struct hosted_vfio_call *entry = hosted_vfio_api; entry->name && !ret; entry++) {
		if (entry->needed && !symbols_has(bus, entry->name, false))
			return shunt_fail(-ENOTSUP,
				"%s does not call %s: this DPDK takes its devices in another way",
				symbols_object_name(bus), entry->name);
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
		count, rte_version(), symbols_object_name(find_library(EAL)));
}
