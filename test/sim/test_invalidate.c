/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <sched.h>
#include <string.h>

#include <cmocka.h>

#include <shunt/error.h>

#include "calls.h"
#include "sim_iommu.h"

#define PROBE           0x200000u
#define PORTS           3
#define SWITCHES        200
#define CACHED_SWITCHES 50 /* each waits three times as often */
#define GIVING_UP       200000

/* A switching thread can lose its processor: refusals in one switch stay within the fault log. */
#define REFUSED_PER_SWITCH 1000

/*
 * A thread that is the engine: acts on invalidations, then translates for each function. The epoch
 * says what it may see: even, nothing changes and DMA goes to domain epoch / 2 % 2; odd, a switch
 * is under way.
 */
struct engine {
	struct rig rig;
	uint32_t hwpt[2];
	uint8_t *pages[2];
	pthread_t thread;
	_Atomic bool stop;
	bool sparse; /* no DMA but while an entry is cleared: nothing is cached when a switch begins
		      */
	_Atomic uint64_t epoch;
	_Atomic uint64_t loops;
	uint64_t refused_epoch, refused_now; /* the thread's own */
	_Atomic uint64_t refused;            /* during a switch */
	_Atomic uint64_t wrong; /* refused or translated by the other domain with none under way */
};

static void translate(struct engine *engine, struct sim_function *function)
{
	uint64_t before = atomic_load(&engine->epoch);
	const uint8_t *memory;
	uint64_t after;
	uint8_t seen;

	if (engine->sparse && atomic_load(&function->dma.context))
		return;
	if (before != engine->refused_epoch) {
		engine->refused_epoch = before;
		engine->refused_now = 0;
	}
	if (engine->refused_now == REFUSED_PER_SWITCH)
		return;
	memory = sim_dma_translate(&function->dma, PROBE, SHUNT_DMA_READ);
	seen = memory ? *memory : 0;
	after = atomic_load(&engine->epoch);
	if (!seen) {
		atomic_fetch_add(&engine->refused, 1);
		engine->refused_now++;
	}
	if (before == after && before % 2 == 0 && seen != 'a' + before / 2 % 2)
		atomic_fetch_add(&engine->wrong, 1);
}

static void *run(void *arg)
{
	struct engine *engine = arg;
	struct sim *sim = engine->rig.sim;

	sim_iommu_awake(&sim->iommu);
	while (!atomic_load_explicit(&engine->stop, memory_order_relaxed)) {
		for (unsigned int i = 0; i < PORTS; i++) {
			sim_iommu_service(&sim->iommu);
			translate(engine, &sim->functions[i]);
		}
		atomic_fetch_add(&engine->loops, 1);
	}
	sim_iommu_asleep(&sim->iommu);
	return NULL;
}

static void await_loops(struct engine *engine, unsigned int loops)
{
	uint64_t from = atomic_load(&engine->loops);

	while (atomic_load(&engine->loops) < from + loops)
		sched_yield();
}

static void start_sparse(struct engine *engine, enum shunt_sim_iommu iommu, bool sparse)
{
	struct rig *rig = &engine->rig;
	uint32_t id;

	memset(engine, 0, sizeof(*engine));
	engine->sparse = sparse;
	rig_open(rig, PORTS, iommu);
	for (unsigned int i = 0; i < 2; i++) {
		engine->pages[i] = pages_create(PAGE, (uint8_t)('a' + i));
		assert_int_equal(call_ioas_alloc(rig->platform, rig->fd, &id), 0);
		assert_int_equal(
			call_map_at(rig->platform, rig->fd, id, engine->pages[i], PAGE, PROBE), 0);
		assert_int_equal(call_hwpt_alloc(rig->platform, rig->fd, rig->ids[0], id, 0,
					 &engine->hwpt[i]),
			0);
	}
	for (unsigned int i = 0; i < PORTS; i++) {
		id = engine->hwpt[0];
		assert_int_equal(call_attach(rig->platform, rig->devices[i], &id), 0);
	}
	assert_int_equal(pthread_create(&engine->thread, NULL, run, engine), 0);
	await_loops(engine, 1);
}

static void start(struct engine *engine, enum shunt_sim_iommu iommu)
{
	start_sparse(engine, iommu, false);
}

static void stop_engine(struct engine *engine)
{
	atomic_store(&engine->stop, true);
	pthread_join(engine->thread, NULL);
	rig_close(&engine->rig);
	pages_destroy(engine->pages[0], PAGE);
	pages_destroy(engine->pages[1], PAGE);
}

