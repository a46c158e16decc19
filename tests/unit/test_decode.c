/*
 * Content codings undone, in slices, within bounds, whatever comes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compress.h"
#include "guarded.h"
#include "inspector/decode.h"

static const char *const codings[] = {"gzip", "deflate", "raw", "br", "zstd"};

enum {
	CODINGS = sizeof(codings) / sizeof(codings[0]),
};

static struct decoder *decoder_of(const char *coding)
{
	return decoder_create(slice_str(strcmp(coding, "raw") == 0 ? "deflate" : coding));
}

/* The data in pieces of `step` bytes, `room` bytes of output at a time. */
static enum decode_state decode_pieces(
	struct decoder *decoder, struct slice data, size_t step, size_t room, struct buffer *out)
{
	enum decode_state state = DECODE_GOES_ON;

	while (state == DECODE_GOES_ON) {
		size_t len = step < data.len ? step : data.len;
		struct slice in = guarded_copy(slice_of(data.ptr, len));
		size_t before = out->len;

		state = decoder_next(decoder, &in, len == data.len, out, room);
		assert_true(out->len - before <= room);
		/* It takes something, or ends: else this would never end either. */
		assert_true(in.len < len || out->len > before || state != DECODE_GOES_ON);
		data = slice_of(data.ptr + len - in.len, data.len - (len - in.len));
	}
	return state;
}

static void expect_decoded(
	const char *coding, struct slice data, enum decode_state wanted, struct slice text)
{
	static const size_t steps[] = {1, 2, 3, 17, 100000};
	static const size_t rooms[] = {1, 5, 4096};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		for (size_t j = 0; j < sizeof(rooms) / sizeof(rooms[0]); j++) {
			struct decoder *decoder = decoder_of(coding);
			struct buffer out = BUFFER_INIT;

			assert_non_null(decoder);
			assert_int_equal(
				decode_pieces(decoder, data, steps[i], rooms[j], &out), wanted);
			assert_true(slice_equal(buffer_slice(&out), text));
			buffer_fini(&out);
			decoder_destroy(decoder);
		}
	}
}

static struct slice some_text(void)
{
	static char text[3000];

	for (size_t i = 0; i < sizeof(text); i++) {
		text[i] = (char)('a' + (i * i / 7 + i) % 23);
	}
	return slice_of(text, sizeof(text));
}

static void each_coding_is_undone_however_it_is_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < CODINGS; i++) {
		struct buffer data = BUFFER_INIT;

		compress_as(codings[i], some_text(), &data);
		expect_decoded(codings[i], buffer_slice(&data), DECODE_WHOLE, some_text());
		buffer_clear(&data);
		compress_as(codings[i], SLICE(""), &data);
		expect_decoded(codings[i], buffer_slice(&data), DECODE_WHOLE, SLICE(""));
		buffer_fini(&data);
	}
}

static void codings_on_top_of_each_other_are_undone_from_the_last(void **state)
{
	struct buffer once = BUFFER_INIT;
	struct buffer twice = BUFFER_INIT;
	struct buffer thrice = BUFFER_INIT;

	(void)state;
	compress_as("zstd", some_text(), &once);
	compress_as("gzip", buffer_slice(&once), &twice);
	compress_as("br", buffer_slice(&twice), &thrice);
	expect_decoded(
		"zstd, identity,GZIP , br", buffer_slice(&thrice), DECODE_WHOLE, some_text());
	expect_decoded("zstd, gzip", slice_of(twice.ptr, twice.len - 1), DECODE_CUT, some_text());
	buffer_append_char(&thrice, 'x');
	expect_decoded("zstd, gzip, br", buffer_slice(&thrice), DECODE_FOLLOWED, some_text());
	buffer_fini(&once);
	buffer_fini(&twice);
	buffer_fini(&thrice);
}

static void what_is_not_known_makes_no_decoder(void **state)
{
	static const char *const unknown[] = {"", "identity", "compress", "gzip, x", "gzip gzip",
		"gzip,gzip,gzip,gzip", "aws-chunked,gzip"};

	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		assert_null(decoder_create(slice_str(unknown[i])));
	}
	assert_false(decode_is_coded(SLICE("")));
	assert_false(decode_is_coded(SLICE("identity, Identity")));
	assert_true(decode_is_coded(SLICE("identity, x")));
}

