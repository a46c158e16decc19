#include "tests/unit/tls_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/memory.h"

enum {
	DAY_S = 24 * 60 * 60,
	RECORD_HEADER = 5,
};

/* --- certificates */

static void path_of(
	const struct pki *pki, const char *file, const char *end, char *out, size_t size)
{
	assert_true(snprintf(out, size, "%s/%s%s", pki->directory, file, end) < (int)size);
}

static void add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(x509, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static void write_pem(const struct certificate *certificate)
{
	FILE *file = fopen(certificate->certificate_file, "w");

	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, certificate->x509), 1);
	(void)fclose(file);
	file = fopen(certificate->key_file, "w");
	assert_non_null(file);
	assert_int_equal(
		PEM_write_PrivateKey(file, certificate->key, NULL, NULL, 0, NULL, NULL), 1);
	(void)fclose(file);
}

struct certificate certificate_make(const struct pki *pki, const struct certificate_wish *wish)
{
	static long serial = 1;
	struct certificate made = {.key = EVP_EC_gen("P-256"), .x509 = X509_new()};
	X509 *x509 = made.x509;
	X509 *issuer = wish->issuer == NULL ? x509 : wish->issuer->x509;
	X509_NAME *name = X509_get_subject_name(x509);

	assert_non_null(made.key);
	(void)X509_set_version(x509, X509_VERSION_3);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
	(void)X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)wish->file, -1, -1, 0);
	(void)X509_set_issuer_name(x509, X509_get_subject_name(issuer));
	(void)X509_gmtime_adj(X509_getm_notBefore(x509), wish->valid_from_s);
	(void)X509_gmtime_adj(
		X509_getm_notAfter(x509), wish->valid_for_s == 0 ? DAY_S : wish->valid_for_s);
	(void)X509_set_pubkey(x509, made.key);
	add_extension(x509, issuer, NID_subject_key_identifier, "hash");
	add_extension(x509, issuer, NID_basic_constraints,
		wish->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (wish->names != NULL) {
		add_extension(x509, issuer, NID_subject_alt_name, wish->names);
	}
	assert_true(X509_sign(x509, wish->issuer == NULL ? made.key : wish->issuer->key,
			    EVP_sha256()) > 0);
	path_of(pki, wish->file, ".crt", made.certificate_file, sizeof(made.certificate_file));
	path_of(pki, wish->file, ".key", made.key_file, sizeof(made.key_file));
	write_pem(&made);
	return made;
}

void certificate_drop(struct certificate *certificate)
{
	EVP_PKEY_free(certificate->key);
	X509_free(certificate->x509);
}

void pki_create(struct pki *pki)
{
	(void)snprintf(pki->directory, sizeof(pki->directory), "/tmp/tls-XXXXXX");
	assert_non_null(mkdtemp(pki->directory));
	pki->ca = certificate_make(pki,
		&(struct certificate_wish){.file = "ca", .is_ca = true, .valid_from_s = -DAY_S});
	pki->other_ca = certificate_make(
		pki, &(struct certificate_wish){.file = "other-ca", .is_ca = true});
	pki->server = certificate_make(
		pki, &(struct certificate_wish){.file = "server",
			     .names = "DNS:localhost,DNS:*.example.test,IP:127.0.0.1,IP:::1",
			     .issuer = &pki->ca});
	pki->client = certificate_make(
		pki, &(struct certificate_wish){.file = "client", .issuer = &pki->ca});
	pki->expired = certificate_make(pki, &(struct certificate_wish){.file = "expired",
						     .names = "DNS:localhost",
						     .issuer = &pki->ca,
						     .valid_from_s = -2 * DAY_S,
						     .valid_for_s = -DAY_S});
}

void pki_destroy(struct pki *pki)
{
	DIR *directory = opendir(pki->directory);
	const struct dirent *entry;
	char path[sizeof(pki->directory) + sizeof(entry->d_name) + 1];

	assert_non_null(directory);
	while ((entry = readdir(directory)) != NULL) {
		(void)snprintf(path, sizeof(path), "%s/%s", pki->directory, entry->d_name);
		(void)unlink(path); /* fails on the directory's own entries */
	}
	(void)closedir(directory);
	(void)rmdir(pki->directory);
	certificate_drop(&pki->ca);
	certificate_drop(&pki->other_ca);
	certificate_drop(&pki->server);
	certificate_drop(&pki->client);
	certificate_drop(&pki->expired);
}

