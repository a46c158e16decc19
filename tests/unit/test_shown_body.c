/*
 * Bodies as the API shows them: decoded, redacted, and nothing else, by no way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/memory.h"
#include "compress.h"
#include "inspector_fixture.h"

#define JSON "Content-Type: application/json\r\n"
#define SECRET_TEXT "{\"user\":\"me\",\"password\":\"hunter2\"}"
#define SHOWN_TEXT "{\"user\":\"me\",\"password\":\"[redacted]\"}"
#define SHOWN_IN_JSON "{\\\"user\\\":\\\"me\\\",\\\"password\\\":\\\"[redacted]\\\"}"

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

/* An exchange whose answer has those fields and that body. */
static void answer_with(
	struct inspector_fixture *f, const char *id, const char *fields, struct slice body)
{
	struct fake_exchange fake;
	char head[512];

	fake_begin(&fake, inspector_fixture_observer(f), "GET / HTTP/1.1\r\nHost: a\r\n\r\n", id,
		CAPTURE_FULL);
	fake_request_end(&fake, NULL);
	(void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\n%s\r\n", fields);
	fake_response(&fake, head);
	for (size_t at = 0; at < body.len; at += 10000) {
		size_t left = body.len - at;

		fake_response_data(&fake, slice_of(body.ptr + at, left < 10000 ? left : 10000));
	}
	fake_response_end(&fake, NULL);
	fake_finish(&fake, EXCHANGE_COMPLETE, ERR_NONE);
}

static void answer_coded(
	struct inspector_fixture *f, const char *id, const char *coding, struct slice text)
{
	struct buffer data = BUFFER_INIT;
	char fields[200];

	compress_as(coding, text, &data);
	(void)snprintf(fields, sizeof(fields), JSON "Content-Encoding: %s\r\n", coding);
	answer_with(f, id, fields, buffer_slice(&data));
	buffer_fini(&data);
}

static const char *get(struct inspector_fixture *f, const char *id, const char *what)
{
	char target[128];

	(void)snprintf(target, sizeof(target), "/_inspector/api/requests/%s%s", id, what);
	(void)inspect_get(f, target);
	return inspected_body(&f->asked);
}

static void expect_in(const char *text, const char *part)
{
	if (strstr(text, part) == NULL) {
		fail_msg("%s is not in %s", part, text);
	}
}

static void expect_found(struct inspector_fixture *f, const char *text, bool found)
{
	char target[128];

	(void)snprintf(target, sizeof(target), "/_inspector/api/requests?q=%s", text);
	assert_int_equal(inspect_get(f, target)->status, 200);
	assert_int_equal(strstr(inspected_body(&f->asked), "\"seq\"") != NULL, found);
}

static void a_secret_in_a_body_comes_out_by_no_way(void **state)
{
	struct inspector_fixture *f = *state;

	answer_with(f, "a", JSON, SLICE(SECRET_TEXT));
	for (unsigned i = 0; i < 2; i++) { /* once looked at, and once remembered */
		expect_in(get(f, "a", ""), "\"response_body\":\"" SHOWN_IN_JSON "\"");
		expect_in(inspected_body(&f->asked), "\"response_body_redacted\":true");
		expect_in(inspected_body(&f->asked), "\"response_hash\":null");
		assert_string_equal(get(f, "a", "/response-body"), SHOWN_TEXT);
		assert_string_equal(inspected_field(&f->asked, "Content-Type"), "application/json");
		assert_string_equal(get(f, "a", "/response-body?decoded=1"), SHOWN_TEXT);
		(void)inspect_get(f, "/_inspector/api/requests");
		expect_in(inspected_body(&f->asked), "\"response_body_redacted\":true");
		expect_in(inspected_body(&f->asked), "\"response_hash\":null");
		expect_found(f, "hunter", false);
		expect_found(f, "%22me%22", true);
		expect_found(f, "[REDACTED]", true);
	}
}

static void a_clean_body_is_handed_out_byte_for_byte(void **state)
{
	struct inspector_fixture *f = *state;

	answer_with(f, "a", JSON, SLICE("{\"user\":\"me\"}"));
	assert_string_equal(get(f, "a", "/response-body"), "{\"user\":\"me\"}");
	assert_string_equal(inspected_field(&f->asked, "Content-Length"), "13");
	expect_in(get(f, "a", ""), "\"response_body_redacted\":false");
	assert_null(strstr(inspected_body(&f->asked), "\"response_hash\":null"));
	assert_null(strstr(inspected_body(&f->asked), "decoded"));
}

static void coded_bodies_are_shown_decoded(void **state)
{
	static const char *const codings[] = {"gzip", "deflate", "br", "zstd"};
	struct inspector_fixture *f = *state;

	for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
		char member[64];

		answer_coded(f, codings[i], codings[i], SLICE("{\"some\":\"text\"}"));
		(void)snprintf(
			member, sizeof(member), "\"response_body_decoded\":\"%s\"", codings[i]);
		expect_in(get(f, codings[i], ""),
			"\"response_body\":\"{\\\"some\\\":\\\"text\\\"}\"");
		expect_in(inspected_body(&f->asked), member);
		expect_in(inspected_body(&f->asked), "\"response_body_redacted\":false");
		expect_in(inspected_body(&f->asked), "\"response_body_truncated\":false");
		assert_string_equal(
			get(f, codings[i], "/response-body?decoded=1"), "{\"some\":\"text\"}");
		assert_string_equal(inspected_field(&f->asked, "Content-Type"), "application/json");
		(void)get(f, codings[i], "/response-body");
		assert_string_equal(
			inspected_field(&f->asked, "Content-Type"), "application/octet-stream");
		assert_string_not_equal(inspected_body(&f->asked), "{\"some\":\"text\"}");
		expect_found(f, "SOME%22:", true);
		expect_found(f, "nothing", false);
	}
}

