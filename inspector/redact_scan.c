/*
 * Layer: inspector. One job: go through a text and hide what is secret; see redact_scan.h, and
 * redact_scan_layout.h for how the work is shared.
 */
#include "inspector/redact_scan_layout.h"

#include "base/memory.h"

enum {
	CODED_LAYERS_MAX = 3, /* of "%25" in a separator */
};

static const uint64_t *pairs_of(const struct redactor *redactor, enum body_kind kind)
{
	const struct redact_pairs *pairs = redactor_pairs(redactor);

	return kind == BODY_BINARY ? pairs->binary : pairs->text;
}

struct redact_scan *redact_scan_create(const struct redactor *redactor, enum body_kind kind)
{
	struct redact_scan *scan = mem_alloc(sizeof(*scan));

	scan->redactor = redactor;
	scan->names = redactor_names(redactor);
	scan->state = SCAN_SHOW;
	scan->raw = NULL;
	redact_scan_reset(scan, kind);
	return scan;
}

void redact_scan_reset(struct redact_scan *scan, enum body_kind kind)
{
	if (scan->state >= SCAN_TOKEN) {
		redact_mark_drop(&scan->mark);
	}
	scan->kind = kind;
	scan->pairs = pairs_of(scan->redactor, kind);
	scan->state = SCAN_SHOW;
	scan->hid = false;
	scan->open = false;
	scan->dropped = false;
	scan->run_end = 0;
	scan->at = 0;
	scan->shown = 0;
	scan->len = 0;
	if (scan->raw != NULL) {
		scan_raw_reset(scan->raw);
	}
}

void redact_scan_destroy(struct redact_scan *scan)
{
	if (scan != NULL) {
		if (scan->state >= SCAN_TOKEN) {
			redact_mark_drop(&scan->mark);
		}
		mem_free(scan->raw);
		mem_free(scan);
	}
}

bool redact_scan_hid(const struct redact_scan *scan)
{
	return scan->hid;
}

static struct slice rest_of(const struct redact_scan *scan)
{
	return slice_of(scan->work + scan->at, scan->len - scan->at);
}

/* --- separators */

static bool is_behind_secret(struct redact_scan *scan)
{
	return scan_name_before(scan, scan->at, &scan->name) &&
	       (scan->kind != BODY_BINARY || (scan->name.quoted && !scan->name.coded));
}

/* A separator of `len` bytes stands at `at`. */
static enum scan_look look_at_separator(
	struct redact_scan *scan, size_t len, bool equals, bool coded)
{
	scan->equals = equals;
	scan->coded_separator = coded;
	if (!is_behind_secret(scan)) {
		return SCAN_NOTHING;
	}
	scan->at += len;
	scan->state = SCAN_BEFORE;
	return SCAN_TAKEN;
}

/* "%3D", "%253D", … */
static enum scan_look look_at_percent(struct redact_scan *scan)
{
	struct slice rest = rest_of(scan);
	size_t len = 1;

	while (len < 1 + 2 * CODED_LAYERS_MAX && rest.len >= len + 2 && rest.ptr[len] == '2' &&
		rest.ptr[len + 1] == '5') {
		len += 2;
	}
	if (rest.len < len + 2) {
		return scan_goes_on(scan) ? SCAN_MORE : SCAN_NOTHING;
	}
	if (rest.ptr[len] != '3') {
		return SCAN_NOTHING;
	}
	switch (rest.ptr[len + 1]) {
	case 'a':
	case 'A':
		return look_at_separator(scan, len + 2, false, true);
	case 'd':
	case 'D':
		return look_at_separator(scan, len + 2, true, true);
	default:
		return SCAN_NOTHING;
	}
}

/* --- elements */

static bool is_element_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.' || c == ':' || (unsigned char)c >= 0x80;
}

/* What follows a tag's name: `closing` is how its '>' is written. */
static enum scan_look enter_element(
	struct redact_scan *scan, size_t opener, size_t name, struct slice closing)
{
	struct slice rest = rest_of(scan);
	struct slice behind = slice_of(rest.ptr + opener + name, rest.len - opener - name);
	bool whole = slice_starts_with(behind, closing);

