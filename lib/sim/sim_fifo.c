/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <sys/param.h>

#include "sim_nic.h"

/* A frame in the FIFO: its length, padded to SIM_FIFO_HEADER, then its bytes, padded likewise. */

static uint32_t space(uint32_t length)
{
	return SIM_FIFO_HEADER + roundup(length, SIM_FIFO_HEADER);
}

void sim_fifo_clear(struct sim_fifo *fifo)
{
	fifo->read = fifo->used = fifo->frames = 0;
}

bool sim_fifo_push(struct sim_fifo *fifo, const uint8_t *frame, uint32_t length)
{
	uint8_t *place = fifo->data + (fifo->read + fifo->used) % SIM_FIFO_SIZE;

	if (fifo->used + space(length) > SIM_FIFO_SIZE)
		return false;
	memcpy(place, &length, sizeof(length));
	memcpy(place + SIM_FIFO_HEADER, frame, length);
	fifo->used += space(length);
	fifo->frames++;
	return true;
}

const uint8_t *sim_fifo_front(const struct sim_fifo *fifo, uint32_t *length)
{
	const uint8_t *place = fifo->data + fifo->read;

	memcpy(length, place, sizeof(*length));
	return place + SIM_FIFO_HEADER;
}

void sim_fifo_pop(struct sim_fifo *fifo)
{
	uint32_t length;

	sim_fifo_front(fifo, &length);
	fifo->read = (fifo->read + space(length)) % SIM_FIFO_SIZE;
	fifo->used -= space(length);
	fifo->frames--;
}
