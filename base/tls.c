/*
 * Layer: base. One job: see tls.h.
 *
 * What a call costs beyond the cryptography: OpenSSL's error queue is looked at only where
 * something failed, so it is not emptied before each call as SSL_get_error() would want; whether
 * more is wanted or the peer said farewell is known from what it read last and the alerts that
 * came. And SSL_read() is called once a record, without the further call that would only tell that
 * there is no more.
 */
#include "base/tls.h"

#include <assert.h>

#include <arpa/inet.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/tls_bio.h"
#include "base/tls_context.h"
#include "base/tls_failure.h"
#include "base/tls_sessions.h"
#include "base/tls_text.h"
#include "base/tls_trust.h"

enum {
	RECORD_HEADER_LEN = 5,
	RECORD_OVERHEAD = 64, /* header, type, nonce, tag: 29 bytes of the ciphers there are */
	RECORD_TYPE_MIN = 20, /* change_cipher_spec to application_data */
	RECORD_TYPE_MAX = 23,
};

struct tls {
	SSL *ssl;
	struct tls_context *context;
	struct tls_session_taker taker;
	struct tls_bio ends;
	struct tls_circumstances circumstances;
	char *host;          /* a client's: whom it wants to speak with */
	struct err *failure; /* the first one stays */
	bool heard;          /* something has come from the peer: */
	unsigned char first; /* this, before all else */
	bool closed;         /* close_notify has come */
	bool renegotiates;   /* the client of an established connection begins a handshake */
	uint8_t header_len;  /* of the next record's header, as far as it has come */
	unsigned char header[RECORD_HEADER_LEN];
	uint32_t record_len;  /* of the last record that began, with its header */
	uint32_t record_left; /* what of it has not come yet */
	bool resumed;
};

/* --- what OpenSSL tells */

static struct tls *of_ssl(const SSL *ssl)
{
	struct tls_session_taker *taker = SSL_get_app_data(ssl);

	return container_of(taker, struct tls, taker);
}

static struct err *failure_of(struct tls *tls)
{
	if (tls->failure == NULL) {
		tls->failure = mem_zalloc(sizeof(*tls->failure));
	}
	return tls->failure;
}

static void on_info(const SSL *ssl, int where, int value)
{
	struct tls *tls = of_ssl(ssl);

	if (where == SSL_CB_READ_ALERT) {
		tls->circumstances.alert = value & 0xff;
		tls->closed = tls->closed || tls->circumstances.alert == SSL_AD_CLOSE_NOTIFY;
	} else if (where == SSL_CB_HANDSHAKE_START && tls->circumstances.established) {
		/* In version 1.3 keys and tickets go by the same way. */
		tls->renegotiates = SSL_is_server(ssl) == 1 && SSL_version(ssl) < TLS1_3_VERSION;
	}
}

/* Only here are the chain and its fault at hand. */
static int on_verified(int good, X509_STORE_CTX *chain)
{
	if (good != 1) {
		const SSL *ssl =
			X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
		struct tls *tls = of_ssl(ssl);

		(void)tls_failure_of_certificate(
			failure_of(tls), chain, tls->host, tls_context_words(tls->context));
	}
	return good;
}

/* The server asks for a certificate. */
static int on_certificate_wanted(SSL *ssl, void *data)
{
	struct tls *tls = data;

	tls->circumstances.certificate_wanted = true;
	tls->circumstances.certificate_shown = SSL_get_certificate(ssl) != NULL;
	return 1;
}

/* --- opening and closing */

static struct tls *create(struct tls_context *context, struct err *err)
{
	struct tls *tls = mem_zalloc(sizeof(*tls));
	BIO *bio = NULL;

	tls->context = tls_context_hold(context);
	tls->circumstances.alert = -1;
	tls->circumstances.speaks_tls = true;
	tls_session_taker_init(&tls->taker, NULL);
	tls->ssl = SSL_new(tls_context_ssl(context));
	if (tls->ssl != NULL) {
		bio = tls_bio_create(&tls->ends);
	}
	if (bio == NULL) {
		err_set(err, ERR_TLS, "OpenSSL cannot make a connection: %s", tls_reason());
		tls_close(tls);
		return NULL;
	}
	SSL_set_bio(tls->ssl, bio, bio);
	(void)SSL_set_app_data(tls->ssl, &tls->taker);
	SSL_set_info_callback(tls->ssl, on_info);
	return tls;
}

struct tls *tls_open_server(struct tls_context *context, struct err *err)
{
	struct tls *tls = create(context, err);

