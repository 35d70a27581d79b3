/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FORWARD_H
#define FORWARD_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <rte_mbuf.h>

#include "forward_options.h"
#include "forward_truth.h"
#include "shunt_arena.h"
#include "shunt_fault_log.h"
#include "shunt_record.h"
#include "shunt_tester.h"
#include "shunt_window.h"

/*
 * A run of `shunt forward`, and who uses what of it:
 *
 *   main thread      forward.c         sets up, switches, polls the window, ends
 *                    forward_view.c    shows
 *   worker lcore     forward_lcore.c   port -> next port, watches what arrives
 *   engine thread    the platform's    tester's frames into the ports and back
 */

#define FORWARD_BURST 32

/* A port and the frames on their way from it to the port where they leave. */
struct forward_port {
	uint16_t id;    /* ethdev */
	uint16_t out;   /* ethdev: where its frames leave */
	uint16_t held;  /* frames in `frames` that the other port did not take yet */
	uint16_t first; /* of these */
	struct rte_mbuf *frames[FORWARD_BURST];
	struct shunt_watch watch;
	_Atomic uint64_t rx; /* frames received */
	_Atomic uint64_t tx; /* frames given to the port where they leave */
	char name[32];
	char function[16];
	unsigned int out_index;
	struct forward *run;
} __rte_cache_aligned;

struct forward {
	const struct forward_options *options;
	struct shunt_platform *platform;
	struct shunt_platform_info info;
	struct shunt_traffic traffic;
	struct shunt_tester *tester;
	struct shunt_fault_log *faults;
	struct shunt_window *window;
	struct forward_truth *truth;
	struct rte_mempool *pool;
	struct shunt_group *group;
	struct shunt_space *spaces[2]; /* switched between */
	struct {
		struct shunt_arena arena;
		const struct forward_map *map; /* that it was made for */
	} arenas[FORWARD_MAX_MAPS];
	unsigned int arena_count;
	unsigned int count;
	struct forward_port *ports;
	_Atomic bool stop_lcore;
	unsigned int lcore;
	cpu_set_t engine_processors; /* of the platform's engine */
	bool hugepages;
	uint64_t start; /* ticks, first frame */
	uint64_t end;   /* ticks, tester stopped */
	uint64_t switches;
	uint64_t failed;
	struct {
		uint64_t last; /* ticks: when it was shown last */
		uint64_t rx[SHUNT_WINDOW_MAX_PORTS];
		bool painted;
	} view;
};

/* ---- forward_eal.c ---- */

/** Starts EAL with one worker lcore, and chooses processors. @return 0, -errno */
int forward_eal_start(struct forward *run);
void forward_eal_stop(void);

/* ---- forward_ports.c ---- */

/** Makes the platform's ports ethdev ports, all of one group, and starts them. */
int forward_ports_start(struct forward *run);

/** Stops and removes the ports, and with the last one the address spaces. */
void forward_ports_stop(struct forward *run);

/* ---- forward_spaces.c ---- */

/** Second address space, hwpts made in advance, own mappings of --map. */
int forward_spaces_make(struct forward *run);

/** Memory of --map; the spaces are gone. */
void forward_spaces_free(struct forward *run);

/* ---- forward_traffic.c ---- */

/** Reads or makes the frames to send. Needs nothing but the options. */
int forward_traffic_make(struct forward *run);

/** Tester on the ports' wires, fault log and window; sends nothing yet. */
int forward_traffic_connect(struct forward *run);

/** Stops the tester, waits until nothing comes back any more, takes it off the wires. */
void forward_traffic_end(struct forward *run);

/** Releases what the two above took; the worker lcore has ended. */
void forward_traffic_free(struct forward *run);

/* ---- forward_lcore.c ---- */

/** Worker lcore: forwards until run->stop_lcore. */
int forward_lcore(void *run);

/* ---- forward_view.c ---- */

/** What is about to run, and what it costs here. */
void forward_view_head(const struct forward *run);

/** One line, or on a terminal the table again. To be called once a second. */
void forward_view_tick(struct forward *run);

/** The summary. */
void forward_view_summary(const struct forward *run, const struct shunt_record *record);

#endif
