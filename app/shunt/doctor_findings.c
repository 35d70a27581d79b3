/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "doctor.h"
#include "shunt_error.h"

static struct finding nowhere;

struct finding *doctor_find(
	struct doctor *doctor, enum finding_state state, const char *subject, const char *fmt, ...)
{
	struct finding *grown = reallocarray(doctor->findings, doctor->count + 1, sizeof(*grown));
	va_list args;

	if (!grown) {
		doctor->out_of_memory = true;
		return &nowhere;
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

void doctor_mend(struct finding *finding, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(finding->mend, sizeof(finding->mend), fmt, args);
	va_end(args);
}

void doctor_advise(struct finding *finding, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(finding->advice, sizeof(finding->advice), fmt, args);
	va_end(args);
}

void doctor_say_once(struct doctor *doctor)
{
	struct finding *finding;

	for (size_t i = 0; i < doctor->count; i++) {
		finding = &doctor->findings[i];
		for (size_t j = 0; finding->mend[0] && j < i; j++) {
			if (strcmp(finding->mend, doctor->findings[j].mend) != 0)
				continue;
			finding->mend[0] = '\0';
			doctor_advise(finding, "mended with %s", doctor->findings[j].subject);
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

void doctor_user(char name[32])
{
	const struct passwd *entry = getpwuid(geteuid());

	if (entry && strlen(entry->pw_name) < 32)
		snprintf(name, 32, "%s", entry->pw_name);
	else
		snprintf(name, 32, "%ld", (long)geteuid());
}

bool doctor_read(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	bool read;

	text[0] = '\0';
	if (!file)
		return false;
	read = fgets(text, (int)size, file) != NULL;
	fclose(file);
	text[strcspn(text, "\n")] = '\0';
	return read;
}

void doctor_path(char *path, size_t size, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(path, size, fmt, args) >= (int)size)
		path[0] = '\0';
	va_end(args);
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
		if (finding->mend[0])
			fprintf(out, "; mend: %s", finding->mend);
		fputc('\n', out);
	}
	if (wrong)
		fprintf(out, "%zu thing%s to mend%s\n", wrong, wrong == 1 ? "" : "s",
			geteuid() ? ", as root" : "");
	else
		fputs("a switch can work\n", out);
}

static json_t *text_or_null(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

int doctor_print_json(const struct doctor *doctor, FILE *out)
{
	size_t wrong = doctor_count(doctor, FINDING_WRONG);
	json_t *findings = json_array(), *root;
	const struct finding *finding;
	int ret = 0;

	for (size_t i = 0; i < doctor->count; i++) {
		finding = &doctor->findings[i];
		if (json_array_append_new(
			    findings, json_pack("{s:s, s:s, s:o, s:o, s:o}", "state",
					      state_name(finding->state), "subject",
					      finding->subject, "text", text_or_null(finding->text),
					      "mend", text_or_null(finding->mend), "advice",
					      text_or_null(finding->advice)))) {
			json_decref(findings);
			return shunt_fail(-ENOMEM, "out of memory for JSON");
		}
	}
	root = json_pack("{s:s, s:b, s:I, s:o}", "schema", "shunt.doctor/1", "can_switch", !wrong,
		"to_mend", (json_int_t)wrong, "findings", findings);
	if (!root)
		return shunt_fail(-ENOMEM, "out of memory for JSON");
	if (json_dumpf(root, out, JSON_INDENT(2)) || fputc('\n', out) == EOF)
		ret = shunt_fail(-EIO, "writing JSON failed");
	json_decref(root);
	return ret;
}
