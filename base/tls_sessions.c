/*
 * Layer: base. One job: see tls_sessions.h.
 */
#include "base/tls_sessions.h"

#include <string.h>

#include <openssl/ssl.h>

#include "base/memory.h"

struct tls_sessions {
	struct list takers; /* connections that bring sessions */
	SSL_CTX *context;   /* the one of all sessions; held, so that no other gets its address */
	char *name;
	unsigned count;
	SSL_SESSION *kept[TLS_SESSIONS_MAX]; /* the oldest first */
};

struct tls_sessions *tls_sessions_create(void)
{
	struct tls_sessions *sessions = mem_zalloc(sizeof(*sessions));

	list_init(&sessions->takers);
	return sessions;
}

/* The session's reference is the caller's now. */
static SSL_SESSION *take_out(struct tls_sessions *sessions, unsigned index)
{
	SSL_SESSION *session = sessions->kept[index];

	sessions->count--;
	for (unsigned i = index; i < sessions->count; i++) {
		sessions->kept[i] = sessions->kept[i + 1];
	}
	return session;
}

static void forget_all(struct tls_sessions *sessions)
{
	while (sessions->count > 0) {
		SSL_SESSION_free(take_out(sessions, sessions->count - 1));
	}
	SSL_CTX_free(sessions->context);
	mem_free(sessions->name);
	sessions->context = NULL;
	sessions->name = NULL;
}

/* What a connection of an earlier context, or to another name, still brings is of no use. */
static void dismiss_takers(struct tls_sessions *sessions)
{
	list_each (node, after, &sessions->takers) {
		tls_session_taker_fini(container_of(node, struct tls_session_taker, node));
	}
}

void tls_sessions_destroy(struct tls_sessions *sessions)
{
	if (sessions != NULL) {
		dismiss_takers(sessions);
		forget_all(sessions);
		mem_free(sessions);
	}
}

unsigned tls_sessions_count(const struct tls_sessions *sessions)
{
	return sessions->count;
}

void tls_session_taker_init(struct tls_session_taker *taker, struct tls_sessions *sessions)
{
	taker->sessions = sessions;
	list_init(&taker->node);
	if (sessions != NULL) {
		list_push_back(&sessions->takers, &taker->node);
	}
}

void tls_session_taker_fini(struct tls_session_taker *taker)
{
	list_remove(&taker->node);
	taker->sessions = NULL;
}

static void bind_to(struct tls_sessions *sessions, SSL_CTX *context, const char *name)
{
	if (sessions->context == context && strcmp(sessions->name, name) == 0) {
		return;
	}
	dismiss_takers(sessions);
	forget_all(sessions);
	(void)SSL_CTX_up_ref(context);
	sessions->context = context;
	sessions->name = mem_strdup(name);
}

static bool usable(const SSL_SESSION *session, uint64_t now_wall_us)
{
	uint64_t now_s = now_wall_us / 1000000;
	uint64_t since_s = (uint64_t)SSL_SESSION_get_time(session);
	uint64_t limit_s = (uint64_t)SSL_SESSION_get_timeout(session);
	uint64_t granted_s = SSL_SESSION_get_ticket_lifetime_hint(session);

	if (granted_s != 0 && granted_s < limit_s) {
		limit_s = granted_s;
	}
	return SSL_SESSION_is_resumable(session) == 1 && now_s < since_s + limit_s;
}

SSL_SESSION *tls_sessions_lend(
	struct tls_sessions *sessions, SSL_CTX *context, const char *name, uint64_t now_wall_us)
{
	bind_to(sessions, context, name);
	for (unsigned i = sessions->count; i-- > 0;) {
		SSL_SESSION *session = sessions->kept[i];

		if (!usable(session, now_wall_us)) {
			SSL_SESSION_free(take_out(sessions, i));
		} else if (SSL_SESSION_get_protocol_version(session) == TLS1_3_VERSION) {
			return take_out(sessions, i);
		} else {
			(void)SSL_SESSION_up_ref(session);
			return session;
		}
	}
	return NULL;
}

int tls_sessions_on_new(SSL *ssl, SSL_SESSION *session)
{
	struct tls_session_taker *taker = SSL_get_app_data(ssl);
	struct tls_sessions *sessions = taker->sessions;

	if (sessions == NULL || SSL_SESSION_is_resumable(session) != 1) {
		return 0;
	}
	if (sessions->count == TLS_SESSIONS_MAX) {
		SSL_SESSION_free(take_out(sessions, 0));
	}
	sessions->kept[sessions->count++] = session;
	return 1; /* the reference is ours */
}
