/*
 * Layer: inspector. One job: replace what is secret; see redact.h.
 */
#include "inspector/redact.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/memory.h"
#include "base/random.h"
#include "inspector/token_shapes.h"

enum {
	KEY_SIZE = 32,
	TAG_BYTES = 3,
	PARAMETER_MAX = 64, /* no longer name is a secret's */
	DECODINGS_MAX = 3,  /* of a URL within a URL within a URL */
};

struct name {
	char *text;
	size_t len;
};

struct names {
	struct name *items;
	size_t count;
};

struct redactor {
	enum redact_mode mode;
	struct names headers;    /* as written */
	struct names parameters; /* folded: in lower case, without '-' and '_' */
	unsigned char key[KEY_SIZE];
};

static const char *const default_headers[] = {
	"Authorization",
	"Proxy-Authorization",
	"Cookie",
	"Set-Cookie",
	"X-API-Key",
	"X-Auth-Token",
	"X-Amz-Security-Token",
	"X-Ms-Token-*",
};

static const char *const default_parameters[] = {
	"token",
	"access_token",
	"refresh_token",
	"id_token",
	"api_key",
	"secret",
	"client_secret",
	"password",
	"passwd",
	"pwd",
	"private_key",
	"sig",
	"signature",
	/* fields that are also sent as parameters, where a URL is all that the client can set */
	"authorization",
	"x_api_key",
	"x_auth_token",
	"x_amz_security_token",
};

/* --- names */

static bool is_separator(char c)
{
	return c == '-' || c == '_';
}

static void add_header(struct names *names, const char *text)
{
	names->items[names->count++] = (struct name){.text = mem_strdup(text), .len = strlen(text)};
}

static void add_parameter(struct names *names, const char *text)
{
	struct name folded = {.text = mem_alloc(strlen(text)), .len = 0};

	for (; *text != '\0'; text++) {
		if (!is_separator(*text)) {
			folded.text[folded.len++] = ascii_lower(*text);
		}
	}
	names->items[names->count++] = folded;
}

static void add_names(struct names *names, const char *const *defaults, size_t default_count,
	const struct string_list *more, void (*add)(struct names *names, const char *text))
{
	names->items = mem_alloc_array(default_count + more->count, sizeof(*names->items));
	for (size_t i = 0; i < default_count; i++) {
		add(names, defaults[i]);
	}
	for (size_t i = 0; i < more->count; i++) {
		add(names, more->items[i]);
	}
}

static void names_fini(struct names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		mem_free(names->items[i].text);
	}
	mem_free(names->items);
}

struct redactor *redactor_create(const struct inspector_settings *settings)
{
	struct redactor *redactor = mem_zalloc(sizeof(*redactor));

	redactor->mode = settings->redact.mode;
	random_bytes(redactor->key, sizeof(redactor->key));
	add_names(&redactor->headers, default_headers,
		sizeof(default_headers) / sizeof(default_headers[0]), &settings->redact.headers,
		add_header);
	add_names(&redactor->parameters, default_parameters,
		sizeof(default_parameters) / sizeof(default_parameters[0]), &settings->redact.query,
		add_parameter);
	return redactor;
}

void redactor_destroy(struct redactor *redactor)
{
	if (redactor == NULL) {
		return;
	}
	names_fini(&redactor->headers);
	names_fini(&redactor->parameters);
	mem_free(redactor);
}

static bool header_begins_with(struct slice name, const char *start, size_t len)
{
	if (name.len < len) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (ascii_lower(name.ptr[i]) != ascii_lower(start[i]) &&
			!(is_separator(name.ptr[i]) && is_separator(start[i]))) {
			return false;
		}
	}
	return true;
}

bool redact_hides_header(const struct redactor *redactor, struct slice name)
{
	for (size_t i = 0; i < redactor->headers.count; i++) {
		const struct name *secret = &redactor->headers.items[i];
		bool open = secret->len > 0 && secret->text[secret->len - 1] == '*';

		if (header_begins_with(name, secret->text, open ? secret->len - 1 : secret->len) &&
			(open || name.len == secret->len)) {
			return true;
		}
	}
	return false;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that begins at `*at`, percent-decoded, '+' as a space; `*at` moves behind it. A broken
 * escape stands for itself. */
static char next_decoded(struct slice text, size_t *at)
{
	char c = text.ptr[(*at)++];

	if (c == '+') {
		return ' ';
	}
	if (c == '%' && text.len - *at >= 2) {
		int high = hex_value(text.ptr[*at]);
		int low = hex_value(text.ptr[*at + 1]);

		if (high >= 0 && low >= 0) {
			*at += 2;
			return (char)(high << 4 | low);
		}
	}
	return c;
}

static bool is_secret_parameter(const struct redactor *redactor, struct slice folded)
{
	for (size_t i = 0; i < redactor->parameters.count; i++) {
		const struct name *secret = &redactor->parameters.items[i];

		if (slice_equal(folded, slice_of(secret->text, secret->len))) {
			return true;
		}
	}
	return false;
}

/* Ends a part of a name: "user[password]" and "user.password" have two. */
static bool ends_part(char c)
{
	return c == '[' || c == ']' || c == '.';
}

bool redact_hides_parameter(const struct redactor *redactor, struct slice name)
{
	char folded[PARAMETER_MAX];
	size_t len = 0; /* beyond PARAMETER_MAX it only counts */
	size_t at = 0;

	while (at < name.len) {
		char c = next_decoded(name, &at);

		if (ends_part(c)) {
			if (len <= PARAMETER_MAX &&
				is_secret_parameter(redactor, slice_of(folded, len))) {
				return true;
			}
			len = 0;
		} else if (!is_separator(c) && c != ' ') {
			if (len < PARAMETER_MAX) {
				folded[len] = ascii_lower(c);
			}
			len++;
		}
	}
	return len <= PARAMETER_MAX && is_secret_parameter(redactor, slice_of(folded, len));
}

/* --- values */

void redact_value(const struct redactor *redactor, struct slice value, struct buffer *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = sizeof(digest);

	if (redactor->mode == REDACT_REPLACE) {
		buffer_append_str(out, "[redacted]");
		return;
	}
	buffer_append_str(out, "[redacted");
	if (HMAC(EVP_sha256(), redactor->key, KEY_SIZE,
		    (const unsigned char *)(value.len > 0 ? value.ptr : ""), value.len, digest,
		    &len) != NULL) {
		buffer_append_char(out, ':');
		for (unsigned i = 0; i < TAG_BYTES; i++) {
			buffer_printf(out, "%02x", digest[i]);
		}
	}
	buffer_append_char(out, ']');
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
			char c = next_decoded(buffer_slice(&decoded), &at);

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
