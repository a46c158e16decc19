/*
 * Layer: inspector (sees base, http, proxy). One job: a captured body as it may be shown: decoded
 * where it is coded, redacted, in slices. Whoever shows bytes of a body to anybody, searches them
 *or sends them anywhere takes them from here.
 *
 *	shown = shown_body_create(redactor, &view, RECORD_RESPONSE);
 *	while (shown_body_next(shown, &out, &spent)) { … }   (one call a slice of the loop's time)
 *	shown_body_facts(shown, &facts);
 *	shown_body_destroy(shown);
 *
 * A coded body is no way around redaction: what cannot be decoded to its end is shown as far as it
 * could be, and its own bytes are shown to nobody; where its coding is not known, or is broken, so
 * that names may be garbled, nothing of it is.
 *
 * Needs the reference to the record for as long as it lives, and some 25 KiB, or what
 * inspector/decode.h says.
 */
#ifndef SIGHTGLASS_INSPECTOR_SHOWN_BODY_H
#define SIGHTGLASS_INSPECTOR_SHOWN_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "inspector/record.h"
#include "inspector/redact.h"

enum record_side {
	RECORD_REQUEST,
	RECORD_RESPONSE,
};

enum {
	SHOWN_CODING_MAX = 128,
};

struct shown_facts { /* known at the end; before that: so far */
	enum record_look look;
	bool cut;            /* what was shown is not all of what it stands for */
	bool withheld;       /* nothing is shown, for the reason in `note` */
	const char *note;    /* NULL, or a sentence that says why it is cut, beside its capture */
	struct slice coding; /* that was undone; empty: none. Lives as long as the shown body */
};

struct shown_body; /* opaque */

/* Of a record whose bodies are captured. `view` and `redactor` outlive it. Never NULL. */
struct shown_body *shown_body_create(
	const struct redactor *redactor, const struct record_view *view, enum record_side side);
/* NULL is harmless. */
void shown_body_destroy(struct shown_body *shown);
/*
 * Appends what comes next, often some KiB, at most some 40, or nothing yet, and adds what that cost
 * to `*spent`: in bytes that could be copied to JSON in that time. False once nothing follows; then
 * what was found out is also remembered in the record, if its exchange has ended.
 */
bool shown_body_next(struct shown_body *shown, struct buffer *out, size_t *spent);
void shown_body_facts(const struct shown_body *shown, struct shown_facts *facts);

/* The content codings of a message, joined by ", ", in `out`. */
struct slice shown_body_codings(const struct record_head *head, char out[static SHOWN_CODING_MAX]);

static inline struct record_body *record_body_of(struct record_view *view, enum record_side side)
{
	return side == RECORD_REQUEST ? &view->request_body : &view->response_body;
}

/*
 * Looks at what is RECORD_UNSEEN of a record's bodies, so that `view` says of both what they are,
 * and its summary can be written. All zero before the first call. True where more is to be done;
 * `scratch` is used within each call.
 */
struct shown_look {
	struct shown_body *shown;
	enum record_side side;
};
bool shown_look_next(struct shown_look *look, const struct redactor *redactor,
	struct record_view *view, struct buffer *scratch, size_t *spent);
/* Also in the middle. */
void shown_look_fini(struct shown_look *look);

#endif
