/*
 * Layer: config. One job: collect what is wrong with the settings, one line each, so that one start
 * shows all of it.
 */
#ifndef SIGHTGLASS_CONFIG_PROBLEMS_H
#define SIGHTGLASS_CONFIG_PROBLEMS_H

#include <stdarg.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/slice.h"

enum source { /* a later one overrides an earlier one */
	SOURCE_DEFAULT,
	SOURCE_FILE,
	SOURCE_ENVIRONMENT,
	SOURCE_COMMAND_LINE,
};

/* Where something was said. */
struct place {
	enum source source;
	unsigned line; /* in the file; 0 = the file as a whole */
};

struct problems {
	const char *file; /* as it was named; borrowed */
	struct buffer errors;
	struct buffer warnings;
	unsigned error_count;
	unsigned warning_count;
};

enum {
	PROBLEMS_MAX = 100, /* lines of each kind; further ones are counted */
	QUOTED_SIZE = 96,
};

void problems_init(struct problems *problems);
void problems_fini(struct problems *problems);

/* "sightglass: PLACE: KEY: what is wrong; what would be right". `key` may be NULL. */
void problems_add(struct problems *problems, struct place place, const char *key,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
void problems_vadd(struct problems *problems, struct place place, const char *key,
	const char *format, va_list args) __attribute__((format(printf, 4, 0)));
/* "sightglass: warning: PLACE: KEY: …" */
void problems_warn(struct problems *problems, struct place place, const char *key,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Warnings first. */
void problems_print(const struct problems *problems, FILE *stream);

/* `text` in double quotes, cut where it is long, what is not printable as '?': fit for one line of
 * a message. Returns `out`. */
const char *quoted(struct slice text, char out[static QUOTED_SIZE]);

#endif
