/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <shunt/error.h>

#include "bind_calls.h"

struct bind_tree tree;
struct shunt_pci_bindings done;

int make_tree(void **state)
{
	bind_tree_create(&tree);
	return 0;
}

int drop_tree(void **state)
{
	bind_tree_destroy(&tree);
	return 0;
}

void assert_message(const char *part)
{
	if (!strstr(shunt_errmsg(), part))
		fail_msg("'%s' is not in the message: %s", part, shunt_errmsg());
	assert_null(strchr(shunt_errmsg(), '\n'));
}

void assert_in_state(const char *part)
{
	char *state = bind_tree_state(&tree);

	if (!strstr(state, part))
		fail_msg("'%s' is not in\n%s", part, state);
	free(state);
}

void assert_state(const char *before)
{
	char *state = bind_tree_state(&tree);

	if (strcmp(state, before) != 0)
		fail_msg("it was\n%sand is\n%s", before, state);
	free(state);
}

int bind_them(bool force, const char *first, ...)
{
	const char *addresses[8] = { first };
	size_t count = 0;
	va_list args;

	va_start(args, first);
	while (addresses[count])
		addresses[++count] = va_arg(args, const char *);
	va_end(args);
	return shunt_pci_bind(&tree.machine, addresses, count, force, SHUNT_PCI_NO_OWNER, &done);
}

int unbind_them(bool force, const char *first, ...)
{
	const char *addresses[8] = { first };
	size_t count = 0;
	va_list args;

	va_start(args, first);
	while (addresses[count])
		addresses[++count] = va_arg(args, const char *);
	va_end(args);
	return shunt_pci_unbind(&tree.machine, addresses, count, force, &done);
}

void must(int ret)
{
	if (ret)
		fail_msg("%s", shunt_errmsg());
	shunt_pci_bindings_free(&done);
}

void refused(int (*act)(bool force, const char *first, ...), const char *address, int err,
	const char *words)
{
	char *before = bind_tree_state(&tree);
	unsigned int writes = tree.writes;

	assert_int_equal(act(false, address, NULL), err);
	assert_message(words);
	assert_int_equal(tree.writes, writes);
	shunt_pci_bindings_free(&done);
	assert_state(before);
	free(before);
}
