/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdatomic.h>

#include <rte_alarm.h>

#include "context.h"
#include "guard.h"
#include "rte_net_shunt.h"
#include "shunt_error.h"

#define US_PER_MS 1000ull

static _Atomic unsigned int period_ms = RTE_NET_SHUNT_CHECK_MS;

static void check(struct shunt_group *group)
{
	struct shunt_switch_result result;
	int ret = shunt_group_check(group, &result);

	if (ret > 0)
		SHUNT_LOG(NOTICE, "group %d: %d ports did not run, and were mended",
			shunt_group_number(group), ret);
	else if (ret < 0 && ret != -EBUSY)
		SHUNT_LOG(ERR, "%s", shunt_errmsg());
}

static void set_alarm(void);

static void look_after(void *arg)
{
	struct shunt_context *context;
	struct context_group *entry;

	if (!shunt_context_trylock()) {
		context = shunt_context_open();
		if (context && atomic_load(&period_ms))
			TAILQ_FOREACH (entry, &context->groups, next)
				check(entry->group);
		shunt_context_unlock();
	}
	set_alarm();
}

static void set_alarm(void)
{
	unsigned int ms = atomic_load(&period_ms);

	if (rte_eal_alarm_set((ms ? ms : RTE_NET_SHUNT_CHECK_MS) * US_PER_MS, look_after, NULL))
		SHUNT_LOG(ERR, "EAL sets no alarm: ports are looked after by switches only");
}

void shunt_guard_start(void)
{
	set_alarm();
}

/* An alarm that fires now finds the context locked and sets itself again: until none is left. */
void shunt_guard_stop(void)
{
	rte_eal_alarm_cancel(look_after, NULL);
}

void rte_net_shunt_check_every(unsigned int ms)
{
	atomic_store(&period_ms, ms);
}
