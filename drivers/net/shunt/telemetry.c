/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <shunt/error.h>

#include "plugin.h"
#include "telemetry.h"

#define WORDS_ROOM 256 /* bytes of all words: a group, the name of a space, a plan */

struct command {
	const char *name;
	telemetry_command *run;
	unsigned int least, most; /* words */
	const char *words;
	const char *help; /* less than 128 bytes */
};

static const struct command commands[] = {
	{ "/shunt/list", telemetry_list, 0, 1, "no parameter, or how many ports to skip",
		"Platform, port groups and 12 ports. Parameter: how many ports to skip "
		"(0)" },
	{ "/shunt/group", telemetry_group, 1, 1, "GROUP",
		"A port group: space in use, ports, the plan that auto would take. Parameter: "
		"GROUP" },
	{ "/shunt/spaces", telemetry_spaces, 0, 1, "no parameter, or how many to skip",
		"64 address spaces: what they map, their users. Parameter: how many to skip "
		"(0)" },
	{ "/shunt/copy", telemetry_copy, 2, 2, "GROUP,NAME",
		"Makes space NAME, a copy of the one that the group uses. Parameters: GROUP,NAME" },
	{ "/shunt/destroy", telemetry_destroy, 1, 1, "NAME",
		"Destroys a space that no group uses. Parameter: NAME" },
	{ "/shunt/switch", telemetry_switch, 2, 4, "GROUP,SPACE[,PLAN[,live|force]]",
		"Switches a port group to a space, by plan (auto). Parameters: "
		"GROUP,SPACE[,PLAN[,live|force]]" },
	{ "/shunt/faults", telemetry_faults, 0, 0, "no parameter",
		"The last DMA faults, of any function. No parameter" },
	{ "/shunt/result", telemetry_result, 1, 1, "GROUP",
		"The group's last switch, and counts of all. Parameter: GROUP" },
};

/* Splits at commas; what is left over counts too. */
static int split(char *text, struct words *words)
{
	words->count = 0;
	for (char *next = text; next && *next;) {
		char *word = strsep(&next, ",");

		if (words->count == TELEMETRY_WORDS)
			return -E2BIG;
		words->text[words->count++] = word;
	}
	return 0;
}

static int parse(const struct command *command, const char *params, char *text, struct words *words)
{
	int length = snprintf(text, WORDS_ROOM, "%s", params ? params : "");

	if (length < WORDS_ROOM && !split(text, words) && words->count >= command->least &&
		words->count <= command->most)
		return 0;
	return shunt_fail(-EINVAL, "%s takes %s", command->name, command->words);
}

static const struct command *find(const char *name)
{
	const struct command *command = commands;

	while (strcmp(command->name, name) != 0)
		command++;
	return command;
}

static int run(
	const struct command *command, const struct words *words, struct telemetry_reply reply)
{
	struct shunt_context *context;
	int ret;

	shunt_context_lock();
	context = shunt_context_open();
	if (shunt_context_ended())
		ret = shunt_fail(-ESHUTDOWN, "the application is ending");
	else if (context)
		ret = command->run(context, words, reply);
	else
		ret = shunt_fail(-ENODEV, "this process has no port of net_shunt");
	shunt_context_unlock();
	return ret;
}

/* The thread is telemetry's, one for each client. DPDK turns a negative return into null, which
 * says nothing; so errors are answers too. */
static int handle(const char *name, const char *params, struct rte_tel_data *data)
{
	const struct command *command = find(name);
	char text[WORDS_ROOM], sentence[1100];
	struct words words;
	struct telemetry_reply reply;
	int error, ret;

	reply = reply_begin(data, &error);
	ret = parse(command, params, text, &words);
	if (!ret)
		ret = run(command, &words, reply);
	if (!ret && error)
		ret = shunt_fail_errno(error, "the answer does not fit into telemetry's");
	if (ret) {
		snprintf(sentence, sizeof(sentence), "error: %s", shunt_errmsg());
		rte_tel_data_string(data, sentence);
	}
	return 0;
}

int telemetry_register(void)
{
	int ret = 0;

	for (size_t i = 0; i < RTE_DIM(commands) && !ret; i++)
		ret = rte_telemetry_register_cmd(commands[i].name, handle, commands[i].help);
	return ret ? shunt_fail_errno(ret, "registering telemetry commands") : 0;
}
