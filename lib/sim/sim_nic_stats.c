/* SPDX-License-Identifier: BSD-3-Clause */
#include "sim_nic.h"

/* Registers stay at their highest value rather than wrap, datasheet 8.18. */
static uint32_t limited(uint64_t value)
{
	return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

uint32_t sim_nic_statistics_read(struct sim_nic *nic, uint32_t offset)
{
	uint32_t index = (offset - SHUNT_82576_STATISTICS) / 4;
	uint64_t *counter = &nic->counter[index];
	uint32_t value;

	switch (offset) {
	case SHUNT_82576_GORCL:
	case SHUNT_82576_GOTCL:
	case SHUNT_82576_TORL:
	case SHUNT_82576_TOTL:
		return (uint32_t)*counter;
	case SHUNT_82576_GORCH:
	case SHUNT_82576_GOTCH:
	case SHUNT_82576_TORH:
	case SHUNT_82576_TOTH:
		value = (uint32_t)(counter[-1] >> 32);
		counter[-1] = 0;
		return value;
	default:
		value = limited(*counter);
		*counter = 0;
		return value;
	}
}
