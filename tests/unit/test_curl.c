/*
 * A request as a curl command: words for a shell, URLs for curl, and the whole of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/memory.h"
#include "inspector/curl_url.h"
#include "inspector/shell.h"
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

/* --- words */

static void a_word_is_taken_literally_whatever_is_in_it(void **state)
{
	static const struct {
		struct slice text;
		const char *word;
	} cases[] = {
		{SLICE_INIT(""), "''"},
		{SLICE_INIT("plain"), "'plain'"},
		{SLICE_INIT("it's"), "'it'\\''s'"},
		{SLICE_INIT("'"), "''\\'''"},
		{SLICE_INIT("''"), "''\\'''\\'''"},
		{SLICE_INIT("$(id) `id` \"!x\" \\ * ~ #"), "'$(id) `id` \"!x\" \\ * ~ #'"},
		{SLICE_INIT("two\nlines\tand a tab\n"), "'two\nlines\tand a tab\n'"},
		{SLICE_INIT("\xC3\xA9 \xF0\x9F\x98\x80"), "'\xC3\xA9 \xF0\x9F\x98\x80'"},
		{SLICE_INIT("bell\a"), "\"$(printf 'bell\\007')\""},
		{SLICE_INIT("\rit's 100%\\"), "\"$(printf '\\015it\\047s 100\\045\\134')\""},
		{SLICE_INIT("-\x7F"), "\"$(printf '\\055\\177')\""},
		{SLICE_INIT("\x1B[1m-5"), "\"$(printf '\\033[1m-5')\""},
		{SLICE_INIT("\xFF"
			    "1"),
			"\"$(printf '\\3771')\""},
		{SLICE_INIT("\xC2\x9B"
			    "1m"),
			"\"$(printf '\\302\\2331m')\""},
		{SLICE_INIT("\xC2\xA0"), "'\xC2\xA0'"},
		{SLICE_INIT("\xC2"), "\"$(printf '\\302')\""},
	};
	struct buffer out = BUFFER_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buffer_clear(&out);
		shell_word(&out, cases[i].text);
		buffer_append_char(&out, '\0');
		assert_string_equal(out.ptr, cases[i].word);
	}
	buffer_fini(&out);
}

static void a_comment_is_made_of_harmless_words(void **state)
{
	struct buffer out = BUFFER_INIT;

	(void)state;
	shell_comment(&out, SLICE("X-A_b.1: ok\n$(id)`'\"!*?[]{}\\\xC3\xA9"));
	buffer_append_char(&out, '\0');
	assert_string_equal(out.ptr, "X-A_b.1: ok___id______________");
	buffer_fini(&out);
}

/* --- URLs */

static void a_host_that_curl_would_change_gets_a_field(void **state)
{
	static const struct {
		const char *host;
		const char *scheme;
		enum curl_host want;
		const char *in_url;
	} cases[] = {
		{"a.test", "http", CURL_HOST_SAME, "a.test"},
		{"a-b_c.test:8080", "http", CURL_HOST_SAME, "a-b_c.test:8080"},
		{"127.0.0.1:8080", "http", CURL_HOST_SAME, "127.0.0.1:8080"},
		{"localhost", "https", CURL_HOST_SAME, "localhost"},
		{"a.test:443", "http", CURL_HOST_SAME, "a.test:443"},
		{"a.test:80", "http", CURL_HOST_FIELD, "a.test:80"},
		{"a.test:443", "https", CURL_HOST_FIELD, "a.test:443"},
		{"a.test:080", "http", CURL_HOST_FIELD, "a.test:080"},
		{"a.test:", "http", CURL_HOST_FOREIGN, "localhost"},
		{"A.test", "http", CURL_HOST_FIELD, "A.test"},
		{"a.test.", "http", CURL_HOST_FIELD, "a.test."},
		{"127.1", "http", CURL_HOST_FIELD, "127.1"},
		{"127.0.0.01", "http", CURL_HOST_FIELD, "127.0.0.01"},
		{"0x7f000001", "http", CURL_HOST_FIELD, "0x7f000001"},
		{"[::1]:8080", "http", CURL_HOST_FIELD, "[::1]:8080"},
		{"$(id):8080", "http", CURL_HOST_FOREIGN, "localhost:8080"},
		{"it's", "http", CURL_HOST_FOREIGN, "localhost"},
		{"", "http", CURL_HOST_FOREIGN, "localhost"},
		{"[redacted]", "http", CURL_HOST_FOREIGN, "localhost"},
		{"a b", "http", CURL_HOST_FOREIGN, "localhost"},
	};
	struct buffer out = BUFFER_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice host = slice_str(cases[i].host);

		if (curl_url_host(host, cases[i].scheme) != cases[i].want) {
			fail_msg("%s over %s", cases[i].host, cases[i].scheme);
		}
		buffer_clear(&out);
		curl_url_append_host(&out, host, cases[i].want);
		buffer_append_char(&out, '\0');
		assert_string_equal(out.ptr, cases[i].in_url);
	}
	buffer_fini(&out);
}

