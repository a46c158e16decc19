/*
 * Layer: inspector. One job: where a secret's value ends; see redact_scan_layout.h. In doubt it
 * ends later.
 */
#include "inspector/redact_scan_layout.h"

enum {
	INDENT_LOOK = 256,  /* of the lines behind a value of YAML */
	SLASHES_LOOK = 256, /* as many backslashes count, in front of a quote */
};

/* The bytes at hand that the value can reach. */
struct reach {
	struct slice text;
	bool ends; /* with them, if not before */
};

static struct reach reach_of(const struct redact_scan *scan)
{
	return (struct reach){
		.text = slice_of(scan->work + scan->at, scan->len - scan->at),
		.ends = !scan_goes_on(scan),
	};
}

void scan_show_until(struct redact_scan *scan, size_t at)
{
	if (scan->raw == NULL) {
		buffer_append(scan->out, scan->work + scan->shown, at - scan->shown);
	} else {
		buffer_append_slice(scan->out, scan_raw_take(scan, at));
	}
	scan->shown = at;
}

void scan_hide(struct redact_scan *scan, enum scan_state state)
{
	scan_show_until(scan, scan->at);
	redact_mark_begin(&scan->mark, scan->redactor);
	scan->hidden = 0;
	scan->hidden_tag = false;
	scan->bare = false;
	scan->state = state;
}

void scan_take(struct redact_scan *scan, size_t len)
{
	redact_mark_add(&scan->mark, slice_of(scan->work + scan->at, len));
	scan->hidden += len;
	scan->at += len;
	if (scan->raw != NULL) {
		(void)scan_raw_take(scan, scan->at);
	}
	scan->shown = scan->at;
}

/* --- the mark */

static void append_quote(struct redact_scan *scan)
{
	bool percent = scan->raw != NULL && scan->raw->coding == SCAN_PERCENT;
	bool entity = scan->raw != NULL && scan->raw->coding == SCAN_ENTITIES;

	for (unsigned i = 0; i < scan->name.level; i++) {
		buffer_append_str(scan->out, percent ? "%5C" : "\\");
	}
	if (percent || entity) {
		buffer_printf(scan->out, percent ? "%%%02X" : "&#%d;", scan->name.quote & 0x7f);
	} else {
		buffer_append_char(scan->out, scan->name.quote);
	}
}

/* Where a member's value was no string a string takes its place, so that the document stays one. */
static bool needs_quotes(const struct redact_scan *scan)
{
	return (scan->state == SCAN_PLAIN || scan->state == SCAN_NESTED) && scan->name.quoted &&
	       !scan->name.coded && !scan->coded_separator;
}

void scan_end_hiding(struct redact_scan *scan)
{
	bool quotes = needs_quotes(scan);

	if (scan->hidden == 0) {
		redact_mark_drop(&scan->mark);
		scan->state = SCAN_SHOW;
		return;
	}
	scan->hid = true;
	if (scan->hidden_tag) {
		buffer_append_char(scan->out, '>');
	} else if (scan->state == SCAN_TAG || scan->bare) {
		buffer_append_char(scan->out, ' ');
	}
	if (quotes) {
		append_quote(scan);
	}
	redact_mark_end(&scan->mark, scan->out);
	if (quotes) {
		append_quote(scan);
	}
	scan->state = SCAN_SHOW;
}

/* Takes so much, and ends there. */
static bool end_behind(struct redact_scan *scan, size_t len)
{
	scan_take(scan, len);
	scan_end_hiding(scan);
	return true;
}

/* Takes so much; more has to come, or the text ends here. */
static bool go_on(struct redact_scan *scan, const struct reach *reach, size_t len)
{
	if (reach->ends) {
		scan->open = true;
		return end_behind(scan, reach->text.len);
	}
	scan_take(scan, len);
	return false;
}

/* --- strings */

/* The backslashes before a place in what is at hand; some may have been taken before. */
static size_t slashes_before(const struct redact_scan *scan, size_t at)
{
	size_t end = scan->at + at;
	size_t count = 0;

	while (count < end && count < SLASHES_LOOK && scan->work[end - count - 1] == '\\') {
		count++;
	}
	return count;
}

/* What go_on() takes of a text that ends with a quote, which may have backslashes of its own. */
static bool go_on_before_slashes(struct redact_scan *scan, const struct reach *reach)
{
	size_t kept = 0;

	while (kept < reach->text.len && kept < SCAN_SLASHES_MAX &&
		reach->text.ptr[reach->text.len - kept - 1] == '\\') {
		kept++;
	}
	return go_on(scan, reach, reach->text.len - kept);
}

