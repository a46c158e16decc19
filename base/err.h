/*
 * Layer: base. One job: what went wrong: a code for the program and a sentence for the operator,
 * carried from where it happened to the answer, the log and the record, so that all three say the
 * same words.
 */
#ifndef SIGHTGLASS_BASE_ERR_H
#define SIGHTGLASS_BASE_ERR_H

#include <stddef.h>

enum err_code {
	ERR_NONE = 0,
	/* a message that breaks the rules, or a bound */
	ERR_SYNTAX,          /* malformed or ambiguous: 400 of a request, 502 of an answer */
	ERR_LIMIT,           /* a bound of ours is reached: 431, 413 or 503, by where it happened */
	ERR_TARGET_TOO_LONG, /* 414 */
	ERR_HEADER_LIMIT,    /* 431 */
	ERR_BODY_LIMIT,      /* 413 */
	ERR_METHOD,          /* 405: CONNECT */
	ERR_MISDIRECTED,     /* 421: an absolute target whose authority is not the Host */
	ERR_CODING,          /* 501: an unknown transfer coding */
	ERR_VERSION,         /* 505: neither HTTP/1.0 nor HTTP/1.1 */
	ERR_NOT_FOUND,       /* 404: a listener that serves something else */
	ERR_HEADER_TIMEOUT,  /* 408 */
	ERR_BODY_TIMEOUT,    /* 408 */
	ERR_SEND_TIMEOUT,    /* the client took nothing of its answer: its connection is reset */
	ERR_CLIENT_GONE,     /* the client left before its answer was whole */
	/* upstreams */
	ERR_RESOLVE,            /* 502: the name has no address */
	ERR_CONNECT,            /* 502: refused, unreachable, no such socket */
	ERR_TLS,                /* 502: no secure connection came about, or it broke */
	ERR_UPSTREAM_RESET,     /* 502: reset, or closed, before or within its answer */
	ERR_UPSTREAM_SYNTAX,    /* 502: an answer that breaks the rules */
	ERR_CONNECT_TIMEOUT,    /* 504 */
	ERR_FIRST_BYTE_TIMEOUT, /* 504 */
	ERR_IDLE_TIMEOUT,       /* 504 */
	ERR_TOTAL_TIMEOUT,      /* 504 */
	ERR_QUEUE_FULL,         /* 503 */
	ERR_QUEUE_TIMEOUT,      /* 503 */
	ERR_BREAKER_OPEN,       /* 503: the upstream is left alone for a while */
	ERR_CONNECTIONS,        /* 503: limits.connections */
	ERR_DRAINING,           /* 503 */
	ERR_CREDENTIAL,         /* 502: there is no credential that is still good */
	ERR_NO_UPSTREAM,        /* 502: no route leads anywhere */
	/* the program's own */
	ERR_SYSTEM,   /* a system call failed */
	ERR_SETTINGS, /* exit 2 */
	ERR_INTERNAL,
	ERR_CODES /* how many there are */
};

struct err {
	enum err_code code;
	char text[360]; /* one sentence without a full stop; cut where it does not fit */
};

#define ERR_INIT ((struct err){.code = ERR_NONE})

/*
 * Sets code and text (printf-like); returns `code`, so that a failing function can `return
 * err_set(…)`. `err` may be NULL.
 */
enum err_code err_set(struct err *err, enum err_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Puts "prefix: " before the text. */
void err_prefix(struct err *err, const char *prefix);

#endif
