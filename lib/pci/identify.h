/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IDENTIFY_H
#define IDENTIFY_H

#include <shunt/pci.h>

/*
 * libpci, inside lib/pci: what a function is. libpci reports errors by calling a function that must
 * not return and, by default, ends the process; here it jumps back into the call that failed.
 *
 *   struct pci_identifier --- struct pci_access (method "linux-sysfs", platform's tree)
 *                         `-- where an error of the current call jumps to, and its text
 *
 * One thread at a time for each identifier.
 */

struct pci_identifier;

/**
 * Opens libpci on a platform's sysfs tree.
 *
 * @return 0, -ENOMEM, -ENAMETOOLONG, -EIO with libpci's text
 */
int pci_identifier_open(const char *sysfs, struct pci_identifier **identifier);

/** Releases it. NULL is allowed. */
void pci_identifier_close(struct pci_identifier *identifier);

/** Fills vendor, device, class_code, is_bridge and name from address. @return 0, -EINVAL, -EIO */
int pci_identify(struct pci_identifier *identifier, struct shunt_pci_function *function);

/** Parts of an address. */
struct pci_address {
	unsigned int domain;
	unsigned int bus;
	unsigned int device;
	unsigned int function;
};

/**
 * Reads "0000:03:00.0" or, with domain 0, "03:00.0"; nothing may follow.
 *
 * @return whether it is an address
 */
bool pci_address_parse(const char *text, struct pci_address *address);

/** Writes an address in full, with its domain. @return 0, -EINVAL */
int pci_address_full(const char *text, char address[16]);

#endif
