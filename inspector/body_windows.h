/*
 * Layer: inspector (sees base). One job: a captured body as it is shown, decoded and redacted, a
 * stretch (a "window") at a time, and whether it is text. Whoever writes a body for people or for
 * other programs reads it here, so that all show the same.
 *
 * First body_windows_check() until it is decided what they are, then body_windows_next() until the
 * end. The body is gone through twice so: with inspector/shown_body.h, which says what it costs.
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

struct body_windows { /* all zero is one that has not begun */
	const struct redactor *redactor;
	struct record_view *view;
	enum record_side side;
	const struct record_body *body;
	uint64_t limit;
	struct shown_body *source;
	struct buffer rest; /* what came, and was not handed out */

	uint64_t shown;  /* how many bytes are shown, from the first on */
	uint64_t offset; /* of them, how many were gone through */
	bool is_text;    /* all of them are UTF-8; a character that is cut at the end of what was
			    kept, or of what is shown, is not shown */
	bool is_limited; /* more would be shown, but for the limit */

	/* From here on known once it is checked. */
	bool cut;          /* what is shown is not all that there was */
	const char *note;  /* NULL, or a sentence that says why, where it is not the capture */
	size_t coding_len; /* of the coding that was undone; 0: none was */
	char coding[SHOWN_CODING_MAX];
};

/*
 * Of what is shown of the body, at most `limit` bytes. `redactor` and `view` outlive it; the latter
 * is told what is found out (see shown_body.h). Its bodies are captured, or nothing is shown.
 */
void body_windows_begin(struct body_windows *windows, const struct redactor *redactor,
	struct record_view *view, enum record_side side, uint64_t limit);
/* Also in the middle; harmless for one that has not begun. */
void body_windows_fini(struct body_windows *windows);
/*
 * Looks at the next stretch, and adds what that cost to `*spent`. False once `is_text`, `shown` and
 * the facts are final; the walk then stands at the beginning.
 */
bool body_windows_check(struct body_windows *windows, size_t *spent);
/*
 * The next stretch, copied to `scratch`: of text, whole characters; of anything else, a multiple of
 * three bytes but for the last, so that base64 can go on. May be empty before the end; some 20 KiB
 * at most. Adds what it cost to `*spent`.
 */
struct slice body_windows_next(struct body_windows *windows, struct buffer *scratch, size_t *spent);
static inline bool body_windows_at_end(const struct body_windows *windows)
{
	return windows->offset == windows->shown;
}
static inline struct slice body_windows_coding(const struct body_windows *windows)
{
	return slice_of(windows->coding, windows->coding_len);
}
/* Back to the beginning; what was found out stays. */
void body_windows_rewind(struct body_windows *windows);

#endif