	if (tls != NULL) {
		SSL_set_accept_state(tls->ssl);
	}
	return tls;
}

/* Without the brackets of an IPv6 address, and without the dot that ends an absolute name: in SNI
 * and certificates it does not stand. */
static char *plain_host(const char *host)
{
	size_t len = strlen(host);
	char *plain;

	if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	} else if (len >= 2 && host[len - 1] == '.') {
		len--;
	}
	plain = mem_alloc(len + 1);
	memcpy(plain, host, len);
	plain[len] = '\0';
	return plain;
}

/* Whom the certificate has to be for. (`host` is not changed; OpenSSL's macro takes no constant.)
 */
static bool expect_host(SSL *ssl, char *host, bool verify)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	unsigned char address[sizeof(struct in6_addr)];
	size_t address_len = 0;

	if (inet_pton(AF_INET, host, address) == 1) {
		address_len = sizeof(struct in_addr);
	} else if (inet_pton(AF_INET6, host, address) == 1) {
		address_len = sizeof(struct in6_addr);
	}
	X509_VERIFY_PARAM_set_hostflags(
		param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	SSL_set_verify(
		ssl, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, verify ? on_verified : NULL);
	if (address_len > 0) {
		return !verify || X509_VERIFY_PARAM_set1_ip(param, address, address_len) == 1;
	}
	return strlen(host) <= TLS_NAME_MAX && SSL_set_tlsext_host_name(ssl, host) == 1 &&
	       (!verify || X509_VERIFY_PARAM_set1_host(param, host, 0) == 1);
}

/* The system's CAs are shared: each connection has them by reference. */
static bool trust_system(SSL *ssl)
{
	X509_STORE *store = tls_trust_system();

	return store != NULL && SSL_set1_verify_cert_store(ssl, store) == 1;
}

static void resume(struct tls *tls, struct tls_sessions *sessions, uint64_t now_wall_us)
{
	SSL_SESSION *session;

	if (sessions == NULL) {
		return;
	}
	session =
		tls_sessions_lend(sessions, tls_context_ssl(tls->context), tls->host, now_wall_us);
	tls_session_taker_init(&tls->taker, sessions);
	if (session != NULL) {
		(void)SSL_set_session(tls->ssl, session);
		SSL_SESSION_free(session);
	}
}

/* Its context may have been made long ago. */
static enum err_code check_own_certificate(
	const struct tls_context *context, uint64_t now_wall_us, struct err *err)
{
	int64_t not_after_s = tls_context_not_after(context);
	char when[CLOCK_RFC3339_SIZE];

	if (not_after_s == 0 || not_after_s > (int64_t)(now_wall_us / 1000000)) {
		return ERR_NONE;
	}
	(void)clock_format_rfc3339((uint64_t)not_after_s * 1000000, when);
	return err_set(err, ERR_TLS, "%s expired at %.19sZ; give one that is valid",
		tls_context_words(context)->shown, when);
}

struct tls *tls_open_client(struct tls_context *context, const char *host,
	struct tls_sessions *sessions, uint64_t now_wall_us, struct err *err)
{
	struct tls *tls;

	if (check_own_certificate(context, now_wall_us, err) != ERR_NONE) {
		return NULL;
	}
	tls = create(context, err);
	if (tls == NULL) {
		return NULL;
	}
	tls->host = plain_host(host);
	SSL_set_connect_state(tls->ssl);
	SSL_set_cert_cb(tls->ssl, on_certificate_wanted, tls);
	if (!expect_host(tls->ssl, tls->host, tls_context_verifies(context))) {
		ERR_clear_error();
		err_set(err, ERR_TLS, "\"%.100s\" is no name or address of a server", host);
		tls_close(tls);
		return NULL;
	}
	if (tls_context_trusts_system(context) && !trust_system(tls->ssl)) {
		err_set(err, ERR_TLS, "the system's CAs cannot be read: %s", tls_reason());
		tls_close(tls);
		return NULL;
	}
	resume(tls, sessions, now_wall_us);
	return tls;
}

void tls_close(struct tls *tls)
{
	if (tls == NULL) {
		return;
	}
	tls_session_taker_fini(&tls->taker);
	if (tls->ssl != NULL && tls->failure == NULL) {
		/* OpenSSL spoils the session of a connection that ends without a close_notify (a
		 * rule of SSL 3); RFC 5246 section 7.2.1 and RFC 8446 do not. */
		SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	}
	SSL_free(tls->ssl);
	tls_context_release(tls->context);
	mem_free(tls->failure);
	mem_free(tls->host);
	mem_free(tls);
}

