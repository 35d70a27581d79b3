/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FORWARD_H
#define FORWARD_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include <rte_ether.h>
#include <rte_mbuf.h>

#include <shunt/evidence.h>
#include <shunt/record.h>
#include <shunt/space.h>
#include <shunt/tester.h>
#include <shunt/window.h>

#include "cold.h"
#include "evidence.h"
#include "options.h"
#include "ground_truth.h"
#include "log.h"
#include "screen.h"
#include "shunt_output.h"

/*
 * A run of `shunt forward`, and its threads:
 *
 *   main thread      main.c     set-up, switches, polling of the window, end
 *                    view.c     display
 *   worker lcore     worker.c   port -> next port, watch of what arrives
 *
 * The tester's frames take one of three ways:
 *
 *   FORWARD_WIRES    sim: the engine thread puts them on the ports' wires and takes them off
 *   FORWARD_TESTER   a port outside the group, on one segment with the ports; a second lcore
 *                    polls it (sender.c), frames go by MAC address
 *   FORWARD_OWN      the ports are alone on one segment: each sends the stream of the next one, the
 *                    worker lcore sends and receives, nothing is forwarded
 */

enum forward_source { FORWARD_WIRES, FORWARD_TESTER, FORWARD_OWN };

#define FORWARD_BURST 32

/* The numbers of their lcores. */
enum forward_lcore { FORWARD_MAIN, FORWARD_WORKER, FORWARD_SENDING, FORWARD_LCORES };

/* A port, and received frames that still have to be sent. */
struct forward_port {
	uint16_t id;    /* ethdev */
	uint16_t out;   /* ethdev port that sends its frames */
	uint16_t held;  /* frames in `frames` that the other port has not accepted yet */
	uint16_t first; /* of them */
	struct rte_mbuf *frames[FORWARD_BURST];
	struct rte_ether_addr address;
	struct shunt_watch watch;
	_Atomic uint64_t rx; /* frames received */
	_Atomic uint64_t tx; /* frames accepted by the port that sends them */
	char name[32];
	char function[16];
	char driver[SHUNT_DRIVER_NAME];
	unsigned int out_index;
	struct forward_traffic *traffic;
} __rte_cache_aligned;

/* The frames in flight of a stream, as its sender knows them. */
struct forward_flight {
	uint64_t returned; /* number of the frame that the tester expects next */
	uint64_t moved;    /* ticks: when that changed, or when a probe was sent */
	uint64_t patience; /* ticks: until the next probe */
};

/* A port that sends the tester's frames: those of one stream, or of all. */
struct forward_sender {
	struct forward_traffic *traffic;
	uint16_t id; /* ethdev */
	uint16_t held;
	uint16_t first;
	unsigned int first_stream;
	unsigned int streams;
	unsigned int next; /* first stream to try */
	uint64_t sent;     /* frames accepted by the port; read after its lcore has ended */
	struct rte_ether_addr address;
	struct rte_mbuf *frames[FORWARD_BURST];
	struct forward_flight flights[SHUNT_WINDOW_MAX_PORTS]; /* by stream */
} __rte_cache_aligned;

/* --log. */
struct forward_log {
	struct log lines;
	int error; /* of a line of a measurement */
};

/* What the run is told, and what it finds on the machine. */
struct forward_config {
	const struct forward_options *options;
	enum forward_source source;
	struct shunt_platform *platform;
	struct shunt_platform_info info;
	bool hugepages;
	unsigned int processors;     /* that the process may use */
	cpu_set_t engine_processors; /* of the platform's engine */
	time_t date;                 /* of the run's start */
	FILE *text;                  /* text for people: standard output, unless results go there */
};

/* The ports, their group, and the spaces that it is switched between. */
struct forward_ports {
	struct rte_mempool *pool;
	uint32_t longest; /* frame, with FCS */
	char nic[64];     /* name of the first port's function */
	unsigned int count;
	struct forward_port *list;
	struct shunt_group *group;
	struct shunt_space *spaces[2];
	struct {
		struct shunt_arena arena;
		const struct forward_map *map; /* the --map that it is for */
	} arenas[FORWARD_MAX_MAPS];
	unsigned int arena_count;
	struct {
		bool present;
		uint16_t id; /* ethdev */
		char function[16];
		struct rte_ether_addr address;
	} tester;
	_Atomic int removed; /* ethdev port whose function the kernel asks back; -1: none */
};

