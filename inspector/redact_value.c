/*
 * Layer: inspector. One job: how a secret's value begins; see redact_scan_layout.h. What decides is
 * the value itself, and not how the name before it was written.
 */
#include "inspector/redact_scan_layout.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Has escapes of its own, and ends with the '"' of the string that it stands in. */
static bool is_json(const struct redact_scan *scan)
{
	return scan->kind == BODY_JSON;
}

static struct slice rest_of(const struct redact_scan *scan)
{
	return slice_of(scan->work + scan->at, scan->len - scan->at);
}

/* --- what stands between the separator and the value */

/* The length of a line end or tab that is written as an escape, in text within text; or 0. */
static size_t escaped_space(struct slice rest)
{
	size_t len = 0;

	while (len < rest.len && len < SCAN_SLASHES_MAX && rest.ptr[len] == '\\') {
		len++;
	}
	return len < rest.len && (rest.ptr[len] == 'n' || rest.ptr[len] == 'r' ||
					 rest.ptr[len] == 't')
		       ? len + 1
		       : 0;
}

/* The same as "%0A", "%2520" and so on. */
static size_t percent_space(struct slice rest)
{
	static const struct slice spaces[] = {
		SLICE_INIT("0A"), SLICE_INIT("0D"), SLICE_INIT("09"), SLICE_INIT("20")};
	size_t len = 1;

	while (len <= 6 &&
		slice_starts_with(slice_of(rest.ptr + len, rest.len - len), SLICE("25"))) {
		len += 2;
	}
	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]) && rest.len >= len + 2; i++) {
		if (slice_equal_nocase(slice_of(rest.ptr + len, 2), spaces[i])) {
			return len + 2;
		}
	}
	return 0;
}

/* How many bytes at `at` are passed over. */
static size_t passed_over(const struct redact_scan *scan)
{
	struct slice rest = rest_of(scan);
	char c = rest.ptr[0];

	if (c == ' ' || c == '\t') {
		return 1;
	}
	if (c == '\r' || c == '\n') {
		return scan->name.quoted ? 1 : 0;
	}
	if (c == '=' || (c == '>' && scan->equals) || (c == ':' && !scan->equals)) {
		return 1; /* "==", "=>", ":=" */
	}
	if (scan->coded_separator && c == '+') {
		return 1;
	}
	if (scan->coded_separator && c == '%') {
		return percent_space(rest);
	}
	return scan->name.quoted && c == '\\' ? escaped_space(rest) : 0;
}

/* --- how a value is quoted */

/* The length of a quote that is written otherwise at the beginning of `rest`; `slashes` of them are
 * backslashes. */
static size_t coded_quote(struct slice rest, size_t slashes)
{
	static const struct slice entities[] = {SLICE_INIT("&quot;"), SLICE_INIT("&#34;"),
		SLICE_INIT("&#x22;"), SLICE_INIT("&apos;"), SLICE_INIT("&#39;"),
		SLICE_INIT("&#x27;"), SLICE_INIT("&amp;quot;"), SLICE_INIT("&amp;#34;")};
	struct slice behind = slice_of(rest.ptr + slashes, rest.len - slashes);
	size_t len = 1;

	if (slashes > 0) {
		return slice_starts_with(behind, SLICE("u0022")) ||
				       slice_starts_with(behind, SLICE("u0027"))
			       ? slashes + 5
			       : 0;
	}
	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
		if (slice_starts_with(rest, entities[i])) {
			return entities[i].len;
		}
	}
	if (rest.len == 0 || rest.ptr[0] != '%') {
		return 0;
	}
	while (len <= 6 &&
		slice_starts_with(slice_of(rest.ptr + len, rest.len - len), SLICE("25"))) {
		len += 2;
	}
	behind = slice_of(rest.ptr + len, rest.len - len);
	return slice_starts_with(behind, SLICE("22")) || slice_starts_with(behind, SLICE("27"))
		       ? len + 2
		       : 0;
}

/* --- how a plain one ends */

static void end_at(struct redact_scan *scan, const char *bytes)
{
	scan->ends = (struct scan_set){.bits = {0}};
	for (; *bytes != '\0'; bytes++) {
		unsigned char byte = (unsigned char)*bytes;

		scan->ends.bits[byte / 32] |= UINT32_C(1) << (byte % 32);
	}
}

static const char *ends_behind_equals(const struct redact_scan *scan)
{
	switch (scan->kind) {
	case BODY_JSON:
		return " \t\r\n\"'<>&\\";
	case BODY_CODE:
		return ",;)}] \t\r\n\"'&";
	case BODY_TEXT: /* a file of settings, where spaces belong to a value */
		return scan->name.begins_line ? "\r\n" : " \t\r\n\"'<>&";
	default:
		return " \t\r\n\"'<>&";
	}
}

static const char *ends_behind_colon(const struct redact_scan *scan)
{
	switch (scan->kind) {
	case BODY_JSON:
		return "\"\r\n\\";
	case BODY_CODE:
		return ",;)}]\r\n";
	case BODY_MARKUP:
		return "<\r\n";
	default:
		return "\r\n";
	}
}

