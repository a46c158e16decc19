/*
 * Dates, random bytes and errors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/random.h"

static const uint64_t US = 1000000;

static void the_known_dates_are_written(void **state)
{
	char rfc3339[CLOCK_RFC3339_SIZE];
	char imf[CLOCK_IMF_SIZE];

	(void)state;
	assert_int_equal(clock_format_rfc3339(0, rfc3339), CLOCK_RFC3339_SIZE - 1);
	assert_string_equal(rfc3339, "1970-01-01T00:00:00.000000Z");
	assert_int_equal(clock_format_imf(784111777 * US, imf), CLOCK_IMF_SIZE - 1);
	assert_string_equal(imf, "Sun, 06 Nov 1994 08:49:37 GMT"); /* RFC 9110's example */
	clock_format_rfc3339(1773312145 * US + 868123, rfc3339);
	assert_string_equal(rfc3339, "2026-03-12T10:42:25.868123Z");
	clock_format_rfc3339(951782399 * US + 999999, rfc3339);
	assert_string_equal(rfc3339, "2000-02-28T23:59:59.999999Z");
	clock_format_rfc3339(951782400 * US, rfc3339);
	assert_string_equal(rfc3339, "2000-02-29T00:00:00.000000Z");
	clock_format_rfc3339(UINT64_C(4107542400) * US, rfc3339);
	assert_string_equal(rfc3339, "2100-03-01T00:00:00.000000Z");
}

static void every_day_for_two_centuries_is_the_c_librarys(void **state)
{
	(void)state;
	for (uint64_t day = 0; day < 73000; day++) {
		time_t seconds = (time_t)(day * 86400 + day % 86400);
		struct tm tm;
		char want[64];
		char imf[CLOCK_IMF_SIZE];
		char rfc3339[CLOCK_RFC3339_SIZE];

		gmtime_r(&seconds, &tm);
		clock_format_imf((uint64_t)seconds * US, imf);
		strftime(want, sizeof(want), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		assert_string_equal(imf, want);
		clock_format_rfc3339((uint64_t)seconds * US, rfc3339);
		strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S.000000Z", &tm);
		assert_string_equal(rfc3339, want);
	}
}

static void the_clocks_count_microseconds(void **state)
{
	uint64_t before = clock_now_us();
	uint64_t wall = clock_wall_us();

	(void)state;
	assert_true(clock_now_us() >= before);
	assert_in_range(wall / US, (uint64_t)time(NULL) - 5, (uint64_t)time(NULL) + 5);
}

static void random_bytes_do_not_repeat_across_refills(void **state)
{
	static uint64_t seen[2000]; /* 16 KB: four refills */
	unsigned char odd[4097];
	unsigned zeros = 0;

	(void)state;
	random_bytes(odd, 3); /* so that values lie across the pool's end */
	for (size_t i = 0; i < 2000; i++) {
		seen[i] = random_u64();
		for (size_t j = 0; j < i; j++) {
			assert_true(seen[i] != seen[j]);
		}
	}
	memset(odd, 0, sizeof(odd));
	random_bytes(odd, sizeof(odd));
	for (size_t i = 0; i < sizeof(odd); i++) {
		zeros += odd[i] == 0;
	}
	assert_in_range(zeros, 0, 100); /* 16 are to be expected */
}

static void an_error_keeps_code_and_words(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(err_set(&err, ERR_CONNECT, "connect: %s", "refused"), ERR_CONNECT);
	assert_int_equal(err.code, ERR_CONNECT);
	assert_string_equal(err.text, "connect: refused");
	err_prefix(&err, "api");
	assert_string_equal(err.text, "api: connect: refused");
	err_set(&err, ERR_SYSTEM, "again: %s", err.text);
	assert_string_equal(err.text, "again: api: connect: refused");
	assert_int_equal(err_set(NULL, ERR_LIMIT, "nobody asks"), ERR_LIMIT);
	err_prefix(NULL, "nobody");
}

static void words_that_do_not_fit_are_cut(void **state)
{
	struct err err = ERR_INIT;
	char text[400];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&err, ERR_SYNTAX, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_prefix(&err, "head");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_memory_equal(err.text, "head: xxx", 9);
	err_prefix(&err, text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void expect_seconds(const char *text, uint64_t expected)
{
	uint64_t seconds = 7;

	if (!clock_parse_rfc3339(slice_str(text), &seconds) || seconds != expected) {
		fail_msg("%s: read as %llu", text, (unsigned long long)seconds);
	}
}

static void a_date_is_read_with_any_offset_and_fraction(void **state)
{
	(void)state;
	expect_seconds("1970-01-01T00:00:00Z", 0);
	expect_seconds("2026-03-12T10:42:25Z", 1773312145);
	expect_seconds("2026-03-12t10:42:25.999999999z", 1773312145);
	expect_seconds("2026-03-12T12:12:25+01:30", 1773312145);
	expect_seconds("2026-03-11T22:42:25.5-12:00", 1773312145);
	expect_seconds("2000-02-29T00:00:00Z", 951782400);
	expect_seconds("2016-12-31T23:59:60Z", 1483228800);
	expect_seconds("0001-01-01T00:00:00Z", 0);
	expect_seconds("0000-01-01T00:00:00Z", 0);
	expect_seconds("9999-12-31T23:59:59Z", UINT64_C(253402300799));
}

static void a_date_is_read_as_it_is_written(void **state)
{
	char text[CLOCK_RFC3339_SIZE];

	(void)state;
	for (uint64_t s = 0; s < UINT64_C(6000000000); s += 86400 * 13 + 4711) {
		clock_format_rfc3339(s * US, text);
		expect_seconds(text, s);
	}
}

static void what_is_no_date_of_rfc_3339_is_not_read(void **state)
{
	static const char *const wrong[] = {"", "2026", "2026-03-12", "2026-03-12T10:42:25",
		"2026-03-12 10:42:25Z", "2026-3-12T10:42:25Z", "2026-03-12T10:42Z",
		"2026-13-12T10:42:25Z", "2026-00-12T10:42:25Z", "2026-02-29T10:42:25Z",
		"2100-02-29T10:42:25Z", "2026-04-31T10:42:25Z", "2026-03-00T10:42:25Z",
		"2026-03-12T24:42:25Z", "2026-03-12T10:60:25Z", "2026-03-12T10:42:61Z",
		"2026-03-12T10:42:25.Z", "2026-03-12T10:42:25+1:00", "2026-03-12T10:42:25+0100",
		"2026-03-12T10:42:25+24:00", "2026-03-12T10:42:25Zx", "2026-03-12T10:42:25x",
		"+026-03-12T10:42:25Z", "1773312145"};
	uint64_t seconds = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (clock_parse_rfc3339(slice_str(wrong[i]), &seconds)) {
			fail_msg("%s: read as %llu", wrong[i], (unsigned long long)seconds);
		}
	}
	assert_int_equal(seconds, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_known_dates_are_written),
		cmocka_unit_test(every_day_for_two_centuries_is_the_c_librarys),
		cmocka_unit_test(a_date_is_read_with_any_offset_and_fraction),
		cmocka_unit_test(a_date_is_read_as_it_is_written),
		cmocka_unit_test(what_is_no_date_of_rfc_3339_is_not_read),
		cmocka_unit_test(the_clocks_count_microseconds),
		cmocka_unit_test(random_bytes_do_not_repeat_across_refills),
		cmocka_unit_test(an_error_keeps_code_and_words),
		cmocka_unit_test(words_that_do_not_fit_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
