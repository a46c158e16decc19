/*
 * Layer: base. One job: what OpenSSL reads from and writes to in the place of a socket: it reads
 * what a call lends it, and writes to the buffer that the call brings. So a connection at rest
 * holds no buffer, and nothing is copied but by OpenSSL itself.
 */
#ifndef SIGHTGLASS_BASE_TLS_BIO_H
#define SIGHTGLASS_BASE_TLS_BIO_H

#include <openssl/bio.h>

#include "base/buffer.h"
#include "base/slice.h"

/* Embedded in the connection. All zero between two calls. */
struct tls_bio {
	struct slice in;    /* what was not read yet; where it is empty, OpenSSL is told to wait */
	struct buffer *out; /* what is written is appended; must not be NULL then */
	bool starved;       /* the last read found nothing */
};

/*
 * A BIO over `ends`, which has to outlive it. NULL where OpenSSL has no memory; whoever takes it
 * frees it (SSL_set_bio does). Any thread.
 */
BIO *tls_bio_create(struct tls_bio *ends);

#endif
