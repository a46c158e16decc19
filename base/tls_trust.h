/*
 * Layer: base. One job: the CAs that the system trusts, read once for the whole process: they are
 * some hundred and forty, which takes OpenSSL 30 ms and 2 MiB, too much for each context and for
 * the start. So a thread of their own can read them ahead of the first connection.
 *
 * Where they are is OpenSSL's to know (its folders, or SSL_CERT_FILE and SSL_CERT_DIR). What the
 * system trusts later counts after a restart.
 */
#ifndef SIGHTGLASS_BASE_TLS_TRUST_H
#define SIGHTGLASS_BASE_TLS_TRUST_H

struct x509_store_st; /* OpenSSL's X509_STORE */

/* Begins to read them on a thread that ends after that; once more is harmless. Any thread. */
void tls_trust_prepare(void);
/* Waits for that thread, if there is one: before the process ends. */
void tls_trust_settle(void);
/* Them, read now where they have not been; waits for whoever does. The caller borrows. NULL where
 * OpenSSL has no memory. Any thread. */
struct x509_store_st *tls_trust_system(void);

#endif
