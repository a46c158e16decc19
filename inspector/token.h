/*
 * Layer: inspector (sees base). One job: the token that opens the inspector to those who do not
 * come from this machine, and the cookie that stands for it in a browser. Immutable after it was
 * made: any thread.
 */
#ifndef SIGHTGLASS_INSPECTOR_TOKEN_H
#define SIGHTGLASS_INSPECTOR_TOKEN_H

#include <stdbool.h>

#include "base/slice.h"

enum {
	TOKEN_MADE_LEN = 43,   /* 256 random bits in base64url */
	TOKEN_COOKIE_LEN = 64, /* a keyed hash in hexadecimal */
	TOKEN_COOKIE_NAME_SIZE = sizeof("sightglass_inspector_0123456789abcdef"),
};

struct token {
	char *text; /* NULL: there is none, and nothing equals it */
	/*
	 * Cookies do not tell ports apart: the name holds a hash of the token, so that two
	 * inspectors on one host do not log each other's readers out.
	 */
	char cookie_name[TOKEN_COOKIE_NAME_SIZE];
	/*
	 * Not the token itself: what a browser stores opens the inspector, but is not the secret of
	 * the settings.
	 */
	char cookie[TOKEN_COOKIE_LEN + 1];
};

/* Copies `text`; NULL or "" makes the token that is none. Ended by token_fini(). */
void token_init(struct token *token, const char *text);
/* One that nobody can guess. */
void token_init_random(struct token *token);
void token_fini(struct token *token);

/* Both compare in a time that depends on the length of `given` alone. */
bool token_equal(const struct token *token, struct slice given);
bool token_cookie_equal(const struct token *token, struct slice given);

#endif
