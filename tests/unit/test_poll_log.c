/*
 * The poll log: one row for each excluded exchange, the oldest gives way.
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
#include "inspector/poll_log.h"

enum {
	ROWS = 5,
};

struct fixture {
	struct poll_log *log;
	atomic_uint_least64_t next_seq;
	struct exchange exchange;
	struct route route;
	struct poll_row rows[3 * ROWS];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	atomic_init(&f->next_seq, 10);
	f->log = poll_log_create(ROWS, &f->next_seq);
	f->route.text = "/api/monitor";
	f->exchange.route = &f->route;
	f->exchange.request.method = METHOD_GET;
	f->exchange.request.method_name = SLICE("GET");
	f->exchange.target.path = SLICE("/api/monitor/aks");
	f->exchange.target.query = SLICE("token=secret");
	f->exchange.request_id = SLICE("id-1");
	f->exchange.status = 200;
	f->exchange.state = EXCHANGE_COMPLETE;
	f->exchange.request_bytes = 12;
	f->exchange.response_bytes = 345678901234;
	f->exchange.clock.wall_us = 1700000000000001;
	f->exchange.clock.begin_us = 1000;
	f->exchange.clock.end_us = 3500;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	poll_log_destroy(f->log);
	free(f);
	return 0;
}

static void assert_slice(struct slice got, const char *wanted)
{
	assert_int_equal(got.len, strlen(wanted));
	assert_memory_equal(got.ptr, wanted, got.len);
}

static void a_row_holds_the_facts_of_its_exchange(void **state)
{
	struct fixture *f = *state;
	const struct poll_row *row = &f->rows[0];

	err_set(&f->exchange.error, ERR_CONNECT, "refused");
	poll_log_add(f->log, &f->exchange);
	assert_int_equal(poll_log_copy(f->log, UINT64_MAX, 0, f->rows, ROWS), 1);
	assert_int_equal(row->seq, 10);
	assert_int_equal(row->wall_us, 1700000000000001);
	assert_int_equal(row->duration_us, 2500);
	assert_int_equal(row->request_bytes, 12);
	assert_int_equal(row->response_bytes, 345678901234);
	assert_int_equal(row->status, 200);
	assert_int_equal(row->state, EXCHANGE_COMPLETE);
	assert_int_equal(row->method, METHOD_GET);
	assert_int_equal(row->error, ERR_CONNECT);
	assert_slice(poll_row_request_id(row), "id-1");
	assert_slice(poll_row_method(row), "GET");
	assert_slice(poll_row_route(row), "/api/monitor");
	assert_slice(poll_row_path(row), "/api/monitor/aks");
	assert_false(row->path_cut);
}

static void a_long_path_is_cut_and_the_row_says_so(void **state)
{
	struct fixture *f = *state;
	const struct poll_row *row = &f->rows[0];
	char id[REQUEST_ID_MAX];
	char path[8000];
	char route[100];

	memset(id, 'i', sizeof(id));
	memset(path, 'p', sizeof(path));
	memset(route, 'r', sizeof(route) - 1);
	route[sizeof(route) - 1] = '\0';
	f->exchange.request_id = slice_of(id, sizeof(id));
	f->exchange.target.path = slice_of(path, sizeof(path));
	f->exchange.request.method_name = SLICE("A-METHOD-OF-MANY-LETTERS");
	f->route.text = route;
	poll_log_add(f->log, &f->exchange);
	assert_int_equal(poll_log_copy(f->log, UINT64_MAX, 0, f->rows, ROWS), 1);
	assert_int_equal(poll_row_request_id(row).len, REQUEST_ID_MAX);
	assert_slice(poll_row_method(row), "A-METHOD-OF-MANY");
	assert_int_equal(poll_row_route(row).len, POLL_ROW_ROUTE_MAX);
	assert_int_equal(poll_row_path(row).len,
		POLL_ROW_TEXT - REQUEST_ID_MAX - POLL_ROW_METHOD_MAX - POLL_ROW_ROUTE_MAX);
	assert_true(row->path_cut);
}

static void the_oldest_row_gives_way(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 2 * ROWS + 1; i++) {
		poll_log_add(f->log, &f->exchange);
		assert_int_equal(poll_log_count(f->log), i + 1 < ROWS ? i + 1 : ROWS);
	}
	assert_int_equal(poll_log_copy(f->log, UINT64_MAX, 0, f->rows, 3 * ROWS), ROWS);
	for (unsigned i = 0; i < ROWS; i++) {
		assert_int_equal(f->rows[i].seq, 20 - i);
	}
}

static void rows_are_walked_through_in_slices_between_two_numbers(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < ROWS + 2; i++) { /* 12 to 16 stay */
		poll_log_add(f->log, &f->exchange);
	}
	assert_int_equal(poll_log_copy(f->log, UINT64_MAX, 0, f->rows, 2), 2);
	assert_int_equal(f->rows[0].seq, 16);
	assert_int_equal(f->rows[1].seq, 15);
	assert_int_equal(poll_log_copy(f->log, 15, 12, f->rows, ROWS), 2);
	assert_int_equal(f->rows[0].seq, 14);
	assert_int_equal(f->rows[1].seq, 13);
	assert_int_equal(poll_log_copy(f->log, 12, 0, f->rows, ROWS), 0);
	assert_int_equal(poll_log_copy(f->log, UINT64_MAX, 16, f->rows, ROWS), 0);
}

static void a_cleared_log_is_empty_and_goes_on(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < ROWS + 2; i++) {
		poll_log_add(f->log, &f->exchange);
	}
	poll_log_clear(f->log);
	assert_int_equal(poll_log_count(f->log), 0);
	assert_int_equal(poll_log_copy(f->log, UINT64_MAX, 0, f->rows, ROWS), 0);
	poll_log_add(f->log, &f->exchange);
	assert_int_equal(poll_log_copy(f->log, UINT64_MAX, 0, f->rows, ROWS), 1);
	assert_int_equal(f->rows[0].seq, 10 + ROWS + 2);
}

static void a_log_without_rows_keeps_none(void **state)
{
	struct fixture *f = *state;
	struct poll_log *log = poll_log_create(0, &f->next_seq);

	poll_log_add(log, &f->exchange);
	assert_int_equal(poll_log_count(log), 0);
	assert_int_equal(poll_log_copy(log, UINT64_MAX, 0, f->rows, ROWS), 0);
	poll_log_destroy(log);
}

static void an_exchange_without_route_or_answer_has_a_row(void **state)
{
	struct fixture *f = *state;

	f->exchange.route = NULL;
	f->exchange.status = 0;
	f->exchange.state = EXCHANGE_CLIENT_ABORTED;
	f->exchange.clock.end_us = 0;
	poll_log_add(f->log, &f->exchange);
	assert_int_equal(poll_log_copy(f->log, UINT64_MAX, 0, f->rows, ROWS), 1);
	assert_int_equal(poll_row_route(&f->rows[0]).len, 0);
	assert_slice(poll_row_path(&f->rows[0]), "/api/monitor/aks");
	assert_int_equal(f->rows[0].status, 0);
	assert_int_equal(f->rows[0].duration_us, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_row_holds_the_facts_of_its_exchange),
		TEST(a_long_path_is_cut_and_the_row_says_so),
		TEST(the_oldest_row_gives_way),
		TEST(rows_are_walked_through_in_slices_between_two_numbers),
		TEST(a_cleared_log_is_empty_and_goes_on),
		TEST(a_log_without_rows_keeps_none),
		TEST(an_exchange_without_route_or_answer_has_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
