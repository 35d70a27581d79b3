/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DOCTOR_H
#define DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <shunt/iommufd.h>
#include <shunt/pci.h>

/*
 * What `shunt doctor` finds, printed as lines or as JSON.
 *
 *   struct doctor
 *     |- the machine: platform (sysfs), /proc, /dev, /boot
 *     |- its PCI functions
 *     `- findings, in the order of the checks: ok, warn or wrong, with the command that fixes it
 *          kernel.c    release, configuration, IOMMU, /dev/iommu, vfio-pci, interrupts, faults
 *          memory.c    hugepages, locked memory
 *          evidence.c  outcomes of earlier replaces
 *          function.c  a function, its group, its holder
 *          driver.c    its driver
 *          trial.c     a trial switch
 *          width.c     addresses that its IOMMU translates
 */

enum finding_state {
	FINDING_OK,
	FINDING_WARN,  /**< a switch works without it */
	FINDING_WRONG, /**< no switch works */
};

struct finding {
	enum finding_state state;
	char subject[24]; /**< "kernel", "0000:03:00.0" */
	char text[512];   /**< what was found */
	char fix[SHUNT_PCI_REMEDY *
		 2];      /**< shell command that fixes it, as root; "" if there is none */
	char advice[640]; /**< what to do if no command fixes it; "" if there is nothing */
};

struct doctor {
	struct shunt_pci_machine machine;
	const char *boot;     /**< "/boot" */
	const char *plugins;  /**< EAL's driver folder */
	const char *evidence; /**< file; NULL: the default one */
	struct shunt_pci_list list;
	unsigned int ports; /**< ports of our drivers in a run */
	struct finding *findings;
	size_t count;
	bool out_of_memory; /**< a finding is lost */
};

/** Adds a finding. @return it, or a dummy if out of memory */
struct finding *doctor_find(struct doctor *doctor, enum finding_state state, const char *subject,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/** Sets how to fix a finding: by a command, or otherwise. */
void doctor_fix(struct finding *finding, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void doctor_advise(struct finding *finding, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** Keeps a command that fixes several findings at the first one, so that each can be run. */
void doctor_deduplicate(struct doctor *doctor);

/** Number of findings in a state. */
size_t doctor_count(const struct doctor *doctor, enum finding_state state);

/** Name of the current user, for chown. */
const char *doctor_user(void);

/** Path of a file of sysfs. */
const char *doctor_sysfs(const struct doctor *doctor, const char *file);

/** "MAJOR MINOR" of a device, for mknod, from its file in sysfs; NULL if unknown. */
const char *doctor_device(const char *file);

/** The checks; each adds one finding or more. */
void doctor_check_kernel(struct doctor *doctor);
void doctor_check_interrupts(struct doctor *doctor);
void doctor_check_memory(struct doctor *doctor);
void doctor_check_observers(struct doctor *doctor);
void doctor_check_evidence(struct doctor *doctor);

/** Value of an option of the kernel's configuration: 'y', 'm', 'n'; '?' if unknown. */
char doctor_kernel_option(const struct doctor *doctor, const char *option);

/** Explains why iommufd refused a function (EPERM), if interrupts need not be the reason. */
void doctor_bind_refused(struct doctor *doctor, const struct shunt_pci_function *function);

#define DOCTOR_DRIVER 32

/** Finds the driver of a function: "net_shunt igb", or a DPDK driver. @return whether there is one
 */
bool doctor_driver(const struct doctor *doctor, const struct shunt_pci_function *function,
	char name[DOCTOR_DRIVER]);

/**
 * Checks one function.
 *
 * @param named  given by the user: its problems count; otherwise one in use is skipped
 * @return whether it can be switched
 */
bool doctor_check_function(
	struct doctor *doctor, const struct shunt_pci_function *function, bool named);

/** Checks that EAL's memory can be mapped for a function. @return whether it can */
bool doctor_check_width(struct doctor *doctor, const struct shunt_pci_function *function,
	const struct shunt_iova_range *ranges, uint32_t count);

/** Binds a function to an iommufd, attaches it to a hwpt and replaces that by another. */
bool doctor_try_switch(struct doctor *doctor, const struct shunt_pci_function *function);

/** Prints a line for each finding. */
void doctor_print_lines(const struct doctor *doctor, FILE *out);

/** Prints one JSON object. @return 0, -ENOMEM, -EIO */
int doctor_print_json(const struct doctor *doctor);

#endif