/* --- each call */

static void lend(struct tls *tls, struct slice in, struct buffer *out)
{
	tls->ends = (struct tls_bio){.in = in, .out = out};
}

static void take_back(struct tls *tls)
{
	tls->ends = (struct tls_bio){.out = NULL};
}

static enum err_code fail_again(const struct tls *tls, struct err *err)
{
	return err_set(err, tls->failure->code, "%s", tls->failure->text);
}

/* OpenSSL gave up. Where it is because of the peer's certificate, the sentence is there already. */
static enum err_code fail(struct tls *tls, struct err *err)
{
	if (tls->failure == NULL) {
		(void)tls_failure(
			failure_of(tls), &tls->circumstances, tls_context_words(tls->context));
	}
	ERR_clear_error();
	return fail_again(tls, err);
}

/* Whether OpenSSL stopped for want of bytes from the peer. (SSL_want() says so also where the
 * handshake met an alert.) */
static bool wants_more(const struct tls *tls)
{
	return tls->ends.starved;
}

static enum err_code shake_hands(struct tls *tls, struct err *err)
{
	ERR_clear_error(); /* what others left behind is no reason of ours */
	if (SSL_do_handshake(tls->ssl) == 1) {
		tls->circumstances.established = true;
		tls->resumed = SSL_session_reused(tls->ssl) == 1;
		return ERR_NONE;
	}
	return wants_more(tls) ? ERR_NONE : fail(tls, err);
}

enum err_code tls_start(struct tls *tls, struct buffer *reply, struct err *err)
{
	enum err_code code;

	if (tls->failure != NULL) {
		return fail_again(tls, err);
	}
	if (SSL_is_server(tls->ssl) == 1) {
		return ERR_NONE;
	}
	lend(tls, slice_of(NULL, 0), reply);
	code = shake_hands(tls, err);
	take_back(tls);
	return code;
}

/* The first byte of all tells whether the peer speaks TLS: it is a record's type. */
static void hear(struct tls *tls, struct slice in)
{
	if (!tls->heard && in.len > 0) {
		tls->first = (unsigned char)in.ptr[0];
		tls->heard = true;
		tls->circumstances.speaks_tls =
			tls->first >= RECORD_TYPE_MIN && tls->first <= RECORD_TYPE_MAX;
	}
}

/* Keeps where in a record the peer is. The lengths are a hint and no more: nothing is verified yet.
 */
static void follow_records(struct tls *tls, struct slice in)
{
	while (in.len > 0) {
		size_t part;

		if (tls->record_left > 0) {
			part = in.len < tls->record_left ? in.len : tls->record_left;
			tls->record_left -= (uint32_t)part;
		} else {
			part = 1;
			tls->header[tls->header_len++] = (unsigned char)in.ptr[0];
			if (tls->header_len == RECORD_HEADER_LEN) {
				tls->record_left = (uint32_t)tls->header[3] << 8 | tls->header[4];
				tls->record_len = tls->record_left + RECORD_HEADER_LEN;
				tls->header_len = 0;
			}
		}
		in = slice_of(in.ptr + part, in.len - part);
	}
}

size_t tls_read_size(const struct tls *tls, size_t room)
{
	size_t size = tls->record_left;

	if (tls->record_len == 0 || tls->record_len > room || size > room) {
		return room;
	}
	return size + (room - size) / tls->record_len * tls->record_len - tls->header_len;
}

static enum err_code read_text(
	struct tls *tls, char *out, size_t room, struct tls_received *got, struct err *err)
{
	size_t part;

	while (SSL_read_ex(tls->ssl, out + got->len, room - got->len, &part) == 1) {
		got->len += part;
		if (tls->ends.in.len == 0 && SSL_has_pending(tls->ssl) == 0) {
			return ERR_NONE;
		}
	}
	if (wants_more(tls) || tls->closed) {
		return ERR_NONE;
	}
	return fail(tls, err);
}

/*
 * A ticket, or a new key, has OpenSSL get ready to write as well: it takes a record's room, 16 KiB,
 * and keeps it until something is written. An upstream's connection rests just then, for its first
 * request has left before the tickets come. OpenSSL tells of neither. All text has been taken, as
 * must be; within a record this does nothing.
 */
static void let_go_of_buffers(struct tls *tls)
{
	(void)SSL_free_buffers(tls->ssl);
}

