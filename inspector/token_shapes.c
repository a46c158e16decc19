/*
 * Layer: inspector. One job: find what is shaped like a secret; see token_shapes.h.
 *
 * No shape asks what stands before it: in "Bearer%20ghp_…" that is a digit. Prefixes and lengths
 * are telling enough.
 */
#include "inspector/token_shapes.h"

#include <stdint.h>

enum {
	JWT_HEADER_LEAST = 10, /* of base64url: {"alg":… */
	JWT_HEADER_LOOK = 512, /* "alg" is looked for in so much of it */
	JWT_REST_LEAST = 8,    /* what follows the first dot */
	JWT_DOTS_MAX = 4,      /* an encrypted one has five parts */
	KEY_LEAST = 16,        /* of a GitHub or AWS key, behind its prefix */
	SLACK_LEAST = 8,
	PEM_LABEL_MAX = 64,
	AWS_SECRET_LEAST = 20,
	AWS_SECRET_GAP_MAX =
		8, /* between the name of a secret access key and its value: ": ", " = ", ">" */
};

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_upper(c) || is_digit(c) || (c >= 'a' && c <= 'z');
}

static bool is_upper_or_digit(char c)
{
	return is_upper(c) || is_digit(c);
}

static bool is_base64url(char c)
{
	return is_alnum(c) || c == '-' || c == '_';
}

static bool is_word(char c)
{
	return is_alnum(c) || c == '_';
}

static bool is_slack(char c)
{
	return is_alnum(c) || c == '-';
}

static bool is_path(char c)
{
	return is_alnum(c) || c == '-' || c == '_' || c == '/';
}

static bool is_base64(char c)
{
	return is_alnum(c) || c == '+' || c == '/' || c == '=';
}

/* How many bytes of `text` from `at` on are of a kind. */
static size_t span(struct slice text, size_t at, bool (*kind)(char))
{
	size_t len = 0;

	while (at + len < text.len && kind(text.ptr[at + len])) {
		len++;
	}
	return len;
}

static bool stands_at(struct slice text, size_t at, const char *word, size_t len)
{
	return text.len - at >= len && memcmp(text.ptr + at, word, len) == 0;
}

#define STANDS(text, at, word) stands_at((text), (at), (word), sizeof(word) - 1)

/* Length of a prefix and the run behind it, or 0 where that is shorter than `least`. */
static size_t prefixed(
	struct slice text, size_t at, size_t prefix, bool (*kind)(char), size_t least)
{
	size_t len = span(text, at + prefix, kind);

	return len >= least ? prefix + len : 0;
}

/* --- JWT: RFC 7519, in the compact forms of RFC 7515 and 7516 */

static uint32_t base64url_value(char c)
{
	if (is_upper(c)) {
		return (uint32_t)(c - 'A');
	}
	if (c >= 'a' && c <= 'z') {
		return (uint32_t)(c - 'a') + 26;
	}
	if (is_digit(c)) {
		return (uint32_t)(c - '0') + 52;
	}
	return c == '-' ? 62 : 63;
}

/* Whether the text that is encoded here names a member "alg", as every header does. */
static bool encodes_alg(struct slice encoded)
{
	uint32_t bits = 0;
	uint64_t last = 0; /* the last 8 decoded bytes */

	for (size_t i = 0; i < encoded.len && i < JWT_HEADER_LOOK; i++) {
		bits = bits << 6 | base64url_value(encoded.ptr[i]);
		if (i % 4 !=
			0) { /* 6, 12, 18, 24 bits: a byte is whole after the 2nd, 3rd and 4th */
			unsigned spare = 6 - 2 * (unsigned)(i % 4);

			last = last << 8 | (bits >> spare & 0xff);
			if ((last & 0xffffffffffu) == 0x22616c6722u) { /* "alg" */
				return true;
			}
		}
	}
	return false;
}

/* '{' and what may follow it in a JSON object, encoded: a quote, or white space. */
static bool begins_object(struct slice text, size_t at)
{
	return STANDS(text, at, "eyJ") || STANDS(text, at, "eyA") || STANDS(text, at, "ewo") ||
	       STANDS(text, at, "ew0") || STANDS(text, at, "ewk");
}

/* `*run_end` is where the run of base64url ends that was looked at last: a run full of beginnings
 * is measured once. */
static size_t jwt_at(struct slice text, size_t at, size_t *run_end)
{
	size_t header;
	size_t len;

	if (!begins_object(text, at)) {
		return 0;
	}
	if (at >= *run_end) {
		*run_end = at + span(text, at, is_base64url);
	}
	header = *run_end - at;
	if (header < JWT_HEADER_LEAST || *run_end == text.len || text.ptr[*run_end] != '.') {
		return 0;
	}
	/* Written without white space it is all but certain; else it must say so. */
	if (!STANDS(text, at, "eyJ") && !encodes_alg(slice_of(text.ptr + at, header))) {
		return 0;
	}
	len = header;
	for (unsigned dots = 0; dots < JWT_DOTS_MAX; dots++) {
		if (at + len == text.len || text.ptr[at + len] != '.') {
			break;
		}
		len += 1 + span(text, at + len + 1, is_base64url);
	}
	return len - header - 1 < JWT_REST_LEAST ? 0 : len;
}

