/*
 * The strict reading of heads. Each case is read whole, byte by byte and in pieces of three sizes,
 * always with the same result.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/reading.h"

static const size_t steps[] = {0, 1, 2, 7, 64};

enum {
	STEPS = sizeof(steps) / sizeof(steps[0]),
};

static int setup(void **state)
{
	static struct reading reading;

	reading_init(&reading);
	*state = &reading;
	return 0;
}

static int teardown(void **state)
{
	reading_fini(*state);
	return 0;
}

static void expect_slice(struct slice have, const char *want)
{
	if (have.len != strlen(want) || memcmp(have.ptr, want, have.len) != 0) {
		fail_msg("\"%.*s\" is not \"%s\"", (int)have.len, have.ptr, want);
	}
}

static void expect_done(struct reading *reading, enum head_kind kind, struct slice text)
{
	for (size_t i = 0; i < STEPS; i++) {
		reading_head(reading, kind, text, steps[i]);
		if (reading->progress != HEAD_DONE) {
			fail_msg("refused (%s), in pieces of %zu: %.*s", reading->err.text,
				steps[i], (int)text.len, text.ptr);
		}
	}
}

static void expect_failure(
	struct reading *reading, enum head_kind kind, struct slice text, enum err_code code)
{
	for (size_t i = 0; i < STEPS; i++) {
		reading_head(reading, kind, text, steps[i]);
		if (reading->progress != HEAD_FAILED || reading->err.code != code ||
			reading->err.text[0] == '\0') {
			fail_msg("progress %d, error %d (%s), in pieces of %zu: %.*s",
				(int)reading->progress, (int)reading->err.code, reading->err.text,
				steps[i], (int)text.len, text.ptr);
		}
	}
}

static void a_request_is_taken_apart_byte_for_byte(void **state)
{
	static const struct slice text = SLICE_INIT("POST /a/%2e?b=c%20|{} HTTP/1.1\r\n"
						    "Host: example.com\r\n"
						    "x-Odd_Name.~!:no space\r\n"
						    "X-Padded: \t two  words\t \r\n"
						    "X-Latin: caf\xE9\r\n"
						    "X-Empty:\r\n"
						    "X-Blank: \t \r\n"
						    "HOST:second\r\n"
						    "\r\n"
						    "behind");
	struct reading *r = *state;

	for (size_t i = 0; i < STEPS; i++) {
		reading_head(r, HEAD_REQUEST, text, steps[i]);
		assert_int_equal(r->progress, HEAD_DONE);
		assert_int_equal(r->taken, text.len - strlen("behind"));
		assert_int_equal(r->head.size, r->taken);
		assert_memory_equal(r->head.bytes, text.ptr, r->taken);
		assert_int_equal(r->head.method, METHOD_POST);
		expect_slice(r->head.method_name, "POST");
		expect_slice(r->head.target, "/a/%2e?b=c%20|{}");
		assert_int_equal(r->head.version_minor, 1);
		assert_int_equal(r->head.count, 7);
		expect_slice(head_name(&r->head, &r->head.fields[1]), "x-Odd_Name.~!");
		expect_slice(head_value(&r->head, &r->head.fields[1]), "no space");
		expect_slice(head_value(&r->head, &r->head.fields[2]), "two  words");
		expect_slice(head_value(&r->head, &r->head.fields[3]), "caf\xE9");
		expect_slice(head_value(&r->head, &r->head.fields[4]), "");
		expect_slice(head_value(&r->head, &r->head.fields[5]), "");
		expect_slice(head_get(&r->head, FIELD_HOST), "example.com");
		assert_ptr_equal(head_find(&r->head, FIELD_HOST), &r->head.fields[0]);
		assert_ptr_equal(head_find_next(&r->head, &r->head.fields[0]), &r->head.fields[6]);
		assert_null(head_find_next(&r->head, &r->head.fields[6]));
		assert_null(head_find(&r->head, FIELD_COOKIE));
		assert_null(head_get(&r->head, FIELD_COOKIE).ptr);
	}
}

static void an_answer_is_taken_apart_byte_for_byte(void **state)
{
	static const struct {
		struct slice text;
		unsigned status;
		const char *reason;
		unsigned minor;
	} cases[] = {
		{SLICE_INIT("HTTP/1.1 200 OK\r\n\r\n"), 200, "OK", 1},
		{SLICE_INIT("HTTP/1.0 404 Not\tFound \xFC\r\nA: b\r\n\r\n"), 404, "Not\tFound \xFC",
			0},
		{SLICE_INIT("HTTP/1.1 999 \r\n\r\n"), 999, "", 1},
		{SLICE_INIT("HTTP/1.1 100\r\n\r\n"), 100, "", 1},
	};
	struct reading *r = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_done(r, HEAD_RESPONSE, cases[i].text);
		assert_int_equal(r->head.status, cases[i].status);
		expect_slice(r->head.reason, cases[i].reason);
		assert_int_equal(r->head.version_minor, cases[i].minor);
		assert_int_equal(r->head.size, cases[i].text.len);
	}
}

static void trailers_are_fields_without_a_start_line(void **state)
{
	struct reading *r = *state;

	expect_done(r, HEAD_TRAILERS, SLICE("Digest: x\r\nX-Time: 1\r\n\r\n"));
	assert_int_equal(r->head.count, 2);
	expect_done(r, HEAD_TRAILERS, SLICE("\r\n"));
	assert_int_equal(r->head.count, 0);
	assert_int_equal(r->head.size, 2);
	expect_failure(r, HEAD_TRAILERS, SLICE("GET / HTTP/1.1\r\n\r\n"), ERR_SYNTAX);
}

static void one_empty_line_before_a_request_is_passed_over(void **state)
{
	static const struct slice text = SLICE_INIT("\r\nGET / HTTP/1.1\r\n\r\n");
	struct reading *r = *state;

	expect_done(r, HEAD_REQUEST, text);
	assert_int_equal(r->taken, text.len);
	assert_int_equal(r->head.size, text.len - 2);
	assert_int_equal(r->head.bytes[0], 'G');
	expect_failure(r, HEAD_REQUEST, SLICE("\r\n\r\nGET / HTTP/1.1\r\n\r\n"), ERR_SYNTAX);
	expect_failure(r, HEAD_REQUEST, SLICE("\rGET / HTTP/1.1\r\n\r\n"), ERR_SYNTAX);
	expect_failure(r, HEAD_REQUEST, SLICE("\nGET / HTTP/1.1\r\n\r\n"), ERR_SYNTAX);
	expect_failure(r, HEAD_RESPONSE, SLICE("\r\nHTTP/1.1 200 OK\r\n\r\n"), ERR_SYNTAX);
}

static void an_end_before_the_section_is_a_clean_close(void **state)
{
	struct reading *r = *state;

	reading_head(r, HEAD_REQUEST, SLICE(""), 0);
	assert_false(r->begun);
	for (size_t i = 0; i < STEPS; i++) {
		reading_head(r, HEAD_REQUEST, SLICE("\r\n"), steps[i]);
		assert_false(r->begun);
		reading_head(r, HEAD_REQUEST, SLICE("\r\nG"), steps[i]);
		assert_true(r->begun);
		reading_head(r, HEAD_RESPONSE, SLICE("H"), steps[i]);
		assert_true(r->begun);
	}
}

static void what_two_parsers_could_read_in_two_ways_is_refused(void **state)
{
	static const struct slice requests[] = {
		/* start line */
		SLICE_INIT("GET  / HTTP/1.1\r\n\r\n"),
		SLICE_INIT("GET /  HTTP/1.1\r\n\r\n"),
		SLICE_INIT("GET  HTTP/1.1\r\n\r\n"),
		SLICE_INIT(" / HTTP/1.1\r\n\r\n"),
		SLICE_INIT("GET\t/ HTTP/1.1\r\n\r\n"),
		SLICE_INIT(" GET / HTTP/1.1\r\n\r\n"),
		SLICE_INIT("GET / HTTP/1.1 \r\n\r\n"),
		SLICE_INIT("GET / HTTP/1.1\n\r\n"),
		SLICE_INIT("GET / HTTP/1.1\r\r\n\r\n"),
		SLICE_INIT("GET /\r\n\r\n"),
		SLICE_INIT("GET / \r\n\r\n"),
		SLICE_INIT("GET HTTP/1.1\r\n\r\n"),
		SLICE_INIT("GET / http/1.1\r\n\r\n"),
		SLICE_INIT("GET / HTTP/1.\r\n\r\n"),
		SLICE_INIT("GET / HTTP/1.10\r\n\r\n"),
		SLICE_INIT("GET / HTTP/01.1\r\n\r\n"),
		SLICE_INIT("GET / HTTP/1,1\r\n\r\n"),
		SLICE_INIT("GET / HTTPS/1.1\r\n\r\n"),
		SLICE_INIT("GET / ICY/1.1\r\n\r\n"),
		SLICE_INIT("GE(T / HTTP/1.1\r\n\r\n"),
		SLICE_INIT("G\xC3\x84T / HTTP/1.1\r\n\r\n"),
		SLICE_INIT("GET /\x01 HTTP/1.1\r\n\r\n"),
		SLICE_INIT("GET /\0 HTTP/1.1\r\n\r\n"),
		SLICE_INIT("GET /\x7F HTTP/1.1\r\n\r\n"),
		SLICE_INIT("GET /\xC3\xA4 HTTP/1.1\r\n\r\n"),
		/* fields */
		SLICE_INIT("GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
		SLICE_INIT("GET / HTTP/1.1\r\nHost\t: a\r\n\r\n"),
		SLICE_INIT("GET / HTTP/1.1\r\n: a\r\n\r\n"),
		SLICE_INIT("GET / HTTP/1.1\r\nHost\r\n\r\n"),
		SLICE_INIT("GET / HTTP/1.1\r\nHo st: a\r\n\r\n"),
		SLICE_INIT("GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
		SLICE_INIT("GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n"),
		SLICE_INIT("GET / HTTP/1.1\r\nA: b\r\n\tfolded: x\r\n\r\n"),
		SLICE_INIT("GET / HTTP/1.1\r\nA: b\nB: c\r\n\r\n"),
		SLICE_INIT("GET / HTTP/1.1\r\nA: b\rB: c\r\n\r\n"),
		SLICE_INIT("GET / HTTP/1.1\r\nA: b\r\r\n\r\n"),
		SLICE_INIT("GET / HTTP/1.1\r\nA: b\0c\r\n\r\n"),
		SLICE_INIT("GET / HTTP/1.1\r\nA: b\x0B\x63\r\n\r\n"),
		SLICE_INIT("GET / HTTP/1.1\r\nA: b\x7F\r\n\r\n"),
		SLICE_INIT("GET / HTTP/1.1\r\nA\0: b\r\n\r\n"),
		SLICE_INIT("GET / HTTP/1.1\r\nA\x80: b\r\n\r\n"),
		SLICE_INIT("GET / HTTP/1.1\r\n\"A\": b\r\n\r\n"),
		SLICE_INIT("GET / HTTP/1.1\r\nA: b\r\n\n"),
		SLICE_INIT("GET / HTTP/1.1\r\nA: b\r\n\rX"),
		SLICE_INIT("GET / HTTP/1.1\r\n\n"),
		/* no HTTP at all */
		SLICE_INIT("\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03"),
		SLICE_INIT("\0"),
		SLICE_INIT("<html>"),
		SLICE_INIT("{\"a\": 1}"),
	};
	static const struct slice answers[] = {
		SLICE_INIT("HTTP/1.1  200 OK\r\n\r\n"),
		SLICE_INIT("HTTP/1.1\t200 OK\r\n\r\n"),
		SLICE_INIT("HTTP/1.1 20 OK\r\n\r\n"),
		SLICE_INIT("HTTP/1.1 2000 OK\r\n\r\n"),
		SLICE_INIT("HTTP/1.1 020 OK\r\n\r\n"),
		SLICE_INIT("HTTP/1.1 200OK\r\n\r\n"),
		SLICE_INIT("HTTP/1.1 200\tOK\r\n\r\n"),
		SLICE_INIT("HTTP/1.1 200\n\r\n"),
		SLICE_INIT("HTTP/1.1 200 OK\n\r\n"),
		SLICE_INIT("HTTP/1.1 200 OK\rX\n\r\n"),
		SLICE_INIT("HTTP/1.1 200 O\0K\r\n\r\n"),
		SLICE_INIT("HTTP/1.1 +20 OK\r\n\r\n"),
		SLICE_INIT("HTTP/1.1 \r\n\r\n"),
		SLICE_INIT("HTTP 200 OK\r\n\r\n"),
		SLICE_INIT("ICY 200 OK\r\n\r\n"),
		SLICE_INIT("200 OK\r\n\r\n"),
		SLICE_INIT("HTTP/1.1 200 OK\r\nA : b\r\n\r\n"),
		SLICE_INIT("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"),
	};
	struct reading *r = *state;

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		expect_failure(r, HEAD_REQUEST, requests[i], ERR_SYNTAX);
	}
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		expect_failure(r, HEAD_RESPONSE, answers[i], ERR_SYNTAX);
	}
}

