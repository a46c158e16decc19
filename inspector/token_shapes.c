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
	/* between the name of a secret access key and its value: ": ", " = ", ">" */
	AWS_SECRET_GAP_MAX = 8,
	HEADER_MAX = 8 * 1024, /* a longer run that begins as a JWT does is taken for one */
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

/* How many bytes of `text` from `at` on are of a kind, `max` at most. */
static size_t span(struct slice text, size_t at, bool (*kind)(char), size_t max)
{
	size_t len = 0;

	while (at + len < text.len && len < max && kind(text.ptr[at + len])) {
		len++;
	}
	return len;
}

/* Whether a word stands at `at`; TOKEN_MORE where the text ends within it. */
static enum token_match stands_at(struct slice text, size_t at, const char *word, size_t len)
{
	size_t there = text.len - at;

	if (there >= len) {
		return memcmp(text.ptr + at, word, len) == 0 ? TOKEN_FOUND : TOKEN_NONE;
	}
	return there == 0 || memcmp(text.ptr + at, word, there) == 0 ? TOKEN_MORE : TOKEN_NONE;
}

#define STANDS(text, at, word) (stands_at((text), (at), (word), sizeof(word) - 1))

/* What cannot be said before more comes, where nothing comes. */
static enum token_match settled(enum token_match match, enum token_text behind)
{
	return match == TOKEN_MORE && behind != TOKEN_TEXT_GOES_ON ? TOKEN_NONE : match;
}

static enum token_match found(struct token *token, enum token_kind kind, size_t at, size_t len)
{
	*token = (struct token){.kind = kind, .at = at, .len = len};
	return TOKEN_FOUND;
}

/* `prefix` bytes at `at` are right; behind them at least so many of a kind have to follow. */
static enum token_match prefixed(struct slice text, size_t at, size_t prefix, bool (*kind)(char),
	size_t least, enum token_text behind)
{
	size_t len = span(text, at + prefix, kind, least);

	if (len == least) {
		return TOKEN_FOUND;
	}
	if (at + prefix + len < text.len || behind == TOKEN_TEXT_ENDS) {
		return TOKEN_NONE;
	}
	return behind == TOKEN_TEXT_GOES_ON ? TOKEN_MORE : len > 0 ? TOKEN_FOUND : TOKEN_NONE;
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

/* Whether the text that is encoded at `at` names a member "alg", as every header does. */
static enum token_match encodes_alg(struct slice text, size_t at)
{
	uint32_t bits = 0;
	uint64_t last = 0; /* the last 8 decoded bytes */

	for (size_t i = 0; i < JWT_HEADER_LOOK; i++) {
		if (at + i == text.len) {
			return TOKEN_MORE;
		}
		if (!is_base64url(text.ptr[at + i])) {
			return TOKEN_NONE;
		}
		bits = bits << 6 | base64url_value(text.ptr[at + i]);
		/* 6, 12, 18, 24 bits: a byte is whole after the 2nd, 3rd and 4th */
		if (i % 4 != 0) {
			unsigned spare = 6 - 2 * (unsigned)(i % 4);

			last = last << 8 | (bits >> spare & 0xff);
			if ((last & 0xffffffffffu) == 0x22616c6722u) { /* "alg" */
				return TOKEN_FOUND;
			}
		}
	}
	return TOKEN_NONE;
}

/* '{' and what may follow it in a JSON object, encoded: a quote, or white space. `*certain`:
 * written without white space ("eyJ") it needs no further sign. */
static enum token_match begins_header(struct slice text, size_t at, bool *certain)
{
	static const char *const starts[] = {"eyA", "ewo", "ew0", "ewk"};
	enum token_match match = STANDS(text, at, "eyJ");

	*certain = match == TOKEN_FOUND;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]) && match == TOKEN_NONE; i++) {
		match = stands_at(text, at, starts[i], 3);
	}
	return match;
}

/* What follows a header of that length, from its dot on. */
static enum token_match jwt_rest(
	struct slice text, size_t at, size_t header, enum token_text behind, struct token *token)
{
	size_t len = header;
	unsigned dots = 0;

	while (dots < JWT_DOTS_MAX && at + len < text.len && text.ptr[at + len] == '.') {
		dots++;
		len += 1 + span(text, at + len + 1, is_base64url, SIZE_MAX);
	}
	if (len - header - 1 < JWT_REST_LEAST) {
		if (at + len < text.len || behind == TOKEN_TEXT_ENDS) {
			return TOKEN_NONE;
		}
		if (behind == TOKEN_TEXT_GOES_ON) {
			return TOKEN_MORE;
		}
	}
	(void)found(token, TOKEN_JWT, at, len);
	token->dots = dots;
	return TOKEN_FOUND;
}

