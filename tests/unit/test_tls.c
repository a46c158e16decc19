/*
 * Two engines talk to each other in memory: the handshake, text both ways, the end, and what a peer
 * may do wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "base/memory.h"
#include "tests/unit/tls_fixture.h"

enum {
	MUCH = 1024 * 1024,
	BODY = 64 * 1024,
	HEAD = 300,
	PIECE = 63 * 1024, /* what a read brings */
};

struct fixture {
	struct tls_context *client;
	struct tls_context *server;
	struct tls_pair pair;
	char *block; /* MUCH bytes */
};

static struct pki pki;

static int setup_all(void **state)
{
	(void)state;
	pki_create(&pki);
	return 0;
}

static int teardown_all(void **state)
{
	(void)state;
	pki_destroy(&pki);
	return 0;
}

static int setup(void **state)
{
	static struct fixture f;
	struct tls_settings settings = trusting(&pki.ca);

	f = (struct fixture){.client = client_context(&settings)};
	f.server = server_context(&pki.server);
	f.block = mem_alloc(MUCH);
	for (size_t i = 0; i < MUCH; i++) {
		f.block[i] = (char)(i * 31 + (i >> 12));
	}
	*state = &f;
	return 0;
}

static int setup_12(void **state)
{
	struct fixture *f;

	setup(state);
	f = *state;
	only_version(f->client, TLS1_2_VERSION);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pair_close(&f->pair);
	tls_context_release(f->client);
	tls_context_release(f->server);
	mem_free(f->block);
	return 0;
}

static void connect_pair(struct fixture *f)
{
	pair_connect(&f->pair, f->client, f->server, "localhost", NULL);
}

static void exchange(struct fixture *f)
{
	end_says(&f->pair.client, "question");
	pair_talk(&f->pair);
	expect_text(&f->pair.server, "question");
	end_says(&f->pair.server, "answer");
	pair_talk(&f->pair);
	expect_text(&f->pair.client, "answer");
}

/* --- the handshake */

static void the_newest_version_is_spoken_and_text_passes_both_ways(void **state)
{
	struct fixture *f = *state;

	connect_pair(f);
	assert_string_equal(tls_version_text(f->pair.client.tls), "TLSv1.3");
	assert_string_equal(tls_version_text(f->pair.server.tls), "TLSv1.3");
	assert_false(tls_resumed(f->pair.client.tls));
	exchange(f);
}

static void version_1_2_is_spoken_with_who_has_no_other(void **state)
{
	struct fixture *f = *state;

	connect_pair(f);
	assert_string_equal(tls_version_text(f->pair.client.tls), "TLSv1.2");
	exchange(f);
}

static void bytes_may_come_one_by_one(void **state)
{
	struct fixture *f = *state;

	f->pair.piece = 1;
	connect_pair(f);
	exchange(f);
}

static void text_may_come_with_the_end_of_the_handshake(void **state)
{
	struct fixture *f = *state;
	struct tls_pair *pair = &f->pair;
	struct buffer hello;

	pair_open(pair, f->client, f->server, "localhost", NULL);
	end_takes(&pair->server, buffer_slice(&pair->client.sent), 0);
	buffer_clear(&pair->client.sent);
	hello = pair->server.sent;
	pair->server.sent = BUFFER_INIT;
	end_takes(&pair->client, buffer_slice(&hello), 0);
	buffer_fini(&hello);
	assert_int_equal(pair->client.established, 1);
	end_says(&pair->client, "question");
	end_takes(&pair->server, buffer_slice(&pair->client.sent), 0);
	buffer_clear(&pair->client.sent);
	assert_int_equal(pair->server.established, 1);
	expect_text(&pair->server, "question");
}

static void a_server_waits_for_its_client(void **state)
{
	struct fixture *f = *state;

	pair_open(&f->pair, f->client, f->server, "localhost", NULL);
	assert_false(tls_established(f->pair.server.tls));
	tls_send_close(f->pair.server.tls, &f->pair.server.sent); /* nothing to say yet */
	assert_int_equal(f->pair.server.sent.len, 0);
}

/* --- text */

