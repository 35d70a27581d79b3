/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FORWARD_OPTIONS_H
#define FORWARD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <shunt/group.h>
#include <shunt/sim.h>

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
	char *const *command; /* its words, "forward" first */
	unsigned int command_words;
	bool kernel; /* platform: this machine, otherwise `sim` */
	struct shunt_sim_config sim;
	char *ports;        /* addresses, separated by commas; NULL: the first sim.ports ones */
	const char *tester; /* address of a port outside the group; NULL: none */
	unsigned int inherit_count;
	struct forward_inherit inherit[FORWARD_MAX_INHERIT];
	enum shunt_plan plan;
	uint64_t switch_every_ns; /* 0: no switches */
	uint64_t switches;        /* stop after them; 0: no limit */
	uint64_t cold_ns;     /* idle time before each, for cold caches; 0: continuous traffic */
	uint64_t baseline_ns; /* run without switches first; 0: none */
	uint64_t duration_ns; /* after the baseline; 0: until interrupted, or until the switches are
				 done */
	uint64_t rate;        /* frames per second and port, SHUNT_RATE_MAX */
	unsigned int size;    /* of fixed frames, with FCS */
	bool imix;
	const char *pcap;
	const char *json;
	const char *log;          /* NULL: none */
	const char *timeline;     /* NULL: none */
	uint64_t timeline_switch; /* UINT64_MAX: not given */
	const char *evidence;     /* NULL: default file; FORWARD_NO_EVIDENCE */
	uint64_t memory_mib;
	bool no_huge;
	unsigned int map_count;
	struct forward_map maps[FORWARD_MAX_MAPS];
};

/**
 * Reads the command line.
 *
 * @return 1; 0: help was printed; -EINVAL with shunt_errmsg()
 */
int forward_options_parse(int argc, char **argv, struct forward_options *options);

/** Frees the options. */
void forward_options_free(struct forward_options *options);

#endif