const char *pki_write(const struct pki *pki, const char *file, struct slice text)
{
	static char path[96];
	FILE *out;

	path_of(pki, file, "", path, sizeof(path));
	out = fopen(path, "w");
	assert_non_null(out);
	assert_int_equal(fwrite(text.ptr, 1, text.len, out), text.len);
	(void)fclose(out);
	return path;
}

struct buffer file_text(const char *path)
{
	struct buffer text = BUFFER_INIT;
	FILE *file = fopen(path, "r");
	size_t part;

	assert_non_null(file);
	do {
		part = fread(buffer_reserve(&text, 4096), 1, 4096, file);
		text.len += part;
	} while (part > 0);
	(void)fclose(file);
	return text;
}

struct tls_settings trusting(const struct certificate *ca)
{
	struct tls_settings settings = TLS_SETTINGS_INIT;

	settings.ca_file = ca->certificate_file;
	return settings;
}

struct tls_settings showing(const struct certificate *own)
{
	struct tls_settings settings = TLS_SETTINGS_INIT;

	settings.certificate_file = own->certificate_file;
	settings.key_file = own->key_file;
	return settings;
}

struct tls_context *client_context(const struct tls_settings *settings)
{
	struct err err = ERR_INIT;
	struct tls_context *context = tls_context_create_client(settings, &err);

	if (context == NULL) {
		fail_msg("%s", err.text);
	}
	return context;
}

struct tls_context *server_context(const struct certificate *own)
{
	struct err err = ERR_INIT;
	struct tls_settings settings = showing(own);
	struct tls_context *context = tls_context_create_server(&settings, &err);

	if (context == NULL) {
		fail_msg("%s", err.text);
	}
	return context;
}

void only_version(struct tls_context *context, int version)
{
	SSL_CTX *ssl = tls_context_ssl(context);

	assert_int_equal(SSL_CTX_set_min_proto_version(ssl, version), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(ssl, version), 1);
}

/* --- two engines */

/* Nothing may be kept in the errors' queue, where it would be taken for somebody else's. */
static void expect_no_errors_left(void)
{
	unsigned long error = ERR_peek_error();

	if (error != 0) {
		fail_msg("left in OpenSSL's queue: %s", ERR_error_string(error, NULL));
	}
}

static void note(struct tls_end *end, enum err_code code, const struct err *err)
{
	if (end->code == ERR_NONE && code != ERR_NONE) {
		end->code = code;
		end->err = *err;
	}
}

static void take_piece(struct tls_end *end, struct slice bytes)
{
	size_t room = tls_receive_room(bytes.len);
	char *copy = mem_alloc(bytes.len); /* so that reading past it is noticed */
	char *out = mem_alloc(room);
	struct tls_received got;
	struct err err = ERR_INIT;

	memcpy(copy, bytes.ptr, bytes.len);
	note(end,
		tls_receive(end->tls, slice_of(copy, bytes.len), out, room, &got, &end->sent, &err),
		&err);
	expect_no_errors_left();
	assert_true(got.len <= room);
	buffer_append(&end->text, out, got.len);
	end->established += got.established;
	end->closed = got.closed;
	mem_free(copy);
	mem_free(out);
}

void end_takes(struct tls_end *end, struct slice bytes, size_t piece)
{
	while (bytes.len > 0) {
		size_t part = piece == 0 || piece > bytes.len ? bytes.len : piece;

		take_piece(end, slice_of(bytes.ptr, part));
		bytes = slice_of(bytes.ptr + part, bytes.len - part);
	}
}

static bool hand_over(struct tls_end *from, struct tls_end *to, size_t piece)
{
	struct buffer sent = from->sent;
	bool any = sent.len > 0;

	from->sent = BUFFER_INIT;
	end_takes(to, buffer_slice(&sent), piece);
	buffer_fini(&sent);
	return any;
}

void pair_talk(struct tls_pair *pair)
{
	bool any;

	do {
		any = hand_over(&pair->client, &pair->server, pair->piece);
		any = hand_over(&pair->server, &pair->client, pair->piece) || any;
	} while (any);
}

