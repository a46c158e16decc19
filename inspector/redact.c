/*
 * Layer: inspector. One job: replace what is secret; see redact.h.
 */
#include "inspector/redact.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/memory.h"
#include "base/random.h"
#include "inspector/token_shapes.h"

enum {
	KEY_SIZE = 32,
	TAG_BYTES = 3,
	DECODINGS_MAX = 3, /* of a URL within a URL within a URL */
};

struct redactor {
	enum redact_mode mode;
	struct secret_names names;
	struct redact_pairs pairs;
	unsigned char key[KEY_SIZE];
	EVP_MAC *hmac; /* NULL where there are no tags */
};

struct redactor *redactor_create(const struct inspector_settings *settings)
{
	struct redactor *redactor = mem_zalloc(sizeof(*redactor));

	redactor->mode = settings->redact.mode;
	random_bytes(redactor->key, sizeof(redactor->key));
	if (redactor->mode == REDACT_TAG) {
		redactor->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	}
	secret_names_init(&redactor->names, settings);
	redact_pairs_init(&redactor->pairs);
	return redactor;
}

void redactor_destroy(struct redactor *redactor)
{
	if (redactor == NULL) {
		return;
	}
	secret_names_fini(&redactor->names);
	EVP_MAC_free(redactor->hmac);
	mem_free(redactor);
}

const struct secret_names *redactor_names(const struct redactor *redactor)
{
	return &redactor->names;
}

const struct redact_pairs *redactor_pairs(const struct redactor *redactor)
{
	return &redactor->pairs;
}

bool redact_hides_header(const struct redactor *redactor, struct slice name)
{
	return secret_header(&redactor->names, name);
}

bool redact_hides_parameter(const struct redactor *redactor, struct slice name)
{
	return secret_parameter(&redactor->names, name);
}

/* --- values */

void redact_mark_begin(struct redact_mark *mark, const struct redactor *redactor)
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end()};

	*mark = (struct redact_mark){.redactor = redactor};
	if (redactor->hmac == NULL) {
		return;
	}
	mark->mac = EVP_MAC_CTX_new(redactor->hmac);
	if (mark->mac != NULL && EVP_MAC_init(mark->mac, redactor->key, KEY_SIZE, params) != 1) {
		redact_mark_drop(mark);
	}
}

void redact_mark_add(struct redact_mark *mark, struct slice value)
{
	if (mark->mac != NULL && value.len > 0 &&
		EVP_MAC_update(mark->mac, (const unsigned char *)value.ptr, value.len) != 1) {
		redact_mark_drop(mark);
	}
}

void redact_mark_drop(struct redact_mark *mark)
{
	EVP_MAC_CTX_free(mark->mac);
	mark->mac = NULL;
}

void redact_mark_end(struct redact_mark *mark, struct buffer *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	size_t len = 0;

	buffer_append_str(out, "[redacted");
	if (mark->mac != NULL && EVP_MAC_final(mark->mac, digest, &len, sizeof(digest)) == 1 &&
		len >= TAG_BYTES) {
		buffer_append_char(out, ':');
		for (unsigned i = 0; i < TAG_BYTES; i++) {
			buffer_printf(out, "%02x", digest[i]);
		}
	}
	buffer_append_char(out, ']');
	redact_mark_drop(mark);
}

void redact_value(const struct redactor *redactor, struct slice value, struct buffer *out)
{
	struct redact_mark mark;

	redact_mark_begin(&mark, redactor);
	redact_mark_add(&mark, value);
	redact_mark_end(&mark, out);
}

