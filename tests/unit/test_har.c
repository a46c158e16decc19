/*
 * Exchanges as a HTTP Archive: times, URLs, forms, and entries on their way out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/memory.h"
#include "inspector/har_parts.h"
#include "inspector_fixture.h"

static int setup(void **state)
{
	struct inspector_fixture *f = mem_alloc(sizeof(*f));

	inspector_fixture_init(f, NULL);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	inspector_fixture_fini(*state);
	mem_free(*state);
	return 0;
}

static void expect_in(const char *text, const char *part)
{
	if (strstr(text, part) == NULL) {
		fail_msg("%s is not in %s", part, text);
	}
}

/* --- parts */

static void each_moment_belongs_to_one_phase_and_their_sum_is_the_duration(void **state)
{
	static const struct {
		const char *what;
		struct exchange_clock clock;
		struct har_timings want;
	} cases[] = {
		{"a new connection",
			{.begin_us = 100,
				.queued_us = 110,
				.connecting_us = 120,
				.connected_us = 150,
				.sent_us = 160,
				.first_byte_us = 200,
				.end_us = 300},
			{20, 30, -1, 10, 40, 100}},
		{"with TLS",
			{.begin_us = 100,
				.queued_us = 110,
				.connecting_us = 120,
				.securing_us = 130,
				.connected_us = 150,
				.sent_us = 160,
				.first_byte_us = 200,
				.end_us = 300},
			{20, 30, 20, 10, 40, 100}},
		{"a pooled one",
			{.begin_us = 100,
				.connected_us = 105,
				.sent_us = 107,
				.first_byte_us = 200,
				.end_us = 300},
			{5, -1, -1, 2, 93, 100}},
		{"an answer before the whole request was sent",
			{.begin_us = 100,
				.connected_us = 105,
				.sent_us = 250,
				.first_byte_us = 200,
				.end_us = 300},
			{5, -1, -1, 95, 0, 100}},
		{"no connection",
			{.begin_us = 100,
				.queued_us = 110,
				.connecting_us = 120,
				.first_byte_us = 290,
				.end_us = 300},
			{20, 170, -1, 0, 0, 10}},
		{"no TLS",
			{.begin_us = 100, .connecting_us = 120, .securing_us = 150, .end_us = 300},
			{20, 180, 150, 0, 0, 0}},
		{"never out of the queue",
			{.begin_us = 100, .queued_us = 110, .first_byte_us = 290, .end_us = 300},
			{190, -1, -1, 0, 0, 10}},
		{"no upstream", {.begin_us = 100, .first_byte_us = 150, .end_us = 160},
			{-1, -1, -1, 0, 50, 10}},
		{"still running, no answer", {.begin_us = 100}, {-1, -1, -1, 0, 900, 0}},
		{"still running, an answer", {.begin_us = 100, .first_byte_us = 600},
			{-1, -1, -1, 0, 500, 400}},
		{"an answer before the connection",
			{.begin_us = 100,
				.connecting_us = 120,
				.connected_us = 250,
				.sent_us = 260,
				.first_byte_us = 200,
				.end_us = 300},
			{20, 80, -1, 0, 0, 100}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct exchange_clock *clock = &cases[i].clock;
		struct har_timings got = har_timings_of(clock, 1000);
		int64_t sum = got.send + got.wait + got.receive +
			      (got.blocked > 0 ? got.blocked : 0) +
			      (got.connect > 0 ? got.connect : 0);
		uint64_t end_us = clock->end_us != 0 ? clock->end_us : 1000;

		if (memcmp(&got, &cases[i].want, sizeof(got)) != 0 ||
			sum != (int64_t)(end_us - clock->begin_us)) {
			fail_msg("%s: %d %d %d %d %d %d", cases[i].what, (int)got.blocked,
				(int)got.connect, (int)got.ssl, (int)got.send, (int)got.wait,
				(int)got.receive);
		}
	}
}

static void a_url_is_absolute_whatever_came(void **state)
{
	static const struct {
		const char *host;
		const char *target;
		const char *want;
	} cases[] = {
		{"a.test:80", "/b?c=d", "\"http://a.test:80/b?c=d\""},
		{"[::1]:8", "/", "\"http://[::1]:8/\""},
		{"a.test", "*", "\"http://a.test\""},
		{"", "/", "\"http://unknown.invalid/\""},
		{"[redacted]", "/", "\"http://unknown.invalid/\""},
		{"a b", "no path", "\"http://unknown.invalid/no%20path\""},
		{"a.test", "/a#b\"\x01\xFF", "\"http://a.test/a%23b\\\"%01%FF\""},
	};
	struct buffer out = BUFFER_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json json;

		buffer_clear(&out);
		json_init(&json, &out);
		json_begin_object(&json);
		har_url(&json, "http", slice_str(cases[i].host), slice_str(cases[i].target));
		buffer_append_char(&out, '\0');
		assert_string_equal(out.ptr + strlen("{\"url\":"), cases[i].want);
	}
	buffer_fini(&out);
}