static void cut_data_give_what_came_before(void **state)
{
	(void)state;
	for (size_t i = 0; i < CODINGS; i++) {
		struct buffer data = BUFFER_INIT;
		struct slice text = some_text();
		size_t last = 0;

		compress_as(codings[i], text, &data);
		for (size_t len = 0; len < data.len; len++) {
			struct decoder *decoder = decoder_of(codings[i]);
			struct buffer out = BUFFER_INIT;

			assert_int_equal(
				decode_pieces(decoder, slice_of(data.ptr, len), 7, 999, &out),
				DECODE_CUT);
			assert_true(out.len <= text.len && out.len >= last);
			assert_memory_equal(out.len == 0 ? "" : out.ptr, text.ptr, out.len);
			last = out.len;
			buffer_fini(&out);
			decoder_destroy(decoder);
		}
		buffer_fini(&data);
	}
}

static void broken_data_and_what_follows_the_end_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < CODINGS; i++) {
		struct buffer data = BUFFER_INIT;

		compress_as(codings[i], some_text(), &data);
		buffer_append_str(&data, "more");
		expect_decoded(codings[i], buffer_slice(&data), DECODE_FOLLOWED, some_text());
		buffer_fini(&data);
	}
	expect_decoded("gzip", SLICE("{\"a\":1}"), DECODE_BROKEN, SLICE(""));
	expect_decoded("zstd", SLICE("{\"a\":1}"), DECODE_BROKEN, SLICE(""));
}

static void several_files_in_one_are_one(void **state)
{
	static const char *const joined[] = {"gzip", "zstd"};

	(void)state;
	for (size_t i = 0; i < sizeof(joined) / sizeof(joined[0]); i++) {
		struct buffer data = BUFFER_INIT;

		compress_as(joined[i], SLICE("one "), &data);
		compress_as(joined[i], SLICE("two"), &data);
		expect_decoded(joined[i], buffer_slice(&data), DECODE_WHOLE, SLICE("one two"));
		buffer_fini(&data);
	}
}

static void a_bomb_is_cut(void **state)
{
	char *zeros = calloc(1, DECODE_MAX + 1000);

	(void)state;
	for (size_t i = 0; i < CODINGS; i++) {
		struct buffer data = BUFFER_INIT;
		struct buffer out = BUFFER_INIT;
		struct decoder *decoder = decoder_of(codings[i]);

		compress_as(codings[i], slice_of(zeros, DECODE_MAX + 1000), &data);
		assert_int_equal(decode_pieces(decoder, buffer_slice(&data), 100000, 65536, &out),
			DECODE_TOO_LONG);
		assert_int_equal(out.len, DECODE_MAX);
		buffer_fini(&data);
		buffer_fini(&out);
		decoder_destroy(decoder);
	}
	free(zeros);
}

static void a_bomb_within_a_coding_is_cut(void **state)
{
	char *zeros = calloc(1, DECODE_MAX);
	struct buffer inner = BUFFER_INIT;
	struct buffer data = BUFFER_INIT;
	struct buffer out = BUFFER_INIT;
	struct decoder *decoder = decoder_create(SLICE("gzip, gzip"));

	(void)state;
	/* Nothing comes of the inner one, as often as it is there. */
	compress_as("gzip", SLICE(""), &inner);
	while (inner.len < DECODE_MAX + 1000) {
		size_t len = inner.len;

		buffer_append(&inner, buffer_reserve(&inner, len) - len, len);
	}
	compress_as("gzip", buffer_slice(&inner), &data);
	assert_int_equal(
		decode_pieces(decoder, buffer_slice(&data), 4096, 4096, &out), DECODE_TOO_LONG);
	assert_int_equal(out.len, 0);
	buffer_fini(&inner);
	buffer_fini(&data);
	buffer_fini(&out);
	decoder_destroy(decoder);
	free(zeros);
}

static void a_window_that_is_too_wide_is_told(void **state)
{
	/* A zstd frame that asks for 16 MiB (RFC 8878 section 3.1.1.1.2). */
	static const char frame[] = "\x28\xb5\x2f\xfd\x00\x70\x01\x00\x00";

	(void)state;
	expect_decoded("zstd", slice_of(frame, sizeof(frame) - 1), DECODE_TOO_WIDE, SLICE(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_coding_is_undone_however_it_is_cut),
		cmocka_unit_test(codings_on_top_of_each_other_are_undone_from_the_last),
		cmocka_unit_test(what_is_not_known_makes_no_decoder),
		cmocka_unit_test(cut_data_give_what_came_before),
		cmocka_unit_test(broken_data_and_what_follows_the_end_are_told),
		cmocka_unit_test(several_files_in_one_are_one),
		cmocka_unit_test(a_bomb_is_cut),
		cmocka_unit_test(a_bomb_within_a_coding_is_cut),
		cmocka_unit_test(a_window_that_is_too_wide_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
