/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_RECORD_H
#define SHUNT_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <shunt/platform.h>
#include <shunt/window.h>

/*
 * The result record, schema "shunt.result/2": what ran, what was measured and what was lost, as
 * JSON. doc/result-record.md explains every field.
 */

#ifdef __cplusplus
extern "C" {
#endif

/** Windows compared with what the platform knows of when it blocked DMA. */
struct shunt_record_ground_truth {
	bool known;        /**< it does */
	uint64_t compared; /**< windows */
	uint64_t within;   /**< of these, within the stated uncertainty */
};

/** One port's part. Counts are of the whole run. */
struct shunt_record_port {
	const char *name;
	const char *function;
	const char *driver;
	uint64_t rx;         /**< frames the application received from the port */
	uint64_t tx;         /**< frames the application gave to the port and it took */
	uint64_t sent;       /**< frames of the tester into this port */
	uint64_t received;   /**< of these, came back */
	uint64_t late;       /**< of these, came back out of order */
	uint64_t duplicates; /**< came back again */
	uint64_t corrupt;    /**< of these, came back changed */
	uint64_t rx_dropped; /**< dropped by the port for lack of room, by its own count */
	uint64_t tx_dropped; /**< given up at a reset, by the driver's count */
	struct shunt_window_figures *figures;
	const struct shunt_times *times;    /**< with switches */
	const struct shunt_times *baseline; /**< without */
	struct shunt_record_ground_truth truth;
};

/** What ran, when and where. */
struct shunt_record_run {
	const char *version; /**< of shunt */
	const char *dpdk;    /**< release that ran */
	time_t date;         /**< when it began */
	const char *host;
	const char *processor;   /**< its model; "" if unknown */
	unsigned int processors; /**< that the process might use */
	char *const *command;    /**< its words */
	unsigned int command_words;
	bool interrupted; /**< by a signal, before it was done */
};

/** A run. */
struct shunt_record {
	struct shunt_record_run run;
	const char *platform;
	struct shunt_platform_info info;
	bool hugepages;
	const char *plan;         /**< that was asked for */
	const char *plan_taken;   /**< by the last switch */
	const char *plan_reason;  /**< asked for auto: why; otherwise "" */
	const char *traffic;      /**< "64 bytes", "imix", "pcap FILE" */
	uint64_t rate;            /**< frames per second and port; SHUNT_RATE_MAX */
	uint64_t switch_every_ns; /**< 0: no switches */
	uint64_t cold_idle_ns;    /**< caches were cold at each, after so long; 0: they were not */
	const char *evidence_traffic;        /**< kind of it */
	struct shunt_evidence_seen evidence; /**< seen of replace, in this run; no dates */
	uint64_t switches;
	uint64_t failed; /**< switches that failed and were rolled back */
	double duration_s;
	double baseline_s;            /**< of this, without switches before the first; 0: none */
	uint64_t foreign;             /**< frames that came back without a stamp */
	uint64_t changed;             /**< frames that came back changed, and the foreign ones */
	uint64_t changed_in_switches; /**< of these, such that a troubled switch explains */
	int group;
	struct shunt_window_figures *group_figures;
	struct shunt_record_ground_truth group_ground_truth;
	unsigned int port_count;
	struct shunt_record_port ports[SHUNT_WINDOW_MAX_PORTS];
};

/** Frames lost, of the stream into a port. */
uint64_t shunt_record_lost(const struct shunt_record_port *port);

/** Frames of all ports that were lost and that nothing explains. */
uint64_t shunt_record_unexplained(const struct shunt_record *record);

/** Writes the record, as to the file of a struct shunt_output. @return 0, -ENOMEM, -EIO */
int shunt_record_write(const struct shunt_record *record, FILE *file);

#ifdef __cplusplus
}
#endif

#endif
