/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_IOMMUFD_H
#define SIM_IOMMUFD_H

#include "shunt_iommufd_uapi.h"
#include "sim_iommu.h"
#include "sim_fd.h"
#include "sim_iova.h"

/*
 * Objects of one open iommufd, in one space of ids.
 *
 *   struct sim_iommufd (a file)
 *     |- 1 sim_ioas   users: 1 + hwpts         mappings, allowed and reserved IOVAs
 *     |- 2 sim_hwpt   users: 1 + attached      a domain filled from its IOAS
 *     `- 3 sim_device users: 2 (VFIO holds it) a bound function, member of its group
 *
 * `users` counts as the kernel's iommufd_object does: an object with one user, the table, can be
 * destroyed. Rules, order of checks and errnos follow drivers/iommu/iommufd of Linux 6.12. All
 * functions are called with sim::lock held and return 0 or a negative errno. IOMMU_IOAS_MAP_FILE,
 * if the configuration has it, follows Linux 7.
 *
 * Not modelled: nested hwpts, fault queues, the VFIO container's own ioctls, and the limit of
 * locked memory.
 */

enum sim_object_type { SIM_OBJECT_IOAS, SIM_OBJECT_HWPT, SIM_OBJECT_DEVICE };

/** Head of every object. */
struct sim_object {
	enum sim_object_type type;
	uint32_t id;
	unsigned int users;
};

TAILQ_HEAD(sim_hwpt_list, sim_hwpt);

/** An I/O address space. */
struct sim_ioas {
	struct sim_object object;
	struct sim_iova_space space;
	struct sim_hwpt_list hwpts; /**< those that are filled from it */
};

/** A hardware page table. */
struct sim_hwpt {
	struct sim_object object;
	struct sim_ioas *ioas;
	struct sim_domain *domain;
	bool automatic; /**< made by an attach to an IOAS: goes with its last attached device */
	bool filled;    /**< in the list of its IOAS */
	TAILQ_ENTRY(sim_hwpt) link;
};

/** A bound function. */
struct sim_device {
	struct sim_object object;
	struct sim_iommufd *iommufd;
	struct sim_function *function;
	bool attached;
	TAILQ_ENTRY(sim_device) link; /**< in the group's list, while attached */
};

/** An open /dev/iommu. */
struct sim_iommufd {
	struct sim_file file;
	struct sim_object **objects; /**< by id - 1; NULL: free */
	uint32_t capacity;
	bool per_process_limit;         /**< IOMMU_OPTION_RLIMIT_MODE, remembered only */
	struct sim_ioas *compatibility; /**< IOMMU_VFIO_IOAS */
};

/* ---- the file (sim_iommufd.c) ---- */

/** Opens an iommufd. @return 0, -ENOMEM. Any lock state. */
int sim_iommufd_open(struct sim *sim, struct sim_file **file);

/** Whether a file is an iommufd. @return NULL: it is not */
struct sim_iommufd *sim_iommufd_of(struct sim_file *file);

/* ---- objects (sim_object.c) ---- */

/** Gives an object the lowest free id. @return 0, -ENOMEM */
int sim_object_add(
	struct sim_iommufd *iommufd, struct sim_object *object, enum sim_object_type type);

/** Takes its id away; the object is the caller's again. */
void sim_object_remove(struct sim_iommufd *iommufd, struct sim_object *object);

/** Any object. @return NULL: no such id */
struct sim_object *sim_object_find(struct sim_iommufd *iommufd, uint32_t id);

/** Objects of a type. @return NULL: no such id, or of another type */
struct sim_ioas *sim_ioas_find(struct sim_iommufd *iommufd, uint32_t id);
struct sim_hwpt *sim_hwpt_find(struct sim_iommufd *iommufd, uint32_t id);
struct sim_device *sim_device_find(struct sim_iommufd *iommufd, uint32_t id);

