/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FORWARD_H
#define FORWARD_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "forward_evidence.h"
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
 *
 * Where the tester's frames come from and go to depends on what there is:
 *
 *   FORWARD_WIRES    sim: the engine thread puts them on the ports' wires and takes them off
 *   FORWARD_TESTER   a port outside the group, on one segment with the ports; a second lcore
 *                    polls it (forward_sender.c), frames go by MAC address
 *   FORWARD_OWN      the ports are on one segment and nobody else is: each sends the stream of the
 *                    next one, the worker lcore sends and receives, nothing is forwarded
 */

enum forward_source { FORWARD_WIRES, FORWARD_TESTER, FORWARD_OWN };

#define FORWARD_BURST 32

/* A port and the frames on their way from it to the port where they leave. */
struct forward_port {
	uint16_t id;    /* ethdev */
	uint16_t out;   /* ethdev: where its frames leave */
	uint16_t held;  /* frames in `frames` that the other port did not take yet */
	uint16_t first; /* of these */
	struct rte_mbuf *frames[FORWARD_BURST];
	struct rte_ether_addr address;
	struct shunt_watch watch;
	_Atomic uint64_t rx; /* frames received */
	_Atomic uint64_t tx; /* frames given to the port where they leave */
	char name[32];
	char function[16];
	char driver[SHUNT_DRIVER_NAME];
	unsigned int out_index;
	struct forward *run;
} __rte_cache_aligned;

/* What the sender of a stream knows of its frames on their way. */
struct forward_flight {
	uint64_t returned; /* number of the frame that the tester expects next */
	uint64_t moved;    /* ticks: when that changed, or when a frame was sent to ask */
	uint64_t patience; /* ticks: until the next one asks */
};

/* A port that the tester's frames go out of: those of one stream, or of all. */
struct forward_sender {
	struct forward *run;
	uint16_t id; /* ethdev */
	uint16_t held;
	uint16_t first;
	unsigned int first_stream;
	unsigned int streams;
	unsigned int next; /* of its streams, to be asked first */
	uint64_t sent;     /* frames given to the port; read once its lcore has ended */
	struct rte_ether_addr address;
	struct rte_mbuf *frames[FORWARD_BURST];
	struct forward_flight flights[SHUNT_WINDOW_MAX_PORTS]; /* by stream */
} __rte_cache_aligned;

struct forward {
	const struct forward_options *options;
	enum forward_source source;
	struct shunt_platform *platform;
	struct shunt_platform_info info;
	char nic[64]; /* name of the first port's function */
	struct shunt_traffic traffic;
	struct shunt_tester *tester;
	struct shunt_fault_log *faults;
	struct shunt_window *window;
	struct forward_truth *truth;
	struct forward_evidence evidence;
	enum shunt_plan taken;     /* by the last switch, or the next one */
	char why[SHUNT_PLAN_TEXT]; /* plan auto: took it */
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
	struct forward_sender *senders;
	unsigned int sender_count;
	struct {
		bool present;
		uint16_t id; /* ethdev */
		char function[16];
		struct rte_ether_addr address;
	} tester_port;
	_Atomic int removed; /* ethdev whose function the kernel wants back; -1: none */
	_Atomic bool stop_lcore;
	unsigned int lcore;
	unsigned int tester_lcore;
	cpu_set_t engine_processors; /* of the platform's engine */
	bool hugepages;
	uint64_t start;     /* ticks, first frame */
	uint64_t switching; /* ticks, the baseline has ended */
	uint64_t end;       /* ticks, tester stopped */
	uint64_t switches;
	uint64_t failed;
	uint64_t looked_after;             /* ticks: when a switch or a check last did */
	int log;                           /* descriptor of --log; -1: none */
	int log_error;                     /* of a line that the window's sink wrote */
	struct forward_timeline *timeline; /* NULL: without --timeline */
	struct {
		uint64_t last; /* ticks: when it was shown last */
		uint64_t rx[SHUNT_WINDOW_MAX_PORTS];
		bool painted;
	} view;
};

/* ---- forward_eal.c ---- */

/** Starts EAL, chooses lcores and processors. @return 0, -errno */
int forward_eal_start(struct forward *run);
void forward_eal_stop(void);

/* ---- forward_ports.c ---- */

/** Makes the platform's ports ethdev ports, all of one group, and starts them. */
int forward_ports_start(struct forward *run);

/** Waits until every port has a link. @return 0, -ENETDOWN */
int forward_ports_wait(struct forward *run);

/** @return -ENODEV when the kernel wants a function back, 0 otherwise */
int forward_ports_check(const struct forward *run);

/** Stops and removes the ports, and with the last one the address spaces. */
void forward_ports_stop(struct forward *run);

/* ---- forward_spaces.c ---- */

/** Second address space, hwpts made in advance, own mappings of --map. */
int forward_spaces_make(struct forward *run);

/** Memory of --map; the spaces are gone. */
void forward_spaces_free(struct forward *run);

/* ---- forward_evidence.c; more in forward_evidence.h ---- */

/** Tells the group what was seen before, and chooses for the plan auto. @return 0, -errno */
int forward_evidence_open(struct forward *run);

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

/** Notes what arrived at a port. */
void forward_watch(struct forward_port *port, uint16_t count, uint64_t now);

/* ---- forward_sender.c ---- */

/** Senders for the ports of the run; none on FORWARD_WIRES. @return 0, -ENOMEM */
int forward_senders_make(struct forward *run);
void forward_senders_free(struct forward *run);

/** Tester lcore, on FORWARD_TESTER: sends and checks what comes back. */
int forward_tester_lcore(void *run);

/** Worker lcore on FORWARD_OWN. */
int forward_own_lcore(void *run);

/* ---- forward_log.c: --log, one JSON object a line ---- */

int forward_log_open(struct forward *run);
void forward_log_close(struct forward *run);

/** A switch is about to begin; has ended. Nothing without --log. @return 0, -errno of the file */
int forward_log_begin(const struct forward *run, uint64_t number);
int forward_log_end(
	const struct forward *run, uint64_t number, const struct shunt_switch_result *result);

/** A switch is measured, at a port and in all; errors wait. @param truth  NULL: not known */
void forward_log_port(struct forward *run, const struct shunt_measurement *measurement,
	const struct forward_truth_span *truth);
void forward_log_group(struct forward *run, const struct shunt_group_measurement *measurement,
	const struct forward_truth_span *truth);

/** @return 0, or what one of these two met */
int forward_log_check(const struct forward *run);

/* ---- forward_timeline.c: --timeline; nothing without it ---- */

/** Lets the watches keep trails; nobody feeds them yet. @return 0, -ENOMEM */
int forward_timeline_make(struct forward *run);
void forward_timeline_free(struct forward *run);

/** A port was measured; after all its ports, the group. */
void forward_timeline_measured(struct forward *run, const struct shunt_measurement *measurement);
void forward_timeline_group(struct forward *run, const struct shunt_group_measurement *measurement);

/** Takes down a switch once its frames have come back. To be called when the window was polled. */
void forward_timeline_poll(struct forward *run);

/** Writes it; nobody feeds the watches any more. @return 0; -ENODATA no such switch; -errno */
int forward_timeline_write(struct forward *run);

/* ---- forward_view.c ---- */

/** What is about to run, and what it costs here. */
void forward_view_head(const struct forward *run);

/** One line, or on a terminal the table again. To be called once a second. */
void forward_view_tick(struct forward *run);

/** The summary. */
void forward_view_summary(const struct forward *run, const struct shunt_record *record);

/** What the run added to the evidence. */
void forward_view_evidence(const struct forward *run);

#endif
