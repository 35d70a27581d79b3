/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_DPDK_H
#define SHUNT_DPDK_H

/*
 * DPDK's driver interface, and the only place that knows how its releases differ (22.11, 24.11,
 * 25.11).
 */

#include <rte_version.h>

#include <ethdev_driver.h>
#include <ethdev_vdev.h>
#include <bus_driver.h>
#include <bus_vdev_driver.h>
#include <dev_driver.h>

/* 25.11 moved the counters of queues out of struct rte_eth_stats; NULL: not asked for. And it
 * counts the descriptors of a queue with a sign. */
#if RTE_VERSION >= RTE_VERSION_NUM(25, 11, 0, 0)
#define SHUNT_QUEUE_STATS_ARGUMENT    , struct eth_queue_stats *queue_stats
#define SHUNT_QUEUE_STATS(stats)      (queue_stats)
#define SHUNT_QUEUE_STATS_PASS(stats) , (stats)
#define SHUNT_QUEUE_STATS_COPY(from)  (queue_stats ? (void)(*queue_stats = *(from)) : (void)0)
#define SHUNT_QUEUE_COUNT             int
typedef struct eth_queue_stats shunt_queue_stats_t;
#else
#define SHUNT_QUEUE_STATS_ARGUMENT
#define SHUNT_QUEUE_STATS(stats) (stats)
#define SHUNT_QUEUE_STATS_PASS(stats)
#define SHUNT_QUEUE_STATS_COPY(from) ((void)(from))
#define SHUNT_QUEUE_COUNT            uint32_t
typedef struct {
	char none;
} shunt_queue_stats_t;
#endif

/* 24.11 asks for the number of packet types instead of an end mark. */
#if RTE_VERSION >= RTE_VERSION_NUM(24, 11, 0, 0)
#define SHUNT_PTYPES_ARGUMENT     , size_t *count
#define SHUNT_PTYPES_COUNT(types) (*count = RTE_DIM(types) - 1)
#else
#define SHUNT_PTYPES_ARGUMENT
#define SHUNT_PTYPES_COUNT(types) ((void)0)
#endif

/* 23.03 renamed what telemetry calls an unsigned number. */
#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
#define SHUNT_TEL_ADD_COUNT rte_tel_data_add_dict_uint
#else
#define SHUNT_TEL_ADD_COUNT rte_tel_data_add_dict_u64
#endif

extern int shunt_net_logtype;

#define SHUNT_LOG(level, format, ...) \
	rte_log(RTE_LOG_##level, (uint32_t)shunt_net_logtype, "SHUNT: " format "\n", ##__VA_ARGS__)

#endif
