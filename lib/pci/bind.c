/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <shunt/error.h>

#include "bind.h"

#define BASE_CLASS_BRIDGE 0x06 /* PCI Code and ID Assignment Specification: bridge devices */

/* A group that is moved, with its record. */
struct moving_group {
	int number;
	struct pci_record before; /* what the record was; empty: there was none */
	struct pci_record record;
	bool written;
};

/* One bind: what it moves, and what it has done so far, to be undone in reverse. */
struct bind {
	const struct shunt_pci_machine *machine;
	struct shunt_pci_list list;
	struct moving_group *groups;
	size_t group_count;
	struct pci_saved *touched;
	size_t touched_count;
	struct shunt_pci_bindings done;
	uid_t *owners; /* of done.functions[], before they changed */
	size_t owners_changed;
};

/* Functions that move to user space with their group; the others do no DMA of their own. */
static bool belongs(const struct shunt_pci_function *function)
{
	bool idle_system_device =
		function->class_code >> 16 == BASE_CLASS_BRIDGE && !function->driver[0];

	return !function->is_bridge && !idle_system_device;
}

static bool is_on_vfio(const struct shunt_pci_function *function)
{
	return function->cdev[0] || strcmp(function->driver, PCI_VFIO_DRIVER) == 0;
}

static int check_bridge(const struct shunt_pci_function *bridge)
{
	if (!shunt_pci_blocks_group(bridge))
		return 0;
	return shunt_fail(-EBUSY,
		"bridge %s is on driver %s, which blocks IOMMU group %d; as root: echo %s > "
		"/sys/bus/pci/devices/%s/driver/unbind",
		bridge->address, bridge->driver, bridge->group, bridge->address, bridge->address);
}

static int check_group(const struct bind *bind, int group, bool force)
{
	const struct shunt_pci_function *function;
	struct shunt_pci_holder holder;
	int ret = 0;

	for (size_t i = 0; !ret && i < bind->list.count; i++) {
		function = &bind->list.functions[i];
		if (function->group != group)
			continue;
		if (function->is_bridge)
			ret = check_bridge(function);
		else if (belongs(function) && !is_on_vfio(function))
			ret = shunt_pci_taken_back(bind->machine, function, &holder);
		if (!ret && belongs(function) && !is_on_vfio(function))
			ret = pci_check_use(bind->machine, function, force);
	}
	return ret;
}

static int find_one(
	const struct bind *bind, const char *address, const struct shunt_pci_function **function)
{
	int ret = shunt_pci_find(&bind->list, address, function);

	if (ret)
		return ret;
	if ((*function)->is_bridge)
		return shunt_fail(-EINVAL,
			"%s is a bridge, which stays with its driver: name a function behind it",
			(*function)->address);
	if (!belongs(*function))
		return shunt_fail(-EINVAL,
			"%s is a system device without a driver, which stays as it is: name a "
			"function that does DMA",
			(*function)->address);
	return shunt_pci_translated(*function);
}

/* Whether one of the first `count` addresses names the same function. */
static bool named_before(const struct bind *bind, const char *const *addresses, size_t count,
	const struct shunt_pci_function *function)
{
	const struct shunt_pci_function *other;

	for (size_t i = 0; i < count; i++)
		if (!shunt_pci_find(&bind->list, addresses[i], &other) && other == function)
			return true;
	return false;
}

static int find_groups(struct bind *bind, const char *const *addresses, size_t count)
{
	const struct shunt_pci_function *function;
	size_t j;
	int ret;

	bind->groups = calloc(count, sizeof(*bind->groups));
	if (!bind->groups)
		return shunt_fail(-ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		ret = find_one(bind, addresses[i], &function);
		if (ret)
			return ret;
		if (named_before(bind, addresses, i, function))
			return shunt_fail(-EINVAL, "%s is given twice", function->address);
		for (j = 0; j < bind->group_count; j++)
			if (bind->groups[j].number == function->group)
				break;
		if (j == bind->group_count)
			bind->groups[bind->group_count++].number = function->group;
	}
	return 0;
}

