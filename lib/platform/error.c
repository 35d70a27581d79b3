/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <shunt/error.h>

#undef shunt_fail
#undef shunt_fail_errno
#undef shunt_fail_while

#define MESSAGE_SIZE 1024

static _Thread_local char message[MESSAGE_SIZE];

const char *shunt_errmsg(void)
{
	return message;
}

int shunt_fail(int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	return err;
}

int shunt_fail_errno(int err, const char *fmt, ...)
{
	char reason[128];
	size_t used;
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	used = strlen(message);
	snprintf(message + used, sizeof(message) - used, ": %s",
		strerror_r(-err, reason, sizeof(reason)));
	return err;
}

int shunt_fail_while(int err, const char *fmt, ...)
{
	char inner[MESSAGE_SIZE];
	size_t used;
	va_list args;

	memcpy(inner, message, sizeof(inner));
	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	used = strlen(message);
	snprintf(message + used, sizeof(message) - used, ": %s", inner);
	return err;
}