static void says_much(struct tls_end *from, struct fixture *f)
{
	const struct iovec parts[] = {
		{.iov_base = f->block, .iov_len = HEAD},
		{.iov_base = f->block + HEAD, .iov_len = 0},
		{.iov_base = f->block + HEAD, .iov_len = BODY},
		{.iov_base = f->block + HEAD + BODY, .iov_len = MUCH - HEAD - BODY - 1},
		{.iov_base = f->block + MUCH - 1, .iov_len = 1},
	};
	struct err err = ERR_INIT;

	assert_int_equal(tls_send(from->tls, parts, 5, &from->sent, &err), ERR_NONE);
	assert_int_equal(records_in(&from->sent), MUCH / TLS_RECORD_MAX);
}

static void a_megabyte_passes_both_ways_in_full_records(void **state)
{
	struct fixture *f = *state;

	connect_pair(f);
	says_much(&f->pair.client, f);
	says_much(&f->pair.server, f);
	f->pair.piece = PIECE;
	pair_talk(&f->pair);
	assert_int_equal(f->pair.server.text.len, MUCH);
	assert_memory_equal(f->pair.server.text.ptr, f->block, MUCH);
	assert_int_equal(f->pair.client.text.len, MUCH);
	assert_memory_equal(f->pair.client.text.ptr, f->block, MUCH);
}

static void a_head_goes_in_one_record_with_what_follows_it(void **state)
{
	struct fixture *f = *state;
	const struct iovec parts[] = {
		{.iov_base = f->block, .iov_len = HEAD},
		{.iov_base = f->block + HEAD, .iov_len = BODY},
	};
	struct err err = ERR_INIT;

	connect_pair(f);
	assert_int_equal(
		tls_send(f->pair.client.tls, parts, 1, &f->pair.client.sent, &err), ERR_NONE);
	assert_int_equal(records_in(&f->pair.client.sent), 1);
	assert_int_equal(
		tls_send(f->pair.client.tls, parts, 2, &f->pair.client.sent, &err), ERR_NONE);
	assert_int_equal(records_in(&f->pair.client.sent), 1 + BODY / TLS_RECORD_MAX + 1);
	pair_talk(&f->pair);
	assert_int_equal(f->pair.server.text.len, 2 * HEAD + BODY);
	assert_memory_equal(f->pair.server.text.ptr + HEAD, f->block, HEAD + BODY);
}

static void nothing_to_send_is_no_record(void **state)
{
	struct fixture *f = *state;
	const struct iovec parts[2] = {{.iov_base = NULL, .iov_len = 0}};
	struct err err = ERR_INIT;

	connect_pair(f);
	assert_int_equal(
		tls_send(f->pair.client.tls, parts, 2, &f->pair.client.sent, &err), ERR_NONE);
	assert_int_equal(
		tls_send(f->pair.client.tls, NULL, 0, &f->pair.client.sent, &err), ERR_NONE);
	assert_int_equal(f->pair.client.sent.len, 0);
}

static void half_a_record_waits_for_the_rest(void **state)
{
	struct fixture *f = *state;
	struct slice record;

	connect_pair(f);
	end_says(&f->pair.client, "question");
	record = buffer_slice(&f->pair.client.sent);
	for (size_t half = 0; half < record.len; half += 7) {
		end_takes(&f->pair.server, slice_of(record.ptr + half, 0), 0);
	}
	end_takes(&f->pair.server, slice_of(record.ptr, record.len - 1), 0);
	expect_text(&f->pair.server, "");
	assert_false(f->pair.server.closed); /* the caller knows where the socket ends */
	end_takes(&f->pair.server, slice_of(record.ptr + record.len - 1, 1), 0);
	expect_text(&f->pair.server, "question");
	buffer_clear(&f->pair.client.sent);
}

/* Wherever in a record the reader stands. */
static void whole_records_come_of_what_is_read(void **state)
{
	struct fixture *f = *state;
	struct tls_end *client = &f->pair.client;
	struct slice rest;
	size_t record_len;
	size_t begun = 0;

	connect_pair(f);
	says_much(&f->pair.server, f);
	rest = buffer_slice(&f->pair.server.sent);
	record_len = rest.len / (MUCH / TLS_RECORD_MAX);
	end_takes(client, slice_of(rest.ptr, record_len), 0); /* how long they are shows here */
	rest = slice_of(rest.ptr + record_len, rest.len - record_len);
	for (size_t first = 1; rest.len > 0; first = first < 8 ? first + 1 : first * 17 % PIECE) {
		size_t part = begun % 2 == 0 ? first : tls_read_size(client->tls, PIECE);

		part = part < rest.len ? part : rest.len;
		end_takes(client, slice_of(rest.ptr, part), 0);
		rest = slice_of(rest.ptr + part, rest.len - part);
		if (begun++ % 2 == 1) {
			assert_true(part > 0 && part <= PIECE);
			assert_int_equal(rest.len % record_len, 0);
		}
	}
	assert_int_equal(client->text.len, MUCH);
	assert_memory_equal(client->text.ptr, f->block, MUCH);
	buffer_clear(&f->pair.server.sent);
}

