/*
 * Layer: inspector (sees base). One job: find text that is shaped like a secret, wherever it
 * stands: JWTs (also encrypted ones), PEM private keys, AWS, GitHub and Slack keys.
 *
 * What is cut off is found as well: a text may be the beginning of a longer one.
 */
#ifndef SIGHTGLASS_INSPECTOR_TOKEN_SHAPES_H
#define SIGHTGLASS_INSPECTOR_TOKEN_SHAPES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

enum token_kind {
	TOKEN_JWT,
	TOKEN_PEM,
	TOKEN_AWS_ID,
	TOKEN_AWS_SECRET,
	TOKEN_GITHUB,
	TOKEN_SLACK,
	TOKEN_SLACK_HOOK,
};

/* The first such run in `text` that begins at `from` or later: `*found` is a part of `text`. False
 * where there is none. */
bool token_shape_find(struct slice text, size_t from, struct slice *found);

/* The same of a text that comes in pieces. */

enum token_text { /* what is behind the bytes at hand */
	TOKEN_TEXT_GOES_ON,
	TOKEN_TEXT_ENDS,
	TOKEN_TEXT_CUT, /* more, which nobody will see: what may be a secret's beginning is one */
};

enum token_match {
	TOKEN_NONE,
	TOKEN_FOUND,
	TOKEN_MORE, /* cannot be said before more of the text is there: TOKEN_LOOK_MAX bytes do */
};

enum {
	TOKEN_LOOK_MAX = 8 * 1024 + 512,
	TOKEN_LOOK_BACK = 16,
};

/* One that begins, and then goes on in what comes. */
struct token {
	enum token_kind kind;
	size_t at;  /* in the text in which it was found */
	size_t len; /* that is known to belong to it */
	unsigned dots;
	bool ending; /* a key's last line */
};

/* Whether the bytes at `at` can begin a secret, or stand within the name before one: all others
 * need not be asked about. */
bool token_shape_may_begin(char first, char second);
/*
 * Whether one begins at `at`, or, where `at` is within the name that announces it, behind that.
 * `*run_end`: 0 at first, then left alone, but moved with the text: how far was looked already.
 */
enum token_match token_shape_at(
	struct slice text, size_t at, enum token_text behind, size_t *run_end, struct token *token);
/*
 * How many bytes of `text`, which begins behind those that are known to belong to `token`, belong
 * to it too. `*done` is set where it ends within `text`, or with the whole text; else what was not
 * taken (16 bytes at most) is to come again with more behind it. `quoted`: it ends at a '"' at the
 * latest.
 */
size_t token_shape_rest(
	struct token *token, struct slice text, enum token_text behind, bool quoted, bool *done);

#endif
