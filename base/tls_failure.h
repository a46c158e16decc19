/*
 * Layer: base. One job: why a TLS connection failed, as a sentence: from OpenSSL's errors, the
 * peer's alert (RFC 8446 section 6) or the verification of its certificate. What a certificate says
 * of itself comes from the peer: all but printable ASCII is shown as '?'.
 */
#ifndef SIGHTGLASS_BASE_TLS_FAILURE_H
#define SIGHTGLASS_BASE_TLS_FAILURE_H

#include <stdbool.h>

#include <openssl/x509_vfy.h>

#include "base/err.h"

struct tls_words;

struct tls_circumstances {
	int alert;               /* the peer's last, or -1 */
	bool established;        /* the handshake was over */
	bool certificate_wanted; /* the peer asked for a certificate, */
	bool certificate_shown;  /* and has got ours */
	bool speaks_tls; /* what came from the peer began like a TLS record, or nothing came */
};

/*
 * From OpenSSL's latest error on this thread; all of them are forgotten then. Returns ERR_TLS.
 */
enum err_code tls_failure(struct err *err, const struct tls_circumstances *circumstances,
	const struct tls_words *words);

/* `chain` is under verification and was found to be bad; `host` is who should have been there.
 * Returns ERR_TLS. */
enum err_code tls_failure_of_certificate(
	struct err *err, X509_STORE_CTX *chain, const char *host, const struct tls_words *words);

#endif