	if (!whole && (closing.len > 1 || strchr(" \t\r\n/", behind.ptr[0]) == NULL)) {
		return SCAN_NOTHING;
	}
	memcpy(scan->element, rest.ptr + opener, name);
	scan->element_len = name;
	memcpy(scan->closing, rest.ptr, opener);
	scan->closing_len = opener;
	scan->name = (struct scan_name){.quoted = false};
	scan->at += opener + name + (whole ? closing.len : 0);
	scan_hide(scan, whole ? SCAN_ELEMENT : SCAN_TAG);
	return SCAN_TAKEN;
}

/* A tag, whose '<' takes `opener` bytes. */
static enum scan_look look_at_tag(struct redact_scan *scan, size_t opener, struct slice closing)
{
	struct slice rest = rest_of(scan);
	size_t len = 0;

	while (opener + len < rest.len && len <= SCAN_ELEMENT_MAX &&
		is_element_name(rest.ptr[opener + len])) {
		len++;
	}
	if (rest.len < opener + len + closing.len && len <= SCAN_ELEMENT_MAX &&
		scan_goes_on(scan)) {
		return SCAN_MORE;
	}
	if (len == 0 || len > SCAN_ELEMENT_MAX || opener + len == rest.len ||
		scan->kind == BODY_CODE ||
		!secret_member(scan->names, slice_of(rest.ptr + opener, len))) {
		return SCAN_NOTHING;
	}
	return enter_element(scan, opener, len, closing);
}

/* --- escapes that may stand for a separator or for a tag's beginning */

static enum scan_look look_at_escape(struct redact_scan *scan)
{
	static const struct {
		struct slice text;
		char c;
	} known[] = {
		{SLICE_INIT("\\u003a"), ':'},
		{SLICE_INIT("\\u003d"), '='},
		{SLICE_INIT("\\u003c"), '<'},
		{SLICE_INIT("&#58;"), ':'},
		{SLICE_INIT("&#x3a;"), ':'},
		{SLICE_INIT("&#61;"), '='},
		{SLICE_INIT("&#x3d;"), '='},
		{SLICE_INIT("&lt;"), '<'},
	};
	struct slice rest = rest_of(scan);

	if (rest.len < 6 && scan_goes_on(scan)) {
		return SCAN_MORE;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct slice text = known[i].text;

		if (rest.len < text.len ||
			!slice_equal_nocase(slice_of(rest.ptr, text.len), text)) {
			continue;
		}
		if (known[i].c == '<') {
			return look_at_tag(scan, text.len,
				text.ptr[0] == '&' ? SLICE("&gt;") : SLICE("\\u003e"));
		}
		return look_at_separator(scan, text.len, known[i].c == '=', true);
	}
	return SCAN_NOTHING;
}

/* --- names that white space follows */

static enum scan_look look_at_quote(struct redact_scan *scan)
{
	if (!scan_name_before(scan, scan->at + 1, &scan->name)) {
		return SCAN_NOTHING;
	}
	scan->at++;
	scan->state = SCAN_SPACE;
	return SCAN_TAKEN;
}

static bool pass_space(struct redact_scan *scan)
{
	while (scan->at < scan->len && strchr(" \t\r\n", scan->work[scan->at]) != NULL &&
		scan->work[scan->at] != '\0') {
		scan->at++;
	}
	if (scan->at == scan->len && scan_goes_on(scan)) {
		return false;
	}
	scan->state = SCAN_SHOW;
	if (scan->at < scan->len && (scan->work[scan->at] == ':' || scan->work[scan->at] == '=')) {
		scan->equals = scan->work[scan->at] == '=';
		scan->coded_separator = false;
		scan->at++;
		scan->state = SCAN_BEFORE;
	}
	return true;
}

/* --- what is shown */

static enum scan_look look_at_token(struct redact_scan *scan)
{
	struct token token;

	switch (token_shape_at(
		slice_of(scan->work, scan->len), scan->at, scan->behind, &scan->run_end, &token)) {
	case TOKEN_NONE:
		return SCAN_NOTHING;
	case TOKEN_MORE:
		return SCAN_MORE;
	case TOKEN_FOUND:
		break;
	}
	scan->token = token;
	scan->at = token.at;
	scan->name = (struct scan_name){.quoted = false};
	scan_hide(scan, SCAN_TOKEN);
	scan_take(scan, token.len);
	return SCAN_TAKEN;
}

