/*
 * Who may look: every case of INTERFACE section 4's paragraph.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "http/head_reader.h"
#include "inspector/access.h"

static const char token_text[] = "a-token";

struct request_case {
	const char *method;
	const char *fields; /* whole lines, Host among them; %s is the cookie */
	bool remote;        /* not over a loopback or unix listener */
	const char *query_token;
	enum access expected;
};

static enum access check(const struct request_case *one, struct token *token)
{
	static const struct head_limits limits = {.bytes = 8192, .fields = 50, .target = 1024};
	static char dash[] = "dash.local";
	static char with_port[] = "other.local:81";
	static char *allowed[] = {dash, with_port};
	const struct string_list allow_hosts = {.items = allowed, .count = 2};
	static char friendly[] = "https://friend.example";
	static char *origins[] = {friendly};
	const struct string_list allow_origins = {.items = origins, .count = 1};
	const struct access_rules rules = {
		.allow_hosts = &allow_hosts, .allow_origins = &allow_origins, .token = token};
	struct access_request request = {
		.scheme = "http",
		.local_listener = !one->remote,
		.has_query_token = one->query_token != NULL,
		.query_token = slice_str(one->query_token),
	};
	struct arena_pool pool;
	struct arena arena;
	struct head head;
	struct head_reader reader;
	struct err err = ERR_INIT;
	char text[2048];
	char fields[1024];
	size_t taken;
	enum access result;

	(void)snprintf(fields, sizeof(fields), "%s", one->fields);
	if (strstr(one->fields, "COOKIE") != NULL) {
		const struct token_cookie *cookie = token_cookie(token);
		const char *at = strstr(one->fields, "COOKIE");

		(void)snprintf(fields, sizeof(fields), "%.*s%s=%s%s", (int)(at - one->fields),
			one->fields, cookie->name, cookie->value, at + 6);
	}
	(void)snprintf(
		text, sizeof(text), "%s /_inspector/ HTTP/1.1\r\n%s\r\n", one->method, fields);
	arena_pool_init(&pool, 2);
	arena_init(&arena, &pool, 64 * 1024);
	head_reader_init(&reader, HEAD_REQUEST, &head, &arena, &limits);
	assert_int_equal(head_reader_feed(&reader, slice_str(text), &taken, &err), HEAD_DONE);
	request.head = &head;
	request.host = head_get(&head, FIELD_HOST);
	result = access_check(&rules, &request);
	arena_reset(&arena);
	arena_pool_fini(&pool);
	return result;
}

#define LOCAL "Host: localhost\r\n"
#define RIGHT "Authorization: Bearer a-token\r\n"
#define WRONG "Authorization: Bearer another\r\n"

