/*
 * Lists and records on their way out: slices, pauses, leaving in the middle; order and pages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "inspector_fixture.h"

enum {
	MANY = 500, /* records: more than a slice, and than a batch, takes */
	PART_MAX = 384 * 1024,
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

static void add(struct inspector_fixture *f, unsigned from, unsigned count)
{
	for (unsigned i = from; i < from + count; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "r%u", i);
		fake_run(inspector_fixture_observer(f), i % 2 == 0 ? "GET" : "POST", id, 200,
			SLICE(""), SLICE("answer"));
	}
}

static void add_poll(struct inspector_fixture *f, const char *id)
{
	struct fake_exchange fake;

	fake_begin(&fake, inspector_fixture_observer(f), "GET /poll HTTP/1.1\r\nHost: a\r\n\r\n",
		id, CAPTURE_ROW);
	fake_finish(&fake, EXCHANGE_COMPLETE, ERR_NONE);
}

/* The request IDs of a list, in its order: "r3 r2 r1 ". */
static const char *ids_of(struct asked *asked)
{
	static char ids[64 * 1024];
	const char *at = inspected_body(asked);
	size_t len = 0;

	while ((at = strstr(at, "\"request_id\":\"")) != NULL) {
		at += strlen("\"request_id\":\"");
		len += (size_t)snprintf(
			ids + len, sizeof(ids) - len, "%.*s ", (int)strcspn(at, "\""), at);
	}
	ids[len] = '\0';
	return ids;
}

static const char *numbered_down(unsigned from, unsigned to)
{
	static char ids[64 * 1024];
	size_t len = 0;

	for (unsigned i = from + 1; i-- > to;) {
		len += (size_t)snprintf(ids + len, sizeof(ids) - len, "r%u ", i);
	}
	ids[len] = '\0';
	return ids;
}

static uint64_t next_of(struct asked *asked)
{
	const char *at = strstr(inspected_body(asked), "\"next\":");

	assert_non_null(at);
	return strncmp(at + 7, "null", 4) == 0 ? 0 : strtoull(at + 7, NULL, 10);
}

static uint64_t bytes_held(struct inspector_fixture *f)
{
	struct capture_counts counts;

	capture_store_counts(f->store, &counts);
	return counts.bytes;
}

/* --- slices */

static void a_long_list_is_made_in_slices_between_which_the_loop_turns(void **state)
{
	struct inspector_fixture *f = *state;
	struct asked *asked;
	unsigned turns = 0;

	add(f, 0, MANY);
	asked = inspect_begin(f, "GET", "/_inspector/api/requests?limit=1000", "");
	for (; !asked->ended; turns++) {
		unsigned before = asked->parts;

		inspect_turn(f);
		assert_true(asked->parts <=
			    before + 2); /* the first turn has two: at once, and later */
	}
	assert_true(turns >= MANY / 32 - 1);
	assert_true(asked->largest < PART_MAX);
	assert_int_equal(asked->response.framing.kind, FRAMING_CHUNKED);
	assert_string_equal(ids_of(asked), numbered_down(MANY - 1, 0));
	assert_int_equal(next_of(asked), 0);
}

static void a_paused_list_makes_nothing_and_holds_no_record_but_one(void **state)
{
	struct inspector_fixture *f = *state;
	struct asked *asked;
	uint64_t held;

	add(f, 0, MANY);
	asked = inspect_begin(f, "GET", "/_inspector/?limit=1000", "");
	asked->pause_after = 2;
	while (asked->parts < 2) {
		inspect_turn(f);
	}
	for (unsigned i = 0; i < 100; i++) {
		inspect_turn(f);
	}
	assert_int_equal(asked->parts, 2);
	assert_false(asked->ended);
	held = bytes_held(f) / MANY;
	capture_store_clear(f->store);
	assert_true(bytes_held(f) <= 2 * held);
	asked->responder->ops->resume(asked->responder);
	assert_int_equal(asked->parts, 2); /* nothing comes from inside a call down */
	inspect_until_end(f);
	assert_true(next_of(asked) == 0);
}

static void a_list_goes_on_after_a_pause_where_it_stood(void **state)
{
	struct inspector_fixture *f = *state;
	struct asked *asked;

	add(f, 0, MANY);
	asked = inspect_begin(f, "GET", "/_inspector/?limit=1000", "");
	while (!asked->ended) {
		asked->pause_after = asked->parts + 1;
		inspect_turn(f);
		inspect_turn(f);
		if (!asked->ended) {
			asked->responder->ops->resume(asked->responder);
		}
	}
	assert_string_equal(ids_of(asked), numbered_down(MANY - 1, 0));
}

