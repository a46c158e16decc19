/*
 * Layer: base, for names.c alone. One job: how long a name server is waited for, as resolv.conf(5)
 * says it: what c-ares did not read of that file before its version 1.23.
 */
#ifndef SIGHTGLASS_BASE_NAME_OPTIONS_H
#define SIGHTGLASS_BASE_NAME_OPTIONS_H

#include "base/slice.h"

#define NAME_OPTIONS_FILE "/etc/resolv.conf"

enum {
	/* Where nothing is said. The C library waits for 5 s, so one lost packet costs half of
	 * `timeouts.connect`. */
	NAME_OPTIONS_TIMEOUT_MS = 2000,
	NAME_OPTIONS_ATTEMPTS = 3,
	/* What is above these is cut to them, as the C library does. */
	NAME_OPTIONS_TIMEOUT_MAX_MS = 30 * 1000,
	NAME_OPTIONS_ATTEMPTS_MAX = 5,
};

struct name_options {
	int timeout_ms; /* the first wait for a server's answer; each round waits twice as long */
	int attempts;   /* how often each server is asked */
};

/* What the text of a resolv.conf says in its lines of options; what is not said there is left
 * alone. */
void name_options_read_file(struct slice text, struct name_options *options);
/* The same of one line of options, without the word: what RES_OPTIONS holds. */
void name_options_read_line(struct slice line, struct name_options *options);
/* As the system is set up now: the file, then the environment. */
void name_options_load(struct name_options *options);

#endif
