/*
 * Layer: inspector. One job: the kind of a body; see body_kind.h.
 */
#include "inspector/body_kind.h"

static struct slice essence_of(struct slice type)
{
	const char *end = type.len == 0 ? NULL : memchr(type.ptr, ';', type.len);

	return slice_trim(slice_of(type.ptr, end == NULL ? type.len : (size_t)(end - type.ptr)));
}

static bool contains(struct slice text, struct slice part)
{
	for (size_t i = 0; i + part.len <= text.len; i++) {
		if (slice_equal_nocase(slice_of(text.ptr + i, part.len), part)) {
			return true;
		}
	}
	return false;
}

bool body_looks_like_text(struct slice beginning)
{
	for (size_t i = 0; i < beginning.len; i++) {
		unsigned char c = (unsigned char)beginning.ptr[i];

		if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b) ||
			c == 0x7f) {
			return false;
		}
	}
	return true;
}

/* The first byte that is neither white space nor a byte order mark; 0 where there is none. */
static char first_of(struct slice beginning)
{
	size_t at = slice_starts_with(beginning, SLICE("\xef\xbb\xbf")) ? 3 : 0;

	while (at < beginning.len && beginning.ptr[at] != '\0' &&
		strchr(" \t\r\n", beginning.ptr[at]) != NULL) {
		at++;
	}
	return at < beginning.len ? beginning.ptr[at] : '\0';
}

static bool is_named_binary(struct slice essence)
{
	return contains(essence, SLICE("image/")) || contains(essence, SLICE("audio/")) ||
	       contains(essence, SLICE("video/")) || contains(essence, SLICE("font/")) ||
	       contains(essence, SLICE("application/"));
}

static enum body_kind named_kind(struct slice essence)
{
	static const struct {
		struct slice part;
		enum body_kind kind;
	} known[] = {
		{SLICE_INIT("multipart/"), BODY_MULTIPART},
		{SLICE_INIT("json"), BODY_JSON},
		{SLICE_INIT("x-www-form-urlencoded"), BODY_FORM},
		{SLICE_INIT("html"), BODY_MARKUP},
		{SLICE_INIT("xml"), BODY_MARKUP},
		{SLICE_INIT("javascript"), BODY_CODE},
		{SLICE_INIT("ecmascript"), BODY_CODE},
		{SLICE_INIT("text/css"), BODY_CODE},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (contains(essence, known[i].part)) {
			return known[i].kind;
		}
	}
	return BODY_TEXT;
}

enum body_kind body_kind_of(struct slice type, struct slice beginning)
{
	struct slice essence = essence_of(type);
	enum body_kind kind = named_kind(essence);
	char first = first_of(beginning);

	if (slice_starts_with(beginning, SLICE("--")) &&
		contains(beginning, SLICE("\ncontent-disposition:"))) {
		return BODY_MULTIPART;
	}
	if (kind == BODY_MULTIPART || kind == BODY_JSON || kind == BODY_CODE) {
		return kind;
	}
	if (!body_looks_like_text(beginning)) {
		return kind == BODY_TEXT && (essence.len == 0 || is_named_binary(essence))
			       ? BODY_BINARY
			       : kind;
	}
	if (first == '{' || first == '[') {
		return BODY_JSON; /* also what curl sends as a form without being told better */
	}
	return kind == BODY_TEXT && first == '<' ? BODY_MARKUP : kind;
}

struct slice body_kind_parameter(struct slice value, struct slice name)
{
	for (size_t at = 0; at + name.len < value.len; at++) {
		size_t end = at + name.len;

		if (value.ptr[end] != '=' ||
			(at > 0 && strchr("; \t", value.ptr[at - 1]) == NULL) ||
			!slice_equal_nocase(slice_of(value.ptr + at, name.len), name)) {
			continue;
		}
		end++;
		if (end < value.len && value.ptr[end] == '"') {
			const char *close = memchr(value.ptr + end + 1, '"', value.len - end - 1);

			return slice_of(value.ptr + end + 1,
				close == NULL ? value.len - end - 1
					      : (size_t)(close - (value.ptr + end + 1)));
		}
		at = end;
		while (end < value.len && strchr("; \t\r\n", value.ptr[end]) == NULL) {
			end++;
		}
		return slice_of(value.ptr + at, end - at);
	}
	return slice_of(NULL, 0);
}