static const struct request_case with_token[] = {
	/* from this machine, under its own name */
	{"GET", LOCAL, false, NULL, ACCESS_GRANTED},
	{"GET", "Host: LocalHost:8080\r\n", false, NULL, ACCESS_GRANTED},
	{"GET", "Host: 127.0.0.1\r\n", false, NULL, ACCESS_GRANTED},
	{"GET", "Host: 127.255.0.3:9\r\n", false, NULL, ACCESS_GRANTED},
	{"GET", "Host: [::1]:8080\r\n", false, NULL, ACCESS_GRANTED},
	{"GET", "Host: [::ffff:127.0.0.1]\r\n", false, NULL, ACCESS_GRANTED},
	{"GET", "Host: dash.local\r\n", false, NULL, ACCESS_GRANTED},
	{"GET", "Host: DASH.local:8080\r\n", false, NULL, ACCESS_GRANTED},
	{"GET", "Host: other.local:81\r\n", false, NULL, ACCESS_GRANTED},
	/* under a name that may have been rebound */
	{"GET", "Host: other.local:82\r\n", false, NULL, ACCESS_FOREIGN_HOST},
	{"GET", "Host: evil.example\r\n", false, NULL, ACCESS_FOREIGN_HOST},
	{"GET", "Host: localhost.evil.example\r\n", false, NULL, ACCESS_FOREIGN_HOST},
	{"GET", "Host: 127.0.0.1.evil.example\r\n", false, NULL, ACCESS_FOREIGN_HOST},
	{"GET", "Host: 128.0.0.1\r\n", false, NULL, ACCESS_FOREIGN_HOST},
	{"GET", "Host: 127.1\r\n", false, NULL, ACCESS_FOREIGN_HOST},
	{"GET", "Host: [::2]\r\n", false, NULL, ACCESS_FOREIGN_HOST},
	{"GET", "Host: [::ffff:10.0.0.1]\r\n", false, NULL, ACCESS_FOREIGN_HOST},
	{"GET", "A: b\r\n", false, NULL, ACCESS_FOREIGN_HOST},
	{"GET", "Host: evil.example\r\n" RIGHT, false, NULL, ACCESS_GRANTED},
	{"GET", "Host: evil.example\r\nCookie: COOKIE\r\n", false, NULL, ACCESS_GRANTED},
	/* through another proxy */
	{"GET", LOCAL "Forwarded: for=1.2.3.4\r\n", false, NULL, ACCESS_TOKEN_MISSING},
	{"GET", LOCAL "X-Forwarded-For: 1.2.3.4\r\n", false, NULL, ACCESS_TOKEN_MISSING},
	{"GET", LOCAL "X-Forwarded-Anything: 1\r\n", false, NULL, ACCESS_TOKEN_MISSING},
	{"GET", LOCAL "x_forwarded_for: 1\r\n", false, NULL, ACCESS_TOKEN_MISSING},
	{"GET", LOCAL "X-Real-IP: 1\r\n", false, NULL, ACCESS_TOKEN_MISSING},
	{"GET", LOCAL "Via: 1.1 edge\r\n", false, NULL, ACCESS_TOKEN_MISSING},
	{"GET", LOCAL "X-Forward: 1\r\nViaduct: 2\r\n", false, NULL, ACCESS_GRANTED},
	{"GET", LOCAL "Via: 1.1 edge\r\n" RIGHT, false, NULL, ACCESS_GRANTED},
	{"GET", LOCAL "Via: 1.1 edge\r\n" WRONG, false, NULL, ACCESS_TOKEN_WRONG},
	{"GET", LOCAL "Via: 1.1 edge\r\nCookie: COOKIE\r\n", false, NULL, ACCESS_GRANTED},
	{"GET", LOCAL "Via: 1.1 edge\r\nCookie: a=1; COOKIE; b=2\r\n", false, NULL, ACCESS_GRANTED},
	{"GET", LOCAL "Via: 1.1 edge\r\nCookie: COOKIEx\r\n", false, NULL, ACCESS_TOKEN_MISSING},
	{"GET", LOCAL "Via: 1.1 edge\r\nCookie: xCOOKIE\r\n", false, NULL, ACCESS_TOKEN_MISSING},
	/* from elsewhere */
	{"GET", LOCAL, true, NULL, ACCESS_TOKEN_MISSING},
	{"GET", LOCAL RIGHT, true, NULL, ACCESS_GRANTED},
	{"GET", LOCAL "Authorization: bearer   a-token\r\n", true, NULL, ACCESS_GRANTED},
	{"GET", LOCAL WRONG, true, NULL, ACCESS_TOKEN_WRONG},
	{"GET", LOCAL "Authorization: Bearer a-toke\r\n", true, NULL, ACCESS_TOKEN_WRONG},
	{"GET", LOCAL "Authorization: Bearer a-token2\r\n", true, NULL, ACCESS_TOKEN_WRONG},
	{"GET", LOCAL "Authorization: Basic a-token\r\n", true, NULL, ACCESS_TOKEN_MISSING},
	{"GET", LOCAL "Authorization: Bearer\r\n", true, NULL, ACCESS_TOKEN_MISSING},
	{"GET", LOCAL, true, "a-token", ACCESS_GRANTED},
	{"GET", LOCAL, true, "another", ACCESS_TOKEN_WRONG},
	{"GET", LOCAL, true, "", ACCESS_TOKEN_WRONG},
	/*
	 * a bearer that is the dashboard's own does not matter where none is needed; ?token= is
	 * ours
	 */
	{"GET", LOCAL WRONG, false, NULL, ACCESS_GRANTED},
	{"GET", LOCAL, false, "another", ACCESS_TOKEN_WRONG},
	/* pages of other origins */
	{"GET", LOCAL "Origin: http://localhost\r\n", false, NULL, ACCESS_GRANTED},
	{"GET", LOCAL "Origin: http://evil.example\r\n", false, NULL, ACCESS_FOREIGN_READER},
	{"GET", LOCAL "Origin: http://localhost:3000\r\n", false, NULL, ACCESS_FOREIGN_READER},
	{"GET", LOCAL "Origin: null\r\n", false, NULL, ACCESS_FOREIGN_READER},
	{"GET", LOCAL "Origin: https://friend.example\r\n", false, NULL, ACCESS_GRANTED},
	{"GET", LOCAL "Origin: https://friend.example:8443\r\n", false, NULL,
		ACCESS_FOREIGN_READER},
	{"GET", LOCAL "Origin: https://friend.example\r\nSec-Fetch-Site: cross-site\r\n", false,
		NULL, ACCESS_GRANTED},
	{"GET", LOCAL "Origin: https://friend.example\r\nOrigin: http://evil\r\n", false, NULL,
		ACCESS_FOREIGN_READER},
	{"GET", LOCAL "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n", false, NULL,
		ACCESS_FOREIGN_READER},
	{"GET", LOCAL "Sec-Fetch-Site: same-site\r\n", false, NULL, ACCESS_FOREIGN_READER},
	{"GET", LOCAL "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n", false, NULL,
		ACCESS_GRANTED},
	{"GET", LOCAL "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n", false, NULL,
		ACCESS_GRANTED},
	{"GET", LOCAL "Sec-Fetch-Site: same-origin\r\n", false, NULL, ACCESS_GRANTED},
	{"GET", LOCAL "Cookie: COOKIE\r\nOrigin: http://evil.example\r\n", false, NULL,
		ACCESS_FOREIGN_READER},
	{"GET", LOCAL RIGHT "Origin: http://evil.example\r\n", true, NULL, ACCESS_GRANTED},
	{"DELETE", LOCAL "Origin: https://friend.example\r\n", false, NULL, ACCESS_FOREIGN_PAGE},
	/* changes */
	{"DELETE", LOCAL, false, NULL, ACCESS_FOREIGN_PAGE},
	{"POST", LOCAL, false, NULL, ACCESS_FOREIGN_PAGE},
	{"SOMETHING", LOCAL, false, NULL, ACCESS_FOREIGN_PAGE},
	{"HEAD", LOCAL, false, NULL, ACCESS_GRANTED},
	{"DELETE", LOCAL RIGHT, true, NULL, ACCESS_GRANTED},
	{"DELETE", LOCAL "Cookie: COOKIE\r\n", true, NULL, ACCESS_FOREIGN_PAGE},
	{"DELETE", LOCAL, true, "a-token", ACCESS_FOREIGN_PAGE},
	{"DELETE", LOCAL "Origin: http://localhost\r\n", false, NULL, ACCESS_GRANTED},
	{"DELETE", LOCAL "Origin: http://localhost:80\r\n", false, NULL, ACCESS_GRANTED},
	{"DELETE", LOCAL "Origin: http://localhost:8080\r\n", false, NULL, ACCESS_FOREIGN_PAGE},
	{"DELETE", LOCAL "Origin: https://localhost\r\n", false, NULL, ACCESS_FOREIGN_PAGE},
	{"DELETE", LOCAL "Origin: http://evil.example\r\n", false, NULL, ACCESS_FOREIGN_PAGE},
	{"DELETE", LOCAL "Origin: null\r\n", false, NULL, ACCESS_FOREIGN_PAGE},
	{"DELETE", LOCAL "Origin: http://localhost\r\nOrigin: http://evil\r\n", false, NULL,
		ACCESS_FOREIGN_PAGE},
	{"DELETE", "Host: [::1]:8080\r\nOrigin: http://[::1]:8080\r\n", false, NULL,
		ACCESS_GRANTED},
	{"DELETE", LOCAL "Sec-Fetch-Site: same-origin\r\n", false, NULL, ACCESS_GRANTED},
	{"DELETE", LOCAL "Sec-Fetch-Site: same-site\r\n", false, NULL, ACCESS_FOREIGN_PAGE},
	{"DELETE", LOCAL "Sec-Fetch-Site: none\r\n", false, NULL, ACCESS_FOREIGN_PAGE},
	{"DELETE", LOCAL "Sec-Fetch-Site: cross-site\r\nOrigin: http://localhost\r\n", false, NULL,
		ACCESS_FOREIGN_PAGE},
	{"DELETE", LOCAL "Cookie: COOKIE\r\nSec-Fetch-Site: same-origin\r\n", true, NULL,
		ACCESS_GRANTED},
};