/* --- entries */

static const char *har_of(struct inspector_fixture *f, const char *query)
{
	char target[128];

	(void)snprintf(target, sizeof(target), "/_inspector/api/har%s", query);
	assert_int_equal(inspect_get(f, target)->status, 200);
	return inspected_body(&f->asked);
}

static void run_with(struct inspector_fixture *f, const char *request_fields,
	struct slice request_body, struct slice response_body)
{
	struct fake_exchange fake;
	char head[2048];

	(void)snprintf(head, sizeof(head),
		"POST /a?x=1&token=s3cret HTTP/1.1\r\nHost: a.test\r\n%s\r\n", request_fields);
	fake_begin(&fake, inspector_fixture_observer(f), head, "x", CAPTURE_FULL);
	if (request_body.len > 0) {
		fake_request_data(&fake, request_body);
	}
	fake_request_end(&fake, NULL);
	fake_response(&fake, "HTTP/1.1 200 It's fine\r\nSet-Cookie: a=s3cret\r\n\r\n");
	if (response_body.len > 0) {
		fake_response_data(&fake, response_body);
	}
	fake_response_end(&fake, NULL);
	fake_finish(&fake, EXCHANGE_COMPLETE, ERR_NONE);
}

static void an_entry_has_every_member_that_the_format_asks_for(void **state)
{
	struct inspector_fixture *f = *state;

	run_with(f, "Cookie: a=s3cret\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n",
		SLICE("in"), SLICE("\xFF"));
	assert_string_equal(har_of(f, ""),
		"{\"log\":{\"version\":\"1.2\",\"creator\":{\"name\":\"Sightglass\",\"version\":"
		"\"" SIGHTGLASS_VERSION "\"},\"entries\":["
		"{\"startedDateTime\":\"2023-11-14T22:13:20.000000Z\",\"time\":3.000,"
		"\"timings\":{\"blocked\":0.250,\"dns\":-1,\"connect\":0.050,\"ssl\":-1,"
		"\"send\":0.100,\"wait\":0.100,\"receive\":2.500},\"cache\":{},"
		"\"request\":{\"method\":\"POST\","
		"\"url\":\"http://a.test/a?x=1&token=[redacted]\","
		"\"queryString\":[{\"name\":\"x\",\"value\":\"1\"},"
		"{\"name\":\"token\",\"value\":\"[redacted]\"}],\"httpVersion\":\"HTTP/1.1\","
		"\"cookies\":[{\"name\":\"[redacted]\",\"value\":\"[redacted]\"}],"
		"\"headers\":[{\"name\":\"Host\",\"value\":\"a.test\"},"
		"{\"name\":\"Cookie\",\"value\":\"[redacted]\"},"
		"{\"name\":\"Content-Type\",\"value\":\"text/plain\"},"
		"{\"name\":\"Content-Length\",\"value\":\"2\"}],\"headersSize\":114,"
		"\"bodySize\":2,\"postData\":{\"mimeType\":\"text/plain\",\"text\":\"in\"}},"
		"\"response\":{\"status\":200,\"statusText\":\"It's fine\","
		"\"httpVersion\":\"HTTP/1.1\","
		"\"cookies\":[{\"name\":\"[redacted]\",\"value\":\"[redacted]\"}],"
		"\"headers\":[{\"name\":\"Set-Cookie\",\"value\":\"[redacted]\"}],"
		"\"headersSize\":48,\"redirectURL\":\"\",\"bodySize\":1,"
		"\"content\":{\"mimeType\":\"x-unknown\",\"text\":\"/w==\","
		"\"encoding\":\"base64\",\"size\":1}},"
		"\"_seq\":1,\"_request_id\":\"x\","
		"\"_trace_id\":\"0af7651916cd43dd8448eb211c80319c\",\"_state\":\"complete\"}"
		"]}}");
	assert_string_equal(inspected_field(&f->asked, "Content-Disposition"),
		"attachment; filename=\"sightglass.har\"");
}

static void an_empty_selection_is_an_archive_without_entries(void **state)
{
	struct inspector_fixture *f = *state;

	expect_in(har_of(f, "?method=PUT"), ",\"entries\":[]}}");
}

