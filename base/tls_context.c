/*
 * Layer: base. One job: see tls_context.h.
 */
#include "base/tls_context.h"

#include <stdatomic.h>
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/tls_pem.h"
#include "base/tls_sessions.h"
#include "base/tls_text.h"

/* Mozilla's "intermediate" configuration, version 5.7, whose order is the one that a client offers.
 * A server takes the first of its client's that it has: who has no instructions for AES says so by
 * its order. */
static const char tls12_ciphers[] =
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
	"ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
	"DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305";
static const char tls13_ciphers[] =
	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

/* RFC 7301 section 3.1: each name behind its length. */
static const unsigned char protocols[] = "\x08http/1.1";
enum {
	PROTOCOLS_LEN = sizeof(protocols) - 1,
};

struct tls_context {
	atomic_uint references;
	SSL_CTX *ssl;
	int64_t not_after_s;
	uint32_t serial;
	bool verifies;
	bool trusts_system; /* whom base/tls_trust.h knows */
	struct tls_words words;
};

struct tls_context *tls_context_hold(struct tls_context *context)
{
	atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
	return context;
}

void tls_context_release(struct tls_context *context)
{
	if (context == NULL ||
		atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) > 1) {
		return;
	}
	SSL_CTX_free(context->ssl);
	mem_free(context);
}

int64_t tls_context_not_after(const struct tls_context *context)
{
	return context->not_after_s;
}

bool tls_context_same_certificate(const struct tls_context *a, const struct tls_context *b)
{
	const X509 *first = SSL_CTX_get0_certificate(a->ssl);
	const X509 *second = SSL_CTX_get0_certificate(b->ssl);

	return first == NULL || second == NULL ? first == second : X509_cmp(first, second) == 0;
}

uint32_t tls_context_serial(const struct tls_context *context)
{
	return context->serial;
}

void tls_context_set_serial(struct tls_context *context, uint32_t serial)
{
	context->serial = serial;
}

struct ssl_ctx_st *tls_context_ssl(const struct tls_context *context)
{
	return context->ssl;
}

const struct tls_words *tls_context_words(const struct tls_context *context)
{
	return &context->words;
}

bool tls_context_verifies(const struct tls_context *context)
{
	return context->verifies;
}

bool tls_context_trusts_system(const struct tls_context *context)
{
	return context->trusts_system;
}

/* --- what all have in common */

/* Fails where the system's own policy (openssl.cnf, FIPS) leaves nothing of ours. */
static bool configure(SSL_CTX *ssl)
{
	char groups[] = "X25519:P-256:P-384"; /* OpenSSL's macro takes no constant */

	/* Whoever wants 1.3 alone says so in openssl.cnf; that is not taken back. */
	if (SSL_CTX_get_min_proto_version(ssl) < TLS1_2_VERSION &&
		SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) != 1) {
		return false;
	}
	(void)SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	/* An idle connection holds no record's buffers: 33 KiB less. */
	(void)SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
	return SSL_CTX_set_cipher_list(ssl, tls12_ciphers) == 1 &&
	       SSL_CTX_set_ciphersuites(ssl, tls13_ciphers) == 1 &&
	       SSL_CTX_set1_groups_list(ssl, groups) == 1;
}

static struct tls_context *create(const SSL_METHOD *method, struct err *err)
{
	struct tls_context *context = mem_zalloc(sizeof(*context));

	ERR_clear_error();
	atomic_init(&context->references, 1);
	context->ssl = SSL_CTX_new(method);
	if (context->ssl == NULL || !configure(context->ssl)) {
		err_set(err, ERR_SETTINGS, "OpenSSL cannot be set up for TLS 1.2 and 1.3: %s",
			tls_reason());
		tls_context_release(context);
		return NULL;
	}
	return context;
}

/* --- one's own certificate */

static enum err_code check_not_expired(
	const struct tls_pem *pem, const X509 *certificate, struct err *err)
{
	char name[TLS_PEM_NAME_SIZE];
	char when[TLS_TIME_SIZE];
	const ASN1_TIME *not_after = X509_get0_notAfter(certificate);

	if (tls_time_seconds(not_after) > (int64_t)(clock_wall_us() / 1000000)) {
		return ERR_NONE;
	}
	return err_set(err, ERR_SETTINGS, "%s expired at %s; give one that is valid",
		tls_pem_name(pem, name), tls_time_text(not_after, when));
}

