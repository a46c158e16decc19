/*
 * The stream of events on its way out: what it tells and when, where it goes on, what a slow
 * reader gets, and how it ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "inspector/api_events.h"
#include "inspector_fixture.h"

enum {
	ROUND = 32768, /* entries of the log */
	TURNS_MAX = 2000,
	PART_MAX = 32 * 1024,
};

static int setup(void **state)
{
	struct inspector_fixture *f = mem_alloc(sizeof(*f));

	inspector_fixture_init(f, NULL);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	inspector_fixture_fini(*state);
	mem_free(*state);
	return 0;
}

/* The loop sleeps until its next timer; a look is due in 50 ms. */
static void turn(struct inspector_fixture *f)
{
	loop_settle(&f->worker.loop);
	(void)uv_run(&f->worker.loop.uv, UV_RUN_ONCE);
	loop_settle(&f->worker.loop);
}

static void wait_for(struct inspector_fixture *f, const char *text)
{
	for (unsigned turns = 0; strstr(inspected_body(&f->asked), text) == NULL; turns++) {
		assert_true(turns < TURNS_MAX);
		turn(f);
	}
}

static struct asked *follow(struct inspector_fixture *f, const char *query, const char *fields)
{
	char target[256];
	struct asked *asked;

	(void)snprintf(target, sizeof(target), "/_inspector/api/events%s", query);
	asked = inspect_begin(f, "GET", target, fields);
	turn(f);
	return asked;
}

static void forget(struct asked *asked)
{
	buffer_clear(&asked->body);
}

static unsigned count(struct asked *asked, const char *text)
{
	unsigned found = 0;

	for (const char *at = inspected_body(asked); (at = strstr(at, text)) != NULL; at++) {
		found++;
	}
	return found;
}

/* The last `id` that came. */
static const char *last_id(struct asked *asked)
{
	static char id[64];
	const char *found = NULL;

	for (const char *at = inspected_body(asked); (at = strstr(at, "id: ")) != NULL; at++) {
		found = at + 4;
	}
	assert_non_null(found);
	(void)snprintf(id, sizeof(id), "%.*s", (int)strcspn(found, "\n"), found);
	return id;
}

static void run_one(struct inspector_fixture *f, const char *method, const char *id)
{
	fake_run(inspector_fixture_observer(f), method, id, 200, SLICE(""), SLICE("fine words"));
}

static void the_opening_tells_where_it_begins_and_how_things_stand(void **state)
{
	struct inspector_fixture *f = *state;
	struct asked *asked = follow(f, "", "");

	assert_int_equal(asked->status, 200);
	assert_string_equal(inspected_field(asked, "Content-Type"), "text/event-stream");
	assert_string_equal(inspected_field(asked, "Cache-Control"), "no-store");
	wait_for(f, "event: stats\ndata: {\"ts\":");
	assert_int_equal(count(asked, "retry: 1000\n"), 1);
	assert_int_equal(count(asked, "\"capacity\":2000"), 1);
	assert_false(asked->ended);
}

