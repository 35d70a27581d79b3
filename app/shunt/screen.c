/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "screen.h"

#define LINE 512

void screen_init(struct screen *screen, FILE *file)
{
	const char *terminal = getenv("TERM");

	*screen = (struct screen){ .file = file };
	screen->moves =
		isatty(fileno(file)) && terminal && terminal[0] && strcmp(terminal, "dumb") != 0;
}

/* The size of a terminal can change. */
static void measure(struct screen *screen)
{
	struct winsize size = { 0 };

	screen->columns = screen->rows = 0;
	if (!screen->moves || ioctl(fileno(screen->file), TIOCGWINSZ, &size))
		return;
	screen->columns = size.ws_col;
	screen->rows = size.ws_row;
}

void screen_begin(struct screen *screen, unsigned int lines)
{
	measure(screen);
	/* Lines that scrolled out at the top cannot be overwritten. */
	if (screen->painted && (!screen->rows || screen->painted < screen->rows) &&
		(!screen->rows || lines < screen->rows))
		fprintf(screen->file, "\r\033[%uA", screen->painted);
	screen->lines = 0;
}

void screen_line(struct screen *screen, const char *format, ...)
{
	char line[LINE];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* Some terminals wrap a line that fills their width. */
	if (screen->columns > 1 && screen->columns <= sizeof(line))
		line[screen->columns - 1] = '\0';
	fprintf(screen->file, "%s%s\n", line, screen->moves ? "\033[K" : "");
	screen->lines++;
}

void screen_end(struct screen *screen)
{
	if (screen->moves)
		fputs("\033[J", screen->file);
	fflush(screen->file);
	screen->painted = screen->moves ? screen->lines : 0;
}
