/*
 * Layer: inspector. One job: text that is coded byte by byte, percent-encoded or with entities: the
 * scan goes through it decoded, and what is shown stays as it came; see redact_scan_layout.h.
 */
#include "base/memory.h"
#include "inspector/redact_scan_layout.h"

struct slice scan_raw_take(struct redact_scan *scan, size_t at)
{
	struct scan_raw *raw = scan->raw;
	struct slice bytes = slice_of(raw->bytes + raw->at, 0);

	for (size_t i = scan->shown; i < at; i++) {
		bytes.len += raw->width[i];
	}
	raw->at += bytes.len;
	return bytes;
}

void scan_raw_move(struct scan_raw *raw, size_t by, size_t len)
{
	memmove(raw->width, raw->width + by, len);
	memmove(raw->bytes, raw->bytes + raw->at, raw->len - raw->at);
	raw->len -= raw->at;
	raw->at = 0;
}

/* A value of a form is what its first byte says. */
static void begin_value(struct redact_scan *scan, const char *bytes, size_t len)
{
	struct scan_raw *raw = scan->raw;

	for (size_t i = 0; i < len && !raw->begun; i++) {
		char c = bytes[i];

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			continue;
		}
		raw->begun = true;
		scan->kind = c == '{' || c == '[' ? BODY_JSON : c == '<' ? BODY_MARKUP : scan->kind;
	}
}

static void put(struct redact_scan *scan, char c, size_t width)
{
	scan->raw->width[scan->len] = (unsigned char)width;
	scan->work[scan->len++] = c;
	if (scan->raw->coding == SCAN_PERCENT) {
		begin_value(scan, &c, 1);
	}
}

/* Bytes that stand for themselves. */
static void put_plain(struct redact_scan *scan, const char *bytes, size_t len)
{
	memcpy(scan->work + scan->len, bytes, len);
	memset(scan->raw->width + scan->len, 1, len);
	scan->len += len;
	if (scan->raw->coding == SCAN_PERCENT) {
		begin_value(scan, bytes, len);
	}
}

/* --- escapes: they are gathered at the end of the raw bytes until they are whole */

/* What has come of one is none after all: it stands for itself. */
static void give_up(struct redact_scan *scan)
{
	struct scan_raw *raw = scan->raw;
	size_t len = raw->cut;

	raw->cut = 0;
	put_plain(scan, raw->bytes + raw->len - len, len);
}

void scan_raw_end(struct redact_scan *scan)
{
	give_up(scan);
}

static bool may_go_on(const struct scan_raw *raw, char c)
{
	if (raw->coding == SCAN_PERCENT) {
		return hex_digit_value(c) >= 0;
	}
	return raw->cut < SCAN_ENTITY_MAX && (hex_digit_value(c) >= 0 || c == ';' || c == '#' ||
						     (c >= 'g' && c <= 'z') || c == 'X');
}

/* With its last byte. */
static bool is_whole(const struct scan_raw *raw)
{
	return raw->coding == SCAN_PERCENT ? raw->cut == 3 : raw->bytes[raw->len - 1] == ';';
}

static void put_escape(struct redact_scan *scan)
{
	struct scan_raw *raw = scan->raw;
	struct slice escape = slice_of(raw->bytes + raw->len - raw->cut, raw->cut);
	char decoded[SCAN_ENTITY_MAX];

	if (scan_unescape(escape, decoded) == 1) {
		put(scan, decoded[0], escape.len);
		raw->cut = 0;
	} else {
		give_up(scan);
	}
}

static void go_on_with_escape(struct redact_scan *scan, char c)
{
	struct scan_raw *raw = scan->raw;

	raw->bytes[raw->len++] = c;
	raw->cut++;
	if (is_whole(raw)) {
		put_escape(scan);
	}
}

/* How many bytes at the beginning of `text` are no escape's beginning. */
static size_t plain_len(const struct scan_raw *raw, struct slice text)
{
	size_t len = 0;

	if (raw->coding == SCAN_ENTITIES) {
		const char *place = memchr(text.ptr, '&', text.len);

		return place == NULL ? text.len : (size_t)(place - text.ptr);
	}
	while (len < text.len && text.ptr[len] != '%' && text.ptr[len] != '+') {
		len++;
	}
	return len;
}

static void put_piece(struct redact_scan *scan, struct slice text)
{
	struct scan_raw *raw = scan->raw;

	for (size_t at = 0; at < text.len;) {
		char c = text.ptr[at];
		size_t len;

		if (raw->cut > 0 && may_go_on(raw, c)) {
			go_on_with_escape(scan, c);
			at++;
			continue;
		}
		give_up(scan);
		len = plain_len(raw, slice_of(text.ptr + at, text.len - at));
		if (len > 0) {
			memcpy(raw->bytes + raw->len, text.ptr + at, len);
			raw->len += len;
			put_plain(scan, text.ptr + at, len);
			at += len;
		} else if (c == '+') {
			raw->bytes[raw->len++] = c;
			put(scan, ' ', 1);
			at++;
		} else {
			raw->bytes[raw->len++] = c;
			raw->cut = 1;
			at++;
		}
	}
}

void redact_scan_add_coded(
	struct redact_scan *scan, enum scan_coding coding, struct slice text, struct buffer *out)
{
	if (scan->raw == NULL) {
		scan->raw = mem_alloc(sizeof(*scan->raw));
		scan_raw_reset(scan->raw);
	}
	scan->raw->coding = coding;
	while (text.len > 0) {
		size_t room = scan_room(scan) - SCAN_ENTITY_MAX; /* for one that is none */
		size_t len = text.len < room ? text.len : room;

		put_piece(scan, slice_of(text.ptr, len));
		text = slice_of(text.ptr + len, text.len - len);
		scan_run(scan, out);
	}
}

void scan_raw_reset(struct scan_raw *raw)
{
	raw->begun = false;
	raw->at = 0;
	raw->len = 0;
	raw->cut = 0;
}