/* What is lost or freed too early, the sanitizers tell. */
static void a_client_may_leave_at_any_moment(void **state)
{
	static const char *const targets[] = {"/_inspector/api/requests?limit=1000",
		"/_inspector/?limit=1000", "/_inspector/?q=nowhere", "/_inspector/?q=answer",
		"/_inspector/api/requests/big", "/_inspector/api/requests/big/response-body",
		"/_inspector/panel/main.js", "/_inspector/healthz", "/_inspector/nothing"};
	struct inspector_fixture *f = *state;
	char *body = mem_zalloc(200000);

	add(f, 0, 100);
	fake_run(inspector_fixture_observer(f), "GET", "big", 200, SLICE(""),
		slice_of(body, 200000));
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		for (unsigned moment = 0; moment < 6; moment++) {
			struct asked *asked = inspect_begin(f, "GET", targets[i], "");

			for (unsigned turn = 0; turn < moment; turn++) {
				inspect_turn(f);
			}
			inspect_finish(f); /* between two turns */
			asked = inspect_begin(f, "GET", targets[i], "");
			asked->leave_after = moment; /* while it is told */
			for (unsigned turn = 0; turn < 6; turn++) {
				inspect_turn(f);
			}
		}
	}
	inspect_finish(f);
	capture_store_clear(f->store);
	assert_int_equal(bytes_held(f), 0);
	mem_free(body);
}

static void a_large_record_comes_in_parts_and_a_body_in_pieces(void **state)
{
	struct inspector_fixture *f = *state;
	size_t len = 256 * 1024;
	char *body = mem_alloc(len);
	struct asked *asked;

	for (size_t i = 0; i < len; i++) {
		body[i] = (char)(i % 251);
	}
	fake_run(inspector_fixture_observer(f), "POST", "big", 200, slice_of(body, len),
		slice_of(body, len));
	asked = inspect_get(f, "/_inspector/api/requests/big");
	assert_true(asked->parts > 4);
	assert_true(asked->largest < PART_MAX);
	asked = inspect_get(f, "/_inspector/api/requests/big/request-body");
	assert_int_equal(asked->response.framing.kind, FRAMING_LENGTH);
	assert_int_equal(asked->response.framing.length, len);
	assert_int_equal(asked->body.len, len);
	assert_memory_equal(asked->body.ptr, body, len);
	assert_true(asked->parts >= 4);
	mem_free(body);
}

/* --- order and pages */

static void what_comes_meanwhile_does_not_disturb_the_list(void **state)
{
	struct inspector_fixture *f = *state;
	struct asked *asked;

	add(f, 0, 200);
	asked = inspect_begin(f, "GET", "/_inspector/api/requests?limit=1000", "");
	for (unsigned i = 200; !asked->ended; i++) {
		inspect_turn(f);
		add(f, i, 1);
	}
	assert_string_equal(ids_of(asked), numbered_down(199, 0));
}

static void pages_follow_each_other_without_gap_or_double(void **state)
{
	struct inspector_fixture *f = *state;
	char ids[4096] = "";
	uint64_t before = UINT64_MAX;
	unsigned pages = 0;

	add(f, 0, 100);
	do {
		char target[128];

		(void)snprintf(target, sizeof(target),
			"/_inspector/api/requests?limit=33&before=%llu",
			(unsigned long long)before);
		(void)strcat(ids, ids_of(inspect_get(f, target)));
		before = next_of(&f->asked);
		pages++;
	} while (before != 0);
	assert_string_equal(ids, numbered_down(99, 0));
	assert_int_equal(pages, 4);
}

static void there_is_a_next_page_only_where_something_is_on_it(void **state)
{
	struct inspector_fixture *f = *state;

	add(f, 0, 100); /* fifty of each method */
	assert_int_equal(next_of(inspect_get(f, "/_inspector/api/requests?limit=100")), 0);
	assert_int_equal(next_of(inspect_get(f, "/_inspector/api/requests?limit=99")), 2);
	assert_int_equal(
		next_of(inspect_get(f, "/_inspector/api/requests?limit=50&method=GET")), 0);
	assert_int_equal(
		next_of(inspect_get(f, "/_inspector/api/requests?limit=49&method=GET")), 3);
	assert_string_equal(ids_of(&f->asked) + strlen(ids_of(&f->asked)) - 3, "r2 ");
	assert_string_equal(
		ids_of(inspect_get(f, "/_inspector/api/requests?after=97")), "r99 r98 r97 ");
	assert_string_equal(
		ids_of(inspect_get(f, "/_inspector/api/requests?after=97&before=99")), "r97 ");
	assert_string_equal(ids_of(inspect_get(f, "/_inspector/api/requests?before=1")), "");
}

