/*
 * What a message's fields become on their way through, head by head.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/forwarding.h"
#include "proxy/worker.h"
#include "reading.h"

struct fixture {
	struct worker worker;
	struct proxy_settings settings;
	struct network trusted;
	struct upstream_address address;
	struct reading reading;
	struct reading answer;
	struct exchange exchange;
	char sent[4096];
	struct credential *credential; /* or NULL */
};

static struct fixture fixture;

static int setup(void **state)
{
	struct fixture *f = &fixture;

	memset(f, 0, sizeof(*f));
	f->trusted = (struct network){.bits = 8, .address = {10}};
	f->settings = (struct proxy_settings){
		.request_id_name = SLICE("X-Request-ID"),
		.request_id_keep = true,
		.trusted_proxies = &f->trusted,
		.trusted_proxy_count = 1,
	};
	f->worker.settings = &f->settings;
	assert_int_equal(loop_init(&f->worker.loop), 0);
	(void)snprintf(f->address.authority, sizeof(f->address.authority), "api:8000");
	reading_init(&f->reading);
	reading_init(&f->answer);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	reading_fini(&f->reading);
	reading_fini(&f->answer);
	loop_settle(&f->worker.loop);
	loop_fini(&f->worker.loop);
	return 0;
}

/* Reads `head` as a request of this peer, and writes into f->sent what goes upstream. */
static const char *forward(struct fixture *f, const char *head, const char *peer, bool trusted)
{
	struct exchange *x = &f->exchange;
	struct slice sent;

	memset(x, 0, sizeof(*x));
	reading_head(&f->reading, HEAD_REQUEST, slice_str(head), 0);
	assert_int_equal(f->reading.progress, HEAD_DONE);
	x->worker = &f->worker;
	x->loop = &f->worker.loop;
	x->request = f->reading.head;
	x->scheme = "http";
	x->peer_ip = peer;
	x->peer_trusted = trusted;
	assert_int_equal(
		framing_of_request(&x->request, &x->request_framing, &f->reading.err), ERR_NONE);
	assert_int_equal(
		target_of_request(&x->request, &f->reading.arena, &x->target, &f->reading.err),
		ERR_NONE);
	forwarding_identify(x);
	sent = forwarding_request(x, &f->address, f->credential);
	assert_true(sent.len < sizeof(f->sent));
	memcpy(f->sent, sent.ptr, sent.len);
	f->sent[sent.len] = '\0';
	return f->sent;
}

static const char *respond(struct fixture *f, const char *head, const struct delivery *delivery)
{
	struct slice sent;

	reading_head(&f->answer, HEAD_RESPONSE, slice_str(head), 0);
	assert_int_equal(f->answer.progress, HEAD_DONE);
	sent = forwarding_response(&f->exchange, &f->answer.head, delivery);
	assert_true(sent.len < sizeof(f->sent));
	memcpy(f->sent, sent.ptr, sent.len);
	f->sent[sent.len] = '\0';
	return f->sent;
}

static void expect_line(const char *head, const char *line)
{
	char whole[512];

	(void)snprintf(whole, sizeof(whole), "\r\n%s\r\n", line);
	if (strstr(head, whole) == NULL) {
		print_error("no line \"%s\" in:\n%s", line, head);
		fail();
	}
}

static void expect_no(const char *head, const char *text)
{
	if (strstr(head, text) != NULL) {
		print_error("\"%s\" is in:\n%s", text, head);
		fail();
	}
}

#define HOST "Host: dash\r\n"
#define TRACE "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"

static void all_else_passes_in_order_and_byte_for_byte(void **state)
{
	const char *fields = HOST "x-B:  two  spaces\r\nX-a: 1\r\nx-b: \xe9\r\nX-Empty:\r\n" TRACE
				  "X-Request-ID: abc\r\nAccept: */*\r\n";
	char want[1024];
	char request[1024];

	(void)snprintf(request, sizeof(request), "GET /p?q HTTP/1.1\r\n%s\r\n", fields);
	/* White space around a value is no part of it: one space is written. */
	(void)snprintf(want, sizeof(want),
		"GET /p?q HTTP/1.1\r\n" HOST
		"x-B: two  spaces\r\nX-a: 1\r\nx-b: \xe9\r\nX-Empty: \r\n" TRACE
		"X-Request-ID: abc\r\nAccept: */*\r\n"
		"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: "
		"dash\r\n"
		"Via: 1.1 sightglass\r\n\r\n");
	assert_string_equal(forward(*state, request, "192.0.2.1", false), want);
}

