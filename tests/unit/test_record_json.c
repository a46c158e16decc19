/*
 * A record as JSON: its shape, what is redacted, text or base64, what is cut; who called; search.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/memory.h"
#include "inspector/caller.h"
#include "inspector/record_json.h"
#include "inspector/search.h"
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

static void expect_not_in(const char *text, const char *part)
{
	if (strstr(text, part) != NULL) {
		fail_msg("%s is in %s", part, text);
	}
}

/* What stands there is what is asked for, byte for byte, and no more than needed of the rest. */
static const char *record_of(struct inspector_fixture *f, const char *id)
{
	char target[128];

	(void)snprintf(target, sizeof(target), "/_inspector/api/requests/%s", id);
	assert_int_equal(inspect_get(f, target)->status, 200);
	return inspected_body(&f->asked);
}

static void run_with(struct inspector_fixture *f, const char *id, const char *request_fields,
	struct slice request_body, const char *response_fields, struct slice response_body)
{
	struct fake_exchange fake;
	char head[2048];

	(void)snprintf(head, sizeof(head),
		"POST /a/path?x=1&token=s3cret HTTP/1.1\r\nHost: a.test\r\n%s\r\n", request_fields);
	fake_begin(&fake, inspector_fixture_observer(f), head, id, CAPTURE_FULL);
	if (request_body.len > 0) {
		fake_request_data(&fake, request_body);
	}
	fake_request_end(&fake, NULL);
	(void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\n%s\r\n", response_fields);
	fake_response(&fake, head);
	if (response_body.len > 0) {
		fake_response_data(&fake, response_body);
	}
	fake_response_end(&fake, NULL);
	fake_finish(&fake, EXCHANGE_COMPLETE, ERR_NONE);
}

static void a_record_has_every_member_in_its_order(void **state)
{
	struct inspector_fixture *f = *state;

	run_with(f, "whole", "Content-Length: 4\r\nX-In: 1\r\n", SLICE("data"),
		"Content-Length: 4\r\nX-Out: 2\r\n", SLICE("made"));
	assert_string_equal(record_of(f, "whole"),
		"{\"seq\":1,\"request_id\":\"whole\",\"trace_id\":"
		"\"0af7651916cd43dd8448eb211c80319c\","
		"\"ts\":1700000000.000000,\"time\":\"2023-11-14T22:13:20.000000Z\","
		"\"state\":\"complete\",\"method\":\"POST\",\"scheme\":\"http\",\"host\":\"a."
		"test\","
		"\"path\":\"/a/path\",\"query\":\"x=1&token=[redacted]\",\"status\":200,"
		"\"duration_ms\":3.000,\"ttfb_ms\":0.500,\"caller\":null,\"client_ip\":\"192.0.2."
		"7\","
		"\"route\":\"/api\",\"upstream\":\"api\",\"error\":null,\"attempts\":1,"
		"\"reused\":false,\"idle_ms\":0,\"replay\":false,\"stream\":false,"
		"\"timing\":{\"queue_ms\":0.050,\"connect_ms\":0.050,\"tls_ms\":null,"
		"\"send_ms\":0.100,\"wait_ms\":0.100,\"receive_ms\":2.500},"
		"\"request_version\":\"HTTP/1.1\","
		"\"request_headers\":[{\"name\":\"Host\",\"value\":\"a.test\"},"
		"{\"name\":\"Content-Length\",\"value\":\"4\"},{\"name\":\"X-In\",\"value\":\"1\"}]"
		","
		"\"request_trailers\":[],"
		"\"request_body\":\"data\",\"request_body_encoding\":\"utf-8\","
		"\"request_body_truncated\":false,\"request_body_redacted\":false,"
		"\"request_size_bytes\":4,\"request_hash\":\"c044be4073bb71f1340036b3f23aa86d\","
		"\"response_version\":\"HTTP/1.1\","
		"\"response_headers\":[{\"name\":\"Content-Length\",\"value\":\"4\"},"
		"{\"name\":\"X-Out\",\"value\":\"2\"}],\"response_trailers\":[],"
		"\"response_body\":\"made\",\"response_body_encoding\":\"utf-8\","
		"\"response_body_truncated\":false,\"response_body_redacted\":false,"
		"\"response_size_bytes\":4,\"response_hash\":"
		"\"f0a1bc3e57ecd843b37636c0a6034552\"}");
}

static void a_running_record_says_null_of_what_is_not_known_yet(void **state)
{
	struct inspector_fixture *f = *state;
	struct fake_exchange fake;
	const char *text;

	fake_begin(&fake, inspector_fixture_observer(f), "GET /slow HTTP/1.0\r\nHost: a\r\n\r\n",
		"running", CAPTURE_FULL);
	text = record_of(f, "running");
	expect_in(text, "\"state\":\"active\"");
	expect_in(text, "\"status\":0,");
	expect_in(text, "\"ttfb_ms\":null");
	expect_in(text, "\"upstream\":null");
	expect_in(text, "\"timing\":{\"queue_ms\":null,\"connect_ms\":null,\"tls_ms\":null,"
			"\"send_ms\":null,\"wait_ms\":null,\"receive_ms\":null}");
	expect_in(text, "\"request_version\":\"HTTP/1.0\"");
	expect_in(text, "\"request_trailers\":null");
	expect_in(text,
		"\"response_version\":null,\"response_headers\":null,\"response_trailers\":null,"
		"\"response_body\":\"\"");
	expect_in(text, "\"response_hash\":null}");
	fake_finish(&fake, EXCHANGE_CLIENT_ABORTED, ERR_CLIENT_GONE);
	text = record_of(f, "running");
	expect_in(text, "\"state\":\"client_aborted\"");
	expect_in(text, "\"error\":\"what went wrong");
}

static void a_record_of_heads_has_no_bodies(void **state)
{
	struct inspector_fixture *f = *state;
	struct fake_exchange fake;
	const char *text;

	fake_begin(&fake, inspector_fixture_observer(f),
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", "heads",
		CAPTURE_HEADERS);
	fake_request_data(&fake, SLICE("abc"));
	fake_request_end(&fake, NULL);
	fake_response(&fake, "HTTP/1.1 204 No Content\r\n\r\n");
	fake_response_end(&fake, NULL);
	fake_finish(&fake, EXCHANGE_COMPLETE, ERR_NONE);
	text = record_of(f, "heads");
	expect_in(text, "\"request_body\":null,\"request_body_encoding\":null");
	expect_in(text, "\"request_size_bytes\":3,\"request_hash\":null");
	assert_int_equal(
		inspect_get(f, "/_inspector/api/requests/heads/request-body")->status, 404);
}

static void secrets_in_fields_and_query_are_not_shown(void **state)
{
	struct inspector_fixture *f = *state;

	run_with(f, "secret",
		"Authorization: Bearer s3cret\r\nCookie: a=s3cret\r\nX-API-Key: s3cret\r\n",
		SLICE(""), "Set-Cookie: a=s3cret\r\nLocation: /x?access_token=s3cret\r\n",
		SLICE(""));
	expect_not_in(record_of(f, "secret"), "s3cret");
	expect_in(
		inspected_body(&f->asked), "{\"name\":\"Authorization\",\"value\":\"[redacted]\"}");
	expect_not_in(inspected_body(inspect_get(f, "/_inspector/api/requests")), "s3cret");
	expect_not_in(inspected_body(inspect_get(f, "/_inspector/")), "s3cret");
	/* nor does a search tell whether they are there */
	expect_in(inspected_body(inspect_get(f, "/_inspector/api/requests?q=s3cret")),
		"\"items\":[]");
	expect_in(inspected_body(inspect_get(f, "/_inspector/api/requests?q=location:%20/x")),
		"\"request_id\":\"secret\"");
}

static void a_body_is_text_where_it_is_utf8_and_base64_where_not(void **state)
{
	struct inspector_fixture *f = *state;

	run_with(f, "utf8", "", SLICE("\xC3\xA9\xE2\x9C\x93 \"\n\0"), "", SLICE("\xFF\xFE\x01"));
	expect_in(record_of(f, "utf8"), "\"request_body\":\"\xC3\xA9\xE2\x9C\x93 "
					"\\\"\\n\\u0000\",\"request_body_encoding\":\"utf-8\"");
	expect_in(inspected_body(&f->asked),
		"\"response_body\":\"//4B\",\"response_body_encoding\":\"base64\"");
	/* complete, and its last character is not: no text */
	run_with(f, "cut", "", SLICE("ab\xC3"), "", SLICE(""));
	expect_in(record_of(f, "cut"),
		"\"request_body\":\"YWLD\",\"request_body_encoding\":\"base64\"");
}

static void text_that_the_limit_cuts_within_a_character_stays_text(void **state)
{
	struct inspector_fixture *f = *state;
	const char *text;

	run_with(f, "cut", "", SLICE("ab\xC3\xA9z"), "", SLICE("\xFFxyz"));
	text = inspected_body(inspect_get(f, "/_inspector/?body_limit=3"));
	expect_in(text, "\"request_body\":\"ab\",\"request_body_encoding\":\"utf-8\","
			"\"request_body_truncated\":true");
	expect_in(text, "\"response_body\":\"/3h5\",\"response_body_encoding\":\"base64\","
			"\"response_body_truncated\":true");
	expect_in(text, "\"request_size_bytes\":5");
	text = inspected_body(inspect_get(f, "/_inspector/?body_limit=5"));
	expect_in(text, "\"request_body\":\"ab\xC3\xA9z\",\"request_body_encoding\":\"utf-8\","
			"\"request_body_truncated\":false");
	text = inspected_body(inspect_get(f, "/_inspector/?body_limit=0"));
	expect_in(text, "\"request_body\":\"\",\"request_body_encoding\":\"utf-8\","
			"\"request_body_truncated\":true");
}

/*
 * Longer than the windows in which bodies are checked and written, with a character across each of
 * their ends.
 */
static void long_bodies_come_whole(void **state)
{
	struct inspector_fixture *f = *state;
	size_t len = 100001;
	char *text = mem_alloc(len + 1);
	char *bytes = mem_alloc(len);
	struct buffer want = BUFFER_INIT;
	struct json json;

	text[0] = 'a';
	for (size_t i = 1; i + 1 < len; i += 2) {
		memcpy(text + i, "\xC3\xA9", 2);
	}
	for (size_t i = 0; i < len; i++) {
		bytes[i] = (char)(i * 7);
	}
	run_with(f, "long", "", slice_of(text, len), "", slice_of(bytes, len));
	json_init(&json, &want);
	json_begin_object(&json);
	json_key(&json, "request_body");
	json_text(&json, slice_of(text, len));
	buffer_append_char(&want, '\0');
	expect_in(record_of(f, "long"), want.ptr + 1);
	buffer_clear(&want);
	json_init(&json, &want);
	json_begin_object(&json);
	json_key(&json, "response_body");
	json_base64(&json, slice_of(bytes, len));
	buffer_append_char(&want, '\0');
	expect_in(inspected_body(&f->asked), want.ptr + 1);
	buffer_fini(&want);
	mem_free(text);
	mem_free(bytes);
}

static void a_poll_row_is_a_small_object(void **state)
{
	struct inspector_fixture *f = *state;
	struct fake_exchange fake;

	fake_begin(&fake, inspector_fixture_observer(f),
		"GET /poll?token=s3cret HTTP/1.1\r\nHost: a\r\n\r\n", "poll-1", CAPTURE_ROW);
	fake_request_end(&fake, NULL);
	fake_response(&fake, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
	fake_response_data(&fake, SLICE("ok"));
	fake_response_end(&fake, NULL);
	fake_finish(&fake, EXCHANGE_TIMED_OUT, ERR_IDLE_TIMEOUT);
	expect_in(inspected_body(inspect_get(f, "/_inspector/api/requests?polls=1")),
		"{\"items\":[{\"poll\":true,\"seq\":1,\"ts\":1700000000.000000,"
		"\"time\":\"2023-11-14T22:13:20.000000Z\",\"request_id\":\"poll-1\",\"method\":"
		"\"GET\","
		"\"path\":\"/poll\",\"status\":200,\"duration_ms\":3.000,\"request_size_bytes\":0,"
		"\"response_size_bytes\":2,\"state\":\"timed_out\",\"error\":\"idle timeout\"}],");
	expect_in(inspected_body(inspect_get(f, "/_inspector/api/requests")), "\"items\":[],");
}

static void time_is_told_in_the_phase_where_it_passed(void **state)
{
	struct inspector_fixture *f = *state;
	struct fake_exchange fake;

	/* an answer before the whole request was sent */
	fake_begin(&fake, inspector_fixture_observer(f), "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"early", CAPTURE_FULL);
	fake_response(&fake, "HTTP/1.1 200 OK\r\n\r\n");
	fake.exchange.clock.sent_us = 1002000;
	fake_finish(&fake, EXCHANGE_COMPLETE, ERR_NONE);
	expect_in(
		record_of(f, "early"), "\"send_ms\":0.200,\"wait_ms\":0.000,\"receive_ms\":2.500}");
	/* a pooled connection */
	fake_begin(&fake, inspector_fixture_observer(f), "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"pooled", CAPTURE_FULL);
	fake_response(&fake, "HTTP/1.1 200 OK\r\n\r\n");
	fake.exchange.clock.queued_us = 0;
	fake.exchange.clock.connecting_us = 0;
	fake_finish(&fake, EXCHANGE_COMPLETE, ERR_NONE);
	expect_in(record_of(f, "pooled"),
		"\"queue_ms\":0.000,\"connect_ms\":0.000,\"tls_ms\":null,\"send_ms\":0.100");
	/* a connection that never came about */
	fake_begin(&fake, inspector_fixture_observer(f), "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"refused", CAPTURE_FULL);
	fake_response(&fake, "HTTP/1.1 502 Bad Gateway\r\n\r\n");
	fake.exchange.clock.connected_us = 0;
	fake.exchange.clock.sent_us = 0;
	fake_finish(&fake, EXCHANGE_UPSTREAM_FAILED, ERR_CONNECT);
	expect_in(record_of(f, "refused"),
		"\"queue_ms\":0.050,\"connect_ms\":0.250,\"tls_ms\":null,\"send_ms\":null,"
		"\"wait_ms\":null,\"receive_ms\":2.500}");
}

/* --- the caller */

/* The JWT with that payload. */
static const char *jwt(const char *payload)
{
	static char text[1024];
	struct buffer encoded = BUFFER_INIT;
	struct json json;
	size_t len;

	json_init(&json, &encoded);
	json_base64(&json, slice_str(payload));
	for (len = encoded.len - 1; encoded.ptr[len - 1] == '='; len--) {
	}
	for (size_t i = 0; i < len; i++) {
		encoded.ptr[i] = encoded.ptr[i] == '+'   ? '-'
				 : encoded.ptr[i] == '/' ? '_'
							 : encoded.ptr[i];
	}
	(void)snprintf(
		text, sizeof(text), "Bearer eyJhIjoxfQ.%.*s.sig", (int)len - 1, encoded.ptr + 1);
	buffer_fini(&encoded);
	return text;
}

static void the_caller_is_the_first_name_that_the_token_claims(void **state)
{
	static const struct {
		const char *payload;
		const char *caller; /* NULL: none */
	} cases[] = {
		{"{\"sub\":\"s\",\"email\":\"e\",\"preferred_username\":\"p\",\"upn\":\"u\"}", "u"},
		{"{\"sub\":\"s\",\"email\":\"e\",\"preferred_username\":\"p\"}", "p"},
		{" { \"sub\" : \"s\" , \"email\" : \"e@x\" } ", "e@x"},
		{"{\"sub\":\"s\",\"email\":\"\"}", "s"},
		{"{\"sub\":7,\"email\":\"e\"}", "e"},
		{"{\"a\":{\"upn\":\"inner\",\"x\":[1,\"]}\",{}]},\"sub\":\"s\"}", "s"},
		{"{\"exp\":1.5e3,\"ok\":true,\"n\":null,\"sub\":\"s\"}", "s"},
		{"{\"sub\":\"a\\\"\\\\\\u00e9\\ud83d\\ude00\\n\"}",
			"a\"\\\xC3\xA9\xF0\x9F\x98\x80\n"},
		{"{\"sub\":\"\\ud83d\"}", "\xEF\xBF\xBD"},
		{"{\"sub\":\"\\u12\"}", NULL},
		{"{\"sub\":\"\\x\"}", NULL},
		{"{\"sub\":\"s\"", NULL},
		{"{\"sub\":\"s", NULL},
		{"{\"sub\"", NULL},
		{"{", NULL},
		{"[\"sub\",\"s\"]", NULL},
		{"", NULL},
		{"{}", NULL},
		{"{\"sub\":}", NULL},
		{"{\"sub\":]}", NULL},
		{"{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", NULL},
	};
	struct buffer out = BUFFER_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool found;

		buffer_clear(&out);
		found = caller_of(slice_str(jwt(cases[i].payload)), &out);
		buffer_append_char(&out, '\0');
		if (found != (cases[i].caller != NULL) ||
			strcmp(out.ptr, found ? cases[i].caller : "") != 0) {
			fail_msg("%s: %s", cases[i].payload, out.ptr);
		}
	}
	buffer_fini(&out);
}

static void what_is_no_jwt_names_nobody(void **state)
{
	static const char *const values[] = {"", "Bearer", "Bearer ", "Bearer a.b", "Bearer a.b.c",
		"Basic eyJhIjoxfQ.eyJzdWIiOiJzIn0.x", "Bearer .!!.", "Bearer ..",
		"Bearer a.====.c"};
	struct buffer out = BUFFER_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		assert_false(caller_of(slice_str(values[i]), &out));
		assert_int_equal(out.len, 0);
	}
	assert_false(caller_of(slice_of(NULL, 0), &out));
	buffer_fini(&out);
}

static void the_caller_is_in_the_record_and_its_token_is_not(void **state)
{
	struct inspector_fixture *f = *state;
	char fields[1200];

	(void)snprintf(fields, sizeof(fields), "Authorization: %s\r\n",
		jwt("{\"upn\":\"ines@acme.dev\"}"));
	run_with(f, "called", fields, SLICE(""), "", SLICE(""));
	expect_in(record_of(f, "called"), "\"caller\":\"ines@acme.dev\"");
	expect_not_in(inspected_body(&f->asked), "eyJ");
}

/* --- search */

static bool is_found(struct inspector_fixture *f, const char *text)
{
	char target[256];

	(void)snprintf(target, sizeof(target), "/_inspector/api/requests?q=%s", text);
	assert_int_equal(inspect_get(f, target)->status, 200);
	return strstr(inspected_body(&f->asked), "\"request_id\":\"hay\"") != NULL;
}

static void text_is_found_wherever_it_may_be_read(void **state)
{
	struct inspector_fixture *f = *state;

	run_with(f, "hay", "X-In: Needle-in\r\n", SLICE("request NEEDLE body"), "X-Out: out\r\n",
		SLICE("an answer"));
	assert_true(is_found(f, "/a/path%3Fx%3D1"));
	assert_true(is_found(f, "hay"));
	assert_true(is_found(f, "x-in:+needle-IN"));
	assert_true(is_found(f, "needle+body"));
	assert_true(is_found(f, "AN+ANSWER"));
	assert_false(is_found(f, "needlebody"));
	assert_false(is_found(f, "in%0Ax-out")); /* nothing reaches from one head into the other */
}

static void text_across_the_windows_of_a_body_is_found_once_and_whole(void **state)
{
	struct inspector_fixture *f = *state;
	size_t len = 200000;
	char *body = mem_alloc(len);

	memset(body, '.', len);
	memcpy(body + 65536 - 3, "needle", 6);
	memcpy(body + len - 4, "last", 4);
	run_with(f, "hay", "", SLICE(""), "", slice_of(body, len));
	assert_true(is_found(f, "needle"));
	assert_true(is_found(f, "last"));
	assert_false(is_found(f, "lost"));
	mem_free(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_record_has_every_member_in_its_order, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_running_record_says_null_of_what_is_not_known_yet, setup, teardown),
		cmocka_unit_test_setup_teardown(a_record_of_heads_has_no_bodies, setup, teardown),
		cmocka_unit_test_setup_teardown(
			secrets_in_fields_and_query_are_not_shown, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_body_is_text_where_it_is_utf8_and_base64_where_not, setup, teardown),
		cmocka_unit_test_setup_teardown(
			text_that_the_limit_cuts_within_a_character_stays_text, setup, teardown),
		cmocka_unit_test_setup_teardown(long_bodies_come_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(a_poll_row_is_a_small_object, setup, teardown),
		cmocka_unit_test_setup_teardown(
			time_is_told_in_the_phase_where_it_passed, setup, teardown),
		cmocka_unit_test(the_caller_is_the_first_name_that_the_token_claims),
		cmocka_unit_test(what_is_no_jwt_names_nobody),
		cmocka_unit_test_setup_teardown(
			the_caller_is_in_the_record_and_its_token_is_not, setup, teardown),
		cmocka_unit_test_setup_teardown(
			text_is_found_wherever_it_may_be_read, setup, teardown),
		cmocka_unit_test_setup_teardown(
			text_across_the_windows_of_a_body_is_found_once_and_whole, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
