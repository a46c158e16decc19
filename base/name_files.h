/*
 * Layer: base, for names.c alone. One job: what c-ares leaves to us of the files that say how names
 * are looked up: how long a name server is waited for (resolv.conf(5): c-ares reads it from its
 * version 1.23 on), and whether the hosts file knows a name.
 */
#ifndef SIGHTGLASS_BASE_NAME_FILES_H
#define SIGHTGLASS_BASE_NAME_FILES_H

#include <stdbool.h>

#include "base/slice.h"

#define NAME_FILES_RESOLV_CONF "/etc/resolv.conf"
#define NAME_FILES_HOSTS "/etc/hosts"

enum {
	/* Where nothing is said. The C library waits for 5 s, so one lost packet costs half of
	 * `timeouts.connect`. */
	NAME_FILES_TIMEOUT_MS = 2000,
	NAME_FILES_ATTEMPTS = 3,
	/* What is above these is cut to them, as the C library does. */
	NAME_FILES_TIMEOUT_MAX_MS = 30 * 1000,
	NAME_FILES_ATTEMPTS_MAX = 5,
};

struct name_options {
	int timeout_ms; /* the first wait for a server's answer; each round waits twice as long */
	int attempts;   /* how often each server is asked */
};

/* What the text of a resolv.conf says in its lines of options; what is not said there is left
 * alone. */
void name_files_read_options(struct slice text, struct name_options *options);
/* As the system is set up now: resolv.conf, then the environment (RES_OPTIONS). */
void name_files_load_options(struct name_options *options);

/* Whether the text of a hosts file has an address of that name, in whichever case. */
bool name_files_has_host(struct slice text, struct slice name);
/* The same of the system's file; true where it cannot be told. */
bool name_files_know(struct slice name);

#endif
