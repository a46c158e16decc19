/*
 * For the unit tests of TLS. One job: certificates made on the spot, in a directory that goes with
 * the test, and two engines that talk in memory.
 */
#ifndef SIGHTGLASS_TESTS_TLS_FIXTURE_H
#define SIGHTGLASS_TESTS_TLS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/tls.h"
#include "base/tls_context.h"
#include "base/tls_sessions.h"

/* OpenSSL stamps sessions and certificates with the time of day, so the tests go by it, too. */
#define TLS_NOW_US clock_wall_us()

/* --- certificates */

struct certificate {
	EVP_PKEY *key;
	X509 *x509;
	char certificate_file[96];
	char key_file[96];
};

struct certificate_wish {
	const char *file;  /* its files are FILE.crt and FILE.key */
	const char *names; /* a subjectAltName as OpenSSL's configuration has it, or NULL */
	const struct certificate *issuer; /* NULL: signs itself */
	bool is_ca;
	long valid_from_s; /* from now */
	long valid_for_s;  /* from now; 0 = a day */
};

struct pki {
	char directory[48];
	struct certificate ca;
	struct certificate other_ca;
	struct certificate server; /* for localhost, *.example.test, 127.0.0.1 and ::1 */
	struct certificate client;
	struct certificate expired; /* for localhost */
};

void pki_create(struct pki *pki);
void pki_destroy(struct pki *pki);
struct certificate certificate_make(const struct pki *pki, const struct certificate_wish *wish);
void certificate_drop(struct certificate *certificate);
/* Writes a file of the directory; the path is valid until the next call. */
const char *pki_write(const struct pki *pki, const char *file, struct slice text);
struct buffer file_text(const char *path);

struct tls_settings trusting(const struct certificate *ca);
struct tls_settings showing(const struct certificate *own);
/* The test fails where there is an error. */
struct tls_context *client_context(const struct tls_settings *settings);
struct tls_context *server_context(const struct certificate *own);
void only_version(struct tls_context *context, int version);

/* --- two engines */

struct tls_end {
	struct tls *tls;
	struct buffer sent; /* records on their way to the other end */
	struct buffer text; /* that came */
	unsigned established;
	bool closed;
	enum err_code code; /* of the first call that failed */
	struct err err;
};

struct tls_pair {
	struct tls_end client;
	struct tls_end server;
	size_t piece; /* so many bytes are handed over at once; 0 = all */
};

void pair_open(struct tls_pair *pair, struct tls_context *client, struct tls_context *server,
	const char *host, struct tls_sessions *sessions);
/* Hands over what was sent until nothing is left to hand over. */
void pair_talk(struct tls_pair *pair);
/* Opens and talks; both ends are established then. */
void pair_connect(struct tls_pair *pair, struct tls_context *client, struct tls_context *server,
	const char *host, struct tls_sessions *sessions);
void pair_close(struct tls_pair *pair);

void end_takes(struct tls_end *end, struct slice bytes, size_t piece);
void end_says(struct tls_end *end, const char *text);
void expect_text(const struct tls_end *end, const char *text);
void expect_failure(const struct tls_end *end, const char *part);
void expect_err(const struct err *err, const char *part);
/* How many TLS records there are, all of them whole. */
size_t records_in(const struct buffer *bytes);

/* --- OpenSSL itself as the peer, for what our own end never does */

SSL *plain_create(SSL_CTX *context, bool server);
/* Hands over between both until nothing is left. `code` of the engine stays as it was where nothing
 * fails. */
void plain_talk(SSL *plain, struct tls_end *end);

#endif
