/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BIND_H
#define BIND_H

#include <dirent.h>
#include <limits.h>

#include <shunt/pci.h>

/*
 * Parts of binding, inside lib/pci.
 *
 *   bind.c, unbind.c      what is moved, in which order, and what is undone
 *     |- bind_record.c    struct pci_record: one file for each group, and the lock on their folder
 *     |- bind_move.c      one function: to vfio-pci, which is loaded if needed, and back
 *     |- bind_use.c       what a function is used for
 *     |- bind_holder.c    which process has it open
 *     `- bind_machine.c   files of the machine, which vf.c uses too: virtual functions
 */

#define PCI_VFIO_DRIVER "vfio-pci"

/* Driver and override of a function before it was bound. */
struct pci_saved {
	char address[16];
	char driver[32];   /* "" for none */
	char override[64]; /* "" for none */
};

/* The record of one group. */
struct pci_record {
	char file[32]; /* name in the folder */
	int group;
	struct pci_saved *functions;
	size_t count;
};

struct pci_records {
	struct pci_record *records;
	size_t count;
};

/* Folders of the machine, with the defaults filled in. */
const char *pci_machine_records(const struct shunt_pci_machine *machine);
const char *pci_machine_proc(const struct shunt_pci_machine *machine);

/* Prints into a path. @return 0, -ENAMETOOLONG with shunt_errmsg() */
int pci_path(char path[PATH_MAX], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Last part of where a link of a function leads to; "" without such a link. @return 0, -EIO */
int pci_link_name(
	const char *sysfs, const char *address, const char *link, char *name, size_t size);

/* The last entry of a folder whose name begins with a prefix. @return number of them, -EIO */
int pci_entries(const char *folder, const char *prefix, char name[NAME_MAX + 1]);

/* Path of a "/dev/..." node on this machine. */
int pci_node_path(const struct shunt_pci_machine *machine, const char *node, char path[PATH_MAX]);

/**
 * Reads the first line of a file that the kernel gives under the function's lock. The holder of the
 * lock may wait for a process, and a read that waits for the lock cannot be ended. So a child
 * process reads.
 *
 * @return 0 or a negative errno, no shunt_errmsg(); -ETIMEDOUT after PCI_LOCK_PATIENCE_MS
 */
int pci_read_locked(const char *path, char *text, size_t size);

#define PCI_LOCK_PATIENCE_MS 5000

/** The same for writing. @return 0 or a negative errno; -ETIMEDOUT: it may still be done later */
int pci_write_locked(const char *path, const char *text, int patience_ms);

/** Result of writing a file of sysfs for a function. @return ret; shunt_errmsg() as of pci_write()
 */
int pci_written(const char *address, const char *path, const char *text, int ret);

/**
 * Writes a file of sysfs on behalf of a function.
 *
 * @return 0; the kernel's errno, and shunt_errmsg() names function, text, file, errno and remedy
 */
int pci_write(const struct shunt_pci_machine *machine, const char *address, const char *path,
	const char *text);

/** Writes an attribute of a function, in its folder of sysfs. Errors as of pci_write(). */
int pci_set(const struct shunt_pci_machine *machine, const char *address, const char *attribute,
	const char *text);

/** Refuses the software platform: its functions are where they are. @return 0, -ENOTSUP */
int pci_machine_check(const struct shunt_pci_machine *machine);

/** Whether the function is in the machine. */
bool pci_exists(const struct shunt_pci_machine *machine, const char *address);

/** Reads driver and override of a function. @return 0, -ENODEV not there, -EIO */
int pci_save(const struct shunt_pci_machine *machine, const char *address, struct pci_saved *saved);

/**
 * Refuses a function that has virtual functions: these are removed when its driver is unbound.
 *
 * @param[out] remedy  the command that removes them; may be NULL
 * @return 0; -EBUSY with the remedy
 */
int pci_check_virtual_functions(const struct shunt_pci_machine *machine,
	const struct shunt_pci_function *function, char remedy[SHUNT_PCI_REMEDY]);

/** Refuses a function with virtual functions; without force, one in use. @return 0, -EBUSY */
int pci_check_use(const struct shunt_pci_machine *machine,
	const struct shunt_pci_function *function, bool force);

/** Whether a function is on a driver that hands it to user space by UIO. */
bool pci_is_uio(const struct shunt_pci_function *function);

/** Opens /sys/class/<name>. @return 0, with *dir NULL where there is none; the errno of reading */
int pci_open_class(const struct shunt_pci_machine *machine, const char *name, char folder[PATH_MAX],
	DIR **dir);

/** Name of the next entry of a class that belongs to a function. @return whether there is one */
bool pci_next_of_function(
	DIR *dir, const char *folder, const char *address, char name[NAME_MAX + 1]);

/** Moves a function to vfio-pci. @return 0, the kernel's errno; half moved on failure */
int pci_move_to_vfio(const struct shunt_pci_machine *machine, const char *address);

/**
 * Waits until the function's character device and its node are there.
 *
 * @param[out] cdev  its path
 * @return 0; -ETIMEDOUT none came; -ESTALE the node is another device; -ENOTSUP, -EIO
 */
int pci_wait_cdev(const struct shunt_pci_machine *machine, const char *address, char cdev[64]);

/** Restores the saved driver and override of a function, whatever driver has it now. @return 0, the
 * kernel's errno */
int pci_put_back(const struct shunt_pci_machine *machine, const struct pci_saved *saved);

/** Makes sure that the driver vfio-pci is there. @return 0, -ENOTSUP with the remedy */
int pci_load_vfio(const struct shunt_pci_machine *machine);

/**
 * Takes the lock on the records, making their folder if asked.
 *
 * @param[out] lock  a descriptor; close() gives it back
 * @return 0; -ENOENT no folder; -EBUSY held for ten seconds; -EACCES, -EROFS
 */
int pci_records_lock(const struct shunt_pci_machine *machine, bool make, int *lock);

/** Reads all of them. @return 0, -EIO for a damaged file (named), -ENOMEM */
int pci_records_read(const struct shunt_pci_machine *machine, struct pci_records *records);

void pci_records_free(struct pci_records *records);

/** The record that has a function; NULL for none. */
struct pci_record *pci_records_find(const struct pci_records *records, const char *address);

/** The function in a record; NULL for none. */
struct pci_saved *pci_record_find(const struct pci_record *record, const char *address);

/** Adds a function, or replaces what is saved of it. @return 0, -ENOMEM */
int pci_record_add(struct pci_record *record, const struct pci_saved *saved);

/** Copies a record. @return 0, -ENOMEM */
int pci_record_copy(const struct pci_record *record, struct pci_record *copy);

void pci_record_free(struct pci_record *record);

/** Writes it, whole or not at all. @return 0, -EIO, -EACCES and others of the file system */
int pci_record_write(const struct shunt_pci_machine *machine, const struct pci_record *record);

/** Removes its file. @return 0 also if it is not there, the file system's errno */
int pci_record_remove(const struct shunt_pci_machine *machine, const struct pci_record *record);

/** Appends a function to a result. @return 0, -ENOMEM */
int pci_bindings_add(struct shunt_pci_bindings *bindings, const struct shunt_pci_binding *binding);

#endif