/* The length of the run at `at`, HEADER_MAX at most: no byte of it is looked at twice. */
static size_t header_at(struct slice text, size_t at, size_t *run_end)
{
	if (*run_end < at) {
		*run_end = at;
	}
	if (*run_end - at < HEADER_MAX) {
		*run_end += span(text, *run_end, is_base64url, HEADER_MAX - (*run_end - at));
	}
	return *run_end - at < HEADER_MAX ? *run_end - at : HEADER_MAX;
}

static enum token_match jwt_at(
	struct slice text, size_t at, enum token_text behind, size_t *run_end, struct token *token)
{
	bool certain;
	enum token_match match = begins_header(text, at, &certain);
	size_t header;

	if (match != TOKEN_FOUND) {
		return settled(match, behind);
	}
	header = header_at(text, at, run_end);
	if (header == HEADER_MAX) {
		return certain ? found(token, TOKEN_JWT, at, header) : TOKEN_NONE;
	}
	if (at + header == text.len && behind == TOKEN_TEXT_GOES_ON) {
		return TOKEN_MORE;
	}
	if (at + header == text.len && behind == TOKEN_TEXT_CUT) {
		return certain || encodes_alg(text, at) != TOKEN_NONE
			       ? found(token, TOKEN_JWT, at, header)
			       : TOKEN_NONE;
	}
	if (at + header == text.len || text.ptr[at + header] != '.' || header < JWT_HEADER_LEAST) {
		return TOKEN_NONE;
	}
	return certain || encodes_alg(text, at) == TOKEN_FOUND
		       ? jwt_rest(text, at, header, behind, token)
		       : TOKEN_NONE;
}

/* --- PEM: RFC 7468; also those of OpenSSH and PGP */

/* A space, also as a form has it; 0 where there is none. */
static size_t space_at(struct slice text, size_t at)
{
	if (at < text.len && (text.ptr[at] == ' ' || text.ptr[at] == '+')) {
		return 1;
	}
	return STANDS(text, at, "%20") == TOKEN_FOUND ? 3 : 0;
}

/* What says that a key is private, behind the word before it. */
static bool says_private(struct slice label)
{
	for (size_t at = 0; at + sizeof("PRIVATE KEY") - 1 <= label.len; at++) {
		size_t space;

		if (STANDS(label, at, "PRIVATE") != TOKEN_FOUND) {
			continue;
		}
		space = space_at(label, at + 7);
		if (space > 0 && STANDS(label, at + 7 + space, "KEY") == TOKEN_FOUND) {
			return true;
		}
	}
	return false;
}

static enum token_match pem_at(
	struct slice text, size_t at, enum token_text behind, struct token *token)
{
	size_t begin = sizeof("-----BEGIN") - 1;
	enum token_match match = STANDS(text, at, "-----BEGIN");
	size_t len = 0;

	if (match != TOKEN_FOUND) {
		return settled(match, behind);
	}
	while (at + begin + len < text.len && len < PEM_LABEL_MAX) {
		char c = text.ptr[at + begin + len];

		if (!is_upper_or_digit(c) && c != ' ' && c != '+' && c != '%') {
			break;
		}
		len++;
	}
	if (says_private(slice_of(text.ptr + at + begin, len))) {
		return found(token, TOKEN_PEM, at, begin + len);
	}
	return at + begin + len == text.len ? settled(TOKEN_MORE, behind) : TOKEN_NONE;
}

/* --- keys of services */

static enum token_match aws_id_at(
	struct slice text, size_t at, enum token_text behind, struct token *token)
{
	static const char *const starts[] = {"AKIA", "ASIA", "ABIA", "ACCA"};
	enum token_match match = TOKEN_NONE;

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]) && match == TOKEN_NONE; i++) {
		match = stands_at(text, at, starts[i], 4);
	}
	if (match == TOKEN_FOUND) {
		match = prefixed(text, at, 4, is_upper_or_digit, KEY_LEAST, behind);
	}
	return match == TOKEN_FOUND ? found(token, TOKEN_AWS_ID, at, 4) : settled(match, behind);
}

static bool is_gap(char c)
{
	return c == ' ' || c == ':' || c == '=' || c == '"' || c == '\'' || c == '\\' || c == '>' ||
	       c == '\t';
}

