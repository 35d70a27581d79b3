/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DOCTOR_H
#define DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "shunt_pci_bind.h"

/*
 * What `shunt doctor` finds, part by part, and its two ways to say it.
 *
 *   struct doctor
 *     |- the machine: platform (sysfs), /proc, /dev, /boot
 *     |- its PCI functions
 *     `- findings, in the order of the checks: ok, warn, wrong; with the command that mends it
 *          doctor_kernel.c      release, configuration, IOMMU, /dev/iommu, vfio-pci
 *          doctor_interrupts.c  isolation of interrupts
 *          doctor_memory.c      hugepages, locked memory
 *          doctor_observers.c   who sees faults
 *          doctor_evidence.c    what was seen of replace
 *          doctor_function.c    a function, its group, who holds it
 *          doctor_driver.c      who drives it
 *          doctor_trial.c       a switch, tried
 */

/** Memory that a run maps unless told otherwise: `shunt forward --memory`, and its rings. */
#define DOCTOR_FRAMES_MIB 256
#define DOCTOR_RINGS_MIB  32

enum finding_state {
	FINDING_OK,
	FINDING_WARN,  /**< a switch can work without */
	FINDING_WRONG, /**< it cannot */
};

struct finding {
	enum finding_state state;
	char subject[24];              /**< "kernel", "0000:03:00.0" */
	char text[512];                /**< what is there */
	char mend[SHUNT_PCI_MEND * 2]; /**< shell command, as root, that mends it; "" for none */
	char advice[256];              /**< what to do where no command mends it; "" for none */
};

struct doctor {
	struct shunt_pci_machine machine;
	const char *boot;     /**< "/boot" */
	const char *plugins;  /**< EAL's folder of drivers */
	const char *evidence; /**< file; NULL: the default one */
	struct shunt_pci_list list;
	struct finding *findings;
	size_t count;
	bool out_of_memory; /**< a finding is lost */
};

/** Adds a finding. @return it, or a place that nobody reads when out of memory */
struct finding *doctor_find(struct doctor *doctor, enum finding_state state, const char *subject,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/** Says how to mend a finding: by a command, or by what else. */
void doctor_mend(struct finding *finding, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void doctor_advise(struct finding *finding, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** A command that mends several findings stays with the first: all that are left can be run. */
void doctor_say_once(struct doctor *doctor);

/** Number of findings in a state. */
size_t doctor_count(const struct doctor *doctor, enum finding_state state);

/** Name of the user who asks, for chown. */
void doctor_user(char name[32]);

/** First line of a file. @return whether it could be read */
bool doctor_read(const char *path, char *text, size_t size);

/** Path from parts; longer ones are cut off, and then found not to exist. */
void doctor_path(char *path, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** The checks; each adds one finding or more. */
void doctor_check_kernel(struct doctor *doctor);
void doctor_check_interrupts(struct doctor *doctor);
void doctor_check_memory(struct doctor *doctor);
void doctor_check_observers(struct doctor *doctor);
void doctor_check_evidence(struct doctor *doctor, const struct shunt_platform_info *info);

/** Value of an option in the kernel's configuration: 'y', 'm', 'n'; '?' where there is none. */
char doctor_kernel_option(const struct doctor *doctor, const char *option);

/** Says that interrupts are not isolated, with the mend. */
void doctor_interrupts_unsafe(struct doctor *doctor, const char *subject);

#define DOCTOR_DRIVER 32

/** Who drives a function: "net_shunt igb", or one of DPDK's drivers. @return whether anybody does
 */
bool doctor_driver(const struct doctor *doctor, const struct shunt_pci_function *function,
	char name[DOCTOR_DRIVER]);

/**
 * Checks one function.
 *
 * @param named  by the user: what is wrong with it is wrong; otherwise one in use is left alone
 * @return whether it can be switched
 */
bool doctor_check_function(
	struct doctor *doctor, const struct shunt_pci_function *function, bool named);

/** Binds a function to an iommufd, attaches it to a hwpt and moves it to another one. */
bool doctor_try_switch(struct doctor *doctor, const struct shunt_pci_function *function);

/** Prints a line for each finding. */
void doctor_print_lines(const struct doctor *doctor, FILE *out);

/** Prints one JSON object. @return 0, -ENOMEM, -EIO */
int doctor_print_json(const struct doctor *doctor, FILE *out);

#endif