static int gather(struct bind *bind, const struct moving_group *group)
{
	const struct shunt_pci_function *function;
	struct shunt_pci_binding binding;
	int ret = 0;

	for (size_t i = 0; !ret && i < bind->list.count; i++) {
		function = &bind->list.functions[i];
		if (function->group != group->number || !belongs(function))
			continue;
		memset(&binding, 0, sizeof(binding));
		binding.group = function->group;
		memcpy(binding.address, function->address, sizeof(binding.address));
		memcpy(binding.before, function->driver, sizeof(binding.before));
		snprintf(binding.after, sizeof(binding.after), "%s",
			is_on_vfio(function) ? function->driver : PCI_VFIO_DRIVER);
		ret = pci_bindings_add(&bind->done, &binding);
	}
	return ret;
}

static bool to_move(const struct shunt_pci_binding *binding)
{
	return strcmp(binding->before, binding->after) != 0;
}

/* Makes the record of a group, to be written before the group is touched. */
static int prepare_record(
	struct bind *bind, const struct pci_records *records, struct moving_group *group)
{
	const struct shunt_pci_binding *binding;
	const struct pci_record *found = NULL;
	const struct pci_saved *known;
	struct pci_saved saved;
	const char *first = NULL;
	int ret = 0;

	for (size_t i = 0; i < bind->done.count; i++) {
		if (bind->done.functions[i].group != group->number)
			continue;
		first = first ? first : bind->done.functions[i].address;
		found = found ? found : pci_records_find(records, bind->done.functions[i].address);
	}
	if (found) {
		ret = pci_record_copy(found, &group->before);
		if (!ret)
			ret = pci_record_copy(found, &group->record);
	} else if (first) {
		snprintf(group->record.file, sizeof(group->record.file), "%s.bind", first);
	}
	group->record.group = group->number;
	for (size_t i = 0; !ret && i < bind->done.count; i++) {
		binding = &bind->done.functions[i];
		if (binding->group != group->number)
			continue;
		ret = pci_save(bind->machine, binding->address, &saved);
		known = pci_record_find(&group->record, binding->address);
		/* Of a function on VFIO, or half moved by a killed bind, the record is right. */
		if (!ret && (!known || (to_move(binding) &&
					       strcmp(saved.override, PCI_VFIO_DRIVER) != 0)))
			ret = pci_record_add(&group->record, &saved);
	}
	return ret;
}

static int move_group(struct bind *bind, struct moving_group *group)
{
	const struct shunt_pci_binding *binding;
	struct pci_saved saved;
	int ret = 0;

	for (size_t i = 0; !ret && i < bind->done.count; i++) {
		binding = &bind->done.functions[i];
		if (binding->group != group->number || !to_move(binding))
			continue;
		if (!group->written) {
			ret = pci_record_write(bind->machine, &group->record);
			if (ret)
				return ret;
			group->written = true;
		}
		ret = pci_save(bind->machine, binding->address, &saved);
		if (ret)
			return ret;
		bind->touched[bind->touched_count++] = saved;
		ret = pci_move_to_vfio(bind->machine, binding->address);
	}
	return ret;
}

static int hand_over(struct bind *bind, uid_t owner)
{
	struct shunt_pci_binding *binding;
	char node[PATH_MAX];
	struct stat status;
	int ret;

	for (size_t i = 0; i < bind->done.count; i++) {
		binding = &bind->done.functions[i];
		ret = pci_wait_cdev(bind->machine, binding->address, binding->cdev);
		if (ret)
			return ret;
	}
	for (size_t i = 0; owner != SHUNT_PCI_NO_OWNER && i < bind->done.count; i++) {
		binding = &bind->done.functions[i];
		ret = pci_node_path(bind->machine, binding->cdev, node);
		if (ret)
			return ret;
		if (lstat(node, &status) || lchown(node, owner, (gid_t)-1))
			return shunt_fail_errno(-errno, "%s: giving %s to user %ld",
				binding->address, binding->cdev, (long)owner);
		bind->owners[bind->owners_changed++] = status.st_uid;
	}
	return 0;
}

