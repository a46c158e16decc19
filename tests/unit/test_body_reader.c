/*
 * Where a body's bytes are, and where it ends. Each case is read whole, byte by byte and in pieces
 * of three sizes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/reading.h"

static const size_t steps[] = {0, 1, 2, 3, 11};

enum {
	STEPS = sizeof(steps) / sizeof(steps[0]),
};

static int setup(void **state)
{
	static struct reading reading;

	reading_init(&reading);
	reading.framing = (struct framing){.kind = FRAMING_CHUNKED};
	*state = &reading;
	return 0;
}

static int teardown(void **state)
{
	reading_fini(*state);
	return 0;
}

/* The body is whole after `taken` bytes, and is `want`. */
static void expect_end(struct reading *r, struct slice bytes, const char *want, size_t taken)
{
	for (size_t i = 0; i < STEPS; i++) {
		reading_body(r, bytes, steps[i]);
		if (r->body_progress != BODY_END || r->taken != taken ||
			r->body.len != strlen(want) ||
			(r->body.len > 0 && memcmp(r->body.ptr, want, r->body.len) != 0)) {
			fail_msg("progress %d (%s), %zu taken, body \"%.*s\", in pieces of %zu",
				(int)r->body_progress, r->err.text, r->taken, (int)r->body.len,
				r->body.len > 0 ? r->body.ptr : "", steps[i]);
		}
	}
}

static void expect_failure(struct reading *r, struct slice bytes, enum err_code code)
{
	for (size_t i = 0; i < STEPS; i++) {
		reading_body(r, bytes, steps[i]);
		if (r->body_progress != BODY_FAILED || r->err.code != code ||
			r->err.text[0] == '\0') {
			fail_msg("progress %d, error %d (%s), in pieces of %zu: %.*s",
				(int)r->body_progress, (int)r->err.code, r->err.text, steps[i],
				(int)bytes.len, bytes.ptr);
		}
	}
}

static void a_message_without_a_body_ends_at_once(void **state)
{
	struct reading *r = *state;

	r->framing.kind = FRAMING_NONE;
	expect_end(r, SLICE("next"), "", 0);
	expect_end(r, SLICE(""), "", 0);
}

static void a_length_is_counted_to_its_last_byte(void **state)
{
	struct reading *r = *state;

	r->framing = (struct framing){.kind = FRAMING_LENGTH, .length = 5};
	expect_end(r, SLICE("hello"), "hello", 5);
	expect_end(r, SLICE("hello, next"), "hello", 5);
	for (size_t i = 0; i < STEPS; i++) {
		reading_body(r, SLICE("hell"), steps[i]);
		assert_int_equal(r->body_progress, BODY_MORE);
		assert_int_equal(r->body.len, 4);
	}
}

static void a_body_up_to_the_close_never_ends_by_itself(void **state)
{
	struct reading *r = *state;

	for (size_t i = 0; i < STEPS; i++) {
		r->framing.kind = FRAMING_CLOSE;
		reading_body(r, SLICE("all of it\r\n0\r\n\r\n"), steps[i]);
		assert_int_equal(r->body_progress, BODY_MORE);
		assert_int_equal(r->body.len, 16);
		r->framing.kind = FRAMING_TUNNEL;
		reading_body(r, SLICE("\x81\x05hello"), steps[i]);
		assert_int_equal(r->body_progress, BODY_MORE);
		assert_int_equal(r->body.len, 7);
	}
}

static void chunks_give_their_data_and_nothing_else(void **state)
{
	struct reading *r = *state;

	expect_end(r, SLICE("5\r\nhello\r\n0\r\n\r\n"), "hello", 15);
	expect_end(r, SLICE("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nnext"), "hello world", 26);
	expect_end(r, SLICE("0\r\n\r\n"), "", 5);
	expect_end(r, SLICE("000\r\n\r\n"), "", 7);
	expect_end(r, SLICE("00000000000000a\r\n0123456789\r\n0\r\n\r\n"), "0123456789", 34);
	expect_end(r, SLICE("A\r\n\r\n0\r\n\r\nabc\r\n0\r\n\r\n"), "\r\n0\r\n\r\nabc", 20);
	expect_end(r, SLICE("2;name=value;x=\"a b\";\t\xFF\r\nhi\r\n0;last\r\n\r\n"), "hi", 39);
	expect_end(r, SLICE("2;\r\nhi\r\n0;\r\n\r\n"), "hi", 14);
}