static void a_target_that_curl_would_change_gets_an_option(void **state)
{
	static const struct {
		const char *target;
		struct curl_target want;
	} cases[] = {
		{"/", {.in_url = true}},
		{"/a?b=c&d=\"<>^`|\\", {.in_url = true}},
		{"//a//b?", {.in_url = true}},
		{"/a[1]", {.in_url = true, .globoff = true}},
		{"/a?b={1,2}", {.in_url = true, .globoff = true}},
		{"/.", {.in_url = true, .path_as_is = true}},
		{"/a/./b", {.in_url = true, .path_as_is = true}},
		{"/a/..?x", {.in_url = true, .path_as_is = true}},
		{"/a/%2e%2E/b", {.in_url = true, .path_as_is = true}},
		{"/a/.%2e", {.in_url = true, .path_as_is = true}},
		{"/.well-known/...", {.in_url = true}},
		{"/a?b=/../c", {.in_url = true}},
		{"*", {.in_url = false}},
		{"host:443", {.in_url = false}},
		{"", {.in_url = false}},
		{"/a#b[", {.in_url = false}},
		{"/a b", {.in_url = false}},
		{"/\xC3\xA9/../x", {.in_url = false}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct curl_target got = curl_url_target(slice_str(cases[i].target));

		if (got.in_url != cases[i].want.in_url || got.globoff != cases[i].want.globoff ||
			got.path_as_is != cases[i].want.path_as_is) {
			fail_msg("%s", cases[i].target);
		}
	}
}

/* --- commands */

static const char *curl_of(struct inspector_fixture *f, const char *id)
{
	char target[128];

	(void)snprintf(target, sizeof(target), "/_inspector/api/requests/%s/curl", id);
	assert_int_equal(inspect_get(f, target)->status, 200);
	assert_string_equal(
		inspected_field(&f->asked, "Content-Type"), "text/plain; charset=utf-8");
	return inspected_body(&f->asked);
}

static void run(
	struct inspector_fixture *f, const char *head, struct slice body, enum capture_level level)
{
	struct fake_exchange fake;

	fake_begin(&fake, inspector_fixture_observer(f), head, "x", level);
	if (body.len > 0) {
		fake_request_data(&fake, body);
	}
	fake_request_end(&fake, NULL);
	fake_response(&fake, "HTTP/1.1 200 OK\r\n\r\n");
	fake_response_end(&fake, NULL);
	fake_finish(&fake, EXCHANGE_COMPLETE, ERR_NONE);
}

#define USUAL "Host: a.test\r\nAccept: */*\r\nUser-Agent: x\r\n"
#define USUAL_SHOWN " \\\n  -H 'Accept: */*' \\\n  -H 'User-Agent: x'"

static void a_command_reproduces_its_request(void **state)
{
	static const struct {
		const char *head;
		struct slice body;
		const char *command;
	} cases[] = {
		{"GET /a?b=c HTTP/1.1\r\n" USUAL "\r\n", SLICE_INIT(""),
			"curl 'http://a.test/a?b=c'" USUAL_SHOWN "\n"},
		/* what curl would add */
		{"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", SLICE_INIT(""),
			"curl 'http://a.test/' \\\n  -H 'Accept:' \\\n  -H 'User-Agent:'\n"},
		{"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\n", SLICE_INIT("it"),
			"# The Host cannot stand in a URL: put the address of the server in the "
			"place of localhost.\n"
			"curl 'http://localhost/' \\\n  --http1.0 \\\n  -H 'Host:' \\\n"
			"  -H 'Accept:' \\\n  -H 'User-Agent:' \\\n  -H 'Content-Type:' \\\n"
			"  --data-raw 'it'\n"},
		/* order, duplicates, empty values, coded answers */
		{"GET / HTTP/1.1\r\nX: 2\r\nHost: A.test:80\r\nAccept: a\r\nX: 1\r\nY:\r\n"
		 "User-Agent:\r\nAccept-Encoding: gzip\r\n\r\n",
			SLICE_INIT(""),
			"curl 'http://A.test:80/' \\\n  -H 'X: 2' \\\n  -H 'Host: A.test:80' \\\n"
			"  -H 'Accept: a' \\\n  -H 'X: 1' \\\n  -H 'Y;' \\\n  -H 'User-Agent;' "
			"\\\n  -H 'Accept-Encoding: gzip' \\\n  --compressed\n"},
		/* what belongs to the connection */
		{"POST / HTTP/1.1\r\n" USUAL
		 "Connection: keep-alive, X-Hop, Accept\r\nX-Hop: 1\r\nKeep-Alive: 1\r\n"
		 "Transfer-Encoding: chunked\r\nTE: trailers\r\nTrailer: X\r\n"
		 "Expect: 100-continue\r\nProxy-Connection: x\r\nProxy-Authorization: y\r\n"
		 "Content-Type: a/b\r\n\r\n",
			SLICE_INIT(""),
			"curl 'http://a.test/'" USUAL_SHOWN
			" \\\n  -H 'Content-Type: a/b' \\\n  --data-raw ''\n"},
		/* methods */
		{"HEAD / HTTP/1.1\r\n" USUAL "\r\n", SLICE_INIT(""),
			"curl 'http://a.test/' \\\n  --head" USUAL_SHOWN "\n"},
		{"POST / HTTP/1.1\r\n" USUAL "\r\n", SLICE_INIT(""),
			"curl 'http://a.test/' \\\n  --request 'POST'" USUAL_SHOWN "\n"},
		{"GET / HTTP/1.1\r\n" USUAL "Content-Length: 0\r\n\r\n", SLICE_INIT(""),
			"curl 'http://a.test/' \\\n  --request 'GET'" USUAL_SHOWN
			" \\\n  -H 'Content-Type:' \\\n  --data-raw ''\n"},
		{"IT'S`|! / HTTP/1.1\r\n" USUAL "\r\n", SLICE_INIT(""),
			"curl 'http://a.test/' \\\n  --request 'IT'\\''S`|!'" USUAL_SHOWN "\n"},
		{"OPTIONS * HTTP/1.1\r\n" USUAL "\r\n", SLICE_INIT(""),
			"curl 'http://a.test/' \\\n  --request-target '*' \\\n"
			"  --request 'OPTIONS'" USUAL_SHOWN "\n"},
		/* bodies */
		{"PUT /$(id)/'x' HTTP/1.1\r\n" USUAL "Content-Type: a/b\r\nContent-Length: 11\r\n"
		 "\r\n",
			SLICE_INIT("@it's\n$(id)"),
			"curl 'http://a.test/$(id)/'\\''x'\\''' \\\n  --request 'PUT'" USUAL_SHOWN
			" \\\n  -H 'Content-Type: a/b' \\\n  --data-raw '@it'\\''s\n$(id)'\n"},
		{"POST / HTTP/1.1\r\n" USUAL "Content-Type: a/b\r\nContent-Length: 7\r\n\r\n",
			SLICE_INIT("-\0\xFF"
				   "1%'\n"),
			"printf '\\055\\000\\3771\\045\\047\\012' | curl "
			"'http://a.test/'" USUAL_SHOWN
			" \\\n  -H 'Content-Type: a/b' \\\n  --data-binary @-\n"},
		{"HEAD / HTTP/1.1\r\n" USUAL "Content-Length: 2\r\n\r\n", SLICE_INIT("ab"),
			"# The body, 2 bytes, is left out: curl sends none with HEAD.\n"
			"curl 'http://a.test/' \\\n  --head" USUAL_SHOWN "\n"},
		/* secrets */
		{"GET /eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcdefghijklmnopqrstuv"
		 "?token=s3cret HTTP/1.1\r\n" USUAL
		 "Cookie: a=s3cret\r\nAuthorization: Bearer s3cret\r\nX: [1]\r\n\r\n",
			SLICE_INIT(""),
			"# Redacted, so not as it was sent: the path, the query, Cookie, "
			"Authorization.\n"
			"curl 'http://a.test/[redacted]?token=[redacted]' \\\n  "
			"--globoff" USUAL_SHOWN
			" \\\n  -H 'Cookie: [redacted]' \\\n  -H 'Authorization: [redacted]' \\\n"
			"  -H 'X: [1]'\n"},
		{"GET / HTTP/1.1\r\n" USUAL
		 "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: k\r\n\r\n",
			SLICE_INIT(""),
			"# A WebSocket handshake: curl sends it as a plain request, without "
			"Upgrade.\n"
			"curl 'http://a.test/'" USUAL_SHOWN " \\\n  -H 'Sec-WebSocket-Key: k'\n"},
		/* bytes that are no text */
		{"GET / HTTP/1.1\r\n" USUAL "X: \xE9\tit's\r\n\r\n", SLICE_INIT(""),
			"curl 'http://a.test/'" USUAL_SHOWN
			" \\\n  -H \"$(printf 'X: \\351\\011it\\047s')\"\n"},
	};
	struct inspector_fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		run(f, cases[i].head, cases[i].body, CAPTURE_FULL);
		assert_string_equal(curl_of(f, "x"), cases[i].command);
	}
}

