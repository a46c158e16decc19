/*
 * Layer: http (sees base). One job: the names of fields that the program acts on, each with a small
 * number, so that a head is searched by number and never by comparing names. Also what a name or
 * value may hold.
 */
#ifndef SIGHTGLASS_HTTP_FIELD_H
#define SIGHTGLASS_HTTP_FIELD_H

#include <stdbool.h>

#include "base/slice.h"

enum field_id {
	FIELD_OTHER = 0,
	FIELD_ACCEPT,
	FIELD_ACCEPT_ENCODING,
	FIELD_ACCEPT_LANGUAGE,
	FIELD_AUTHORIZATION,
	FIELD_CACHE_CONTROL,
	FIELD_CONNECTION,
	FIELD_CONTENT_ENCODING,
	FIELD_CONTENT_LENGTH,
	FIELD_CONTENT_TYPE,
	FIELD_COOKIE,
	FIELD_DATE,
	FIELD_ETAG,
	FIELD_EXPECT,
	FIELD_FORWARDED,
	FIELD_HOST,
	FIELD_IF_NONE_MATCH,
	FIELD_KEEP_ALIVE,
	FIELD_LOCATION,
	FIELD_MAX_FORWARDS,
	FIELD_ORIGIN,
	FIELD_PROXY_AUTHENTICATE,
	FIELD_PROXY_AUTHENTICATION_INFO,
	FIELD_PROXY_AUTHORIZATION,
	FIELD_PROXY_CONNECTION,
	FIELD_RETRY_AFTER,
	FIELD_SEC_FETCH_SITE,
	FIELD_SEC_WEBSOCKET_KEY,
	FIELD_SERVER,
	FIELD_SET_COOKIE,
	FIELD_TE,
	FIELD_TRACEPARENT,
	FIELD_TRACESTATE,
	FIELD_TRAILER,
	FIELD_TRANSFER_ENCODING,
	FIELD_UPGRADE,
	FIELD_USER_AGENT,
	FIELD_VARY,
	FIELD_VIA,
	FIELD_X_API_KEY,
	FIELD_X_FORWARDED_FOR,
	FIELD_X_FORWARDED_HOST,
	FIELD_X_FORWARDED_PROTO,
	FIELD_X_REAL_IP,
	FIELD_X_REQUEST_ID,
	FIELD_IDS /* how many there are */
};

/* The number of a name, in any case; FIELD_OTHER for one that is not in the table. */
enum field_id field_identify(struct slice name);
/* The name as it is usually written; "" for FIELD_OTHER. */
struct slice field_name(enum field_id id);
/*
 * The number of the name that this one becomes when every '_' is read as '-', where it holds a '_'
 * at all: a spoofed X_Forwarded_For that a CGI-like server behind us would take for the real one.
 * FIELD_OTHER otherwise.
 */
enum field_id field_identify_underscored(struct slice name);
/* Whether it ends at the next hop: RFC 9110 section 7.6.1, and the credentials that were meant for
 * a proxy alone. */
bool field_is_hop_by_hop(enum field_id id);
/* RFC 9110 section 5.6.2: a token is one or more tchar. */
bool token_valid(struct slice text);
extern const bool field_tchars[256];
static inline bool tchar_valid(char c)
{
	return field_tchars[(unsigned char)c];
}

#endif
