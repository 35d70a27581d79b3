/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "shunt_error.h"
#include "whole_file.h"

int whole_file_open(struct whole_file *file, const char *path)
{
	int ret;

	file->path = path;
	if (asprintf(&file->temporary, "%s.new", path) < 0)
		return shunt_fail(-ENOMEM, "out of memory");
	file->file = fopen(file->temporary, "we");
	if (file->file)
		return 0;
	ret = -errno;
	free(file->temporary);
	return shunt_fail_errno(ret, "%s", path);
}

int whole_file_close(struct whole_file *file, int ret)
{
	bool bad = ferror(file->file);
	int err = 0;

	if (fclose(file->file))
		err = -errno;
	else if (bad)
		err = -EIO;
	if (!ret && !err && rename(file->temporary, file->path))
		err = -errno;
	if (ret || err)
		unlink(file->temporary);
	free(file->temporary);
	if (ret)
		return ret;
	return err ? shunt_fail_errno(err, "%s", file->path) : 0;
}
