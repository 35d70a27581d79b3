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

#define ONE  "0000:03:00.0"
#define BOTH "0000:03:00.0", "0000:06:00.0"

static void there_and_back(void **state)
{
	char *before = bind_tree_state(&tree);

	for (int round = 0; round < 2; round++) {
		assert_int_equal(bind_them(false, "4:0.0", NULL), 0);
		assert_int_equal(done.count, 3);
		assert_string_equal(done.functions[0].address, ONE);
		assert_string_equal(done.functions[0].before, "igb");
		assert_string_equal(done.functions[0].after, "vfio-pci");
		assert_non_null(strstr(done.functions[0].cdev, "/dev/vfio/devices/vfio"));
		assert_string_equal(done.functions[1].before, "");
		assert_int_equal(done.functions[2].group, 14);
		shunt_pci_bindings_free(&done);
		assert_in_state("0000:02:00.0 pcieport (null)\n");
		assert_in_state("0000:03:00.0 vfio-pci vfio-pci\n");
		assert_in_state("0000:04:00.0 vfio-pci vfio-pci\n");
		assert_in_state("0000:05:00.0 vfio-pci vfio-pci\n");
		assert_in_state("0000:06:00.0 e1000e (null)\n");
		assert_int_equal(unbind_them(false, "05:00.0", NULL), 0);
		assert_int_equal(done.count, 3);
		assert_string_equal(done.functions[2].before, "vfio-pci");
		assert_string_equal(done.functions[2].after, "igb");
		shunt_pci_bindings_free(&done);
		assert_state(before);
	}
	free(before);
}

static void already_bound(void **state)
{
	unsigned int writes;
	char *bound;

	must(bind_them(false, ONE, NULL));
	bound = bind_tree_state(&tree);
	writes = tree.writes;
	assert_int_equal(bind_them(false, "0000:05:00.0", NULL), 0);
	assert_int_equal(done.count, 3);
	assert_string_equal(done.functions[1].before, "vfio-pci");
	assert_non_null(strstr(done.functions[1].cdev, "vfio"));
	shunt_pci_bindings_free(&done);
	assert_int_equal(tree.writes, writes);
	assert_state(bound);
	free(bound);
}

static void all_records(void **state)
{
	char *before = bind_tree_state(&tree);

	must(unbind_them(false, NULL));
	must(bind_them(false, BOTH, NULL));
	assert_in_state("0000:06:00.0 vfio-pci vfio-pci\n");
	assert_in_state("0000:07:1f.0 - (null)\n");
	must(unbind_them(false, NULL));
	assert_state(before);
	free(before);
}

/* Each write of a bind of two groups fails in turn. */
static void every_write_fails(void **state)
{
	static const int errors[] = { -EACCES, -EBUSY, -EINVAL, -ENODEV };
	char *before = bind_tree_state(&tree);
	unsigned int failed = 0;
	int ret = -1;

	for (unsigned int n = 1; ret; n++) {
		bind_tree_fail(&tree, n, 1, errors[n % 4]);
		ret = bind_them(false, BOTH, NULL);
		if (!ret)
			break;
		failed++;
		assert_int_equal(ret, errors[n % 4]);
		assert_message(tree.sysfs.root);
		assert_message(strerror(-ret));
		if (ret == -EACCES)
			assert_message("run it as root");
		assert_state(before);
	}
	/* Of each of four functions: override and probe; of three of them also unbind. */
	assert_int_equal(failed, 11);
	must(ret);
	bind_tree_fail(&tree, 0, 0, 0);
	must(unbind_them(false, NULL));
	assert_state(before);
	free(before);
}

static void undoing_fails_too(void **state)
{
	char *before = bind_tree_state(&tree);

	bind_tree_fail(&tree, 5, 1000, -EBUSY);
	assert_int_equal(bind_them(false, ONE, NULL), -EBUSY);
	assert_message("not everything could be put back");
	assert_message("'shunt unbind 0000:0");
	assert_in_state("0000:03:00.0 vfio-pci vfio-pci\n");
	assert_in_state("shunt.bind/2");
	bind_tree_fail(&tree, 0, 0, 0);
	must(unbind_them(false, ONE, NULL));
	assert_state(before);
	free(before);
}

/* A bind that was killed half way: the record is kept as it was, the next bind goes on. */
static void killed_half_way(void **state)
{
	char *before = bind_tree_state(&tree);

	bind_tree_fail(&tree, 3, 1000, -EIO);
	assert_int_equal(bind_them(false, ONE, NULL), -EIO);
	assert_in_state("0000:03:00.0 - vfio-pci\n");
	bind_tree_fail(&tree, 0, 0, 0);
	must(bind_them(false, ONE, NULL));
	assert_in_state("0000:03:00.0 vfio-pci vfio-pci\n");
	must(unbind_them(false, ONE, NULL));
	assert_state(before);
	free(before);
}

/* A function that somebody moved by hand in between is put back on what it was on last. */
static void moved_by_hand(void **state)
{
	must(bind_them(false, ONE, NULL));
	bind_tree_move(&tree, "0000:04:00.0", "e1000e");
	bind_tree_interface(&tree, "0000:04:00.0", "eth4", "0x1002");
	must(bind_them(false, ONE, NULL));
	must(unbind_them(false, ONE, NULL));
	assert_in_state("0000:03:00.0 igb (null)\n");
	assert_in_state("0000:04:00.0 e1000e (null)\n");
}

