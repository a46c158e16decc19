/*
 * Request IDs and trace context: what is kept, and what is made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/request_id.h"

static void an_id_of_the_allowed_characters_is_kept(void **state)
{
	char longest[128];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	assert_true(request_id_valid(SLICE("a")));
	assert_true(request_id_valid(SLICE("AZaz09-_.:+/=@")));
	assert_true(request_id_valid(slice_of(longest, sizeof(longest))));
}

static void an_id_that_is_empty_too_long_or_of_other_characters_is_refused(void **state)
{
	char too_long[129];

	(void)state;
	memset(too_long, 'a', sizeof(too_long));
	assert_false(request_id_valid(slice_of(NULL, 0)));
	assert_false(request_id_valid(slice_of(too_long, sizeof(too_long))));
	for (int c = 0; c < 256; c++) {
		char text[2] = {'a', (char)c};
		bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			       (c >= '0' && c <= '9') || (c != 0 && strchr("-_.:+/=@", c) != NULL);

		assert_int_equal(request_id_valid(slice_of(text, 2)), allowed);
	}
}

static void a_uuid_says_its_version_variant_and_time(void **state)
{
	char uuid[UUID_LEN + 1] = "";

	(void)state;
	uuid_v7_write(0x0123456789abULL * 1000 + 999, uuid);
	assert_int_equal(strlen(uuid), UUID_LEN);
	assert_memory_equal(uuid, "01234567-89ab-7", 15);
	assert_non_null(strchr("89ab", uuid[19]));
	for (int i = 0; i < UUID_LEN; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		assert_int_equal(uuid[i] == '-', dash);
		assert_true(dash || strchr("0123456789abcdef", uuid[i]) != NULL);
	}
}

static void two_uuids_of_one_moment_differ(void **state)
{
	char first[UUID_LEN], second[UUID_LEN];

	(void)state;
	uuid_v7_write(1000, first);
	uuid_v7_write(1000, second);
	assert_memory_not_equal(first, second, UUID_LEN);
}

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

static void a_well_formed_traceparent_gives_its_trace_id(void **state)
{
	struct slice id;

	(void)state;
	id = traceparent_trace_id(SLICE("00-" TRACE "-" PARENT "-01"));
	assert_true(slice_equal(id, SLICE(TRACE)));
	/* A later version may say more behind another dash. */
	id = traceparent_trace_id(SLICE("cc-" TRACE "-" PARENT "-01-what"));
	assert_true(slice_equal(id, SLICE(TRACE)));
}

static void a_malformed_traceparent_gives_nothing(void **state)
{
	static const char *const malformed[] = {
		"",
		"00-" TRACE "-" PARENT,
		"00-" TRACE "-" PARENT "-01-more",
		"cc-" TRACE "-" PARENT "-01more",
		"ff-" TRACE "-" PARENT "-01",
		"00-00000000000000000000000000000000-" PARENT "-01",
		"00-" TRACE "-0000000000000000-01",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01",
		"00-" TRACE "-" PARENT "-0g",
		"00_" TRACE "-" PARENT "-01",
		"00-" TRACE "_" PARENT "-01",
		"00-" TRACE "-" PARENT "_01",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		assert_int_equal(traceparent_trace_id(slice_str(malformed[i])).len, 0);
	}
}

static void a_traceparent_that_is_begun_here_is_well_formed(void **state)
{
	char made[TRACEPARENT_LEN];

	(void)state;
	traceparent_write(made);
	assert_int_equal(traceparent_trace_id(slice_of(made, sizeof(made))).len, 32);
	assert_memory_equal(made + 53, "00", 2); /* whether to sample is not ours to say */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_of_the_allowed_characters_is_kept),
		cmocka_unit_test(an_id_that_is_empty_too_long_or_of_other_characters_is_refused),
		cmocka_unit_test(a_uuid_says_its_version_variant_and_time),
		cmocka_unit_test(two_uuids_of_one_moment_differ),
		cmocka_unit_test(a_well_formed_traceparent_gives_its_trace_id),
		cmocka_unit_test(a_malformed_traceparent_gives_nothing),
		cmocka_unit_test(a_traceparent_that_is_begun_here_is_well_formed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
