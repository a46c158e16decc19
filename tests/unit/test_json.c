/*
 * JSON text, and UTF-8.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"

struct fixture {
	struct buffer out;
	struct json json;
};

static int setup(void **state)
{
	static struct fixture fixture;

	fixture.out = BUFFER_INIT;
	json_init(&fixture.json, &fixture.out);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	buffer_fini(&f->out);
	return 0;
}

static void expect(struct fixture *f, const char *want)
{
	buffer_append_char(&f->out, '\0');
	assert_string_equal(f->out.ptr, want);
}

static void commas_stand_between_members_at_every_depth(void **state)
{
	struct fixture *f = *state;
	struct json *json = &f->json;

	json_begin_object(json);
	json_key(json, "items");
	json_begin_array(json);
	json_u64(json, 1);
	json_begin_object(json);
	json_end_object(json);
	json_begin_array(json);
	json_end_array(json);
	json_begin_object(json);
	json_key_slice(json, SLICE("a"));
	json_none(json);
	json_key(json, "b");
	json_bool(json, true);
	json_end_object(json);
	json_begin_object(json);
	json_key(json, "c");
	json_u64(json, 2);
	json_end_object(json);
	json_end_array(json);
	json_key(json, "next");
	json_bool(json, false);
	json_end_object(json);
	expect(f, "{\"items\":[1,{},[],{\"a\":null,\"b\":true},{\"c\":2}],\"next\":false}");
}

static void numbers_are_written_whole_and_with_their_decimals(void **state)
{
	struct fixture *f = *state;
	struct json *json = &f->json;

	json_begin_array(json);
	json_u64(json, UINT64_MAX);
	json_i64(json, INT64_MIN);
	json_i64(json, -1);
	json_i64(json, 5);
	json_seconds(json, 1773312145868123u);
	json_seconds(json, 42);
	json_milliseconds(json, 1234567);
	json_milliseconds(json, 7);
	json_end_array(json);
	expect(f, "[18446744073709551615,-9223372036854775808,-1,5,1773312145.868123,0.000042,"
		  "1234.567,0.007]");
}

static void strings_are_escaped_and_always_utf8(void **state)
{
	static const struct {
		struct slice in;
		const char *out;
	} cases[] = {
		{SLICE_INIT("plain / text"), "\"plain / text\""},
		{SLICE_INIT("a\"b\\c"), "\"a\\\"b\\\\c\""},
		{SLICE_INIT("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
		{SLICE_INIT("\0\x1F\x7F"), "\"\\u0000\\u001f\x7F\""},
		{SLICE_INIT("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"),
			"\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\""},
		{SLICE_INIT("x\xFFy"), "\"x\xEF\xBF\xBDy\""},
		{SLICE_INIT("\x80\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
		{SLICE_INIT("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\""}, /* overlong '/' */
		{SLICE_INIT("\xE2\x82"), "\"\xEF\xBF\xBD\""},             /* cut at the end */
		{SLICE_INIT("\xE2\x82z"), "\"\xEF\xBF\xBDz\""},           /* cut within */
		{SLICE_INIT("\xF0\x9F\x98\""), "\"\xEF\xBF\xBD\\\"\""},
		{SLICE_INIT("\xED\xA0\x80"),
			"\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""}, /* surrogate */
		{SLICE_INIT("\xF4\x90\x80\x80"),
			"\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""}, /* above U+10FFFF
										  */
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_init(&f->json, &f->out);
		buffer_clear(&f->out);
		json_text(&f->json, cases[i].in);
		assert_true(utf8_valid(buffer_slice(&f->out)));
		expect(f, cases[i].out);
	}
}

static void a_missing_text_is_null_and_an_empty_one_is_not(void **state)
{
	struct fixture *f = *state;

	json_begin_array(&f->json);
	json_cstring(&f->json, NULL);
	json_cstring(&f->json, "");
	json_text(&f->json, slice_of(NULL, 0));
	json_end_array(&f->json);
	expect(f, "[null,\"\",\"\"]");
}

