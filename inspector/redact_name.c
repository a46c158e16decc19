/*
 * Layer: inspector. One job: the name before a place; see redact_scan_layout.h.
 *
 * Only SCAN_LOOK_BACK bytes before the place are looked at, however much is at hand, so that the
 * answer does not depend on how the text was cut.
 */
#include "inspector/redact_scan_layout.h"

enum {
	NAME_SPAN = 400,    /* a name with its escapes */
	ESCAPED_SPAN = 192, /* looked at where there are escapes outside of quotes */
	SPACES_MAX = 32,    /* between a name and its separator */
	LAYERS_MAX = 3,     /* of escapes */
};

static bool is_quote(char c)
{
	return c == '"' || c == '\'' || c == '`';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.' || c == '[' || c == ']' || c == '$' || c == '@' ||
	       (unsigned char)c >= 0x80;
}

/* --- escapes */

/* The value of `count` hexadecimal digits, or -1. */
static int hex_at(struct slice text, size_t at, size_t count)
{
	int value = 0;

	if (text.len - at < count) {
		return -1;
	}
	for (size_t i = 0; i < count; i++) {
		int digit = hex_digit_value(text.ptr[at + i]);

		if (digit < 0) {
			return -1;
		}
		value = value << 4 | digit;
	}
	return value;
}

/* A character of ASCII; all others are told apart from it, and that will do. */
static char narrow(int value)
{
	return value >= 0 && value < 0x80 ? (char)value : '\x80';
}

static char unescape_percent(struct slice text, size_t *at)
{
	int value = hex_at(text, *at + 1, 2);

	*at += value < 0 ? 1 : 3;
	return value < 0 ? '%' : (char)value;
}

/* However many backslashes there are: in text within text each is doubled. */
static char unescape_backslash(struct slice text, size_t *at)
{
	char c;
	int value;

	while (*at < text.len && text.ptr[*at] == '\\') {
		(*at)++;
	}
	if (*at == text.len) {
		return '\\';
	}
	c = text.ptr[(*at)++];
	switch (c) {
	case 'n':
	case 'r':
	case 't':
	case 'b':
	case 'f':
		return '\n';
	case 'u':
		value = hex_at(text, *at, 4);
		*at += value < 0 ? 0 : 4;
		return value < 0 ? 'u' : narrow(value);
	case 'x':
		value = hex_at(text, *at, 2);
		*at += value < 0 ? 0 : 2;
		return value < 0 ? 'x' : narrow(value);
	default:
		return c;
	}
}

static char unescape_number(struct slice text, size_t *at)
{
	size_t end = *at + 2;
	bool hex = end < text.len && (text.ptr[end] == 'x' || text.ptr[end] == 'X');
	int value = 0;
	size_t first;

	end += hex ? 1 : 0;
	for (first = end; end < text.len && end - first < 6; end++) {
		int digit = hex_digit_value(text.ptr[end]);

		if (digit < 0 || (!hex && digit > 9)) {
			break;
		}
		value = value * (hex ? 16 : 10) + digit;
	}
	if (end == first || end == text.len || text.ptr[end] != ';') {
		(*at)++;
		return '&';
	}
	*at = end + 1;
	return narrow(value);
}

static char unescape_entity(struct slice text, size_t *at)
{
	static const struct {
		struct slice name;
		char c;
	} known[] = {
		{SLICE_INIT("&quot;"), '"'},
		{SLICE_INIT("&amp;"), '&'},
		{SLICE_INIT("&lt;"), '<'},
		{SLICE_INIT("&gt;"), '>'},
		{SLICE_INIT("&apos;"), '\''},
	};
	struct slice rest = slice_of(text.ptr + *at, text.len - *at);

	if (rest.len > 1 && rest.ptr[1] == '#') {
		return unescape_number(text, at);
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]) && rest.len > 3; i++) {
		if (rest.ptr[1] == known[i].name.ptr[1] && slice_starts_with(rest, known[i].name)) {
			*at += known[i].name.len;
			return known[i].c;
		}
	}
	(*at)++;
	return '&';
}

