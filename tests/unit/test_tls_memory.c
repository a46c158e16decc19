/*
 * What a connection holds, at rest and at most, by OpenSSL's own allocations.
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
static size_t peak;

static void hold(size_t size)
{
	held += size;
	peak = held > peak ? held : peak;
}

static void *count_alloc(size_t size, const char *file, int line)
{
	char *block = mem_alloc(HEADER + size);

	(void)file;
	(void)line;
	*(size_t *)(void *)block = size;
	hold(size);
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
	hold(size); /* both are there while one is copied to the other */
	held -= *(size_t *)(void *)block;
	block = mem_realloc(block, HEADER + size);
	*(size_t *)(void *)block = size;
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
	expect_at_most(IDLE_MAX, size_of(&pair.client.tls), "a client whose tickets came last");
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

/* --- the most */

/* What a server's connection holds at most from its beginning on. */
struct measured {
	struct pki pki;
	struct tls_context *context;
	size_t before;
	struct tls_end end;
};

static void measure(struct measured *measured)
{
	struct err err = ERR_INIT;

	pki_create(&measured->pki);
	measured->context = server_context(&measured->pki.server);
	measured->before = held;
	peak = held;
	measured->end = (struct tls_end){.tls = tls_open_server(measured->context, &err)};
	assert_non_null(measured->end.tls);
}

static void measured_done(struct measured *measured)
{
	tls_close(measured->end.tls);
	buffer_fini(&measured->end.sent);
	buffer_fini(&measured->end.text);
	tls_context_release(measured->context);
	pki_destroy(&measured->pki);
}

static void append_record(struct buffer *out, unsigned char type, size_t len)
{
	buffer_append_char(out, (char)type);
	buffer_append_str(out, "\x03\x01");
	buffer_append_char(out, (char)(len >> 8));
	buffer_append_char(out, (char)(len & 0xff));
}

/* A client's greeting (RFC 5246 section 7.4) of a size, all of it zeros. */
static struct buffer greeting(size_t size)
{
	struct buffer out = BUFFER_INIT;
	struct buffer message = BUFFER_INIT;

	buffer_append_char(&message, 1); /* client_hello */
	buffer_append_char(&message, (char)(size >> 16));
	buffer_append_char(&message, (char)(size >> 8 & 0xff));
	buffer_append_char(&message, (char)(size & 0xff));
	memset(buffer_reserve(&message, size), 0, size);
	message.len += size;
	for (size_t at = 0; at < message.len;) {
		size_t part = message.len - at < TLS_RECORD_MAX ? message.len - at : TLS_RECORD_MAX;

		append_record(&out, 22, part);
		buffer_append(&out, message.ptr + at, part);
		at += part;
	}
	buffer_fini(&message);
	return out;
}

static void a_greeting_of_any_size_has_its_bound(void **state)
{
	enum {
		LARGEST = 131396, /* that OpenSSL takes */
	};

	(void)state;
	for (size_t missing = 0; missing < 2; missing++) {
		struct measured measured;
		struct buffer hello = greeting(LARGEST);

		measure(&measured);
		end_takes(&measured.end, slice_of(hello.ptr, hello.len - missing),
			TLS_RECORD_MAX * 4);
		expect_at_most(TLS_HANDSHAKE_MAX, peak - measured.before, "a handshake");
		assert_true(peak - measured.before > LARGEST); /* it was measured at all */
		measured_done(&measured);
		buffer_fini(&hello);
	}
}

/* With a record that has come in part, while it sends. */
static void at_work(int version)
{
	struct measured measured;
	SSL_CTX *plain_context = SSL_CTX_new(TLS_client_method());
	SSL *plain;
	char *text = mem_zalloc(16 * (size_t)TLS_RECORD_MAX);
	const struct iovec part = {.iov_base = text, .iov_len = 16 * (size_t)TLS_RECORD_MAX};
	struct err err = ERR_INIT;
	size_t rest;
	char *record;
	long len;

	(void)SSL_CTX_set_max_proto_version(plain_context, version);
	plain = plain_create(plain_context, false);
	measure(&measured);
	plain_talk(plain, &measured.end);
	assert_true(tls_established(measured.end.tls));
	assert_int_equal(SSL_write(plain, text, TLS_RECORD_MAX), TLS_RECORD_MAX);
	len = BIO_get_mem_data(SSL_get_wbio(plain), &record);
	assert_true(len > TLS_RECORD_MAX);
	peak = held;
	rest = held; /* before, the other end's is among it */
	end_takes(&measured.end, slice_of(record, (size_t)len - 1), 0);
	assert_int_equal(measured.end.text.len, 0);
	assert_int_equal(tls_send(measured.end.tls, &part, 1, &measured.end.sent, &err), ERR_NONE);
	rest = peak - rest;
	assert_true(rest > TLS_RECORD_MAX);
	expect_at_most(TLS_CONNECTION_MAX, rest + size_of(&measured.end.tls), "a server at work");
	measured_done(&measured);
	SSL_free(plain);
	SSL_CTX_free(plain_context);
	mem_free(text);
}

static void a_connection_at_work_has_its_bound(void **state)
{
	(void)state;
	at_work(TLS1_3_VERSION);
	at_work(TLS1_2_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_at_rest_holds_no_records),
		cmocka_unit_test(a_greeting_of_any_size_has_its_bound),
		cmocka_unit_test(a_connection_at_work_has_its_bound),
	};

	if (CRYPTO_set_mem_functions(count_alloc, count_realloc, count_free) != 1) {
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