static void trailers_are_kept_apart(void **state)
{
	struct reading *r = *state;

	expect_end(r, SLICE("2\r\nhi\r\n0\r\nDigest: abc\r\nX-Time:1\r\n\r\nnext"), "hi", 35);
	assert_int_equal(r->trailers.count, 2);
	assert_int_equal(r->trailers.size, 25);
	assert_int_equal(head_value(&r->trailers, &r->trailers.fields[0]).len, 3);
	expect_end(r, SLICE("0\r\n\r\n"), "", 5);
	assert_int_equal(r->trailers.count, 0);
	expect_failure(r, SLICE("0\r\nA : b\r\n\r\n"), ERR_SYNTAX);
	expect_failure(r, SLICE("0\r\n folded\r\n\r\n"), ERR_SYNTAX);
	expect_failure(r, SLICE("0\r\nA: b\n\r\n"), ERR_SYNTAX);
	expect_failure(r, SLICE("0\r\nGET / HTTP/1.1\r\n\r\n"), ERR_SYNTAX);
}

static void broken_chunks_are_refused(void **state)
{
	static const struct slice cases[] = {
		SLICE_INIT("\r\nhello"),
		SLICE_INIT(";x\r\n"),
		SLICE_INIT(" 5\r\nhello\r\n"),
		SLICE_INIT("\t5\r\nhello\r\n"),
		SLICE_INIT("5 \r\nhello\r\n"),
		SLICE_INIT("5 ;x\r\nhello\r\n"),
		SLICE_INIT("+5\r\nhello\r\n"),
		SLICE_INIT("-5\r\nhello\r\n"),
		SLICE_INIT("0x5\r\nhello\r\n"),
		SLICE_INIT("5h\r\nhello\r\n"),
		SLICE_INIT("5,\r\nhello\r\n"),
		SLICE_INIT("G\r\nhello\r\n"),
		SLICE_INIT("5\nhello\r\n0\r\n\r\n"),
		SLICE_INIT("5\rhello\r\n0\r\n\r\n"),
		SLICE_INIT("5\r\r\nhello\r\n0\r\n\r\n"),
		SLICE_INIT("5\r\nhello\n0\r\n\r\n"),
		SLICE_INIT("5\r\nhello\r0\r\n\r\n"),
		SLICE_INIT("5\r\nhello!\r\n0\r\n\r\n"),
		SLICE_INIT("5\r\nhello0\r\n\r\n"),
		SLICE_INIT("5\r\nhello\r\n\r\n0\r\n\r\n"),
		SLICE_INIT("5;a\nb\r\nhello\r\n"),
		SLICE_INIT("5;a\rb\r\nhello\r\n"),
		SLICE_INIT("5;a\0b\r\nhello\r\n"),
		SLICE_INIT("5;a\x7F\r\nhello\r\n"),
		SLICE_INIT("0\r\n\rX"),
		SLICE_INIT("0\r\n\n"),
		SLICE_INIT("0\n\r\n"),
		SLICE_INIT("0\n\n"),
		/* more than 63 bits, and zeros without an end */
		SLICE_INIT("8000000000000000\r\n"),
		SLICE_INIT("ffffffffffffffff\r\n"),
		SLICE_INIT("10000000000000005\r\nhello\r\n"),
		SLICE_INIT("00000000000000005\r\nhello\r\n"),
	};
	struct reading *r = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_failure(r, cases[i], ERR_SYNTAX);
	}
}

static void the_largest_size_is_taken(void **state)
{
	struct reading *r = *state;

	for (size_t i = 0; i < STEPS; i++) {
		reading_body(r, SLICE("7fffffffffffffff\r\nabc"), steps[i]);
		assert_int_equal(r->body_progress, BODY_MORE);
		assert_int_equal(r->body.len, 3);
	}
}

static void a_cut_body_is_never_whole(void **state)
{
	static const struct slice text = SLICE_INIT("2;x\r\nhi\r\n0\r\nA: b\r\n\r\n");
	struct reading *r = *state;

	for (size_t len = 0; len < text.len; len++) {
		for (size_t i = 0; i < STEPS; i++) {
			reading_body(r, slice_of(text.ptr, len), steps[i]);
			assert_int_equal(r->body_progress, BODY_MORE);
		}
	}
	expect_end(r, text, "hi", text.len);
}

/*
 * `count` chunks of `size` bytes, each with an extension of `extension` bytes, the semicolon not
 * counted.
 */
