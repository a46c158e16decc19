/*
 * Layer: inspector (sees base, http, proxy). One job: the head with which a captured request is
 * sent again: as it was, with what the caller wants changed, without anything that was hidden.
 * Without I/O.
 *
 * A secret is never sent again: where the request had one, the caller's own of that name takes its
 * place, or none does. What belongs to the connection, to the framing or to the way through proxies
 * is left to who sends it.
 */
#ifndef SIGHTGLASS_INSPECTOR_RESEND_H
#define SIGHTGLASS_INSPECTOR_RESEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/err.h"
#include "base/slice.h"
#include "http/head.h"
#include "inspector/access.h"
#include "inspector/record.h"
#include "inspector/redact.h"

struct resend_field {
	struct slice name;
	struct slice value;
};

/* What is to be other than it was; a NULL pointer leaves it as it was. */
struct resend_changes {
	struct slice method;
	struct slice path; /* with its query */
	bool has_fields;   /* these, in the place of all that it had */
	const struct resend_field *fields;
	size_t field_count;
	bool has_body;
};

struct resend {
	const struct redactor *redactor;
	const struct access_rules *access;
	struct slice request_id_name; /* the field that a new ID goes into */
	const struct head *caller;    /* of the request that asks for it */
	uint64_t body_len;            /* of the body that will follow */
};

enum resend_verdict {
	RESEND_READY,
	RESEND_REFUSED, /* it cannot be sent again honestly: a conflict */
	RESEND_BAD,     /* a change is malformed */
};

/*
 * Appends the head to `head`, and to `left_out` the names, parted by ", ", of the fields that were
 * secret and have no successor. Else `err` says why not, and both may hold anything.
 *
 * Whether the body can be sent again is asked before, of resend_body().
 */
enum resend_verdict resend_head(const struct resend *resend, const struct record_view *view,
	const struct resend_changes *changes, struct buffer *head, struct buffer *left_out,
	struct err *err);

/* Whether the recorded body is there, whole, and hides nothing: its look is known (shown_body.h).
 */
enum resend_verdict resend_body(const struct record_view *view, struct err *err);

#endif
