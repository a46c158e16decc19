/*
 * Layer: http (sees base). One job: find a name's number. Length and one letter leave one
 * candidate, which is then compared eight bytes at a time: a head of fifteen fields costs a few
 * dozen nanoseconds here.
 */
#include "http/field.h"

enum {
	NAME_MAX_LEN = 25, /* of those in the table: Proxy-Authentication-Info */
};

static const struct slice names[FIELD_IDS] = {
	[FIELD_ACCEPT] = SLICE_INIT("Accept"),
	[FIELD_ACCEPT_ENCODING] = SLICE_INIT("Accept-Encoding"),
	[FIELD_ACCEPT_LANGUAGE] = SLICE_INIT("Accept-Language"),
	[FIELD_AUTHORIZATION] = SLICE_INIT("Authorization"),
	[FIELD_CACHE_CONTROL] = SLICE_INIT("Cache-Control"),
	[FIELD_CONNECTION] = SLICE_INIT("Connection"),
	[FIELD_CONTENT_ENCODING] = SLICE_INIT("Content-Encoding"),
	[FIELD_CONTENT_LENGTH] = SLICE_INIT("Content-Length"),
	[FIELD_CONTENT_TYPE] = SLICE_INIT("Content-Type"),
	[FIELD_COOKIE] = SLICE_INIT("Cookie"),
	[FIELD_DATE] = SLICE_INIT("Date"),
	[FIELD_ETAG] = SLICE_INIT("ETag"),
	[FIELD_EXPECT] = SLICE_INIT("Expect"),
	[FIELD_FORWARDED] = SLICE_INIT("Forwarded"),
	[FIELD_HOST] = SLICE_INIT("Host"),
	[FIELD_IF_NONE_MATCH] = SLICE_INIT("If-None-Match"),
	[FIELD_KEEP_ALIVE] = SLICE_INIT("Keep-Alive"),
	[FIELD_LOCATION] = SLICE_INIT("Location"),
	[FIELD_MAX_FORWARDS] = SLICE_INIT("Max-Forwards"),
	[FIELD_ORIGIN] = SLICE_INIT("Origin"),
	[FIELD_PROXY_AUTHENTICATE] = SLICE_INIT("Proxy-Authenticate"),
	[FIELD_PROXY_AUTHENTICATION_INFO] = SLICE_INIT("Proxy-Authentication-Info"),
	[FIELD_PROXY_AUTHORIZATION] = SLICE_INIT("Proxy-Authorization"),
	[FIELD_PROXY_CONNECTION] = SLICE_INIT("Proxy-Connection"),
	[FIELD_RETRY_AFTER] = SLICE_INIT("Retry-After"),
	[FIELD_SEC_FETCH_SITE] = SLICE_INIT("Sec-Fetch-Site"),
	[FIELD_SEC_WEBSOCKET_KEY] = SLICE_INIT("Sec-WebSocket-Key"),
	[FIELD_SERVER] = SLICE_INIT("Server"),
	[FIELD_SET_COOKIE] = SLICE_INIT("Set-Cookie"),
	[FIELD_TE] = SLICE_INIT("TE"),
	[FIELD_TRACEPARENT] = SLICE_INIT("traceparent"),
	[FIELD_TRACESTATE] = SLICE_INIT("tracestate"),
	[FIELD_TRAILER] = SLICE_INIT("Trailer"),
	[FIELD_TRANSFER_ENCODING] = SLICE_INIT("Transfer-Encoding"),
	[FIELD_UPGRADE] = SLICE_INIT("Upgrade"),
	[FIELD_USER_AGENT] = SLICE_INIT("User-Agent"),
	[FIELD_VARY] = SLICE_INIT("Vary"),
	[FIELD_VIA] = SLICE_INIT("Via"),
	[FIELD_X_API_KEY] = SLICE_INIT("X-API-Key"),
	[FIELD_X_FORWARDED_FOR] = SLICE_INIT("X-Forwarded-For"),
	[FIELD_X_FORWARDED_HOST] = SLICE_INIT("X-Forwarded-Host"),
	[FIELD_X_FORWARDED_PROTO] = SLICE_INIT("X-Forwarded-Proto"),
	[FIELD_X_REAL_IP] = SLICE_INIT("X-Real-IP"),
	[FIELD_X_REQUEST_ID] = SLICE_INIT("X-Request-ID"),
};

/* clang-format off */
/* RFC 9110 section 5.6.2: ! # $ % & ' * + - . ^ _ ` | ~, digits and letters; nothing from 0x80 on */
const bool field_tchars[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 0x00 */
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 0x10 */
	0, 1, 0, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 1, 0, /* 0x20 */
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, /* 0x30 */
	0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0x40 */
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, /* 0x50 */
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0x60 */
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0, /* 0x70 */
};
/* clang-format on */

/* The only number that a name of this length and with these letters can have. */
static enum field_id candidate(struct slice name)
{
	char first = ascii_lower(name.ptr[0]);

