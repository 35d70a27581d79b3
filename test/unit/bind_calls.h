/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BIND_CALLS_H
#define BIND_CALLS_H

#include "bind_tree.h"

/*
 * Calls of bind and unbind on the machine of bind_tree.h, and what is asserted of them.
 *
 *   test ---> bind_them(), unbind_them() ---> lib/pci ---> tree
 *        `--> assert_state(), assert_message() <-----------'
 */

/** The machine of the test that runs, and the result of its last call. */
extern struct bind_tree tree;
extern struct shunt_pci_bindings done;

/** A tree for each test. */
int make_tree(void **state);
int drop_tree(void **state);

#define TREE_TEST(test) cmocka_unit_test_setup_teardown(test, make_tree, drop_tree)

/** The thread's error has these words and is one line. */
void assert_message(const char *part);

/** The state of the tree has these words, or is the same as before. */
void assert_in_state(const char *part);
void assert_state(const char *before);

/** Calls with addresses that end with NULL. @return what shunt_pci_bind() and _unbind() do */
int bind_them(bool force, const char *first, ...);
int unbind_them(bool force, const char *first, ...);

/** The call has worked; its result is released. */
void must(int ret);

/** A call is refused with an errno and these words, and has changed nothing. */
void refused(int (*act)(bool force, const char *first, ...), const char *address, int err,
	const char *words);

#endif
