/*
 * The sample API as a client sees it, over real connections.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "demo/demo_assets.h"
#include "tests/unit/demo_fixture.h"

enum {
	DOWNLOAD_SIZE = 20 * 1024 * 1024,
};

/* --- the page */

static void the_page_is_not_sent_to_who_has_it(void **state)
{
	int fd = dial();
	struct demo_answer_read first = ask(fd, "GET", "/", NULL);
	struct buffer fields = BUFFER_INIT;
	const char *tag = strstr(first.head.ptr, "ETag: ");
	struct demo_answer_read second, changed;

	(void)state;
	assert_int_equal(first.status, 200);
	expect_in(first.head.ptr, "Content-Type: text/html; charset=utf-8\r\n");
	expect_in(first.head.ptr, "Content-Security-Policy: default-src 'none';");
	expect_in(first.body.ptr, "href=\"/_inspector/\"");
	assert_non_null(tag);
	buffer_printf(&fields, "If-None-Match: \"other\", W/%.*s\r\n",
		(int)(strstr(tag, "\r\n") - tag - 6), tag + 6);
	*buffer_reserve(&fields, 1) = '\0';
	say_request(fd, "GET", "/", fields.ptr, NULL);
	second = read_answer(fd);
	assert_int_equal(second.status, 304);
	assert_non_null(strstr(second.head.ptr, "ETag: "));
	say_request(fd, "GET", "/", "If-None-Match: \"other\"\r\n", NULL);
	changed = read_answer(fd);
	assert_int_equal(changed.status, 200);
	drop(&first);
	drop(&second);
	drop(&changed);
	buffer_fini(&fields);
	close(fd);
}

static void every_file_of_the_page_is_served_as_it_is(void **state)
{
	int fd = dial();

	(void)state;
	assert_true(demo_assets_count > 3);
	for (size_t i = 0; i < demo_assets_count; i++) {
		const struct asset *asset = &demo_assets[i];
		char target[80];
		struct demo_answer_read answer;

		(void)snprintf(target, sizeof(target), "/%s", asset->name);
		answer = ask(fd, "GET", target, NULL);
		assert_int_equal(answer.status, 200);
		assert_int_equal(answer.body.len, asset->size);
		assert_memory_equal(answer.body.ptr, asset->bytes, asset->size);
		expect_in(answer.head.ptr, asset->content_type);
		drop(&answer);
	}
	assert_int_equal(status_of(fd, "GET", "/none.js", NULL), 404);
	close(fd);
}

/* --- documents and jobs */

static void who_i_am_never_changes(void **state)
{
	int fd = dial();
	struct demo_answer_read first = ask(fd, "GET", "/api/me", NULL);
	struct demo_answer_read second = ask(fd, "GET", "/api/me", NULL);

	(void)state;
	expect_in(first.body.ptr, "\"email\":\"ines@example.com\"");
	assert_string_equal(first.body.ptr, second.body.ptr);
	drop(&first);
	drop(&second);
	close(fd);
}

static void a_head_is_answered_without_a_body(void **state)
{
	int fd = dial();
	struct demo_answer_read answer;

	(void)state;
	say_request(fd, "HEAD", "/api/download/20MiB", "", NULL);
	answer = read_head(fd);
	assert_int_equal(length_of(&answer), DOWNLOAD_SIZE);
	drop(&answer);
	say_request(fd, "HEAD", "/api/events", "", NULL);
	answer = read_head(fd);
	drop(&answer);
	assert_int_equal(status_of(fd, "GET", "/api/me", NULL), 200); /* nothing lay between */
	close(fd);
}

static void a_job_lives_from_its_submission_to_its_removal(void **state)
{
	int fd = dial();
	struct demo_answer_read created = ask(fd, "POST", "/api/blast/jobs",
		"{\"name\":\"a \\u0022quoted\\u0022 one\",\"program\":\"blastx\",\"more\":[1,{}]}");
	struct demo_answer_read list = ask(fd, "GET", "/api/blast/jobs", NULL);
	char target[64];
	const char *location = strstr(created.head.ptr, "Location: ");

	(void)state;
	assert_int_equal(created.status, 201);
	assert_non_null(location);
	assert_int_equal(sscanf(location, "Location: %63s", target), 1);
	expect_in(created.body.ptr, "\"name\":\"a \\\"quoted\\\" one\",\"program\":\"blastx\"");
	expect_in(list.body.ptr, "a \\\"quoted\\\" one");
	assert_int_equal(status_of(fd, "GET", target, NULL), 200);
	assert_int_equal(status_of(fd, "DELETE", target, NULL), 204);
	assert_int_equal(status_of(fd, "GET", target, NULL), 404);
	assert_int_equal(status_of(fd, "DELETE", target, NULL), 404);
	drop(&created);
	drop(&list);
	close(fd);
}