static const char *ends_of(const struct redact_scan *scan)
{
	/* An object or array whose quotes cannot be told is hidden with all that is coded like it.
	 */
	if (scan->name.coded && !scan->coded_separator &&
		(scan->work[scan->at] == '{' || scan->work[scan->at] == '[')) {
		return "\"<";
	}
	if (scan->name.coded || scan->coded_separator) {
		return " \t\r\n\"'<>&";
	}
	if (scan->name.quoted) {
		return ",}]\"\r\n";
	}
	return scan->equals ? ends_behind_equals(scan) : ends_behind_colon(scan);
}

/* --- the value */

/* A member that says that it has none. */
static bool is_null(const struct redact_scan *scan)
{
	struct slice rest = rest_of(scan);

	return scan->name.quoted && slice_starts_with(rest, SLICE("null")) &&
	       (rest.len == 4 || is_space(rest.ptr[4]) || rest.ptr[4] == ',' ||
		       rest.ptr[4] == '}' || rest.ptr[4] == ']');
}

static void begin_string(struct redact_scan *scan, unsigned level)
{
	scan->at += level;
	scan->quote = scan->work[scan->at];
	scan->at++;
	scan->level = level;
	scan_hide(scan, SCAN_QUOTED);
}

static void begin_coded_string(struct redact_scan *scan, size_t len)
{
	memcpy(scan->closing, scan->work + scan->at, len);
	scan->closing_len = len;
	scan->at += len;
	scan_hide(scan, SCAN_CODED);
}

static void begin_nested(struct redact_scan *scan)
{
	scan->depth = 0;
	scan->in_string = false;
	scan->quote = scan->name.quoted ? scan->name.quote : '\0';
	scan->level = scan->name.level;
	scan_hide(scan, SCAN_NESTED);
}

static void begin_plain(struct redact_scan *scan)
{
	end_at(scan, ends_of(scan));
	scan_hide(scan, SCAN_PLAIN);
}

static bool may_nest(const struct redact_scan *scan)
{
	return !scan->name.coded && !scan->coded_separator &&
	       (!is_json(scan) || scan->name.quoted || scan->name.is_member);
}

/* Whether the '"' at `at` ends the string of JSON in which the name stands: something follows then
 * that follows a string. */
static bool ends_string(const struct redact_scan *scan)
{
	struct slice rest = rest_of(scan);
	size_t at = 1;

	if (scan->name.quoted || scan->name.is_member) {
		return false;
	}
	while (at < rest.len && is_space(rest.ptr[at])) {
		at++;
	}
	return at == rest.len || rest.ptr[at] == ',' || rest.ptr[at] == '}' ||
	       rest.ptr[at] == ']' || rest.ptr[at] == ':';
}

static void begin_value(struct redact_scan *scan)
{
	struct slice rest = rest_of(scan);
	size_t slashes = 0;
	size_t coded;
	char c;

	while (slashes < SCAN_SLASHES_MAX && slashes < rest.len && rest.ptr[slashes] == '\\') {
		slashes++;
	}
	coded = coded_quote(rest, slashes);
	c = slashes < rest.len ? rest.ptr[slashes] : '\0';
	if (coded > 0) {
		begin_coded_string(scan, coded);
	} else if (c == '"' || c == '\'' || (c == '`' && scan->kind == BODY_CODE)) {
		if (is_json(scan) && slashes == 0 && c == '"' && ends_string(scan)) {
			scan->state = SCAN_SHOW;
			return;
		}
		begin_string(scan, (unsigned)slashes);
	} else if ((c == '{' || c == '[') && slashes == 0 && may_nest(scan)) {
		begin_nested(scan);
	} else if (is_null(scan)) {
		scan->at += 4;
		scan->state = SCAN_SHOW;
	} else {
		begin_plain(scan);
	}
}

/* Behind a name of YAML the value may stand in the lines that follow. */
static void begin_lines(struct redact_scan *scan)
{
	if (scan->kind == BODY_TEXT && !scan->equals && scan->name.begins_line &&
		!scan->name.quoted) {
		scan_hide(scan, SCAN_LINES);
		scan->bare = true;
	} else {
		scan->state = SCAN_SHOW;
	}
}

bool scan_before_value(struct redact_scan *scan)
{
	while (scan->at < scan->len) {
		size_t len = passed_over(scan);

		if (len == 0) {
			break;
		}
		scan->at += len;
	}
	if (scan->at == scan->len) {
		if (!scan_goes_on(scan)) {
			scan->state = SCAN_SHOW;
			scan->open = true;
		}
		return !scan_goes_on(scan);
	}
	if (scan->len - scan->at < SCAN_VALUE_LOOK && scan_goes_on(scan)) {
		return false;
	}
	if (scan->work[scan->at] == '\r' || scan->work[scan->at] == '\n') {
		begin_lines(scan);
	} else {
		begin_value(scan);
	}
	return true;
}
