/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_FD_H
#define SIM_FD_H

#include "sim.h"

/*
 * Open files and the table of descriptors that name them, as a process has it: close() takes the
 * number away at once, the file goes with its last reference (a bound device holds its iommufd's,
 * a mapped region its device's).
 *
 *   descriptor 16777216 + n --> struct sim_file <-- bound device, mapped region
 *
 * Numbers lie above any that the kernel gives. Functions here take no other lock: any lock state,
 * but sim_file_put() and sim_fd_close(), which may release a file and so take sim::lock.
 */

#define SIM_FD_FIRST (1 << 24)

struct sim_file;

/** What a kind of file can do; called without locks, with a reference held. */
struct sim_file_ops {
	int (*ioctl)(struct sim_file *file, unsigned long request, void *arg);
	int (*read)(struct sim_file *file, uint64_t offset, void *buf, size_t length);
	int (*write)(struct sim_file *file, uint64_t offset, const void *buf, size_t length);
	int (*map)(struct sim_file *file, uint64_t offset, size_t length, void **addr);
	/** Last reference gone: ends what the file stands for and frees it. */
	void (*release)(struct sim_file *file);
};

/** An open file; embedded as the first member of its kind. */
struct sim_file {
	const struct sim_file_ops *ops;
	struct sim *sim;
	atomic_uint references; /**< a new one needs an old one, or the table's lock */
};

/** @return 0, -ENOMEM */
int sim_fds_create(struct sim *sim);

/** Closes what is still open. */
void sim_fds_destroy(struct sim *sim);

/** Gives a new file, with one reference that the table takes over, a number. @return it, -EMFILE */
int sim_fd_install(struct sim *sim, struct sim_file *file);

/** Looks a file up and takes a reference. @return NULL: no such descriptor */
struct sim_file *sim_fd_get(struct sim *sim, int fd);

void sim_file_hold(struct sim_file *file);
void sim_file_put(struct sim_file *file);

/** @return 0, -EBADF */
int sim_fd_close(struct sim *sim, int fd);

/** Number of open descriptors. */
unsigned int sim_fd_count(struct sim *sim);

#endif
