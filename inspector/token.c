/*
 * Layer: inspector (sees base). One job: the inspector's token; see token.h.
 */
#include "inspector/token.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/memory.h"
#include "base/random.h"

enum {
	DIGEST_SIZE = 32,
};

static const struct slice cookie_prefix = SLICE_INIT("sightglass_inspector_");

/* SHA-256 keyed by `key`. */
static void keyed_hash(struct slice key, struct slice text, unsigned char out[static DIGEST_SIZE])
{
	unsigned size = 0;
	const unsigned char *done = HMAC(EVP_sha256(), key.len > 0 ? key.ptr : "", (int)key.len,
		(const unsigned char *)(text.len > 0 ? text.ptr : ""), text.len, out, &size);

	assert(done != NULL && size == DIGEST_SIZE); /* fails for want of memory only */
}

static void write_hex(const unsigned char *bytes, size_t size, char *out)
{
	for (size_t i = 0; i < size; i++) {
		(void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
	}
}

/*
 * Equal-length hashes are compared, not the texts: so neither where they differ nor how long the
 * token is can be measured. The key keeps an attacker from choosing what is hashed.
 */
static bool equal_in_constant_time(struct slice a, struct slice b)
{
	unsigned char key[16];
	unsigned char hash_a[DIGEST_SIZE];
	unsigned char hash_b[DIGEST_SIZE];

	random_bytes(key, sizeof(key));
	keyed_hash(slice_of((const char *)key, sizeof(key)), a, hash_a);
	keyed_hash(slice_of((const char *)key, sizeof(key)), b, hash_b);
	return CRYPTO_memcmp(hash_a, hash_b, DIGEST_SIZE) == 0;
}

void token_init(struct token *token, const char *text)
{
	*token = (struct token){.text = NULL};
	pthread_mutex_init(&token->lock, NULL);
	if (text != NULL && text[0] != '\0') {
		token->text = mem_strdup(text);
	}
}

static void make_cookie(const char *text, struct token_cookie *cookie)
{
	unsigned char hash[DIGEST_SIZE];
	struct slice key = slice_str(text);

	keyed_hash(key, SLICE("cookie"), hash);
	write_hex(hash, DIGEST_SIZE, cookie->value);
	keyed_hash(key, SLICE("cookie name"), hash);
	memcpy(cookie->name, cookie_prefix.ptr, cookie_prefix.len);
	write_hex(hash, 8, cookie->name + cookie_prefix.len);
}

const struct token_cookie *token_cookie(struct token *token)
{
	assert(token->text != NULL);
	pthread_mutex_lock(&token->lock);
	if (!token->has_cookie) {
		make_cookie(token->text, &token->cookie);
		token->has_cookie = true;
	}
	pthread_mutex_unlock(&token->lock);
	return &token->cookie; /* never changed again */
}

void token_init_random(struct token *token)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char bytes[TOKEN_MADE_LEN];
	char text[TOKEN_MADE_LEN + 1];

	random_bytes(bytes, sizeof(bytes));
	for (size_t i = 0; i < TOKEN_MADE_LEN; i++) {
		text[i] = digits[bytes[i] & 63]; /* six bits of each: 258 in all */
	}
	text[TOKEN_MADE_LEN] = '\0';
	token_init(token, text);
}

void token_fini(struct token *token)
{
	if (token->text != NULL) {
		OPENSSL_cleanse(token->text, strlen(token->text));
		mem_free(token->text);
	}
	OPENSSL_cleanse(&token->cookie, sizeof(token->cookie));
	pthread_mutex_destroy(&token->lock);
	token->text = NULL;
}

bool token_equal(const struct token *token, struct slice given)
{
	return token->text != NULL && equal_in_constant_time(slice_str(token->text), given);
}

bool token_cookie_equal(struct token *token, struct slice name, struct slice value)
{
	const struct token_cookie *cookie;

	if (token->text == NULL || !slice_starts_with(name, cookie_prefix)) {
		return false;
	}
	cookie = token_cookie(token);
	return slice_equal(name, slice_str(cookie->name)) &&
	       equal_in_constant_time(slice_of(cookie->value, TOKEN_COOKIE_LEN), value);
}