static void other_versions_are_told_from_junk(void **state)
{
	struct reading *r = *state;

	expect_failure(r, HEAD_REQUEST, SLICE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), ERR_VERSION);
	expect_failure(r, HEAD_REQUEST, SLICE("GET / HTTP/2.0\r\n\r\n"), ERR_VERSION);
	expect_failure(r, HEAD_REQUEST, SLICE("GET / HTTP/1.2\r\n\r\n"), ERR_VERSION);
	expect_failure(r, HEAD_REQUEST, SLICE("GET / HTTP/0.9\r\n\r\n"), ERR_VERSION);
	expect_failure(r, HEAD_RESPONSE, SLICE("HTTP/3.0 200 OK\r\n\r\n"), ERR_VERSION);
	expect_failure(r, HEAD_REQUEST, SLICE("GET / HTTP/2\r\n\r\n"), ERR_SYNTAX);
	expect_failure(r, HEAD_REQUEST, SLICE("GET / HTTP/x.1\r\n\r\n"), ERR_SYNTAX);
}

static void a_start_line_is_refused_at_its_first_bad_byte(void **state)
{
	static const struct {
		struct slice text; /* the last byte is the bad one */
		enum head_kind kind;
	} cases[] = {
		{SLICE_INIT("\x16"), HEAD_REQUEST},
		{SLICE_INIT("GET@"), HEAD_REQUEST},
		{SLICE_INIT("GET /a\r"), HEAD_REQUEST},
		{SLICE_INIT("GET /a X"), HEAD_REQUEST},
		{SLICE_INIT("GET /a HTTP/1.1X"), HEAD_REQUEST},
		{SLICE_INIT("HTTQ"), HEAD_RESPONSE},
		{SLICE_INIT("HTTP/1.1 0"), HEAD_RESPONSE},
		{SLICE_INIT("HTTP/1.1 200 a\n"), HEAD_RESPONSE},
	};
	struct reading *r = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice text = cases[i].text;

		expect_failure(r, cases[i].kind, text, ERR_SYNTAX);
		reading_head(r, cases[i].kind, slice_of(text.ptr, text.len - 1), 1);
		assert_int_equal(r->progress, HEAD_MORE);
	}
}