static void polls_stand_between_the_records_in_the_order_of_their_numbers(void **state)
{
	struct inspector_fixture *f = *state;
	struct asked *asked;

	add_poll(f, "p0");
	add(f, 0, 1);
	add_poll(f, "p1");
	add_poll(f, "p2");
	add(f, 1, 2);
	add_poll(f, "p3");
	assert_string_equal(ids_of(inspect_get(f, "/_inspector/api/requests?polls=1")),
		"p3 r2 r1 p2 p1 r0 p0 ");
	assert_string_equal(ids_of(inspect_get(f, "/_inspector/api/requests")), "r2 r1 r0 ");
	asked = inspect_get(f, "/_inspector/api/requests?polls=1&limit=3");
	assert_string_equal(ids_of(asked), "p3 r2 r1 ");
	assert_int_equal(next_of(asked), 5);
	assert_string_equal(ids_of(inspect_get(f, "/_inspector/api/requests?polls=1&before=5")),
		"p2 p1 r0 p0 ");
	assert_string_equal(ids_of(inspect_get(f, "/_inspector/api/requests?polls=1&path=/poll")),
		"p3 p2 p1 p0 ");
	assert_string_equal(ids_of(inspect_get(f, "/_inspector/api/requests?polls=1&q=P2")), "p2 ");
}

/* A batch of one kind must not run ahead of the other. */
static void many_polls_and_records_keep_their_order(void **state)
{
	struct inspector_fixture *f = *state;
	char want[4096] = "";
	char id[16];

	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(id, sizeof(id), "r%u", i);
		if (i % 3 == 0 || (i > 60 && i < 110)) {
			add_poll(f, id);
		} else {
			add(f, i, 1);
		}
	}
	/* the poll log keeps 100 rows: more than there are */
	(void)snprintf(want, sizeof(want), "%.*s", (int)sizeof(want) - 1, numbered_down(199, 0));
	assert_string_equal(
		ids_of(inspect_get(f, "/_inspector/api/requests?polls=1&limit=1000")), want);
}

static void the_figures_beside_the_items_are_the_stores(void **state)
{
	struct inspector_fixture *f = *state;
	const char *body;

	add(f, 0, 3);
	add_poll(f, "p");
	body = inspected_body(inspect_get(f, "/_inspector/api/requests?limit=1"));
	assert_non_null(strstr(body, "],\"count\":3,\"capacity\":2000,\"evicted\":0,\"bytes\":"));
	assert_non_null(
		strstr(body, ",\"poll_rows\":1,\"poll_capacity\":100,\"paused\":false,"
			     "\"next\":3,\"server\":{\"version\":\"" SIGHTGLASS_VERSION
			     "\",\"listen\":[\"127.0.0.1:8080\"],\"capture_body\":262144}}"));
}

static void head_gets_the_head_alone(void **state)
{
	struct inspector_fixture *f = *state;
	struct asked *asked;

	add(f, 0, 100);
	asked = inspect(f, "HEAD", "/_inspector/api/requests", "");
	assert_int_equal(asked->status, 200);
	assert_int_equal(asked->body.len, 0);
	assert_int_equal(asked->response.framing.kind, FRAMING_NONE);
	asked = inspect(f, "HEAD", "/_inspector/api/requests/r1/response-body", "");
	assert_string_equal(inspected_field(asked, "Content-Length"), "6");
	assert_int_equal(asked->body.len, 0);
	assert_int_equal(asked->response.framing.kind, FRAMING_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_long_list_is_made_in_slices_between_which_the_loop_turns, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_paused_list_makes_nothing_and_holds_no_record_but_one, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_list_goes_on_after_a_pause_where_it_stood, setup, teardown),
		cmocka_unit_test_setup_teardown(a_client_may_leave_at_any_moment, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_large_record_comes_in_parts_and_a_body_in_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_comes_meanwhile_does_not_disturb_the_list, setup, teardown),
		cmocka_unit_test_setup_teardown(
			pages_follow_each_other_without_gap_or_double, setup, teardown),
		cmocka_unit_test_setup_teardown(
			there_is_a_next_page_only_where_something_is_on_it, setup, teardown),
		cmocka_unit_test_setup_teardown(
			polls_stand_between_the_records_in_the_order_of_their_numbers, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			many_polls_and_records_keep_their_order, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_figures_beside_the_items_are_the_stores, setup, teardown),
		cmocka_unit_test_setup_teardown(head_gets_the_head_alone, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