static void a_job_that_makes_no_sense_is_refused(void **state)
{
	static const char too_long[] = "{\"name\":\"012345678901234567890123456789"
				       "012345678901234567890123456789012345678901234567890\"}";
	static const char *const bodies[] = {
		"",
		"name",
		"[]",
		"{\"name\":1}",
		"{\"name\":\"\"}",
		"{\"name\":\"x\"",
		"{\"name\":\"x\",\"program\":\"rm\"}",
		"{\"name\":\"x\",\"database\":null}",
		too_long,
	};
	int fd = dial();

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct demo_answer_read answer = ask(fd, "POST", "/api/blast/jobs", bodies[i]);

		assert_int_equal(answer.status, 400);
		expect_in(answer.head.ptr, "Content-Type: application/problem+json\r\n");
		expect_in(answer.body.ptr, "\"status\":400,\"detail\":\"");
		drop(&answer);
	}
	close(fd);
}

static void a_job_too_large_is_refused_before_it_has_come(void **state)
{
	int fd = dial();
	struct buffer part = BUFFER_INIT;
	struct demo_answer_read answer;

	(void)state;
	memset(buffer_reserve(&part, 20000), ' ', 20000);
	say(fd, "POST /api/blast/jobs HTTP/1.1\r\nHost: demo\r\nContent-Length: 1000000\r\n\r\n");
	say_bytes(fd, part.ptr, 20000);
	answer = read_answer(fd);
	assert_int_equal(answer.status, 413);
	expect_in(answer.head.ptr, "Connection: close\r\n");
	assert_true(ends(fd));
	drop(&answer);
	buffer_fini(&part);
	close(fd);
}

static void what_is_not_there_is_404_or_405(void **state)
{
	int fd = dial();
	struct demo_answer_read answer = ask(fd, "PUT", "/api/blast/jobs", "ignored");

	(void)state;
	assert_int_equal(answer.status, 405);
	expect_in(answer.head.ptr, "Allow: GET, HEAD, POST\r\n");
	drop(&answer);
	assert_int_equal(status_of(fd, "GET", "/api/metrics", NULL), 404);
	assert_int_equal(status_of(fd, "POST", "/api/x/y/z", "ignored"), 404);
	assert_int_equal(status_of(fd, "GET", "/api/clusters/prod-weu-1", NULL), 200);
	assert_int_equal(status_of(fd, "GET", "/api/clusters/none", NULL), 404);
	assert_int_equal(status_of(fd, "GET", "/api/clusters/a/b", NULL), 404);
	close(fd);
}

static void the_api_counts_its_calls_and_connections(void **state)
{
	int fd = dial();
	int other = dial();

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		(void)status_of(fd, "GET", "/api/monitor/aks", NULL);
	}
	(void)status_of(other, "GET", "/api/me", NULL);
	(void)status_of(fd, "GET", "/api/blast/jobs/job-1001", NULL);
	assert_int_equal(counted(fd, "GET /api/monitor/aks"), 3);
	assert_int_equal(counted(fd, "GET /api/me"), 1);
	assert_int_equal(counted(fd, "GET /api/blast/jobs/{id}"), 1);
	assert_int_equal(counted(fd, "connections"), 2);
	close(other);
	close(fd);
}

/* --- slow and failing */

/* True where somebody who asked later has the answer already, and the report is still to come. */
static bool overtakes_a_report(void)
{
	int slow = dial();
	int quick = dial();
	struct pollfd still_waits = {.fd = slow, .events = POLLIN};
	struct demo_answer_read answer;
	bool overtaken;

	say_request(slow, "GET", "/api/reports?year=2025", "", NULL);
	assert_int_equal(status_of(quick, "GET", "/api/me", NULL), 200);
	overtaken = poll(&still_waits, 1, 0) == 0;
	answer = read_answer(slow);
	assert_int_equal(answer.status, 200);
	expect_in(answer.body.ptr, "\"query\":\"year=2025\"");
	drop(&answer);
	close(slow);
	close(quick);
	return overtaken;
}