static bool in_set(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/*
 * The first value of a secret parameter, as a URL within `text` would have it, that begins at
 * `from` or later: behind '?', '&', '#' or ';', up to what cannot be a part of it.
 */
static bool find_parameter(
	const struct redactor *redactor, struct slice text, size_t from, struct slice *value)
{
	for (size_t at = from; at < text.len; at++) {
		size_t name_at = at + 1;
		size_t end;

		if (!in_set(text.ptr[at], "?&#;")) {
			continue;
		}
		while (name_at < text.len && text.ptr[name_at] == ' ') {
			name_at++;
		}
		end = name_at;
		while (end < text.len && !in_set(text.ptr[end], "=?&#;/ \t\r\n\"<>")) {
			end++;
		}
		at = end - 1; /* goes on with what ended the name */
		if (end == text.len || text.ptr[end] != '=' ||
			!redact_hides_parameter(
				redactor, slice_of(text.ptr + name_at, end - name_at))) {
			continue;
		}
		value->ptr = text.ptr + end + 1;
		for (end++; end < text.len && !in_set(text.ptr[end], "&# \t\r\n\"<>"); end++) {
		}
		value->len = (size_t)(text.ptr + end - value->ptr);
		if (value->len > 0) {
			return true;
		}
	}
	return false;
}

static bool hide_shapes(const struct redactor *redactor, struct slice text, struct buffer *out)
{
	size_t shown = 0;
	struct slice found;

	while (token_shape_find(text, shown, &found)) {
		size_t at = (size_t)(found.ptr - text.ptr);

		buffer_append(out, text.ptr + shown, at - shown);
		redact_value(redactor, found, out);
		shown = at + found.len;
	}
	buffer_append_slice(out, slice_of(text.ptr + shown, text.len - shown));
	return shown > 0;
}

bool redact_text(const struct redactor *redactor, struct slice text, struct buffer *out)
{
	bool hidden = false;
	size_t shown = 0;
	struct slice value;

	if (text.len == 0) {
		return false;
	}
	while (find_parameter(redactor, text, shown, &value)) {
		size_t at = (size_t)(value.ptr - text.ptr);

		(void)hide_shapes(redactor, slice_of(text.ptr + shown, at - shown), out);
		redact_value(redactor, value, out);
		shown = at + value.len;
		hidden = true;
	}
	return hide_shapes(redactor, slice_of(text.ptr + shown, text.len - shown), out) || hidden;
}

static bool holds_secret(const struct redactor *redactor, struct slice text)
{
	struct slice found;

	return token_shape_find(text, 0, &found) || find_parameter(redactor, text, 0, &found);
}

/* Whether a secret comes to light when `text` is percent-decoded, once or more often. */
static bool decodes_to_secret(const struct redactor *redactor, struct slice text)
{
	struct buffer decoded = BUFFER_INIT;
	bool found = false;

	buffer_append_slice(&decoded, text);
	for (unsigned i = 0; i < DECODINGS_MAX && !found; i++) {
		size_t to = 0;

		if (memchr(decoded.ptr, '%', decoded.len) == NULL &&
			memchr(decoded.ptr, '+', decoded.len) == NULL) {
			break;
		}
		for (size_t at = 0; at < decoded.len;) { /* in place: it only gets shorter */
			char c = percent_next(buffer_slice(&decoded), &at);

			decoded.ptr[to++] = c;
		}
		decoded.len = to;
		found = holds_secret(redactor, buffer_slice(&decoded));
	}
	buffer_fini(&decoded);
	return found;
}

/* A text of a URL, percent-encoded. What is secret only when it is decoded, hides it whole: it
 * cannot be told which of its bytes say so. */
static bool redact_encoded(const struct redactor *redactor, struct slice text, struct buffer *out)
{
	if (text.len > 0 && decodes_to_secret(redactor, text)) {
		redact_value(redactor, text, out);
		return true;
	}
	return redact_text(redactor, text, out);
}

/* The last part of a name where somebody separates pairs by ';', too. */
static struct slice behind_semicolon(struct slice name)
{
	size_t at = name.len;

	while (at > 0 && name.ptr[at - 1] != ';') {
		at--;
	}
	return slice_of(name.ptr + at, name.len - at);
}

static bool redact_pair(const struct redactor *redactor, struct slice pair, struct buffer *out)
{
	const char *equals = pair.len == 0 ? NULL : memchr(pair.ptr, '=', pair.len);
	struct slice name;
	struct slice value;
	bool hidden;

	if (equals == NULL) {
		return redact_encoded(redactor, pair, out);
	}
	name = slice_of(pair.ptr, (size_t)(equals - pair.ptr));
	value = slice_of(equals + 1, pair.len - name.len - 1);
	hidden = redact_encoded(redactor, name, out);
	buffer_append_char(out, '=');
	if (value.len > 0 && redact_hides_parameter(redactor, behind_semicolon(name))) {
		redact_value(redactor, value, out);
		return true;
	}
	return redact_encoded(redactor, value, out) || hidden;
}

bool redact_query(const struct redactor *redactor, struct slice query, struct buffer *out)
{
	bool hidden = false;

	while (query.len > 0) {
		const char *end = memchr(query.ptr, '&', query.len);
		size_t len = end == NULL ? query.len : (size_t)(end - query.ptr);

		hidden |= redact_pair(redactor, slice_of(query.ptr, len), out);
		if (end == NULL) {
			break;
		}
		buffer_append_char(out, '&');
		query = slice_of(end + 1, query.len - len - 1);
	}
	return hidden;
}

static bool redact_url(const struct redactor *redactor, struct slice url, struct buffer *out)
{
	bool hidden = false;
	size_t at = 0;

	while (at < url.len && url.ptr[at] != '?' && url.ptr[at] != '#') {
		at++;
	}
	hidden |= redact_text(redactor, slice_of(url.ptr, at), out);
	while (at < url.len) { /* the query, then the fragment */
		size_t start = at + 1;

		buffer_append_char(out, url.ptr[at]);
		for (at = start; at < url.len && url.ptr[at] != '#'; at++) {
		}
		hidden |= redact_query(redactor, slice_of(url.ptr + start, at - start), out);
	}
	return hidden;
}

static bool holds_url(struct slice name)
{
	return slice_equal_nocase(name, SLICE("Referer")) ||
	       slice_equal_nocase(name, SLICE("Location")) ||
	       slice_equal_nocase(name, SLICE("Content-Location"));
}

bool redact_header(
	const struct redactor *redactor, struct slice name, struct slice value, struct buffer *out)
{
	if (redact_hides_header(redactor, name)) {
		redact_value(redactor, value, out);
		return true;
	}
	return holds_url(name) ? redact_url(redactor, value, out)
			       : redact_text(redactor, value, out);
}
