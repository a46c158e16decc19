/*
 * Layer: inspector (sees base, http, proxy). One job: a shown body, gone through twice; see
 * body_windows.h.
 */
#include "inspector/body_windows.h"

#include "base/json.h"

enum {
	CAPTURED_WINDOW = 12 * 1024, /* divides by three */
};

static struct record_body *body_of(const struct body_windows *windows)
{
	return record_body_of(windows->view, windows->side);
}

void body_windows_begin(struct body_windows *windows, const struct redactor *redactor,
	struct record_view *view, enum record_side side, uint64_t limit)
{
	body_windows_fini(windows);
	*windows = (struct body_windows){
		.redactor = redactor,
		.view = view,
		.side = side,
		.limit = limit,
		.is_text = true,
		.cut = record_body_of(view, side)->truncated,
	};
	body_windows_rewind(windows);
}

void body_windows_fini(struct body_windows *windows)
{
	shown_body_destroy(windows->shown);
	windows->shown = NULL;
	buffer_fini(&windows->window);
}

void body_windows_rewind(struct body_windows *windows)
{
	shown_body_destroy(windows->shown);
	windows->shown = NULL;
	if (windows->view->level == CAPTURE_FULL && !windows->as_captured) {
		windows->shown = shown_body_create(windows->redactor, windows->view, windows->side);
	}
	buffer_clear(&windows->window);
	windows->handed_out = 0;
	windows->done = 0;
}

/* Takes bytes off the window's front. */
static void drop(struct buffer *window, size_t len)
{
	if (len > 0) {
		memmove(window->ptr, window->ptr + len, window->len - len);
		window->len -= len;
	}
}

/* --- the first time */

/* Counts what came, and drops what is beyond the limit. */
static void count_window(struct body_windows *windows, size_t before)
{
	uint64_t came = windows->window.len - before;
	uint64_t room = windows->limit - windows->length;

	if (came > room) {
		windows->is_limited = true;
		windows->window.len = before + (size_t)room;
		came = room;
	}
	windows->length += came;
}

static void end_check(struct body_windows *windows)
{
	struct shown_facts facts;

	shown_body_facts(windows->shown, &facts);
	if (body_of(windows)->look == RECORD_UNSEEN) {
		body_of(windows)->look = facts.look;
	}
	windows->cut = facts.cut || windows->is_limited;
	windows->note = facts.note;
	windows->coding_len = facts.coding.len;
	if (facts.coding.len > 0) {
		memcpy(windows->coding, facts.coding.ptr, facts.coding.len);
	}
	/* What is left is a character that is cut: by the limit, or where the body is. */
	if (windows->is_text && windows->window.len > 0) {
		windows->is_text = windows->cut || !body_of(windows)->ended;
		windows->length -= windows->is_text ? windows->window.len : 0;
	}
}

/*
 * A body is text where all that is shown of it is UTF-8; only where more follows, or may follow,
 * can a character be cut at the end. What is hidden beyond the limit has to be known as well.
 */
bool body_windows_check(struct body_windows *windows, size_t *spent)
{
	struct buffer *window = &windows->window;
	size_t before = window->len;
	size_t checked;
	bool more;

	if (windows->shown == NULL) {
		return false; /* there is none to check */
	}
	more = shown_body_next(windows->shown, window, spent);
	count_window(windows, before);
	checked = windows->is_text ? utf8_whole(buffer_slice(window)) : window->len;
	windows->is_text = windows->is_text && utf8_valid(slice_of(window->ptr, checked));
	drop(window, checked);
	if (more && !(windows->is_limited && body_of(windows)->look != RECORD_UNSEEN)) {
		return true;
	}
	end_check(windows);
	body_windows_rewind(windows);
	return false;
}

/* --- the second time */

static void fill(struct body_windows *windows, size_t *spent)
{
	struct buffer *window = &windows->window;

	if (windows->as_captured) {
		window->len = record_body_copy(body_of(windows), windows->done,
			buffer_reserve(window, CAPTURED_WINDOW), CAPTURED_WINDOW);
		*spent += window->len;
	} else if (!shown_body_next(windows->shown, window, spent) &&
		   window->len < windows->length - windows->done) {
		windows->length = windows->done + window->len; /* never: it is what it was */
	}
}

struct slice body_windows_next(struct body_windows *windows, size_t *spent)
{
	struct buffer *window = &windows->window;
	uint64_t left = windows->length - windows->done;
	size_t len;

	if (left == 0) {
		return slice_of(NULL, 0);
	}
	drop(window, windows->handed_out);
	fill(windows, spent);
	left = windows->length - windows->done;
	if (window->len >= left) {
		len = (size_t)left;
	} else if (windows->is_text) {
		len = utf8_whole(buffer_slice(window));
	} else {
		len = window->len - window->len % 3;
	}
	windows->handed_out = len;
	windows->done += len;
	return slice_of(window->ptr, len);
}

void body_windows_as_captured(struct body_windows *windows)
{
	if (windows->coding_len > 0 && body_of(windows)->look == RECORD_CLEAN) {
		windows->as_captured = true;
		windows->is_text = false;
		windows->length = body_of(windows)->kept;
		windows->coding_len = 0;
	}
	body_windows_rewind(windows);
}
