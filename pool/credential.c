/*
 * Layer: pool. One job: see credential.h. All texts of a credential stand in one allocation behind
 * it, each with a NUL, so that they are hashed and overwritten as one.
 */
#include "pool/credential.h"

#include <assert.h>
#include <stdatomic.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/base64.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/tls_pem.h"
#include "pool/jwt_expiry.h"

enum {
	DIGEST_SIZE = 32,
};

struct credential {
	atomic_uint references;
	enum credential_kind kind;
	uint64_t identity;
	uint64_t expires_s;
	struct slice field_name; /* these four lie in `bytes` */
	struct slice value;
	struct slice certificate;
	struct slice key;
	size_t size;
	char bytes[]; /* the kind, then the four texts */
};

static const struct slice authorization = SLICE_INIT("Authorization");
static const struct slice bearer = SLICE_INIT("Bearer ");
static const struct slice basic = SLICE_INIT("Basic ");

struct credential_key credential_key_make(void)
{
	struct credential_key key;

	random_bytes(key.bytes, sizeof(key.bytes));
	return key;
}

/* Puts `first` and `second` as one text at `*at`, which goes behind its NUL. */
static struct slice put(char **at, struct slice first, struct slice second)
{
	struct slice text = slice_of(*at, first.len + second.len);

	if (first.len > 0) { /* memcpy from NULL is undefined even for no bytes */
		memcpy(*at, first.ptr, first.len);
	}
	if (second.len > 0) {
		memcpy(*at + first.len, second.ptr, second.len);
	}
	*at += text.len + 1;
	return text;
}

/* SHA-256 keyed by `key`, cut: two of a process's few credentials do not meet in 64 bits. */
static uint64_t identity_of(const struct credential *credential, const struct credential_key *key)
{
	unsigned char digest[DIGEST_SIZE];
	unsigned size = 0;
	uint64_t identity;
	const unsigned char *done = HMAC(EVP_sha256(), key->bytes, sizeof(key->bytes),
		(const unsigned char *)credential->bytes, credential->size, digest, &size);

	assert(done != NULL && size == DIGEST_SIZE); /* fails for want of memory only */
	memcpy(&identity, digest, sizeof(identity));
	return identity == 0 ? 1 : identity;
}

/* Its certificate's word on its end: that of what a plugin said beside it may be later, or none. */
static uint64_t certificate_expiry(struct slice certificate)
{
	const struct tls_pem pem = {.what = "certificate", .data = certificate};

	return tls_pem_absent(&pem) ? 0 : tls_pem_not_after(&pem);
}

static struct credential *create(const struct credential_key *key,
	const struct credential_parts *parts, struct slice field_name, struct slice scheme,
	struct slice secret)
{
	size_t size = 1 + field_name.len + 1 + scheme.len + secret.len + 1 +
		      parts->certificate.len + 1 + parts->key.len + 1;
	struct credential *self = mem_zalloc(sizeof(*self) + size);
	char *at = self->bytes;

	atomic_init(&self->references, 1);
	self->kind = parts->kind;
	self->size = size;
	self->expires_s =
		credential_earlier(parts->expires_s, certificate_expiry(parts->certificate));
	*at++ = (char)parts->kind;
	self->field_name = put(&at, field_name, SLICE(""));
	self->value = put(&at, scheme, secret);
	self->certificate = put(&at, parts->certificate, SLICE(""));
	self->key = put(&at, parts->key, SLICE(""));
	assert(at == self->bytes + size);
	self->identity = identity_of(self, key);
	return self;
}

struct credential *credential_create(
	const struct credential_key *key, const struct credential_parts *parts)
{
	struct credential *self = NULL;
	struct secret encoded;

	switch (parts->kind) {
	case CREDENTIAL_BEARER:
		self = create(key, parts, authorization, bearer, parts->secret);
		self->expires_s = credential_earlier(self->expires_s, jwt_expiry(parts->secret));
		break;
	case CREDENTIAL_BASIC:
		base64_encode(parts->secret, &encoded);
		self = create(key, parts, authorization, basic, secret_slice(&encoded));
		secret_fini(&encoded);
		break;
	case CREDENTIAL_HEADER:
		assert(parts->field_name.len > 0);
		self = create(key, parts, parts->field_name, SLICE(""), parts->secret);
		break;
	case CREDENTIAL_CLIENT_CERTIFICATE:
		assert(parts->certificate.len > 0);
		self = create(key, parts, SLICE(""), SLICE(""), SLICE(""));
		break;
	case CREDENTIAL_NONE:
		break;
	}
	return self;
}

struct credential *credential_ref(struct credential *credential)
{
	if (credential != NULL) {
		atomic_fetch_add_explicit(&credential->references, 1, memory_order_relaxed);
	}
	return credential;
}

void credential_unref(struct credential *credential)
{
	if (credential != NULL &&
		atomic_fetch_sub_explicit(&credential->references, 1, memory_order_acq_rel) == 1) {
		mem_wipe(credential, sizeof(*credential) + credential->size);
		mem_free(credential);
	}
}

enum credential_kind credential_kind(const struct credential *credential)
{
	return credential == NULL ? CREDENTIAL_NONE : credential->kind;
}

const char *credential_kind_name(const struct credential *credential)
{
	static const char *const names[] = {
		[CREDENTIAL_NONE] = "none",
		[CREDENTIAL_BEARER] = "bearer",
		[CREDENTIAL_HEADER] = "header",
		[CREDENTIAL_BASIC] = "basic",
		[CREDENTIAL_CLIENT_CERTIFICATE] = "client_certificate",
	};

	return names[credential_kind(credential)];
}

struct slice credential_field_name(const struct credential *credential)
{
	return credential == NULL ? SLICE("") : credential->field_name;
}

struct slice credential_field_value(const struct credential *credential)
{
	return credential == NULL ? SLICE("") : credential->value;
}

struct slice credential_certificate(const struct credential *credential)
{
	return credential == NULL ? SLICE("") : credential->certificate;
}

struct slice credential_certificate_key(const struct credential *credential)
{
	return credential == NULL ? SLICE("") : credential->key;
}

uint64_t credential_expires_s(const struct credential *credential)
{
	return credential == NULL ? 0 : credential->expires_s;
}

uint64_t credential_identity(const struct credential *credential)
{
	return credential == NULL ? 0 : credential->identity;
}
