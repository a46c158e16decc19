/*
 * Layer: http (sees base). One job: what a request asks for: the request target (RFC 9112
 * section 3.2) taken apart, its path in the normal form that prefixes are matched against. The
 * bytes that go upstream are never changed by it.
 */
#ifndef SIGHTGLASS_HTTP_TARGET_H
#define SIGHTGLASS_HTTP_TARGET_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "http/head.h"
#include "http/path.h"

struct target {
	bool asterisk;  /* OPTIONS *, also from an absolute form without path and query (RFC 9112
			   section 3.2.4) */
	bool has_query; /* there is a '?', perhaps with nothing behind it */
	struct slice scheme;    /* of the absolute form, else empty */
	struct slice authority; /* of the absolute form, else empty */
	struct slice path; /* byte for byte; begins with '/', or is "*"; "/" where the absolute form
			      has none */
	struct slice query;       /* without the '?'; empty where there is none */
	struct slice origin_form; /* path and query as they go upstream, byte for byte */
	struct slice normal;      /* the path in normal form (http/path.h); "/" for "*", so that the
				     root's route takes it */
};

/*
 * Takes head->target apart; `normal` is in the arena only where it differs from `path`. 0,
 * ERR_SYNTAX (neither origin nor absolute form nor OPTIONS *; fragment, space, control byte or byte
 * above 0x7E; userinfo), ERR_MISDIRECTED (an absolute target whose authority is not the Host,
 * compared without case and default port), ERR_METHOD (CONNECT), ERR_LIMIT (arena).
 */
enum err_code target_of_request(
	const struct head *head, struct arena *arena, struct target *target, struct err *err);

/*
 * Host: uri-host [ ":" port ] (RFC 9110 section 7.2): a name of unreserved and sub-delims bytes, an
 * IPv4 or a bracketed IPv6 address, a port of 1 to 65535.
 */
bool host_valid(struct slice host);
/* Takes a valid host apart: name without brackets, port as text (empty where there is none). */
void host_split(struct slice host, struct slice *name, struct slice *port);

#endif
