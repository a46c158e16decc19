/*
 * Layer: config. One job: put what the command line says into the draft.
 */
#include "config/sources.h"

#include <stdio.h>
#include <string.h>

#include "config/nearest.h"

enum {
	NAME_SHOWN = 80, /* of a flag, in messages */
};

static const struct place on_command_line = {.source = SOURCE_COMMAND_LINE};

/* One argument, and the next where that is its value. */
struct flag {
	struct slice name;             /* with its dashes */
	const struct setting *setting; /* NULL: unknown */
	const char *value;             /* NULL: none */
};

static bool is_flag(const char *argument)
{
	return argument[0] == '-' && argument[1] != '\0';
}

/* Takes argv[*at] and, where it needs one and the next does not look like a flag, its value. */
static struct flag take(const struct draft *draft, int argc, char *const argv[], int *at)
{
	const char *argument = argv[(*at)++];
	const char *equals = strchr(argument, '=');
	struct flag flag = {
		.name = slice_of(
			argument, equals == NULL ? strlen(argument) : (size_t)(equals - argument))};

	if (slice_starts_with(flag.name, SLICE("--"))) {
		flag.setting =
			object_find_flag(&draft->object, slice_of(argument + 2, flag.name.len - 2));
	}
	if (equals != NULL) {
		flag.value = equals + 1;
	} else if (flag.setting != NULL && flag.setting->bare) {
		flag.value = "on";
	} else if (*at < argc && !is_flag(argv[*at])) {
		flag.value =
			argv[(*at)++]; /* an unknown flag's too, so that one mistake is one line */
	}
	return flag;
}

static void complain_of_unknown_flag(struct draft *draft, struct slice name)
{
	struct nearest nearest;
	struct slice word = name;
	char key[NAME_SHOWN];

	while (word.len > 0 && word.ptr[0] == '-') {
		word = slice_of(word.ptr + 1, word.len - 1);
	}
	nearest_init(&nearest, word);
	for (size_t i = 0; i < draft->object.count; i++) {
		if (draft->object.table[i].flag != NULL) {
			nearest_offer(&nearest, slice_str(draft->object.table[i].flag));
		}
	}
	(void)snprintf(key, sizeof(key), "%.*s", SLICE_ARGS(name));
	problems_add(&draft->problems, on_command_line, key,
		"unknown flag; the nearest known one is --%.*s", SLICE_ARGS(nearest.best));
}

static void complain_of_missing_value(struct draft *draft, const struct setting *setting)
{
	char key[NAME_SHOWN];

	(void)snprintf(key, sizeof(key), "--%s", setting->flag);
	problems_add(&draft->problems, on_command_line, key,
		"its value is missing; give %s %s, or %s=%s", key, setting->argument, key,
		setting->argument);
	object_assign_empty(&draft->object, setting,
		on_command_line); /* it was said, if badly: it is not missing */
}

void flags_read(struct draft *draft, int argc, char *const argv[])
{
	char shown[QUOTED_SIZE];

	for (int at = 1; at < argc;) {
		struct flag flag;

		if (!is_flag(argv[at])) {
			problems_add(&draft->problems, on_command_line, NULL,
				"%s is not a flag; give --flag value, see --help",
				quoted(slice_str(argv[at]), shown));
			at++;
			continue;
		}
		flag = take(draft, argc, argv, &at);
		if (flag.setting == NULL) {
			complain_of_unknown_flag(draft, flag.name);
		} else if (flag.value == NULL) {
			complain_of_missing_value(draft, flag.setting);
		} else {
			object_assign(&draft->object, flag.setting, on_command_line, -1,
				slice_str(flag.value), &draft->problems);
		}
	}
}

void first_read(struct draft *draft, int argc, char *const argv[], char *const environment[])
{
	static const char variable[] = "SIGHTGLASS_CONFIG=";

	for (size_t i = 0; environment[i] != NULL; i++) {
		if (strncmp(environment[i], variable, sizeof(variable) - 1) == 0) {
			draft->problems.file = environment[i] + sizeof(variable) - 1;
		}
	}
	for (int at = 1; at < argc;) {
		struct flag flag = take(draft, argc, argv, &at);

		if (slice_equal(flag.name, SLICE("--config")) && flag.value != NULL) {
			draft->problems.file = flag.value;
		} else if (slice_equal(flag.name, SLICE("--help"))) {
			draft->help = true;
		} else if (slice_equal(flag.name, SLICE("--version"))) {
			draft->version = true;
		}
	}
	if (draft->problems.file != NULL && draft->problems.file[0] == '\0') {
		draft->problems.file =
			NULL; /* the variable: not set; the flag: complained of where it is read */
	}
}
