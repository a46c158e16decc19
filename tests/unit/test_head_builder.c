/*
 * The head of an answer of our own: laid out like a received one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/head_builder.h"

struct fixture {
	struct arena_pool pool;
	struct arena arena;
	struct head_builder builder;
	struct head head;
};

static struct fixture fixture;

static int setup(void **state)
{
	arena_pool_init(&fixture.pool, 4);
	arena_init(&fixture.arena, &fixture.pool, 64 * 1024);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_reset(&f->arena);
	arena_pool_fini(&f->pool);
	return 0;
}

static void expect_slice(struct slice have, const char *want)
{
	assert_int_equal(have.len, strlen(want));
	assert_memory_equal(have.ptr, want, have.len);
}

static void the_bytes_read_like_a_received_head(void **state)
{
	struct fixture *f = *state;

	head_builder_init(&f->builder, &f->arena, 4, 256);
	head_builder_status(&f->builder, 404);
	head_builder_field(&f->builder, SLICE("Content-Type"), SLICE("text/plain"));
	head_builder_field_u64(&f->builder, SLICE("Content-Length"), UINT64_MAX);
	head_builder_field(&f->builder, SLICE("X-Empty"), slice_of(NULL, 0));
	assert_int_equal(head_builder_finish(&f->builder, &f->head), ERR_NONE);
	expect_slice(slice_of(f->head.bytes, f->head.size),
		"HTTP/1.1 404 Not Found\r\n"
		"Content-Type: text/plain\r\n"
		"Content-Length: 18446744073709551615\r\n"
		"X-Empty: \r\n"
		"\r\n");
	assert_int_equal(f->head.status, 404);
	assert_int_equal(f->head.version_minor, 1);
	assert_int_equal(f->head.count, 3);
	expect_slice(f->head.reason, "Not Found");
	expect_slice(head_name(&f->head, &f->head.fields[2]), "X-Empty");
	expect_slice(head_value(&f->head, &f->head.fields[2]), "");
}

static void fields_are_found_by_their_number_in_order(void **state)
{
	struct fixture *f = *state;
	struct field *first;

	head_builder_init(&f->builder, &f->arena, 4, 256);
	head_builder_status(&f->builder, 200);
	head_builder_field(&f->builder, SLICE("X-Other"), SLICE("o"));
	head_builder_field(&f->builder, SLICE("Set-Cookie"), SLICE("a=1"));
	head_builder_field(&f->builder, SLICE("set-cookie"), SLICE("b=2"));
	assert_int_equal(head_builder_finish(&f->builder, &f->head), ERR_NONE);
	first = head_find(&f->head, FIELD_SET_COOKIE);
	assert_non_null(first);
	expect_slice(head_value(&f->head, first), "a=1");
	expect_slice(head_value(&f->head, head_find_next(&f->head, first)), "b=2");
	assert_null(head_find(&f->head, FIELD_ETAG));
}

static void too_many_fields_are_told_at_the_end(void **state)
{
	struct fixture *f = *state;

	head_builder_init(&f->builder, &f->arena, 1, 256);
	head_builder_status(&f->builder, 200);
	head_builder_field(&f->builder, SLICE("A"), SLICE("1"));
	head_builder_field(&f->builder, SLICE("B"), SLICE("2"));
	assert_int_equal(head_builder_finish(&f->builder, &f->head), ERR_LIMIT);
}

static void too_many_bytes_are_told_at_the_end(void **state)
{
	struct fixture *f = *state;
	char value[512];

	memset(value, 'v', sizeof(value));
	head_builder_init(&f->builder, &f->arena, 8, 256);
	head_builder_status(&f->builder, 200);
	head_builder_field(&f->builder, SLICE("Long"), slice_of(value, sizeof(value)));
	head_builder_field(&f->builder, SLICE("Short"), SLICE("s"));
	assert_int_equal(head_builder_finish(&f->builder, &f->head), ERR_LIMIT);
}

static void an_arena_at_its_bound_is_a_failure_not_a_crash(void **state)
{
	struct fixture *f = *state;

	while (arena_alloc(&f->arena, 1024) != NULL) {
	}
	head_builder_init(&f->builder, &f->arena, 8, 2048);
	head_builder_status(&f->builder, 200);
	head_builder_field(&f->builder, SLICE("A"), SLICE("1"));
	assert_int_equal(head_builder_finish(&f->builder, &f->head), ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_bytes_read_like_a_received_head, setup, teardown),
		cmocka_unit_test_setup_teardown(
			fields_are_found_by_their_number_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(
			too_many_fields_are_told_at_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(
			too_many_bytes_are_told_at_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_arena_at_its_bound_is_a_failure_not_a_crash, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