static void base64_is_padded(void **state)
{
	struct fixture *f = *state; /* RFC 4648 section 10 */

	json_begin_array(&f->json);
	json_base64(&f->json, SLICE(""));
	json_base64(&f->json, SLICE("f"));
	json_base64(&f->json, SLICE("fo"));
	json_base64(&f->json, SLICE("foo"));
	json_base64(&f->json, SLICE("foobar"));
	json_base64(&f->json, SLICE("\xFF\xEF\xBE\0"));
	json_end_array(&f->json);
	expect(f, "[\"\",\"Zg==\",\"Zm8=\",\"Zm9v\",\"Zm9vYmFy\",\"/+++AA==\"]");
}

static void a_string_in_pieces_is_the_string_whole(void **state)
{
	struct fixture *f = *state;

	json_begin_object(&f->json);
	json_key(&f->json, "text");
	json_string_begin(&f->json);
	json_string_add(&f->json, SLICE("one \""));
	json_string_add(&f->json, slice_of(NULL, 0));
	json_string_add(&f->json, SLICE("two"));
	json_string_end(&f->json);
	json_key(&f->json, "bytes");
	json_string_begin(&f->json);
	json_string_add_base64(&f->json, SLICE("foo"));
	json_string_add_base64(&f->json, SLICE("ba"));
	json_string_end(&f->json);
	json_end_object(&f->json);
	expect(f, "{\"text\":\"one \\\"two\",\"bytes\":\"Zm9vYmE=\"}");
}

static void only_a_character_that_is_cut_at_the_end_is_left_out(void **state)
{
	static const struct {
		const char *text;
		size_t whole;
	} cases[] = {
		{"", 0},
		{"a", 1},
		{"a\xC3\xA9", 3},
		{"a\xC3", 1},
		{"a\xE2\x9C\x93", 4},
		{"a\xE2\x9C", 1},
		{"a\xE2", 1},
		{"\xF0\x9F\x98\x80", 4},
		{"b\xF0\x9F\x98", 1},
		{"b\xF0\x9F", 1},
		{"b\xF0", 1},
		{"\x80\x80\x80\x80", 4},
		{"\xC3\xA9\x80", 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(utf8_whole(slice_str(cases[i].text)), cases[i].whole);
	}
}

/* RFC 3629 by its definition: decode, then look at what was decoded. */
static bool valid_by_decoding(const unsigned char *bytes, size_t len)
{
	for (size_t at = 0; at < len;) {
		static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
		unsigned char c = bytes[at];
		size_t count = c < 0x80       ? 1
			       : c >> 5 == 6  ? 2
			       : c >> 4 == 14 ? 3
			       : c >> 3 == 30 ? 4
					      : 0;
		uint32_t code = count == 1 ? c : c & (0x7Fu >> count);

		if (count == 0 || at + count > len) {
			return false;
		}
		for (size_t i = 1; i < count; i++) {
			if (bytes[at + i] >> 6 != 2) {
				return false;
			}
			code = code << 6 | (bytes[at + i] & 0x3Fu);
		}
		if (code < least[count] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
			return false;
		}
		at += count;
	}
	return true;
}

static void utf8_is_judged_like_its_definition(void **state)
{
	static const unsigned char edges[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
		0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4,
		0xF5, 0xFF};
	enum { EDGES = sizeof(edges) };

	(void)state;
	for (unsigned number = 0; number < EDGES * EDGES * EDGES * EDGES; number++) {
		unsigned char bytes[4] = {edges[number % EDGES], edges[number / EDGES % EDGES],
			edges[number / EDGES / EDGES % EDGES],
			edges[number / EDGES / EDGES / EDGES]};

		if (utf8_valid(slice_of((const char *)bytes, 4)) != valid_by_decoding(bytes, 4)) {
			fail_msg("%02x %02x %02x %02x", bytes[0], bytes[1], bytes[2], bytes[3]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			commas_stand_between_members_at_every_depth, setup, teardown),
		cmocka_unit_test_setup_teardown(
			numbers_are_written_whole_and_with_their_decimals, setup, teardown),
		cmocka_unit_test_setup_teardown(
			strings_are_escaped_and_always_utf8, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_missing_text_is_null_and_an_empty_one_is_not, setup, teardown),
		cmocka_unit_test_setup_teardown(base64_is_padded, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_string_in_pieces_is_the_string_whole, setup, teardown),
		cmocka_unit_test(only_a_character_that_is_cut_at_the_end_is_left_out),
		cmocka_unit_test(utf8_is_judged_like_its_definition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