static void hop_by_hop_fields_go_and_those_that_connection_names(void **state)
{
	const char *sent = forward(*state,
		"GET / HTTP/1.1\r\n" HOST
		"Connection: close, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\n"
		"Proxy-Connection: x\r\nProxy-Authorization: y\r\nUpgrade: h2c\r\nX-Stay: "
		"1\r\n\r\n",
		"192.0.2.1", false);

	expect_no(sent, "Hop");
	expect_no(sent, "Connection");
	expect_no(sent, "Keep-Alive");
	expect_no(sent, "Proxy-Auth");
	expect_no(sent, "Upgrade");
	expect_line(sent, "X-Stay: 1");
}

static void connection_cannot_take_end_to_end_fields_away(void **state)
{
	const char *sent = forward(*state,
		"POST / HTTP/1.1\r\n" HOST
		"Connection: Host, Content-Length, authorization, Cookie, "
		"X-Request-ID, X-Forwarded-For\r\nContent-Length: 3\r\nAuthorization: a\r\nCookie: "
		"b\r\n"
		"X-Request-ID: abc\r\n\r\n",
		"192.0.2.1", false);

	expect_line(sent, "Host: dash");
	expect_line(sent, "Content-Length: 3");
	expect_line(sent, "Authorization: a");
	expect_line(sent, "Cookie: b");
	expect_line(sent, "X-Request-ID: abc");
	expect_line(sent, "X-Forwarded-For: 192.0.2.1");
}

static void a_stranger_s_forwarding_fields_are_replaced(void **state)
{
	const char *sent = forward(*state,
		"GET / HTTP/1.1\r\n" HOST "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\n"
		"X-Forwarded-Host: evil\r\n\r\n",
		"192.0.2.1", false);

	expect_line(sent, "X-Forwarded-For: 192.0.2.1");
	expect_line(sent, "X-Forwarded-Proto: http");
	expect_line(sent, "X-Forwarded-Host: dash");
	expect_no(sent, "1.2.3.4");
	expect_no(sent, "evil");
	expect_no(sent, "https");
}

static void a_trusted_proxy_s_are_kept_and_appended_to(void **state)
{
	struct fixture *f = *state;
	const char *sent = forward(f,
		"GET / HTTP/1.1\r\n" HOST
		"X-Forwarded-For: 6.6.6.6, 1.2.3.4\r\nX-Forwarded-For: 10.9.9.9\r\n"
		"X-Forwarded-Proto: https\r\nX-Forwarded-Host: public\r\n\r\n",
		"10.0.0.1", true);

	expect_line(sent, "X-Forwarded-For: 6.6.6.6, 1.2.3.4, 10.9.9.9, 10.0.0.1");
	expect_line(sent, "X-Forwarded-Proto: https");
	expect_line(sent, "X-Forwarded-Host: public");
	expect_no(sent, "X-Forwarded-Host: dash");
	assert_string_equal(f->exchange.client_ip, "1.2.3.4");
}

static void the_client_s_address_is_the_last_one_that_is_not_our_own_side(void **state)
{
	struct fixture *f = *state;

	forward(f, "GET / HTTP/1.1\r\n" HOST "X-Forwarded-For: 6.6.6.6, 1.2.3.4, 10.1.1.1\r\n\r\n",
		"10.0.0.1", true);
	assert_string_equal(f->exchange.client_ip, "1.2.3.4");
	forward(f, "GET / HTTP/1.1\r\n" HOST "X-Forwarded-For: junk\r\n\r\n", "10.0.0.1", true);
	assert_string_equal(f->exchange.client_ip, "10.0.0.1");
	forward(f, "GET / HTTP/1.1\r\n" HOST "X-Forwarded-For: 1.2.3.4\r\n\r\n", "192.0.2.1",
		false);
	assert_string_equal(f->exchange.client_ip, "192.0.2.1");
}

static void names_that_only_an_underscore_tells_apart_are_dropped(void **state)
{
	const char *sent = forward(*state,
		"GET / HTTP/1.1\r\n" HOST
		"X_Forwarded_For: 1\r\nX-Forwarded_Host: 2\r\nx_request_id: 3\r\n"
		"Content_Length: 4\r\nTransfer_Encoding: 5\r\nX_Other: stays\r\n\r\n",
		"192.0.2.1", false);

	expect_no(sent, "_F");
	expect_no(sent, "d_H");
	expect_no(sent, "request_id");
	expect_no(sent, "Content_");
	expect_no(sent, "Transfer_");
	expect_line(sent, "X_Other: stays");
}

