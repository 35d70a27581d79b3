/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel_fault_irqs.h"
#include "kernel_settle.h"

#define TEXT     4096 /* counts of all processors, "0,12,0,...\n" */
#define TRIES    16
#define PAUSE_NS 20000
#define PAUSES   5000 /* a thread that is at work after a tenth of a second does not end */

/* Reads a small file that is open. @return 0, -errno */
static int read_text(int fd, char text[static TEXT])
{
	ssize_t length = pread(fd, text, TEXT - 1, 0);

	if (length < 0)
		return -errno;
	text[length] = '\0';
	return 0;
}

/* The sum over the processors; each is 32 bits wide and may wrap, and so may the sum. */
static int read_count(const struct fault_irq *irq, uint32_t *count)
{
	char text[TEXT], *at = text, *end;

	if (read_text(irq->count_fd, text))
		return -ENODEV;
	*count = 0;
	do {
		*count += (uint32_t)strtoul(at, &end, 10);
		if (end == at)
			return -ENODEV;
		at = end + 1;
	} while (*end == ',');
	return 0;
}

static int settle_processors(const struct fault_irqs *irqs)
{
	struct processors set = { 0 };
	char text[TEXT];
	int ret = 0;

	for (unsigned int i = 0; i < irqs->irq_count && !ret; i++) {
		ret = read_text(irqs->irqs[i].affinity_fd, text);
		if (!ret)
			ret = processors_add(&set, text);
	}
	if (ret)
		return -ENODEV;
	return processors_settle(&set) ? -EBUSY : 0;
}

/*
 * Waits until a handler's thread sleeps for its next interrupt. What woke it has returned by then
 * (settle_processors()), and waking made it runnable: asleep means that it came round again.
 */
static int settle_thread(const struct fault_irq *irq)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	char text[TEXT];
	const char *state;

	for (int i = 0; i < PAUSES; i++) {
		if (read_text(irq->thread_fd, text))
			return -ENODEV;
		state = strrchr(text, ')');
		if (state && state[1] == ' ' && state[2] == 'S')
			return 0;
		nanosleep(&pause, NULL);
	}
	return -EBUSY;
}

static int settle_threads(const struct fault_irqs *irqs)
{
	int ret = 0;

	for (unsigned int i = 0; i < irqs->irq_count && !ret; i++)
		if (irqs->irqs[i].thread_fd >= 0)
			ret = settle_thread(&irqs->irqs[i]);
	return ret;
}

/* @param[out] changed  whether any count moved since it was last read here */
static int read_counts(struct fault_irqs *irqs, bool *changed)
{
	uint32_t count;
	int ret = 0;

	*changed = false;
	for (unsigned int i = 0; i < irqs->irq_count && !ret; i++) {
		struct fault_irq *irq = &irqs->irqs[i];

		ret = read_count(irq, &count);
		if (ret || count == irq->count)
			continue;
		irq->news += count - irq->count;
		irq->count = count;
		*changed = true;
	}
	return ret;
}

/*
 * Handlers of all that was counted have ended when, with processors and threads settled after one
 * reading, the next reading is the same.
 */
int fault_irqs_read(struct fault_irqs *irqs)
{
	bool changed = irqs->unsettled, again;
	int ret = 0;

	for (unsigned int i = 0; i < irqs->irq_count; i++)
		irqs->irqs[i].news = irqs->unsettled;
	irqs->unsettled = true;
	for (int i = 0; i < TRIES; i++) {
		ret = settle_processors(irqs);
		if (!ret && changed)
			ret = settle_threads(irqs);
		if (ret == -ENODEV || read_counts(irqs, &again))
			return -ENODEV;
		if (ret)
			return ret;
		if (!again) {
			irqs->unsettled = false;
			return 0;
		}
		changed = true;
	}
	return -EBUSY;
}
