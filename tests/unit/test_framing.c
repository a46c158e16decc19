/*
 * How long a body is, and what is refused because it could be read in two ways.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/reading.h"

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

static void read_head(struct reading *reading, enum head_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void read_head(struct reading *reading, enum head_kind kind, const char *format, ...)
{
	struct buffer text = BUFFER_INIT;
	va_list args;

	va_start(args, format);
	buffer_vprintf(&text, format, args);
	va_end(args);
	reading_head(reading, kind, buffer_slice(&text), 0);
	if (reading->progress != HEAD_DONE) {
		fail_msg("%s: %.*s", reading->err.text, (int)text.len, text.ptr);
	}
	buffer_fini(&text);
}

/* Of a POST in version 1.`minor` with these fields beside its Host. */
static enum err_code frame_request(struct reading *reading, unsigned minor, const char *fields)
{
	read_head(reading, HEAD_REQUEST, "POST / HTTP/1.%u\r\nHost: a\r\n%s\r\n", minor, fields);
	return framing_of_request(&reading->head, &reading->framing, &reading->err);
}

static enum err_code frame_answer(
	struct reading *reading, unsigned status, enum method method, const char *fields)
{
	read_head(reading, HEAD_RESPONSE, "HTTP/1.1 %u X\r\n%s\r\n", status, fields);
	return framing_of_response(&reading->head, method, false, &reading->framing, &reading->err);
}

static void a_request_has_a_body_where_it_says_so(void **state)
{
	struct reading *r = *state;

	assert_int_equal(frame_request(r, 1, ""), ERR_NONE);
	assert_int_equal(r->framing.kind, FRAMING_NONE);
	assert_false(r->framing.has_length);
	assert_int_equal(frame_request(r, 1, "Content-Length: 0\r\n"), ERR_NONE);
	assert_int_equal(r->framing.kind, FRAMING_NONE);
	assert_true(r->framing.has_length);
	assert_int_equal(frame_request(r, 0, "Content-Length: 0042\r\n"), ERR_NONE);
	assert_int_equal(r->framing.kind, FRAMING_LENGTH);
	assert_int_equal(r->framing.length, 42);
	assert_int_equal(frame_request(r, 1, "content-length: 9223372036854775807\r\n"), ERR_NONE);
	assert_true(r->framing.length == INT64_MAX);
	assert_int_equal(frame_request(r, 1, "Transfer-Encoding: chunked\r\n"), ERR_NONE);
	assert_int_equal(r->framing.kind, FRAMING_CHUNKED);
	assert_int_equal(frame_request(r, 1, "transfer-encoding:CHUNKED \r\n"), ERR_NONE);
	assert_int_equal(r->framing.kind, FRAMING_CHUNKED);
}