/*
 * A quote that `slashes` stand before, where the string began with one that had `level`: within
 * it a quote has as many more as make a multiple of twice what it takes to write one there.
 */
static bool closes(size_t slashes, unsigned level)
{
	size_t unit = 2 * ((size_t)level + 1);

	return slashes < level || (slashes - level) % unit == 0;
}

static bool hide_string(struct redact_scan *scan)
{
	struct reach reach = reach_of(scan);
	struct slice text = reach.text;
	size_t at = 0;

	while (at < text.len) {
		const char *place = memchr(text.ptr + at, scan->quote, text.len - at);
		size_t slashes;
		size_t own;

		if (place == NULL) {
			break;
		}
		at = (size_t)(place - text.ptr);
		slashes = slashes_before(scan, at);
		if (!closes(slashes, scan->level)) {
			at++;
			continue;
		}
		/* A quote that is doubled stands for itself, but not in JSON. */
		if (slashes == 0 && scan->level == 0 && scan->kind != BODY_JSON) {
			if (at + 1 == text.len && !reach.ends) {
				return go_on(scan, &reach, at);
			}
			if (at + 1 < text.len && text.ptr[at + 1] == scan->quote) {
				at += 2;
				continue;
			}
		}
		own = slashes < scan->level ? slashes : scan->level;
		return end_behind(scan, at > own ? at - own : 0);
	}
	return go_on_before_slashes(scan, &reach);
}

/* Whether what stands before a coded quote makes it one of the value's own. */
static bool is_escaped(const struct redact_scan *scan, size_t at)
{
	static const struct slice percent = SLICE_INIT("%5C");
	size_t end = scan->at + at;
	size_t count = 0;

	if (scan->closing[0] != '%') {
		return slashes_before(scan, at) % 2 != 0;
	}
	while (end >= percent.len && count < SLASHES_LOOK / percent.len &&
		slice_equal_nocase(
			slice_of(scan->work + end - percent.len, percent.len), percent)) {
		end -= percent.len;
		count++;
	}
	return count % 2 != 0;
}

/* What ends a string with coded quotes at the latest: the end of what it is coded for. */
static bool ends_coded(const struct redact_scan *scan, char c)
{
	return c == '"' || c == '<' ||
	       (scan->closing[0] == '%' && (c == '&' || c == ' ' || c == '\r' || c == '\n'));
}

static bool hide_coded_string(struct redact_scan *scan)
{
	struct reach reach = reach_of(scan);
	struct slice text = reach.text;
	struct slice closing = slice_of(scan->closing, scan->closing_len);
	size_t at;

	for (at = 0; at < text.len; at++) {
		struct slice rest = slice_of(text.ptr + at, text.len - at);

		if (ends_coded(scan, text.ptr[at])) {
			return end_behind(scan, at);
		}
		if (text.ptr[at] != closing.ptr[0]) {
			continue;
		}
		if (rest.len < closing.len + 2 * SCAN_SLASHES_MAX && !reach.ends) {
			break;
		}
		if (slice_starts_with(rest, closing) && !is_escaped(scan, at)) {
			return end_behind(scan, at);
		}
	}
	return go_on(scan, &reach, at);
}

/* --- objects and arrays */

enum nesting {
	NESTING_GOES_ON,
	NESTING_ENDS,   /* with this byte */
	NESTING_BROKEN, /* before it: the string around it ends */
};

static enum nesting nest_quote(struct redact_scan *scan, char c, size_t slashes)
{
	if (scan->quote == '\0') { /* the first one tells how they are written */
		scan->quote = c;
		scan->level = slashes > SCAN_SLASHES_MAX ? SCAN_SLASHES_MAX : (unsigned)slashes;
	}
	if (c != scan->quote) {
		return NESTING_GOES_ON;
	}
	if (slashes < scan->level) {
		return NESTING_BROKEN;
	}
	if (closes(slashes, scan->level)) {
		scan->in_string = !scan->in_string;
	}
	return NESTING_GOES_ON;
}

static enum nesting nest(struct redact_scan *scan, struct slice text, size_t at)
{
	char c = text.ptr[at];

	if (c == '"' || c == '\'') {
		return nest_quote(scan, c, slashes_before(scan, at));
	}
	if (scan->in_string) {
		return NESTING_GOES_ON;
	}
	if (c == '{' || c == '[') {
		scan->depth++;
	} else if ((c == '}' || c == ']') && --scan->depth == 0) {
		return NESTING_ENDS;
	}
	return NESTING_GOES_ON;
}

