/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FORWARD_OPTIONS_H
#define FORWARD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "shunt_group.h"
#include "shunt_sim.h"

#define FORWARD_MAX_MAPS    16
#define FORWARD_NO_EVIDENCE "none"

/* One --map: memory that only one space has. */
struct forward_map {
	char space[SHUNT_SPACE_NAME];
	uint64_t iova;
	uint64_t length;
};

#define FORWARD_MAX_INHERIT 34 /* ports, the tester's, /dev/iommu */

/* One --inherit. */
struct forward_inherit {
	char path[64];
	int fd;
};

/* The command line of `shunt forward`. */
struct forward_options {
	bool kernel; /* platform: this machine's kernel, else the software platform `sim` */
	struct shunt_sim_config sim;
	char *ports;        /* addresses, separated by commas; NULL: the first sim.ports ones */
	const char *tester; /* address of a port outside the group; NULL: none */
	unsigned int inherit_count;
	struct forward_inherit inherit[FORWARD_MAX_INHERIT];
	enum shunt_plan plan;
	uint64_t switch_every_ns; /* 0: no switches */
	uint64_t switches;        /* stop after so many; 0: no limit */
	uint64_t baseline_ns;     /* without switches before the first; 0: none */
	uint64_t duration_ns; /* after that; 0: until interrupted, or until the switches are done */
	uint64_t rate;        /* frames per second and port, SHUNT_RATE_MAX */
	unsigned int size;    /* of fixed frames, with FCS */
	bool imix;
	const char *pcap;
	const char *json;
	const char *log;          /* NULL: none */
	const char *timeline;     /* NULL: none */
	uint64_t timeline_switch; /* UINT64_MAX: none is asked for */
	const char *evidence;     /* NULL: what forward_evidence.h says; FORWARD_NO_EVIDENCE */
	uint64_t memory_mib;
	bool no_huge;
	unsigned int map_count;
	struct forward_map maps[FORWARD_MAX_MAPS];
};

/**
 * Reads the command line.
 *
 * @return 0; 1: help was printed; -EINVAL with shunt_errmsg()
 */
int forward_options_parse(int argc, char **argv, struct forward_options *options);

/** Releases what parsing took. */
void forward_options_free(struct forward_options *options);

#endif
