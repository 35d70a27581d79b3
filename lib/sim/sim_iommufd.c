/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim_iommufd.h"
#include "sim_user.h"

/* Linux 6.12 ends with IOMMUFD_CMD_FAULT_QUEUE_ALLOC; the next one is 6.13's IOAS_MAP_FILE. */
#define COMMANDS 16

/* Destroys an object that only the table uses. */
static int destroy_object(struct sim_iommufd *iommufd, struct sim_object *object)
{
	if (object->type == SIM_OBJECT_HWPT)
		return sim_hwpt_destroy(iommufd, (struct sim_hwpt *)object);
	/* The VFIO device is a user of its object until sim_device_unbind(). */
	if (object->users != 1 || object->type == SIM_OBJECT_DEVICE)
		return -EBUSY;
	sim_object_remove(iommufd, object);
	if (iommufd->compatibility == (struct sim_ioas *)object)
		iommufd->compatibility = NULL;
	sim_ioas_free(iommufd->file.sim, (struct sim_ioas *)object);
	return 0;
}

static int destroy(struct sim_iommufd *iommufd, union sim_command *command)
{
	struct sim_object *object = sim_object_find(iommufd, command->destroy.id);

	return object ? destroy_object(iommufd, object) : -ENOENT;
}

static int rlimit_mode(struct sim_iommufd *iommufd, struct iommu_option *option)
{
	if (option->object_id)
		return -EOPNOTSUPP;
	if (option->op == IOMMU_OPTION_OP_GET) {
		option->val64 = iommufd->per_process_limit;
		return 0;
	}
	if (option->op != IOMMU_OPTION_OP_SET)
		return -EOPNOTSUPP;
	for (uint32_t i = 0; i < iommufd->capacity; i++) {
		if (iommufd->objects[i])
			return -EBUSY;
	}
	if (option->val64 > 1)
		return -EINVAL;
	iommufd->per_process_limit = option->val64;
	return 0;
}

static int option(struct sim_iommufd *iommufd, union sim_command *command)
{
	if (command->option.__reserved)
		return -EOPNOTSUPP;
	switch (command->option.option_id) {
	case IOMMU_OPTION_RLIMIT_MODE:
		return rlimit_mode(iommufd, &command->option);
	case IOMMU_OPTION_HUGE_PAGES:
		return sim_ioas_option(iommufd, &command->option);
	default:
		return -EOPNOTSUPP;
	}
}

