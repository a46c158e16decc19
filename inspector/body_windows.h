/*
 * Layer: inspector (sees base). One job: the bytes of a captured body as they are shown, a stretch
 * (a "window") at a time, and whether they are text. Whoever writes a body for people or for other
 * programs reads it here, so that all show the same.
 *
 * First body_windows_check() until it is decided whether they are text, then body_windows_next()
 * until the end.
 */
#ifndef SIGHTGLASS_INSPECTOR_BODY_WINDOWS_H
#define SIGHTGLASS_INSPECTOR_BODY_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "inspector/record.h"

enum {
	BODY_WINDOW = 12 * 1024, /* divides by three, so that base64 can go on */
};

struct body_windows {
	const struct record_body *body;
	uint64_t shown;  /* how many bytes are shown, from the first on */
	uint64_t offset; /* of them, how many were gone through */
	bool is_text;    /* all of them are UTF-8; a character that is cut at the end of what was
			    kept, or of what is shown, is not shown */
};

/* Of the bytes that were kept, at most `limit`. `body` outlives it. */
void body_windows_begin(
	struct body_windows *windows, const struct record_body *body, uint64_t limit);
/*
 * Looks at the next stretch, in `scratch`, and adds its bytes to `*spent`. False once `is_text` and
 * `shown` are final; the walk then stands at the beginning.
 */
bool body_windows_check(struct body_windows *windows, struct buffer *scratch, size_t *spent);
/*
 * The next stretch, copied to `scratch`: of text, whole characters; of anything else, BODY_WINDOW
 * bytes but for the last. Empty at the end. Adds its bytes to `*spent`.
 */
struct slice body_windows_next(struct body_windows *windows, struct buffer *scratch, size_t *spent);
static inline bool body_windows_at_end(const struct body_windows *windows)
{
	return windows->offset == windows->shown;
}
/* Back to the beginning; what was found out stays. */
void body_windows_rewind(struct body_windows *windows);

#endif