static void a_coding_is_no_way_around_redaction(void **state)
{
	static const char *const codings[] = {"gzip", "deflate", "br", "zstd"};
	struct inspector_fixture *f = *state;

	for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
		answer_coded(f, codings[i], codings[i], SLICE(SECRET_TEXT));
		assert_string_equal(get(f, codings[i], "/response-body"), SHOWN_TEXT);
		assert_string_equal(inspected_field(&f->asked, "Content-Type"), "application/json");
		assert_string_equal(get(f, codings[i], "/response-body?decoded=1"), SHOWN_TEXT);
		expect_in(get(f, codings[i], ""), "\"response_body\":\"" SHOWN_IN_JSON "\"");
		expect_in(inspected_body(&f->asked), "\"response_hash\":null");
		expect_found(f, "hunter2", false);
	}
}

static void what_cannot_be_decoded_to_its_end_is_shown_as_far_as_it_can(void **state)
{
	struct inspector_fixture *f = *state;
	struct buffer data = BUFFER_INIT;

	compress_as("gzip", SLICE("{\"some\":\"text\"}"), &data);
	answer_with(f, "cut", JSON "Content-Encoding: gzip\r\n", slice_of(data.ptr, data.len - 6));
	buffer_append_str(&data, "and more");
	answer_with(f, "more", JSON "Content-Encoding: gzip\r\n", buffer_slice(&data));
	expect_in(get(f, "cut", ""), "\"response_body\":\"{\\\"some\\\":\\\"text\\\"}\"");
	expect_in(
		inspected_body(&f->asked), "\"response_body_note\":\"its coding ends too early\"");
	expect_in(inspected_body(&f->asked), "\"response_body_truncated\":true");
	assert_string_equal(get(f, "cut", "/response-body"), "{\"some\":\"text\"}");
	expect_in(get(f, "more", ""), "something follows the end of its coding");
	assert_string_equal(get(f, "more", "/response-body"), "{\"some\":\"text\"}");
	buffer_fini(&data);
}

static void a_coding_that_is_not_known_shows_nothing(void **state)
{
	struct inspector_fixture *f = *state;

	answer_with(f, "a", JSON "Content-Encoding: gzip\r\nContent-Encoding: rot13\r\n",
		SLICE("{\"cnffjbeq\":\"uhagre2\"}"));
	expect_in(get(f, "a", ""), "\"response_body\":\"\"");
	expect_in(inspected_body(&f->asked), "\"response_body_redacted\":true");
	expect_in(inspected_body(&f->asked), "it is not shown");
	expect_in(inspected_body(&f->asked), "\"response_hash\":null");
	(void)get(f, "a", "/response-body");
	assert_int_equal(f->asked.status, 409);
	(void)get(f, "a", "/response-body?decoded=1");
	assert_int_equal(f->asked.status, 409);
	expect_found(f, "uhagre2", false);
}

static void text_that_says_it_is_coded_but_is_not_is_shown_redacted(void **state)
{
	struct inspector_fixture *f = *state;

	answer_with(f, "a", JSON "Content-Encoding: gzip\r\n", SLICE(SECRET_TEXT));
	expect_in(get(f, "a", ""), "\"response_body\":\"" SHOWN_IN_JSON "\"");
	expect_in(inspected_body(&f->asked), "it is not coded");
	assert_string_equal(get(f, "a", "/response-body"), SHOWN_TEXT);
	/* Data that are broken at their beginning are none of this. */
	answer_with(f, "b", JSON "Content-Encoding: gzip\r\n", SLICE("\x1f\x8b\x09garbage"));
	expect_in(get(f, "b", ""), "\"response_body\":\"\"");
	(void)get(f, "b", "/response-body");
	assert_int_equal(f->asked.status, 409);
}

