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
	static const char prefix[] = "sightglass_inspector_";
	unsigned char hash[DIGEST_SIZE];
	struct slice key = slice_str(text);

	*token = (struct token){.text = NULL};
	if (key.len == 0) {
		return;
	}
	token->text = mem_strdup(text);
	keyed_hash(key, SLICE("cookie"), hash);
	write_hex(hash, DIGEST_SIZE, token->cookie);
	keyed_hash(key, SLICE("cookie name"), hash);
	memcpy(token->cookie_name, prefix, sizeof(prefix) - 1);
	write_hex(hash, 8, token->cookie_name + sizeof(prefix) - 1);
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
	OPENSSL_cleanse(token->cookie, sizeof(token->cookie));
	token->text = NULL;
}

bool token_equal(const struct token *token, struct slice given)
{
	return token->text != NULL && equal_in_constant_time(slice_str(token->text), given);
}

bool token_cookie_equal(const struct token *token, struct slice given)
{
	return token->text != NULL &&
	       equal_in_constant_time(slice_of(token->cookie, TOKEN_COOKIE_LEN), given);
}
