/*
 * Layer: inspector (sees base). One job: a body as it is shown, in stretches; see body_windows.h.
 */
#include "inspector/body_windows.h"

#include "base/json.h"

/* Copies the next stretch; without the character that its end cuts. */
static struct slice copy_window(
	const struct body_windows *windows, struct buffer *scratch, bool whole_characters)
{
	uint64_t left = windows->shown - windows->offset;
	size_t room = left < BODY_WINDOW ? (size_t)left : BODY_WINDOW;

	buffer_clear(scratch);
	scratch->len = record_body_copy(
		windows->body, windows->offset, buffer_reserve(scratch, BODY_WINDOW), room);
	if (whole_characters) {
		scratch->len = utf8_whole(buffer_slice(scratch));
	}
	return buffer_slice(scratch);
}

void body_windows_begin(
	struct body_windows *windows, const struct record_body *body, uint64_t limit)
{
	*windows = (struct body_windows){
		.body = body,
		.shown = body->kept < limit ? body->kept : limit,
		.is_text = true,
	};
}

/*
 * A body is text where all that is shown of it is UTF-8; only where more follows, or may follow,
 * can a character be cut at the end.
 */
bool body_windows_check(struct body_windows *windows, struct buffer *scratch, size_t *spent)
{
	struct slice window = copy_window(windows, scratch, true);

	*spent += window.len;
	if (window.len > 0) {
		windows->is_text = utf8_valid(window);
		windows->offset += window.len;
	} else { /* the end, or a character that is cut there */
		windows->is_text =
			body_windows_at_end(windows) || windows->shown < windows->body->size;
		if (windows->is_text) {
			windows->shown = windows->offset;
		}
	}
	if (window.len > 0 && windows->is_text) {
		return true;
	}
	windows->offset = 0;
	return false;
}

struct slice body_windows_next(struct body_windows *windows, struct buffer *scratch, size_t *spent)
{
	struct slice window = copy_window(windows, scratch, windows->is_text);

	*spent += window.len;
	windows->offset += window.len;
	return window;
}

void body_windows_rewind(struct body_windows *windows)
{
	windows->offset = 0;
}
