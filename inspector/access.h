/*
 * Layer: inspector (sees base, http). One job: who may look (INTERFACE section 4, "Who may look"):
 * a function of the request and the rules, without I/O.
 */
#ifndef SIGHTGLASS_INSPECTOR_ACCESS_H
#define SIGHTGLASS_INSPECTOR_ACCESS_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "http/head.h"
#include "inspector/settings.h"
#include "inspector/token.h"

struct access_rules {
	const struct string_list *allow_hosts;
	const struct string_list *allow_origins;
	struct token *token;
};

struct access_request {
	const struct head *head;
	const char *scheme;
	struct slice host;        /* the Host field; empty where there is none */
	bool local_listener;      /* it came over a loopback or unix listener */
	bool has_query_token;     /* "?token=" was given: */
	struct slice query_token; /* its value, decoded */
};

enum access {
	ACCESS_GRANTED,
	ACCESS_FOREIGN_HOST,   /* 403: the page that asks may be another site's (DNS rebinding) */
	ACCESS_TOKEN_MISSING,  /* 401 */
	ACCESS_TOKEN_WRONG,    /* 401 */
	ACCESS_FOREIGN_PAGE,   /* 403: a change that another site's page may have asked for */
	ACCESS_FOREIGN_READER, /* 403: another origin's page wants to read */
};

enum access access_check(const struct access_rules *rules, const struct access_request *request);

/* The request's Origin, where it is one whose pages may read (CORS); else empty. */
struct slice access_allowed_origin(const struct access_rules *rules, const struct head *head);

/*
 * Appends to `out` what of a field of the request that asks is not meant for us: all of it but the
 * inspector's own bearer token and cookies. For whoever sends the caller's credentials on.
 */
void access_strip(
	const struct access_rules *rules, enum field_id id, struct slice value, struct buffer *out);

/*
 * True for a field that says that the request was passed on: Forwarded, X-Forwarded-*, X-Real-IP,
 * Via, also with '_' for '-'.
 */
bool access_is_forwarding_field(struct slice name);

#endif
