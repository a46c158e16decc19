/*
 * The head with which a captured request is sent again: what is taken over, what gives way to the
 * caller's, what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/head_reader.h"
#include "inspector/resend.h"

struct fixture {
	struct inspector_settings settings;
	struct redactor *redactor;
	struct token token;
	struct access_rules access;
	struct record_view view;
	struct resend_changes changes;
	char caller[1024]; /* fields of the request that asks */
	uint64_t body_len;
	struct buffer head;
	struct buffer left_out;
	struct err err;
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){.err = ERR_INIT};
	f.redactor = redactor_create(&f.settings);
	token_init(&f.token, "inspector-token");
	f.access.token = &f.token;
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	redactor_destroy(f->redactor);
	token_fini(&f->token);
	buffer_fini(&f->head);
	buffer_fini(&f->left_out);
	return 0;
}

/* What was captured: `head` is a whole one. */
static void recorded(struct fixture *f, const char *head)
{
	const char *target = strchr(head, ' ') + 1;
	const char *target_end = strchr(target, ' ');
	const char *query = memchr(target, '?', (size_t)(target_end - target));
	const char *fields = strstr(head, "\r\n") + 2;
	const char *host = strstr(head, "Host: ");
	const char *path_end = query == NULL ? target_end : query;
	uint16_t count = 0;

	for (const char *line = fields; strncmp(line, "\r\n", 2) != 0; count++) {
		line = strstr(line, "\r\n") + 2;
	}
	f->view = (struct record_view){
		.state = EXCHANGE_COMPLETE,
		.method_name = slice_of(head, (size_t)(target - 1 - head)),
		.path = slice_of(target, (size_t)(path_end - target)),
		.has_query = query != NULL,
		.request = {.bytes = slice_str(head),
			.fields_at = (uint32_t)(fields - head),
			.count = count},
		.request_body = {.ended = true},
	};
	if (query != NULL) {
		f->view.query = slice_of(query + 1, (size_t)(target_end - query - 1));
	}
	if (host != NULL) {
		f->view.host = slice_of(host + 6, (size_t)(strstr(host, "\r\n") - host - 6));
	}
}

static enum resend_verdict resend(struct fixture *f)
{
	static const struct head_limits limits = {.bytes = 8192, .fields = 50, .target = 1024};
	struct resend resend = {
		.redactor = f->redactor,
		.access = &f->access,
		.request_id_name = SLICE("X-Request-ID"),
		.body_len = f->body_len,
	};
	enum resend_verdict verdict;
	struct arena_pool pool;
	struct arena arena;
	struct head caller;
	struct head_reader reader;
	char text[2048];
	size_t taken;

	(void)snprintf(text, sizeof(text), "POST / HTTP/1.1\r\n%s\r\n", f->caller);
	arena_pool_init(&pool, 2);
	arena_init(&arena, &pool, 64 * 1024);
	head_reader_init(&reader, HEAD_REQUEST, &caller, &arena, &limits);
	assert_int_equal(head_reader_feed(&reader, slice_str(text), &taken, &f->err), HEAD_DONE);
	resend.caller = &caller;
	buffer_clear(&f->head);
	buffer_clear(&f->left_out);
	verdict = resend_head(&resend, &f->view, &f->changes, &f->head, &f->left_out, &f->err);
	arena_reset(&arena);
	arena_pool_fini(&pool);
	return verdict;
}

static void assert_text(const struct buffer *got, const char *wanted)
{
	char text[2048];

	assert_true(got->len < sizeof(text));
	memcpy(text, got->len == 0 ? "" : got->ptr, got->len);
	text[got->len] = '\0';
	assert_string_equal(text, wanted);
}

static void it_is_sent_as_it_was_but_for_what_is_of_the_way(void **state)
{
	struct fixture *f = *state;

	recorded(f, "GET /a%20b?x=1&x=2 HTTP/1.1\r\nHost: dash:8080\r\naccept: a/b\r\n"
		    "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nX-Request-ID: old\r\n"
		    "X_Forwarded_For: 1.2.3.4\r\nX-Forwarded-For: 1.2.3.4\r\nTraceparent: 00-x\r\n"
		    "Via: 1.1 p\r\nTE: trailers\r\nAccept: c/d\r\n\r\n");
	assert_int_equal(resend(f), RESEND_READY);
	assert_text(&f->head, "GET /a%20b?x=1&x=2 HTTP/1.1\r\nHost: dash:8080\r\naccept: a/b\r\n"
			      "Accept: c/d\r\n\r\n");
	assert_text(&f->left_out, "");
}

