/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <shunt/error.h>

#include "report.h"
#include "shunt_output.h"

#define INCH 96.0 /* pixels */

extern char **environ;

static bool ends(const char *path, const char *end)
{
	size_t length = strlen(path), tail = strlen(end);

	return length > tail && strcmp(path + length - tail, end) == 0;
}

/* noenhanced: underscores in names of ports are no subscripts. */
static int set_terminal(FILE *script, const char *path, unsigned int width, unsigned int height)
{
	if (ends(path, ".svg"))
		fprintf(script,
			"set terminal svg size %u,%u dynamic noenhanced background 'white' "
			"font 'sans-serif,12'\n",
			width, height);
	else if (ends(path, ".png"))
		fprintf(script, "set terminal pngcairo size %u,%u noenhanced font 'sans,9'\n",
			width, height);
	else if (ends(path, ".pdf"))
		fprintf(script,
			"set terminal pdfcairo size %.2fin,%.2fin noenhanced font 'sans,9'\n",
			width / INCH, height / INCH);
	else
		return shunt_fail(-EINVAL,
			"--output '%s': expected a name that ends in .svg, .png or .pdf", path);
	return 0;
}

const char *report_quoted(const char *text)
{
	char *quoted = malloc(2 * strlen(text) + sizeof("''")), *end = quoted;

	if (!quoted)
		return text_keep(NULL);
	*end++ = '\'';
	for (; *text; text++) {
		if (*text == '\'')
			*end++ = '\'';
		*end++ = (char)((unsigned char)*text < ' ' ? ' ' : *text);
	}
	*end++ = '\'';
	*end = '\0';
	return text_keep(quoted);
}

/* gnuplot. @param files  its standard input, output and error output @return its pid, -errno */
static pid_t start(const int files[3])
{
	char *argv[] = { "gnuplot", "-", NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int err = 0;

	if (posix_spawn_file_actions_init(&actions))
		return -ENOMEM;
	for (int i = STDIN_FILENO; i <= STDERR_FILENO && !err; i++)
		err = posix_spawn_file_actions_adddup2(&actions, files[i], i);
	if (!err)
		err = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return err ? -err : pid;
}

/* The first line of the errors that is not blank. */
static void first_error(FILE *errors, char *line, size_t size)
{
	snprintf(line, size, "no error message");
	if (fseek(errors, 0, SEEK_SET))
		return;
	while (fgets(line, (int)size, errors)) {
		line[strcspn(line, "\n")] = '\0';
		if (strspn(line, " \t^") < strlen(line))
			return;
	}
}

static int finish(pid_t pid, FILE *errors)
{
	char line[256];
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return shunt_fail_errno(-errno, "waiting for gnuplot");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	first_error(errors, line, sizeof(line));
	return shunt_fail(-EIO, "gnuplot failed: %s", line);
}

static int run_gnuplot(FILE *script, int output)
{
	FILE *errors = tmpfile();
	pid_t pid;
	int ret;

	if (!errors)
		return shunt_fail_errno(-errno, "a temporary file");
	pid = start((const int[]){ fileno(script), output, fileno(errors) });
	if (pid > 0)
		ret = finish(pid, errors);
	else if (pid == -ENOENT)
		ret = shunt_fail(-ENOENT,
			"gnuplot, which draws the figures, is missing: install Debian's package "
			"gnuplot-nox");
	else
		ret = shunt_fail_errno(pid, "starting gnuplot");
	fclose(errors);
	return ret;
}

static int plot(FILE *script, const char *path)
{
	struct shunt_output output;
	int ret = text_flush(script, "a temporary file");

	if (!ret && lseek(fileno(script), 0, SEEK_SET))
		ret = shunt_fail_errno(-errno, "a temporary file");
	if (!ret)
		ret = shunt_output_open(&output, path);
	if (!ret)
		ret = shunt_output_close(&output, run_gnuplot(script, fileno(output.file)));
	return ret;
}

int report_draw(const struct report_figure *figure, const char *path, const char *output)
{
	unsigned int height;
	json_t *json;
	FILE *script;
	int ret = report_read(path, figure->schema, &json);

	if (ret)
		return ret;
	ret = figure->measure(json, path, &height);
	if (ret)
		goto out;
	script = tmpfile();
	if (!script) {
		ret = shunt_fail_errno(-errno, "a temporary file");
		goto out;
	}
	ret = set_terminal(script, output, figure->width, height);
	if (!ret) {
		figure->draw(json, script);
		ret = plot(script, output);
	}
	fclose(script);
out:
	json_decref(json);
	return ret;
}