/* A request with `fields` fields, and a value of `filler` bytes in the first of them. */
static void make_request(struct buffer *out, unsigned target, unsigned fields, unsigned filler)
{
	buffer_clear(out);
	buffer_printf(out, "GET /%0*d HTTP/1.1\r\n", (int)target - 1, 0);
	for (unsigned i = 0; i < fields; i++) {
		buffer_printf(out, "F: %0*u\r\n", i == 0 ? (int)filler : 1, 0);
	}
	buffer_append_str(out, "\r\n");
}

static void each_limit_is_reached_by_its_last_byte_and_not_before(void **state)
{
	struct buffer text = BUFFER_INIT;
	struct buffer with_empty_line = BUFFER_INIT;
	struct reading *r = *state;

	r->limits = (struct head_limits){.bytes = 1000, .fields = 5, .target = 50};
	make_request(&text, 50, 5, 10);
	expect_done(r, HEAD_REQUEST, buffer_slice(&text));
	make_request(&text, 51, 5, 10);
	expect_failure(r, HEAD_REQUEST, buffer_slice(&text), ERR_TARGET_TOO_LONG);
	make_request(&text, 50, 6, 10);
	expect_failure(r, HEAD_REQUEST, buffer_slice(&text), ERR_HEADER_LIMIT);
	make_request(&text, 10, 1, 1000 - 32);
	assert_int_equal(text.len, 1000);
	expect_done(r, HEAD_REQUEST, buffer_slice(&text));
	make_request(&text, 10, 1, 1001 - 32);
	expect_failure(r, HEAD_REQUEST, buffer_slice(&text), ERR_HEADER_LIMIT);
	/* an empty line before the request counts, too */
	make_request(&text, 10, 1, 998 - 32);
	buffer_append_str(&with_empty_line, "\r\n");
	buffer_append_slice(&with_empty_line, buffer_slice(&text));
	expect_done(r, HEAD_REQUEST, buffer_slice(&with_empty_line));
	make_request(&text, 10, 1, 999 - 32);
	buffer_clear(&with_empty_line);
	buffer_append_str(&with_empty_line, "\r\n");
	buffer_append_slice(&with_empty_line, buffer_slice(&text));
	expect_failure(r, HEAD_REQUEST, buffer_slice(&with_empty_line), ERR_HEADER_LIMIT);
	buffer_fini(&with_empty_line);
	buffer_fini(&text);
}

