/*
 * Layer: inspector (sees base). One job: which names make a value secret: the defaults of INTERFACE
 * section 3 and what the settings add. Immutable after it was made: any thread.
 *
 * Names are compared without case, '_' like '-'; of a parameter's or a member's name neither counts
 * at all, so that apiKey is api_key, and each part of a name such as user[password] counts by
 * itself.
 */
#ifndef SIGHTGLASS_INSPECTOR_SECRET_NAMES_H
#define SIGHTGLASS_INSPECTOR_SECRET_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "inspector/settings.h"

enum {
	SECRET_NAME_MAX = 64, /* no longer name is a secret's, what does not count left out */
};

struct secret_name_list {
	struct secret_name {
		char *text;
		size_t len;
	} * items;
	size_t count;
};

enum secret_fold {
	SECRET_FOLD_LEFT_OUT,
	SECRET_FOLD_ENDS_PART,
	SECRET_FOLD_ESCAPES, /* left out, and what follows may be more than it seems */
};

struct secret_names {
	struct secret_name_list headers;    /* as written */
	struct secret_name_list parameters; /* folded: in lower case, without what does not count */
	struct secret_name_list members;    /* of bodies, folded: parameters, headers and more */
	struct secret_name_list beginnings; /* of members, folded: a header's name with '*' */
	/* By length: a bit for each letter that a member, or its beginning, begins with. */
	uint32_t members_like[SECRET_NAME_MAX + 1];
	char folded[256]; /* of each byte: in lower case, or one of enum secret_fold */
};

/* Copies what it needs. */
void secret_names_init(struct secret_names *names, const struct inspector_settings *settings);
void secret_names_fini(struct secret_names *names);

/* Whether a value of this name is secret whatever it is. */
bool secret_header(const struct secret_names *names, struct slice name);
/* `name` may be percent-encoded. */
bool secret_parameter(const struct secret_names *names, struct slice name);
/* A member, an element, a key of any kind of body; `name` is decoded. Fields count as well, since
 * services that echo a request do so in a body. */
bool secret_member(const struct secret_names *names, struct slice name);
/* The same; where it is none, `*escaped` tells whether it has a '%', '\\' or '&' in it. */
bool secret_member_or_escaped(const struct secret_names *names, struct slice name, bool *escaped);

/* The byte that begins at `*at`, percent-decoded, '+' as a space; `*at` moves behind it. A broken
 * escape stands for itself. */
char percent_next(struct slice text, size_t *at);
/* 0 to 15, or -1. */
int hex_digit_value(char c);

#endif