static int vfio_ioas(struct sim_iommufd *iommufd, union sim_command *command)
{
	struct iommu_vfio_ioas *request = &command->vfio_ioas;
	struct sim_ioas *ioas;

	if (request->__reserved)
		return -EOPNOTSUPP;
	switch (request->op) {
	case IOMMU_VFIO_IOAS_GET:
		if (!iommufd->compatibility)
			return -ENODEV;
		request->ioas_id = iommufd->compatibility->object.id;
		return 0;
	case IOMMU_VFIO_IOAS_SET:
		ioas = sim_ioas_find(iommufd, request->ioas_id);
		if (!ioas)
			return -ENOENT;
		iommufd->compatibility = ioas;
		return 0;
	case IOMMU_VFIO_IOAS_CLEAR:
		iommufd->compatibility = NULL;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

/*
 * VT-d registers of this IOMMU, fields as in the Intel VT-d specification, 11.4.2 and 11.4.3: 2^16
 * domains, 48-bit addresses in four levels, leaves of 2 MiB and 1 GiB; coherent page walks, queued
 * invalidation, interrupt remapping; no scalable mode.
 */
#define VTD_CAPABILITY          ((uint64_t)6 | 1ull << 10 | (SIM_DOMAIN_BITS - 1ull) << 16 | 3ull << 34)
#define VTD_EXTENDED_CAPABILITY (1ull << 0 | 1ull << 1 | 1ull << 3)

static int hw_info(struct sim_iommufd *iommufd, union sim_command *command)
{
	const struct iommu_hw_info_vtd registers = {
		.cap_reg = VTD_CAPABILITY,
		.ecap_reg = VTD_EXTENDED_CAPABILITY,
	};
	struct iommu_hw_info *info = &command->hw_info;
	uint32_t part = sizeof(registers);
	uint32_t rest;

	if (info->flags || info->__reserved[0] || info->__reserved[1] || info->__reserved[2])
		return -EOPNOTSUPP;
	if (!sim_device_find(iommufd, info->dev_id))
		return -ENOENT;
	if (info->data_len < part)
		part = info->data_len;
	rest = info->data_len - part;
	if ((part && sim_user_write(info->data_uptr, &registers, part)) ||
		(rest && sim_user_zero(info->data_uptr + part, rest)))
		return -EFAULT;
	info->data_len = sizeof(registers);
	info->out_data_type = IOMMU_HW_INFO_TYPE_INTEL_VTD;
	info->out_capabilities =
		iommufd->file.sim->config.dirty_tracking ? IOMMU_HW_CAP_DIRTY_TRACKING : 0;
	info->out_max_pasid_log2 = 0;
	return 0;
}

/* Only a nested hwpt can be invalidated, and there is none. */
static int invalidate(struct sim_iommufd *iommufd, union sim_command *command)
{
	struct iommu_hwpt_invalidate *request = &command->invalidate;
	uint32_t entries = request->entry_num;

	request->entry_num = 0;
	if (request->__reserved)
		return -EOPNOTSUPP;
	if (entries && (!request->data_uptr || !request->entry_len))
		return -EINVAL;
	return -ENOENT;
}

static int fault_alloc(struct sim_iommufd *iommufd, union sim_command *command)
{
	return -EOPNOTSUPP;
}

struct command_ops {
	unsigned long request;
	uint32_t size;     /* of the structure */
	uint32_t min_size; /* the oldest caller's */
	int (*execute)(struct sim_iommufd *iommufd, union sim_command *command);
};

#define COMMAND(_request, _execute, _struct, _last)                                                \
	[_IOC_NR(_request) - IOMMUFD_CMD_BASE] = {                                                 \
		.request = (_request),                                                             \
		.size = sizeof(struct _struct),                                                    \
		.min_size =                                                                        \
			offsetof(struct _struct, _last) + sizeof(((struct _struct *)NULL)->_last), \
		.execute = (_execute),                                                             \
	}

static const struct command_ops commands[COMMANDS] = {
	COMMAND(IOMMU_DESTROY, destroy, iommu_destroy, id),
	COMMAND(IOMMU_IOAS_ALLOC, sim_ioas_alloc, iommu_ioas_alloc, out_ioas_id),
	COMMAND(IOMMU_IOAS_ALLOW_IOVAS, sim_ioas_allow_iovas, iommu_ioas_allow_iovas,
		allowed_iovas),
	COMMAND(IOMMU_IOAS_COPY, sim_ioas_copy, iommu_ioas_copy, src_iova),
	COMMAND(IOMMU_IOAS_IOVA_RANGES, sim_ioas_iova_ranges, iommu_ioas_iova_ranges,
		out_iova_alignment),
	COMMAND(IOMMU_IOAS_MAP, sim_ioas_map, iommu_ioas_map, iova),
	COMMAND(IOMMU_IOAS_UNMAP, sim_ioas_unmap, iommu_ioas_unmap, length),
	COMMAND(IOMMU_OPTION, option, iommu_option, val64),
	COMMAND(IOMMU_VFIO_IOAS, vfio_ioas, iommu_vfio_ioas, __reserved),
	COMMAND(IOMMU_HWPT_ALLOC, sim_hwpt_alloc, iommu_hwpt_alloc, __reserved),
	COMMAND(IOMMU_GET_HW_INFO, hw_info, iommu_hw_info, __reserved),
	COMMAND(IOMMU_HWPT_SET_DIRTY_TRACKING, sim_hwpt_set_dirty_tracking,
		iommu_hwpt_set_dirty_tracking, __reserved),
	COMMAND(IOMMU_HWPT_GET_DIRTY_BITMAP, sim_hwpt_get_dirty_bitmap, iommu_hwpt_get_dirty_bitmap,
		data),
	COMMAND(IOMMU_HWPT_INVALIDATE, invalidate, iommu_hwpt_invalidate, __reserved),
	COMMAND(IOMMU_FAULT_QUEUE_ALLOC, fault_alloc, iommu_fault_alloc, out_fault_fd),
	COMMAND(IOMMU_IOAS_MAP_FILE, sim_ioas_map_file, iommu_ioas_map_file, iova),
};

/* Commands that write their structure back although they failed. */
static bool replies_to_failure(unsigned long request, int error)
{
	return (request == IOMMU_IOAS_IOVA_RANGES && error == -EMSGSIZE) ||
	       request == IOMMU_HWPT_INVALIDATE;
}

/*
 * Copies the caller's structure, up to the size known here. Bytes beyond that must be zero. They
 * are checked page by page, up to the first that is not.
 */
static int read_command(union sim_command *command, const struct command_ops *ops,
	const uint8_t *arg, uint32_t size)
{
	uint32_t known = size < ops->size ? size : ops->size;
	uint32_t at = known;

	while (at < size) {
		uint32_t part = SIM_PAGE_SIZE - (uint32_t)((uintptr_t)(arg + at) % SIM_PAGE_SIZE);

		if (part > size - at)
			part = size - at;
		if (!sim_user_mapped((uintptr_t)(arg + at), part))
			return -EFAULT;
		for (; part; part--) {
			if (arg[at++])
				return -E2BIG;
		}
	}
	memset(command, 0, sizeof(*command));
	return sim_user_read(command, (uintptr_t)arg, known);
}

static int iommufd_ioctl(struct sim_file *file, unsigned long request, void *arg)
{
	struct sim_iommufd *iommufd = (struct sim_iommufd *)file;
	const struct command_ops *ops;
	unsigned int number = _IOC_NR(request);
	union sim_command command;
	uint32_t size;
	int ret;

	if (number < IOMMUFD_CMD_BASE || number - IOMMUFD_CMD_BASE >= COMMANDS)
		return -ENOTTY;
	if (request == IOMMU_IOAS_MAP_FILE && !file->sim->config.map_file)
		return -ENOTTY;
	if (!sim_user_mapped((uintptr_t)arg, sizeof(size)))
		return -EFAULT;
	memcpy(&size, arg, sizeof(size));
	ops = &commands[number - IOMMUFD_CMD_BASE];
	if (ops->request != request)
		return -ENOTTY;
	if (size < ops->min_size)
		return -EINVAL;
	ret = read_command(&command, ops, arg, size);
	if (ret)
		return ret;

	pthread_mutex_lock(&file->sim->lock);
	ret = ops->execute(iommufd, &command);
	pthread_mutex_unlock(&file->sim->lock);
	if (!ret || replies_to_failure(request, ret))
		memcpy(arg, &command, size < ops->size ? size : ops->size);
	return ret;
}

/* Destroys all objects, users before what they use. */
static void destroy_objects(struct sim_iommufd *iommufd)
{
	bool progress;

	do {
		progress = false;
		for (uint32_t i = 0; i < iommufd->capacity; i++) {
			struct sim_object *object = iommufd->objects[i];

			if (object && destroy_object(iommufd, object) == 0)
				progress = true;
		}
	} while (progress);
	free(iommufd->objects);
}

static void iommufd_release(struct sim_file *file)
{
	struct sim_iommufd *iommufd = (struct sim_iommufd *)file;

	pthread_mutex_lock(&file->sim->lock);
	destroy_objects(iommufd);
	pthread_mutex_unlock(&file->sim->lock);
	free(iommufd);
}

static const struct sim_file_ops iommufd_ops = {
	.ioctl = iommufd_ioctl,
	.release = iommufd_release,
};

int sim_iommufd_open(struct sim *sim, struct sim_file **file)
{
	struct sim_iommufd *iommufd = calloc(1, sizeof(*iommufd));

	if (!iommufd)
		return -ENOMEM;
	iommufd->file.ops = &iommufd_ops;
	iommufd->file.sim = sim;
	iommufd->file.references = 1;
	*file = &iommufd->file;
	return 0;
}

struct sim_iommufd *sim_iommufd_of(struct sim_file *file)
{
	return file->ops == &iommufd_ops ? (struct sim_iommufd *)file : NULL;
}
