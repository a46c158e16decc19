/*
 * Layer: inspector (sees base, http, proxy). One job: what is shown of a captured body
 * (shown_body.h), gone through twice: whether it is text, how long it is and what is hidden has to
 * be known before its first byte is written. Whoever writes a body into something else reads it
 * here.
 *
 * First body_windows_check() until it is decided, then body_windows_next() until the end.
 */
#ifndef SIGHTGLASS_INSPECTOR_BODY_WINDOWS_H
#define SIGHTGLASS_INSPECTOR_BODY_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "inspector/record.h"
#include "inspector/redact.h"
#include "inspector/shown_body.h"

struct body_windows { /* all zero: none, and body_windows_fini() is harmless */
	const struct redactor *redactor;
	struct record_view *view;
	enum record_side side;
	uint64_t limit;
	bool as_captured; /* see body_windows_as_captured() */

	struct shown_body *shown;
	struct buffer window; /* of it: what is not checked, or not handed out yet */
	size_t handed_out;    /* of `window`, at its front */
	uint64_t length;      /* bytes that are shown */
	uint64_t done;        /* of them, how many were handed out */
	bool is_limited;      /* they are not all that there are */

	/* final once it is checked */
	bool is_text;     /* all that is shown is UTF-8; a character that is cut at its end is not
			     shown */
	bool cut;         /* what is shown is not all of what it stands for */
	const char *note; /* NULL, or a sentence that says why it is cut, beside its capture */
	size_t coding_len;
	char coding[SHOWN_CODING_MAX]; /* that was undone */
};

/*
 * Of what may be shown, at most `limit` bytes. `redactor` and `view` outlive it; `view` is told
 * what is found out about the body. Of a record whose bodies are not captured, nothing is shown.
 */
void body_windows_begin(struct body_windows *windows, const struct redactor *redactor,
	struct record_view *view, enum record_side side, uint64_t limit);
/* Also in the middle. */
void body_windows_fini(struct body_windows *windows);

/*
 * Goes through the next stretch, and adds what that cost to `*spent`. False once all is known; then
 * body_windows_next() begins at the beginning.
 */
bool body_windows_check(struct body_windows *windows, size_t *spent);
/*
 * The next stretch, valid until the next call: of text, whole characters; of anything else, bytes
 * in a number that divides by three, but for the last. May be empty before the end.
 */
struct slice body_windows_next(struct body_windows *windows, size_t *spent);
static inline bool body_windows_at_end(const struct body_windows *windows)
{
	return windows->done == windows->length;
}
/* Back to the beginning; what was found out stays. */
void body_windows_rewind(struct body_windows *windows);
/*
 * Back to the beginning, and from here on the bytes as they were captured, not decoded, where they
 * hide nothing. For who sends them again.
 */
void body_windows_as_captured(struct body_windows *windows);

static inline const struct record_body *body_windows_body(const struct body_windows *windows)
{
	return record_body_of(windows->view, windows->side);
}

static inline struct slice body_windows_coding(const struct body_windows *windows)
{
	return slice_of(windows->coding, windows->coding_len);
}

#endif
