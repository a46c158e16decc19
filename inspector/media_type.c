/*
 * Layer: inspector (sees base). One job: media types of captured bytes; see media_type.h.
 */
#include "inspector/media_type.h"

#include <stddef.h>

enum {
	TYPE_MAX = 200, /* with its parameters; a longer one is not handed on */
};

/* "text/html" of "text/html; charset=utf-8". */
static struct slice essence_of(struct slice type)
{
	const char *end = type.len == 0 ? NULL : memchr(type.ptr, ';', type.len);

	return slice_trim(slice_of(type.ptr, end == NULL ? type.len : (size_t)(end - type.ptr)));
}

/*
 * RFC 9110 section 8.3.1, as far as it matters: two words with a '/' between them, nothing that
 * could not stand in a field.
 */
static bool is_media_type(struct slice type)
{
	struct slice essence = essence_of(type);
	size_t slashes = 0;

	if (type.len > TYPE_MAX) {
		return false;
	}
	for (size_t i = 0; i < type.len; i++) {
		if (type.ptr[i] < 0x20 || type.ptr[i] > 0x7e) {
			return false;
		}
	}
	for (size_t i = 0; i < essence.len; i++) {
		if (essence.ptr[i] == '/') {
			slashes++;
		} else if (essence.ptr[i] == ' ' || essence.ptr[i] == ',' ||
			   essence.ptr[i] == '"') {
			return false;
		}
	}
	return slashes == 1 && essence.ptr[0] != '/' && essence.ptr[essence.len - 1] != '/';
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

static bool is_active(struct slice essence)
{
	return contains(essence, SLICE("html")) || contains(essence, SLICE("xml")) ||
	       contains(essence, SLICE("script")) || contains(essence, SLICE("css")) ||
	       contains(essence, SLICE("multipart/")) || contains(essence, SLICE("wasm")) ||
	       contains(essence, SLICE("cache-manifest"));
}

struct slice media_type_safe(struct slice type)
{
	if (!is_media_type(type)) {
		return SLICE("application/octet-stream");
	}
	return is_active(essence_of(type)) ? SLICE("text/plain") : type;
}

bool media_type_is(struct slice type, struct slice essence)
{
	return slice_equal_nocase(essence_of(type), essence);
}

const char *media_type_extension(struct slice type)
{
	static const struct {
		struct slice part;
		const char *extension;
	} known[] = {
		{SLICE_INIT("json"), "json"},
		{SLICE_INIT("html"), "html"},
		{SLICE_INIT("image/svg"), "svg"},
		{SLICE_INIT("xml"), "xml"},
		{SLICE_INIT("javascript"), "js"},
		{SLICE_INIT("text/css"), "css"},
		{SLICE_INIT("text/csv"), "csv"},
		{SLICE_INIT("text/"), "txt"},
		{SLICE_INIT("image/png"), "png"},
		{SLICE_INIT("image/jpeg"), "jpg"},
		{SLICE_INIT("image/gif"), "gif"},
		{SLICE_INIT("image/webp"), "webp"},
		{SLICE_INIT("application/pdf"), "pdf"},
		{SLICE_INIT("application/zip"), "zip"},
		{SLICE_INIT("application/gzip"), "gz"},
	};
	struct slice essence = essence_of(type);

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (contains(essence, known[i].part)) {
			return known[i].extension;
		}
	}
	return "bin";
}