/*
 * `at` is within the name of a secret access key, in any spelling (SecretAccessKey,
 * aws_secret_access_key): at its "cc".
 */
static enum token_match aws_secret_at(
	struct slice text, size_t at, enum token_text behind, struct token *token)
{
	static const char before[] = "secreta"; /* "cc" follows, and then: */
	static const char name[] = "ccesskey";
	size_t back = at;
	size_t matched = sizeof(before) - 1;
	enum token_match match;
	size_t gap;

	while (matched > 0 && back > 0 && at - back < TOKEN_LOOK_BACK) {
		char c = ascii_lower(text.ptr[--back]);

		if (c == before[matched - 1]) {
			matched--;
		} else if (c != '_' && c != '-') {
			return TOKEN_NONE;
		}
	}
	if (matched > 0) {
		return TOKEN_NONE;
	}
	for (matched = 0; matched < sizeof(name) - 1; at++) {
		if (at == text.len || at - back > 2 * TOKEN_LOOK_BACK) {
			return at == text.len ? settled(TOKEN_MORE, behind) : TOKEN_NONE;
		}
		if (ascii_lower(text.ptr[at]) == name[matched]) {
			matched++;
		} else if (text.ptr[at] != '_' && text.ptr[at] != '-') {
			return TOKEN_NONE;
		}
	}
	gap = span(text, at, is_gap, AWS_SECRET_GAP_MAX + 1);
	if (gap > AWS_SECRET_GAP_MAX) {
		return TOKEN_NONE;
	}
	if (at + gap == text.len) {
		return settled(TOKEN_MORE, behind);
	}
	match = gap == 0 ? TOKEN_NONE
			 : prefixed(text, at + gap, 0, is_base64, AWS_SECRET_LEAST, behind);
	return match == TOKEN_FOUND ? found(token, TOKEN_AWS_SECRET, at + gap, 0) : match;
}

/* Of a personal, OAuth, user-to-server, server-to-server or refresh token. */
static bool is_github_kind(char c)
{
	return c == 'p' || c == 'o' || c == 'u' || c == 's' || c == 'r';
}

static enum token_match github_at(
	struct slice text, size_t at, enum token_text behind, struct token *token)
{
	size_t prefix = sizeof("github_pat_") - 1;
	enum token_match match = STANDS(text, at, "github_pat_");

	if (match == TOKEN_NONE && text.ptr[at + 1] == 'h') {
		prefix = 4;
		match = text.len - at < 4                                             ? TOKEN_MORE
			: text.ptr[at + 3] == '_' && is_github_kind(text.ptr[at + 2]) ? TOKEN_FOUND
										      : TOKEN_NONE;
	}
	if (match == TOKEN_FOUND) {
		match = prefixed(text, at, prefix, is_word, KEY_LEAST, behind);
	}
	return match == TOKEN_FOUND ? found(token, TOKEN_GITHUB, at, prefix)
				    : settled(match, behind);
}

static enum token_match slack_at(
	struct slice text, size_t at, enum token_text behind, struct token *token)
{
	enum token_match match = STANDS(text, at, "xapp-");

	if (match == TOKEN_NONE) {
		match = STANDS(text, at, "xox");
		if (match == TOKEN_FOUND) {
			match = text.len - at < 5 ? TOKEN_MORE
				: is_alnum(text.ptr[at + 3]) && text.ptr[at + 4] == '-'
					? TOKEN_FOUND
					: TOKEN_NONE;
		}
	}
	if (match == TOKEN_FOUND) {
		match = prefixed(text, at, 5, is_slack, SLACK_LEAST, behind);
	}
	return match == TOKEN_FOUND ? found(token, TOKEN_SLACK, at, 5) : settled(match, behind);
}

/* The URL of an incoming webhook is a key. */
static enum token_match slack_hook_at(
	struct slice text, size_t at, enum token_text behind, struct token *token)
{
	size_t prefix = sizeof("hooks.slack.com/") - 1;
	enum token_match match = STANDS(text, at, "hooks.slack.com/");

	if (match == TOKEN_FOUND) {
		match = prefixed(text, at, prefix, is_path, SLACK_LEAST, behind);
	}
	return match == TOKEN_FOUND ? found(token, TOKEN_SLACK_HOOK, at, prefix)
				    : settled(match, behind);
}

/* --- all of them */

