/*
 * For the unit tests of the demo. One job: see demo_fixture.h.
 */
#include "tests/unit/demo_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "demo/demo.h"

enum {
	TEST_SECONDS = 60, /* whoever waits longer waits in vain */
};

static struct demo *demo;

int demo_fixture_setup(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	alarm(TEST_SECONDS);
	demo = demo_start(&err);
	return demo == NULL;
}

int demo_fixture_teardown(void **state)
{
	(void)state;
	demo_fixture_stop();
	alarm(0);
	return 0;
}

void demo_fixture_stop(void)
{
	demo_stop(demo);
	demo = NULL;
}

/* --- a client that blocks */

static int dial_with(int receive_buffer)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(demo_port(demo)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (receive_buffer > 0) {
		(void)setsockopt(
			fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
	}
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

int dial(void)
{
	return dial_with(0);
}

int dial_narrow(void)
{
	return dial_with(4096);
}

void say_bytes(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);

		assert_true(sent > 0);
		at += sent;
		len -= (size_t)sent;
	}
}

void say(int fd, const char *text)
{
	say_bytes(fd, text, strlen(text));
}

/* One byte, or false at the end. A reset is an end too. */
static bool read_byte(int fd, char *byte)
{
	return recv(fd, byte, 1, 0) == 1;
}

bool ends(int fd)
{
	char byte;

	return !read_byte(fd, &byte);
}

/* Reads up to and with `mark`; what was read is appended to `out`, with a NUL behind it. */
bool read_until(int fd, const char *mark, struct buffer *out)
{
	size_t before = out->len;
	char byte;

	for (;;) {
		struct slice fresh = slice_of(out->ptr + before, out->len - before);

		if (fresh.len > 0 && slice_ends_with(fresh, slice_str(mark))) {
			*buffer_reserve(out, 1) = '\0';
			return true;
		}
		if (!read_byte(fd, &byte)) {
			*buffer_reserve(out, 1) = '\0';
			return false;
		}
		buffer_append_char(out, byte);
	}
}

static size_t read_some(int fd, size_t wanted, struct buffer *out)
{
	size_t got = 0;

	while (got < wanted) {
		char *room = buffer_reserve(out, wanted - got + 1);
		ssize_t count = recv(fd, room, wanted - got, 0);

		if (count <= 0) {
			break;
		}
		out->len += (size_t)count;
		got += (size_t)count;
	}
	*buffer_reserve(out, 1) = '\0';
	return got;
}

uint64_t length_of(const struct demo_answer_read *answer)
{
	const char *found = strstr(answer->head.ptr, "Content-Length: ");
	unsigned long long length = 0;

	assert_true(found == NULL || sscanf(found + 16, "%llu", &length) == 1);
	return length;
}

struct demo_answer_read read_head(int fd)
{
	struct demo_answer_read answer = {.head = BUFFER_INIT, .body = BUFFER_INIT};

	assert_true(read_until(fd, "\r\n\r\n", &answer.head));
	assert_int_equal(sscanf(answer.head.ptr, "HTTP/1.1 %u ", &answer.status), 1);
	return answer;
}

struct demo_answer_read read_answer(int fd)
{
	struct demo_answer_read answer = read_head(fd);
	uint64_t length = length_of(&answer);

	if (answer.status != 304) {
		answer.whole = read_some(fd, length, &answer.body) == length;
	}
	return answer;
}

void drop(struct demo_answer_read *answer)
{
	buffer_fini(&answer->head);
	buffer_fini(&answer->body);
}

void say_request(
	int fd, const char *method, const char *target, const char *fields, const char *body)
{
	struct buffer text = BUFFER_INIT;

	buffer_printf(&text, "%s %s HTTP/1.1\r\nHost: demo\r\n%s", method, target, fields);
	if (body != NULL) {
		buffer_printf(&text, "Content-Length: %zu\r\n", strlen(body));
	}
	buffer_printf(&text, "\r\n%s", body == NULL ? "" : body);
	say_bytes(fd, text.ptr, text.len);
	buffer_fini(&text);
}

struct demo_answer_read ask(int fd, const char *method, const char *target, const char *body)
{
	say_request(fd, method, target, "", body);
	return read_answer(fd);
}

unsigned status_of(int fd, const char *method, const char *target, const char *body)
{
	struct demo_answer_read answer = ask(fd, method, target, body);
	unsigned status = answer.status;

	assert_true(answer.whole);
	drop(&answer);
	return status;
}

void expect_in(const char *text, const char *part)
{
	if (strstr(text, part) == NULL) {
		fail_msg("\"%s\" is not in: %s", part, text);
	}
}

uint64_t counted(int fd, const char *name)
{
	struct demo_answer_read answer = ask(fd, "GET", "/api/_counters", NULL);
	char quoted[64];
	unsigned long long count;
	const char *found;

	(void)snprintf(quoted, sizeof(quoted), "\"%s\":", name);
	found = strstr(answer.body.ptr, quoted);
	assert_non_null(found);
	assert_int_equal(sscanf(found + strlen(quoted), "%llu", &count), 1);
	drop(&answer);
	return count;
}