void pair_open(struct tls_pair *pair, struct tls_context *client, struct tls_context *server,
	const char *host, struct tls_sessions *sessions)
{
	struct err err = ERR_INIT;

	pair->client.tls = tls_open_client(client, host, sessions, TLS_NOW_US, &err);
	if (pair->client.tls == NULL) {
		fail_msg("%s", err.text);
	}
	pair->server.tls = tls_open_server(server, &err);
	assert_non_null(pair->server.tls);
	assert_int_equal(tls_start(pair->client.tls, &pair->client.sent, &err), ERR_NONE);
	assert_true(pair->client.sent.len > 0);
	assert_int_equal(tls_start(pair->server.tls, &pair->server.sent, &err), ERR_NONE);
	assert_int_equal(pair->server.sent.len, 0);
}

static void expect_fine(const struct tls_end *end)
{
	if (end->code != ERR_NONE) {
		fail_msg("%s", end->err.text);
	}
	assert_true(tls_established(end->tls));
	assert_int_equal(end->established, 1);
}

void pair_connect(struct tls_pair *pair, struct tls_context *client, struct tls_context *server,
	const char *host, struct tls_sessions *sessions)
{
	pair_open(pair, client, server, host, sessions);
	pair_talk(pair);
	expect_fine(&pair->client);
	expect_fine(&pair->server);
}

static void end_close(struct tls_end *end)
{
	tls_close(end->tls);
	buffer_fini(&end->sent);
	buffer_fini(&end->text);
	*end = (struct tls_end){.tls = NULL};
}

void pair_close(struct tls_pair *pair)
{
	end_close(&pair->client);
	end_close(&pair->server);
}

void end_says(struct tls_end *end, const char *text)
{
	union { /* an iovec's bytes are not const, but sending leaves them alone */
		const char *from;
		void *base;
	} bytes = {.from = text};
	const struct iovec part = {.iov_base = bytes.base, .iov_len = strlen(text)};
	struct err err = ERR_INIT;

	note(end, tls_send(end->tls, &part, 1, &end->sent, &err), &err);
	expect_no_errors_left();
}

void expect_text(const struct tls_end *end, const char *text)
{
	if (end->code != ERR_NONE) {
		fail_msg("%s", end->err.text);
	}
	assert_int_equal(end->text.len, strlen(text));
	assert_memory_equal(end->text.ptr, text, strlen(text));
}

void expect_err(const struct err *err, const char *part)
{
	if (strstr(err->text, part) == NULL) {
		fail_msg("\"%s\" is not in \"%s\"", part, err->text);
	}
}

void expect_failure(const struct tls_end *end, const char *part)
{
	assert_int_equal(end->code, ERR_TLS);
	expect_err(&end->err, part);
}

size_t records_in(const struct buffer *bytes)
{
	size_t at = 0;
	size_t count = 0;

	while (at < bytes->len) {
		const unsigned char *header = (const unsigned char *)bytes->ptr + at;

		assert_true(bytes->len - at >= RECORD_HEADER);
		at += RECORD_HEADER + ((size_t)header[3] << 8) + header[4];
		count++;
	}
	assert_int_equal(at, bytes->len);
	return count;
}

/* --- OpenSSL itself */

SSL *plain_create(SSL_CTX *context, bool server)
{
	SSL *plain = SSL_new(context);

	assert_non_null(plain);
	SSL_set_bio(plain, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	if (server) {
		SSL_set_accept_state(plain);
	} else {
		SSL_set_connect_state(plain);
	}
	return plain;
}

void plain_talk(SSL *plain, struct tls_end *end)
{
	bool any;

	do {
		char *bytes;
		char text[4096];
		long len;

		(void)SSL_read(plain, text, sizeof(text)); /* shakes hands, too */
		ERR_clear_error();
		len = BIO_get_mem_data(SSL_get_wbio(plain), &bytes);
		any = len > 0 || end->sent.len > 0;
		end_takes(end, slice_of(bytes, (size_t)len), 0);
		(void)BIO_reset(SSL_get_wbio(plain));
		if (end->sent.len > 0) {
			(void)BIO_write(SSL_get_rbio(plain), end->sent.ptr, (int)end->sent.len);
			buffer_clear(&end->sent);
		}
	} while (any);
}
