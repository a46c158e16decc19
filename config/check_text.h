/*
 * Layer: config. One job: what a text among the settings may say. Each function gives 0, or
 * ERR_SETTINGS and a sentence that says what is wrong and what would be right.
 */
#ifndef SIGHTGLASS_CONFIG_CHECK_TEXT_H
#define SIGHTGLASS_CONFIG_CHECK_TEXT_H

#include "base/err.h"
#include "base/slice.h"

/* A file to read: any path that is not empty. */
enum err_code check_file(struct slice text, struct err *err);
/* An upstream's name: it stands in messages, records and labels. */
enum err_code check_upstream_name(struct slice text, struct err *err);
/* An upstream's URL, of a scheme that this version has. */
enum err_code check_upstream_url(struct slice text, struct err *err);
/* A route's prefix, with or without a '*' at its end. */
enum err_code check_route_prefix(struct slice text, struct err *err);
/* The path below which the inspector answers: in normal form, not the root. */
enum err_code check_inspector_prefix(struct slice text, struct err *err);
/* The field that carries the request ID: not one that means something else. */
enum err_code check_request_id_header(struct slice text, struct err *err);
/* A field whose value is redacted; may end in '*'. */
enum err_code check_credential_header(struct slice text, struct err *err);
enum err_code check_redacted_header(struct slice text, struct err *err);
/* A query parameter whose value is redacted. */
enum err_code check_redacted_query(struct slice text, struct err *err);
/* A member of JSON, a form field or a key of a body whose value is redacted. */
enum err_code check_redacted_member(struct slice text, struct err *err);
/* A value of Host. */
enum err_code check_host(struct slice text, struct err *err);
/* A web page's origin, as browsers write it (RFC 6454 section 6.2). */
enum err_code check_origin(struct slice text, struct err *err);
/* The same, or "self". */
enum err_code check_frame_ancestor(struct slice text, struct err *err);
/* The name or address of a TLS server. */
enum err_code check_server_name(struct slice text, struct err *err);
/* A bearer token as RFC 6750 section 2.1 writes it. The text is never in the sentence. */
enum err_code check_token(struct slice text, struct err *err);
/* What trusted_proxies may name. */
enum err_code check_network(struct slice text, struct err *err);

#endif