static void ambiguous_lengths_and_codings_are_refused(void **state)
{
	static const struct {
		const char *fields;
		unsigned minor;
		enum err_code code;
	} cases[] = {
		{"Content-Length: 5\r\nContent-Length: 5\r\n", 1, ERR_SYNTAX},
		{"Content-Length: 5\r\nContent-Length: 6\r\n", 1, ERR_SYNTAX},
		{"Content-Length: 5, 5\r\n", 1, ERR_SYNTAX},
		{"Content-Length: +5\r\n", 1, ERR_SYNTAX},
		{"Content-Length: -5\r\n", 1, ERR_SYNTAX},
		{"Content-Length: 5 5\r\n", 1, ERR_SYNTAX},
		{"Content-Length: 0x5\r\n", 1, ERR_SYNTAX},
		{"Content-Length: 5.0\r\n", 1, ERR_SYNTAX},
		{"Content-Length:\t5\r\n", 1, ERR_SYNTAX},
		{"Content-Length: 5 \t \r\n", 1, ERR_SYNTAX},
		{"Transfer-Encoding: \tchunked\r\n", 1, ERR_SYNTAX},
		{"Transfer-Encoding: chunked\t\r\n", 1, ERR_SYNTAX},
		{"Content-Length: five\r\n", 1, ERR_SYNTAX},
		{"Content-Length: \r\n", 1, ERR_SYNTAX},
		{"Content-Length: 9223372036854775808\r\n", 1, ERR_SYNTAX},
		{"Content-Length: 18446744073709551621\r\n", 1, ERR_SYNTAX},
		{"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 1, ERR_SYNTAX},
		{"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", 1, ERR_SYNTAX},
		{"Content-Length: 5\r\nTransfer-Encoding: gzip\r\n", 1, ERR_SYNTAX},
		{"Transfer-Encoding: chunked\r\n", 0, ERR_SYNTAX},
		{"Transfer-Encoding: gzip\r\n", 0, ERR_SYNTAX},
		{"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 1, ERR_SYNTAX},
		{"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", 1, ERR_SYNTAX},
		{"Transfer-Encoding: \r\n", 1, ERR_SYNTAX},
		{"Transfer-Encoding: ,\r\n", 1, ERR_SYNTAX},
		{"Transfer-Encoding: chunked,\r\n", 1, ERR_SYNTAX},
		{"Transfer-Encoding: , chunked\r\n", 1, ERR_SYNTAX},
		{"Transfer-Encoding: chunked, chunked\r\n", 1, ERR_SYNTAX},
		{"Transfer-Encoding: chunked, gzip\r\n", 1, ERR_SYNTAX},
		{"Transfer-Encoding: chunked;x=y\r\n", 1, ERR_SYNTAX},
		{"Transfer-Encoding: gzip, chunked;x\r\n", 1, ERR_SYNTAX},
		{"Transfer-Encoding: \"chunked\"\r\n", 1, ERR_SYNTAX},
		{"Transfer-Encoding: chunked foo\r\n", 1, ERR_SYNTAX},
		{"Transfer-Encoding: c hunked\r\n", 1, ERR_SYNTAX},
		{"Transfer-Encoding: gzip, chunked\r\n", 1, ERR_CODING},
		{"Transfer-Encoding: gzip\r\n", 1, ERR_CODING},
		{"Transfer-Encoding: gzip;q=1, chunked\r\n", 1, ERR_CODING},
		{"Transfer-Encoding: identity\r\n", 1, ERR_CODING},
		{"Transfer-Encoding: xchunked\r\n", 1, ERR_CODING},
		{"Transfer-Encoding: chunkedx\r\n", 1, ERR_CODING},
	};
	struct reading *r = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum err_code code = frame_request(r, cases[i].minor, cases[i].fields);

		if (code != cases[i].code || r->err.code != code || r->err.text[0] == '\0') {
			fail_msg("%d (%s) of %s", (int)code, r->err.text, cases[i].fields);
		}
	}
}

static enum err_code frame_text(struct reading *reading, const char *text)
{
	read_head(reading, HEAD_REQUEST, "%s", text);
	return framing_of_request(&reading->head, &reading->framing, &reading->err);
}

static void one_valid_host_is_needed(void **state)
{
	struct reading *r = *state;

	assert_int_equal(frame_text(r, "GET / HTTP/1.1\r\n\r\n"), ERR_SYNTAX);
	assert_int_equal(frame_text(r, "GET / HTTP/1.1\r\nHost:\r\n\r\n"), ERR_SYNTAX);
	assert_int_equal(frame_text(r, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), ERR_SYNTAX);
	assert_int_equal(frame_text(r, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), ERR_SYNTAX);
	assert_int_equal(frame_text(r, "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"), ERR_SYNTAX);
	assert_int_equal(frame_text(r, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), ERR_SYNTAX);
	assert_int_equal(frame_text(r, "GET / HTTP/1.0\r\n\r\n"), ERR_NONE);
	assert_int_equal(frame_text(r, "GET / HTTP/1.0\r\nHost: a:0\r\n\r\n"), ERR_SYNTAX);
	assert_int_equal(frame_text(r, "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n"), ERR_SYNTAX);
	assert_int_equal(frame_text(r, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"), ERR_METHOD);
}

static void the_connection_goes_on_where_version_and_field_agree(void **state)
{
	static const struct {
		const char *fields;
		bool goes_on_1_0;
		bool goes_on_1_1;
	} cases[] = {
		{"", false, true},
		{"Connection: keep-alive\r\n", true, true},
		{"Connection: Keep-Alive, x\r\n", true, true},
		{"Connection: close\r\n", false, false},
		{"Connection: CLOSE\r\n", false, false},
		{"Connection: x, close\r\n", false, false},
		{"Connection: keep-alive\r\nConnection: close\r\n", false, false},
		{"Connection: closed\r\n", false, true},
		{"Proxy-Connection: close\r\n", false, true},
	};
	struct reading *r = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(frame_request(r, 0, cases[i].fields), ERR_NONE);
		assert_int_equal(r->framing.keep_alive, cases[i].goes_on_1_0);
		assert_int_equal(frame_request(r, 1, cases[i].fields), ERR_NONE);
		assert_int_equal(r->framing.keep_alive, cases[i].goes_on_1_1);
	}
}

static void a_connection_field_without_measure_is_refused(void **state)
{
	struct reading *r = *state;
	char fields[2 * 600 + 64];
	char names[601];

	memset(names, 'a', sizeof(names) - 1);
	names[600] = '\0';
	(void)snprintf(fields, sizeof(fields), "Connection: %s\r\n", names);
	assert_int_equal(frame_request(r, 1, fields), ERR_NONE);
	assert_int_equal(frame_answer(r, 200, METHOD_GET, fields), ERR_NONE);
	(void)snprintf(
		fields, sizeof(fields), "Connection: %s\r\nConnection: %s\r\n", names, names);
	assert_int_equal(frame_request(r, 1, fields), ERR_HEADER_LIMIT);
	assert_int_equal(r->err.code, ERR_HEADER_LIMIT);
	assert_int_equal(frame_answer(r, 200, METHOD_GET, fields), ERR_UPSTREAM_SYNTAX);
	assert_int_equal(r->err.code, ERR_UPSTREAM_SYNTAX);
}

static void an_upgrade_is_websocket_on_a_plain_get(void **state)
{
	static const struct {
		const char *start;
		const char *fields;
		bool upgrade;
	} cases[] = {
		{"GET / HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n", true},
		{"GET / HTTP/1.1", "Connection: keep-alive, upgrade\r\nUpgrade: WebSocket\r\n",
			true},
		{"GET / HTTP/1.1", "Upgrade: websocket\r\n", false},
		{"GET / HTTP/1.1", "Connection: Upgrade\r\n", false},
		{"GET / HTTP/1.1", "Connection: Upgrade\r\nUpgrade: h2c\r\n", false},
		{"GET / HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n", false},
		{"GET / HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n",
			false},
		{"GET / HTTP/1.1",
			"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n",
			false},
		{"GET / HTTP/1.0", "Connection: Upgrade\r\nUpgrade: websocket\r\n", false},
		{"POST / HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n", false},
	};
	struct reading *r = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		read_head(r, HEAD_REQUEST, "%s\r\nHost: a\r\n%s\r\n", cases[i].start,
			cases[i].fields);
		assert_int_equal(framing_of_request(&r->head, &r->framing, &r->err), ERR_NONE);
		assert_int_equal(r->framing.upgrade, cases[i].upgrade);
	}
}

static void an_expectation_is_that_of_1_1(void **state)
{
	struct reading *r = *state;

	frame_request(r, 1, "Content-Length: 3\r\nExpect: 100-Continue\r\n");
	assert_true(r->framing.expect_continue);
	frame_request(r, 0, "Content-Length: 3\r\nExpect: 100-continue\r\n");
	assert_false(r->framing.expect_continue);
	frame_request(r, 1, "Content-Length: 3\r\nExpect: something\r\n");
	assert_false(r->framing.expect_continue);
}

static void an_answer_has_a_body_by_status_and_method(void **state)
{
	struct reading *r = *state;

	assert_int_equal(frame_answer(r, 200, METHOD_GET, "Content-Length: 5\r\n"), ERR_NONE);
	assert_int_equal(r->framing.kind, FRAMING_LENGTH);
	assert_true(r->framing.keep_alive);
	assert_int_equal(
		frame_answer(r, 200, METHOD_GET, "Transfer-Encoding: chunked\r\n"), ERR_NONE);
	assert_int_equal(r->framing.kind, FRAMING_CHUNKED);
	assert_int_equal(frame_answer(r, 200, METHOD_GET, ""), ERR_NONE);
	assert_int_equal(r->framing.kind, FRAMING_CLOSE);
	assert_false(r->framing.keep_alive);
	assert_int_equal(frame_answer(r, 200, METHOD_GET, "Content-Length: 0\r\n"), ERR_NONE);
	assert_int_equal(r->framing.kind, FRAMING_NONE);
	assert_true(r->framing.keep_alive);
	assert_int_equal(frame_answer(r, 200, METHOD_HEAD, "Content-Length: 5\r\n"), ERR_NONE);
	assert_int_equal(r->framing.kind, FRAMING_NONE);
	assert_true(r->framing.has_length);
	assert_int_equal(
		frame_answer(r, 200, METHOD_HEAD, "Transfer-Encoding: chunked\r\n"), ERR_NONE);
	assert_int_equal(r->framing.kind, FRAMING_NONE);
	assert_int_equal(frame_answer(r, 200, METHOD_HEAD, ""), ERR_NONE);
	assert_int_equal(r->framing.kind, FRAMING_NONE);
	assert_true(r->framing.keep_alive);
	assert_int_equal(frame_answer(r, 304, METHOD_GET, "Content-Length: 5\r\n"), ERR_NONE);
	assert_int_equal(r->framing.kind, FRAMING_NONE);
	assert_int_equal(frame_answer(r, 204, METHOD_GET, ""), ERR_NONE);
	assert_int_equal(r->framing.kind, FRAMING_NONE);
	assert_true(r->framing.keep_alive);
	assert_int_equal(frame_answer(r, 204, METHOD_GET, "Content-Length: 0\r\n"), ERR_NONE);
	assert_int_equal(frame_answer(r, 103, METHOD_GET, ""), ERR_NONE);
	assert_int_equal(r->framing.kind, FRAMING_NONE);
	assert_int_equal(frame_answer(r, 205, METHOD_GET, ""), ERR_NONE);
	assert_int_equal(r->framing.kind, FRAMING_CLOSE);
}

static void an_answer_that_breaks_the_rules_is_the_upstreams_fault(void **state)
{
	static const struct {
		unsigned status;
		const char *fields;
	} cases[] = {
		{200, "Content-Length: 5\r\nContent-Length: 5\r\n"},
		{200, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"},
		{200, "Content-Length: -1\r\n"},
		{200, "Transfer-Encoding: gzip, chunked\r\n"},
		{200, "Transfer-Encoding: identity\r\n"},
		{304, "Content-Length: x\r\n"},
		{204, "Content-Length: 5\r\n"},
		{204, "Transfer-Encoding: chunked\r\n"},
		{100, "Content-Length: 5\r\n"},
		{103, "Transfer-Encoding: chunked\r\n"},
	};
	struct reading *r = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (frame_answer(r, cases[i].status, METHOD_GET, cases[i].fields) !=
				ERR_UPSTREAM_SYNTAX ||
			r->err.code != ERR_UPSTREAM_SYNTAX || r->err.text[0] == '\0') {
			fail_msg("%u %s", cases[i].status, cases[i].fields);
		}
	}
	read_head(r, HEAD_RESPONSE, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	assert_int_equal(framing_of_response(&r->head, METHOD_GET, false, &r->framing, NULL),
		ERR_UPSTREAM_SYNTAX);
}

static void a_tunnel_opens_only_where_it_was_asked_for(void **state)
{
	static const char switching[] = "HTTP/1.1 101 Switching Protocols\r\n"
					"Connection: Upgrade\r\n"
					"Upgrade: websocket\r\n\r\n";
	struct reading *r = *state;

	read_head(r, HEAD_RESPONSE, "%s", switching);
	assert_int_equal(
		framing_of_response(&r->head, METHOD_GET, true, &r->framing, &r->err), ERR_NONE);
	assert_int_equal(r->framing.kind, FRAMING_TUNNEL);
	assert_false(r->framing.keep_alive);
	assert_int_equal(framing_of_response(&r->head, METHOD_GET, false, &r->framing, &r->err),
		ERR_UPSTREAM_SYNTAX);
	read_head(
		r, HEAD_RESPONSE, "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
	assert_int_equal(framing_of_response(&r->head, METHOD_GET, true, &r->framing, &r->err),
		ERR_UPSTREAM_SYNTAX);
	read_head(r, HEAD_RESPONSE, "HTTP/1.1 101 X\r\n\r\n");
	assert_int_equal(framing_of_response(&r->head, METHOD_GET, true, &r->framing, &r->err),
		ERR_UPSTREAM_SYNTAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_has_a_body_where_it_says_so),
		TEST(ambiguous_lengths_and_codings_are_refused),
		TEST(one_valid_host_is_needed),
		TEST(the_connection_goes_on_where_version_and_field_agree),
		TEST(a_connection_field_without_measure_is_refused),
		TEST(an_upgrade_is_websocket_on_a_plain_get),
		TEST(an_expectation_is_that_of_1_1),
		TEST(an_answer_has_a_body_by_status_and_method),
		TEST(an_answer_that_breaks_the_rules_is_the_upstreams_fault),
		TEST(a_tunnel_opens_only_where_it_was_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
