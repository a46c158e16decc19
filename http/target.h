/*
 * Layer: http (sees base). One job: what a request asks for: the request target (RFC 9112
 * section 3.2) taken apart, its path in the normal form that prefixes are matched against, and
 * prefixes themselves. The bytes that go upstream are never changed by it.
 */
#ifndef SIGHTGLASS_HTTP_TARGET_H
#define SIGHTGLASS_HTTP_TARGET_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "http/head.h"

struct target {
	bool asterisk;          /* OPTIONS * */
	struct slice scheme;    /* of the absolute form, else empty */
	struct slice authority; /* of the absolute form, else empty */
	struct slice path;  /* byte for byte; begins with '/'; "/" where the absolute form has none;
			       "*" for the asterisk form */
	struct slice query; /* without the '?'; empty where there is none */
	bool has_query;     /* "?": there may be a '?' with nothing behind it */
	struct slice origin_form; /* path and query as they go upstream, byte for byte */
	struct slice normal;      /* the path without query: percent-encoded unreserved characters
				     decoded, other escapes in capitals, dot segments resolved, doubled
				     slashes folded */
};

/*
 * Takes head->target apart; `normal` is in the arena only where it differs from `path`. 0,
 * ERR_SYNTAX (neither origin nor absolute form nor OPTIONS *; fragment, space, control byte or byte
 * above 0x7E; userinfo), ERR_MISDIRECTED (an absolute target whose authority is not the Host,
 * compared without case and default port), ERR_METHOD (CONNECT), ERR_LIMIT (arena).
 */
enum err_code target_of_request(
	const struct head *head, struct arena *arena, struct target *target, struct err *err);

/* Host: uri-host [ ":" port ] (RFC 9110 section 7.2): a name of unreserved and sub-delims bytes, an
 * IPv4 or a bracketed IPv6 address, a port of 1 to 65535. */
bool host_valid(struct slice host);
/* Takes a valid host apart: name without brackets, port as text (empty where there is none). */
void host_split(struct slice host, struct slice *name, struct slice *port);

struct prefix {
	struct slice
		path; /* in normal form, without a trailing '/' (but "/" is ""), without the '*' */
	bool open;    /* ended in '*': covers any continuation, not whole segments only */
};

/* From a setting: must begin with '/'; `text` outlives the prefix or is copied by the caller.
 * `normalised` is memory of at least text.len bytes. False with a sentence in `err`. */
bool prefix_parse(struct slice text, char *normalised, struct prefix *prefix, struct err *err);
bool prefix_covers(const struct prefix *prefix, struct slice normal_path);

/* Puts `path` (no query) into normal form in `out`, which has room for path.len + 1 bytes; returns
 * the length. */
size_t path_normalise(struct slice path, char *out);

#endif
