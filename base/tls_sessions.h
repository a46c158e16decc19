/*
 * Layer: base. One job: the sessions that a client may resume with one server (RFC 8446 section
 * 2.2, RFC 5077): a few, the newest lent first. A ticket of TLS 1.3 is used once, so that
 * connections cannot be recognized by it; what has expired is dropped.
 *
 * A session that is resumed was verified when it began and is not verified again. So each
 * tls_sessions is for one context and one name, and forgets all where it is used with another.
 * Belongs to one thread.
 */
#ifndef SIGHTGLASS_BASE_TLS_SESSIONS_H
#define SIGHTGLASS_BASE_TLS_SESSIONS_H

#include <stdint.h>

#include "base/list.h"

struct ssl_ctx_st;     /* OpenSSL's SSL_CTX, */
struct ssl_session_st; /* SSL_SESSION */
struct ssl_st;         /* and SSL */

struct tls_sessions;

enum {
	TLS_SESSIONS_MAX = 8, /* kept; the oldest goes first */
};

/* A connection's part: where the sessions go that its server grants. Embedded in the connection. */
struct tls_session_taker {
	struct list node;
	struct tls_sessions *sessions; /* NULL where nobody keeps them */
};

/* Never NULL. The caller ends it with tls_sessions_destroy(). */
struct tls_sessions *tls_sessions_create(void);
/* Connections that took a session, or would bring one, may live on. NULL is harmless. */
void tls_sessions_destroy(struct tls_sessions *sessions);
unsigned tls_sessions_count(const struct tls_sessions *sessions);

/* --- for base/tls.c and base/tls_context.c */

/* `sessions` may be NULL. */
void tls_session_taker_init(struct tls_session_taker *taker, struct tls_sessions *sessions);
void tls_session_taker_fini(struct tls_session_taker *taker);
/*
 * A session to resume with the server of that name at that time, as a reference that the caller
 * frees; NULL where there is none.
 */
struct ssl_session_st *tls_sessions_lend(struct tls_sessions *sessions, struct ssl_ctx_st *context,
	const char *name, uint64_t now_wall_us);
/* OpenSSL's event: a server granted a session. The SSL's application data is its
 * tls_session_taker. */
int tls_sessions_on_new(struct ssl_st *ssl, struct ssl_session_st *session);

#endif