size_t scan_unescape(struct slice text, char *out)
{
	size_t len = 0;

	for (size_t at = 0; at < text.len;) {
		switch (text.ptr[at]) {
		case '%':
			out[len++] = unescape_percent(text, &at);
			break;
		case '\\':
			out[len++] = unescape_backslash(text, &at);
			break;
		case '&':
			out[len++] = unescape_entity(text, &at);
			break;
		default:
			out[len++] = text.ptr[at++];
			break;
		}
	}
	return len;
}

static bool has_escapes(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '%' || text.ptr[i] == '\\' || text.ptr[i] == '&') {
			return true;
		}
	}
	return false;
}

/* --- names in quotes */

static bool is_secret(const struct redact_scan *scan, struct slice name)
{
	char decoded[NAME_SPAN];
	size_t len = name.len;
	bool escaped;

	if (secret_member_or_escaped(scan->names, name, &escaped)) {
		return true;
	}
	if (name.len > NAME_SPAN || !escaped) {
		return false;
	}
	memcpy(decoded, name.ptr, name.len);
	for (unsigned i = 0; i < LAYERS_MAX && has_escapes(slice_of(decoded, len)); i++) {
		char layer[NAME_SPAN];

		len = scan_unescape(slice_of(decoded, len), layer);
		memcpy(decoded, layer, len);
		if (secret_member(scan->names, slice_of(decoded, len))) {
			return true;
		}
	}
	return false;
}

/* What stands between the quote that ends `text` and the one before it, and where the latter is. */
static bool read_quoted(struct slice text, struct slice *inner, size_t *open, unsigned *level)
{
	char quote = text.ptr[text.len - 1];
	size_t end = text.len - 1;
	size_t least;

	while (end > 0 && text.ptr[end - 1] == '\\') {
		end--;
	}
	*level = (unsigned)(text.len - 1 - end);
	least = end > NAME_SPAN ? end - NAME_SPAN : 0;
	for (size_t at = end; at > least; at--) {
		if (text.ptr[at - 1] == quote) {
			*inner = slice_of(text.ptr + at, end - at);
			*open = at - 1;
			return true;
		}
	}
	return false;
}

/* The string before {"name": STRING, "value": …}: where text ends with `"value"`, whose quotes
 * begin at `open`. */
static bool is_named_value(const struct redact_scan *scan, struct slice text, size_t open)
{
	struct slice inner;
	unsigned level;
	size_t end = open;

	while (end > 0 && text.ptr[end - 1] == '\\') {
		end--;
	}
	while (end > 0 && strchr(" \t\r\n", text.ptr[end - 1]) != NULL && text.ptr[end - 1] != 0) {
		end--;
	}
	if (end < 2 || text.ptr[end - 1] != ',') {
		return false;
	}
	for (end--; end > 0 && is_blank(text.ptr[end - 1]); end--) {
	}
	return end > 1 && is_quote(text.ptr[end - 1]) &&
	       read_quoted(slice_of(text.ptr, end), &inner, &open, &level) &&
	       is_secret(scan, inner);
}

static bool quoted_before(const struct redact_scan *scan, struct slice text, struct scan_name *name)
{
	struct slice inner;
	unsigned level;
	size_t open;

	if (!read_quoted(text, &inner, &open, &level)) {
		return false;
	}
	if (!is_secret(scan, inner) &&
		!(inner.len == 5 && slice_equal_nocase(inner, SLICE("value")) &&
			is_named_value(scan, text, open))) {
		return false;
	}
	*name = (struct scan_name){.quoted = true, .quote = text.ptr[text.len - 1], .level = level};
	return true;
}

/* --- names without them */

/* What stands before a name in its line. */
static void note_line(struct slice text, size_t start, struct scan_name *name)
{
	size_t at = start;
	struct slice before;

	while (at > 0 && (is_blank(text.ptr[at - 1]) || text.ptr[at - 1] == '-')) {
		at--;
	}
	before = slice_of(text.ptr, at);
	if (slice_ends_with(before, SLICE("export"))) {
		at -= sizeof("export") - 1;
	}
	name->column = (unsigned)(start - at);
	name->begins_line = at == 0 || text.ptr[at - 1] == '\n' || text.ptr[at - 1] == '\r';
	for (; at > 0 && strchr(" \t\r\n", text.ptr[at - 1]) != NULL; at--) {
	}
	name->is_member = at == 0 || text.ptr[at - 1] == '{' || text.ptr[at - 1] == ',';
}

