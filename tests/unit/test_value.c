/*
 * Sizes and durations as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/value.h"

static uint64_t size_of(const char *text)
{
	struct err err = ERR_INIT;
	uint64_t bytes = 0;

	if (size_parse(slice_str(text), &bytes, &err) != ERR_NONE) {
		fail_msg("%s: %s", text, err.text);
	}
	return bytes;
}

static uint64_t ms_of(const char *text)
{
	struct err err = ERR_INIT;
	uint64_t ms = 0;

	if (duration_parse(slice_str(text), &ms, &err) != ERR_NONE) {
		fail_msg("%s: %s", text, err.text);
	}
	return ms;
}

static void expect_text(void (*format)(uint64_t, struct buffer *), uint64_t value, const char *text)
{
	struct buffer out = BUFFER_INIT;

	format(value, &out);
	buffer_append_char(&out, '\0');
	assert_string_equal(out.ptr, text);
	buffer_fini(&out);
}

static void sizes_are_bytes_or_have_a_binary_unit(void **state)
{
	(void)state;
	assert_int_equal(size_of("0"), 0);
	assert_int_equal(size_of("65536"), 65536);
	assert_int_equal(size_of("64KiB"), 65536);
	assert_int_equal(size_of("32MiB"), 32 << 20);
	assert_int_equal(size_of("3GiB"), UINT64_C(3) << 30);
	assert_int_equal(size_of("1TiB"), UINT64_C(1) << 40);
	assert_true(size_of("18446744073709551615") == UINT64_MAX);
}

static void what_is_no_size_is_refused(void **state)
{
	static const char *const texts[] = {"", "KiB", "64KB", "64k", "64 KiB", "64kib", "1.5MiB",
		"-1", "+1", "0x10", "64KiBs", "18446744073709551616", "16777216TiB",
		"99999999999999999999GiB"};
	uint64_t bytes = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(size_parse(slice_str(texts[i]), &bytes, &err), ERR_SETTINGS);
		assert_non_null(strstr(err.text, "give bytes such as 65536, 64KiB"));
	}
	assert_int_equal(bytes, 7);
}

static void durations_have_a_unit_but_for_0(void **state)
{
	(void)state;
	assert_int_equal(ms_of("0"), 0);
	assert_int_equal(ms_of("250ms"), 250);
	assert_int_equal(ms_of("10s"), 10000);
	assert_int_equal(ms_of("5m"), 300000);
	assert_int_equal(ms_of("1h"), 3600000);
	assert_int_equal(ms_of("0s"), 0);
}

static void what_is_no_duration_is_refused(void **state)
{
	static const char *const texts[] = {"", "10", "s", "10 s", "10S", "1m30s", "1.5s", "-1s",
		"1d", "99999999999999999999s", "18446744073709551615h"};
	uint64_t ms = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(duration_parse(slice_str(texts[i]), &ms, &err), ERR_SETTINGS);
		assert_non_null(strstr(err.text, "give one such as 250ms, 10s, 5m or 1h"));
	}
	assert_int_equal(ms, 7);
}

static void values_are_written_with_the_largest_unit_that_leaves_no_rest(void **state)
{
	(void)state;
	expect_text(size_format, 0, "0");
	expect_text(size_format, 1023, "1023");
	expect_text(size_format, 1024, "1KiB");
	expect_text(size_format, 1536, "1536");
	expect_text(size_format, UINT64_C(5) << 30, "5GiB");
	expect_text(duration_format, 0, "0");
	expect_text(duration_format, 999, "999ms");
	expect_text(duration_format, 75000, "75s");
	expect_text(duration_format, 300000, "5m");
	expect_text(duration_format, 7200000, "2h");
}

static void a_value_that_is_quoted_stays_one_printable_line_of_bounded_length(void **state)
{
	struct err err = ERR_INIT;
	char text[5000];
	uint64_t value;

	(void)state;
	memset(text, '\n', sizeof(text));
	assert_int_equal(size_parse(slice_of(text, sizeof(text)), &value, &err), ERR_SETTINGS);
	assert_null(strchr(err.text, '\n'));
	assert_non_null(strstr(err.text,
		"???...\" is not a size; give bytes such as 65536, 64KiB, 32MiB or 1GiB"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_bytes_or_have_a_binary_unit),
		cmocka_unit_test(what_is_no_size_is_refused),
		cmocka_unit_test(durations_have_a_unit_but_for_0),
		cmocka_unit_test(what_is_no_duration_is_refused),
		cmocka_unit_test(values_are_written_with_the_largest_unit_that_leaves_no_rest),
		cmocka_unit_test(a_value_that_is_quoted_stays_one_printable_line_of_bounded_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