static bool hide_nested(struct redact_scan *scan)
{
	struct reach reach = reach_of(scan);

	for (size_t at = 0; at < reach.text.len; at++) {
		enum nesting nesting = nest(scan, reach.text, at);

		if (nesting == NESTING_ENDS) {
			return end_behind(scan, at + 1);
		}
		if (nesting == NESTING_BROKEN) {
			return end_behind(scan, at - slashes_before(scan, at));
		}
	}
	return go_on_before_slashes(scan, &reach);
}

/* --- plain values */

/* Whether the backslash at `at` begins what ends a value in a string of JSON: the string's end, or
 * one of a line or of a word. `*len` is what it takes otherwise; 0 where that cannot be said yet.
 */
static bool ends_escaped(
	const struct redact_scan *scan, struct slice text, size_t at, bool last, size_t *len)
{
	size_t slashes = 1;
	struct slice behind;

	while (at + slashes < text.len && text.ptr[at + slashes] == '\\' &&
		slashes < SCAN_SLASHES_MAX) {
		slashes++;
	}
	behind = slice_of(text.ptr + at + slashes, text.len - at - slashes);
	*len = behind.len < 5 && !last ? 0 : slashes;
	if (*len == 0 || behind.len == 0) {
		return false;
	}
	if (behind.ptr[0] == '"') {
		return true;
	}
	if (slashes > 1) {
		return false;
	}
	if (behind.ptr[0] == 'n' || behind.ptr[0] == 'r' || behind.ptr[0] == 't') {
		return behind.ptr[0] != 't' || scan->equals;
	}
	return slice_starts_with(behind, SLICE("u003c")) ||
	       slice_starts_with(behind, SLICE("u0022")) ||
	       (scan->equals && slice_starts_with(behind, SLICE("u0026")));
}

static bool hide_plain(struct redact_scan *scan)
{
	struct reach reach = reach_of(scan);
	struct slice text = reach.text;
	size_t at = 0;

	while (at < text.len) {
		size_t len = 0;

		if (!scan_set_has(&scan->ends, text.ptr[at])) {
			at++;
			continue;
		}
		if (text.ptr[at] != '\\' || ends_escaped(scan, text, at, reach.ends, &len)) {
			scan_take(scan, at);
			if (scan->kind == BODY_TEXT && !scan->equals && scan->name.begins_line &&
				!scan->name.quoted) {
				scan->state = SCAN_LINES;
			} else {
				scan_end_hiding(scan);
			}
			return true;
		}
		if (len == 0) {
			return go_on(scan, &reach, at);
		}
		at += len;
	}
	return go_on(scan, &reach, text.len);
}

/* --- lines of YAML */

/* How many bytes of line ends and indentation stand at the beginning; `*column` is the last line's
 * indentation. */
static size_t indentation(struct slice text, unsigned *column)
{
	size_t len = 0;

	*column = 0;
	while (len < text.len && len < INDENT_LOOK) {
		char c = text.ptr[len];

		if (c == '\n' || c == '\r') {
			*column = 0;
		} else if (c == ' ' || c == '\t') {
			(*column)++;
		} else {
			break;
		}
		len++;
	}
	return len;
}

/* At the end of a line. Those behind it are the value's where they stand deeper than its name, or
 * are the items of a list. */
static bool hide_lines(struct redact_scan *scan)
{
	struct reach reach = reach_of(scan);
	struct slice text = reach.text;
	unsigned column;
	size_t len = indentation(text, &column);
	size_t end;

	if (len == text.len && len < INDENT_LOOK && !reach.ends) {
		return false;
	}
	if (len == text.len || len == INDENT_LOOK) {
		scan_end_hiding(scan);
		return true;
	}
	if (column <= scan->name.column &&
		!(scan->bare && column == scan->name.column && text.ptr[len] == '-')) {
		scan_end_hiding(scan);
		return true;
	}
	for (end = len; end < text.len && text.ptr[end] != '\n' && text.ptr[end] != '\r'; end++) {
	}
	scan_take(scan, end);
	if (end == text.len && !reach.ends) {
		scan->ends = (struct scan_set){.bits = {1u << '\n' | 1u << '\r'}};
		scan->state = SCAN_PLAIN; /* the rest of the line */
	}
	return true;
}

/* --- elements */

/* Where an element has to end in a text that is no markup: with the string, or the line, that it
 * stands in. SIZE_MAX where that is not at hand. */
