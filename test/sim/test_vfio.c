/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "calls.h"
#include "fake_nic.h"

static struct shunt_platform *create(unsigned int groups, unsigned int ports)
{
	const struct shunt_sim_config config = { .groups = groups, .ports = ports };
	struct shunt_platform *platform;

	assert_int_equal(shunt_sim_create(&config, &platform), 0);
	return platform;
}

static int open_path(struct shunt_platform *platform, const char *path)
{
	return platform->ops->open(platform, path);
}

static int get_info(struct shunt_platform *platform, int device)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	return platform->ops->ioctl(platform, device, VFIO_DEVICE_GET_INFO, &info);
}

static struct shunt_sim_objects objects_of(struct shunt_platform *platform)
{
	struct shunt_sim_objects objects;

	shunt_sim_objects(platform, &objects);
	return objects;
}

static void test_config(void **state)
{
	const struct shunt_sim_config wrong[] = {
		{ .groups = 0, .ports = 1 },
		{ .groups = 9, .ports = 1 },
		{ .groups = 1, .ports = 0 },
		{ .groups = 1, .ports = 17 },
		{ .groups = 1, .ports = 1, .iommu = (enum shunt_sim_iommu)3 },
		{ .groups = 1, .ports = 1, .nic = (enum shunt_sim_nic)2 },
	};
	struct shunt_platform *platform;
	enum shunt_sim_iommu iommu;
	enum shunt_sim_nic nic;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(shunt_sim_create(&wrong[i], &platform), -EINVAL);
	assert_int_equal(shunt_sim_iommu_parse("hitless", &iommu), 0);
	assert_int_equal(iommu, SHUNT_SIM_HITLESS);
	assert_int_equal(shunt_sim_iommu_parse("fast", &iommu), -EINVAL);
	assert_int_equal(shunt_sim_nic_parse("wedge", &nic), 0);
	assert_int_equal(nic, SHUNT_SIM_WEDGE);
	assert_int_equal(shunt_sim_nic_parse("", &nic), -EINVAL);
}

static void test_paths(void **state)
{
	struct shunt_platform *platform = create(2, 16);
	struct sim *sim = (struct sim *)platform;
	int fd;

	assert_int_equal(open_path(platform, "/dev/null"), -ENOENT);
	assert_int_equal(open_path(platform, "/dev/vfio/devices/vfio"), -ENOENT);
	assert_int_equal(open_path(platform, "/dev/vfio/devices/vfio01"), -ENOENT);
	assert_int_equal(open_path(platform, "/dev/vfio/devices/vfio32"), -ENOENT);
	assert_int_equal(open_path(platform, "/dev/vfio/devices/vfio3x"), -ENOENT);
	fd = open_path(platform, "/dev/vfio/devices/vfio31");
	assert_true(fd >= 1 << 24);
	assert_string_equal(sim->functions[0].address, "0000:03:00.0");
	assert_string_equal(sim->functions[15].address, "0000:12:00.0");
	assert_string_equal(sim->functions[16].address, "0000:13:00.0");
	assert_int_equal(sim->functions[16].group->number, 11);
	assert_int_equal(platform->ops->close(platform, fd), 0);
	assert_int_equal(platform->ops->close(platform, fd), -EBADF);
	shunt_platform_destroy(platform);
}

static void test_bind_rules(void **state)
{
	struct shunt_platform *platform = create(1, 2);
	int first = open_path(platform, "/dev/iommu");
	int second = open_path(platform, "/dev/iommu");
	int device = open_path(platform, "/dev/vfio/devices/vfio0");
	int again = open_path(platform, "/dev/vfio/devices/vfio0");
	int sibling = open_path(platform, "/dev/vfio/devices/vfio1");
	uint64_t value;
	uint32_t id = 0;

	assert_int_equal(get_info(platform, device), -EINVAL);
	assert_int_equal(call_attach(platform, device, &id), -EINVAL);
	assert_int_equal(platform->ops->read(platform, device, 0, &value, 4), -EINVAL);
	assert_int_equal(call_bind(platform, device, -1, &id), -EINVAL);
	assert_int_equal(call_bind(platform, device, 1 << 23, &id), -EBADF);
	assert_int_equal(call_bind(platform, device, sibling, &id), -EBADFD);
	assert_int_equal(call_bind(platform, device, first, &id), 0);
	assert_int_equal(id, 1);
	assert_int_equal(fake_nic_resets(&((struct sim *)platform)->functions[0]), 1);
	assert_int_equal(call_bind(platform, device, first, &id), -EINVAL);
	assert_int_equal(call_bind(platform, again, first, &id), -EINVAL);
	assert_int_equal(get_info(platform, again), -EINVAL);
	assert_int_equal(get_info(platform, device), 0);
	/* A group belongs to one iommufd. */
	assert_int_equal(call_bind(platform, sibling, second, &id), -EPERM);
	assert_int_equal(platform->ops->close(platform, device), 0);
	assert_int_equal(call_bind(platform, sibling, second, &id), 0);
	assert_int_equal(call_bind(platform, again, first, &id), -EPERM);
	platform->ops->close(platform, again);
	platform->ops->close(platform, sibling);
	platform->ops->close(platform, first);
	platform->ops->close(platform, second);
	assert_int_equal(objects_of(platform).devices, 0);
	shunt_platform_destroy(platform);
}

