/*
 * Layer: inspector (sees base, http, proxy). One job: look for text in a record as it may be shown:
 * path, query, request ID, fields, bodies, all of them redacted, and decoded. In steps, since a
 * body may be large.
 *
 * What is hidden is not found, and takes no part in how long the search takes: the captured bytes
 * of a body are searched where it is known that they hide nothing, else what is shown of them.
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
#include "inspector/shown_body.h"

enum search_result {
	SEARCH_MORE, /* not found yet: go on */
	SEARCH_FOUND,
	SEARCH_NOTHING,
};

struct search {
	struct slice text; /* in lower case, not empty */
	struct record_view *view;
	const struct record_body *body; /* NULL: the facts and fields come next */
	enum record_side side;          /* the body's */
	uint64_t offset;                /* how much of the body was looked at */
	struct shown_body *shown;       /* what is looked at instead of its bytes */
	struct buffer window;           /* of that: its end, and what came last */
};

/* `text` is in lower case; letters of ASCII match in any case. It and `view` outlive the search;
 * the latter is told of its bodies what is found out. */
void search_begin(struct search *search, struct slice text, struct record_view *view);
/* Also in the middle; harmless for one that has not begun, and is all zero. */
void search_fini(struct search *search);
/* Looks at one stretch, in `scratch`, and adds the bytes that it looked at to `*spent`. */
enum search_result search_step(struct search *search, const struct redactor *redactor,
	struct buffer *scratch, size_t *spent);

/* The same of a poll row, at once. `path` is redacted. */
bool search_row(struct slice text, const struct poll_row *row, struct slice path);

#endif