static void a_limit_is_told_without_waiting_for_the_lines_end(void **state)
{
	struct buffer text = BUFFER_INIT;
	struct reading *r = *state;

	r->limits = (struct head_limits){.bytes = 1000, .fields = 2, .target = 50};
	buffer_printf(&text, "GET /%0*d", 50, 0);
	expect_failure(r, HEAD_REQUEST, buffer_slice(&text), ERR_TARGET_TOO_LONG);
	buffer_clear(&text);
	buffer_printf(&text, "GET / HTTP/1.1\r\nA: %0*d", 1000 - 19, 0);
	assert_int_equal(text.len, 1000);
	expect_failure(r, HEAD_REQUEST, buffer_slice(&text), ERR_HEADER_LIMIT);
	expect_failure(
		r, HEAD_REQUEST, SLICE("GET / HTTP/1.1\r\nA: b\r\nA: b\r\nA"), ERR_HEADER_LIMIT);
	buffer_clear(&text);
	buffer_printf(&text, "%01000d", 0);
	expect_failure(r, HEAD_REQUEST, buffer_slice(&text), ERR_HEADER_LIMIT); /* a method */
	buffer_fini(&text);
}

static void an_error_in_a_line_and_a_limit_within_it_have_one_order(void **state)
{
	struct buffer text = BUFFER_INIT;
	struct reading *r = *state;

	/* the bad byte comes first, but its line is not whole within the limit */
	r->limits = (struct head_limits){.bytes = 100, .fields = 2, .target = 50};
	buffer_printf(&text, "GET / HTTP/1.1\r\nA: \x01 %0*d\r\n\r\n", 200, 0);
	expect_failure(r, HEAD_REQUEST, buffer_slice(&text), ERR_HEADER_LIMIT);
	buffer_clear(&text);
	buffer_printf(&text, "GET / HTTP/1.1\r\nA: \x01 b\r\nC: %0*d\r\n\r\n", 200, 0);
	expect_failure(r, HEAD_REQUEST, buffer_slice(&text), ERR_SYNTAX);
	buffer_fini(&text);
}