/* A bound device keeps its iommufd, and closing the device detaches it. */
static void test_close_order(void **state)
{
	struct rig rig;
	struct shunt_platform *platform;
	struct sim_dma *dma;
	uint8_t *page = pages_create(PAGE, 7);
	uint32_t ioas, id;

	rig_open(&rig, 2, SHUNT_SIM_BLOCKING);
	platform = rig.platform;
	dma = &rig.sim->functions[1].dma;
	assert_int_equal(call_ioas_alloc(platform, rig.fd, &ioas), 0);
	assert_int_equal(call_map_at(platform, rig.fd, ioas, page, PAGE, PAGE), 0);
	id = ioas;
	assert_int_equal(call_attach(platform, rig.devices[0], &id), 0);
	id = ioas;
	assert_int_equal(call_attach(platform, rig.devices[1], &id), 0);

	assert_int_equal(platform->ops->close(platform, rig.fd), 0);
	assert_int_equal(call_ioas_alloc(platform, rig.fd, &id), -EBADF);
	assert_int_equal(objects_of(platform).ioas, 1);
	assert_int_equal(objects_of(platform).hwpt, 1);
	assert_non_null(sim_dma_translate(dma, PAGE, SHUNT_DMA_READ));
	assert_int_equal(platform->ops->close(platform, rig.devices[0]), 0);
	assert_non_null(sim_dma_translate(dma, PAGE, SHUNT_DMA_READ));
	assert_int_equal(platform->ops->close(platform, rig.devices[1]), 0);
	assert_null(sim_dma_translate(dma, PAGE, SHUNT_DMA_READ));
	assert_int_equal(objects_of(platform).ioas, 0);
	assert_int_equal(objects_of(platform).mappings, 0);
	shunt_platform_destroy(platform);
	pages_destroy(page, PAGE);
}

static void test_regions(void **state)
{
	struct rig rig;
	struct shunt_platform *platform;
	struct vfio_region_info info = { .argsz = sizeof(info), .index = 0 };
	uint32_t value = 0x12345678, seen;
	void *bar;

	rig_open(&rig, 1, SHUNT_SIM_BLOCKING);
	platform = rig.platform;
	assert_int_equal(
		platform->ops->ioctl(platform, rig.devices[0], VFIO_DEVICE_GET_REGION_INFO, &info),
		0);
	assert_int_equal(info.size, SIM_NIC_BAR0_SIZE);
	assert_true(info.flags & VFIO_REGION_INFO_FLAG_MMAP);
	info.index = VFIO_PCI_CONFIG_REGION_INDEX;
	assert_int_equal(
		platform->ops->ioctl(platform, rig.devices[0], VFIO_DEVICE_GET_REGION_INFO, &info),
		0);
	assert_int_equal(info.offset, 7ull << 40);
	assert_false(info.flags & VFIO_REGION_INFO_FLAG_MMAP);
	info.index = VFIO_PCI_NUM_REGIONS;
	assert_int_equal(
		platform->ops->ioctl(platform, rig.devices[0], VFIO_DEVICE_GET_REGION_INFO, &info),
		-EINVAL);

	assert_int_equal(
		platform->ops->map(platform, rig.devices[0], 7ull << 40, PAGE, &bar), -EINVAL);
	assert_int_equal(
		platform->ops->map(platform, rig.devices[0], 0, SIM_NIC_BAR0_SIZE + PAGE, &bar),
		-EINVAL);
	assert_int_equal(
		platform->ops->map(platform, rig.devices[0], 0, SIM_NIC_BAR0_SIZE, &bar), 0);
	assert_int_equal(platform->ops->write(platform, rig.devices[0], 0x100, &value, 4), 0);
	memcpy(&seen, (uint8_t *)bar + 0x100, 4);
	assert_int_equal(seen, value);
	assert_int_equal(
		platform->ops->read(platform, rig.devices[0], SIM_NIC_BAR0_SIZE - 2, &seen, 4),
		-EINVAL);

	/* A mapping keeps the device open, as a process's does. */
	assert_int_equal(platform->ops->close(platform, rig.devices[0]), 0);
	assert_int_equal(objects_of(platform).devices, 1);
	assert_int_equal(objects_of(platform).regions, 1);
	assert_int_equal(platform->ops->unmap(platform, bar, PAGE), -EINVAL);
	assert_int_equal(platform->ops->unmap(platform, bar, SIM_NIC_BAR0_SIZE), 0);
	assert_int_equal(objects_of(platform).devices, 0);
	assert_int_equal(platform->ops->close(platform, rig.fd), 0);
	shunt_platform_destroy(platform);
}

