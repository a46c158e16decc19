/*
 * What of the sample API lasts: large bodies, the event log, the console.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <xxhash.h>

#include "tests/unit/demo_fixture.h"

enum {
	DOWNLOAD_SIZE = 20 * 1024 * 1024,
	PIECE_SIZE = 64 * 1024, /* what the download may have waiting, with its head */
	HEAD_SIZE = 512,
};

/* XXH3-128 of the download, made once by another implementation. */
#define DOWNLOAD_HASH "0d4430b5f608f929d858d7ad7a9ad038"

/* --- large bodies */

static void hash_hex(const void *bytes, size_t len, char out[static 33])
{
	XXH128_canonical_t hash;

	XXH128_canonicalFromHash(&hash, XXH3_128bits(bytes, len));
	for (size_t i = 0; i < sizeof(hash.digest); i++) {
		(void)snprintf(out + 2 * i, 3, "%02x", hash.digest[i]);
	}
}

static void who_does_not_read_a_download_has_one_piece_waiting(void **state)
{
	int slow = dial_narrow();
	int other = dial();
	struct demo_answer_read answer;
	char hash[33];

	(void)state;
	say_request(slow, "GET", "/api/download/20MiB", "", NULL);
	while (counted(other, "most_queued_bytes") == 0) { /* until it cannot go on */
	}
	answer = read_answer(slow);
	assert_true(answer.whole);
	assert_int_equal(answer.body.len, DOWNLOAD_SIZE);
	hash_hex(answer.body.ptr, answer.body.len, hash);
	assert_string_equal(hash, DOWNLOAD_HASH);
	assert_in_range(counted(other, "most_queued_bytes"), 1, PIECE_SIZE + HEAD_SIZE);
	drop(&answer);
	close(slow);
	close(other);
}

static void an_upload_is_counted_and_hashed(void **state)
{
	enum { SIZE = 3 * 1000 * 1000 };
	struct buffer body = BUFFER_INIT;
	struct buffer text = BUFFER_INIT;
	char expected[128];
	char hash[33];
	int fd = dial();

	(void)state;
	for (unsigned i = 0; i < SIZE; i++) {
		buffer_append_char(&body, (char)(i * 7 + i / 256));
	}
	hash_hex(body.ptr, body.len, hash);
	(void)snprintf(expected, sizeof(expected),
		"{\"size_bytes\":3000000,\"hash\":\"%s\",\"algorithm\":\"XXH3-128\"}\n", hash);
	for (unsigned chunked = 0; chunked < 2; chunked++) {
		struct demo_answer_read answer;

		buffer_clear(&text);
		if (chunked == 0) {
			buffer_printf(&text, "POST /api/upload HTTP/1.1\r\nHost: a\r\n"
					     "Content-Length: 3000000\r\n\r\n");
			buffer_append_slice(&text, buffer_slice(&body));
		} else {
			buffer_printf(&text, "PUT /api/upload HTTP/1.1\r\nHost: a\r\n"
					     "Transfer-Encoding: chunked\r\n\r\n");
			for (unsigned at = 0; at < SIZE; at += 1000) {
				buffer_printf(&text, "3e8\r\n");
				buffer_append(&text, body.ptr + at, 1000);
				buffer_printf(&text, "\r\n");
			}
			buffer_printf(&text, "0\r\n\r\n");
		}
		say_bytes(fd, text.ptr, text.len);
		answer = read_answer(fd);
		assert_int_equal(answer.status, 200);
		assert_string_equal(answer.body.ptr, expected);
		drop(&answer);
	}
	buffer_fini(&body);
	buffer_fini(&text);
	close(fd);
}

/* --- the event log */

static void a_submitted_job_is_told_of_as_an_event(void **state)
{
	int listener = dial();
	int fd = dial();
	struct buffer text = BUFFER_INIT;
	struct demo_answer_read head;

	(void)state;
	say_request(listener, "GET", "/api/events", "", NULL);
	head = read_head(listener);
	expect_in(head.head.ptr, "Content-Type: text/event-stream\r\n");
	expect_in(head.head.ptr, "Transfer-Encoding: chunked\r\n");
	assert_true(read_until(listener, "retry: 2000\n\n", &text));
	assert_int_equal(status_of(fd, "POST", "/api/blast/jobs", "{\"name\":\"told of\"}"), 201);
	assert_true(read_until(listener, "told of", &text));
	expect_in(text.ptr, "event: job\ndata: {\"time\":");
	drop(&head);
	buffer_fini(&text);
	close(listener);
	close(fd);
}