static void make_body(struct buffer *out, unsigned count, unsigned size, unsigned extension)
{
	buffer_clear(out);
	for (unsigned i = 0; i < count; i++) {
		buffer_printf(out, "%x;%0*d\r\n%0*d\r\n", size, (int)extension, 0, (int)size, 0);
	}
	buffer_append_str(out, "0\r\n");
}

static void extensions_and_trailers_are_bounded_in_sum(void **state)
{
	struct buffer text = BUFFER_INIT;
	struct reading *r = *state;

	r->limits.bytes = 1000;
	make_body(&text, 10, 1, 100);
	buffer_append_str(&text, "\r\n");
	reading_body(r, buffer_slice(&text), 0);
	assert_int_equal(r->body_progress, BODY_END);
	make_body(&text, 11, 1, 100);
	expect_failure(r, buffer_slice(&text), ERR_HEADER_LIMIT);
	make_body(&text, 1, 1, 1001);
	expect_failure(r, buffer_slice(&text), ERR_HEADER_LIMIT);
	/* what extensions have used, trailers may not use again */
	make_body(&text, 9, 1, 100);
	buffer_printf(&text, "A: %0*d\r\n\r\n", 93, 0);
	reading_body(r, buffer_slice(&text), 0);
	assert_int_equal(r->body_progress, BODY_END);
	make_body(&text, 9, 1, 100);
	buffer_printf(&text, "A: %0*d\r\n\r\n", 94, 0);
	expect_failure(r, buffer_slice(&text), ERR_HEADER_LIMIT);
	make_body(&text, 10, 1, 100);
	buffer_append_str(&text, "A: b\r\n\r\n");
	expect_failure(r, buffer_slice(&text), ERR_HEADER_LIMIT);
	buffer_fini(&text);
}

static void a_long_signed_upload_pays_for_its_extensions(void **state)
{
	struct buffer text = BUFFER_INIT;
	struct reading *r = *state;

	r->limits.bytes = 1000;
	make_body(&text, 20, 8192, 81);
	buffer_append_str(&text, "\r\n");
	reading_body(r, buffer_slice(&text), 0);
	assert_int_equal(r->body_progress, BODY_END);
	assert_int_equal(r->body.len, 20 * 8192);
	buffer_fini(&text);
}

static void trailer_fields_are_limited_in_number(void **state)
{
	struct reading *r = *state;

	r->limits.fields = 2;
	expect_end(r, SLICE("0\r\nA: b\r\nA: b\r\n\r\n"), "", 17);
	expect_failure(r, SLICE("0\r\nA: b\r\nA: b\r\nA: b\r\n\r\n"), ERR_HEADER_LIMIT);
}

static void a_reader_that_failed_or_ended_stays_so(void **state)
{
	struct reading *r = *state;
	struct body_reader reader;
	struct slice in = SLICE("x5\r\nhello\r\n0\r\n\r\n");
	struct slice data;

	body_reader_init(&reader, &r->framing, &r->trailers, &r->arena, &r->limits);
	assert_int_equal(body_reader_next(&reader, &in, &data, &r->err), BODY_FAILED);
	assert_int_equal(body_reader_next(&reader, &in, &data, &r->err), BODY_FAILED);
	in.len = 0;
	assert_int_equal(body_reader_next(&reader, &in, &data, &r->err), BODY_FAILED);
	in = SLICE("0\r\n\r\nnext");
	body_reader_init(&reader, &r->framing, &r->trailers, &r->arena, &r->limits);
	assert_int_equal(body_reader_next(&reader, &in, &data, &r->err), BODY_END);
	assert_int_equal(body_reader_next(&reader, &in, &data, &r->err), BODY_END);
	assert_int_equal(in.len, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_without_a_body_ends_at_once),
		TEST(a_length_is_counted_to_its_last_byte),
		TEST(a_body_up_to_the_close_never_ends_by_itself),
		TEST(chunks_give_their_data_and_nothing_else),
		TEST(trailers_are_kept_apart),
		TEST(broken_chunks_are_refused),
		TEST(the_largest_size_is_taken),
		TEST(a_cut_body_is_never_whole),
		TEST(extensions_and_trailers_are_bounded_in_sum),
		TEST(a_long_signed_upload_pays_for_its_extensions),
		TEST(trailer_fields_are_limited_in_number),
		TEST(a_reader_that_failed_or_ended_stays_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