/*
 * A client that begins a second handshake is left as soon as it does, as nginx does. OpenSSL would
 * hear it out before it refuses, and keep the room for a greeting, which may have 128 KiB.
 */
static enum err_code refuse_second_handshake(struct tls *tls, struct err *err)
{
	(void)err_set(failure_of(tls), ERR_TLS,
		"the peer wants a second handshake (a renegotiation), which is not done");
	return fail(tls, err);
}

enum err_code tls_receive(struct tls *tls, struct slice in, char *out, size_t room,
	struct tls_received *got, struct buffer *reply, struct err *err)
{
	bool was_established = tls->circumstances.established;
	enum err_code code = ERR_NONE;

	assert(room >= tls_receive_room(in.len));
	*got = (struct tls_received){.closed = tls->closed};
	if (tls->failure != NULL) {
		return fail_again(tls, err);
	}
	if (tls->closed || in.len == 0) {
		return ERR_NONE; /* nothing that follows close_notify counts */
	}
	hear(tls, in);
	follow_records(tls, in);
	lend(tls, in, reply);
	if (!was_established) {
		code = shake_hands(tls, err);
	}
	if (code == ERR_NONE && tls->circumstances.established) {
		got->established = !was_established;
		code = read_text(tls, out, room, got, err);
		if (code == ERR_NONE) {
			let_go_of_buffers(tls);
		}
	}
	if (code == ERR_NONE && tls->renegotiates) {
		code = refuse_second_handshake(tls, err);
	}
	got->closed = tls->closed;
	take_back(tls);
	return code;
}

/* --- sending */

static bool encrypt(struct tls *tls, const char *text, size_t len)
{
	size_t written;

	return len == 0 || SSL_write_ex(tls->ssl, text, len, &written) == 1;
}

/*
 * Parts are joined in `joined` until a record is full. What is left of a part then goes from where
 * it is, as far as it fills records, and so does the last part where nothing stands before it.
 */
static bool encrypt_parts(struct tls *tls, const struct iovec *parts, unsigned count)
{
	char joined[TLS_RECORD_MAX];
	size_t filled = 0;

	for (unsigned i = 0; i < count; i++) {
		const char *from = parts[i].iov_base;
		size_t len = parts[i].iov_len;

		while (len > 0) {
			size_t part = i + 1 == count ? len : len - len % TLS_RECORD_MAX;

			if (filled == 0 && part > 0) {
				if (!encrypt(tls, from, part)) {
					return false;
				}
			} else {
				part = TLS_RECORD_MAX - filled;
				part = len < part ? len : part;
				memcpy(joined + filled, from, part);
				filled += part;
			}
			if (filled == TLS_RECORD_MAX) {
				if (!encrypt(tls, joined, filled)) {
					return false;
				}
				filled = 0;
			}
			from += part;
			len -= part;
		}
	}
	return encrypt(tls, joined, filled);
}

enum err_code tls_send(struct tls *tls, const struct iovec *parts, unsigned count,
	struct buffer *out, struct err *err)
{
	enum err_code code = ERR_NONE;
	size_t len = 0;

	if (tls->failure != NULL) {
		return fail_again(tls, err);
	}
	assert(tls->circumstances.established);
	for (unsigned i = 0; i < count; i++) {
		len += parts[i].iov_len;
	}
	(void)buffer_reserve(out, len + (len / TLS_RECORD_MAX + 2) * RECORD_OVERHEAD);
	lend(tls, slice_of(NULL, 0), out);
	if (!encrypt_parts(tls, parts, count)) {
		code = fail(tls, err);
	}
	take_back(tls);
	return code;
}

void tls_send_close(struct tls *tls, struct buffer *out)
{
	if (tls->failure != NULL || !tls->circumstances.established ||
		(SSL_get_shutdown(tls->ssl) & SSL_SENT_SHUTDOWN) != 0) {
		return;
	}
	lend(tls, slice_of(NULL, 0), out);
	(void)SSL_shutdown(tls->ssl);
	take_back(tls);
}

const struct err *tls_failure_of(const struct tls *tls)
{
	return tls->failure;
}

int tls_heard_instead(const struct tls *tls)
{
	return tls->circumstances.speaks_tls ? -1 : tls->first;
}

bool tls_established(const struct tls *tls)
{
	return tls->circumstances.established;
}

bool tls_closed(const struct tls *tls)
{
	return tls->closed;
}

bool tls_resumed(const struct tls *tls)
{
	return tls->resumed;
}

const char *tls_version_text(const struct tls *tls)
{
	return SSL_get_version(tls->ssl);
}