static void a_body_is_announced_anew(void **state)
{
	struct fixture *f = *state;

	recorded(f, "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
		    "Expect: 100-continue\r\nContent-Encoding: gzip\r\n\r\n");
	f->body_len = 12;
	assert_int_equal(resend(f), RESEND_READY);
	assert_text(&f->head, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\n"
			      "Content-Length: 12\r\n\r\n");
	f->changes.has_body = true; /* one that is given is not packed */
	assert_int_equal(resend(f), RESEND_READY);
	assert_text(&f->head, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n\r\n");
	f->body_len = 0;
	assert_int_equal(resend(f), RESEND_READY);
	assert_text(&f->head, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
	f->changes.method = SLICE("GET");
	assert_int_equal(resend(f), RESEND_READY);
	assert_text(&f->head, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
}

static void a_secret_gives_way_to_the_callers_own(void **state)
{
	struct fixture *f = *state;

	recorded(f, "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer theirs\r\nX-A: 1\r\n"
		    "Cookie: s=theirs\r\nCookie: t=theirs\r\nX-API-Key: theirs\r\n\r\n");
	assert_int_equal(resend(f), RESEND_READY);
	assert_text(&f->head, "GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\n\r\n");
	assert_text(&f->left_out, "Authorization, Cookie, X-API-Key");

	(void)snprintf(
		f->caller, sizeof(f->caller), "authorization: Bearer mine\r\nCookie: s=mine\r\n");
	assert_int_equal(resend(f), RESEND_READY);
	assert_text(&f->head, "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer mine\r\n"
			      "X-A: 1\r\nCookie: s=mine\r\n\r\n");
	assert_text(&f->left_out, "X-API-Key");
}

/* What the request did not have, the caller does not add to it. */
static void a_request_without_credentials_stays_without(void **state)
{
	struct fixture *f = *state;

	recorded(f, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	(void)snprintf(
		f->caller, sizeof(f->caller), "Authorization: Bearer mine\r\nCookie: s=mine\r\n");
	assert_int_equal(resend(f), RESEND_READY);
	assert_text(&f->head, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
}

static void what_opens_the_inspector_never_goes_upstream(void **state)
{
	struct fixture *f = *state;
	const struct token_cookie *cookie = token_cookie(&f->token);

	recorded(f, "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer x\r\nCookie: a=b\r\n\r\n");
	(void)snprintf(f->caller, sizeof(f->caller),
		"Authorization: Bearer inspector-token\r\nCookie: a=1; %s=%s; b=2\r\n",
		cookie->name, cookie->value);
	assert_int_equal(resend(f), RESEND_READY);
	assert_text(&f->head, "GET / HTTP/1.1\r\nHost: h\r\nCookie: a=1; b=2\r\n\r\n");
	assert_text(&f->left_out, "Authorization");
}

static void token_shaped_text_in_a_plain_field_is_a_secret_too(void **state)
{
	struct fixture *f = *state;

	recorded(f, "GET / HTTP/1.1\r\nHost: h\r\n"
		    "X-Note: AKIAIOSFODNN7EXAMPLE\r\n\r\n");
	assert_int_equal(resend(f), RESEND_READY);
	assert_text(&f->head, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_text(&f->left_out, "X-Note");
}

static void a_secret_in_the_url_is_refused_until_a_path_is_given(void **state)
{
	struct fixture *f = *state;

	recorded(f, "GET /x?token=theirs HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_int_equal(resend(f), RESEND_REFUSED);
	assert_non_null(strstr(f->err.text, "give a \"path\""));
	f->changes.path = SLICE("/x?token=mine");
	assert_int_equal(resend(f), RESEND_READY);
	assert_text(&f->head, "GET /x?token=mine HTTP/1.1\r\nHost: h\r\n\r\n");
	f->changes.path = SLICE("/x?token=[redacted]");
	assert_int_equal(resend(f), RESEND_BAD);
}

static void headers_that_are_given_take_the_place_of_all(void **state)
{
	struct fixture *f = *state;
	const struct resend_field fields[] = {
		{SLICE("X-New"), SLICE(" 1 ")},
		{SLICE("Content-Length"), SLICE("999")},
		{SLICE("Host"), SLICE("evil")},
		{SLICE("Authorization"), SLICE("[redacted]")},
		{SLICE("X-API-Key"), SLICE("typed")},
	};

	recorded(f, "GET / HTTP/1.1\r\nHost: h\r\nX-Old: 1\r\nAuthorization: Bearer x\r\n\r\n");
	f->changes = (struct resend_changes){
		.has_fields = true,
		.fields = fields,
		.field_count = sizeof(fields) / sizeof(fields[0]),
	};
	assert_int_equal(resend(f), RESEND_READY);
	assert_text(&f->head, "GET / HTTP/1.1\r\nHost: h\r\nX-New: 1\r\nX-API-Key: typed\r\n\r\n");
	assert_text(&f->left_out, "Authorization");
}

static void nothing_that_is_given_can_add_a_line(void **state)
{
	struct fixture *f = *state;
	static const char *const methods[] = {"", "G ET", "GET\r\nX: y", "GET /"};
	static const char *const paths[] = {"", "x", "/a b", "/a\r\nX: y", "/a#b", "//h\x7f"};
	static const struct resend_field fields[] = {
		{SLICE_INIT(""), SLICE_INIT("v")},
		{SLICE_INIT("a b"), SLICE_INIT("v")},
		{SLICE_INIT("a:"), SLICE_INIT("v")},
		{SLICE_INIT("a"), SLICE_INIT("v\r\nX: y")},
		{SLICE_INIT("a"), SLICE_INIT("v\nX: y")},
		{SLICE_INIT("a"), {.ptr = "v\0w", .len = 3}},
	};

	recorded(f, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		f->changes = (struct resend_changes){.method = slice_str(methods[i])};
		assert_int_equal(resend(f), RESEND_BAD);
	}
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		f->changes = (struct resend_changes){.path = slice_str(paths[i])};
		assert_int_equal(resend(f), RESEND_BAD);
	}
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		f->changes = (struct resend_changes){
			.has_fields = true, .fields = &fields[i], .field_count = 1};
		assert_int_equal(resend(f), RESEND_BAD);
	}
}

static void what_cannot_be_sent_again_honestly_is_refused(void **state)
{
	struct fixture *f = *state;

	recorded(f, "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n");
	assert_int_equal(resend(f), RESEND_REFUSED);
	recorded(f, "GET /old HTTP/1.0\r\nX: y\r\n\r\n"); /* for no host */
	assert_int_equal(resend(f), RESEND_REFUSED);
	f->view = (struct record_view){.state = EXCHANGE_COMPLETE};
	assert_int_equal(resend(f), RESEND_REFUSED);
}

static void a_body_that_was_cut_or_still_comes_is_refused(void **state)
{
	struct fixture *f = *state;

	recorded(f, "POST / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_int_equal(resend_body(&f->view, &f->err), RESEND_READY);
	f->view.request_body = (struct record_body){.ended = true, .size = 10, .kept = 9};
	assert_int_equal(resend_body(&f->view, &f->err), RESEND_REFUSED);
	assert_non_null(strstr(f->err.text, "9 of 10 bytes"));
	f->view.request_body =
		(struct record_body){.ended = true, .size = 9, .kept = 9, .look = RECORD_HIDES};
	assert_int_equal(resend_body(&f->view, &f->err), RESEND_REFUSED);
	assert_non_null(strstr(f->err.text, "redacted"));
	f->view.request_body.look = RECORD_GARBLED;
	assert_int_equal(resend_body(&f->view, &f->err), RESEND_REFUSED);
	assert_non_null(strstr(f->err.text, "decoded"));
	f->view.request_body.look = RECORD_CLEAN;
	assert_int_equal(resend_body(&f->view, &f->err), RESEND_READY);
	f->view.state = EXCHANGE_ACTIVE;
	f->view.request_body = (struct record_body){.ended = false, .size = 9, .kept = 9};
	assert_int_equal(resend_body(&f->view, &f->err), RESEND_REFUSED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_sent_as_it_was_but_for_what_is_of_the_way),
		TEST(a_body_is_announced_anew),
		TEST(a_secret_gives_way_to_the_callers_own),
		TEST(a_request_without_credentials_stays_without),
		TEST(what_opens_the_inspector_never_goes_upstream),
		TEST(token_shaped_text_in_a_plain_field_is_a_secret_too),
		TEST(a_secret_in_the_url_is_refused_until_a_path_is_given),
		TEST(headers_that_are_given_take_the_place_of_all),
		TEST(nothing_that_is_given_can_add_a_line),
		TEST(what_cannot_be_sent_again_honestly_is_refused),
		TEST(a_body_that_was_cut_or_still_comes_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
