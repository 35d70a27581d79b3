/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_lcore.h>

#include <shunt/error.h>
#include <shunt/pci.h>

#include "context.h"
#include "rte_net_shunt.h"
#include "shunt_hold.h"

RTE_LOG_REGISTER(shunt_net_logtype, pmd.net.shunt, NOTICE)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* For uses of `opened` without the lock. A thread that changes `opened` holds both locks. */
static pthread_rwlock_t in_use = PTHREAD_RWLOCK_INITIALIZER;
static struct shunt_context *opened;
static struct shunt_platform *chosen;
static bool ended;

void shunt_context_lock(void)
{
	pthread_mutex_lock(&lock);
}

void shunt_context_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

/*
 * Processors for the software platform's engine: those of no lcore, else the main lcore's, which
 * applications tend to keep free. One that polls would share with the engine slice by slice.
 */
static void engine_processors(cpu_set_t *set)
{
	rte_cpuset_t lcore;
	unsigned int i;

	CPU_ZERO(set);
	for (int cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); cpu++)
		CPU_SET(cpu, set);
	RTE_LCORE_FOREACH(i)
	{
		lcore = rte_lcore_cpuset(i);
		for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
			if (CPU_ISSET(cpu, &lcore))
				CPU_CLR(cpu, set);
	}
	if (CPU_COUNT(set) == 0)
		*set = rte_lcore_cpuset(rte_get_main_lcore());
}

/* Its thread inherits the processors of the one that makes it. */
static int create_sim(const struct shunt_sim_config *config, struct shunt_platform **platform)
{
	cpu_set_t own, engine;
	bool known = !pthread_getaffinity_np(pthread_self(), sizeof(own), &own);
	int ret;

	engine_processors(&engine);
	if (known)
		pthread_setaffinity_np(pthread_self(), sizeof(engine), &engine);
	ret = shunt_sim_create(config, platform);
	if (known)
		pthread_setaffinity_np(pthread_self(), sizeof(own), &own);
	return ret;
}

/* A software platform whose ports are wired in pairs; an odd last one stays without a far end. */
static int wired_sim(const struct shunt_sim_config *config, struct shunt_platform **platform)
{
	struct shunt_pci_list list;
	const char *waiting = NULL;
	int ret;

	ret = create_sim(config, platform);
	if (ret)
		return ret;
	ret = shunt_pci_scan(*platform, &list);
	if (ret)
		goto destroy;
	for (size_t i = 0; !ret && i < list.count; i++) {
		if (list.functions[i].is_bridge)
			continue;
		if (!waiting) {
			waiting = list.functions[i].address;
			continue;
		}
		ret = shunt_sim_wire(*platform, waiting, list.functions[i].address);
		waiting = NULL;
	}
	shunt_pci_list_free(&list);
	if (ret)
		goto destroy;
	return 0;

destroy:
	shunt_platform_destroy(*platform);
	return ret;
}

static int open_platform(struct shunt_context *context, const struct shunt_sim_config *sim)
{
	context->sim = sim != NULL;
	context->own_platform = sim || !chosen;
	if (sim)
		return wired_sim(sim, &context->platform);
	if (!chosen)
		return shunt_platform_kernel(&context->platform);
	context->platform = chosen;
	return 0;
}

static void check_group(struct shunt_group *group)
{
	struct shunt_switch_result result;
	int ret = shunt_group_check(group, &result);

	if (ret > 0)
		SHUNT_LOG(NOTICE, "group %d: %d port%s did not run: repaired",
			shunt_group_number(group), ret, ret == 1 ? "" : "s");
	else if (ret < 0 && ret != -EBUSY && ret != -EIO) /* the port reports -EIO once itself */
		SHUNT_LOG(ERR, "%s", shunt_errmsg());
}

/* The watchdog's thread. It only tries the lock, so that its end can be awaited with the lock held.
 */
static void check_groups(void)
{
	struct context_group *entry;

	if (pthread_mutex_trylock(&lock))
		return;
	TAILQ_FOREACH (entry, &opened->groups, next)
		check_group(entry->group);
	shunt_context_unlock();
}

static int context_create(const struct shunt_sim_config *sim, struct shunt_context **result)
{
	struct shunt_context *context = calloc(1, sizeof(*context));
	struct shunt_space *space;
	int ret;

	if (!context)
		return shunt_fail(-ENOMEM, "opening the platform: out of memory");
	TAILQ_INIT(&context->groups);
	TAILQ_INIT(&context->ports);
	ret = open_platform(context, sim);
	if (ret)
		goto free_context;
	ret = shunt_iommufd_open(context->platform, &context->iommufd);
	if (ret)
		goto destroy_platform;
	ret = shunt_spaces_create(&context->iommufd, &context->spaces);
	if (ret)
		goto close_iommufd;
	ret = shunt_space_create(context->spaces, RTE_NET_SHUNT_FIRST_SPACE, &space);
	if (ret)
		goto destroy_spaces;
	ret = shunt_eal_memory_create(context->spaces, &context->memory);
	if (ret)
		goto destroy_spaces;
	ret = shunt_watchdog_start(check_groups);
	if (ret)
		goto destroy_memory;
	*result = context;
	return 0;

destroy_memory:
	shunt_eal_memory_destroy(context->memory);
destroy_spaces:
	shunt_spaces_destroy(context->spaces);
close_iommufd:
	shunt_iommufd_close(&context->iommufd);
destroy_platform:
	if (context->own_platform)
		shunt_platform_destroy(context->platform);
free_context:
	free(context);
	return ret;
}