/* What a header says is the peer's word, and not verified when it is read. */
static void a_header_that_lies_makes_no_read_longer(void **state)
{
	struct fixture *f = *state;
	static const char headers[] = "\x17\x03\x03\xff\xff";

	connect_pair(f);
	for (size_t len = 1; len < sizeof(headers); len++) {
		size_t size;

		end_takes(&f->pair.client, slice_of(headers + len - 1, 1), 0);
		size = tls_read_size(f->pair.client.tls, PIECE);
		assert_true(size > 0 && size <= PIECE);
	}
}

/* --- the end */

static void a_farewell_is_told_with_the_text_before_it(void **state)
{
	struct fixture *f = *state;

	connect_pair(f);
	end_says(&f->pair.client, "question");
	tls_send_close(f->pair.client.tls, &f->pair.client.sent);
	tls_send_close(f->pair.client.tls, &f->pair.client.sent); /* once is enough */
	assert_int_equal(records_in(&f->pair.client.sent), 2);
	buffer_append_str(&f->pair.client.sent, "what follows does not count");
	pair_talk(&f->pair);
	expect_text(&f->pair.server, "question");
	assert_true(f->pair.server.closed);
}

static void after_a_farewell_the_other_side_may_go_on(void **state)
{
	struct fixture *f = *state;

	connect_pair(f);
	tls_send_close(f->pair.client.tls, &f->pair.client.sent);
	pair_talk(&f->pair);
	assert_true(f->pair.server.closed);
	end_says(&f->pair.server, "answer");
	tls_send_close(f->pair.server.tls, &f->pair.server.sent);
	pair_talk(&f->pair);
	expect_text(&f->pair.client, "answer");
	assert_true(f->pair.client.closed);
}

static void a_farewell_within_the_handshake_is_a_failure(void **state)
{
	static const char farewell[] = {21, 3, 3, 0, 2, 1, 0};
	struct fixture *f = *state;

	pair_open(&f->pair, f->client, f->server, "localhost", NULL);
	end_takes(&f->pair.client, slice_of(farewell, sizeof(farewell)), 0);
	expect_failure(&f->pair.client, "the peer closed the connection within the handshake");
}

/* --- what a peer may do wrong */