static void a_slow_report_holds_up_nobody(void **state)
{
	unsigned tries = 0;

	(void)state;
	while (!overtakes_a_report()) { /* this process may have been held up itself, once */
		assert_true(++tries < 5);
	}
}

static void a_failing_call_names_the_request(void **state)
{
	int fd = dial();
	struct demo_answer_read answer;

	(void)state;
	say_request(fd, "GET", "/api/billing/summary", "X-Request-ID: abc-1\r\n", NULL);
	answer = read_answer(fd);
	assert_int_equal(answer.status, 500);
	expect_in(answer.head.ptr, "Content-Type: application/problem+json\r\n");
	expect_in(answer.body.ptr, "\"request_id\":\"abc-1\"");
	drop(&answer);
	close(fd);
}

static void a_broken_export_is_a_close_without_an_answer(void **state)
{
	int fd = dial();

	(void)state;
	say_request(fd, "GET", "/api/legacy/export", "", NULL);
	assert_true(ends(fd));
	close(fd);
}

static void a_cut_archive_breaks_off_within_its_body(void **state)
{
	int fd = dial();
	struct demo_answer_read answer = ask(fd, "GET", "/api/legacy/archive", NULL);

	(void)state;
	assert_int_equal(answer.status, 200);
	assert_false(answer.whole);
	assert_true(answer.body.len > 0);
	drop(&answer);
	close(fd);
}

static void a_request_that_can_be_read_two_ways_is_refused(void **state)
{
	static const char two_lengths[] =
		"POST /api/upload HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
		"Transfer-Encoding: chunked\r\n\r\n";
	static const char *const requests[] = {
		"GET /api/me HTTP/1.1\r\n\r\n",
		"GET /api/me HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		two_lengths,
		"POST /api/upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
		"GET /api/me HTTP/1.1\nHost: a\n\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		int fd = dial();
		struct demo_answer_read answer;

		say(fd, requests[i]);
		say(fd, "GET /api/me HTTP/1.1\r\nHost: a\r\n\r\n");
		answer = read_answer(fd);
		assert_int_equal(answer.status, 400);
		assert_true(ends(fd)); /* and nothing more is answered */
		drop(&answer);
		close(fd);
	}
}

/* --- connections */

static void pipelined_requests_are_answered_in_order(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, "GET /api/billing/summary HTTP/1.1\r\nHost: a\r\n\r\n"
		"POST /api/upload HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
		"DELETE /api/blast/jobs/none HTTP/1.1\r\nHost: a\r\n\r\n"
		"GET /api/me HTTP/1.1\r\nHost: a\r\n\r\n");
	for (unsigned i = 0; i < 4; i++) {
		static const unsigned statuses[] = {500, 200, 404, 200};
		struct demo_answer_read answer = read_answer(fd);

		assert_int_equal(answer.status, statuses[i]);
		drop(&answer);
	}
	close(fd);
}

static void an_old_client_gets_a_body_up_to_the_close(void **state)
{
	int fd = dial();
	struct demo_answer_read answer;
	struct buffer text = BUFFER_INIT;

	(void)state;
	say(fd, "GET /api/events HTTP/1.0\r\n\r\n");
	answer = read_head(fd);
	expect_in(answer.head.ptr, "Connection: close\r\n");
	assert_null(strstr(answer.head.ptr, "Transfer-Encoding"));
	assert_true(read_until(fd, "\n\n", &text));
	assert_string_equal(text.ptr, "retry: 2000\n\n");
	drop(&answer);
	buffer_fini(&text);
	close(fd);
}

static void the_last_answer_of_a_connection_is_its_end(void **state)
{
	static const char *const requests[] = {
		"GET /api/me HTTP/1.0\r\n\r\n",
		"GET /api/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int fd = dial();
		struct demo_answer_read answer;

		say(fd, requests[i]);
		answer = read_answer(fd);
		assert_true(answer.whole);
		expect_in(answer.head.ptr, "Connection: close\r\n");
		assert_true(ends(fd));
		drop(&answer);
		close(fd);
	}
}