static void an_exchange_is_told_when_it_begins_is_answered_and_ends(void **state)
{
	struct inspector_fixture *f = *state;
	struct asked *asked = follow(f, "?stats=0", "");
	struct fake_exchange fake;

	fake_begin(&fake, inspector_fixture_observer(f), "GET /api/a HTTP/1.1\r\nHost: a\r\n\r\n",
		"slow", CAPTURE_FULL);
	wait_for(f, "\"request_id\":\"slow\"");
	assert_int_equal(count(asked, "\"state\":\"active\""), 1);
	forget(asked);
	fake_response(&fake, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n");
	wait_for(f, "\"status\":200");
	assert_int_equal(count(asked, "\"state\":\"active\""), 1);
	forget(asked);
	fake_finish(&fake, EXCHANGE_COMPLETE, ERR_NONE);
	wait_for(f, "\"state\":\"complete\"");
	assert_int_equal(count(asked, "event: request\n"), 1);
}

static void one_that_is_over_before_the_next_look_is_told_once(void **state)
{
	struct inspector_fixture *f = *state;
	struct asked *asked = follow(f, "?stats=0", "");

	run_one(f, "GET", "quick");
	wait_for(f, "quick");
	run_one(f, "GET", "last");
	wait_for(f, "last");
	assert_int_equal(count(asked, "\"request_id\":\"quick\""), 1);
}

static void a_reader_that_comes_back_finds_what_came_meanwhile_and_nothing_twice(void **state)
{
	struct inspector_fixture *f = *state;
	char query[128];
	char fields[128];

	(void)follow(f, "?stats=0", "");
	run_one(f, "GET", "before");
	wait_for(f, "before");
	(void)snprintf(fields, sizeof(fields), "Last-Event-ID: %s\r\n", last_id(&f->asked));
	(void)snprintf(query, sizeof(query), "?stats=0&last_event_id=%s", last_id(&f->asked));
	inspect_finish(f);
	run_one(f, "GET", "meanwhile");

	(void)follow(f, "?stats=0", fields);
	wait_for(f, "meanwhile");
	assert_int_equal(count(&f->asked, "before"), 0);
	assert_int_equal(count(&f->asked, "event: gap"), 0);

	(void)follow(f, query, "");
	wait_for(f, "meanwhile");
	assert_int_equal(count(&f->asked, "event: request\n"), 1);
}

static void an_id_of_another_process_is_a_gap(void **state)
{
	struct inspector_fixture *f = *state;

	(void)follow(f, "", "Last-Event-ID: 00000000.40000\r\n");
	wait_for(f, "event: gap\ndata: {\"reason\":\"restarted\",\"missed\":null,\"before\":1}");
	(void)follow(f, "?last_event_id=what%20ever", "");
	wait_for(f, "\"reason\":\"restarted\"");
}

static void an_id_that_is_too_old_is_a_gap_that_says_what_was_missed(void **state)
{
	struct inspector_fixture *f = *state;
	struct event_log *log = capture_store_events(f->store);
	char fields[128];

	(void)follow(f, "?stats=0", "");
	wait_for(f, "id: ");
	(void)snprintf(fields, sizeof(fields), "Last-Event-ID: %s\r\n", last_id(&f->asked));
	for (unsigned i = 0; i <= ROUND; i++) {
		event_log_tell(log, EVENT_ENDED, 999999);
	}
	(void)follow(f, "?stats=0", fields);
	wait_for(f, "event: gap\ndata: {\"reason\":\"late\",\"missed\":32769,");
	run_one(f, "GET", "new");
	wait_for(f, "\"request_id\":\"new\"");
}

static void a_reader_that_takes_nothing_holds_nothing_and_gets_a_gap(void **state)
{
	struct inspector_fixture *f = *state;
	struct event_log *log = capture_store_events(f->store);
	struct capture_counts counts;
	struct asked *asked = follow(f, "?stats=0", "");

	wait_for(f, "id: ");
	asked->responder->ops->pause(asked->responder);
	forget(asked);
	for (unsigned i = 0; i < 3000; i++) {
		run_one(f, "GET", "unread");
	}
	for (unsigned i = 0; i < ROUND; i++) {
		event_log_tell(log, EVENT_ENDED, 999999);
	}
	turn(f);
	assert_int_equal(asked->body.len, 0);
	capture_store_counts(f->store, &counts);
	assert_int_equal(counts.count, 2000);
	asked->responder->ops->resume(asked->responder);
	wait_for(f, "\"reason\":\"slow\",\"missed\":");
	run_one(f, "GET", "afterwards");
	wait_for(f, "afterwards");
	assert_true(asked->largest <= PART_MAX);
}

static void many_events_go_out_in_parts_of_a_bounded_size(void **state)
{
	struct inspector_fixture *f = *state;
	struct asked *asked = follow(f, "?stats=0", "");

	for (unsigned i = 0; i < 700; i++) {
		run_one(f, "GET", "one-of-many");
	}
	run_one(f, "GET", "the-last");
	wait_for(f, "the-last");
	assert_int_equal(count(asked, "one-of-many"), 700);
	assert_true(asked->largest <= PART_MAX);
}

static void evicted_records_are_told_by_their_numbers(void **state)
{
	struct inspector_fixture *f = *state;
	struct asked *asked;

	for (unsigned i = 0; i < 2000; i++) {
		run_one(f, "GET", "old");
	}
	asked = follow(f, "?stats=0", "");
	run_one(f, "GET", "new");
	wait_for(f, "\"request_id\":\"new\"");
	assert_int_equal(count(asked, "event: evicted\ndata: {\"seqs\":[1]}"), 1);
}

static void a_clear_is_a_gap(void **state)
{
	struct inspector_fixture *f = *state;

	run_one(f, "GET", "old");
	(void)follow(f, "?stats=0", "");
	capture_store_clear(f->store);
	wait_for(f, "event: gap\ndata: {\"reason\":\"cleared\",\"missed\":0,\"before\":2}");
}

static void filters_choose_what_is_told(void **state)
{
	struct inspector_fixture *f = *state;
	struct asked *asked = follow(f, "?stats=0&method=POST&q=FINE", "");

	run_one(f, "GET", "other");
	run_one(f, "POST", "wanted");
	wait_for(f, "wanted");
	run_one(f, "POST", "wanted-too");
	wait_for(f, "wanted-too");
	assert_int_equal(count(asked, "other"), 0);
}

static void poll_rows_come_where_they_are_asked_for(void **state)
{
	struct inspector_fixture *f = *state;
	struct fake_exchange fake;

	(void)follow(f, "?polls=1&stats=0", "");
	fake_begin(&fake, inspector_fixture_observer(f), "GET /poll HTTP/1.1\r\nHost: a\r\n\r\n",
		"polled", CAPTURE_ROW);
	fake_finish(&fake, EXCHANGE_COMPLETE, ERR_NONE);
	wait_for(f, "data: {\"poll\":true,\"seq\":1,");
}

static void it_ends_with_the_worker(void **state)
{
	struct inspector_fixture *f = *state;
	struct asked *asked = follow(f, "", "");

	f->worker.draining = true;
	inspect_until_end(f);
	assert_true(asked->ended);
}

static void one_that_takes_nothing_does_not_hold_the_end_up(void **state)
{
	struct inspector_fixture *f = *state;
	struct asked *asked = follow(f, "", "");

	asked->responder->ops->pause(asked->responder);
	f->worker.draining = true;
	inspect_until_end(f);
	assert_true(asked->aborted);
}

static void one_reader_too_many_is_told_to_come_again(void **state)
{
	struct inspector_fixture *f = *state;
	struct event_log *log = capture_store_events(f->store);

	for (unsigned i = 0; i < EVENT_READERS_MAX; i++) {
		assert_true(event_log_join(log, EVENT_READERS_MAX));
	}
	(void)inspect_get(f, "/_inspector/api/events");
	assert_int_equal(f->asked.status, 503);
	assert_string_equal(inspected_field(&f->asked, "Retry-After"), "5");
	for (unsigned i = 0; i < EVENT_READERS_MAX; i++) {
		event_log_leave(log);
	}
}

static void a_reader_gives_its_place_back(void **state)
{
	struct inspector_fixture *f = *state;
	struct event_log *log = capture_store_events(f->store);

	(void)follow(f, "", "");
	assert_int_equal(event_log_readers(log), 1);
	inspect_finish(f);
	assert_int_equal(event_log_readers(log), 0);
	(void)inspect(f, "HEAD", "/_inspector/api/events", "");
	assert_int_equal(f->asked.status, 200);
	inspect_finish(f);
	assert_int_equal(event_log_readers(log), 0);
}

static void a_bad_parameter_is_refused_by_its_name(void **state)
{
	static const struct {
		const char *query;
		const char *named;
	} cases[] = {
		{"?status=abc", "\\\"status\\\""},
		{"?stats=perhaps", "\\\"stats\\\""},
		{"?last_event_id=", "\\\"last_event_id\\\""},
		{"?limit=5", "\\\"limit\\\""},
		{"?before=5", "\\\"before\\\""},
		{"?polls=1&polls=1", "\\\"polls\\\""},
	};
	struct inspector_fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char target[128];

		(void)snprintf(target, sizeof(target), "/_inspector/api/events%s", cases[i].query);
		(void)inspect_get(f, target);
		assert_int_equal(f->asked.status, 400);
		assert_non_null(strstr(inspected_body(&f->asked), cases[i].named));
	}
	assert_int_equal(event_log_readers(capture_store_events(f->store)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(the_opening_tells_where_it_begins_and_how_things_stand),
		TEST(an_exchange_is_told_when_it_begins_is_answered_and_ends),
		TEST(one_that_is_over_before_the_next_look_is_told_once),
		TEST(a_reader_that_comes_back_finds_what_came_meanwhile_and_nothing_twice),
		TEST(an_id_of_another_process_is_a_gap),
		TEST(an_id_that_is_too_old_is_a_gap_that_says_what_was_missed),
		TEST(a_reader_that_takes_nothing_holds_nothing_and_gets_a_gap),
		TEST(many_events_go_out_in_parts_of_a_bounded_size),
		TEST(evicted_records_are_told_by_their_numbers),
		TEST(a_clear_is_a_gap),
		TEST(filters_choose_what_is_told),
		TEST(poll_rows_come_where_they_are_asked_for),
		TEST(it_ends_with_the_worker),
		TEST(one_that_takes_nothing_does_not_hold_the_end_up),
		TEST(one_reader_too_many_is_told_to_come_again),
		TEST(a_reader_gives_its_place_back),
		TEST(a_bad_parameter_is_refused_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
