/*
 * What a record says of its exchange, while it runs and afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_exchange.h"
#include "inspector/capture.h"

struct fixture {
	struct inspector_settings settings;
	struct capture_store *store;
	struct capture *capture;
	struct observer *observer;
	struct fake_exchange fake;
	struct record *record;
	struct record_view view;
};

static const char get_text[] = "GET /api/things/7?page=2&token=x HTTP/1.1\r\n"
			       "Host: dashboard.test:8080\r\n"
			       "X-Request-ID: abc-1\r\n"
			       "Accept:   text/html \t\r\n"
			       "X-Empty:\r\n"
			       "accept: */*\r\n\r\n";
static const char ok_text[] =
	"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n";

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->settings.capture.entries = 10;
	f->settings.capture.memory = 256 * 1024;
	f->settings.capture.body = 64 * 1024;
	f->settings.capture.rows = 10;
	f->store = capture_store_create(&f->settings);
	f->capture = capture_create(f->store, f->settings.capture.body);
	f->observer = capture_observer(f->capture);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	capture_store_release(f->store, f->record);
	capture_destroy(f->capture);
	capture_store_destroy(f->store);
	free(f);
	return 0;
}

/* Reads the newest record. */
static void look(struct fixture *f)
{
	capture_store_release(f->store, f->record);
	f->record = NULL;
	assert_int_equal(capture_store_take(f->store, UINT64_MAX, 0, &f->record, 1), 1);
	record_read(f->record, &f->view);
}

static void assert_slice(struct slice got, const char *wanted)
{
	assert_int_equal(got.len, strlen(wanted));
	assert_memory_equal(got.ptr, wanted, got.len);
}

static void a_running_exchange_shows_what_is_known_of_it(void **state)
{
	struct fixture *f = *state;

	fake_begin(&f->fake, f->observer, get_text, "abc-1", CAPTURE_FULL);
	look(f);
	assert_int_equal(f->view.state, EXCHANGE_ACTIVE);
	assert_int_equal(f->view.level, CAPTURE_FULL);
	assert_int_equal(f->view.clock.wall_us, 1700000000000000);
	assert_int_equal(f->view.clock.begin_us, 1000000);
	assert_int_equal(f->view.clock.request_head_us, 1000100);
	assert_int_equal(f->view.clock.end_us, 0);
	assert_slice(f->view.request_id, "abc-1");
	assert_slice(f->view.trace_id, "0af7651916cd43dd8448eb211c80319c");
	assert_slice(f->view.client_ip, "192.0.2.7");
	assert_slice(f->view.route, "/api");
	assert_string_equal(f->view.scheme, "http");
	assert_slice(f->view.host, "dashboard.test:8080");
	assert_int_equal(f->view.method, METHOD_GET);
	assert_slice(f->view.method_name, "GET");
	assert_slice(f->view.path, "/api/things/7");
	assert_slice(f->view.query, "page=2&token=x");
	assert_true(f->view.has_query);
	assert_int_equal(f->view.request_version_minor, 1);
	assert_slice(f->view.request.bytes, get_text);
	assert_int_equal(f->view.status, 0);
	assert_int_equal(f->view.response.bytes.len, 0);
	assert_int_equal(f->view.upstream.len, 0);
	assert_int_equal(f->view.request_body.size, 0);
	assert_false(f->view.request_body.ended);

	fake_request_end(&f->fake, NULL);
	fake_response(&f->fake, ok_text);
	fake_response_data(&f->fake, SLICE("he"));
	look(f);
	assert_int_equal(f->view.state, EXCHANGE_ACTIVE);
	assert_true(f->view.request_body.ended);
	assert_int_equal(f->view.status, 200);
	assert_int_equal(f->view.clock.first_byte_us, 1000500);
	assert_slice(f->view.upstream, "api");
	assert_slice(f->view.response.bytes, ok_text);
	assert_int_equal(f->view.response_body.size, 2);
	assert_int_equal(f->view.response_body.kept, 2);
	assert_false(f->view.response_body.ended);
	assert_false(f->view.response_body.has_hash);

	fake_finish(&f->fake, EXCHANGE_CLIENT_ABORTED, ERR_CLIENT_GONE);
}

