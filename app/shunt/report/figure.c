/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <signal.h>
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
static int set_terminal(
	struct report_figure *figure, const char *path, unsigned int width, unsigned int height)
{
	if (ends(path, ".svg"))
		fprintf(figure->script,
			"set terminal svg size %u,%u dynamic noenhanced background 'white' "
			"font 'sans-serif,12'\n",
			width, height);
	else if (ends(path, ".png"))
		fprintf(figure->script,
			"set terminal pngcairo size %u,%u noenhanced font 'sans,9'\n", width,
			height);
	else if (ends(path, ".pdf"))
		fprintf(figure->script,
			"set terminal pdfcairo size %.2fin,%.2fin noenhanced font 'sans,9'\n",
			width / INCH, height / INCH);
	else
		return shunt_fail(-EINVAL,
			"--output '%s': expected a name that ends in .svg, .png or .pdf", path);
	return 0;
}

int report_figure_open(
	struct report_figure *figure, const char *path, unsigned int width, unsigned int height)
{
	int ret;

	*figure = (struct report_figure){ .path = path };
	figure->script = open_memstream(&figure->text, &figure->length);
	if (!figure->script)
		return shunt_fail(-ENOMEM, "out of memory");
	ret = set_terminal(figure, path, width, height);
	if (ret) {
		fclose(figure->script);
		free(figure->text);
	}
	return ret;
}

void report_figure_quote(struct report_figure *figure, const char *text)
{
	putc('\'', figure->script);
	for (; *text; text++) {
		if (*text == '\'')
			putc('\'', figure->script);
		putc((unsigned char)*text < ' ' ? ' ' : *text, figure->script);
	}
	putc('\'', figure->script);
}

/* gnuplot, reading from a pipe, writing to two files. @return its pid, -errno */
static pid_t start(int script[2], int figure, int errors)
{
	char *argv[] = { "gnuplot", "-", NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int err;

	if (posix_spawn_file_actions_init(&actions))
		return -ENOMEM;
	err = posix_spawn_file_actions_adddup2(&actions, script[0], STDIN_FILENO);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, figure, STDOUT_FILENO);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
	if (!err)
		err = posix_spawn_file_actions_addclose(&actions, script[1]);
	if (!err)
		err = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return err ? -err : pid;
}

/* If gnuplot ends early, its exit status is enough: ignore SIGPIPE. */
static void feed(const struct report_figure *figure, int fd)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	size_t done = 0;

	sigaction(SIGPIPE, &ignore, &before);
	while (done < figure->length) {
		ssize_t n = write(fd, figure->text + done, figure->length - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	sigaction(SIGPIPE, &before, NULL);
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

static int draw(const struct report_figure *figure, int output)
{
	FILE *errors = tmpfile();
	int script[2], ret;
	pid_t pid;

	if (!errors)
		return shunt_fail_errno(-errno, "a temporary file");
	if (pipe(script)) {
		ret = shunt_fail_errno(-errno, "a pipe to gnuplot");
		goto close_errors;
	}
	pid = start(script, output, fileno(errors));
	close(script[0]);
	if (pid > 0)
		feed(figure, script[1]);
	close(script[1]);
	if (pid > 0)
		ret = finish(pid, errors);
	else if (pid == -ENOENT)
		ret = shunt_fail(-ENOENT,
			"gnuplot, which draws the figures, is missing: install Debian's package "
			"gnuplot-nox");
	else
		ret = shunt_fail_errno(pid, "starting gnuplot");
close_errors:
	fclose(errors);
	return ret;
}

int report_figure_close(struct report_figure *figure)
{
	struct shunt_output output;
	int ret;

	if (fclose(figure->script)) {
		ret = shunt_fail(-ENOMEM, "out of memory");
		goto free;
	}
	ret = shunt_output_open(&output, figure->path);
	if (ret)
		goto free;
	ret = shunt_output_close(&output, draw(figure, fileno(output.file)));
free:
	free(figure->text);
	return ret;
}
