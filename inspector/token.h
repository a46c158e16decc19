/*
 * Layer: inspector (sees base). One job: the token that opens the inspector to those who do not
 * come from this machine, and the cookie that stands for it in a browser. Any thread.
 */
#ifndef SIGHTGLASS_INSPECTOR_TOKEN_H
#define SIGHTGLASS_INSPECTOR_TOKEN_H

#include <pthread.h>
#include <stdbool.h>

#include "base/slice.h"

enum {
	TOKEN_MADE_LEN = 43,   /* 256 random bits in base64url */
	TOKEN_COOKIE_LEN = 64, /* a keyed hash in hexadecimal */
	TOKEN_COOKIE_NAME_SIZE = sizeof("sightglass_inspector_0123456789abcdef"),
};

struct token_cookie {
	/*
	 * Cookies do not tell ports apart: the name holds a hash of the token, so that two
	 * inspectors on one host do not log each other's readers out.
	 */
	char name[TOKEN_COOKIE_NAME_SIZE];
	/*
	 * Not the token itself: what a browser stores opens the inspector, but is not the secret of
	 * the settings.
	 */
	char value[TOKEN_COOKIE_LEN + 1];
};

struct token {
	char *text; /* NULL: there is none, and nothing equals it */
	/* Made when it is first asked for: hashing wakes libcrypto, which takes 2 MiB then. */
	struct token_cookie cookie;
	bool has_cookie;
	pthread_mutex_t lock; /* of the two above */
};

/* Copies `text`; NULL or "" makes the token that is none. Ended by token_fini(). */
void token_init(struct token *token, const char *text);
/* One that nobody can guess. */
void token_init_random(struct token *token);
void token_fini(struct token *token);

/* Both compare the secret in a time that depends on the length of what is given alone. */
bool token_equal(const struct token *token, struct slice given);
/* True of the cookie that stands for the token: both its name and its value. */
bool token_cookie_equal(struct token *token, struct slice name, struct slice value);

/* Lives as long as the token, which is not the one that is none. */
const struct token_cookie *token_cookie(struct token *token);

#endif