/* Moves the group to the other hwpt, by a replace or by detaching all and attaching all. */
static void move(struct engine *engine, bool detach_first)
{
	struct rig *rig = &engine->rig;
	uint64_t epoch = atomic_load(&engine->epoch);
	uint32_t id;

	atomic_store(&engine->epoch, epoch + 1);
	for (unsigned int i = 0; detach_first && i < PORTS; i++)
		assert_int_equal(call_detach(rig->platform, rig->devices[i]), 0);
	for (unsigned int i = 0; i < PORTS; i++) {
		id = engine->hwpt[(epoch / 2 + 1) % 2];
		assert_int_equal(call_attach(rig->platform, rig->devices[i], &id), 0);
	}
	atomic_store(&engine->epoch, epoch + 2);
	await_loops(engine, 2);
}

/* Takes out all records. @return the faults they count; fails on one that is not as it must be */
static uint64_t check_records(struct engine *engine, unsigned int switches, bool detached)
{
	struct shunt_sim_blocked record;
	uint64_t last[PORTS] = { 0 };
	uint64_t faults = 0;
	unsigned int count = 0;

	while (shunt_sim_blocked(engine->rig.platform, &record, 1) == 1) {
		unsigned int port = count++ % PORTS;

		assert_string_equal(record.function, engine->rig.sim->functions[port].address);
		assert_true(record.from <= record.until);
		assert_true(last[port] <= record.from);
		assert_int_equal(record.detached, detached);
		if (engine->rig.sim->config.iommu == SHUNT_SIM_HITLESS && !detached)
			assert_true(record.from == record.until && record.faults == 0);
		last[port] = record.until;
		faults += record.faults;
	}
	assert_int_equal(count, PORTS * switches);
	return faults;
}

static uint64_t take_faults(struct engine *engine)
{
	struct shunt_fault faults[64];
	struct shunt_platform *platform = engine->rig.platform;
	uint64_t taken = 0;
	int n;

	while ((n = platform->ops->faults(platform, faults, 64)) > 0) {
		for (int i = 0; i < n; i++) {
			assert_int_equal(faults[i].reason, SHUNT_SIM_BLOCKED);
			assert_int_equal(faults[i].iova, PROBE);
			assert_false(faults[i].write);
		}
		taken += (uint64_t)n;
	}
	assert_int_equal(n, 0);
	return taken;
}

/* At least SWITCHES, and on until DMA was caught in one: how many that takes is the scheduler's. */
static void test_blocking(void **state)
{
	struct engine engine;
	unsigned int switches = 0;
	uint64_t taken = 0, recorded = 0;

	start(&engine, SHUNT_SIM_BLOCKING);
	do {
		move(&engine, false);
		recorded += check_records(&engine, 1, false);
		taken += take_faults(&engine);
		switches++;
	} while (switches < SWITCHES || (!taken && switches < GIVING_UP));
	assert_int_equal(atomic_load(&engine.wrong), 0);
	assert_true(taken > 0);
	assert_int_equal(recorded, taken);
	assert_int_equal(atomic_load(&engine.refused), taken);
	stop_engine(&engine);
}

static void test_hitless(void **state)
{
	struct engine engine;

	start(&engine, SHUNT_SIM_HITLESS);
	for (unsigned int i = 0; i < SWITCHES; i++)
		move(&engine, false);
	assert_int_equal(check_records(&engine, SWITCHES, false), 0);
	assert_int_equal(take_faults(&engine), 0);
	assert_int_equal(atomic_load(&engine.refused), 0);
	assert_int_equal(atomic_load(&engine.wrong), 0);
	stop_engine(&engine);
}

/* Every function's entry is cached when its switch begins: nothing is refused. */
static void test_cached_and_warm(void **state)
{
	struct engine engine;

	start(&engine, SHUNT_SIM_CACHED);
	for (unsigned int i = 0; i < CACHED_SWITCHES; i++)
		move(&engine, false);
	assert_int_equal(atomic_load(&engine.refused), 0);
	assert_int_equal(atomic_load(&engine.wrong), 0);
	assert_int_equal(check_records(&engine, CACHED_SWITCHES, false), 0);
	stop_engine(&engine);
}

/* None is: on until DMA was caught in one, as above. */
static void test_cached_and_cold(void **state)
{
	struct engine engine;
	unsigned int switches = 0;
	uint64_t taken = 0, recorded = 0;

	start_sparse(&engine, SHUNT_SIM_CACHED, true);
	do {
		move(&engine, false);
		recorded += check_records(&engine, 1, false);
		taken += take_faults(&engine);
	} while (++switches < CACHED_SWITCHES || (!taken && switches < GIVING_UP));
	assert_int_equal(atomic_load(&engine.wrong), 0);
	assert_true(taken > 0);
	assert_int_equal(taken, atomic_load(&engine.refused));
	assert_int_equal(recorded, taken);
	stop_engine(&engine);
}