/* Takes the certificates, the first of which is one's own. */
static enum err_code use_chain(struct tls_context *context, const struct tls_pem *pem,
	STACK_OF(X509) * chain, struct err *err)
{
	char name[TLS_PEM_NAME_SIZE];
	X509 *own = sk_X509_shift(chain);
	enum err_code code = check_not_expired(pem, own, err);

	if (code == ERR_NONE && (SSL_CTX_use_certificate(context->ssl, own) != 1 ||
					SSL_CTX_set1_chain(context->ssl, chain) != 1)) {
		code = err_set(err, ERR_SETTINGS, "%s cannot be used: %s", tls_pem_name(pem, name),
			tls_reason());
	}
	context->not_after_s = tls_time_seconds(X509_get0_notAfter(own));
	X509_free(own);
	sk_X509_pop_free(chain, X509_free);
	return code;
}

/* Takes the key, which is the certificate's where there is one. */
static enum err_code use_key(struct tls_context *context, const struct tls_pem *certificate,
	const struct tls_pem *pem, EVP_PKEY *key, struct err *err)
{
	char name[TLS_PEM_NAME_SIZE];
	char other[TLS_PEM_NAME_SIZE];
	const X509 *own = SSL_CTX_get0_certificate(context->ssl);
	enum err_code code = ERR_NONE;

	if (own != NULL && X509_check_private_key(own, key) != 1) {
		code = err_set(err, ERR_SETTINGS,
			"%s does not belong to %s, whose first certificate has to be its own",
			tls_pem_name(pem, name), tls_pem_name(certificate, other));
	} else if (SSL_CTX_use_PrivateKey(context->ssl, key) != 1) {
		code = err_set(err, ERR_SETTINGS, "%s cannot be used: %s", tls_pem_name(pem, name),
			tls_reason());
	}
	ERR_clear_error();
	EVP_PKEY_free(key);
	return code;
}

static struct tls_pem certificate_of(const struct tls_settings *settings)
{
	return (struct tls_pem){
		.what = "certificate",
		.file = settings->certificate_file,
		.data = settings->certificate_data,
	};
}

static struct tls_pem key_of(const struct tls_settings *settings)
{
	return (struct tls_pem){
		.what = "key", .file = settings->key_file, .data = settings->key_data};
}

static enum err_code load_certificate(
	struct tls_context *context, const struct tls_settings *settings, struct err *err)
{
	const struct tls_pem certificate = certificate_of(settings);
	STACK_OF(X509) *chain = tls_pem_certificates(&certificate, err);

	return chain == NULL ? ERR_SETTINGS : use_chain(context, &certificate, chain, err);
}

static enum err_code load_key(
	struct tls_context *context, const struct tls_settings *settings, struct err *err)
{
	const struct tls_pem certificate = certificate_of(settings);
	const struct tls_pem key = key_of(settings);
	EVP_PKEY *private = tls_pem_key(&key, err);

	return private == NULL ? ERR_SETTINGS : use_key(context, &certificate, &key, private, err);
}

static enum err_code load_identity(
	struct tls_context *context, const struct tls_settings *settings, struct err *err)
{
	const struct tls_pem certificate = certificate_of(settings);
	const struct tls_pem key = key_of(settings);
	enum err_code code;

	if (tls_pem_absent(&certificate) || tls_pem_absent(&key)) {
		return err_set(err, ERR_SETTINGS, "there is no %s; give certificate and key",
			tls_pem_absent(&certificate) ? "certificate" : "key");
	}
	code = load_certificate(context, settings, err);
	return code == ERR_NONE ? load_key(context, settings, err) : code;
}

void tls_context_check_identity(
	const struct tls_settings *settings, struct err *of_certificate, struct err *of_key)
{
	struct tls_context *context = create(TLS_server_method(), of_certificate);

	if (context != NULL) {
		(void)load_certificate(context, settings, of_certificate);
		(void)load_key(context, settings, of_key);
	}
	tls_context_release(context);
}

/* --- clients */

static enum err_code trust_given(SSL_CTX *ssl, const struct tls_pem *pem, struct err *err)
{
	char name[TLS_PEM_NAME_SIZE];
	STACK_OF(X509) *trusted = tls_pem_certificates(pem, err);
	X509_STORE *store = SSL_CTX_get_cert_store(ssl);
	bool added = true;

	if (trusted == NULL) {
		return ERR_SETTINGS;
	}
	for (int i = 0; i < sk_X509_num(trusted) && added; i++) {
		added = X509_STORE_add_cert(store, sk_X509_value(trusted, i)) == 1;
	}
	sk_X509_pop_free(trusted, X509_free);
	if (!added) {
		return err_set(err, ERR_SETTINGS, "%s cannot be used: %s", tls_pem_name(pem, name),
			tls_reason());
	}
	(void)X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ssl), X509_V_FLAG_PARTIAL_CHAIN);
	return ERR_NONE;
}

