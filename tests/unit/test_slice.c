/*
 * Runs of bytes and the questions about them; lists; growing buffers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/list.h"
#include "base/slice.h"

static void expect_slice(struct slice have, const char *want)
{
	assert_int_equal(have.len, strlen(want));
	assert_memory_equal(have.ptr, want, have.len);
}

static void letters_compare_without_case_and_other_bytes_do_not(void **state)
{
	(void)state;
	assert_true(slice_equal_nocase(SLICE("Keep-Alive"), SLICE("kEEP-aLIVE")));
	assert_true(slice_equal_nocase(slice_of(NULL, 0), SLICE("")));
	assert_false(slice_equal_nocase(SLICE("a"), SLICE("ab")));
	assert_false(slice_equal_nocase(SLICE("@["), SLICE("`{")));
	assert_false(slice_equal_nocase(SLICE("\xC4"), SLICE("\xE4")));
}

static void beginnings_ends_and_middles_are_found(void **state)
{
	struct slice text = SLICE("/api/me");

	(void)state;
	assert_true(slice_starts_with(text, SLICE("/api")));
	assert_true(slice_starts_with(text, slice_of(NULL, 0)));
	assert_false(slice_starts_with(text, SLICE("/api/me/")));
	assert_true(slice_ends_with(text, SLICE("/me")));
	assert_false(slice_ends_with(text, SLICE("x/api/me")));
	assert_ptr_equal(slice_find(text, SLICE("/me")), text.ptr + 4);
	assert_ptr_equal(slice_find(text, SLICE("")), text.ptr);
	assert_null(slice_find(text, SLICE("/mee")));
	assert_null(slice_find(slice_of(NULL, 0), SLICE("a")));
}

static void only_spaces_and_tabs_are_trimmed(void **state)
{
	(void)state;
	expect_slice(slice_trim(SLICE(" \t a b\t ")), "a b");
	expect_slice(slice_trim(SLICE("\na\r")), "\na\r");
	expect_slice(slice_trim(SLICE(" \t ")), "");
}

static void a_list_gives_its_elements_without_the_empty_ones(void **state)
{
	struct slice rest = SLICE(", close ,,\tkeep-alive,x ");
	struct slice token;

	(void)state;
	assert_true(slice_next_token(&rest, &token));
	expect_slice(token, "close");
	assert_true(slice_next_token(&rest, &token));
	expect_slice(token, "keep-alive");
	assert_true(slice_next_token(&rest, &token));
	expect_slice(token, "x");
	assert_false(slice_next_token(&rest, &token));
	assert_false(slice_next_token(&rest, &token));
}

static void a_number_is_digits_and_within_its_bound(void **state)
{
	uint64_t value = 7;

	(void)state;
	assert_false(slice_to_u64(SLICE(""), UINT64_MAX, &value));
	assert_false(slice_to_u64(SLICE("+1"), UINT64_MAX, &value));
	assert_false(slice_to_u64(SLICE("1 "), UINT64_MAX, &value));
	assert_false(slice_to_u64(SLICE("0x1"), UINT64_MAX, &value));
	assert_false(slice_to_u64(SLICE("18446744073709551616"), UINT64_MAX, &value));
	assert_false(slice_to_u64(SLICE("99999999999999999999999"), UINT64_MAX, &value));
	assert_false(slice_to_u64(SLICE("101"), 100, &value));
	assert_false(slice_to_u64(SLICE("8"), 7, &value));
	assert_int_equal(value, 7);
	assert_true(slice_to_u64(SLICE("18446744073709551615"), UINT64_MAX, &value));
	assert_true(value == UINT64_MAX);
	assert_true(slice_to_u64(SLICE("9223372036854775807"), INT64_MAX, &value));
	assert_false(slice_to_u64(SLICE("9223372036854775808"), INT64_MAX, &value));
	assert_true(slice_to_u64(SLICE("000100"), 100, &value));
	assert_int_equal(value, 100);
	assert_true(slice_to_u64(SLICE("0"), 0, &value));
	assert_int_equal(value, 0);
}

struct item {
	int number;
	struct list node;
};

static void a_list_keeps_its_order_and_lets_its_nodes_go(void **state)
{
	struct item items[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
	struct list list = LIST_INIT(list);
	int expected = 0;

	(void)state;
	assert_true(list_empty(&list));
	assert_null(list_pop_front(&list));
	list_push_back(&list, &items[1].node);
	list_push_back(&list, &items[2].node);
	list_push_front(&list, &items[0].node);
	list_each (node, after, &list) {
		struct item *item = container_of(node, struct item, node);

		assert_int_equal(item->number, expected++);
		if (item->number == 1) {
			list_remove(node);
			list_remove(node);
		}
	}
	assert_int_equal(expected, 3);
	assert_ptr_equal(list_pop_front(&list), &items[0].node);
	assert_ptr_equal(list_pop_front(&list), &items[2].node);
	assert_true(list_empty(&list));
}

static void a_buffer_grows_and_keeps_what_it_holds(void **state)
{
	struct buffer buffer = BUFFER_INIT;
	char *room;

	(void)state;
	buffer_append(&buffer, NULL, 0);
	assert_int_equal(buffer.len, 0);
	for (int i = 0; i < 1000; i++) {
		buffer_append_str(&buffer, "abc");
		buffer_append_char(&buffer, 'd');
	}
	assert_int_equal(buffer.len, 4000);
	for (size_t i = 0; i < buffer.len; i++) {
		assert_int_equal(buffer.ptr[i], 'a' + (int)(i % 4));
	}
	buffer_clear(&buffer);
	buffer_append_u64(&buffer, 0);
	buffer_append_char(&buffer, ' ');
	buffer_append_u64(&buffer, UINT64_MAX);
	buffer_append_slice(&buffer, SLICE(" "));
	buffer_printf(&buffer, "%s-%d", "x", 42);
	expect_slice(buffer_slice(&buffer), "0 18446744073709551615 x-42");
	room = buffer_reserve(&buffer, 100000);
	memset(room, 'z', 100000);
	buffer.len += 100000;
	assert_int_equal(buffer.len, 27 + 100000);
	buffer_clear(&buffer);
	for (int i = 0; i < 300; i++) {
		buffer_printf(&buffer, "%0200d", i);
	}
	assert_int_equal(buffer.len, 60000);
	assert_memory_equal(buffer.ptr + 59996, "0299", 4);
	buffer_fini(&buffer);
	buffer_fini(&buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_compare_without_case_and_other_bytes_do_not),
		cmocka_unit_test(beginnings_ends_and_middles_are_found),
		cmocka_unit_test(only_spaces_and_tabs_are_trimmed),
		cmocka_unit_test(a_list_gives_its_elements_without_the_empty_ones),
		cmocka_unit_test(a_number_is_digits_and_within_its_bound),
		cmocka_unit_test(a_list_keeps_its_order_and_lets_its_nodes_go),
		cmocka_unit_test(a_buffer_grows_and_keeps_what_it_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
