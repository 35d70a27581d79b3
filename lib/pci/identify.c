/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pci/pci.h>

#include <shunt/error.h>

#include "identify.h"

#define CLASS_PCI_BRIDGE 0x0604 /* PCI Code and ID Assignment Specification: PCI-to-PCI bridge */

struct pci_identifier {
	struct pci_access *access;
	struct pci_dev *dev; /* of the current call */
	jmp_buf failed;
	char reason[256];
};

/* libpci's callbacks carry no context, but are called in the thread of the call. */
static _Thread_local struct pci_identifier *current;

static void __attribute__((noreturn, format(printf, 1, 2))) on_error(char *msg, ...)
{
	va_list args;

	va_start(args, msg);
	vsnprintf(current->reason, sizeof(current->reason), msg, args);
	va_end(args);
	longjmp(current->failed, 1);
}

/* Warnings are about files that a function need not have; the values then stay at zero. */
static void __attribute__((format(printf, 1, 2))) on_remark(char *msg, ...)
{
}

/* Reads up to `digits` hexadecimal digits and the character after them; moves behind it. */
static bool read_part(const char **text, ptrdiff_t digits, char after, unsigned int *value)
{
	char *end;

	*value = (unsigned int)strtoul(*text, &end, 16);
	if (end == *text || end - *text > digits || *end != after)
		return false;
	*text = after ? end + 1 : end;
	return true;
}

static bool read_rest(const char *text, struct pci_address *address)
{
	return read_part(&text, 2, ':', &address->bus) &&
	       read_part(&text, 2, '.', &address->device) &&
	       read_part(&text, 1, '\0', &address->function) && address->device < 32 &&
	       address->function < 8;
}

bool pci_address_parse(const char *text, struct pci_address *address)
{
	const char *rest = text;

	/* strtoul also takes signs, spaces and 0x. */
	if (strspn(text, "0123456789abcdefABCDEF:.") != strlen(text))
		return false;
	if (read_part(&rest, 8, ':', &address->domain) && address->domain <= INT_MAX &&
		read_rest(rest, address))
		return true;
	address->domain = 0;
	return read_rest(text, address);
}

int pci_address_full(const char *text, char address[16])
{
	struct pci_address parts;

	if (!pci_address_parse(text, &parts) ||
		snprintf(address, 16, "%04x:%02x:%02x.%x", parts.domain, parts.bus, parts.device,
			parts.function) >= 16)
		return shunt_fail(-EINVAL,
			"'%s' is no PCI address: expected domain:bus:device.function in "
			"hexadecimal, as in 0000:03:00.0, or without the domain",
			text);
	return 0;
}

int pci_identifier_open(const char *sysfs, struct pci_identifier **identifier)
{
	char parameter[] = "sysfs.path";
	char path[PATH_MAX];
	struct pci_identifier *opened;
	int ret;

	if ((size_t)snprintf(path, sizeof(path), "%s/bus/pci", sysfs) >= sizeof(path))
		return shunt_fail(-ENAMETOOLONG, "PCI functions: path of %s is too long", sysfs);
	opened = calloc(1, sizeof(*opened));
	if (!opened)
		return shunt_fail(-ENOMEM, "PCI functions: out of memory");
	opened->access = pci_alloc();
	opened->access->error = on_error;
	opened->access->warning = on_remark;
	opened->access->debug = on_remark;
	opened->access->method = PCI_ACCESS_SYS_BUS_PCI;
	current = opened;
	if (setjmp(opened->failed)) {
		ret = shunt_fail(-EIO, "PCI functions: libpci on %s: %s", path, opened->reason);
		goto fail;
	}
	if (pci_set_param(opened->access, parameter, path)) {
		ret = shunt_fail(-EIO, "PCI functions: libpci has no parameter %s", parameter);
		goto fail;
	}
	pci_init(opened->access);
	*identifier = opened;
	return 0;

fail:
	pci_identifier_close(opened);
	return ret;
}

void pci_identifier_close(struct pci_identifier *identifier)
{
	if (!identifier)
		return;
	current = identifier;
	if (!setjmp(identifier->failed))
		pci_cleanup(identifier->access);
	current = NULL;
	free(identifier);
}

static int ask(struct pci_identifier *identifier, const struct pci_address *address,
	struct shunt_pci_function *function)
{
	const struct pci_dev *dev;
	char name[512];

	if (setjmp(identifier->failed))
		return shunt_fail(
			-EIO, "PCI function %s: libpci: %s", function->address, identifier->reason);
	identifier->dev = pci_get_dev(identifier->access, (int)address->domain, (int)address->bus,
		(int)address->device, (int)address->function);
	pci_fill_info(identifier->dev, PCI_FILL_IDENT | PCI_FILL_CLASS | PCI_FILL_CLASS_EXT);
	dev = identifier->dev;
	function->vendor = dev->vendor_id;
	function->device = dev->device_id;
	function->class_code = (uint32_t)dev->device_class << 8 | dev->prog_if;
	function->is_bridge = dev->device_class == CLASS_PCI_BRIDGE;
	snprintf(function->name, sizeof(function->name), "%s",
		pci_lookup_name(identifier->access, name, sizeof(name),
			PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE, dev->vendor_id, dev->device_id));
	return 0;
}

int pci_identify(struct pci_identifier *identifier, struct shunt_pci_function *function)
{
	struct pci_address address;
	int ret;

	if (!pci_address_parse(function->address, &address))
		return shunt_fail(-EINVAL, "'%s' is no PCI address", function->address);
	current = identifier;
	identifier->dev = NULL;
	ret = ask(identifier, &address, function);
	if (identifier->dev)
		pci_free_dev(identifier->dev);
	return ret;
}
