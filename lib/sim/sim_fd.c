/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include "shunt_hold.h"
#include "sim_fd.h"

#define DESCRIPTORS 1024 /* the usual limit of a process */

struct sim_fds {
	pthread_mutex_t lock;
	struct sim_file *files[DESCRIPTORS];
};

int sim_fds_create(struct sim *sim)
{
	sim->fds = calloc(1, sizeof(*sim->fds));
	if (!sim->fds)
		return -ENOMEM;
	pthread_mutex_init(&sim->fds->lock, NULL);
	return 0;
}

void sim_fds_destroy(struct sim *sim)
{
	if (!sim->fds)
		return;
	for (int i = 0; i < DESCRIPTORS; i++)
		sim_fd_close(sim, SIM_FD_FIRST + i);
	pthread_mutex_destroy(&sim->fds->lock);
	free(sim->fds);
	sim->fds = NULL;
}

int sim_fd_install(struct sim *sim, struct sim_file *file)
{
	SHUNT_HOLD(&sim->fds->lock);

	for (int i = 0; i < DESCRIPTORS; i++) {
		if (!sim->fds->files[i]) {
			sim->fds->files[i] = file;
			return SIM_FD_FIRST + i;
		}
	}
	return -EMFILE;
}

void sim_file_hold(struct sim_file *file)
{
	atomic_fetch_add_explicit(&file->references, 1, memory_order_relaxed);
}

struct sim_file *sim_fd_get(struct sim *sim, int fd)
{
	SHUNT_HOLD(&sim->fds->lock);
	struct sim_file *file = NULL;

	if (fd >= SIM_FD_FIRST && fd < SIM_FD_FIRST + DESCRIPTORS)
		file = sim->fds->files[fd - SIM_FD_FIRST];
	if (file)
		sim_file_hold(file);
	return file;
}

void sim_file_put(struct sim_file *file)
{
	if (atomic_fetch_sub_explicit(&file->references, 1, memory_order_acq_rel) == 1)
		file->ops->release(file);
}

int sim_fd_close(struct sim *sim, int fd)
{
	struct sim_file *file = NULL;

	if (fd >= SIM_FD_FIRST && fd < SIM_FD_FIRST + DESCRIPTORS) {
		pthread_mutex_lock(&sim->fds->lock);
		file = sim->fds->files[fd - SIM_FD_FIRST];
		sim->fds->files[fd - SIM_FD_FIRST] = NULL;
		pthread_mutex_unlock(&sim->fds->lock);
	}
	if (!file)
		return -EBADF;
	sim_file_put(file);
	return 0;
}

unsigned int sim_fd_count(struct sim *sim)
{
	SHUNT_HOLD(&sim->fds->lock);
	unsigned int count = 0;

	for (int i = 0; i < DESCRIPTORS; i++)
		count += sim->fds->files[i] != NULL;
	return count;
}