static struct tls_pem ca_of(const struct tls_settings *settings)
{
	return (struct tls_pem){.what = "CA", .file = settings->ca_file, .data = settings->ca_data};
}

static enum err_code load_trust(
	struct tls_context *context, const struct tls_settings *settings, struct err *err)
{
	const struct tls_pem ca = ca_of(settings);

	if (!tls_pem_absent(&ca)) {
		return trust_given(context->ssl, &ca, err);
	}
	context->trusts_system = settings->verify;
	return ERR_NONE;
}

static bool has_identity(const struct tls_settings *settings)
{
	return settings->certificate_data.len > 0 || settings->key_data.len > 0 ||
	       (settings->certificate_file != NULL && settings->certificate_file[0] != '\0') ||
	       (settings->key_file != NULL && settings->key_file[0] != '\0');
}

/* `the CA "/tls/ca.crt" (tls.ca)` */
static void name_pem(
	char out[static TLS_WORDS_SIZE], const struct tls_pem *pem, const char *setting)
{
	char name[TLS_PEM_NAME_SIZE];

	(void)snprintf(out, TLS_WORDS_SIZE, setting == NULL ? "%s" : "%s (%s)",
		tls_pem_name(pem, name), setting);
}

static void find_words(struct tls_words *words, const struct tls_settings *settings)
{
	const struct tls_pem ca = ca_of(settings);
	struct tls_pem own = certificate_of(settings);

	own.what = "client certificate";
	name_pem(words->shown, &own, settings->certificate_setting);
	if (tls_pem_absent(&ca)) {
		(void)snprintf(words->trusted, sizeof(words->trusted),
			"one of the system's CAs%s%s",
			settings->ca_setting == NULL ? "" : "; there is no ",
			settings->ca_setting == NULL ? "" : settings->ca_setting);
	} else {
		name_pem(words->trusted, &ca, settings->ca_setting);
	}
	words->certificate_setting = settings->certificate_setting;
	words->name_setting = settings->name_setting;
}

static enum err_code set_up_client(
	struct tls_context *context, const struct tls_settings *settings, struct err *err)
{
	SSL_CTX *ssl = context->ssl;
	enum err_code code = load_trust(context, settings, err);

	find_words(&context->words, settings);

	if (code == ERR_NONE && has_identity(settings)) {
		code = load_identity(context, settings, err);
	}
	context->verifies = settings->verify;
	/* OpenSSL hands sessions over and keeps none: a store for all threads would need a lock,
	 * and does not know which server a session is of. */
	(void)SSL_CTX_set_session_cache_mode(ssl,
		SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_NO_AUTO_CLEAR);
	SSL_CTX_sess_set_new_cb(ssl, tls_sessions_on_new);
	if (code == ERR_NONE && SSL_CTX_set_alpn_protos(ssl, protocols, PROTOCOLS_LEN) != 0) {
		code = err_set(err, ERR_SETTINGS, "ALPN cannot be set up: %s", tls_reason());
	}
	return code;
}

struct tls_context *tls_context_create_client(const struct tls_settings *settings, struct err *err)
{
	struct tls_context *context = create(TLS_client_method(), err);

	if (context != NULL && set_up_client(context, settings, err) != ERR_NONE) {
		tls_context_release(context);
		return NULL;
	}
	return context;
}

/* --- servers */

/* Asked of clients that offer protocols at all. */
static int on_protocols(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_len,
	const unsigned char *offered, unsigned offered_len, void *context)
{
	unsigned at = 0;

	(void)ssl;
	(void)context;
	while (at < offered_len) {
		unsigned size = 1U + offered[at];

		if (size == PROTOCOLS_LEN && size <= offered_len - at &&
			memcmp(offered + at, protocols, size) == 0) {
			*chosen = offered + at + 1;
			*chosen_len = offered[at];
			return SSL_TLSEXT_ERR_OK;
		}
		at += size;
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL; /* no_application_protocol */
}

struct tls_context *tls_context_create_server(const struct tls_settings *settings, struct err *err)
{
	static const unsigned char session_context[] = "sightglass";
	struct tls_context *context = create(TLS_server_method(), err);

	if (context == NULL) {
		return NULL;
	}
	if (load_identity(context, settings, err) != ERR_NONE) {
		tls_context_release(context);
		return NULL;
	}
	/* Tickets are kept by the clients; a store here would be memory that clients fill. */
	(void)SSL_CTX_set_session_cache_mode(context->ssl, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_session_id_context(
		context->ssl, session_context, sizeof(session_context) - 1);
	SSL_CTX_set_alpn_select_cb(context->ssl, on_protocols, NULL);
	return context;
}