/* The tester, and the lcores that move its frames. */
struct forward_traffic {
	struct {
		_Atomic uint64_t rounds; /* times that it has polled all its ports */
	} __rte_cache_aligned lcores[FORWARD_LCORES];
	const struct forward_config *config;
	struct forward_ports *ports;
	struct shunt_tester *tester;
	struct forward_sender *senders;
	struct shunt_traffic frames;
	unsigned int sender_count;
	_Atomic bool stop; /* the lcores */
};

/* What switches did, and where that is shown and written. */
struct forward_measurement {
	struct shunt_fault_log *faults;
	struct shunt_window *window;
	struct forward_truth *truth; /* NULL: the platform has none */
	struct forward_evidence evidence;
	struct forward_cold cold;
	enum shunt_plan taken;     /* by the last switch, or by the next one */
	char why[SHUNT_PLAN_TEXT]; /* reason of plan auto */
	uint64_t start;            /* ticks, first frame */
	uint64_t switching;        /* ticks, end of the baseline */
	uint64_t end;              /* ticks, tester stopped */
	bool interrupted;          /* by a signal */
	uint64_t switches;
	uint64_t failed;
	unsigned int failed_in_a_row;
	uint64_t checked; /* ticks: of the last switch or check */
	struct forward_log log;
	struct forward_timeline *timeline; /* NULL: without --timeline */
	struct shunt_output json;          /* of --json */
	struct shunt_output timeline_file; /* of --timeline */
	struct {
		uint64_t last; /* ticks: of the last display */
		uint64_t rx[SHUNT_WINDOW_MAX_PORTS];
		struct screen screen;
	} view;
};

struct forward {
	struct forward_traffic traffic; /* first: it is aligned to cache lines */
	struct forward_config config;
	struct forward_ports ports;
	struct forward_measurement measurement;
};

/* ---- signals.c ---- */

/** Lets SIGINT, SIGTERM and SIGHUP end the run in order. */
void forward_catch_signals(void);

/** Whether a signal has asked for the end of the run. */
bool forward_interrupted(void);

/* ---- eal.c ---- */

/** Starts EAL, chooses processors. @return 0, -errno */
int forward_eal_start(struct forward_config *config);
void forward_eal_stop(void);

/** Bytes of available memory; 0: unknown. */
uint64_t forward_memory_available(void);

/* ---- ports.c ---- */

/** Makes the platform's ports ethdev ports, all of one group, and starts them. */
int forward_ports_start(const struct forward_config *config, const struct shunt_traffic *frames,
	struct forward_ports *ports);

/** Waits until every port has a link. @return 0, -ENETDOWN */
int forward_ports_wait(const struct forward_ports *ports);

/** @return -ENODEV if the kernel asks a function back, 0 otherwise */
int forward_ports_check(const struct forward_ports *ports);

/** Stops and removes the ports, and with the last one the address spaces. */
void forward_ports_stop(struct forward_ports *ports);

/* ---- spaces.c ---- */

/** Second address space, hwpts made in advance, own mappings of --map. */
int forward_spaces_make(const struct forward_config *config, struct forward_ports *ports);

/** The space that the next switch goes to. */
struct shunt_space *forward_spaces_next(const struct forward_ports *ports);

/** Frees the memory of --map, after the spaces are destroyed. */
void forward_spaces_free(struct forward_ports *ports);

/* ---- evidence.c; more in evidence.h ---- */

/** Gives the group the evidence, and chooses a plan for auto. @return 0, -errno */
int forward_evidence_open(const struct forward_config *config, const struct forward_ports *ports,
	struct forward_measurement *measurement);

/* ---- traffic.c ---- */

/** Reads or makes the frames to send; depends on options only. */
int forward_traffic_make(const struct forward_options *options, struct shunt_traffic *frames);

/** Connects the tester to the ports; sends nothing yet. */
int forward_traffic_connect(struct forward_traffic *traffic);

/** Stops the tester, waits until no more frames come back, disconnects it. */
void forward_traffic_end(struct forward_traffic *traffic);