static bool plain_before(
	const struct redact_scan *scan, struct slice text, struct scan_name *name, size_t *start)
{
	size_t end = text.len;
	size_t at = end;

	while (at > 0 && is_name(text.ptr[at - 1])) {
		at--;
	}
	*start = at;
	if (at == end || !secret_member(scan->names, slice_of(text.ptr + at, end - at))) {
		return false;
	}
	*name = (struct scan_name){.quoted = false};
	note_line(text, at, name);
	return true;
}

/* The end of `text` with its escapes undone, one layer after the other. */
static bool escaped_before(
	const struct redact_scan *scan, struct slice text, struct scan_name *name)
{
	char decoded[ESCAPED_SPAN];
	struct slice layer = text;
	size_t start;

	if (text.len > ESCAPED_SPAN) {
		layer = slice_of(text.ptr + text.len - ESCAPED_SPAN, ESCAPED_SPAN);
	}
	for (unsigned i = 0; i < LAYERS_MAX && has_escapes(layer); i++) {
		char next[ESCAPED_SPAN];
		size_t len = scan_unescape(layer, next);

		memcpy(decoded, next, len);
		layer = slice_of(decoded, len);
		while (len > 0 && is_blank(decoded[len - 1])) {
			len--;
		}
		if (len == 0) {
			return false;
		}
		if (is_quote(decoded[len - 1])
				? quoted_before(scan, slice_of(decoded, len), name)
				: plain_before(scan, slice_of(decoded, len), name, &start)) {
			name->coded = name->quoted;
			name->begins_line = false;
			return true;
		}
	}
	return false;
}

/*
 * What the letters that end a text, without quotes and without being a secret's name, may be: most
 * often what stands before them is no escape, or one that is quickly undone.
 */
enum ending {
	ENDING_NO_NAME,
	ENDING_NAME,    /* `*name` is it */
	ENDING_ESCAPED, /* more has to be undone */
};

/* An escape for a character that is neither part of a name nor a quote ends where the name begins.
 */
static enum ending behind_escape(int value, struct slice rest, struct slice *name)
{
	*name = rest;
	if (value < 0) {
		return ENDING_NO_NAME;
	}
	return is_name((char)value) || is_quote((char)value) || value == '\\' ? ENDING_ESCAPED
									      : ENDING_NAME;
}

static enum ending behind_percent(struct slice run, struct slice *name)
{
	while (run.len >= 4 && run.ptr[0] == '2' && run.ptr[1] == '5') {
		run = slice_of(run.ptr + 2, run.len - 2);
	}
	return run.len < 2
		       ? ENDING_NO_NAME
		       : behind_escape(hex_at(run, 0, 2), slice_of(run.ptr + 2, run.len - 2), name);
}

static enum ending behind_backslash(struct slice run, struct slice *name)
{
	if (run.len == 0) {
		return ENDING_NO_NAME;
	}
	*name = slice_of(run.ptr + 1, run.len - 1);
	if (strchr("nrtbf", run.ptr[0]) != NULL) {
		return ENDING_NAME;
	}
	if (run.ptr[0] == 'x') {
		return ENDING_ESCAPED;
	}
	return run.ptr[0] != 'u' || run.len < 5
		       ? ENDING_NO_NAME
		       : behind_escape(hex_at(run, 1, 4), slice_of(run.ptr + 5, run.len - 5), name);
}

/* Behind an entity there is a name as it stands, but the entity may be a quote or a letter. */
static enum ending behind_entity(struct slice before, struct slice run)
{
	static const struct slice quotes[] = {SLICE_INIT("quot;"), SLICE_INIT("apos;")};

	for (size_t at = before.len; at > 0 && before.len - at < 9; at--) {
		if (before.ptr[at - 1] == '#') {
			return ENDING_ESCAPED;
		}
		if (before.ptr[at - 1] == '&') {
			break;
		}
	}
	return run.len == 0 && (slice_ends_with(before, quotes[0]) ||
				       slice_ends_with(before, quotes[1]))
		       ? ENDING_ESCAPED
		       : ENDING_NO_NAME;
}