/* Puts everything back in reverse; keeps the error that led here as the one reported. */
static int undo(struct bind *bind, int err)
{
	char text[768], node[PATH_MAX];
	const char *left = NULL;
	int ret;

	snprintf(text, sizeof(text), "%s", shunt_errmsg());
	while (bind->owners_changed-- > 0)
		if (!pci_node_path(
			    bind->machine, bind->done.functions[bind->owners_changed].cdev, node) &&
			lchown(node, bind->owners[bind->owners_changed], (gid_t)-1))
			left = bind->done.functions[bind->owners_changed].address;
	while (bind->touched_count-- > 0) {
		const struct pci_saved *saved = &bind->touched[bind->touched_count];

		if (pci_exists(bind->machine, saved->address) && pci_put_back(bind->machine, saved))
			left = saved->address;
	}
	if (left)
		return shunt_fail(err,
			"%s; and not everything could be put back: %s; 'shunt unbind %s' tries "
			"again",
			text, shunt_errmsg(), left);
	for (size_t i = bind->group_count; i-- > 0;) {
		const struct moving_group *group = &bind->groups[i];

		ret = 0;
		if (group->written && group->before.count)
			ret = pci_record_write(bind->machine, &group->before);
		else if (group->written)
			ret = pci_record_remove(bind->machine, &group->record);
		if (ret)
			return shunt_fail(
				err, "%s; and its record stays: %s", text, shunt_errmsg());
	}
	return shunt_fail(err, "%s", text);
}

static int prepare(struct bind *bind, const char *const *addresses, size_t count, bool force)
{
	struct pci_records records = { 0 };
	int ret;

	ret = shunt_pci_scan(bind->machine->platform, &bind->list);
	if (ret)
		return ret;
	ret = find_groups(bind, addresses, count);
	for (size_t i = 0; !ret && i < bind->group_count; i++)
		ret = check_group(bind, bind->groups[i].number, force);
	for (size_t i = 0; !ret && i < bind->group_count; i++)
		ret = gather(bind, &bind->groups[i]);
	if (ret)
		return ret;
	ret = pci_records_read(bind->machine, &records);
	for (size_t i = 0; !ret && i < bind->group_count; i++)
		ret = prepare_record(bind, &records, &bind->groups[i]);
	pci_records_free(&records);
	if (ret)
		return ret;
	bind->touched = calloc(bind->list.count, sizeof(*bind->touched));
	bind->owners = calloc(bind->list.count, sizeof(*bind->owners));
	return bind->touched && bind->owners ? 0 : shunt_fail(-ENOMEM, "out of memory");
}

static bool anything_to_move(const struct bind *bind)
{
	for (size_t i = 0; i < bind->done.count; i++)
		if (to_move(&bind->done.functions[i]))
			return true;
	return false;
}

static void release(struct bind *bind)
{
	for (size_t i = 0; i < bind->group_count; i++) {
		pci_record_free(&bind->groups[i].before);
		pci_record_free(&bind->groups[i].record);
	}
	free(bind->groups);
	free(bind->touched);
	free(bind->owners);
	shunt_pci_list_free(&bind->list);
	shunt_pci_bindings_free(&bind->done);
}

/* Called before the lock, which needs root: any user is told of wrong arguments. */
static int check_arguments(
	const struct shunt_pci_machine *machine, const char *const *addresses, size_t count)
{
	struct bind bind = { .machine = machine };
	int ret = pci_machine_check(machine);

	if (ret)
		return ret;
	if (!count)
		return shunt_fail(-EINVAL, "no function is named");
	ret = shunt_pci_scan(machine->platform, &bind.list);
	if (!ret)
		ret = find_groups(&bind, addresses, count);
	release(&bind);
	return ret;
}

int shunt_pci_bind(const struct shunt_pci_machine *machine, const char *const *addresses,
	size_t count, bool force, uid_t owner, struct shunt_pci_bindings *done)
{
	struct bind bind = { .machine = machine };
	int ret, lock;

	ret = check_arguments(machine, addresses, count);
	if (ret)
		return ret;
	ret = pci_records_lock(machine, true, &lock);
	if (ret)
		return ret;
	ret = prepare(&bind, addresses, count, force);
	if (!ret && anything_to_move(&bind))
		ret = pci_load_vfio(machine);
	if (ret)
		goto out;
	for (size_t i = 0; !ret && i < bind.group_count; i++)
		ret = move_group(&bind, &bind.groups[i]);
	if (!ret)
		ret = hand_over(&bind, owner);
	if (ret) {
		ret = undo(&bind, ret);
		goto out;
	}
	*done = bind.done;
	memset(&bind.done, 0, sizeof(bind.done));
out:
	release(&bind);
	close(lock);
	return ret;
}
