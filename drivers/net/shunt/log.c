/* SPDX-License-Identifier: BSD-3-Clause */
#include "shunt_dpdk.h"

RTE_LOG_REGISTER(shunt_net_logtype, pmd.net.shunt, NOTICE)