static enum ending ending_of(struct slice text, size_t start, struct slice *name)
{
	struct slice run = slice_of(text.ptr + start, text.len - start);

	switch (start > 0 ? text.ptr[start - 1] : '\0') {
	case '%':
		return behind_percent(run, name);
	case '\\':
		return behind_backslash(run, name);
	case ';':
		return behind_entity(slice_of(text.ptr, start), run);
	default:
		return ENDING_NO_NAME;
	}
}

/* A name that an escape stands before: never at a line's beginning, but for the one within. */
static bool behind_escape_is_secret(
	const struct redact_scan *scan, struct slice text, struct scan_name *name)
{
	if (text.len == 0 || !secret_member(scan->names, text)) {
		return false;
	}
	*name = (struct scan_name){.quoted = false};
	return true;
}

/* The length of white space that is written as "%0A", "%2520" and so on at the end of `text`; or 0.
 */
static size_t percent_space(struct slice text)
{
	static const struct slice spaces[] = {
		SLICE_INIT("0A"), SLICE_INIT("0D"), SLICE_INIT("09"), SLICE_INIT("20")};
	size_t end = text.len;

	if (end < 3) {
		return 0;
	}
	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		if (slice_equal_nocase(slice_of(text.ptr + end - 2, 2), spaces[i])) {
			end -= 2;
			break;
		}
	}
	if (end == text.len) {
		return 0;
	}
	while (end >= 3 && slice_ends_with(slice_of(text.ptr, end), SLICE("25"))) {
		end -= 2;
	}
	return text.ptr[end - 1] == '%' ? text.len - end + 1 : 0;
}

/* The same as "\\n", "\\\\t" and so on. */
static size_t slash_space(struct slice text)
{
	size_t end = text.len;

	if (end < 2 || strchr("nrt", text.ptr[end - 1]) == NULL) {
		return 0;
	}
	for (end--; end > 0 && text.ptr[end - 1] == '\\'; end--) {
	}
	return text.len - end == 1 ? 0 : text.len - end;
}

static size_t space(struct slice text)
{
	char c = text.ptr[text.len - 1];

	if (is_blank(c) || c == '\r' || c == '\n' || c == '+') {
		return 1;
	}
	return percent_space(text);
}

/*
 * What stands between a name and its separator is left away. "\n" is white space behind a quote
 * alone: else it would be a name's end.
 */
static struct slice without_space(struct slice text)
{
	struct slice quoted;
	size_t len;

	for (unsigned i = 0; i < SPACES_MAX && text.len > 0 && (len = space(text)) > 0; i++) {
		text.len -= len;
	}
	quoted = text;
	for (unsigned i = 0; i < SPACES_MAX && quoted.len > 0; i++) {
		len = slash_space(quoted);
		len = len > 0 ? len : space(quoted);
		if (len == 0) {
			break;
		}
		quoted.len -= len;
	}
	return quoted.len > 0 && (is_quote(quoted.ptr[quoted.len - 1]) ||
					 slice_ends_with(quoted, SLICE("u0022")))
		       ? quoted
		       : text;
}

bool scan_name_before(const struct redact_scan *scan, size_t at, struct scan_name *name)
{
	size_t from = at > SCAN_LOOK_BACK ? at - SCAN_LOOK_BACK : 0;
	struct slice text = slice_of(scan->work + from, at - from);
	struct slice behind;
	size_t start;

	if (text.len > 0 && !is_quote(text.ptr[text.len - 1])) {
		text = without_space(text);
	}
	if (text.len == 0) {
		return false;
	}
	if (is_quote(text.ptr[text.len - 1])) {
		return quoted_before(scan, text, name);
	}
	if (plain_before(scan, text, name, &start)) {
		return true;
	}
	switch (ending_of(text, start, &behind)) {
	case ENDING_NAME:
		return behind_escape_is_secret(scan, behind, name);
	case ENDING_ESCAPED:
		return escaped_before(scan, text, name);
	case ENDING_NO_NAME:
		break;
	}
	return false;
}
