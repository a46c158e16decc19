/*
 * Layer: inspector (sees base). One job: hide what is secret in a text of one kind that comes in
 * slices: values by the name before them, and whatever is shaped like a token.
 *
 * There is no parser behind this, since what has to be read may be broken, cut, or text within text
 * within text. Instead of that, each ':' and '=' (also as "%3D", "\u003a", "&#61;") is asked for
 * the name before it, quoted or not, and each tag for its own; where the name is a secret's, what
 * follows is hidden up to where such a value ends: a string to the quote that has as many
 * backslashes as the one before it, an object or an array whole, a plain value to the end of its
 * line, pair or string. So neither the depth of a document nor its being well-formed matters.
 *
 * What comes out does not depend on how the input was cut. Bytes are only held back until it is
 * decided what they are; how many is bounded.
 */
#ifndef SIGHTGLASS_INSPECTOR_REDACT_SCAN_H
#define SIGHTGLASS_INSPECTOR_REDACT_SCAN_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "inspector/body_kind.h"
#include "inspector/redact.h"

struct redact_scan; /* opaque: inspector/redact_scan_layout.h */

/* Any kind but BODY_MULTIPART and BODY_FORM. `redactor` outlives it. Never NULL. */
struct redact_scan *redact_scan_create(const struct redactor *redactor, enum body_kind kind);
void redact_scan_destroy(struct redact_scan *scan);
/* Begins again, with another text. */
void redact_scan_reset(struct redact_scan *scan, enum body_kind kind);

/* Appends to `out` what may be shown of the text so far. */
void redact_scan_add(struct redact_scan *scan, struct slice text, struct buffer *out);
/* The same of the rest. `cut`: the text had gone on. True where it ended within something that was
 * hidden, so that what follows may belong to it. */
bool redact_scan_end(struct redact_scan *scan, bool cut, struct buffer *out);
/* The same of text that is coded byte by byte: it is read decoded, and shown as it came. From the
 * first byte of a text on, or not at all. */
enum scan_coding {
	SCAN_PERCENT,  /* '+' is a space; JSON and markup are known by their first byte */
	SCAN_ENTITIES, /* of HTML and XML */
};
void redact_scan_add_coded(
	struct redact_scan *scan, enum scan_coding coding, struct slice text, struct buffer *out);
/* Whether something was hidden so far. */
bool redact_scan_hid(const struct redact_scan *scan);

#endif
