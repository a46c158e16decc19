/*
 * What each capture level asks for and keeps.
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
	struct capture_counts counts;
};

static const char post_text[] = "POST /api/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
static const char ok_text[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->settings.capture.entries = 10;
	f->settings.capture.memory = 256 * 1024;
	f->settings.capture.body = 1024;
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

	capture_destroy(f->capture);
	capture_store_destroy(f->store);
	free(f);
	return 0;
}

/* A whole exchange at that level; returns what the capture asked for. */
static unsigned run(struct fixture *f, enum capture_level level, bool internal)
{
	struct fake_exchange fake;

	fake_prepare(&fake, f->observer, post_text, "id-1", level);
	fake.exchange.internal = internal;
	fake_tell_begin(&fake);
	fake_request_data(&fake, SLICE("hello"));
	fake_request_end(&fake, NULL);
	fake_response(&fake, ok_text);
	fake_response_data(&fake, SLICE("yes"));
	fake_response_end(&fake, NULL);
	fake_finish(&fake, EXCHANGE_COMPLETE, ERR_NONE);
	capture_store_counts(f->store, &f->counts);
	return fake.interest;
}

static void full_keeps_heads_and_bodies(void **state)
{
	struct fixture *f = *state;
	struct record *record;
	struct record_view view;

	assert_int_equal(run(f, CAPTURE_FULL, false),
		OBSERVE_HEADS | OBSERVE_BODIES | OBSERVE_TUNNEL | OBSERVE_END);
	assert_int_equal(f->counts.count, 1);
	record = capture_store_find_id(f->store, SLICE("id-1"));
	record_read(record, &view);
	assert_int_equal(view.level, CAPTURE_FULL);
	assert_int_equal(view.request_body.kept, 5);
	assert_int_equal(view.response_body.kept, 3);
	capture_store_release(f->store, record);
}

static void headers_keeps_heads_and_sizes(void **state)
{
	struct fixture *f = *state;
	struct record *record;
	struct record_view view;

	assert_int_equal(
		run(f, CAPTURE_HEADERS, false), OBSERVE_HEADS | OBSERVE_TUNNEL | OBSERVE_END);
	record = capture_store_find_id(f->store, SLICE("id-1"));
	record_read(record, &view);
	assert_int_equal(view.level, CAPTURE_HEADERS);
	assert_int_equal(view.request.bytes.len, strlen(post_text));
	assert_int_equal(view.response.bytes.len, strlen(ok_text));
	assert_int_equal(view.request_body.size, 5);
	assert_int_equal(view.response_body.size, 3);
	assert_int_equal(view.request_body.kept, 0);
	assert_int_equal(view.response_body.kept, 0);
	assert_false(view.request_body.truncated);
	assert_false(view.request_body.has_hash);
	capture_store_release(f->store, record);
	assert_int_equal(f->counts.truncated, 0);
}

static void row_keeps_one_row_and_asks_for_the_end_alone(void **state)
{
	struct fixture *f = *state;
	struct poll_row row;

	assert_int_equal(run(f, CAPTURE_ROW, false), OBSERVE_END);
	assert_int_equal(f->counts.count, 0);
	assert_int_equal(f->counts.bytes, 0);
	assert_int_equal(f->counts.rows, 1);
	assert_int_equal(poll_log_copy(capture_store_polls(f->store), UINT64_MAX, 0, &row, 1), 1);
	assert_int_equal(row.request_bytes, 5);
	assert_int_equal(row.response_bytes, 3);
}

static void none_keeps_nothing_and_asks_for_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, CAPTURE_NONE, false), OBSERVE_NOTHING);
	assert_int_equal(f->counts.count, 0);
	assert_int_equal(f->counts.rows, 0);
}

static void the_inspectors_own_exchanges_are_never_captured(void **state)
{
	struct fixture *f = *state;

	for (unsigned level = CAPTURE_FULL; level <= CAPTURE_NONE; level++) {
		assert_int_equal(run(f, (enum capture_level)level, true), OBSERVE_NOTHING);
	}
	assert_int_equal(f->counts.count, 0);
	assert_int_equal(f->counts.rows, 0);
}

static void a_thousand_polls_leave_no_record_and_the_post_before_them_stays(void **state)
{
	struct fixture *f = *state;
	struct record *record;

	fake_run(f->observer, "POST", "submit", 201, SLICE("job"), SLICE("ok"));
	for (unsigned i = 0; i < 1000; i++) {
		run(f, CAPTURE_ROW, false);
	}
	assert_int_equal(f->counts.count, 1);
	assert_int_equal(f->counts.evicted, 0);
	record = capture_store_find_id(f->store, SLICE("submit"));
	assert_non_null(record);
	capture_store_release(f->store, record);
}

static void what_is_no_answer_body_takes_no_memory_for_one(void **state)
{
	struct fixture *f = *state;
	struct fake_exchange fake;

	fake_begin(&fake, f->observer, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "id-1", CAPTURE_FULL);
	fake_request_end(&fake, NULL);
	fake_response(&fake, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
	fake_response_end(&fake, NULL);
	fake_finish(&fake, EXCHANGE_COMPLETE, ERR_NONE);
	capture_store_counts(f->store, &f->counts);
	assert_true(f->counts.bytes < 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(full_keeps_heads_and_bodies),
		TEST(headers_keeps_heads_and_sizes),
		TEST(row_keeps_one_row_and_asks_for_the_end_alone),
		TEST(none_keeps_nothing_and_asks_for_nothing),
		TEST(the_inspectors_own_exchanges_are_never_captured),
		TEST(a_thousand_polls_leave_no_record_and_the_post_before_them_stays),
		TEST(what_is_no_answer_body_takes_no_memory_for_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
