/*
 * Names of fields, what they may hold, and the scans over what surrounds them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <ctype.h>

#include <cmocka.h>

#include "http/field.h"
#include "http/scan.h"
#include "tests/unit/guarded.h"

/* A copy at an unreadable page with every letter's case by `mask`: a bit for each place. */
static struct slice with_cases(struct slice name, unsigned mask)
{
	char text[64];

	for (size_t i = 0; i < name.len; i++) {
		int c = (unsigned char)name.ptr[i];

		text[i] = (char)((mask >> i % 32 & 1) != 0 ? toupper(c) : tolower(c));
	}
	return guarded_copy(slice_of(text, name.len));
}

static void every_name_of_the_table_is_found_in_any_case(void **state)
{
	(void)state;
	for (int id = FIELD_OTHER + 1; id < FIELD_IDS; id++) {
		struct slice name = field_name((enum field_id)id);

		assert_true(token_valid(name));
		assert_int_equal(field_identify(with_cases(name, 0)), id);
		assert_int_equal(field_identify(with_cases(name, ~0u)), id);
		assert_int_equal(field_identify(with_cases(name, 0xA5A5A5A5u)), id);
		assert_int_equal(field_identify(guarded_copy(name)), id);
	}
	assert_int_equal(field_name(FIELD_OTHER).len, 0);
}

static void a_name_that_differs_in_one_byte_is_another(void **state)
{
	(void)state;
	for (int id = FIELD_OTHER + 1; id < FIELD_IDS; id++) {
		struct slice name = field_name((enum field_id)id);
		char text[64];

		memcpy(text, name.ptr, name.len);
		for (size_t at = 0; at < name.len; at++) {
			for (int c = 0; c < 256; c++) {
				struct slice changed = slice_of(text, name.len);
				bool same = tolower(c) == tolower((unsigned char)name.ptr[at]);

				text[at] = (char)c;
				assert_int_equal(
					field_identify(changed) == (enum field_id)id, same);
			}
			text[at] = name.ptr[at];
		}
		/* one byte less, one more */
		assert_int_not_equal(field_identify(slice_of(text, name.len - 1)), id);
		text[name.len] = 's';
		assert_int_not_equal(field_identify(slice_of(text, name.len + 1)), id);
	}
}

static void names_outside_the_table_have_no_number(void **state)
{
	static const char *const names[] = {"", "X", "TF", "Hosts", "Accept-Charset",
		"Sec-Fetch-Mode", "Sec-WebSocket-Version", "X-Forwarded-Port", "Content-Lengths",
		"WWW-Authenticate", "Strict-Transport-Security",
		"X-Something-That-Is-Longer-Than-Any-Of-Them"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(field_identify(slice_str(names[i])), FIELD_OTHER);
	}
}

static void a_spoofed_underscore_is_seen_for_what_it_becomes(void **state)
{
	(void)state;
	assert_int_equal(
		field_identify_underscored(SLICE("X_Forwarded_For")), FIELD_X_FORWARDED_FOR);
	assert_int_equal(
		field_identify_underscored(SLICE("x-forwarded_for")), FIELD_X_FORWARDED_FOR);
	assert_int_equal(field_identify_underscored(SLICE("content_length")), FIELD_CONTENT_LENGTH);
	assert_int_equal(field_identify_underscored(SLICE("PROXY_AUTHENTICATION_INFO")),
		FIELD_PROXY_AUTHENTICATION_INFO);
	assert_int_equal(field_identify_underscored(SLICE("X-Forwarded-For")), FIELD_OTHER);
	assert_int_equal(field_identify_underscored(SLICE("my_field")), FIELD_OTHER);
	assert_int_equal(field_identify_underscored(SLICE("")), FIELD_OTHER);
	assert_int_equal(
		field_identify_underscored(SLICE("x_forwarded_for_and_much_more")), FIELD_OTHER);
}

static void a_token_holds_tchars_alone(void **state)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	(void)state;
	for (int c = 0; c < 256; c++) {
		char byte = (char)c;
		bool wanted =
			c < 128 &&
			(isalnum(c) || (c != 0 && memchr(others, c, sizeof(others) - 1) != NULL));

		assert_int_equal(tchar_valid(byte), wanted);
		assert_int_equal(token_valid(slice_of(&byte, 1)), wanted);
	}
	assert_false(token_valid(SLICE("")));
	assert_false(token_valid(SLICE("a b")));
	assert_true(token_valid(SLICE("a-b")));
}

static bool plain_token(unsigned char c)
{
	return tchar_valid((char)c);
}

static bool plain_value(unsigned char c)
{
	return c == '\t' || (c >= ' ' && c != 0x7F);
}

static bool plain_target(unsigned char c)
{
	return c > ' ' && c < 0x7F;
}

/*
 * Each byte at each place among bytes that go on, and from each start, beside a loop over single
 * bytes.
 */
static void check_scan(size_t (*scan)(const char *, size_t, size_t), bool (*belongs)(unsigned char),
	const char *filler)
{
	enum { LEN = 50 };
	char text[LEN];
	size_t filler_len = strlen(filler);

	for (size_t len = 0; len <= LEN; len++) {
		for (size_t place = 0; place < len; place++) {
			for (int c = 0; c < 256; c++) {
				struct slice copy;
				size_t at = place / 2;
				size_t want = at;

				for (size_t i = 0; i < len; i++) {
					text[i] = filler[(i + place) % filler_len];
				}
				text[place] = (char)c;
				copy = guarded_copy(slice_of(text, len));
				while (want < len && belongs((unsigned char)text[want])) {
					want++;
				}
				if (scan(copy.ptr, at, len) != want) {
					fail_msg("byte 0x%02x at %zu of %zu", c, place, len);
				}
			}
		}
	}
}

static void scans_stop_where_a_loop_over_bytes_stops(void **state)
{
	(void)state;
	check_scan(scan_token, plain_token, "Az-09_.!x");
	check_scan(scan_value, plain_value, "a \t~\x80\xFF\"Z");
	check_scan(scan_target, plain_target, "/a?b=%20~!");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_of_the_table_is_found_in_any_case),
		cmocka_unit_test(a_name_that_differs_in_one_byte_is_another),
		cmocka_unit_test(names_outside_the_table_have_no_number),
		cmocka_unit_test(a_spoofed_underscore_is_seen_for_what_it_becomes),
		cmocka_unit_test(a_token_holds_tchars_alone),
		cmocka_unit_test(scans_stop_where_a_loop_over_bytes_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