static void a_name_of_65535_bytes_is_the_longest(void **state)
{
	struct buffer text = BUFFER_INIT;
	struct reading *r = *state;

	r->limits = (struct head_limits){.bytes = 200000, .fields = 2, .target = 50};
	buffer_printf(&text, "GET / HTTP/1.1\r\n%0*d: a\r\n\r\n", 65535, 0);
	reading_head(r, HEAD_REQUEST, buffer_slice(&text), 0);
	assert_int_equal(r->progress, HEAD_DONE);
	assert_int_equal(r->head.fields[0].name_len, 65535);
	expect_slice(head_value(&r->head, &r->head.fields[0]), "a");
	buffer_clear(&text);
	buffer_printf(&text, "GET / HTTP/1.1\r\n%0*d: a\r\n\r\n", 65536, 0);
	expect_failure(r, HEAD_REQUEST, buffer_slice(&text), ERR_HEADER_LIMIT);
	buffer_fini(&text);
}

static void many_fields_are_kept_in_order(void **state)
{
	struct buffer text = BUFFER_INIT;
	struct reading *r = *state;

	r->limits.fields = 1000;
	buffer_append_str(&text, "GET / HTTP/1.1\r\n");
	for (unsigned i = 0; i < 1000; i++) {
		buffer_printf(&text, "N%u: %u\r\n", i, i * 7);
	}
	buffer_append_str(&text, "\r\n");
	for (size_t step = 0; step < STEPS; step++) {
		reading_head(r, HEAD_REQUEST, buffer_slice(&text), steps[step]);
		assert_int_equal(r->progress, HEAD_DONE);
		assert_int_equal(r->head.count, 1000);
		for (unsigned i = 0; i < 1000; i++) {
			char want[16];

			snprintf(want, sizeof(want), "N%u", i);
			expect_slice(head_name(&r->head, &r->head.fields[i]), want);
			snprintf(want, sizeof(want), "%u", i * 7);
			expect_slice(head_value(&r->head, &r->head.fields[i]), want);
		}
	}
	buffer_fini(&text);
}