static void a_form_is_taken_apart_wherever_a_window_ends(void **state)
{
	static const char fields[] = "Content-Type: application/x-www-form-urlencoded\r\n";
	struct inspector_fixture *f = *state;
	size_t len = 10000;
	char *body = mem_alloc(len);

	run_with(f, fields, SLICE("&&a=1&b&=c&d=&e==&"), SLICE(""));
	expect_in(har_of(f, ""),
		"\"params\":[{\"name\":\"a\",\"value\":\"1\"},{\"name\":\"b\",\"value\":\"\"},"
		"{\"name\":\"\",\"value\":\"c\"},{\"name\":\"d\",\"value\":\"\"},"
		"{\"name\":\"e\",\"value\":\"=\"}]}");
	/* a window ends within a value, at '&', within a name, at '=' */
	for (size_t at = 8 * 1024 - 12; at < 8 * 1024 + 4; at++) {
		struct buffer want = BUFFER_INIT;

		memset(body, 'v', at);
		memcpy(body, "a=", 2);
		(void)snprintf(body + at, len - at, "&name=value&b");
		run_with(f, fields, slice_str(body), SLICE(""));
		buffer_printf(&want,
			"\"params\":[{\"name\":\"a\",\"value\":\"%.*s\"},"
			"{\"name\":\"name\",\"value\":\"value\"},"
			"{\"name\":\"b\",\"value\":\"\"}]}",
			(int)at - 2, body + 2);
		buffer_append_char(&want, '\0');
		expect_in(har_of(f, "?limit=1"), want.ptr);
		buffer_fini(&want);
	}
	mem_free(body);
}

static void a_failure_and_a_tunnel_say_what_they_were(void **state)
{
	struct inspector_fixture *f = *state;
	struct fake_exchange fake;
	const char *text;

	fake_begin(&fake, inspector_fixture_observer(f), "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
		"failed", CAPTURE_FULL);
	fake_finish(&fake, EXCHANGE_UPSTREAM_FAILED, ERR_CONNECT);
	text = har_of(f, "");
	expect_in(text,
		"\"response\":{\"status\":0,\"statusText\":\"\",\"httpVersion\":\"unknown\","
		"\"cookies\":[],\"headers\":[],\"headersSize\":-1,\"redirectURL\":\"\","
		"\"bodySize\":-1,\"content\":{");
	expect_in(text, "\"httpVersion\":\"HTTP/1.0\"");
	expect_in(text, "\"_error\":\"what went wrong");
	expect_in(text, "\"_state\":\"upstream_failed\"");
	fake_begin(&fake, inspector_fixture_observer(f), "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"tunnel", CAPTURE_FULL);
	fake_response(&fake, "HTTP/1.1 101 Switching\r\n\r\n");
	fake_finish(&fake, EXCHANGE_TUNNEL, ERR_NONE);
	expect_in(har_of(f, "?limit=1"), "\"comment\":\"a tunnel: 0 bytes in, 0 bytes out\"}],"
					 "\"comment\":\"the limit left some out: "
					 "\\\"before=2\\\" goes on\"}}");
}

/* --- on its way */

static void it_is_made_in_slices_and_holds_no_record_when_the_reader_leaves(void **state)
{
	struct inspector_fixture *f = *state;
	size_t len = 100000;
	char *body = mem_alloc(len);
	struct asked *asked;

	memset(body, 'b', len);
	for (unsigned i = 0; i < 40; i++) {
		fake_run(inspector_fixture_observer(f), "POST", "x", 200, slice_of(body, len),
			slice_of(body, len));
	}
	asked = inspect_get(f, "/_inspector/api/har?limit=40");
	assert_true(asked->parts >= 40);
	assert_true(asked->largest < 160 * 1024);
	asked = inspect_begin(f, "GET", "/_inspector/api/har", "");
	asked->pause_after = 3;
	for (unsigned i = 0; i < 20; i++) {
		inspect_turn(f);
	}
	assert_int_equal(asked->parts, 3);
	inspect_finish(f); /* leaves; the fixture's end asserts that no reference is left */
	mem_free(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_moment_belongs_to_one_phase_and_their_sum_is_the_duration),
		cmocka_unit_test(a_url_is_absolute_whatever_came),
		cmocka_unit_test_setup_teardown(
			an_entry_has_every_member_that_the_format_asks_for, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_empty_selection_is_an_archive_without_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_form_is_taken_apart_wherever_a_window_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_failure_and_a_tunnel_say_what_they_were, setup, teardown),
		cmocka_unit_test_setup_teardown(
			it_is_made_in_slices_and_holds_no_record_when_the_reader_leaves, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