static void test_detach_attach(void **state)
{
	struct engine engine;
	unsigned int switches = 0;
	uint64_t taken = 0, recorded = 0;

	start(&engine, SHUNT_SIM_HITLESS);
	do {
		move(&engine, true);
		recorded += check_records(&engine, 1, true);
		taken += take_faults(&engine);
		switches++;
	} while (switches < SWITCHES || (!taken && switches < GIVING_UP));
	assert_int_equal(atomic_load(&engine.wrong), 0);
	assert_true(taken > 0);
	assert_int_equal(recorded, taken);
	stop_engine(&engine);
}

/* After an unmap returned, memory can go: a stale translation would be a crash here. */
static void test_unmap_under_dma(void **state)
{
	struct engine engine;
	struct rig *rig = &engine.rig;
	uint64_t length = UINT64_MAX;
	uint32_t ioas;

	start(&engine, SHUNT_SIM_BLOCKING);
	ioas = engine.hwpt[0] - 1;
	for (unsigned int i = 0; i < SWITCHES; i++) {
		size_t size = i % 2 ? PAGE : 4 << 20;
		uint8_t *pages;

		atomic_fetch_add(&engine.epoch, 1);
		length = UINT64_MAX;
		assert_int_equal(call_unmap(rig->platform, rig->fd, ioas, 0, &length), 0);
		memset(engine.pages[0], 'x', PAGE);
		pages_destroy(engine.pages[0], length == 4 << 20 ? 4 << 20 : PAGE);
		pages = pages_create(size, 'a');
		assert_int_equal(call_map_at(rig->platform, rig->fd, ioas, pages, size, PROBE), 0);
		engine.pages[0] = pages;
		atomic_fetch_add(&engine.epoch, 3);
		await_loops(&engine, 2);
	}
	assert_int_equal(atomic_load(&engine.wrong), 0);
	length = UINT64_MAX;
	atomic_fetch_add(&engine.epoch, 1);
	assert_int_equal(call_unmap(rig->platform, rig->fd, ioas, 0, &length), 0);
	stop_engine(&engine);
}

static void test_lost_faults_are_reported(void **state)
{
	struct rig rig;
	struct shunt_platform *platform;
	struct shunt_fault fault;
	int taken = 0;

	rig_open(&rig, 1, SHUNT_SIM_BLOCKING);
	platform = rig.platform;
	for (unsigned int i = 0; i < 65536 + 5; i++)
		assert_null(sim_dma_translate(&rig.sim->functions[0].dma, PROBE, SHUNT_DMA_WRITE));
	assert_int_equal(platform->ops->faults(platform, &fault, 1), -EOVERFLOW);
	assert_non_null(strstr(shunt_errmsg(), "fault records lost (5)"));
	while (platform->ops->faults(platform, &fault, 1) == 1)
		taken++;
	assert_int_equal(taken, 65536);
	assert_true(fault.write);
	rig_close(&rig);
}

static void test_access_across_pages(void **state)
{
	struct rig rig;
	struct shunt_platform *platform;
	struct sim_dma *dma;
	uint8_t *pages = pages_create(3 * PAGE, 0);
	uint8_t buf[600];
	uint32_t id;

	rig_open(&rig, 1, SHUNT_SIM_BLOCKING);
	platform = rig.platform;
	dma = &rig.sim->functions[0].dma;
	assert_int_equal(call_ioas_alloc(platform, rig.fd, &id), 0);
	/* Neighbours in IOVA, the other way round in memory. */
	assert_int_equal(call_map_at(platform, rig.fd, id, pages + PAGE, PAGE, 0x10000), 0);
	assert_int_equal(call_map_at(platform, rig.fd, id, pages, PAGE, 0x11000), 0);
	assert_int_equal(call_attach(platform, rig.devices[0], &id), 0);

	for (unsigned int i = 0; i < sizeof(buf); i++)
		buf[i] = (uint8_t)(i * 7);
	assert_true(sim_dma_write(dma, 0x11000 - 300, buf, sizeof(buf)));
	assert_memory_equal(pages + 2 * PAGE - 300, buf, 300);
	assert_memory_equal(pages, buf + 300, 300);
	memset(buf, 0, sizeof(buf));
	assert_true(sim_dma_read(dma, 0x11000 - 300, buf, sizeof(buf)));
	assert_int_equal(buf[599], (uint8_t)(599 * 7));
	assert_false(sim_dma_read(dma, 0x12000 - 300, buf, sizeof(buf)));
	assert_false(sim_dma_write(dma, 0x12000 - 300, buf, sizeof(buf)));
	rig_close(&rig);
	pages_destroy(pages, 3 * PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocking),
		cmocka_unit_test(test_hitless),
		cmocka_unit_test(test_cached_and_warm),
		cmocka_unit_test(test_cached_and_cold),
		cmocka_unit_test(test_detach_attach),
		cmocka_unit_test(test_unmap_under_dma),
		cmocka_unit_test(test_lost_faults_are_reported),
		cmocka_unit_test(test_access_across_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
