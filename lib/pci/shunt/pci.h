/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_PCI_H
#define SHUNT_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <shunt/platform.h>

/*
 * PCI functions and their IOMMU groups, read with libpci and from the platform's sysfs tree.
 *
 *   group 14 --+-- 0000:02:00.0  bridge, pcieport: may stay (bridges do no DMA of their own)
 *              +-- 0000:03:00.0  82576, vfio-pci, /dev/vfio/devices/vfio0
 *              `-- 0000:04:00.0  82576, igb  <- blocks the group: bind it to vfio-pci
 *
 * A snapshot: taken by shunt_pci_scan(), never refreshed. Any thread.
 */

#ifdef __cplusplus
extern "C" {
#endif

#define SHUNT_PCI_NO_GROUP (-1)

/** One PCI function. */
struct shunt_pci_function {
	char address[16]; /**< "0000:03:00.0" */
	uint16_t vendor;
	uint16_t device;
	uint32_t class_code; /**< 24 bits, base class first */
	char name[96];       /**< "Intel Corporation 82576 Gigabit Network Connection" */
	char driver[32];     /**< kernel driver bound to it; "" for none */
	char cdev[64];       /**< "/dev/vfio/devices/vfio0"; "" unless bound to a VFIO driver */
	int group;           /**< IOMMU group; SHUNT_PCI_NO_GROUP without an IOMMU */
	char physfn[16];     /**< physical function of a virtual one; "" for any other */
	uint16_t vf_total;   /**< virtual functions it can have (sriov_totalvfs); 0: no SR-IOV */
	bool is_bridge;
	bool no_iommu; /**< VFIO has it without an IOMMU: its DMA reaches all memory, untranslated
			*/
};

/** A function that could not be read: it went meanwhile, or its sysfs folder is odd. */
struct shunt_pci_skipped {
	char address[16];
	char reason[256];
};

/** All functions of the platform, in order of address, but those that were skipped. */
struct shunt_pci_list {
	struct shunt_platform *platform;
	struct shunt_pci_function *functions;
	size_t count;
	struct shunt_pci_skipped *skipped;
	size_t skipped_count;
};

/**
 * Reads all functions of the platform. One that cannot be read is no reason not to have the others:
 * it is skipped, with the reason.
 *
 * @return 0, -ENOENT when the platform has no PCI sysfs tree, -ENOMEM, -EIO, -ENAMETOOLONG
 */
int shunt_pci_scan(struct shunt_platform *platform, struct shunt_pci_list *list);

/** Releases a list. */
void shunt_pci_list_free(struct shunt_pci_list *list);

/**
 * Finds a function by address; the domain may be left out ("03:00.0").
 *
 * @return 0, -EINVAL not an address, -ENODEV no such function, or it was skipped: with the reason
 */
int shunt_pci_find(const struct shunt_pci_list *list, const char *address,
	const struct shunt_pci_function **function);

/**
 * Whether this function makes its group unusable for VFIO: bound to a kernel driver that does DMA
 * (anything but a VFIO driver, pci-stub and a bridge's pcieport).
 */
bool shunt_pci_blocks_group(const struct shunt_pci_function *function);

/**
 * Checks that an IOMMU translates a function's DMA.
 *
 * @return 0; -ENOTSUP no IOMMU group, or VFIO has it in no-IOMMU mode
 */
int shunt_pci_translated(const struct shunt_pci_function *function);

/**
 * Checks that a function can be taken: it has a group, a cdev, and no other function blocks its
 * group.
 *
 * @return 0; -EBUSY a sibling blocks (named, with the command that moves it), or the kernel waits
 *         for a process to give it back; -ENODEV not bound to vfio-pci; -ENOTSUP no IOMMU
 */
int shunt_pci_usable(const struct shunt_pci_list *list, const struct shunt_pci_function *function);

/*
 * Binding: whole IOMMU groups to vfio-pci, and back to what they were on.
 *
 *            shunt_pci_bind()  ---------------------------->
 *   group 14                       /run/shunt/bind/           group 14
 *    02:00.0 bridge, pcieport       0000:03:00.0.bind          02:00.0 bridge, pcieport
 *    03:00.0 igb                    03:00.0 igb, no override   03:00.0 vfio-pci, vfio0
 *    04:00.0 (no driver)            04:00.0 none, no override  04:00.0 vfio-pci, vfio1
 *            <---------------------------- shunt_pci_unbind()
 *
 * The record of what was there, one file for each group, is written before anything is touched. It
 * stays until everything is put back, so unbind also repairs an interrupted bind. A group
 * is moved as one, because the kernel gives it to user space as one. Functions are moved by
 * driver_override, driver/unbind and drivers_probe of sysfs.
 *
 * Any thread; processes that bind or unbind wait for each other, ten seconds at most.
 * Source: Documentation/ABI/testing/sysfs-bus-pci, Documentation/driver-api/vfio.rst of Linux.
 */

/** Default folder of the records. */
#define SHUNT_PCI_RECORDS "/run/shunt/bind"

/** "Leave the owner of the character device as it is." */
#define SHUNT_PCI_NO_OWNER (~(uid_t)0)

/** Size of a command that removes an obstacle. */
#define SHUNT_PCI_REMEDY 160

/** The machine on which functions are bound. Members that are NULL or 0 have a default. */
struct shunt_pci_machine {
	struct shunt_platform *platform; /**< its sysfs tree; the kernel's, or a test's */
	const char *records;             /**< folder of the records; SHUNT_PCI_RECORDS */
	const char *proc;                /**< "/proc" */
	const char *dev;                 /**< "/dev" */
	unsigned int patience_ms;        /**< for a character device to appear; 5000 */
	/** How a file of sysfs is written; open(2) and write(2). @return 0, negative errno */
	int (*write)(void *context, const char *path, const char *text);
	void *context; /**< of write */
};

/** One function of a group that was bound or unbound. */
struct shunt_pci_binding {
	char address[16];
	int group;
	char before[32]; /**< driver it was on; "" for none */
	char after[32];  /**< driver it is on now; "" for none */
	char cdev[64];   /**< "/dev/vfio/devices/vfio0"; "" after unbind */
	bool gone;       /**< unbind: the function is no longer in the machine */
};

/** All of them, group by group, in order of address. */
struct shunt_pci_bindings {
	struct shunt_pci_binding *functions;
	size_t count;
};

/** A process that has a function open. */
struct shunt_pci_holder {
	pid_t pid;
	char command[32];
};

/**
 * Puts the groups of some functions on vfio-pci: all their functions but bridges, and but system
 * devices (base class 06h) that have no driver. What is on vfio-pci stays untouched. Loads vfio-pci
 * if it is a module. Waits for the character devices.
 *
 * @param force      also functions that are in use, see shunt_pci_in_use(); but never one that has
 *                   virtual functions
 * @param owner      new owner of the character devices; SHUNT_PCI_NO_OWNER
 * @param[out] done  all functions of the groups; before == after: nothing had to be done.
 *                   Released with shunt_pci_bindings_free(); nothing to release on failure
 * @return 0; on failure every function is as it was, unless shunt_errmsg() says that this failed
 *         too. -EINVAL not an address, given twice, a bridge; -ENODEV no such function; -ENOTSUP no
 *         group, the software platform, a kernel without vfio-pci or its character devices; -EBUSY
 *         in use, or a bridge's driver blocks the group; -EACCES not root; -ETIMEDOUT no character
 *         device came; the kernel's errno
 */
int shunt_pci_bind(const struct shunt_pci_machine *machine, const char *const *addresses,
	size_t count, bool force, uid_t owner, struct shunt_pci_bindings *done);

/**
 * Puts groups back: each function on the driver and with the driver_override of the record.
 *
 * @param count      0: all groups that have a record
 * @param force      as of shunt_pci_bind(), for functions that were moved in the meantime; also
 *                   when it is unknown whether a process has one open
 * @param[out] done  all functions of the groups, also when some could not be put back
 * @return 0; -ENOENT no record of a function; -EBUSY a process has a function open (named), or it
 *         has virtual functions, and nothing was touched; -EINVAL; -ENOTSUP; -EACCES; the first of
 *         the kernel's errnos: the others are put back all the same, and the record stays
 */
int shunt_pci_unbind(const struct shunt_pci_machine *machine, const char *const *addresses,
	size_t count, bool force, struct shunt_pci_bindings *done);

/** Releases the functions of a result. */
void shunt_pci_bindings_free(struct shunt_pci_bindings *bindings);

/**
 * Whether a function is in use by the kernel's driver: a network interface that is up or part
 * of another one, a block device, virtual functions, a process by UIO, VFIO or RDMA. A network
 * function whose interface is not visible counts: it may be in another network namespace.
 *
 * @param[out] remedy  the command that ends the use, "" if no single one does; may be NULL
 * @return 0; -EBUSY, shunt_errmsg() names what and how to end it; another errno of reading sysfs
 */
int shunt_pci_in_use(const struct shunt_pci_machine *machine,
	const struct shunt_pci_function *function, char remedy[SHUNT_PCI_REMEDY]);

/**
 * Looks for a process that has a character device of the function or its group's open: VFIO's,
 * UIO's, RDMA's.
 *
 * @return 1 and *holder; 0 none; -EACCES none seen, but this user cannot see every process
 */
int shunt_pci_find_holder(const struct shunt_pci_machine *machine,
	const struct shunt_pci_function *function, struct shunt_pci_holder *holder);

/**
 * Makes virtual functions of a physical one. No driver of the kernel takes them
 * (sriov_drivers_autoprobe is off meanwhile), except that those of a function on vfio-pci are the
 * VFIO driver's. A scan shows their groups.
 *
 * @param count  1 to shunt_pci_function::vf_total
 * @return 0; -EINVAL not an address, a wrong count; -ENODEV no such function, or it has no driver;
 *         -ENOTSUP no SR-IOV, vfio-pci has it turned off, the software platform; -EBUSY it has
 *         virtual functions already; -EACCES not root; -ETIMEDOUT the kernel did not answer within
 *         SHUNT_PCI_VF_PATIENCE_MS; the kernel's errno
 */
int shunt_pci_vf_create(
	const struct shunt_pci_machine *machine, const char *address, unsigned int count);

/**
 * Removes all virtual functions of a physical one.
 *
 * @param force  also those that the kernel's drivers use, see shunt_pci_in_use(). One that a
 * process has open is never removed: the kernel would wait for that process.
 * @return 0, also if it has none; -EBUSY one is in use (named); others as of shunt_pci_vf_create()
 */
int shunt_pci_vf_remove(const struct shunt_pci_machine *machine, const char *address, bool force);

#define SHUNT_PCI_VF_PATIENCE_MS 30000

/**
 * Whether the kernel is about to take a function from its VFIO driver and waits for a process to
 * give it back: it has no driver then, and a caller that needs its lock waits too. Before
 * Linux 6.18 the kernel does not show which function such a process holds.
 *
 * @return -EBUSY and *holder, shunt_errmsg() names it; 0 as far as this user can see
 */
int shunt_pci_taken_back(const struct shunt_pci_machine *machine,
	const struct shunt_pci_function *function, struct shunt_pci_holder *holder);

#ifdef __cplusplus
}
#endif

#endif