static enum scan_look look(struct redact_scan *scan)
{
	switch (scan->work[scan->at]) {
	case ':':
		return look_at_separator(scan, 1, false, false);
	case '=':
		return look_at_separator(scan, 1, true, false);
	case '%':
		return look_at_percent(scan);
	case '"':
	case '\'':
		return look_at_quote(scan);
	case '<':
		return look_at_tag(scan, 1, SLICE(">"));
	case '&':
	case '\\':
		return look_at_escape(scan);
	default:
		return look_at_token(scan);
	}
}

/* Goes on to the next place where something has to be hidden. */
static bool show(struct redact_scan *scan)
{
	/* A pair needs its second byte; behind the last one of all stands a NUL. */
	size_t end = scan_goes_on(scan) && scan->len > 0 ? scan->len - 1 : scan->len;

	while (scan->at < end) {
		const char *place =
			redact_pairs_next(scan->pairs, scan->work + scan->at, scan->work + end);

		scan->at = (size_t)(place - scan->work);
		if (scan->at == end) {
			break;
		}
		switch (look(scan)) {
		case SCAN_NOTHING:
			scan->at++;
			break;
		case SCAN_MORE:
			return false;
		case SCAN_TAKEN:
			return true;
		}
	}
	return false;
}

/* --- the bytes at hand */

static void run(struct redact_scan *scan, enum token_text behind, struct buffer *out)
{
	bool more = true;

	scan->behind = behind;
	scan->out = out;
	memset(scan->work + scan->len, 0, 2);
	while (more) {
		switch (scan->state) {
		case SCAN_SHOW:
			more = show(scan);
			break;
		case SCAN_SPACE:
			more = pass_space(scan);
			break;
		case SCAN_BEFORE:
			more = scan_before_value(scan);
			break;
		default:
			more = scan_go_on_hiding(scan);
			break;
		}
	}
	scan_show_until(scan, scan->at);
}

static size_t moved(size_t place, size_t by)
{
	return place > by ? place - by : 0;
}

/* Lets go of what nobody will look at again. */
static void make_room(struct redact_scan *scan)
{
	size_t by = moved(scan->at, SCAN_LOOK_BACK);

	if (by == 0) {
		return;
	}
	memmove(scan->work, scan->work + by, scan->len - by);
	if (scan->raw != NULL) {
		scan_raw_move(scan->raw, by, scan->len - by);
	}
	scan->run_end = moved(scan->run_end, by);
	scan->at -= by;
	scan->shown -= by;
	scan->len -= by;
	scan->dropped = true;
}

size_t scan_room(struct redact_scan *scan)
{
	if (SCAN_ROOM - scan->len < SCAN_PIECE) {
		make_room(scan);
	}
	return SCAN_ROOM - scan->len < SCAN_PIECE ? SCAN_ROOM - scan->len : SCAN_PIECE;
}

void scan_run(struct redact_scan *scan, struct buffer *out)
{
	/* All that is waited for is shorter than the room: where it is full, nothing is. */
	run(scan,
		scan->len == SCAN_ROOM && scan->at <= SCAN_LOOK_BACK ? TOKEN_TEXT_CUT
								     : TOKEN_TEXT_GOES_ON,
		out);
}

void redact_scan_add(struct redact_scan *scan, struct slice text, struct buffer *out)
{
	while (text.len > 0) {
		size_t room = scan_room(scan);
		size_t len = text.len < room ? text.len : room;

		memcpy(scan->work + scan->len, text.ptr, len);
		scan->len += len;
		text = slice_of(text.ptr + len, text.len - len);
		scan_run(scan, out);
	}
}

bool redact_scan_end(struct redact_scan *scan, bool cut, struct buffer *out)
{
	if (scan->raw != NULL) {
		scan_raw_end(scan);
	}
	run(scan, cut ? TOKEN_TEXT_CUT : TOKEN_TEXT_ENDS, out);
	return scan->open;
}