static void a_listener_that_comes_back_misses_nothing(void **state)
{
	int fd = dial();
	int listener = dial();
	struct buffer text = BUFFER_INIT;
	struct demo_answer_read head;

	(void)state;
	for (unsigned i = 0; i < 3; i++) { /* events 1 to 3, and whatever the clock adds */
		assert_int_equal(status_of(fd, "POST", "/api/blast/jobs", "{\"name\":\"x\"}"), 201);
	}
	say_request(listener, "GET", "/api/events", "Last-Event-ID: 1\r\n", NULL);
	head = read_head(listener);
	assert_true(read_until(listener, "id: 3\n", &text));
	expect_in(text.ptr, "id: 2\n");
	assert_null(strstr(text.ptr, "id: 1\n"));
	drop(&head);
	buffer_fini(&text);
	close(listener);
	close(fd);
}

/* --- the console */

static int open_console(void)
{
	int fd = dial();
	struct demo_answer_read answer;

	/* the example of RFC 6455 section 1.3 */
	say(fd, "GET /api/console HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
		"Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
	answer = read_head(fd);
	assert_int_equal(answer.status, 101);
	expect_in(answer.head.ptr, "Upgrade: websocket\r\n");
	expect_in(answer.head.ptr, "Connection: Upgrade\r\n");
	expect_in(answer.head.ptr, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
	drop(&answer);
	return fd;
}

static void the_console_gives_back_what_it_is_sent(void **state)
{
	/* masked by zeros, but for the first: RFC 6455 section 5.7 */
	static const char text[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
	static const char ping[] = "\x89\x82\0\0\0\0hi";
	static const char close_frame[] = "\x88\x82\0\0\0\0\x03\xe8";
	struct buffer out = BUFFER_INIT;
	int fd = open_console();

	(void)state;
	say_bytes(fd, text, sizeof(text) - 1);
	assert_true(read_until(fd, "\x81\x05Hello", &out));
	say_bytes(fd, ping, sizeof(ping) - 1);
	assert_true(read_until(fd, "\x8a\x02hi", &out));
	say_bytes(fd, close_frame, sizeof(close_frame) - 1);
	assert_true(read_until(fd, "\x88\x02\x03\xe8", &out));
	assert_true(ends(fd));
	buffer_fini(&out);
	close(fd);
}

static void the_console_closes_on_a_frame_that_breaks_the_rules(void **state)
{
	struct buffer out = BUFFER_INIT;
	int fd = open_console();

	(void)state;
	say_bytes(fd, "\x81\x01x", 3); /* not masked */
	assert_true(read_until(fd, "\x88\x02\x03\xea", &out));
	assert_true(ends(fd));
	buffer_fini(&out);
	close(fd);
}

static void a_console_without_a_handshake_is_426(void **state)
{
	int fd = dial();
	struct demo_answer_read answer;

	(void)state;
	say(fd, "GET /api/console HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: short\r\n\r\n");
	answer = read_answer(fd);
	assert_int_equal(answer.status, 426);
	drop(&answer);
	/* A body is no frames. */
	assert_int_equal(status_of(fd, "GET", "/api/console", "\x81\x80mask"), 426);
	close(fd);
}

#define API_TEST(name)                                                                             \
	cmocka_unit_test_setup_teardown(name, demo_fixture_setup, demo_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(who_does_not_read_a_download_has_one_piece_waiting),
		API_TEST(an_upload_is_counted_and_hashed),
		API_TEST(a_submitted_job_is_told_of_as_an_event),
		API_TEST(a_listener_that_comes_back_misses_nothing),
		API_TEST(the_console_gives_back_what_it_is_sent),
		API_TEST(the_console_closes_on_a_frame_that_breaks_the_rules),
		API_TEST(a_console_without_a_handshake_is_426),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
