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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_known_dates_are_written),
		cmocka_unit_test(every_day_for_two_centuries_is_the_c_librarys),
		cmocka_unit_test(the_clocks_count_microseconds),
		cmocka_unit_test(random_bytes_do_not_repeat_across_refills),
		cmocka_unit_test(an_error_keeps_code_and_words),
		cmocka_unit_test(words_that_do_not_fit_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