bool token_shape_may_begin(char first, char second)
{
	switch (first) {
	case 'e':
		return second == 'y' || second == 'w';
	case '-':
		return second == '-';
	case 'A':
		return second == 'K' || second == 'S' || second == 'B' || second == 'C';
	case 'g':
		return second == 'h' || second == 'i';
	case 'x':
		return second == 'o' || second == 'a';
	case 'h':
		return second == 'o';
	case 'c':
	case 'C':
		return second == 'c' || second == 'C';
	default:
		return false;
	}
}

enum token_match token_shape_at(
	struct slice text, size_t at, enum token_text behind, size_t *run_end, struct token *token)
{
	if (text.len - at < 2) {
		return settled(TOKEN_MORE, behind);
	}
	switch (text.ptr[at]) {
	case 'e':
		return jwt_at(text, at, behind, run_end, token);
	case '-':
		return pem_at(text, at, behind, token);
	case 'A':
		return aws_id_at(text, at, behind, token);
	case 'g':
		return github_at(text, at, behind, token);
	case 'x':
		return slack_at(text, at, behind, token);
	case 'h':
		return slack_hook_at(text, at, behind, token);
	case 'c':
	case 'C':
		return aws_secret_at(text, at, behind, token);
	default:
		return TOKEN_NONE;
	}
}

/* --- how far they go */

static size_t jwt_goes_on(struct token *token, struct slice text)
{
	size_t len = 0;

	for (;;) {
		len += span(text, len, is_base64url, SIZE_MAX);
		if (len == text.len || text.ptr[len] != '.' || token->dots == JWT_DOTS_MAX) {
			return len;
		}
		token->dots++;
		len++;
	}
}

/* A key ends with the five dashes behind its "-----END". */
static size_t pem_goes_on(
	struct token *token, struct slice text, enum token_text behind, bool quoted, bool *done)
{
	const char *quote = quoted && text.len > 0 ? memchr(text.ptr, '"', text.len) : NULL;
	struct slice within = quote == NULL ? text : slice_of(text.ptr, (size_t)(quote - text.ptr));
	size_t len = 0;

	for (unsigned i = 0; quoted && i < TOKEN_LOOK_BACK && within.len > 0 &&
			     within.ptr[within.len - 1] == '\\';
		i++) {
		within.len--; /* belongs to the quote */
	}
	for (;;) {
		struct slice wanted = token->ending ? SLICE("-----") : SLICE("-----END");
		const char *place =
			slice_find(slice_of(within.ptr + len, within.len - len), wanted);

		if (place == NULL) {
			break;
		}
		len = (size_t)(place + wanted.len - within.ptr);
		if (token->ending) {
			*done = true;
			return len;
		}
		token->ending = true;
	}
	if (quote != NULL || behind != TOKEN_TEXT_GOES_ON) {
		*done = true;
		return within.len;
	}
	/* What may be the beginning of the end, or of the quote, comes again. */
	return within.len - len > 7 ? within.len - 7 : len;
}

static bool (*class_of(enum token_kind kind))(char)
{
	switch (kind) {
	case TOKEN_AWS_ID:
		return is_upper_or_digit;
	case TOKEN_AWS_SECRET:
		return is_base64;
	case TOKEN_GITHUB:
		return is_word;
	case TOKEN_SLACK:
		return is_slack;
	case TOKEN_SLACK_HOOK:
		return is_path;
	case TOKEN_JWT:
	case TOKEN_PEM:
		break;
	}
	return is_base64url;
}

size_t token_shape_rest(
	struct token *token, struct slice text, enum token_text behind, bool quoted, bool *done)
{
	size_t len;

	*done = false;
	if (token->kind == TOKEN_PEM) {
		return pem_goes_on(token, text, behind, quoted, done);
	}
	len = token->kind == TOKEN_JWT ? jwt_goes_on(token, text)
				       : span(text, 0, class_of(token->kind), SIZE_MAX);
	*done = len < text.len || behind != TOKEN_TEXT_GOES_ON;
	return len;
}

bool token_shape_find(struct slice text, size_t from, struct slice *place)
{
	size_t run_end = 0;

	for (size_t at = from; at + 1 < text.len; at++) {
		struct token token;
		bool done;

		if (token_shape_may_begin(text.ptr[at], text.ptr[at + 1]) &&
			token_shape_at(text, at, TOKEN_TEXT_ENDS, &run_end, &token) ==
				TOKEN_FOUND &&
			token.at >= from) {
			size_t known = token.at + token.len;

			*place = slice_of(text.ptr + token.at,
				token.len + token_shape_rest(&token,
						    slice_of(text.ptr + known, text.len - known),
						    TOKEN_TEXT_ENDS, false, &done));
			return true;
		}
	}
	return false;
}
