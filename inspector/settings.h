/*
 * Layer: inspector (sees base, http, proxy). One job: the settings of capture and of the inspector,
 * checked and filled in by the configuration; immutable from then on.
 */
#ifndef SIGHTGLASS_INSPECTOR_SETTINGS_H
#define SIGHTGLASS_INSPECTOR_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct string_list {
	char **items;
	size_t count;
};

enum redact_mode {
	REDACT_REPLACE, /* [redacted] */
	REDACT_TAG,     /* [redacted:1f3a9c]: a keyed hash, made anew at each start */
};

struct inspector_settings {
	bool enabled;
	char *prefix;     /* "/_inspector": begins with '/', no '/' at its end */
	char *token;      /* NULL: one is made at start where a listener is not loopback or unix */
	char *token_file; /* NULL, or where the token was read from */
	struct {
		uint32_t entries;
		uint64_t memory;
		uint64_t body;
		uint32_t rows;
	} capture;
	struct { /* these add to the defaults of INTERFACE section 3 */
		struct string_list headers;
		struct string_list query; /* of bodies too */
		struct string_list json;  /* members, form fields and keys of bodies */
		enum redact_mode mode;
	} redact;
	struct string_list allow_hosts;
	struct string_list allow_origins;
	struct string_list frame_ancestors; /* origins, or "self" */
};

#endif
