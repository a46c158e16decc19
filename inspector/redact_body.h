/*
 * Layer: inspector (sees base). One job: hide what is secret in a body, which comes in slices,
 * whatever it is: JSON, forms, multipart, markup, other text (inspector/redact_scan.h says how),
 * and of what is no text only what is shaped like a token, or is a member of JSON in it.
 *
 * The body has been decoded: of a coded one nothing can be told. What comes out does not depend on
 * how it was cut into slices; where nothing is hidden it is the body byte for byte.
 *
 * Takes some 20 KiB, whatever the body; twice that for multipart.
 */
#ifndef SIGHTGLASS_INSPECTOR_REDACT_BODY_H
#define SIGHTGLASS_INSPECTOR_REDACT_BODY_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "inspector/redact.h"

struct redact_body; /* opaque */

/* `type` is the Content-Type, or empty. Copies it; `redactor` outlives the result. Never NULL. */
struct redact_body *redact_body_create(const struct redactor *redactor, struct slice type);
void redact_body_destroy(struct redact_body *body);

/* Appends to `out` what may be shown of the body so far: at most some KiB more than `bytes`. */
void redact_body_add(struct redact_body *body, struct slice bytes, struct buffer *out);
/* The same of the rest; last. `cut`: the body had gone on, so that what may be a secret's beginning
 * is hidden too. */
void redact_body_end(struct redact_body *body, bool cut, struct buffer *out);
/* Whether something was hidden so far. */
bool redact_body_hid(const struct redact_body *body);

#endif