static const struct request_case without_token[] = {
	{"GET", LOCAL, false, NULL, ACCESS_GRANTED},
	{"GET", LOCAL, true, NULL, ACCESS_TOKEN_MISSING},
	{"GET", LOCAL, true, "", ACCESS_TOKEN_WRONG},
	{"GET", LOCAL WRONG, true, NULL, ACCESS_TOKEN_WRONG},
	{"GET", LOCAL "Cookie: =\r\n", true, NULL, ACCESS_TOKEN_MISSING},
	{"GET", LOCAL, false, "whatever", ACCESS_GRANTED},
};

static void expect_all(const struct request_case *cases, size_t count, struct token *token)
{
	for (size_t i = 0; i < count; i++) {
		enum access result = check(&cases[i], token);

		if (result != cases[i].expected) {
			fail_msg("%s %s (%s, ?token=%s): %d instead of %d", cases[i].method,
				cases[i].fields, cases[i].remote ? "remote" : "local",
				cases[i].query_token == NULL ? "(none)" : cases[i].query_token,
				(int)result, (int)cases[i].expected);
		}
	}
}

static void each_request_gets_what_the_rules_say(void **state)
{
	struct token token;

	(void)state;
	token_init(&token, token_text);
	expect_all(with_token, sizeof(with_token) / sizeof(with_token[0]), &token);
	token_fini(&token);
}