static void a_coding_that_is_broken_shows_nothing(void **state)
{
	struct inspector_fixture *f = *state;
	struct buffer data = BUFFER_INIT;

	compress_as("gzip", SLICE("{\"some\":\"text\"}"), &data);
	data.ptr[data.len - 8] ^= 1; /* of the check sum */
	answer_with(f, "a", JSON "Content-Encoding: gzip\r\n", buffer_slice(&data));
	for (unsigned i = 0; i < 2; i++) {
		expect_found(f, "text", false);
		expect_in(get(f, "a", ""), "\"response_body\":\"\"");
		expect_in(inspected_body(&f->asked), "its coding is broken");
		expect_in(inspected_body(&f->asked), "\"response_body_redacted\":true");
		expect_in(inspected_body(&f->asked), "\"response_hash\":null");
		(void)get(f, "a", "/response-body");
		assert_int_equal(f->asked.status, 409);
		(void)get(f, "a", "/response-body?decoded=1");
		assert_int_equal(f->asked.status, 409);
	}
	buffer_fini(&data);
}

static void a_limit_counts_what_is_shown_and_hides_what_it_cuts(void **state)
{
	struct inspector_fixture *f = *state;

	answer_coded(f, "a", "gzip", SLICE(SECRET_TEXT));
	(void)inspect_get(f, "/_inspector/?body_limit=10");
	expect_in(inspected_body(&f->asked), "\"response_body\":\"{\\\"user\\\":\\\"m\"");
	expect_in(inspected_body(&f->asked), "\"response_body_truncated\":true");
	expect_in(inspected_body(&f->asked), "\"response_body_redacted\":true");
}

static void a_secret_that_the_capture_cut_is_hidden_to_its_end(void **state)
{
	struct inspector_fixture *f = *state;
	struct buffer text = BUFFER_INIT;

	while (text.len < f->settings.capture.body - 10) {
		buffer_append_char(&text, 'x');
	}
	buffer_append_str(&text, " pwd=hunter2hunter2hunter2");
	answer_with(f, "a", "Content-Type: text/plain\r\n", buffer_slice(&text));
	get(f, "a", "/response-body");
	assert_non_null(strstr(inspected_body(&f->asked), " pwd=[redacted]"));
	expect_in(get(f, "a", ""), " pwd=[redacted]\"");
	buffer_fini(&text);
}

static void a_reader_that_leaves_in_the_middle_costs_nothing(void **state)
{
	struct inspector_fixture *f = *state;
	struct buffer text = BUFFER_INIT;

	for (unsigned i = 0; i < 8000; i++) {
		buffer_append_str(&text, "{\"password\":\"x\",\"a\":[1,2]}\n");
	}
	answer_coded(f, "a", "gzip", buffer_slice(&text));
	answer_with(f, "b", JSON, buffer_slice(&text));
	for (unsigned turns = 0; turns < 40; turns++) {
		static const char *const targets[] = {"/_inspector/",
			"/_inspector/?body_limit=1000000", "/_inspector/api/requests",
			"/_inspector/api/requests?q=nowhere", "/_inspector/api/requests/a",
			"/_inspector/api/requests/b/response-body",
			"/_inspector/api/requests/a/response-body?decoded=1"};

		for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
			(void)inspect_begin(f, "GET", targets[i], "");
			for (unsigned turn = 0; turn < turns; turn++) {
				inspect_turn(f);
			}
			inspect_finish(f);
		}
	}
	buffer_fini(&text);
}

static void a_body_that_is_no_text_is_base64_of_what_is_shown(void **state)
{
	struct inspector_fixture *f = *state;

	answer_with(f, "a", "Content-Type: image/png\r\n",
		SLICE("\x89PNG\x00 ghp_16C7e42F292c6912E7710c838347Ae178B4a \xff"));
	expect_in(get(f, "a", ""), "\"response_body\":\"iVBORwAgW3JlZGFjdGVkXSD/\"");
	expect_in(inspected_body(&f->asked), "\"response_body_encoding\":\"base64\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_secret_in_a_body_comes_out_by_no_way),
		TEST(a_clean_body_is_handed_out_byte_for_byte),
		TEST(coded_bodies_are_shown_decoded),
		TEST(a_coding_is_no_way_around_redaction),
		TEST(what_cannot_be_decoded_to_its_end_is_shown_as_far_as_it_can),
		TEST(a_coding_that_is_not_known_shows_nothing),
		TEST(text_that_says_it_is_coded_but_is_not_is_shown_redacted),
		TEST(a_coding_that_is_broken_shows_nothing),
		TEST(a_limit_counts_what_is_shown_and_hides_what_it_cuts),
		TEST(a_secret_that_the_capture_cut_is_hidden_to_its_end),
		TEST(a_reader_that_leaves_in_the_middle_costs_nothing),
		TEST(a_body_that_is_no_text_is_base64_of_what_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