static void a_reference_shows_the_end_once_it_has_come(void **state)
{
	struct fixture *f = *state;

	fake_begin(&f->fake, f->observer, get_text, "abc-1", CAPTURE_FULL);
	look(f);
	fake_request_end(&f->fake, NULL);
	fake_response(&f->fake, ok_text);
	fake_response_data(&f->fake, SLICE("hello"));
	fake_response_end(&f->fake, NULL);
	f->fake.exchange.attempts = 2;
	f->fake.exchange.reused = true;
	f->fake.exchange.idle_ms = 77;
	fake_finish(&f->fake, EXCHANGE_COMPLETE, ERR_NONE);

	record_read(f->record, &f->view);
	assert_int_equal(f->view.state, EXCHANGE_COMPLETE);
	assert_int_equal(f->view.status, 200);
	assert_slice(f->view.upstream, "api");
	assert_int_equal(f->view.error.len, 0);
	assert_int_equal(f->view.attempts, 2);
	assert_true(f->view.reused);
	assert_int_equal(f->view.idle_ms, 77);
	assert_int_equal(f->view.clock.queued_us, 1000200);
	assert_int_equal(f->view.clock.connecting_us, 1000250);
	assert_int_equal(f->view.clock.connected_us, 1000300);
	assert_int_equal(f->view.clock.sent_us, 1000400);
	assert_int_equal(f->view.clock.first_byte_us, 1000500);
	assert_int_equal(f->view.clock.end_us, 1003000);
	assert_true(f->view.response_body.ended);
	assert_true(f->view.response_body.has_hash);
	assert_int_equal(f->view.response_body.kept, 5);
	assert_false(f->view.request_body.has_hash); /* there was none */
}

static void fields_come_in_order_and_without_the_space_around_their_values(void **state)
{
	struct fixture *f = *state;
	static const char *const wanted[][2] = {{"Host", "dashboard.test:8080"},
		{"X-Request-ID", "abc-1"}, {"Accept", "text/html"}, {"X-Empty", ""},
		{"accept", "*/*"}};
	struct record_fields walk;
	struct slice name;
	struct slice value;

	fake_begin(&f->fake, f->observer, get_text, "abc-1", CAPTURE_HEADERS);
	look(f);
	walk = record_fields(&f->view.request);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		assert_true(record_fields_next(&walk, &name, &value));
		assert_slice(name, wanted[i][0]);
		assert_slice(value, wanted[i][1]);
	}
	assert_false(record_fields_next(&walk, &name, &value));
	assert_slice(record_head_get(&f->view.request, FIELD_ACCEPT), "text/html");
	assert_null(record_head_get(&f->view.request, FIELD_COOKIE).ptr);
	fake_finish(&f->fake, EXCHANGE_COMPLETE, ERR_NONE);
}

static void a_head_without_fields_has_none(void **state)
{
	struct fixture *f = *state;
	struct record_fields walk;
	struct slice name;
	struct slice value;

	fake_begin(&f->fake, f->observer, "GET / HTTP/1.0\r\n\r\n", "abc-1", CAPTURE_FULL);
	look(f);
	assert_int_equal(f->view.request_version_minor, 0);
	walk = record_fields(&f->view.request);
	assert_false(record_fields_next(&walk, &name, &value));
	walk = record_fields(&f->view.response); /* not there at all yet */
	assert_false(record_fields_next(&walk, &name, &value));
	fake_finish(&f->fake, EXCHANGE_COMPLETE, ERR_NONE);
}