/* Spaces that the application still uses stay, and so does what they stand on. */
static void context_destroy(struct shunt_context *context)
{
	shunt_watchdog_stop();
	shunt_fault_log_destroy(context->faults);
	shunt_eal_memory_destroy(context->memory);
	if (shunt_spaces_destroy(context->spaces) || shunt_iommufd_close(&context->iommufd)) {
		SHUNT_LOG(ERR, "%s", shunt_errmsg());
		return;
	}
	if (context->own_platform)
		shunt_platform_destroy(context->platform);
	free(context);
}

static void set_opened(struct shunt_context *context)
{
	pthread_rwlock_wrlock(&in_use);
	opened = context;
	pthread_rwlock_unlock(&in_use);
}

int shunt_context_get(const struct shunt_sim_config *sim, struct shunt_context **context)
{
	struct shunt_context *made = NULL;
	int ret;

	if (!opened) {
		ret = context_create(sim, &made);
		if (ret)
			return ret;
		set_opened(made);
	} else if (sim && !opened->sim) {
		return shunt_fail(-EBUSY,
			"sim=1: ports on platform '%s' exist; close them first, or leave sim= out",
			opened->platform->name);
	}
	opened->users++;
	*context = opened;
	return 0;
}

void shunt_context_put(struct shunt_context *context)
{
	if (--context->users > 0)
		return;
	set_opened(NULL);
	context_destroy(context);
}

struct shunt_context *shunt_context_acquire(void)
{
	struct shunt_context *context;

	pthread_rwlock_rdlock(&in_use);
	context = opened;
	if (!context)
		pthread_rwlock_unlock(&in_use);
	return context;
}

void shunt_context_release(void)
{
	pthread_rwlock_unlock(&in_use);
}

struct shunt_context *shunt_context_open(void)
{
	return opened;
}

void shunt_context_end(void)
{
	shunt_context_lock();
	ended = true;
	shunt_context_unlock();
}

bool shunt_context_ended(void)
{
	return ended;
}

int shunt_context_group_get(struct shunt_context *context, int number, struct shunt_group **group)
{
	struct context_group *entry;
	int ret;

	TAILQ_FOREACH (entry, &context->groups, next) {
		if (shunt_group_number(entry->group) == number)
			goto found;
	}
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return shunt_fail(-ENOMEM, "port group %d: out of memory", number);
	ret = shunt_group_create(number, &entry->group);
	if (ret) {
		free(entry);
		return ret;
	}
	TAILQ_INSERT_TAIL(&context->groups, entry, next);
found:
	entry->users++;
	*group = entry->group;
	return 0;
}

void shunt_context_group_put(struct shunt_context *context, struct shunt_group *group)
{
	struct context_group *entry;

	TAILQ_FOREACH (entry, &context->groups, next) {
		if (entry->group == group)
			break;
	}
	if (!entry || --entry->users > 0)
		return;
	TAILQ_REMOVE(&context->groups, entry, next);
	shunt_group_destroy(entry->group);
	free(entry);
}

struct shunt_port *shunt_context_port(struct shunt_context *context, const char *function)
{
	struct shunt_port *port;

	TAILQ_FOREACH (port, &context->ports, next) {
		if (strcmp(port->device.function, function) == 0)
			return port;
	}
	return NULL;
}

const struct rte_eth_dev *shunt_context_dev(struct shunt_context *context, const char *function)
{
	const struct shunt_port *port = shunt_context_port(context, function);
	uint16_t id;

	if (port)
		return port->dev;
	RTE_ETH_FOREACH_DEV (id) {
		const struct rte_device *device = rte_eth_devices[id].device;

		if (device && strcmp(device->name, function) == 0)
			return &rte_eth_devices[id];
	}
	return NULL;
}

int rte_net_shunt_platform(struct shunt_platform *platform)
{
	SHUNT_HOLD(&lock);

	if (opened)
		return shunt_fail(-EBUSY,
			"choosing a platform: ports on platform '%s' exist; close them first",
			opened->platform->name);
	chosen = platform;
	return 0;
}

struct shunt_platform *rte_net_shunt_platform_in_use(void)
{
	SHUNT_HOLD(&lock);

	return opened ? opened->platform : NULL;
}

struct shunt_spaces *rte_net_shunt_spaces(void)
{
	SHUNT_HOLD(&lock);

	return opened ? opened->spaces : NULL;
}

static struct shunt_port *port_of(uint16_t port_id)
{
	struct shunt_port *port = NULL;

	if (opened)
		TAILQ_FOREACH (port, &opened->ports, next)
			if (port->dev->data->port_id == port_id)
				return port;
	shunt_fail(-ENODEV, "port %u is not a port of net_shunt", port_id);
	return NULL;
}

int rte_net_shunt_group(uint16_t port_id, struct shunt_group **group)
{
	SHUNT_HOLD(&lock);
	const struct shunt_port *port = port_of(port_id);

	if (port)
		*group = port->group;
	return port ? 0 : -ENODEV;
}

int rte_net_shunt_device(uint16_t port_id, struct shunt_vfio_device **device)
{
	SHUNT_HOLD(&lock);
	struct shunt_port *port = port_of(port_id);

	if (port)
		*device = &port->device;
	return port ? 0 : -ENODEV;
}
