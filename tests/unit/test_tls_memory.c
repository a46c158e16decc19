/*
 * What a connection at rest holds, by OpenSSL's own allocations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "base/memory.h"
#include "tests/unit/tls_fixture.h"

enum {
	IDLE_MAX = 20 * 1024,
	FIRST_MAX = 12 * 1024, /* before anything has come */
	HEADER = 16,           /* keeps what follows aligned */
};

static size_t held;

static void *count_alloc(size_t size, const char *file, int line)
{
	char *block = mem_alloc(HEADER + size);

	(void)file;
	(void)line;
	*(size_t *)(void *)block = size;
	held += size;
	return block + HEADER;
}

static void count_free(void *ptr, const char *file, int line)
{
	(void)file;
	(void)line;
	if (ptr != NULL) {
		char *block = (char *)ptr - HEADER;

		held -= *(size_t *)(void *)block;
		mem_free(block);
	}
}

static void *count_realloc(void *ptr, size_t size, const char *file, int line)
{
	char *block;

	if (ptr == NULL || size == 0) {
		count_free(ptr, file, line);
		return size == 0 ? NULL : count_alloc(size, file, line);
	}
	block = (char *)ptr - HEADER;
	held -= *(size_t *)(void *)block;
	block = mem_realloc(block, HEADER + size);
	*(size_t *)(void *)block = size;
	held += size;
	return block + HEADER;
}

static void expect_at_most(size_t limit, size_t bytes, const char *what)
{
	if (bytes > limit) {
		fail_msg("%s holds %zu bytes", what, bytes);
	}
}

/* What goes with it. */
static size_t size_of(struct tls **tls)
{
	size_t before = held;

	tls_close(*tls);
	*tls = NULL;
	return before - held;
}

static void rest(int version)
{
	struct pki pki;
	struct tls_settings settings;
	struct tls_context *client;
	struct tls_context *server;
	struct tls_pair pair = {.piece = 0};

	pki_create(&pki);
	settings = trusting(&pki.ca);
	client = client_context(&settings);
	server = server_context(&pki.server);
	only_version(client, version);

	pair_open(&pair, client, server, "localhost", NULL);
	expect_at_most(FIRST_MAX, size_of(&pair.server.tls), "a server that waits");
	pair_close(&pair);

	pair_connect(&pair, client, server, "localhost", NULL);
	expect_at_most(IDLE_MAX, size_of(&pair.server.tls), "a server that was not asked yet");
	pair_close(&pair);

	pair_connect(&pair, client, server, "localhost", NULL);
	end_says(&pair.client, "question");
	pair_talk(&pair);
	end_says(&pair.server, "answer");
	pair_talk(&pair);
	expect_at_most(IDLE_MAX, size_of(&pair.server.tls), "a server at rest");
	expect_at_most(IDLE_MAX, size_of(&pair.client.tls), "a client at rest");
	pair_close(&pair);
	tls_context_release(client);
	tls_context_release(server);
	pki_destroy(&pki);
}

static void a_connection_at_rest_holds_no_records(void **state)
{
	(void)state;
	rest(TLS1_3_VERSION);
	rest(TLS1_2_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_at_rest_holds_no_records),
	};

	if (CRYPTO_set_mem_functions(count_alloc, count_realloc, count_free) != 1) {
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