static void a_malformed_or_doubled_request_id_is_replaced(void **state)
{
	static const char *const fields[] = {
		"X-Request-ID: with space\r\n",
		"X-Request-ID:\r\n",
		"X-Request-ID: one\r\nX-Request-ID: two\r\n",
		"",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		char request[256];
		char want[128];
		const char *sent;

		(void)snprintf(
			request, sizeof(request), "GET / HTTP/1.1\r\n" HOST "%s\r\n", fields[i]);
		sent = forward(f, request, "192.0.2.1", false);
		assert_true(f->exchange.request_id_is_ours);
		assert_int_equal(f->exchange.request_id.len, 36);
		(void)snprintf(
			want, sizeof(want), "X-Request-ID: %.36s", f->exchange.request_id.ptr);
		expect_line(sent, want);
		expect_no(sent, "with space");
		expect_no(sent, "one");
	}
}

static void an_inbound_id_is_replaced_where_the_settings_say_so(void **state)
{
	struct fixture *f = *state;

	f->settings.request_id_keep = false;
	expect_no(forward(f, "GET / HTTP/1.1\r\n" HOST "X-Request-ID: inbound\r\n\r\n", "192.0.2.1",
			  false),
		"inbound");
	assert_true(f->exchange.request_id_is_ours);
}

