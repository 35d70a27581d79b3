/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "igb.h"
#include "shunt_clock.h"
#include "shunt_error.h"

#define ANSWER_NS       1000000000ull
#define ANSWER_SLEEP_NS 1000000ull

/*
 * Somebody else reset the function (sysfs has a file for it): a port that runs has RCTL.EN set. All
 * ones: it does not answer now.
 */
bool igb_was_reset(struct igb_port *port)
{
	uint32_t control = igb_read(port, SHUNT_82576_RCTL);

	return !port->access_error && (control == UINT32_MAX || !(control & SHUNT_82576_RCTL_EN));
}

/* Until that reset is over: PCIe gives a function a second (PCI Express Base, 6.6.1). */
int igb_wait_for_answer(struct igb_port *port)
{
	uint64_t limit = shunt_clock_now() + shunt_clock_from_ns(ANSWER_NS);
	uint32_t status;

	for (;;) {
		status = igb_read(port, SHUNT_82576_STATUS);
		if (port->access_error)
			return port->access_error;
		if (status != UINT32_MAX && status & SHUNT_82576_STATUS_GIO_MASTER_ENABLE)
			return 0;
		if (shunt_clock_now() > limit)
			return shunt_fail(-EIO,
				"%s was reset from outside and did not answer within %llu ms",
				port->port.device.function, ANSWER_NS / 1000000);
		igb_sleep_ns(ANSWER_SLEEP_NS);
	}
}
