/* SPDX-License-Identifier: BSD-3-Clause */
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "doctor.h"
#include "text.h"

#define USER 32 /* of a name of a user */

static struct finding dummy;

struct finding *doctor_find(
	struct doctor *doctor, enum finding_state state, const char *subject, const char *fmt, ...)
{
	struct finding *grown = reallocarray(doctor->findings, doctor->count + 1, sizeof(*grown));
	va_list args;

	if (!grown) {
		doctor->out_of_memory = true;
		return &dummy;
	}
	doctor->findings = grown;
	grown += doctor->count++;
	memset(grown, 0, sizeof(*grown));
	grown->state = state;
	snprintf(grown->subject, sizeof(grown->subject), "%s", subject);
	va_start(args, fmt);
	vsnprintf(grown->text, sizeof(grown->text), fmt, args);
	va_end(args);
	return grown;
}

void doctor_fix(struct finding *finding, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(finding->fix, sizeof(finding->fix), fmt, args);
	va_end(args);
}

void doctor_advise(struct finding *finding, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(finding->advice, sizeof(finding->advice), fmt, args);
	va_end(args);
}

void doctor_deduplicate(struct doctor *doctor)
{
	struct finding *finding;

	for (size_t i = 0; i < doctor->count; i++) {
		finding = &doctor->findings[i];
		for (size_t j = 0; finding->fix[0] && j < i; j++) {
			if (strcmp(finding->fix, doctor->findings[j].fix) != 0)
				continue;
			finding->fix[0] = '\0';
			doctor_advise(
				finding, "fixed together with %s", doctor->findings[j].subject);
		}
	}
}

size_t doctor_count(const struct doctor *doctor, enum finding_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < doctor->count; i++)
		count += doctor->findings[i].state == state;
	return count;
}

const char *doctor_user(void)
{
	const struct passwd *entry = getpwuid(geteuid());

	if (entry && strlen(entry->pw_name) < USER)
		return text_of("%s", entry->pw_name);
	return text_of("%ld", (long)geteuid());
}

const char *doctor_sysfs(const struct doctor *doctor, const char *file)
{
	return text_of("%s/%s", doctor->machine.platform->sysfs, file);
}

const char *doctor_device(const char *file)
{
	char *number = text_line(file), *colon = strchr(number, ':');

	if (!colon)
		return NULL;
	*colon = ' ';
	return number;
}

static const char *state_name(enum finding_state state)
{
	static const char *const names[] = {
		[FINDING_OK] = "ok",
		[FINDING_WARN] = "warn",
		[FINDING_WRONG] = "wrong",
	};

	return names[state];
}

void doctor_print_lines(const struct doctor *doctor, FILE *out)
{
	size_t wrong = doctor_count(doctor, FINDING_WRONG);
	const struct finding *finding;

	for (size_t i = 0; i < doctor->count; i++) {
		finding = &doctor->findings[i];
		fprintf(out, "%-5s  %-12s  %s", state_name(finding->state), finding->subject,
			finding->text);
		if (finding->advice[0])
			fprintf(out, "; %s", finding->advice);
		if (finding->fix[0])
			fprintf(out, "; fix: %s", finding->fix);
		fputc('\n', out);
	}
	if (wrong)
		fprintf(out, "%zu problem%s to fix%s\n", wrong, plural(wrong),
			geteuid() ? ", as root" : "");
	else
		fputs("a switch can work\n", out);
}

int doctor_print_json(const struct doctor *doctor)
{
	size_t wrong = doctor_count(doctor, FINDING_WRONG);
	json_t *findings = json_array();
	const struct finding *finding;

	for (size_t i = 0; i < doctor->count; i++) {
		finding = &doctor->findings[i];
		findings = text_append(findings,
			json_pack("{s:s, s:s, s:o, s:o, s:o}", "state", state_name(finding->state),
				"subject", finding->subject, "text", text_or_null(finding->text),
				"fix", text_or_null(finding->fix), "advice",
				text_or_null(finding->advice)));
	}
	return text_json(json_pack("{s:s, s:b, s:I, s:o}", "schema", "shunt.doctor/2", "can_switch",
		!wrong, "to_fix", (json_int_t)wrong, "findings", findings));
}