static void a_trace_is_kept_or_begun_with_its_state(void **state)
{
	struct fixture *f = *state;
	const char *sent = forward(
		f, "GET / HTTP/1.1\r\n" HOST TRACE "tracestate: a=1\r\n\r\n", "192.0.2.1", false);

	expect_line(sent, "tracestate: a=1");
	assert_string_equal(f->exchange.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
	sent = forward(f, "GET / HTTP/1.1\r\n" HOST "traceparent: junk\r\ntracestate: a=1\r\n\r\n",
		"192.0.2.1", false);
	expect_no(sent, "junk");
	expect_no(sent, "tracestate");
	assert_non_null(strstr(sent, f->exchange.trace_id));
	sent = forward(f, "GET / HTTP/1.1\r\n" HOST TRACE TRACE "\r\n", "192.0.2.1", false);
	expect_no(sent, "4bf92f");
}

static void the_upstream_s_path_comes_before_the_request_s_and_its_name_fills_in_for_a_missing_host(
	void **state)
{
	struct fixture *f = *state;
	const char *sent;

	(void)snprintf(f->address.path, sizeof(f->address.path), "/base");
	sent = forward(f, "GET /a%2Fb HTTP/1.0\r\n\r\n", "192.0.2.1", false);
	assert_memory_equal(sent, "GET /base/a%2Fb HTTP/1.1\r\n", 26);
	expect_line(sent, "Host: api:8000");
	sent = forward(f, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "192.0.2.1", false);
	assert_memory_equal(sent, "OPTIONS * HTTP/1.1\r\n", 20);
}

static void chunks_upgrades_and_te_are_said_anew(void **state)
{
	struct fixture *f = *state;
	const char *sent = forward(f,
		"POST / HTTP/1.1\r\n" HOST
		"Transfer-Encoding: Chunked\r\nTE: trailers, deflate\r\nConnection: TE\r\n\r\n",
		"192.0.2.1", false);

	expect_line(sent, "Transfer-Encoding: chunked");
	expect_line(sent, "TE: trailers");
	expect_line(sent, "Connection: TE");
	expect_no(sent, "deflate");
	sent = forward(f,
		"GET / HTTP/1.1\r\n" HOST
		"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n",
		"192.0.2.1", false);
	expect_line(sent, "Connection: Upgrade");
	expect_line(sent, "Upgrade: websocket");
	expect_no(sent, "keep-alive");
}

static void an_answer_bears_our_request_id_and_never_the_upstream_s(void **state)
{
	struct fixture *f = *state;
	const struct delivery delivery = {.version_minor = 1};
	const char *sent;

	forward(f, "GET / HTTP/1.1\r\n" HOST "X-Request-ID: abc\r\n\r\n", "192.0.2.1", false);
	sent = respond(f,
		"HTTP/1.1 200 Fine\r\nDate: Thu, 12 Mar 2026 10:42:26 GMT\r\nx-request-id: "
		"theirs\r\n"
		"Keep-Alive: timeout=5\r\nConnection: X-Hop\r\nX-Hop: 1\r\nSet-Cookie: "
		"a\r\nSet-Cookie: b\r\n"
		"Content-Length: 3\r\n\r\n",
		&delivery);
	assert_string_equal(sent,
		"HTTP/1.1 200 Fine\r\nDate: Thu, 12 Mar 2026 10:42:26 GMT\r\nSet-Cookie: "
		"a\r\nSet-Cookie: b\r\n"
		"Content-Length: 3\r\nX-Request-ID: abc\r\nVia: 1.1 sightglass\r\n\r\n");
}

static void an_answer_without_a_date_gets_one_and_its_delivery_is_said(void **state)
{
	struct fixture *f = *state;
	struct delivery delivery = {.version_minor = 1, .chunked = true, .close = true};
	const char *sent;

	forward(f, "GET / HTTP/1.1\r\n" HOST "\r\n", "192.0.2.1", false);
	sent = respond(f, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &delivery);
	expect_line(sent, "Transfer-Encoding: chunked");
	expect_line(sent, "Connection: close");
	assert_non_null(strstr(sent, "\r\nDate: "));
	delivery = (struct delivery){.version_minor = 0};
	sent = respond(f, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", &delivery);
	expect_line(sent, "Connection: keep-alive");
	sent = respond(
		f, "HTTP/1.1 103 Early Hints\r\nLink: x\r\nConnection: y\r\n\r\n", &delivery);
	assert_string_equal(sent, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
}

static void trailers_lose_what_frames_routes_or_authenticates(void **state)
{
	struct fixture *f = *state;
	unsigned kept = 0;

	reading_head(&f->reading, HEAD_TRAILERS,
		SLICE("X-Sum: 1\r\nContent-Length: 3\r\nTransfer-Encoding: x\r\nHost: "
		      "y\r\nAuthorization: z\r\n"
		      "X-Forwarded-For: a\r\nX_Forwarded_For: b\r\nConnection: c\r\nServer-Timing: "
		      "d\r\n\r\n"),
		0);
	assert_int_equal(f->reading.progress, HEAD_DONE);
	assert_true(forwarding_trailers(&f->reading.head));
	for (unsigned i = 0; i < f->reading.head.count; i++) {
		kept += !f->reading.head.fields[i].dropped;
	}
	assert_int_equal(kept, 2);
	assert_false(f->reading.head.fields[0].dropped);
}

static void a_credential_takes_the_place_of_the_client_s_own(void **state)
{
	static const struct credential_key key = {.bytes = "0123456789abcde"};
	struct fixture *f = *state;
	const char *sent;

	f->credential = credential_create(&key,
		&(struct credential_parts){.kind = CREDENTIAL_BEARER, .secret = SLICE("ours")});
	sent = forward(f,
		"GET / HTTP/1.1\r\n" HOST "authorization: Basic own\r\nX-A: 1\r\n"
		"Authorization: Basic too\r\n\r\n",
		"192.0.2.1", false);
	expect_line(sent, "Authorization: Bearer ours");
	expect_line(sent, "X-A: 1");
	expect_no(sent, "Basic");
	assert_int_equal(f->exchange.request.count, 4); /* what came is on record as it came */
	credential_unref(f->credential);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(all_else_passes_in_order_and_byte_for_byte),
		TEST(hop_by_hop_fields_go_and_those_that_connection_names),
		TEST(connection_cannot_take_end_to_end_fields_away),
		TEST(a_stranger_s_forwarding_fields_are_replaced),
		TEST(a_trusted_proxy_s_are_kept_and_appended_to),
		TEST(the_client_s_address_is_the_last_one_that_is_not_our_own_side),
		TEST(names_that_only_an_underscore_tells_apart_are_dropped),
		TEST(a_malformed_or_doubled_request_id_is_replaced),
		TEST(an_inbound_id_is_replaced_where_the_settings_say_so),
		TEST(a_trace_is_kept_or_begun_with_its_state),
		TEST(the_upstream_s_path_comes_before_the_request_s_and_its_name_fills_in_for_a_missing_host),
		TEST(chunks_upgrades_and_te_are_said_anew),
		TEST(an_answer_bears_our_request_id_and_never_the_upstream_s),
		TEST(an_answer_without_a_date_gets_one_and_its_delivery_is_said),
		TEST(a_credential_takes_the_place_of_the_client_s_own),
		TEST(trailers_lose_what_frames_routes_or_authenticates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