/* --- PEM: RFC 7468; also those of OpenSSH and PGP */

static size_t pem_at(struct slice text, size_t at)
{
	size_t begin = sizeof("-----BEGIN ") - 1;
	struct slice label;
	struct slice rest;
	const char *end;
	size_t len = 0;

	if (!STANDS(text, at, "-----BEGIN ")) {
		return 0;
	}
	rest = slice_of(text.ptr + at + begin, text.len - at - begin);
	while (len < rest.len && len < PEM_LABEL_MAX &&
		(is_upper_or_digit(rest.ptr[len]) || rest.ptr[len] == ' ')) {
		len++;
	}
	label = slice_of(rest.ptr, len);
	if (slice_find(label, SLICE("PRIVATE KEY")) == NULL) {
		return 0;
	}
	rest = slice_of(rest.ptr + len, rest.len - len);
	end = slice_find(rest, SLICE("-----END "));
	if (end == NULL) {
		return text.len - at;
	}
	end += sizeof("-----END ") - 1;
	end = slice_find(slice_of(end, (size_t)(text.ptr + text.len - end)), SLICE("-----"));
	return end == NULL ? text.len - at : (size_t)(end + 5 - (text.ptr + at));
}

/* --- keys of services */

static size_t aws_id_at(struct slice text, size_t at)
{
	if (STANDS(text, at, "AKIA") || STANDS(text, at, "ASIA") || STANDS(text, at, "ABIA") ||
		STANDS(text, at, "ACCA")) {
		return prefixed(text, at, 4, is_upper_or_digit, KEY_LEAST);
	}
	return 0;
}

static bool is_gap(char c)
{
	return c == ' ' || c == ':' || c == '=' || c == '"' || c == '\'' || c == '\\' || c == '>' ||
	       c == '\t';
}

/* Where the value of a secret access key begins, whose name stands at `at` in any spelling
 * (SecretAccessKey, aws_secret_access_key); else 0. */
static size_t aws_secret_value(struct slice text, size_t at)
{
	static const char name[] = "secretaccesskey";
	size_t matched = 0;
	size_t gap;

	while (at < text.len && matched < sizeof(name) - 1) {
		char c = text.ptr[at];

		if (ascii_lower(c) == name[matched]) {
			matched++;
		} else if (matched == 0 || (c != '_' && c != '-')) {
			return 0;
		}
		at++;
	}
	gap = span(text, at, is_gap);
	return matched < sizeof(name) - 1 || gap == 0 || gap > AWS_SECRET_GAP_MAX ? 0 : at + gap;
}

/* Of a personal, OAuth, user-to-server, server-to-server or refresh token. */
static bool is_github_kind(char c)
{
	return c == 'p' || c == 'o' || c == 'u' || c == 's' || c == 'r';
}

static size_t github_at(struct slice text, size_t at)
{
	if (STANDS(text, at, "github_pat_")) {
		return prefixed(text, at, sizeof("github_pat_") - 1, is_word, KEY_LEAST);
	}
	if (text.len - at > 4 && text.ptr[at + 1] == 'h' && text.ptr[at + 3] == '_' &&
		is_github_kind(text.ptr[at + 2])) {
		return prefixed(text, at, 4, is_word, KEY_LEAST);
	}
	return 0;
}

static size_t slack_at(struct slice text, size_t at)
{
	if (STANDS(text, at, "xapp-")) {
		return prefixed(text, at, 5, is_slack, SLACK_LEAST);
	}
	if (STANDS(text, at, "xox") && text.len - at > 5 && is_alnum(text.ptr[at + 3]) &&
		text.ptr[at + 4] == '-') {
		return prefixed(text, at, 5, is_slack, SLACK_LEAST);
	}
	return 0;
}

/* The URL of an incoming webhook is a key. */
static size_t slack_hook_at(struct slice text, size_t at)
{
	return STANDS(text, at, "hooks.slack.com/")
		       ? prefixed(text, at, sizeof("hooks.slack.com/") - 1, is_path, SLACK_LEAST)
		       : 0;
}

static size_t length_at(struct slice text, size_t at, size_t *run_end)
{
	switch (text.ptr[at]) {
	case 'e':
		return jwt_at(text, at, run_end);
	case '-':
		return pem_at(text, at);
	case 'A':
		return aws_id_at(text, at);
	case 'g':
		return github_at(text, at);
	case 'x':
		return slack_at(text, at);
	case 'h':
		return slack_hook_at(text, at);
	default:
		return 0;
	}
}

bool token_shape_find(struct slice text, size_t from, struct slice *found)
{
	size_t run_end = 0;

	for (size_t at = from; at < text.len; at++) {
		size_t len = length_at(text, at, &run_end);

		if (len == 0 && (text.ptr[at] == 's' || text.ptr[at] == 'S')) {
			size_t value = aws_secret_value(text, at);

			if (value > 0) {
				len = prefixed(text, value, 0, is_base64, AWS_SECRET_LEAST);
				at = len > 0 ? value : at;
			}
		}
		if (len > 0) {
			*found = slice_of(text.ptr + at, len);
			return true;
		}
	}
	return false;
}
