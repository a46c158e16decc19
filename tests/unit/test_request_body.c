/*
 * The body of a request for the inspector: in one piece or many, before the handler and behind it,
 * too long, broken, and never whole. Asked of api/capture, whose body is {"paused": …}.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/memory.h"
#include "fake_exchange.h"
#include "inspector_fixture.h"

#define ORIGIN "Origin: http://localhost\r\n"
#define TARGET "/_inspector/api/capture"

enum {
	BODY_MAX = 4096,
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

static void send_data(struct inspector_fixture *f, const char *text)
{
	struct responder *responder = f->asked.responder;

	responder->ops->data(responder, slice_str(text));
}

static void send_end(struct inspector_fixture *f)
{
	f->asked.responder->ops->end(f->asked.responder);
}

/* All of it before the handler runs. */
static struct asked *post(struct inspector_fixture *f, const char *body)
{
	(void)inspect_begin(f, "POST", TARGET, ORIGIN);
	send_data(f, body);
	send_end(f);
	inspect_until_end(f);
	return &f->asked;
}

static void expect(struct asked *asked, unsigned status, const char *part)
{
	assert_int_equal(asked->status, status);
	assert_non_null(strstr(inspected_body(asked), part));
}

static void a_body_is_read_whenever_it_comes(void **state)
{
	struct inspector_fixture *f = *state;
	static const char body[] = "{\"paused\":true}";

	expect(post(f, body), 200, body);
	assert_true(capture_store_is_paused(f->store));
	expect(post(f, "{\"paused\":false}"), 200, "{\"paused\":false}");
	assert_false(capture_store_is_paused(f->store));
	for (unsigned turns_before = 0; turns_before < 2; turns_before++) {
		(void)inspect_begin(f, "POST", TARGET, ORIGIN);
		for (size_t i = 0; body[i] != '\0'; i++) {
			char piece[2] = {body[i], '\0'};

			if (turns_before > 0 || i > 3) {
				inspect_turn(f);
			}
			send_data(f, piece);
		}
		inspect_turn(f);
		assert_int_equal(f->asked.status, 0); /* it has not ended yet */
		send_end(f);
		inspect_until_end(f);
		expect(&f->asked, 200, body);
	}
}

static void what_is_no_such_object_is_refused_with_what_would_be_right(void **state)
{
	static const char *const bodies[][2] = {
		{"", "JSON"},
		{"{", "JSON"},
		{"[]", "JSON object"},
		{"true", "JSON"},
		{"{}", "\\\"paused\\\""},
		{"{\"paused\":1}", "true or false"},
		{"{\"paused\":true,\"pausd\":true}", "\\\"pausd\\\""},
		{"{\"paused\":true,\"paused\":true}", "JSON"},
	};
	struct inspector_fixture *f = *state;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		expect(post(f, bodies[i][0]), 400, bodies[i][1]);
		assert_false(capture_store_is_paused(f->store));
	}
}

static char *long_body(size_t len)
{
	char *body = mem_alloc(len + 1);

	memset(body, ' ', len);
	memcpy(body, "{\"paused\":true", 14);
	body[len - 1] = '}';
	body[len] = '\0';
	return body;
}

static void a_body_over_the_bound_is_refused_before_its_end(void **state)
{
	struct inspector_fixture *f = *state;
	char *fits = long_body(BODY_MAX);
	char *too_long = long_body(BODY_MAX + 1);

	expect(post(f, fits), 200, "true");
	expect(post(f, too_long), 413, "4096 bytes");
	(void)inspect_begin(f, "POST", TARGET, ORIGIN);
	inspect_turn(f);
	send_data(f, fits);
	inspect_turn(f);
	assert_int_equal(f->asked.status, 0);
	send_data(f, " ");
	inspect_until_end(f);
	expect(&f->asked, 413, "4096 bytes");
	send_data(f, fits); /* and it goes on all the same */
	send_end(f);
	inspect_turn(f);
	mem_free(fits);
	mem_free(too_long);
}

static void a_body_that_nobody_reads_is_passed_over(void **state)
{
	struct inspector_fixture *f = *state;

	(void)inspect_begin(f, "POST", "/_inspector/api/requests", ORIGIN);
	send_data(f, "{\"paused\":true}");
	inspect_until_end(f);
	assert_int_equal(f->asked.status, 405);
	send_data(f, "more");
	send_end(f);
	(void)inspect_begin(f, "GET", "/_inspector/api/capture", "");
	send_data(f, "anything");
	send_end(f);
	inspect_until_end(f);
	expect(&f->asked, 200, "{\"paused\":false}");
}

static void who_leaves_within_the_body_leaves_nothing_behind(void **state)
{
	struct inspector_fixture *f = *state;

	(void)inspect_begin(f, "POST", TARGET, ORIGIN);
	send_data(f, "{\"paused\"");
	inspect_turn(f);
	send_data(f, ":true}");
	inspect_finish(f);
	(void)inspect_begin(f, "POST", TARGET, ORIGIN);
	send_data(f, "{\"paused\":true}");
	send_end(f); /* in the turn in which it leaves */
	inspect_finish(f);
	assert_false(capture_store_is_paused(f->store));
}

static void a_change_needs_the_same_origin(void **state)
{
	struct inspector_fixture *f = *state;

	(void)inspect_begin(f, "POST", TARGET, "Origin: http://evil.example\r\n");
	send_data(f, "{\"paused\":true}");
	send_end(f);
	inspect_until_end(f);
	assert_int_equal(f->asked.status, 403);
	assert_false(capture_store_is_paused(f->store));
}

static void while_it_is_paused_what_begins_is_not_recorded(void **state)
{
	struct inspector_fixture *f = *state;
	struct capture_counts counts;
	struct exchange exchange = {.capture = CAPTURE_FULL};
	struct observer *observer = inspector_fixture_observer(f);

	expect(post(f, "{\"paused\":true}"), 200, "true");
	assert_int_equal(observer->ops->begin(observer, &exchange, 0), OBSERVE_NOTHING);
	exchange.capture = CAPTURE_ROW;
	assert_int_equal(observer->ops->begin(observer, &exchange, 0), OBSERVE_NOTHING);
	capture_store_counts(f->store, &counts);
	assert_true(counts.paused);
	assert_int_equal(counts.count, 0);
	expect(inspect_get(f, "/_inspector/api/requests"), 200, "\"paused\":true");
	expect(post(f, "{\"paused\":false}"), 200, "false");
	assert_int_equal(observer->ops->begin(observer, &exchange, 0), OBSERVE_END);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_body_is_read_whenever_it_comes),
		TEST(what_is_no_such_object_is_refused_with_what_would_be_right),
		TEST(a_body_over_the_bound_is_refused_before_its_end),
		TEST(a_body_that_nobody_reads_is_passed_over),
		TEST(who_leaves_within_the_body_leaves_nothing_behind),
		TEST(a_change_needs_the_same_origin),
		TEST(while_it_is_paused_what_begins_is_not_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
