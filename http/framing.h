/*
 * Layer: http (sees base). One job: the one place that decides how long a message's body is and
 * whether the connection goes on after it (RFC 9112 section 6 and 9.3), and refuses what two
 * parsers could read in two ways.
 */
#ifndef SIGHTGLASS_HTTP_FRAMING_H
#define SIGHTGLASS_HTTP_FRAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "http/head.h"

enum framing_kind {
	FRAMING_NONE,    /* no body: the head ends the message */
	FRAMING_LENGTH,  /* Content-Length, above 0 */
	FRAMING_CHUNKED, /* HTTP/1.1 only */
	FRAMING_CLOSE,   /* answers: up to the end of the connection */
	FRAMING_TUNNEL,  /* 101 that was asked for: bytes without messages from here on */
};

struct framing {
	enum framing_kind kind;
	uint64_t length; /* of FRAMING_LENGTH */
	bool keep_alive; /* the sender lets the connection go on after this message */
	bool has_length; /* a Content-Length stood there (HEAD and 304 state one without a body) */
	/*
	 * Requests: Connection names Upgrade, and Upgrade is exactly one protocol, websocket, on a
	 * GET without a body in version 1.1.
	 */
	bool upgrade;
	bool expect_continue; /* requests, version 1.1: Expect: 100-continue */
};

/*
 * Request: exactly one valid Host in 1.1 (also required where 1.0 sends one: at most one, valid),
 * no Transfer-Encoding with Content-Length, none on 1.0, exactly `chunked` in one field line;
 * Content-Length digits only, once, fitting 63 bits. 0, or ERR_SYNTAX (400), ERR_CODING (501: a
 * transfer coding we do not know, alone or before chunked), ERR_METHOD (405: CONNECT),
 * ERR_HEADER_LIMIT (431: a Connection of more than 1 KiB).
 */
enum err_code framing_of_request(const struct head *head, struct framing *framing, struct err *err);

/*
 * Response to a request with `method`, which asked for an upgrade or not. The same rules; 1xx, 204
 * and 304 and answers to HEAD have no body; a 1xx or 204 that states a coding, or a length
 * above 0, is refused, and so is a 101 that was not asked for or does not switch to websocket. 0,
 * or ERR_UPSTREAM_SYNTAX.
 */
enum err_code framing_of_response(const struct head *head, enum method method, bool upgrade_asked,
	struct framing *framing, struct err *err);

#endif