static void who_speaks_no_tls_is_told_apart(void **state)
{
	struct fixture *f = *state;

	pair_open(&f->pair, f->client, f->server, "localhost", NULL);
	end_takes(&f->pair.client, SLICE("HTTP/1.1 400 Bad Request\r\n\r\n"), 0);
	expect_failure(&f->pair.client, "the peer speaks no TLS");
	end_takes(&f->pair.server, SLICE("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), 1);
	expect_failure(&f->pair.server, "the peer speaks no TLS");
}

static void what_only_begins_like_tls_fails(void **state)
{
	static const char nonsense[] = {22, 3, 1, 0, 5, 9, 9, 9, 9, 9};
	struct fixture *f = *state;

	pair_open(&f->pair, f->client, f->server, "localhost", NULL);
	end_takes(&f->pair.server, slice_of(nonsense, sizeof(nonsense)), 0);
	expect_failure(&f->pair.server, "TLS failed: ");
	assert_true(f->pair.server.sent.len > 0); /* an alert */
}

static void a_record_that_was_tampered_with_ends_the_connection_for_both(void **state)
{
	struct fixture *f = *state;
	struct tls_end *client = &f->pair.client;
	struct tls_end *server = &f->pair.server;

	connect_pair(f);
	end_says(client, "question");
	end_says(client, "another");
	client->sent.ptr[client->sent.len - 1] ^= 1;
	pair_talk(&f->pair);
	expect_failure(server, "decryption failed or bad record mac");
	assert_int_equal(server->text.len, strlen("question")); /* what was sound is delivered */
	expect_failure(client, "the peer broke off (its TLS alert: bad record mac)");
}

static void after_a_failure_every_call_fails_in_the_same_words(void **state)
{
	struct fixture *f = *state;
	struct tls_end *server = &f->pair.server;
	struct err err = ERR_INIT;
	const struct iovec part = {.iov_base = f->block, .iov_len = HEAD};

	connect_pair(f);
	end_says(&f->pair.client, "question");
	f->pair.client.sent.ptr[f->pair.client.sent.len - 1] ^= 1;
	pair_talk(&f->pair);
	assert_int_equal(tls_send(server->tls, &part, 1, &server->sent, &err), ERR_TLS);
	assert_string_equal(err.text, server->err.text);
	server->code = ERR_NONE;
	end_takes(server, SLICE("more"), 0);
	expect_failure(server, err.text);
	tls_send_close(server->tls, &server->sent);
	assert_int_equal(server->sent.len, 0);
}

static void errors_that_others_left_behind_are_not_taken_for_ones_own(void **state)
{
	struct fixture *f = *state;

	ERR_raise(ERR_LIB_SSL, SSL_R_NO_SHARED_CIPHER);
	connect_pair(f);
	end_says(&f->pair.client, "question");
	tls_send_close(f->pair.client.tls, &f->pair.client.sent);
	for (size_t i = 0; i < f->pair.client.sent.len; i++) {
		struct tls_received got;
		struct err err = ERR_INIT;
		char out[TLS_RECORD_MAX + 1];

		ERR_raise(ERR_LIB_SSL, SSL_R_NO_SHARED_CIPHER);
		assert_int_equal(
			tls_receive(f->pair.server.tls, slice_of(f->pair.client.sent.ptr + i, 1),
				out, sizeof(out), &got, &f->pair.server.sent, &err),
			ERR_NONE);
		f->pair.server.closed = got.closed;
	}
	buffer_clear(&f->pair.client.sent);
	assert_true(f->pair.server.closed);
	ERR_clear_error();
}

/* The server's answer, with one byte changed; what its client makes of it. */
static bool survives_change(struct fixture *f, size_t at)
{
	struct tls_pair pair = {.piece = 0};
	bool changed;

	pair_open(&pair, f->client, f->server, "localhost", NULL);
	end_takes(&pair.server, buffer_slice(&pair.client.sent), 0);
	buffer_clear(&pair.client.sent);
	changed = at < pair.server.sent.len;
	if (changed) {
		pair.server.sent.ptr[at] ^= 0x55;
	}
	pair_talk(&pair);
	if (changed && tls_established(pair.client.tls)) {
		fail_msg("byte %zu may be changed", at);
	}
	assert_true(pair.client.code == ERR_NONE || pair.client.err.text[0] != '\0');
	pair_close(&pair);
	return changed;
}

static void whatever_byte_of_the_handshake_is_changed_there_is_no_connection(void **state)
{
	struct fixture *f = *state;
	/* From behind the first record's version, which counts for nothing (RFC 8446 section
	 * 5.1). */
	size_t at = 3;

	while (survives_change(f, at)) {
		at += 5;
	}
}

static SSL_CTX *plain_context(int version)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	assert_int_equal(SSL_CTX_set_min_proto_version(context, version), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(context, version), 1);
	return context;
}

static void new_keys_are_taken_and_given(void **state)
{
	struct fixture *f = *state;
	struct tls_end *server = &f->pair.server;
	struct err err = ERR_INIT;
	SSL_CTX *context = plain_context(TLS1_3_VERSION);
	SSL *plain = plain_create(context, false);

	server->tls = tls_open_server(f->server, &err);
	plain_talk(plain, server);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(SSL_key_update(plain, SSL_KEY_UPDATE_REQUESTED), 1);
		assert_int_equal(SSL_write(plain, "q", 1), 1);
		plain_talk(plain, server);
		end_says(server, "answer");
		plain_talk(plain, server);
		assert_int_equal(SSL_get_error(plain, 0), SSL_ERROR_SYSCALL); /* nothing failed */
	}
	expect_text(server, "qqq");
	SSL_free(plain);
	SSL_CTX_free(context);
}

/* A client that has begun a second handshake; what it sends for that. */
static struct slice renegotiate(struct fixture *f, SSL *plain)
{
	struct err err = ERR_INIT;
	char *hello;
	long len;

	f->pair.server.tls = tls_open_server(f->server, &err);
	plain_talk(plain, &f->pair.server);
	assert_true(tls_established(f->pair.server.tls));
	assert_int_equal(SSL_renegotiate(plain), 1);
	(void)SSL_do_handshake(plain);
	len = BIO_get_mem_data(SSL_get_wbio(plain), &hello);
	assert_true(len > 0);
	return slice_of(hello, (size_t)len);
}