static void an_arena_at_its_bound_is_a_header_limit(void **state)
{
	struct buffer text = BUFFER_INIT;
	struct reading *r = *state;

	make_request(&text, 10, 50, 3000);
	for (size_t bound = 16; bound < 3000; bound += 500) {
		arena_reset(&r->arena);
		arena_init(&r->arena, &r->pool, bound);
		expect_failure(r, HEAD_REQUEST, buffer_slice(&text), ERR_HEADER_LIMIT);
	}
	buffer_fini(&text);
}

static void a_head_in_one_piece_costs_its_size_and_its_fields(void **state)
{
	struct buffer text = BUFFER_INIT;
	struct reading *r = *state;

	make_request(&text, 100, 15, 400);
	reading_head(r, HEAD_REQUEST, buffer_slice(&text), 0);
	assert_int_equal(r->progress, HEAD_DONE);
	assert_in_range(r->arena.used, text.len, text.len + 24 * sizeof(struct field) + 32);
	buffer_fini(&text);
}

static void bytes_behind_a_cut_head_are_not_copied(void **state)
{
	static char body[60000];
	struct buffer text = BUFFER_INIT;
	struct reading *r = *state;
	struct head_reader reader;
	size_t taken;

	make_request(&text, 100, 3, 100);
	head_reader_init(&reader, HEAD_REQUEST, &r->head, &r->arena, &r->limits);
	assert_int_equal(
		head_reader_feed(&reader, slice_of(text.ptr, 50), &taken, &r->err), HEAD_MORE);
	buffer_append(&text, body, sizeof(body));
	assert_int_equal(
		head_reader_feed(&reader, slice_of(text.ptr + 50, text.len - 50), &taken, &r->err),
		HEAD_DONE);
	assert_int_equal(taken, text.len - 50 - sizeof(body));
	assert_in_range(r->arena.used, 0, 4096);
	buffer_fini(&text);
}