/** A command's structure, as the caller gave it. Its size was checked, unknown fields are zero. */
union sim_command {
	uint32_t size;
	struct iommu_destroy destroy;
	struct iommu_ioas_alloc ioas_alloc;
	struct iommu_ioas_allow_iovas allow_iovas;
	struct iommu_ioas_copy copy;
	struct iommu_ioas_iova_ranges iova_ranges;
	struct iommu_ioas_map map;
	struct iommu_ioas_unmap unmap;
	struct iommu_option option;
	struct iommu_vfio_ioas vfio_ioas;
	struct iommu_hwpt_alloc hwpt_alloc;
	struct iommu_hw_info hw_info;
	struct iommu_hwpt_set_dirty_tracking set_dirty_tracking;
	struct iommu_hwpt_get_dirty_bitmap get_dirty_bitmap;
	struct iommu_hwpt_invalidate invalidate;
	struct iommu_fault_alloc fault_alloc;
	struct iommu_ioas_map_file map_file;
};

/** Executes a command; on success its structure holds the answer. */
int sim_ioas_alloc(struct sim_iommufd *iommufd, union sim_command *request);
int sim_ioas_iova_ranges(struct sim_iommufd *iommufd, union sim_command *request);
int sim_ioas_allow_iovas(struct sim_iommufd *iommufd, union sim_command *request);
int sim_ioas_map(struct sim_iommufd *iommufd, union sim_command *request);
int sim_ioas_map_file(struct sim_iommufd *iommufd, union sim_command *request);
int sim_ioas_copy(struct sim_iommufd *iommufd, union sim_command *request);
int sim_ioas_unmap(struct sim_iommufd *iommufd, union sim_command *request);
int sim_hwpt_alloc(struct sim_iommufd *iommufd, union sim_command *request);
int sim_hwpt_set_dirty_tracking(struct sim_iommufd *iommufd, union sim_command *request);
int sim_hwpt_get_dirty_bitmap(struct sim_iommufd *iommufd, union sim_command *request);

/** IOMMU_OPTION_HUGE_PAGES. */
int sim_ioas_option(struct sim_iommufd *iommufd, struct iommu_option *command);

/* ---- IOAS and its hwpts (sim_ioas.c, sim_map.c, sim_hwpt.c) ---- */

/** Frees an IOAS that has no hwpt, with its mappings. */
void sim_ioas_free(struct sim *sim, struct sim_ioas *ioas);

/**
 * Makes a hwpt, with an id and an empty domain that sim_hwpt_fill() makes follow the IOAS.
 *
 * @return 0, -ENOMEM
 */
int sim_hwpt_create(struct sim_iommufd *iommufd, struct sim_ioas *ioas, enum sim_dirty dirty,
	struct sim_hwpt **hwpt);

/**
 * Maps all of the IOAS and lets the hwpt follow it from here on.
 *
 * @return 0; -EADDRINUSE a mapping does not fit the domain; -EFAULT memory is not there; -ENOMEM
 */
int sim_hwpt_fill(struct sim_hwpt *hwpt);

/** Destroys a hwpt with its id. @return 0, -EBUSY something is attached */
int sim_hwpt_destroy(struct sim_iommufd *iommufd, struct sim_hwpt *hwpt);

/** Maps areas into all hwpts of an IOAS. @return 0; -EFAULT, -ENOMEM and nothing is mapped */
int sim_hwpts_map(struct sim_ioas *ioas, struct sim_area **areas, size_t count);

/** Unmaps an area from all hwpts of an IOAS. On return no DMA uses it. */
void sim_hwpts_unmap(struct sim_ioas *ioas, const struct sim_area *area);

/* ---- devices (sim_attach.c) ---- */

/**
 * Binds a function: claims its group for the iommufd, makes a device object.
 *
 * @return 0, -EPERM the group belongs to another iommufd, -ENOMEM
 */
int sim_device_bind(
	struct sim_iommufd *iommufd, struct sim_function *function, struct sim_device **device);

/** Detaches and unbinds. */
void sim_device_unbind(struct sim_device *device);

/**
 * Attaches, or replaces when attached.
 *
 * @param[in,out] pt_id  IOAS or hwpt; becomes the hwpt in use
 * @return 0, -ENOENT no such id, -EINVAL not a page table or not the group's, -EADDRINUSE, ...
 */
int sim_device_attach(struct sim_device *device, uint32_t *pt_id);

/** Detaches; nothing when not attached. */
void sim_device_detach(struct sim_device *device);

#endif