static void who_begins_a_second_handshake_is_left(void **state)
{
	struct fixture *f = *state;
	SSL_CTX *context = plain_context(TLS1_2_VERSION);
	SSL *plain = plain_create(context, false);

	end_takes(&f->pair.server, renegotiate(f, plain), 0);
	expect_failure(&f->pair.server, "second handshake");
	SSL_free(plain);
	SSL_CTX_free(context);
}

static int add_a_lot(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
	size_t *len, X509 *x509, size_t index, int *alert, void *argument)
{
	static const unsigned char a_lot[4 * TLS_RECORD_MAX - 1];

	(void)ssl, (void)type, (void)context, (void)x509, (void)index, (void)alert, (void)argument;
	*out = a_lot;
	*len = sizeof(a_lot) - 4096; /* room for the other extensions */
	return 1;
}

/* So that nothing is kept for what it has yet to say. */
static void it_is_left_before_it_has_said_all(void **state)
{
	struct fixture *f = *state;
	SSL_CTX *context = plain_context(TLS1_2_VERSION);
	SSL *plain;
	struct slice hello;

	assert_int_equal(SSL_CTX_add_custom_ext(context, 65000, SSL_EXT_CLIENT_HELLO, add_a_lot,
				 NULL, NULL, NULL, NULL),
		1);
	plain = plain_create(context, false);
	hello = renegotiate(f, plain);
	assert_true(hello.len > 3 * TLS_RECORD_MAX);
	end_takes(&f->pair.server, slice_of(hello.ptr, TLS_RECORD_MAX + 1024), 0);
	expect_failure(&f->pair.server, "second handshake");
	SSL_free(plain);
	SSL_CTX_free(context);
}

static void who_has_no_version_of_ours_is_told_so(void **state)
{
	struct fixture *f = *state;

	only_version(f->client, TLS1_2_VERSION);
	only_version(f->server, TLS1_3_VERSION);
	pair_open(&f->pair, f->client, f->server, "localhost", NULL);
	pair_talk(&f->pair);
	expect_failure(&f->pair.client, "speaks another version of TLS");
	expect_failure(&f->pair.server, "speaks another version of TLS");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_12(name)                                                                              \
	{                                                                                          \
#name " (TLS 1.2)", name, setup_12, teardown, NULL                                 \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_newest_version_is_spoken_and_text_passes_both_ways),
		TEST_12(version_1_2_is_spoken_with_who_has_no_other),
		TEST(bytes_may_come_one_by_one),
		TEST_12(bytes_may_come_one_by_one),
		TEST(text_may_come_with_the_end_of_the_handshake),
		TEST(a_server_waits_for_its_client),
		TEST(a_megabyte_passes_both_ways_in_full_records),
		TEST_12(a_megabyte_passes_both_ways_in_full_records),
		TEST(a_head_goes_in_one_record_with_what_follows_it),
		TEST(nothing_to_send_is_no_record),
		TEST(half_a_record_waits_for_the_rest),
		TEST_12(half_a_record_waits_for_the_rest),
		TEST(whole_records_come_of_what_is_read),
		TEST_12(whole_records_come_of_what_is_read),
		TEST(a_header_that_lies_makes_no_read_longer),
		TEST(a_farewell_is_told_with_the_text_before_it),
		TEST_12(a_farewell_is_told_with_the_text_before_it),
		TEST(after_a_farewell_the_other_side_may_go_on),
		TEST_12(after_a_farewell_the_other_side_may_go_on),
		TEST(a_farewell_within_the_handshake_is_a_failure),
		TEST(who_speaks_no_tls_is_told_apart),
		TEST(what_only_begins_like_tls_fails),
		TEST(a_record_that_was_tampered_with_ends_the_connection_for_both),
		TEST_12(a_record_that_was_tampered_with_ends_the_connection_for_both),
		TEST(after_a_failure_every_call_fails_in_the_same_words),
		TEST(errors_that_others_left_behind_are_not_taken_for_ones_own),
		TEST(whatever_byte_of_the_handshake_is_changed_there_is_no_connection),
		TEST_12(whatever_byte_of_the_handshake_is_changed_there_is_no_connection),
		TEST(new_keys_are_taken_and_given),
		TEST(who_begins_a_second_handshake_is_left),
		TEST(it_is_left_before_it_has_said_all),
		TEST(who_has_no_version_of_ours_is_told_so),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
