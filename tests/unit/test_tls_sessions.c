/*
 * Sessions that are resumed: by whom, how often and until when.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/tls_fixture.h"

enum {
	TICKETS = 2, /* that a server grants after a full handshake in TLS 1.3 */
};

#define HOURS_US UINT64_C(3600000000)

static struct pki pki;

struct fixture {
	struct tls_pair pair;
	struct tls_context *client;
	struct tls_context *server;
	struct tls_sessions *sessions;
};

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
	f.sessions = tls_sessions_create();
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
	tls_sessions_destroy(f->sessions);
	tls_context_release(f->client);
	tls_context_release(f->server);
	return 0;
}

/* A connection as it is used; whether it was resumed. */
static bool resumes(struct fixture *f, const char *host)
{
	bool resumed;

	pair_connect(&f->pair, f->client, f->server, host, f->sessions);
	end_says(&f->pair.client, "question");
	pair_talk(&f->pair);
	expect_text(&f->pair.server, "question");
	resumed = tls_resumed(f->pair.client.tls);
	assert_int_equal(resumed, tls_resumed(f->pair.server.tls));
	pair_close(&f->pair); /* without a farewell, which spoils nothing */
	return resumed;
}

static void a_session_is_resumed(void **state)
{
	struct fixture *f = *state;

	assert_false(resumes(f, "localhost"));
	for (int i = 0; i < 3; i++) {
		assert_true(resumes(f, "localhost"));
	}
}

static void a_ticket_of_version_1_3_is_used_once(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	assert_false(resumes(f, "localhost"));
	assert_int_equal(tls_sessions_count(f->sessions), TICKETS);
	tls_close(tls_open_client(f->client, "localhost", f->sessions, TLS_NOW_US, &err));
	assert_int_equal(tls_sessions_count(f->sessions), TICKETS - 1);
	assert_true(resumes(f, "localhost"));
	assert_int_equal(tls_sessions_count(f->sessions), 1); /* the one it was granted anew */
}

static void a_session_of_version_1_2_is_used_again_and_again(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	assert_false(resumes(f, "localhost"));
	assert_int_equal(tls_sessions_count(f->sessions), 1);
	tls_close(tls_open_client(f->client, "localhost", f->sessions, TLS_NOW_US, &err));
	assert_int_equal(tls_sessions_count(f->sessions), 1);
	assert_true(resumes(f, "localhost"));
}

static void only_a_few_are_kept(void **state)
{
	struct fixture *f = *state;
	struct tls_pair pairs[TLS_SESSIONS_MAX] = {{.piece = 0}};

	for (int i = 0; i < TLS_SESSIONS_MAX; i++) {
		pair_open(&pairs[i], f->client, f->server, "localhost", f->sessions);
	}
	for (int i = 0; i < TLS_SESSIONS_MAX; i++) {
		pair_talk(&pairs[i]); /* none is there to be resumed: each brings TICKETS */
	}
	assert_int_equal(tls_sessions_count(f->sessions), TLS_SESSIONS_MAX);
	for (int i = 0; i < TLS_SESSIONS_MAX; i++) {
		pair_close(&pairs[i]);
	}
	assert_true(resumes(f, "localhost"));
}

static void what_has_expired_is_dropped(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	uint64_t later_us = TLS_NOW_US + 24 * HOURS_US;

	assert_false(resumes(f, "localhost"));
	assert_true(tls_sessions_count(f->sessions) > 0);
	tls_close(tls_open_client(f->client, "localhost", f->sessions, later_us, &err));
	assert_int_equal(tls_sessions_count(f->sessions), 0);
}

static void connections_may_outlive_the_sessions(void **state)
{
	struct fixture *f = *state;

	pair_open(&f->pair, f->client, f->server, "localhost", f->sessions);
	tls_sessions_destroy(f->sessions);
	f->sessions = NULL;
	pair_talk(&f->pair);
	end_says(&f->pair.client, "question");
	pair_talk(&f->pair);
	expect_text(&f->pair.server, "question");
	assert_int_equal(f->pair.client.established, 1);
}

static void a_session_is_for_one_name(void **state)
{
	struct fixture *f = *state;

	assert_false(resumes(f, "localhost"));
	assert_false(resumes(f, "api.example.test"));
	assert_true(resumes(f, "api.example.test"));
}

static void a_session_is_for_one_context(void **state)
{
	struct fixture *f = *state;
	struct tls_settings settings = trusting(&pki.other_ca);

	assert_false(resumes(f, "localhost"));
	tls_context_release(f->client);
	f->client = client_context(&settings); /* which would not take that server */
	pair_open(&f->pair, f->client, f->server, "localhost", f->sessions);
	pair_talk(&f->pair);
	expect_failure(&f->pair.client, "certificate verify failed");
	assert_int_equal(tls_sessions_count(f->sessions), 0);
}

static void a_connection_of_an_earlier_name_brings_nothing_more(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	pair_open(&f->pair, f->client, f->server, "localhost", f->sessions);
	tls_close(tls_open_client(f->client, "api.example.test", f->sessions, TLS_NOW_US, &err));
	pair_talk(&f->pair);
	assert_int_equal(f->pair.client.established, 1);
	assert_int_equal(tls_sessions_count(f->sessions), 0);
}

static void a_server_that_has_new_keys_is_met_as_if_for_the_first_time(void **state)
{
	struct fixture *f = *state;

	assert_false(resumes(f, "localhost"));
	tls_context_release(f->server);
	f->server = server_context(&pki.server);
	assert_false(resumes(f, "localhost"));
	assert_true(resumes(f, "localhost"));
}

static void a_session_that_ended_in_a_failure_is_not_resumed(void **state)
{
	struct fixture *f = *state;

	pair_connect(&f->pair, f->client, f->server, "localhost", f->sessions);
	end_says(&f->pair.server, "answer");
	f->pair.server.sent.ptr[f->pair.server.sent.len - 1] ^= 1;
	pair_talk(&f->pair);
	expect_failure(&f->pair.client, "bad record mac");
	pair_close(&f->pair);
	assert_false(resumes(f, "localhost"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_12(name)                                                                              \
	{                                                                                          \
#name " (TLS 1.2)", name, setup_12, teardown, NULL                                 \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_session_is_resumed),
		TEST_12(a_session_is_resumed),
		TEST(a_ticket_of_version_1_3_is_used_once),
		TEST_12(a_session_of_version_1_2_is_used_again_and_again),
		TEST(only_a_few_are_kept),
		TEST(what_has_expired_is_dropped),
		TEST_12(what_has_expired_is_dropped),
		TEST(connections_may_outlive_the_sessions),
		TEST(a_session_is_for_one_name),
		TEST_12(a_session_is_for_one_name),
		TEST(a_session_is_for_one_context),
		TEST_12(a_session_is_for_one_context),
		TEST(a_connection_of_an_earlier_name_brings_nothing_more),
		TEST(a_server_that_has_new_keys_is_met_as_if_for_the_first_time),
		TEST_12(a_session_that_ended_in_a_failure_is_not_resumed),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
