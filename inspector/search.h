/*
 * Layer: inspector (sees base, http, proxy). One job: look for text in a record as it may be shown:
 * path, query, request ID, fields (redacted), bodies. In steps, since a body may be large.
 */
#ifndef SIGHTGLASS_INSPECTOR_SEARCH_H
#define SIGHTGLASS_INSPECTOR_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "inspector/poll_log.h"
#include "inspector/record.h"
#include "inspector/redact.h"

enum search_result {
	SEARCH_MORE, /* not found yet: go on */
	SEARCH_FOUND,
	SEARCH_NOTHING,
};

struct search {
	struct slice text; /* in lower case, not empty */
	const struct record_view *view;
	const struct record_body *body; /* NULL: the facts and fields come next */
	uint64_t offset;                /* how much of the body was looked at */
};

/* `text` is in lower case; letters of ASCII match in any case. It and `view` outlive the search. */
void search_begin(struct search *search, struct slice text, const struct record_view *view);
/* Looks at one stretch, in `scratch`, and adds the bytes that it looked at to `*spent`. */
enum search_result search_step(struct search *search, const struct redactor *redactor,
	struct buffer *scratch, size_t *spent);

/* The same of a poll row, at once. `path` is redacted. */
bool search_row(struct slice text, const struct poll_row *row, struct slice path);

#endif
