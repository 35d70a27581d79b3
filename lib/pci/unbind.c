/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <shunt/error.h>

#include "bind.h"
#include "identify.h"

/* One unbind: the records that are asked for, and the outcome for their functions. */
struct unbind {
	const struct shunt_pci_machine *machine;
	struct shunt_pci_list list;
	struct pci_records records;
	bool *chosen; /* of records */
	struct shunt_pci_bindings done;
};

static const struct shunt_pci_function *function_of(
	const struct unbind *unbind, const char *address)
{
	for (size_t i = 0; i < unbind->list.count; i++)
		if (strcmp(unbind->list.functions[i].address, address) == 0)
			return &unbind->list.functions[i];
	return NULL;
}

static int no_record(const struct unbind *unbind, const char *address)
{
	const struct shunt_pci_function *function = function_of(unbind, address);

	if (!function)
		return shunt_fail(-ENODEV,
			"there is neither a function %s nor a record of one: 'shunt list' shows "
			"those there are",
			address);
	if (!function->cdev[0] && strcmp(function->driver, PCI_VFIO_DRIVER) != 0)
		return shunt_fail(-ENOENT,
			"there is no record of what %s was on, and it is on %s, not on vfio-pci: "
			"nothing to put back",
			address, function->driver[0] ? function->driver : "no driver");
	return shunt_fail(-ENOENT,
		"there is no record of what %s was on before %s; by hand, as root: echo > "
		"/sys/bus/pci/devices/%s/driver_override; echo %s > "
		"/sys/bus/pci/devices/%s/driver/unbind; echo %s > /sys/bus/pci/drivers_probe",
		address, function->driver, address, address, address, address);
}

static int check_arguments(const char *const *addresses, size_t count)
{
	char address[16], other[16];
	int ret;

	for (size_t i = 0; i < count; i++) {
		ret = pci_address_full(addresses[i], address);
		if (ret)
			return ret;
		for (size_t j = 0; j < i; j++)
			if (!pci_address_full(addresses[j], other) && strcmp(address, other) == 0)
				return shunt_fail(-EINVAL, "%s is given twice", address);
	}
	return 0;
}

static int choose_all(struct unbind *unbind, const char *const *addresses, size_t count)
{
	const struct pci_record *record;
	char address[16];
	int ret;

	unbind->chosen = calloc(unbind->records.count + 1, sizeof(*unbind->chosen));
	if (!unbind->chosen)
		return shunt_fail(-ENOMEM, "out of memory");
	for (size_t i = 0; i < unbind->records.count; i++)
		unbind->chosen[i] = count == 0;
	for (size_t i = 0; i < count; i++) {
		ret = pci_address_full(addresses[i], address);
		if (ret)
			return ret;
		record = pci_records_find(&unbind->records, address);
		if (!record)
			return no_record(unbind, address);
		unbind->chosen[record - unbind->records.records] = true;
	}
	return 0;
}

/* The kernel's unbind waits for as long as a process has the function open. */
static int check_free(
	const struct unbind *unbind, const struct shunt_pci_function *function, bool force)
{
	struct shunt_pci_holder holder;
	int ret = shunt_pci_find_holder(unbind->machine, function, &holder);

	if (ret > 0)
		return shunt_fail(-EBUSY,
			"%s is held open by process %ld (%s): end it first, the kernel would wait "
			"for it",
			function->address, (long)holder.pid, holder.command);
	if (ret && !force)
		return shunt_fail_while(ret, "not without --force");
	return pci_check_use(unbind->machine, function, force);
}

static int check_record(const struct unbind *unbind, const struct pci_record *record, bool force)
{
	const struct shunt_pci_function *function;
	struct shunt_pci_holder holder;
	int ret = 0;

	for (size_t i = 0; !ret && i < record->count; i++) {
		function = function_of(unbind, record->functions[i].address);
		if (function)
			ret = shunt_pci_taken_back(unbind->machine, function, &holder);
		if (!ret && function && function->driver[0] &&
			strcmp(function->driver, record->functions[i].driver) != 0)
			ret = check_free(unbind, function, force);
	}
	return ret;
}

static int put_back_one(
	struct unbind *unbind, const struct pci_record *record, const struct pci_saved *saved)
{
	const struct shunt_pci_function *function = function_of(unbind, saved->address);
	struct shunt_pci_binding binding = { .group = record->group, .gone = !function };
	int ret = 0, added;

	memcpy(binding.address, saved->address, sizeof(binding.address));
	if (function) {
		memcpy(binding.before, function->driver, sizeof(binding.before));
		ret = pci_put_back(unbind->machine, saved);
		memcpy(binding.after, saved->driver, sizeof(binding.after));
	}
	added = pci_bindings_add(&unbind->done, &binding);
	return ret ? ret : added;
}

/* After a failure: where the last function of the result really is. */
static void look_again(struct unbind *unbind)
{
	struct shunt_pci_binding *binding = &unbind->done.functions[unbind->done.count - 1];
	struct pci_saved now;

	if (unbind->done.count && !pci_save(unbind->machine, binding->address, &now))
		memcpy(binding->after, now.driver, sizeof(binding->after));
}

/* The first failure is the one reported; the others are put back all the same. */
static int put_back(struct unbind *unbind)
{
	const struct pci_record *record;
	char text[1024] = "";
	int first = 0, of_record, ret;

	for (size_t i = 0; i < unbind->records.count; i++) {
		if (!unbind->chosen[i])
			continue;
		record = &unbind->records.records[i];
		of_record = 0;
		for (size_t j = 0; j < record->count; j++) {
			ret = put_back_one(unbind, record, &record->functions[j]);
			if (ret && !first)
				snprintf(text, sizeof(text), "%s", shunt_errmsg());
			if (ret)
				look_again(unbind);
			first = first ? first : ret;
			of_record = of_record ? of_record : ret;
		}
		ret = of_record ? 0 : pci_record_remove(unbind->machine, record);
		if (ret && !first) {
			snprintf(text, sizeof(text), "%s", shunt_errmsg());
			first = ret;
		}
	}
	return first ? shunt_fail(first, "%s", text) : 0;
}

int shunt_pci_unbind(const struct shunt_pci_machine *machine, const char *const *addresses,
	size_t count, bool force, struct shunt_pci_bindings *done)
{
	struct unbind unbind = { .machine = machine };
	int ret, lock = -1;

	memset(done, 0, sizeof(*done));
	ret = pci_machine_check(machine);
	if (!ret)
		ret = check_arguments(addresses, count);
	if (ret)
		return ret;
	/* Without the folder there are no records, and nothing to keep others from. */
	ret = pci_records_lock(machine, false, &lock);
	if (ret && ret != -ENOENT)
		return ret;
	ret = shunt_pci_scan(machine->platform, &unbind.list);
	if (!ret)
		ret = pci_records_read(machine, &unbind.records);
	if (!ret)
		ret = choose_all(&unbind, addresses, count);
	for (size_t i = 0; !ret && i < unbind.records.count; i++)
		if (unbind.chosen[i])
			ret = check_record(&unbind, &unbind.records.records[i], force);
	if (!ret)
		ret = put_back(&unbind);
	*done = unbind.done;
	free(unbind.chosen);
	pci_records_free(&unbind.records);
	shunt_pci_list_free(&unbind.list);
	if (lock >= 0)
		close(lock);
	return ret;
}
