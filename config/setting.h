/*
 * Layer: config. One job: what is known of one setting: its names, what it may be, what it means. A
 * table of these drives the command line, the environment, the file, --help, --check and the names
 * that errors suggest, so that a setting is added in one place: config/table.c.
 */
#ifndef SIGHTGLASS_CONFIG_SETTING_H
#define SIGHTGLASS_CONFIG_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/err.h"
#include "base/slice.h"

struct setting;

/* How text becomes a member of a struct, and back. `object` is the struct that the setting's offset
 * counts from. */
struct value_type {
	bool list; /* parse() adds one element, clear() leaves none */
	bool text; /* what format() gives is free text, which YAML may need quoted */
	/* 0, or ERR_SETTINGS and a sentence that says what is wrong and what would be right; the
	 * member is then as it was. */
	enum err_code (*parse)(
		const struct setting *setting, struct slice text, void *object, struct err *err);
	/* Appends the element `index` as parse() would read it; of what is no list there is only
	 * number 0. False where there is none. */
	bool (*format)(const struct setting *setting, const void *object, size_t index,
		struct buffer *out);
	/* Frees what the member owns. NULL where it owns nothing. */
	void (*clear)(const struct setting *setting, void *object);
};

struct setting {
	const char *flag; /* without its dashes; NULL: there is none, nor a variable */
	const char *key;  /* in the file, from its table's top: "inspector.capture.memory"; NULL:
			     there is none */
	const struct value_type *type;
	size_t offset;
	size_t count_offset; /* of lists that are a pointer and a count */
	uint64_t min;        /* of numbers, sizes and durations */
	uint64_t max;
	const char *zero;         /* the word that stands for 0, such as auto */
	const char *const *names; /* of choices, in the order of their enum, then NULL */
	enum err_code (*check)(
		struct slice text, struct err *err); /* of text, and of each text of a list */
	const char *fallback;   /* the default, as it would be written; NULL: the table's user sets
				   it, or there is none */
	bool bare;              /* the flag alone means "on" */
	bool inverted;          /* the flag's "on" is the key's false */
	bool command_line_only; /* the environment knows it not */
	bool secret;            /* its value is never shown */
	const char *heading;    /* in --help, before this setting */
	const char *argument;   /* of the flag */
	const char *help;
	const char *help_default; /* what stands for the default in --help where no value can */
	const char *help_key; /* what stands for `key` in --help where the flag is not one key */
};

/* "SIGHTGLASS_" and the flag in capitals, in `out`, cut where it does not fit. */
enum {
	VARIABLE_SIZE = 64,
};
void setting_variable(const struct setting *setting, char out[static VARIABLE_SIZE]);

#endif