	switch (name.len) {
	case 2:
		return FIELD_TE;
	case 3:
		return FIELD_VIA;
	case 4:
		return first == 'h'   ? FIELD_HOST
		       : first == 'd' ? FIELD_DATE
		       : first == 'e' ? FIELD_ETAG
				      : FIELD_VARY;
	case 6:
		return first == 'a'   ? FIELD_ACCEPT
		       : first == 'c' ? FIELD_COOKIE
		       : first == 's' ? FIELD_SERVER
		       : first == 'o' ? FIELD_ORIGIN
				      : FIELD_EXPECT;
	case 7:
		return first == 't' ? FIELD_TRAILER : FIELD_UPGRADE;
	case 8:
		return FIELD_LOCATION;
	case 9:
		return first == 'f'                      ? FIELD_FORWARDED
		       : ascii_lower(name.ptr[2]) == 'r' ? FIELD_X_REAL_IP
							 : FIELD_X_API_KEY;
	case 10:
		return first == 'c'   ? FIELD_CONNECTION
		       : first == 'u' ? FIELD_USER_AGENT
		       : first == 's' ? FIELD_SET_COOKIE
		       : first == 'k' ? FIELD_KEEP_ALIVE
				      : FIELD_TRACESTATE;
	case 11:
		return first == 't' ? FIELD_TRACEPARENT : FIELD_RETRY_AFTER;
	case 12:
		return first == 'c'   ? FIELD_CONTENT_TYPE
		       : first == 'x' ? FIELD_X_REQUEST_ID
				      : FIELD_MAX_FORWARDS;
	case 13:
		return first == 'a'   ? FIELD_AUTHORIZATION
		       : first == 'c' ? FIELD_CACHE_CONTROL
				      : FIELD_IF_NONE_MATCH;
	case 14:
		return first == 'c' ? FIELD_CONTENT_LENGTH : FIELD_SEC_FETCH_SITE;
	case 15:
		return first == 'x'                      ? FIELD_X_FORWARDED_FOR
		       : ascii_lower(name.ptr[7]) == 'e' ? FIELD_ACCEPT_ENCODING
							 : FIELD_ACCEPT_LANGUAGE;
	case 16:
		return first == 'c'   ? FIELD_CONTENT_ENCODING
		       : first == 'x' ? FIELD_X_FORWARDED_HOST
				      : FIELD_PROXY_CONNECTION;
	case 17:
		return first == 't'   ? FIELD_TRANSFER_ENCODING
		       : first == 's' ? FIELD_SEC_WEBSOCKET_KEY
				      : FIELD_X_FORWARDED_PROTO;
	case 18:
		return FIELD_PROXY_AUTHENTICATE;
	case 19:
		return FIELD_PROXY_AUTHORIZATION;
	case 25:
		return FIELD_PROXY_AUTHENTICATION_INFO;
	default:
		return FIELD_OTHER;
	}
}

/*
 * True where eight bytes are the pattern's in any case. A letter has the bit 0x40, and '-' and
 * digits have not: so only where the pattern has a letter is 0x20, the bit of the case, set in
 * both, and no other byte is taken for a letter.
 */
static bool equal_word(const char *text, const char *pattern)
{
	uint64_t a;
	uint64_t b;
	uint64_t cases;

	memcpy(&a, text, sizeof(a));
	memcpy(&b, pattern, sizeof(b));
	cases = b >> 1 & UINT64_C(0x2020202020202020);
	return (a | cases) == (b | cases);
}

static bool equal_name(const char *text, struct slice pattern)
{
	if (pattern.len < 8) {
		return slice_equal_nocase(slice_of(text, pattern.len), pattern);
	}
	for (size_t at = 0; at + 8 < pattern.len; at += 8) {
		if (!equal_word(text + at, pattern.ptr + at)) {
			return false;
		}
	}
	/* the last eight, some of them for the second time */
	return equal_word(text + pattern.len - 8, pattern.ptr + pattern.len - 8);
}

enum field_id field_identify(struct slice name)
{
	enum field_id id = name.len == 0 ? FIELD_OTHER : candidate(name);

	return id != FIELD_OTHER && equal_name(name.ptr, names[id]) ? id : FIELD_OTHER;
}

struct slice field_name(enum field_id id)
{
	return id == FIELD_OTHER ? SLICE("") : names[id];
}

enum field_id field_identify_underscored(struct slice name)
{
	char text[NAME_MAX_LEN];

	if (name.len == 0 || name.len > NAME_MAX_LEN || memchr(name.ptr, '_', name.len) == NULL) {
		return FIELD_OTHER;
	}
	for (size_t i = 0; i < name.len; i++) {
		text[i] = (char)(name.ptr[i] == '_' ? '-' : name.ptr[i]);
	}
	return field_identify(slice_of(text, name.len));
}

bool token_valid(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!tchar_valid(text.ptr[i])) {
			return false;
		}
	}
	return text.len > 0;
}

bool field_is_hop_by_hop(enum field_id id)
{
	switch (id) {
	case FIELD_CONNECTION:
	case FIELD_KEEP_ALIVE:
	case FIELD_PROXY_AUTHENTICATE:
	case FIELD_PROXY_AUTHENTICATION_INFO:
	case FIELD_PROXY_AUTHORIZATION:
	case FIELD_PROXY_CONNECTION:
	case FIELD_TE:
	case FIELD_TRANSFER_ENCODING:
	case FIELD_UPGRADE:
		return true;
	default:
		return false;
	}
}
