/*
 * Layer: base. One job: what the TLS connections of one kind have in common: whom to trust, what
 * certificate to show, which versions and ciphers. TLS 1.2 (RFC 5246) and 1.3 (RFC 8446) with the
 * ciphers of Mozilla's "intermediate" list; no compression, no renegotiation, no early data. The
 * one protocol spoken within is http/1.1 (ALPN, RFC 7301).
 *
 * A context never changes: files that did are read into a new one, and the old one goes with its
 * last connection. Counted references, so all threads share it.
 */
#ifndef SIGHTGLASS_BASE_TLS_CONTEXT_H
#define SIGHTGLASS_BASE_TLS_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */
struct tls_context;

/* Files are PEM; NULL or "" is none. Data is the same held in memory, and is used where it is not
 * empty; the file's name then only stands in messages. */
struct tls_settings {
	const char *ca_file;
	const char *certificate_file; /* one's own, then those between it and the CA */
	const char *key_file;
	struct slice ca_data;
	struct slice certificate_data;
	struct slice key_data;
	bool verify; /* a client's: whether it minds who the server is */
	/* What the operator calls the settings for CA, certificate and server's name, for messages;
	 * NULL is not told. Texts that outlive all. */
	const char *ca_setting;
	const char *certificate_setting;
	const char *name_setting;
};

#define TLS_SETTINGS_INIT ((struct tls_settings){.verify = true})

/*
 * For connections to servers, which are verified (RFC 5280, RFC 6125) against the CA of the
 * settings and no other, or where none is given against the system's (OpenSSL's folders, or
 * SSL_CERT_FILE and SSL_CERT_DIR of the environment). A certificate among the given ones is trusted
 * whether or not it signed itself. With a certificate and its key, servers that ask get it.
 *
 * `settings` are read within the call. The caller releases the context. NULL and ERR_SETTINGS where
 * a file cannot be used: each sentence names it. An expired certificate of one's own is refused,
 * for no peer would take it.
 */
struct tls_context *tls_context_create_client(const struct tls_settings *settings, struct err *err);
/*
 * For connections of clients. Certificate and key have to be there; what says whom to trust is not
 * used. Sessions are resumed by tickets, whose keys are the context's own. Otherwise as above.
 */
struct tls_context *tls_context_create_server(const struct tls_settings *settings, struct err *err);

/*
 * What is wrong with one's own certificate and with its key, each by itself, for messages that name
 * the setting; that the two do not belong together is said of the key. Both have to be given. What
 * is fine is left alone.
 */
void tls_context_check_identity(
	const struct tls_settings *settings, struct err *of_certificate, struct err *of_key);

/* Any thread. */
struct tls_context *tls_context_hold(struct tls_context *context);
/* Any thread. The last one frees; NULL is harmless. */
void tls_context_release(struct tls_context *context);

/* Wall-clock seconds since the epoch at which its own certificate (the first in the file) expires;
 * 0 where it has none. */
int64_t tls_context_not_after(const struct tls_context *context);
/* Whether they show the same certificate, or none. */
bool tls_context_same_certificate(const struct tls_context *a, const struct tls_context *b);

/* Which certificate of its source's it shows, counted by base/tls_source.h; 1 for the first. */
uint32_t tls_context_serial(const struct tls_context *context);
/* Before anybody else has the context. */
void tls_context_set_serial(struct tls_context *context, uint32_t serial);

enum {
	TLS_WORDS_SIZE = 160,
};

/* What messages call things that a connection fails by. */
struct tls_words {
	char trusted[TLS_WORDS_SIZE]; /* `the CA "/tls/ca.crt" (tls.ca)` */
	char shown[TLS_WORDS_SIZE]; /* `the client certificate "/tls/own.crt" (tls.certificate)` */
	const char *certificate_setting;
	const char *name_setting;
};

/* For base/tls.c: the caller borrows. */
struct ssl_ctx_st *tls_context_ssl(const struct tls_context *context);
const struct tls_words *tls_context_words(const struct tls_context *context);
bool tls_context_verifies(const struct tls_context *context);
/* No CA was given: it is the system's that count, which a connection takes from base/tls_trust.h.
 */
bool tls_context_trusts_system(const struct tls_context *context);

#endif