static void what_is_missing_of_a_body_is_said(void **state)
{
	struct inspector_fixture *f = *state;
	struct fake_exchange fake;

	run(f, "POST / HTTP/1.1\r\n" USUAL "Content-Length: 3\r\n\r\n", SLICE("abc"),
		CAPTURE_HEADERS);
	assert_string_equal(curl_of(f, "x"),
		"# The body, 3 bytes, was not kept.\n"
		"curl 'http://a.test/' \\\n  --request 'POST'" USUAL_SHOWN "\n");
	fake_begin(&fake, inspector_fixture_observer(f),
		"POST / HTTP/1.1\r\n" USUAL "Content-Type: a/b\r\nContent-Length: 9\r\n\r\n", "x",
		CAPTURE_FULL);
	fake_request_data(&fake, SLICE("so"));
	assert_string_equal(curl_of(f, "x"),
		"# The body was still on its way: more may follow.\n"
		"curl 'http://a.test/'" USUAL_SHOWN
		" \\\n  -H 'Content-Type: a/b' \\\n  --data-raw 'so'\n");
	fake_request_end(&fake, "X: 1\r\n\r\n");
	fake_finish(&fake, EXCHANGE_COMPLETE, ERR_NONE);
	assert_string_equal(curl_of(f, "x"),
		"# The trailers are left out: curl sends none.\n"
		"curl 'http://a.test/'" USUAL_SHOWN
		" \\\n  -H 'Content-Type: a/b' \\\n  --data-raw 'so'\n");
}