static size_t fence_of(const struct redact_scan *scan, struct slice text)
{
	char wanted = scan->kind == BODY_JSON ? '"' : '\n';

	if (scan->kind == BODY_MARKUP) {
		return SIZE_MAX;
	}
	for (size_t at = 0; at < text.len;) {
		const char *place = memchr(text.ptr + at, wanted, text.len - at);

		if (place == NULL) {
			break;
		}
		at = (size_t)(place - text.ptr);
		if (wanted == '\n' || slashes_before(scan, at) % 2 == 0) {
			return at;
		}
		at++;
	}
	return SIZE_MAX;
}

static bool hide_tag(struct redact_scan *scan)
{
	struct reach reach = reach_of(scan);
	struct slice text = reach.text;
	size_t fence = fence_of(scan, text);
	const char *place = text.len == 0 ? NULL : memchr(text.ptr, '>', text.len);
	size_t at = place == NULL ? SIZE_MAX : (size_t)(place - text.ptr);

	if (fence < at) {
		return end_behind(scan, fence);
	}
	if (at == SIZE_MAX) {
		return go_on(scan, &reach,
			text.len > 0 && text.ptr[text.len - 1] == '/' ? text.len - 1 : text.len);
	}
	if (at > 0 && text.ptr[at - 1] == '/') {
		return end_behind(scan, at - 1);
	}
	scan_take(scan, at + 1);
	scan->hidden_tag = true;
	scan->state = SCAN_ELEMENT;
	return true;
}

/* Whether the tag at the beginning of `text` closes the element; SCAN_MORE where the text is too
 * short to say. */
static enum scan_look closes_element(const struct redact_scan *scan, struct slice text)
{
	struct slice name = slice_of(scan->element, scan->element_len);
	size_t at = scan->closing_len;

	if (at < text.len && text.ptr[at] == '\\') {
		at++; /* "<\/": JSON may have it so */
	}
	if (text.len < at + 1 + name.len) {
		return SCAN_MORE;
	}
	return text.ptr[at] == '/' &&
			       slice_equal_nocase(slice_of(text.ptr + at + 1, name.len), name)
		       ? SCAN_TAKEN
		       : SCAN_NOTHING;
}

static bool hide_element(struct redact_scan *scan)
{
	struct reach reach = reach_of(scan);
	struct slice text = reach.text;
	struct slice opener = slice_of(scan->closing, scan->closing_len);
	size_t fence = fence_of(scan, text);
	size_t at = 0;

	while (at < text.len) {
		struct slice rest = slice_of(text.ptr + at, text.len - at);
		const char *place = memchr(rest.ptr, opener.ptr[0], rest.len);
		enum scan_look look;

		at = place == NULL ? text.len : (size_t)(place - text.ptr);
		if (place == NULL || at > fence) {
			break;
		}
		rest = slice_of(place, text.len - at);
		look = rest.len < opener.len             ? SCAN_MORE
		       : slice_starts_with(rest, opener) ? closes_element(scan, rest)
							 : SCAN_NOTHING;
		if (look == SCAN_TAKEN) {
			return end_behind(scan, at);
		}
		if (look == SCAN_MORE && !reach.ends && fence == SIZE_MAX) {
			return go_on(scan, &reach, at);
		}
		at++;
	}
	if (fence != SIZE_MAX) {
		return end_behind(scan, fence);
	}
	return go_on(scan, &reach, text.len);
}

/* --- tokens */

static bool hide_token(struct redact_scan *scan)
{
	struct reach reach = reach_of(scan);
	bool done;
	size_t len = token_shape_rest(&scan->token, reach.text,
		reach.ends ? TOKEN_TEXT_ENDS : TOKEN_TEXT_GOES_ON, scan->kind == BODY_JSON, &done);

	if (done) {
		return end_behind(scan, len);
	}
	scan_take(scan, len);
	return false;
}

bool scan_go_on_hiding(struct redact_scan *scan)
{
	switch (scan->state) {
	case SCAN_TOKEN:
		return hide_token(scan);
	case SCAN_QUOTED:
		return hide_string(scan);
	case SCAN_CODED:
		return hide_coded_string(scan);
	case SCAN_NESTED:
		return hide_nested(scan);
	case SCAN_PLAIN:
		return hide_plain(scan);
	case SCAN_LINES:
		return hide_lines(scan);
	case SCAN_TAG:
		return hide_tag(scan);
	case SCAN_ELEMENT:
		return hide_element(scan);
	case SCAN_SHOW:
	case SCAN_SPACE:
	case SCAN_BEFORE:
		break;
	}
	return true;
}
