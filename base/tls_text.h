/*
 * Layer: base. One job: what OpenSSL says, and the times in certificates, as text for messages.
 */
#ifndef SIGHTGLASS_BASE_TLS_TEXT_H
#define SIGHTGLASS_BASE_TLS_TEXT_H

#include <stdint.h>

#include <openssl/asn1.h>

enum {
	TLS_TIME_SIZE = 32, /* "2026-03-12T10:42:25Z", or that there is none */
};

/* OpenSSL's words for the latest of its errors on this thread, all of which it then forgets. */
const char *tls_reason(void);

/* Wall-clock seconds since the epoch; INT64_MAX of what is no time. */
int64_t tls_time_seconds(const ASN1_TIME *time);
/* RFC 3339, UTC. */
const char *tls_time_text(const ASN1_TIME *time, char out[static TLS_TIME_SIZE]);

#endif