static void expect_ends(const char *text, const char *end)
{
	assert_true(strlen(text) >= strlen(end));
	assert_string_equal(text + strlen(text) - strlen(end), end);
}

/* Longer than what is kept, than a window, and than an argument may be. */
static void a_long_body_is_piped_and_a_cut_one_says_so(void **state)
{
	struct inspector_fixture *f = *state;
	size_t len = 300001;
	size_t kept = 256 * 1024;
	char *body = mem_alloc(len);
	const char *command;
	static const char begins[] = "# The body is cut: 262144 of 300001 bytes were kept.\n"
				     "printf %s 'a\xC3\xA9";

	body[0] = 'a';
	for (size_t i = 1; i < len; i += 2) {
		memcpy(body + i, "\xC3\xA9", 2);
	}
	run(f, "POST / HTTP/1.1\r\n" USUAL "Content-Type: a/b\r\nContent-Length: 300001\r\n\r\n",
		slice_of(body, len), CAPTURE_FULL);
	command = curl_of(f, "x");
	assert_int_equal(strncmp(command, begins, strlen(begins)), 0);
	/* kept is even, and the first character has one byte: the last one is cut, and left out */
	assert_int_equal(memcmp(strstr(command, "%s '") + 4, body, kept - 1), 0);
	expect_ends(command, "\xA9' | curl 'http://a.test/'" USUAL_SHOWN
			     " \\\n  -H 'Content-Type: a/b' \\\n  --data-binary @-\n");
	assert_true(f->asked.parts > 1);
	mem_free(body);
}

static void what_could_not_be_read_is_no_command(void **state)
{
	struct inspector_fixture *f = *state;
	struct fake_exchange fake;

	fake_prepare(&fake, inspector_fixture_observer(f), "GET / HTTP/1.1\r\n" USUAL "\r\n", "x",
		CAPTURE_FULL);
	fake.exchange.request.method_name = SLICE("");
	fake_tell_begin(&fake);
	fake_finish(&fake, EXCHANGE_COMPLETE, ERR_NONE);
	assert_int_equal(inspect_get(f, "/_inspector/api/requests/x/curl")->status, 409);
	assert_int_equal(inspect_get(f, "/_inspector/api/requests/y/curl")->status, 404);
	assert_int_equal(inspect_get(f, "/_inspector/api/requests/x/curl?a=b")->status, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_is_taken_literally_whatever_is_in_it),
		cmocka_unit_test(a_comment_is_made_of_harmless_words),
		cmocka_unit_test(a_host_that_curl_would_change_gets_a_field),
		cmocka_unit_test(a_target_that_curl_would_change_gets_an_option),
		cmocka_unit_test_setup_teardown(a_command_reproduces_its_request, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_missing_of_a_body_is_said, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_long_body_is_piped_and_a_cut_one_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_could_not_be_read_is_no_command, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
