/*
 * Layer: base. One job: certificates and keys out of PEM text, from a file or from memory. Strict:
 * what is there has to be whole, and what cannot be read is a sentence that names the file, never
 * passed over.
 */
#ifndef SIGHTGLASS_BASE_TLS_PEM_H
#define SIGHTGLASS_BASE_TLS_PEM_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "base/err.h"
#include "base/slice.h"

enum {
	TLS_PEM_MAX = 4 * 1024 * 1024, /* bytes of one file */
	TLS_PEM_NAME_SIZE = 128,       /* see tls_pem_name() */
};

struct tls_pem {
	const char *what;  /* "certificate", "CA", "key": a short word for the messages */
	const char *file;  /* or NULL */
	struct slice data; /* where it is not empty it is the text, and no file is read */
};

/* Neither a file nor data. */
bool tls_pem_absent(const struct tls_pem *pem);
/* What messages call it: `the key "/tls/tls.key"`; of a long path the end. */
const char *tls_pem_name(const struct tls_pem *pem, char out[static TLS_PEM_NAME_SIZE]);

/*
 * All certificates, in their order: at least one; the caller frees them by sk_X509_pop_free(). NULL
 * and ERR_SETTINGS where one of them, or the file, cannot be read.
 */
STACK_OF(X509) * tls_pem_certificates(const struct tls_pem *pem, struct err *err);
/* When the first of them expires, in wall-clock seconds since the epoch and never 0; 0 where none
 * can be read. */
uint64_t tls_pem_not_after(const struct tls_pem *pem);
/*
 * The first private key; the caller frees it. NULL and ERR_SETTINGS where there is none, or it is
 * encrypted: nobody is asked for a passphrase.
 */
EVP_PKEY *tls_pem_key(const struct tls_pem *pem, struct err *err);

#endif