static void the_words_of_an_error_say_what_is_wrong(void **state)
{
	static const struct {
		struct slice text;
		const char *words;
	} cases[] = {
		{SLICE_INIT("GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
			"white space before the colon of a header field"},
		{SLICE_INIT("GET / HTTP/1.1\r\n x\r\n\r\n"),
			"a header line begins with white space"},
		{SLICE_INIT("GET / HTTP/1.1\r\n: a\r\n\r\n"), "a header field without a name"},
		{SLICE_INIT("GET / HTTP/1.1\r\nA\r\n\r\n"), "a header line without a colon"},
		{SLICE_INIT("GET / HTTP/1.1\r\nA B: c\r\n\r\n"),
			"byte 0x20 in a header field's name"},
		{SLICE_INIT("GET / HTTP/1.1\r\nA@: c\r\n\r\n"),
			"byte 0x40 in a header field's name"},
		{SLICE_INIT("GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n"),
			"a bare LF in the value of header field A"},
		{SLICE_INIT("GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n"),
			"a bare CR in the value of header field A"},
		{SLICE_INIT("GET / HTTP/1.1\r\nA: b\0\r\n\r\n"),
			"a NUL in the value of header field A"},
		{SLICE_INIT("GET /\x01"), "byte 0x01 in the target"},
		{SLICE_INIT("GET / HTTP/2.0\r\n"), "HTTP/2.0 is not spoken here"},
	};
	struct reading *r = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reading_head(r, HEAD_REQUEST, cases[i].text, 0);
		assert_string_equal(r->err.text, cases[i].words);
	}
}

/* Heads that are right and heads with one byte changed: the same result for every cut. */
static void every_cut_of_a_changed_head_gives_the_same_result(void **state)
{
	static const struct slice text = SLICE_INIT("PUT /a?b HTTP/1.1\r\n"
						    "Host: h:1\r\n"
						    "Content-Length: 5\r\n"
						    "A:\tb \r\n"
						    "\r\n"
						    "hello");
	static const char changes[] = "\0\t\n\r :A;\x7F\xFF";
	struct reading *r = *state;

	r->limits = (struct head_limits){.bytes = 58, .fields = 3, .target = 6};
	for (size_t at = 0; at < text.len; at++) {
		for (size_t change = 0; change < sizeof(changes) - 1; change++) {
			char changed[128];
			struct slice bytes = slice_of(changed, text.len);
			enum head_progress progress;
			enum err_code code;
			size_t taken;

			memcpy(changed, text.ptr, text.len);
			changed[at] = changes[change];
			reading_head(r, HEAD_REQUEST, bytes, 0);
			progress = r->progress;
			code = r->err.code;
			taken = r->taken;
			for (size_t step = 1; step < 20; step++) {
				reading_head(r, HEAD_REQUEST, bytes, step);
				assert_int_equal(r->progress, progress);
				assert_int_equal(r->err.code, code);
				if (progress == HEAD_DONE) {
					assert_int_equal(r->taken, taken);
				}
			}
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_is_taken_apart_byte_for_byte),
		TEST(an_answer_is_taken_apart_byte_for_byte),
		TEST(trailers_are_fields_without_a_start_line),
		TEST(one_empty_line_before_a_request_is_passed_over),
		TEST(an_end_before_the_section_is_a_clean_close),
		TEST(what_two_parsers_could_read_in_two_ways_is_refused),
		TEST(other_versions_are_told_from_junk),
		TEST(a_start_line_is_refused_at_its_first_bad_byte),
		TEST(each_limit_is_reached_by_its_last_byte_and_not_before),
		TEST(a_limit_is_told_without_waiting_for_the_lines_end),
		TEST(an_error_in_a_line_and_a_limit_within_it_have_one_order),
		TEST(a_name_of_65535_bytes_is_the_longest),
		TEST(many_fields_are_kept_in_order),
		TEST(an_arena_at_its_bound_is_a_header_limit),
		TEST(a_head_in_one_piece_costs_its_size_and_its_fields),
		TEST(bytes_behind_a_cut_head_are_not_copied),
		TEST(the_words_of_an_error_say_what_is_wrong),
		TEST(every_cut_of_a_changed_head_gives_the_same_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
