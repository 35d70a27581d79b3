/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "sim_user.h"
#include "sim_vfio.h"

static uint32_t irq_count(uint32_t index)
{
	switch (index) {
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return SIM_NIC_VECTORS;
	case VFIO_PCI_ERR_IRQ_INDEX:
	case VFIO_PCI_REQ_IRQ_INDEX:
		return 1;
	default:
		return 0;
	}
}

int sim_irqs_info(struct sim_vfio *vfio, void *arg)
{
	struct vfio_irq_info *info = arg;

	if (info->index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	info->flags = VFIO_IRQ_INFO_EVENTFD;
	info->count = irq_count(info->index);
	if (info->index == VFIO_PCI_INTX_IRQ_INDEX)
		info->flags |= VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
	else if (info->index != VFIO_PCI_MSIX_IRQ_INDEX)
		info->flags |= VFIO_IRQ_INFO_NORESIZE;
	return 0;
}

static int validate(const struct vfio_irq_set *header, uint32_t *data_size)
{
	uint32_t count = irq_count(header->index);
	uint32_t element;

	if (header->index >= VFIO_PCI_NUM_IRQS || header->count >= UINT32_MAX - header->start ||
		(header->flags &
			~(uint32_t)(VFIO_IRQ_SET_DATA_TYPE_MASK | VFIO_IRQ_SET_ACTION_TYPE_MASK)))
		return -EINVAL;
	if (header->start >= count || header->start + header->count > count)
		return -EINVAL;
	switch (header->flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_NONE:
		element = 0;
		break;
	case VFIO_IRQ_SET_DATA_BOOL:
		element = sizeof(uint8_t);
		break;
	case VFIO_IRQ_SET_DATA_EVENTFD:
		element = sizeof(int32_t);
		break;
	default:
		return -EINVAL;
	}
	*data_size = header->count * element;
	return header->argsz - sizeof(*header) < *data_size ? -EINVAL : 0;
}

/* A duplicate of the caller's eventfd: the caller may close its own. */
static int own_eventfd(int fd, int *own)
{
	char path[64], target[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return -EBADF;
	target[length] = '\0';
	if (strcmp(target, "anon_inode:[eventfd]") != 0)
		return -EINVAL;
	*own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return *own < 0 ? -errno : 0;
}

static int set_vector(struct sim_vfio *vfio, uint32_t vector, int fd)
{
	int old = vfio->vectors[vector];
	int own = -1;
	int ret = fd < 0 ? 0 : own_eventfd(fd, &own);

	if (ret)
		own = -1;
	vfio->vectors[vector] = own;
	sim_nic_vector(vfio->function->nic, vector, own);
	if (old >= 0) {
		sim_iommu_fence(&vfio->file.sim->iommu);
		close(old);
	}
	return ret;
}

void sim_irqs_disable(struct sim_vfio *vfio)
{
	for (uint32_t i = 0; i < SIM_NIC_VECTORS; i++)
		set_vector(vfio, i, -1);
	vfio->msix = false;
}

/* Sets all vectors of the request, or none if one fails. */
static int set_vectors(struct sim_vfio *vfio, const struct vfio_irq_set *header, const int32_t *fds)
{
	uint32_t done = 0;
	int ret = 0;

	while (done < header->count && !ret) {
		ret = set_vector(vfio, header->start + done, fds[done]);
		done++;
	}
	while (ret && done--)
		set_vector(vfio, header->start + done, -1);
	return ret;
}

/* Signals vectors from software, for tests of the caller's handler. */
static void trigger(struct sim_vfio *vfio, const struct vfio_irq_set *header)
{
	bool chosen = header->flags & VFIO_IRQ_SET_DATA_BOOL;

	for (uint32_t i = 0; i < header->count; i++) {
		int fd = vfio->vectors[header->start + i];

		if (fd >= 0 && (!chosen || header->data[i]))
			eventfd_write(fd, 1);
	}
}

static int set_msix(struct sim_vfio *vfio, const struct vfio_irq_set *header, const int32_t *fds)
{
	bool was_enabled = vfio->msix;
	int ret;

	if (vfio->msix && !header->count && (header->flags & VFIO_IRQ_SET_DATA_NONE)) {
		sim_irqs_disable(vfio);
		return 0;
	}
	if (header->flags & VFIO_IRQ_SET_DATA_EVENTFD) {
		if (!was_enabled && header->start + header->count == 0)
			return -ERANGE;
		vfio->msix = true;
		ret = set_vectors(vfio, header, fds);
		if (ret && !was_enabled)
			sim_irqs_disable(vfio);
		return ret;
	}
	if (!vfio->msix)
		return -EINVAL;
	trigger(vfio, header);
	return 0;
}

int sim_irqs_set(struct sim_vfio *vfio, void *arg)
{
	const struct vfio_irq_set *header = arg;
	int32_t fds[SIM_NIC_VECTORS] = { -1 };
	uint32_t data_size;
	int ret;

	ret = validate(header, &data_size);
	if (ret)
		return ret;
	if (!sim_user_mapped((uintptr_t)header->data, data_size))
		return -EFAULT;
	if ((header->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) != VFIO_IRQ_SET_ACTION_TRIGGER)
		return -ENOTTY;
	if (header->flags & VFIO_IRQ_SET_DATA_EVENTFD)
		memcpy(fds, header->data, data_size);
	if (header->index == VFIO_PCI_MSIX_IRQ_INDEX)
		return set_msix(vfio, header, fds);
	/* Error and request interrupts: the model never raises one. */
	if ((header->flags & VFIO_IRQ_SET_DATA_EVENTFD) && header->count && fds[0] >= 0) {
		int own;

		ret = own_eventfd(fds[0], &own);
		if (!ret)
			close(own);
	}
	return ret;
}