static void every_write_of_unbind_fails(void **state)
{
	char *before = bind_tree_state(&tree);
	unsigned int failed = 0;

	for (unsigned int n = 1;; n++) {
		bind_tree_fail(&tree, 0, 0, 0);
		must(bind_them(false, ONE, NULL));
		bind_tree_fail(&tree, n, 1, -EBUSY);
		if (unbind_them(false, ONE, NULL) == 0)
			break;
		failed++;
		assert_message(strerror(EBUSY));
		assert_int_equal(done.count, 3);
		shunt_pci_bindings_free(&done);
		assert_in_state("shunt.bind/2");
		bind_tree_fail(&tree, 0, 0, 0);
		must(unbind_them(false, ONE, NULL));
		assert_state(before);
	}
	/* Override and unbind of each, bind of the two that had a driver. */
	assert_int_equal(failed, 8);
	shunt_pci_bindings_free(&done);
	assert_state(before);
	free(before);
}

static void vfio_does_not_take_it(void **state)
{
	char *before = bind_tree_state(&tree);

	tree.probe_finds_nothing = true;
	assert_int_equal(bind_them(false, ONE, NULL), -EIO);
	assert_message("0000:03:00.0: vfio-pci did not take it, it is on no driver");
	assert_state(before);
	free(before);
}

static void no_character_device(void **state)
{
	char *before = bind_tree_state(&tree);

	tree.no_node = true;
	assert_int_equal(bind_them(false, ONE, NULL), -ETIMEDOUT);
	assert_message("mknod /dev/vfio/devices/vfio0 c 1 3");
	assert_state(before);
	tree.no_cdev = true;
	assert_int_equal(bind_them(false, ONE, NULL), -ENOTSUP);
	assert_message("CONFIG_VFIO_DEVICE_CDEV");
	assert_state(before);
	free(before);
}

/* A container's static nodes: nobody gets the node of another function. */
static void node_of_another_function(void **state)
{
	char *before = bind_tree_state(&tree);

	tree.wrong_node = true;
	assert_int_equal(bind_them(false, ONE, NULL), -ESTALE);
	assert_message("vfio0: the node is device 1:5, but sysfs has 1:3");
	assert_message("rm -f /dev/vfio/devices/vfio0; mknod -m 600 /dev/vfio/devices/vfio0 c 1 3");
	assert_state(before);
	free(before);
}

static void module_is_loaded(void **state)
{
	char script[512], helper[256];

	bind_tree_remove(&tree, "bus/pci/drivers/vfio-pci/bind");
	bind_tree_remove(&tree, "bus/pci/drivers/vfio-pci");
	refused(bind_them, ONE, -ENOTSUP, "takes no modules");
	bind_tree_folder(&tree, "proc/sys/kernel");
	bind_tree_file(&tree, "proc/sys/kernel/modprobe", "/no/such/modprobe\n");
	refused(bind_them, ONE, -ENOTSUP, "/no/such/modprobe");
	snprintf(helper, sizeof(helper), "%s/modprobe", tree.sysfs.root);
	bind_tree_file(&tree, "modprobe", "#!/bin/sh\nexit 3\n");
	assert_int_equal(chmod(helper, 0700), 0);
	bind_tree_file(&tree, "proc/sys/kernel/modprobe", helper);
	refused(bind_them, ONE, -ENOTSUP, "ended with status 3");
	snprintf(script, sizeof(script),
		"#!/bin/sh\n[ \"$*\" = '-- vfio-pci' ] && mkdir %s/bus/pci/drivers/vfio-pci\n",
		tree.sysfs.root);
	bind_tree_file(&tree, "modprobe", script);
	must(bind_them(false, ONE, NULL));
}

static void function_is_gone(void **state)
{
	must(bind_them(false, "06:00.0", NULL));
	bind_tree_file(
		&tree, "records/0000:03:00.0.bind", "shunt.bind/2\ngroup 14\n0000:03:01.0 igb -\n");
	assert_int_equal(unbind_them(false, "0000:03:01.0", NULL), 0);
	assert_int_equal(done.count, 1);
	assert_true(done.functions[0].gone);
	shunt_pci_bindings_free(&done);
	must(unbind_them(false, NULL));
	assert_in_state("0000:06:00.0 e1000e (null)\n");
}

static void given_to_a_user(void **state)
{
	uid_t owner = geteuid() ? geteuid() : 65534;
	const char *const addresses[] = { ONE };
	char path[256];
	struct stat status;

	/* The owner of this machine's own devices is not for a test to change. */
	tree.own_nodes = geteuid() == 0;
	assert_int_equal(shunt_pci_bind(&tree.machine, addresses, 1, false, owner, &done), 0);
	assert_int_equal(done.count, 3);
	for (size_t i = 0; i < done.count; i++) {
		snprintf(path, sizeof(path), "%s%s", tree.sysfs.root, done.functions[i].cdev);
		assert_int_equal(lstat(path, &status), 0);
		assert_int_equal(status.st_uid, owner);
	}
	shunt_pci_bindings_free(&done);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(there_and_back),
		TREE_TEST(already_bound),
		TREE_TEST(all_records),
		TREE_TEST(every_write_fails),
		TREE_TEST(undoing_fails_too),
		TREE_TEST(killed_half_way),
		TREE_TEST(moved_by_hand),
		TREE_TEST(every_write_of_unbind_fails),
		TREE_TEST(vfio_does_not_take_it),
		TREE_TEST(no_character_device),
		TREE_TEST(node_of_another_function),
		TREE_TEST(module_is_loaded),
		TREE_TEST(function_is_gone),
		TREE_TEST(given_to_a_user),
	};

	return cmocka_run_group_tests_name("pci_bind", tests, NULL, NULL);
}
