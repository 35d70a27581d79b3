/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BIND_TREE_H
#define BIND_TREE_H

#include <stdbool.h>

#include <shunt/pci.h>

#include "sysfs_tree.h"

/*
 * A machine for binding: a sysfs tree whose files act when they are written, as the kernel's do,
 * with folders for /dev, /proc and the records beside it.
 *
 *   <root>/bus/pci/devices/0000:03:00.0/{driver ->, driver_override, vfio-dev/}
 *   <root>/bus/pci/drivers/{igb,vfio-pci,...}/bind     <root>/bus/pci/drivers_probe
 *   <root>/dev/vfio/devices/vfioN   <root>/proc/PID/{fd/,comm}   <root>/records
 *
 * Any write can be made to fail. Failing to build the tree fails the test.
 */

struct bind_tree {
	struct sysfs_tree sysfs;
	struct shunt_pci_machine machine;
	char records[128], proc[128], dev[128];
	unsigned int writes;      /* so far */
	unsigned int fail_from;   /* the first write that fails, from 1; 0: none */
	unsigned int fail_count;  /* how many of them do */
	int fail_with;            /* negative errno */
	bool probe_finds_nothing; /* drivers_probe binds no driver */
	bool no_cdev;             /* vfio-pci without character devices */
	bool no_node;             /* nothing makes nodes in /dev */
	bool own_nodes;           /* nodes, not links to this machine's: takes root */
	bool wrong_node;          /* nodes have the number of the next one */
	unsigned int next_cdev;
};

/**
 * Two groups, 14 and 15:
 *
 * Those with a driver have an interface that is down; a read of sriov_numvfs never returns.
 *
 *   14  02:00.0 bridge, pcieport   03:00.0 igb   04:00.0 no driver   05:00.0 igb, override "igb"
 *   15  06:00.0 e1000e             07:1f.0 ISA bridge, no driver
 *   --  08:00.0 igb, no group
 */
void bind_tree_create(struct bind_tree *tree);

void bind_tree_destroy(struct bind_tree *tree);

/** Makes n writes from the first-th on fail. Counting starts anew. */
void bind_tree_fail(struct bind_tree *tree, unsigned int first, unsigned int n, int err);

/** What the kernel and the records say, as text; to be freed. */
char *bind_tree_state(struct bind_tree *tree);

/** Makes a folder and those above it, or a file with a text, at root/path. */
void bind_tree_folder(struct bind_tree *tree, const char *path);
void bind_tree_file(struct bind_tree *tree, const char *path, const char *text);
void bind_tree_link(struct bind_tree *tree, const char *path, const char *target);
/** A file whose open never returns: no process has the other end. */
void bind_tree_pipe(struct bind_tree *tree, const char *path);
/** A network interface of a function. */
void bind_tree_interface(
	struct bind_tree *tree, const char *address, const char *name, const char *flags);
void bind_tree_remove(struct bind_tree *tree, const char *path);

/** Moves a function to another driver behind everybody's back, without an override. */
void bind_tree_move(struct bind_tree *tree, const char *address, const char *driver);

/** Makes the node vfio<cdev> anew, with the number that vfio<device> has. */
void bind_tree_node(struct bind_tree *tree, unsigned int cdev, unsigned int device);

/** A process that has /dev/vfio/devices/<cdev> open. */
void bind_tree_hold(struct bind_tree *tree, int pid, const char *command, const char *cdev);

#endif
