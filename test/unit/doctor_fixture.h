/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DOCTOR_FIXTURE_H
#define DOCTOR_FIXTURE_H

#include "bind_tree.h"
#include "doctor.h"

/* A doctor on a machine made of files. */

extern struct bind_tree tree;
extern struct doctor doctor;

int doctor_make_tree(void **state);
int doctor_drop_tree(void **state);

#define TREE_TEST(test) cmocka_unit_test_setup_teardown(test, doctor_make_tree, doctor_drop_tree)

/** Drops all findings and the list of functions. */
void doctor_forget(void);

/** The finding of a subject whose text has these words; the test fails without. */
const struct finding *finding_of(enum finding_state state, const char *subject, const char *words);

/** Scans again and checks a function. @return whether it can be switched */
bool doctor_check(const char *address, bool named);

#endif