/** Disconnects the tester and releases it, after the worker lcore has ended. */
void forward_traffic_free(struct forward_traffic *traffic);

/* ---- measurement.c ---- */

/** Makes the fault log, the window, the ground truth and the time line. */
int forward_measurement_make(struct forward *run);

/** Releases them, after the tester is disconnected and before it is released. */
void forward_measurement_free(struct forward *run);

/* ---- worker.c ---- */

/** Worker lcore: forwards until traffic->stop. */
int forward_lcore(void *traffic);

/** Counts a round of an lcore over all its ports. */
static inline void forward_polled(struct forward_traffic *traffic, enum forward_lcore lcore)
{
	_Atomic uint64_t *rounds = &traffic->lcores[lcore].rounds;

	atomic_store_explicit(rounds, atomic_load_explicit(rounds, memory_order_relaxed) + 1,
		memory_order_release);
}

/** Passes frames that arrived at a port to its watch. */
void forward_watch(struct forward_port *port, uint16_t count, uint64_t now);

/* ---- sender.c ---- */

/** Senders for the ports; none on FORWARD_WIRES. @return 0, -ENOMEM */
int forward_senders_make(struct forward_traffic *traffic);
void forward_senders_free(struct forward_traffic *traffic);

/** Frames that have come back to the tester. */
uint64_t forward_returned(const struct forward_traffic *traffic);

/** Whether frames of the tester are in flight or lost. */
bool forward_missing(const struct forward_traffic *traffic);

/** Tester lcore, on FORWARD_TESTER: sends and checks what comes back. */
int forward_tester_lcore(void *traffic);

/** Worker lcore on FORWARD_OWN. */
int forward_own_lcore(void *traffic);

/* ---- record.c: the files that are written when the run has ended ---- */

/** Opens them, before there is anything to lose. @return 0, -errno */
int forward_outputs_open(struct forward *run);

/** Discards files that were not written. */
void forward_outputs_close(struct forward_measurement *measurement);

/** Shows the summary, writes the record and the time line, and judges the run. @return 0, -errno */
int forward_record(struct forward *run);

/* ---- log.c: --log ---- */

/** Logs that a switch begins, or has ended. @return 0, -errno of the file */
int forward_log_begin(const struct forward_log *log, uint64_t number);
int forward_log_end(
	const struct forward_log *log, uint64_t number, const struct shunt_switch_result *result);

/** Logs a measurement; errors are kept for forward_log_check(). @param truth  NULL: unknown */
void forward_log_port(struct forward_log *log, const char *function,
	const struct shunt_measurement *measurement, const struct forward_truth_span *truth);
void forward_log_group(struct forward_log *log, int group,
	const struct shunt_measurement *measurement, const struct forward_truth_span *truth);

/** @return 0, or the error of one of these two */
int forward_log_check(const struct forward_log *log);

/* ---- timeline.c: --timeline; nothing without it ---- */

/** Gives trails to the watches, before traffic begins. @return 0, -ENOMEM */
int forward_timeline_make(struct forward *run);
void forward_timeline_free(struct forward_timeline *timeline);

/** Adds a measurement of a port; after all ports, of the group. */
void forward_timeline_measured(struct forward_timeline *timeline,
	const struct shunt_measurement *measurement, bool of_group);

/** Captures a switch when its frames have come back. Call it after polling the window. */
void forward_timeline_poll(struct forward *run);

/** Writes it, after traffic has ended. @return 0; -ENODATA no such switch; -errno */
int forward_timeline_write(struct forward *run);

/* ---- view.c ---- */

/** Announces memory that can take seconds to allocate and map. @param user  what needs it */
void forward_view_memory(FILE *text, const char *option, uint64_t bytes, const char *user);

/** Prints what is about to run, and caveats of this machine. */
void forward_view_head(const struct forward_config *config, const struct forward_ports *ports,
	const struct forward_measurement *measurement);

/** Prints a line, or updates the table on a terminal. Call it once a second. */
void forward_view_tick(
	FILE *text, const struct forward_ports *ports, struct forward_measurement *measurement);

/** Prints the summary. */
void forward_view_summary(const struct forward_config *config, const struct shunt_record *record);

/** Prints what the run added to the evidence. */
void forward_view_evidence(FILE *text, const struct forward_evidence *evidence);

#endif
