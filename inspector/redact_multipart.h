/*
 * Layer: inspector (sees base). One job: hide what is secret in a multipart body (RFC 2046, RFC
 * 7578), which comes in slices: a part whose name is a secret's as a whole, and in all others what
 * is secret in a body of their type.
 */
#ifndef SIGHTGLASS_INSPECTOR_REDACT_MULTIPART_H
#define SIGHTGLASS_INSPECTOR_REDACT_MULTIPART_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "inspector/redact.h"

struct redact_multipart; /* opaque */

/*
 * `beginning` is the body's first bytes (BODY_KIND_LOOK of them, or all), which come again: where
 * what they begin with is not the boundary of `type`, they know better. `depth` counts the
 * multiparts around this one.
 */
struct redact_multipart *redact_multipart_create(
	const struct redactor *redactor, struct slice type, struct slice beginning, unsigned depth);
void redact_multipart_destroy(struct redact_multipart *multipart);
/* As those of redact_body.h. */
void redact_multipart_add(
	struct redact_multipart *multipart, struct slice bytes, struct buffer *out);
void redact_multipart_end(struct redact_multipart *multipart, bool cut, struct buffer *out);
bool redact_multipart_hid(const struct redact_multipart *multipart);

#endif
