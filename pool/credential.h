/*
 * Layer: pool (sees base). One job: a credential as a value: what goes into a request's field or
 * into the TLS handshake, until when, and a number that tells it from others. Immutable, counted
 * references, any thread; overwritten when the last one goes.
 */
#ifndef SIGHTGLASS_POOL_CREDENTIAL_H
#define SIGHTGLASS_POOL_CREDENTIAL_H

#include "base/slice.h"

enum credential_kind {
	CREDENTIAL_NONE,
	CREDENTIAL_BEARER,             /* Authorization: Bearer … (RFC 6750) */
	CREDENTIAL_HEADER,             /* a field of any name */
	CREDENTIAL_BASIC,              /* Authorization: Basic … (RFC 7617) */
	CREDENTIAL_CLIENT_CERTIFICATE, /* nothing in the request */
};

/* Keeps identities from telling anything outside the process. One for all credentials that are
 * compared. */
struct credential_key {
	unsigned char bytes[16];
};

/* What a credential is made of; each part may be empty where it is not named for the kind. */
struct credential_parts {
	enum credential_kind kind;
	struct slice field_name;  /* CREDENTIAL_HEADER */
	struct slice secret;      /* the token, the field's value, or user:password */
	struct slice certificate; /* PEM: with every kind, for the handshake */
	struct slice key;         /* PEM */
	uint64_t expires_s;       /* wall-clock seconds, 0 = unknown */
};

struct credential;

struct credential_key credential_key_make(void);

/*
 * Copies the parts. Texts that go into a field were checked (secret_check()). A bearer token that
 * is a JWT ends at its `exp`, and a certificate at its notAfter, if that is earlier than
 * `expires_s`. One reference, the caller's; NULL for CREDENTIAL_NONE alone.
 */
struct credential *credential_create(
	const struct credential_key *key, const struct credential_parts *parts);
/* NULL, which is no credential, is harmless here and below. Returns its argument. */
struct credential *credential_ref(struct credential *credential);
void credential_unref(struct credential *credential);

/* What these return lives as long as a reference is held. */
enum credential_kind credential_kind(const struct credential *credential);
/* "none", "bearer", "header", "basic", "client_certificate": as the inspector shows it. */
const char *credential_kind_name(const struct credential *credential);
/* Both empty where nothing goes into the request. */
struct slice credential_field_name(const struct credential *credential);
struct slice credential_field_value(const struct credential *credential);
/* PEM, NUL-terminated; both empty where none is presented. */
struct slice credential_certificate(const struct credential *credential);
struct slice credential_certificate_key(const struct credential *credential);
/* Wall-clock seconds since the epoch; 0: it does not end. */
uint64_t credential_expires_s(const struct credential *credential);
/* Equal for equal kind, field, value and certificate; 0 for none, and for nothing else. */
uint64_t credential_identity(const struct credential *credential);

/* The earlier of two ends, of which 0 is none. */
static inline uint64_t credential_earlier(uint64_t a_s, uint64_t b_s)
{
	return a_s == 0 || (b_s != 0 && b_s < a_s) ? b_s : a_s;
}

#endif