/* What was on its way to them would else be sent through freed memory, or to somebody else. */
static void who_leaves_is_forgotten(void **state)
{
	int fd = dial();
	int patient = dial();
	int reader = dial();
	int listener = dial();
	struct demo_answer_read answer;

	(void)state;
	say(reader, "GET /api/reports HTTP/1.1\r\nHost: a\r\n\r\n"
		    "GET /api/me HTTP/1.1\r\nHost: a\r\n\r\n");
	say_request(listener, "GET", "/api/events", "", NULL);
	while (counted(fd, "GET /api/reports") + counted(fd, "GET /api/events") < 2) {
	}
	say_request(patient, "GET", "/api/reports", "", NULL); /* due after the other one */
	close(reader);
	close(listener);
	while (counted(fd, "connections_open") > 2) {
	}
	assert_int_equal(status_of(fd, "POST", "/api/blast/jobs", "{\"name\":\"x\"}"), 201);
	answer = read_answer(patient);
	expect_in(answer.body.ptr, "\"reports\":[");
	assert_int_equal(status_of(fd, "DELETE", "/api/blast/jobs/none", NULL), 404);
	drop(&answer);
	close(patient);
	close(fd);
}

static void a_client_that_waits_for_100_is_told_to_go_on(void **state)
{
	int fd = dial();
	struct buffer interim = BUFFER_INIT;
	struct demo_answer_read answer;

	(void)state;
	say(fd, "PUT /api/upload HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
		"Content-Length: 2\r\n\r\n");
	assert_true(read_until(fd, "\r\n\r\n", &interim));
	assert_string_equal(interim.ptr, "HTTP/1.1 100 Continue\r\n\r\n");
	say(fd, "ok");
	answer = read_answer(fd);
	assert_int_equal(answer.status, 200);
	drop(&answer);
	buffer_fini(&interim);
	close(fd);
}

static void connections_of_every_kind_end_with_the_demo(void **state)
{
	static const char *const targets[] = {
		"/api/events", "/api/reports", "/api/download/20MiB", "/api/me"};
	int fds[6];
	int other = dial();

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		fds[i] = dial_narrow();
		say_request(fds[i], "GET", targets[i], "", NULL);
	}
	fds[4] = dial();
	say(fds[4], "POST /api/upload HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab");
	fds[5] = dial();
	say(fds[5], "GET /api/console HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
		    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
	while (counted(other, "GET /api/console") == 0 || counted(other, "POST /api/upload") == 0 ||
		counted(other, "GET /api/reports") == 0 || counted(other, "GET /api/events") == 0 ||
		counted(other, "most_queued_bytes") == 0) {
	}
	demo_fixture_stop();
	assert_true(ends(other));
	close(other);
	for (size_t i = 0; i < 6; i++) {
		close(fds[i]);
	}
}

#define API_TEST(name)                                                                             \
	cmocka_unit_test_setup_teardown(name, demo_fixture_setup, demo_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(the_page_is_not_sent_to_who_has_it),
		API_TEST(every_file_of_the_page_is_served_as_it_is),
		API_TEST(who_i_am_never_changes),
		API_TEST(a_head_is_answered_without_a_body),
		API_TEST(a_job_lives_from_its_submission_to_its_removal),
		API_TEST(a_job_that_makes_no_sense_is_refused),
		API_TEST(a_job_too_large_is_refused_before_it_has_come),
		API_TEST(what_is_not_there_is_404_or_405),
		API_TEST(the_api_counts_its_calls_and_connections),
		API_TEST(a_slow_report_holds_up_nobody),
		API_TEST(a_failing_call_names_the_request),
		API_TEST(a_broken_export_is_a_close_without_an_answer),
		API_TEST(a_cut_archive_breaks_off_within_its_body),
		API_TEST(a_request_that_can_be_read_two_ways_is_refused),
		API_TEST(pipelined_requests_are_answered_in_order),
		API_TEST(an_old_client_gets_a_body_up_to_the_close),
		API_TEST(the_last_answer_of_a_connection_is_its_end),
		API_TEST(who_leaves_is_forgotten),
		API_TEST(a_client_that_waits_for_100_is_told_to_go_on),
		API_TEST(connections_of_every_kind_end_with_the_demo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