static void without_a_token_none_is_right(void **state)
{
	struct token token;

	(void)state;
	token_init(&token, NULL);
	expect_all(without_token, sizeof(without_token) / sizeof(without_token[0]), &token);
	token_fini(&token);
}

static void the_cookie_is_neither_the_token_nor_the_same_for_another(void **state)
{
	const struct token_cookie *a;
	const struct token_cookie *b;
	struct token one;
	struct token other;

	(void)state;
	token_init(&one, "one");
	token_init(&other, "other");
	a = token_cookie(&one);
	b = token_cookie(&other);
	assert_null(strstr(a->value, "one"));
	assert_string_not_equal(a->value, b->value);
	assert_string_not_equal(a->name, b->name);
	assert_true(token_cookie_equal(&one, slice_str(a->name), slice_str(a->value)));
	assert_false(token_cookie_equal(&one, slice_str(a->name), slice_str(b->value)));
	assert_false(token_cookie_equal(&one, slice_str(b->name), slice_str(a->value)));
	assert_false(token_cookie_equal(&one, slice_str(a->name), SLICE("one")));
	assert_false(token_equal(&one, slice_str(a->value)));
	token_fini(&one);
	token_fini(&other);
}

static void a_made_token_is_long_and_another_each_time(void **state)
{
	struct token one;
	struct token other;

	(void)state;
	token_init_random(&one);
	token_init_random(&other);
	assert_int_equal(strlen(one.text), TOKEN_MADE_LEN);
	assert_string_not_equal(one.text, other.text);
	assert_true(token_equal(&one, slice_str(one.text)));
	token_fini(&one);
	token_fini(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_request_gets_what_the_rules_say),
		cmocka_unit_test(without_a_token_none_is_right),
		cmocka_unit_test(the_cookie_is_neither_the_token_nor_the_same_for_another),
		cmocka_unit_test(a_made_token_is_long_and_another_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
