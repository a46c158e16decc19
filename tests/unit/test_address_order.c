/*
 * Tests of pool/address_order: which address is tried when. The clock is a number here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pool/address_order.h"

enum {
	NOW_MS = 1000 * 1000,
};

/* `families`: a letter each, '4' or '6'. `expected`: the indexes. */
static void takes_turns(const char *families, const char *expected)
{
	sa_family_t given[ADDRESS_ORDER_MAX] = {0};
	uint8_t order[ADDRESS_ORDER_MAX];
	uint8_t count = (uint8_t)strlen(families);

	for (uint8_t i = 0; i < count; i++) {
		given[i] = families[i] == '4' ? AF_INET : AF_INET6;
	}
	address_order_interleave(given, count, order);
	for (uint8_t i = 0; i < count; i++) {
		assert_int_equal(order[i], expected[i] - '0');
	}
}

/* `expected`: the indexes in the order in which they are tried. */
static void tries(const struct address_mark *marks, uint64_t now_ms, const char *expected)
{
	uint8_t order[ADDRESS_ORDER_MAX];
	uint8_t count = (uint8_t)strlen(expected);

	address_order_by_marks(marks, count, now_ms, order);
	for (uint8_t i = 0; i < count; i++) {
		assert_int_equal(order[i], expected[i] - '0');
	}
}

static void one_family_stays_as_the_system_has_sorted_it(void **state)
{
	(void)state;
	takes_turns("", "");
	takes_turns("4", "0");
	takes_turns("44444444", "01234567");
	takes_turns("666", "012");
}

static void two_families_take_turns_and_the_first_ones_begins(void **state)
{
	(void)state;
	takes_turns("64", "01");
	takes_turns("46", "01");
	takes_turns("6644", "0213");
	takes_turns("4466", "0213");
	takes_turns("6464", "0123");
}

static void what_one_family_has_more_follows_in_its_order(void **state)
{
	(void)state;
	takes_turns("6666664", "0612345");
	takes_turns("6444", "0123");
	takes_turns("4666", "0123");
	takes_turns("44666646", "02136457");
}

static void an_address_that_failed_is_tried_last_for_a_while(void **state)
{
	struct address_mark marks[3] = {{0}};

	(void)state;
	tries(marks, NOW_MS, "012");
	address_mark_failed(&marks[0], NOW_MS);
	tries(marks, NOW_MS, "120");
	tries(marks, NOW_MS + ADDRESS_MARK_MS - 1, "120");
	tries(marks, NOW_MS + ADDRESS_MARK_MS, "012");
}

static void those_that_failed_are_among_themselves_as_before(void **state)
{
	struct address_mark marks[4] = {{0}};

	(void)state;
	address_mark_failed(&marks[2], NOW_MS);
	address_mark_failed(&marks[0], NOW_MS + 1);
	tries(marks, NOW_MS + 1, "1302");
	address_mark_failed(&marks[1], NOW_MS + 2);
	address_mark_failed(&marks[3], NOW_MS + 2);
	tries(marks, NOW_MS + 2, "0123"); /* all the same again */
}

static void one_that_fails_again_waits_twice_as_long_but_two_minutes_at_most(void **state)
{
	static const uint64_t expected_s[] = {10, 20, 40, 80, 120, 120};
	struct address_mark mark = {0};
	uint64_t now_ms = NOW_MS;

	(void)state;
	for (size_t i = 0; i < sizeof(expected_s) / sizeof(expected_s[0]); i++) {
		address_mark_failed(&mark, now_ms);
		assert_int_equal(mark.until_ms - now_ms, expected_s[i] * 1000);
		now_ms = mark.until_ms;
	}
}

static void what_fails_together_counts_once(void **state)
{
	struct address_mark mark = {0};

	(void)state;
	for (uint64_t i = 0; i < 50; i++) {
		address_mark_failed(&mark, NOW_MS + i);
	}
	assert_int_equal(mark.until_ms, NOW_MS + ADDRESS_MARK_MS);
}

static void a_success_clears_all(void **state)
{
	struct address_mark marks[2] = {{0}};

	(void)state;
	address_mark_failed(&marks[0], NOW_MS);
	address_mark_failed(&marks[0], marks[0].until_ms);
	address_mark_worked(&marks[0]);
	tries(marks, NOW_MS + ADDRESS_MARK_MS, "01");
	address_mark_failed(&marks[0], NOW_MS);
	assert_int_equal(marks[0].until_ms, NOW_MS + ADDRESS_MARK_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_family_stays_as_the_system_has_sorted_it),
		cmocka_unit_test(two_families_take_turns_and_the_first_ones_begins),
		cmocka_unit_test(what_one_family_has_more_follows_in_its_order),
		cmocka_unit_test(an_address_that_failed_is_tried_last_for_a_while),
		cmocka_unit_test(those_that_failed_are_among_themselves_as_before),
		cmocka_unit_test(one_that_fails_again_waits_twice_as_long_but_two_minutes_at_most),
		cmocka_unit_test(what_fails_together_counts_once),
		cmocka_unit_test(a_success_clears_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