/* The request's header, with its eventfds behind it. */
union irqs {
	struct vfio_irq_set header;
	int32_t words[sizeof(struct vfio_irq_set) / sizeof(int32_t) + SIM_NIC_VECTORS + 1];
};

static int32_t *fds_of(union irqs *irqs)
{
	return &irqs->words[sizeof(struct vfio_irq_set) / sizeof(int32_t)];
}

static int set_irqs(struct rig *rig, union irqs *irqs, uint32_t flags, uint32_t count)
{
	irqs->header.argsz = sizeof(*irqs);
	irqs->header.flags = flags;
	irqs->header.index = VFIO_PCI_MSIX_IRQ_INDEX;
	irqs->header.count = count;
	return rig->platform->ops->ioctl(
		rig->platform, rig->devices[0], VFIO_DEVICE_SET_IRQS, irqs);
}

static void test_interrupts(void **state)
{
	const uint32_t eventfds = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	const uint32_t none = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER;
	struct rig rig;
	union irqs irqs = { .words = { 0 } };
	struct sim_function *function;
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	eventfd_t value;

	assert_true(fd >= 0);
	rig_open(&rig, 1, SHUNT_SIM_BLOCKING);
	function = &rig.sim->functions[0];
	assert_int_equal(set_irqs(&rig, &irqs, none, 0), -EINVAL);
	fds_of(&irqs)[0] = fd;
	fds_of(&irqs)[1] = -1;
	fds_of(&irqs)[2] = STDIN_FILENO + 1000;
	assert_int_equal(set_irqs(&rig, &irqs, eventfds, SIM_NIC_VECTORS + 1), -EINVAL);
	assert_int_equal(set_irqs(&rig, &irqs, eventfds, 3), -EBADF);
	assert_int_equal(fake_nic_vector(function, 0), -1);
	assert_int_equal(set_irqs(&rig, &irqs, eventfds, 2), 0);
	assert_true(fake_nic_vector(function, 0) >= 0);
	assert_int_equal(fake_nic_vector(function, 1), -1);
	assert_int_equal(set_irqs(&rig, &irqs, none, 2), 0);
	assert_int_equal(eventfd_read(fd, &value), 0);
	assert_int_equal(value, 1);
	assert_int_equal(eventfd_write(fake_nic_vector(function, 0), 3), 0);
	assert_int_equal(eventfd_read(fd, &value), 0);
	assert_int_equal(value, 3);
	assert_int_equal(
		set_irqs(&rig, &irqs, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK, 1),
		-ENOTTY);
	assert_int_equal(set_irqs(&rig, &irqs, none, 0), 0);
	assert_int_equal(fake_nic_vector(function, 0), -1);
	close(fd);
	rig_close(&rig);
}

static void test_reset(void **state)
{
	struct rig rig;
	unsigned int before;

	rig_open(&rig, 1, SHUNT_SIM_BLOCKING);
	before = fake_nic_resets(&rig.sim->functions[0]);
	assert_int_equal(
		rig.platform->ops->ioctl(rig.platform, rig.devices[0], VFIO_DEVICE_RESET, NULL), 0);
	assert_int_equal(fake_nic_resets(&rig.sim->functions[0]), before + 1);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_bind_rules),
		cmocka_unit_test(test_close_order),
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_interrupts),
		cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
