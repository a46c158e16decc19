/*
 * Layer: inspector (sees base). One job: a body as it is shown, in stretches; see body_windows.h.
 */
#include "inspector/body_windows.h"

#include "base/json.h"

void body_windows_begin(struct body_windows *windows, const struct redactor *redactor,
	struct record_view *view, enum record_side side, uint64_t limit)
{
	*windows = (struct body_windows){
		.redactor = redactor,
		.view = view,
		.side = side,
		.body = record_body_of(view, side),
		.limit = limit,
		.is_text = true,
	};
	windows->cut = windows->body->truncated;
}

void body_windows_fini(struct body_windows *windows)
{
	shown_body_destroy(windows->source);
	windows->source = NULL;
	buffer_fini(&windows->rest);
}

void body_windows_rewind(struct body_windows *windows)
{
	shown_body_destroy(windows->source);
	windows->source = NULL;
	buffer_clear(&windows->rest);
	windows->offset = 0;
}

/* What comes next, behind the rest. False where nothing follows. */
static bool pull(struct body_windows *windows, size_t *spent)
{
	if (windows->source == NULL) {
		windows->source =
			shown_body_create(windows->redactor, windows->view, windows->side);
	}
	return shown_body_next(windows->source, &windows->rest, spent);
}

static void drop(struct buffer *rest, size_t len)
{
	if (len > 0) {
		memmove(rest->ptr, rest->ptr + len, rest->len - len);
		rest->len -= len;
	}
}

/* Counts what came, and drops what is beyond the limit. */
static void count(struct body_windows *windows, size_t before)
{
	uint64_t came = windows->rest.len - before;
	uint64_t room = windows->limit - windows->shown;

	if (came > room) {
		windows->is_limited = true;
		windows->rest.len = before + (size_t)room;
		came = room;
	}
	windows->shown += came;
}

static void note_facts(struct body_windows *windows)
{
	struct record_body *body = record_body_of(windows->view, windows->side);
	struct shown_facts facts;

	shown_body_facts(windows->source, &facts);
	if (body->look == RECORD_UNSEEN) {
		body->look = facts.look;
	}
	windows->cut = facts.cut || windows->is_limited;
	windows->note = facts.note;
	windows->coding_len = facts.coding.len;
	if (facts.coding.len > 0) {
		memcpy(windows->coding, facts.coding.ptr, facts.coding.len);
	}
}

/*
 * A body is text where all that is shown of it is UTF-8; only where more follows, or may follow,
 * can a character be cut at the end. What is hidden beyond the limit has to be known as well.
 */
bool body_windows_check(struct body_windows *windows, size_t *spent)
{
	struct buffer *rest = &windows->rest;
	size_t before = rest->len;
	size_t checked;
	bool more;

	if (windows->view->level != CAPTURE_FULL) {
		return false;
	}
	more = pull(windows, spent);
	count(windows, before);
	checked = windows->is_text ? utf8_whole(buffer_slice(rest)) : rest->len;
	windows->is_text = windows->is_text && utf8_valid(slice_of(rest->ptr, checked));
	drop(rest, checked);
	if (more && !(windows->is_limited && windows->body->look != RECORD_UNSEEN)) {
		return true;
	}
	note_facts(windows);
	if (windows->is_text && rest->len > 0) { /* a character that is cut */
		windows->is_text = windows->cut || !windows->body->ended;
		windows->shown -= windows->is_text ? rest->len : 0;
	}
	body_windows_rewind(windows);
	return false;
}

struct slice body_windows_next(struct body_windows *windows, struct buffer *scratch, size_t *spent)
{
	struct buffer *rest = &windows->rest;
	uint64_t left = windows->shown - windows->offset;
	size_t len;

	buffer_clear(scratch);
	if (left == 0) {
		return buffer_slice(scratch);
	}
	(void)pull(windows, spent);
	if (rest->len >= left) {
		len = (size_t)left;
	} else {
		len = windows->is_text ? utf8_whole(buffer_slice(rest)) : rest->len - rest->len % 3;
	}
	buffer_append(scratch, rest->ptr, len);
	drop(rest, len);
	windows->offset += len;
	return buffer_slice(scratch);
}
