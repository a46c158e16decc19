/*
 * Layer: inspector (sees base). One job: what nobody may read: values of secret fields and
 * parameters, and text that is shaped like a token, replaced before anything leaves the process
 * (INTERFACE section 3). Works on text that is about to be shown; the records stay raw. Immutable
 * after it was made: any thread.
 * How names are compared stands in inspector/secret_names.h; bodies are inspector/redact_body.h's.
 */
#ifndef SIGHTGLASS_INSPECTOR_REDACT_H
#define SIGHTGLASS_INSPECTOR_REDACT_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "inspector/redact_pairs.h"
#include "inspector/secret_names.h"
#include "inspector/settings.h"

struct redactor; /* opaque */

/* The defaults, what settings->redact adds to them (a field's name that ends in '*' stands for all
 * that begin so), and a key of its own for tags. Copies what it needs. Never NULL. */
struct redactor *redactor_create(const struct inspector_settings *settings);
void redactor_destroy(struct redactor *redactor);

/* Each of these appends to `out` what may be shown of a text, and returns true where something of
 * it was hidden. */

/* A field's value. Of Referer, Location and Content-Location the query and the fragment are looked
 * at as queries. */
bool redact_header(
	const struct redactor *redactor, struct slice name, struct slice value, struct buffer *out);
/* A query without its '?', or a fragment without its '#': name=value pairs, percent-encoded. */
bool redact_query(const struct redactor *redactor, struct slice query, struct buffer *out);
/* Anything else (a path, an error): token-shaped text, and the values of secret parameters of URLs
 * within it. */
bool redact_text(const struct redactor *redactor, struct slice text, struct buffer *out);
/* A value that is secret as a whole: appends what stands for it. */
void redact_value(const struct redactor *redactor, struct slice value, struct buffer *out);

/* The same of a value that comes in pieces: begin, any number of adds, then end, which appends, or
 * drop, which does not. The pieces' borders do not show. */
struct redact_mark {
	const struct redactor *redactor;
	struct evp_mac_ctx_st *mac; /* NULL where there are no tags */
};
void redact_mark_begin(struct redact_mark *mark, const struct redactor *redactor);
void redact_mark_add(struct redact_mark *mark, struct slice value);
void redact_mark_end(struct redact_mark *mark, struct buffer *out);
void redact_mark_drop(struct redact_mark *mark);

/* For those who redact bodies: what they look for. */
const struct secret_names *redactor_names(const struct redactor *redactor);
const struct redact_pairs *redactor_pairs(const struct redactor *redactor);

/* Whether a field of this name, or a parameter (percent-encoded or not), is secret whatever its
 * value. */
bool redact_hides_header(const struct redactor *redactor, struct slice name);
bool redact_hides_parameter(const struct redactor *redactor, struct slice name);

#endif