static void trailers_of_both_sides_are_kept(void **state)
{
	struct fixture *f = *state;
	struct record_fields walk;
	struct slice name;
	struct slice value;

	fake_begin(&f->fake, f->observer,
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "abc-1",
		CAPTURE_FULL);
	fake_request_data(&f->fake, SLICE("x"));
	fake_request_end(&f->fake, "X-Sum: 1\r\nX-More: 2\r\n\r\n");
	fake_response(&f->fake, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	fake_response_end(&f->fake, "X-Time: 3\r\n\r\n");
	fake_finish(&f->fake, EXCHANGE_COMPLETE, ERR_NONE);
	look(f);
	walk = record_fields(&f->view.request_trailers);
	assert_true(record_fields_next(&walk, &name, &value));
	assert_slice(name, "X-Sum");
	assert_true(record_fields_next(&walk, &name, &value));
	assert_slice(value, "2");
	assert_false(record_fields_next(&walk, &name, &value));
	walk = record_fields(&f->view.response_trailers);
	assert_true(record_fields_next(&walk, &name, &value));
	assert_slice(name, "X-Time");
	assert_slice(value, "3");
	assert_false(record_fields_next(&walk, &name, &value));
}

static void an_error_that_comes_with_the_answer_is_shown_with_it(void **state)
{
	struct fixture *f = *state;

	fake_begin(&f->fake, f->observer, get_text, "abc-1", CAPTURE_FULL);
	err_set(&f->fake.exchange.error, ERR_CONNECT, "api: connection refused");
	fake_response(&f->fake, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
	look(f);
	assert_slice(f->view.error, "api: connection refused");
	assert_int_equal(f->view.error_code, ERR_CONNECT);
	fake_response_end(&f->fake, NULL);
	fake_finish(&f->fake, EXCHANGE_UPSTREAM_FAILED, ERR_CONNECT);
	look(f);
	assert_int_equal(f->view.state, EXCHANGE_UPSTREAM_FAILED);
	assert_slice(f->view.error, "api: connection refused");
	assert_int_equal(f->view.status, 502);
}

static void an_error_after_the_answers_head_is_kept(void **state)
{
	struct fixture *f = *state;

	fake_begin(&f->fake, f->observer, get_text, "abc-1", CAPTURE_FULL);
	fake_response(&f->fake, ok_text);
	err_set(&f->fake.exchange.error, ERR_UPSTREAM_RESET, "api: reset within its answer");
	fake_finish(&f->fake, EXCHANGE_UPSTREAM_FAILED, ERR_UPSTREAM_RESET);
	look(f);
	assert_slice(f->view.error, "api: reset within its answer");
	assert_slice(f->view.upstream, "api");
	assert_int_equal(f->view.error_code, ERR_UPSTREAM_RESET);
}

static void an_exchange_that_was_never_answered_has_a_record(void **state)
{
	struct fixture *f = *state;

	fake_begin(&f->fake, f->observer, get_text, "abc-1", CAPTURE_FULL);
	f->fake.exchange.upstream = "api";
	fake_finish(&f->fake, EXCHANGE_CLIENT_ABORTED, ERR_CLIENT_GONE);
	look(f);
	assert_int_equal(f->view.state, EXCHANGE_CLIENT_ABORTED);
	assert_int_equal(f->view.status, 0);
	assert_slice(f->view.upstream, "api");
	assert_true(f->view.error.len > 0);
	assert_true(f->view.request_body.ended);
	assert_true(f->view.response_body.ended);
}

static void a_request_whose_head_was_refused_has_a_record(void **state)
{
	struct fixture *f = *state;
	struct exchange *exchange = &f->fake.exchange;

	fake_prepare(&f->fake, f->observer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "", CAPTURE_FULL);
	exchange->request = (struct head){.bytes = NULL};
	exchange->target = (struct target){.has_query = false};
	exchange->host = slice_of(NULL, 0);
	exchange->request_id = slice_of(NULL, 0);
	exchange->route = NULL;
	exchange->trace_id[0] = '\0';
	err_set(&exchange->error, ERR_SYNTAX, "a field name is not a token");
	fake_tell_begin(&f->fake);
	fake_response(&f->fake, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
	fake_response_end(&f->fake, NULL);
	fake_finish(&f->fake, EXCHANGE_COMPLETE, ERR_SYNTAX);
	look(f);
	assert_int_equal(f->view.status, 400);
	assert_slice(f->view.error, "a field name is not a token");
	assert_int_equal(f->view.request.bytes.len, 0);
	assert_int_equal(f->view.method_name.len, 0);
	assert_int_equal(f->view.path.len, 0);
	assert_slice(f->view.client_ip, "192.0.2.7");
}

static void a_target_that_was_refused_is_shown_as_it_came(void **state)
{
	struct fixture *f = *state;
	struct exchange *exchange = &f->fake.exchange;

	fake_prepare(&f->fake, f->observer,
		"GET http://b.test/?x=1 HTTP/1.1\r\nHost: b.test\r\n\r\n", "abc-1", CAPTURE_FULL);
	exchange->target = (struct target){.has_query = false};
	err_set(&exchange->error, ERR_MISDIRECTED, "the target's authority is not the Host");
	fake_tell_begin(&f->fake);
	look(f);
	assert_slice(f->view.path, "http://b.test/");
	assert_slice(f->view.query, "x=1");
	assert_true(f->view.has_query);
	fake_finish(&f->fake, EXCHANGE_COMPLETE, ERR_MISDIRECTED);
}

static void texts_that_are_no_part_of_the_head_are_kept_beside_it(void **state)
{
	struct fixture *f = *state;
	char id[REQUEST_ID_MAX + 1];

	memset(id, 'i', REQUEST_ID_MAX);
	id[REQUEST_ID_MAX] = '\0';
	fake_prepare(
		&f->fake, f->observer, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", id, CAPTURE_FULL);
	f->fake.exchange.target.path = SLICE("*");
	fake_tell_begin(&f->fake);
	look(f);
	assert_slice(f->view.request_id, id);
	assert_slice(f->view.path, "*");
	assert_slice(f->view.host, "a");
	assert_slice(f->view.method_name, "OPTIONS");
	assert_false(f->view.has_query);
	fake_finish(&f->fake, EXCHANGE_COMPLETE, ERR_NONE);
}

static void a_tunnel_counts_its_bytes_and_keeps_none(void **state)
{
	struct fixture *f = *state;

	fake_begin(&f->fake, f->observer,
		"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
		"abc-1", CAPTURE_FULL);
	fake_request_end(&f->fake, NULL);
	fake_response(&f->fake, "HTTP/1.1 101 Switching Protocols\r\nConnection: "
				"upgrade\r\nUpgrade: websocket\r\n\r\n");
	fake_request_data(&f->fake, SLICE("ping"));
	fake_response_data(&f->fake, SLICE("pong pong"));
	look(f);
	assert_int_equal(f->view.state, EXCHANGE_TUNNEL);
	assert_int_equal(f->view.request_body.size, 4);
	assert_int_equal(f->view.response_body.size, 9);
	assert_false(f->view.request_body.ended);
	fake_request_end(&f->fake, NULL);
	fake_response_end(&f->fake, NULL);
	fake_finish(&f->fake, EXCHANGE_TUNNEL, ERR_NONE);
	look(f);
	assert_int_equal(f->view.state, EXCHANGE_TUNNEL);
	assert_int_equal(f->view.status, 101);
	assert_int_equal(f->view.request_body.size, 4);
	assert_int_equal(f->view.request_body.kept, 0);
	assert_int_equal(f->view.response_body.size, 9);
	assert_int_equal(f->view.response_body.kept, 0);
	assert_false(f->view.request_body.truncated);
	assert_false(f->view.request_body.has_hash);
	assert_false(f->view.response_body.has_hash);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_running_exchange_shows_what_is_known_of_it),
		TEST(a_reference_shows_the_end_once_it_has_come),
		TEST(fields_come_in_order_and_without_the_space_around_their_values),
		TEST(a_head_without_fields_has_none),
		TEST(trailers_of_both_sides_are_kept),
		TEST(an_error_that_comes_with_the_answer_is_shown_with_it),
		TEST(an_error_after_the_answers_head_is_kept),
		TEST(an_exchange_that_was_never_answered_has_a_record),
		TEST(a_request_whose_head_was_refused_has_a_record),
		TEST(a_target_that_was_refused_is_shown_as_it_came),
		TEST(texts_that_are_no_part_of_the_head_are_kept_beside_it),
		TEST(a_tunnel_counts_its_bytes_and_keeps_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
