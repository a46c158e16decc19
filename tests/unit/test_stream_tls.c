/*
 * A stream that speaks TLS, over TCP, against OpenSSL on a socket of the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/stream.h"
#include "tests/unit/tls_fixture.h"

enum {
	TEST_SECONDS = 60,        /* whoever waits longer waits in vain */
	SMALL_BUFFER = 16 * 1024, /* so that a socket is soon full */
	MUCH = 4 * 1024 * 1024,   /* more than any socket takes at once */
	TURNS = 20,               /* in which what is not to come would have come */
};

struct fixture {
	struct loop loop;
	uv_tcp_t listener;
	struct sockaddr_in address;
	struct tls_context *server;
	SSL_CTX *peer_context;
	int fd;    /* the other end, or -1 */
	SSL *peer; /* on it */

	struct stream stream;
	bool accepted;
	bool closed;
	struct buffer came; /* what `bytes` brought */
	char told[64];      /* a letter an event; of `bytes` the first alone */
	unsigned told_count;
	int status;                                      /* of `connected` or `failed` */
	void (*on_event)(struct fixture *f, char event); /* what the owner does about it */
	char *block;                                     /* MUCH bytes */
};

static struct pki pki; /* made once */

#define RUN_UNTIL(f, condition)                                                                    \
	while (!(condition)) {                                                                     \
		(void)uv_run(&(f)->loop.uv, UV_RUN_NOWAIT);                                        \
	}

/* --- the stream's owner */

static struct fixture *of_stream(struct stream *stream)
{
	return container_of(stream, struct fixture, stream);
}

static void tell(struct fixture *f, char event)
{
	if (event != 'B' || strchr(f->told, 'B') == NULL) {
		assert_true(f->told_count + 1 < sizeof(f->told));
		f->told[f->told_count++] = event;
	}
	assert_false(stream_closing(&f->stream)); /* nothing is told after the close */
	if (f->on_event != NULL) {
		f->on_event(f, event);
	}
}

static void on_connected(struct stream *stream, int status)
{
	of_stream(stream)->status = status;
	tell(of_stream(stream), 'c');
}

static void on_bytes(struct stream *stream, struct slice bytes)
{
	struct fixture *f = of_stream(stream);

	assert_true(bytes.len > 0);
	buffer_append_slice(&f->came, bytes);
	tell(f, 'B');
}

static void on_eof(struct stream *stream)
{
	tell(of_stream(stream), 'e');
}

static void on_failed(struct stream *stream, int status)
{
	of_stream(stream)->status = status;
	tell(of_stream(stream), 'f');
}

static void on_blocked(struct stream *stream)
{
	tell(of_stream(stream), 'b');
}

static void on_drained(struct stream *stream)
{
	tell(of_stream(stream), 'd');
}

static void on_secured(struct stream *stream)
{
	assert_true(tls_established(stream_tls(stream)));
	tell(of_stream(stream), 's');
}

static const struct stream_ops stream_ops = {
	.connected = on_connected,
	.bytes = on_bytes,
	.eof = on_eof,
	.failed = on_failed,
	.blocked = on_blocked,
	.drained = on_drained,
	.secured = on_secured,
};

static void on_closed(struct stream *stream)
{
	of_stream(stream)->closed = true;
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct fixture *f = listener->data;
	struct err err = ERR_INIT;

	assert_int_equal(status, 0);
	assert_int_equal(stream_accept(&f->stream, &f->loop, &stream_ops, listener, false), 0);
	assert_null(stream_tls(&f->stream));
	assert_int_equal(
		stream_secure(&f->stream, tls_open_server(f->server, &err), &err), ERR_NONE);
	f->accepted = true;
	loop_settle(&f->loop);
}

/* --- the peer */

/* Whether the other side has to do something first. */
static bool has_to_wait(const struct fixture *f, int result)
{
	int error = SSL_get_error(f->peer, result);

	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static void peer_connects(struct fixture *f)
{
	const int small = SMALL_BUFFER;

	f->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(f->fd >= 0);
	(void)setsockopt(f->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	assert_int_equal(
		connect(f->fd, (const struct sockaddr *)&f->address, sizeof(f->address)), 0);
	assert_int_equal(fcntl(f->fd, F_SETFL, O_NONBLOCK), 0);
	f->peer = SSL_new(f->peer_context);
	assert_non_null(f->peer);
	assert_int_equal(SSL_set_fd(f->peer, f->fd), 1);
	SSL_set_connect_state(f->peer);
	RUN_UNTIL(f, f->accepted);
}

/* Up to its last word: whether the stream has heard that is another matter. */
static void peer_shakes_hands(struct fixture *f)
{
	int result;

	while ((result = SSL_do_handshake(f->peer)) != 1) {
		assert_true(has_to_wait(f, result));
		(void)uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	}
}

static void peer_says(struct fixture *f, const char *bytes, size_t len)
{
	while (len > 0) {
		int part = SSL_write(f->peer, bytes, (int)len);

		if (part > 0) {
			bytes += part;
			len -= (size_t)part;
		} else {
			assert_true(has_to_wait(f, part));
			(void)uv_run(&f->loop.uv, UV_RUN_NOWAIT);
		}
	}
}

/* Exactly these bytes come next. */
static void peer_expects(struct fixture *f, const char *bytes, size_t len)
{
	char part[TLS_RECORD_MAX];
	size_t done = 0;

	while (done < len) {
		size_t left = len - done;
		int got = SSL_read(f->peer, part, (int)(left < sizeof(part) ? left : sizeof(part)));

		if (got > 0) {
			assert_memory_equal(part, bytes + done, (size_t)got);
			done += (size_t)got;
		} else {
			assert_true(has_to_wait(f, got));
			(void)uv_run(&f->loop.uv, UV_RUN_NOWAIT);
		}
	}
}

/* What is there, without waiting and as it is: as recv(). */
static ssize_t take_raw(struct fixture *f, char *out, size_t room)
{
	ssize_t got;

	do {
		(void)uv_run(&f->loop.uv, UV_RUN_NOWAIT);
		got = recv(f->fd, out, room, MSG_DONTWAIT);
	} while (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
	return got;
}

static void peer_expects_farewell(struct fixture *f)
{
	char byte;
	int got;

	while ((got = SSL_read(f->peer, &byte, 1)) <= 0 && has_to_wait(f, got)) {
		(void)uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	}
	assert_int_equal(SSL_get_error(f->peer, got), SSL_ERROR_ZERO_RETURN);
}

static void peer_expects_farewell_and_end(struct fixture *f)
{
	char byte;

	peer_expects_farewell(f);
	assert_int_equal(take_raw(f, &byte, 1), 0);
}

static void peer_expects_alert(struct fixture *f)
{
	char byte;
	int got;

	while ((got = SSL_read(f->peer, &byte, 1)) <= 0 && has_to_wait(f, got)) {
		(void)uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	}
	assert_int_equal(SSL_get_error(f->peer, got), SSL_ERROR_SSL);
	assert_true(ERR_GET_REASON(ERR_peek_last_error()) > SSL_AD_REASON_OFFSET);
	ERR_clear_error();
}

static void peer_resets(struct fixture *f)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	assert_int_equal(setsockopt(f->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	close(f->fd);
	f->fd = -1;
}

static void peer_goes(struct fixture *f)
{
	SSL_free(f->peer);
	f->peer = NULL;
	if (f->fd >= 0) {
		close(f->fd);
		f->fd = -1;
	}
	ERR_clear_error();
}

/* --- the fixture */

static void listen_here(struct fixture *f)
{
	int len = sizeof(f->address);

	f->address = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(uv_tcp_init(&f->loop.uv, &f->listener), 0);
	f->listener.data = f;
	assert_int_equal(uv_tcp_bind(&f->listener, (const struct sockaddr *)&f->address, 0), 0);
	assert_int_equal(uv_tcp_getsockname(&f->listener, (struct sockaddr *)&f->address, &len), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&f->listener, 16, on_connection), 0);
}

static struct fixture *create(void)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	alarm(TEST_SECONDS);
	f->fd = -1;
	f->block = mem_alloc(MUCH);
	for (size_t i = 0; i < MUCH; i++) {
		f->block[i] = (char)(i * 31 + (i >> 12));
	}
	f->server = server_context(&pki.server);
	f->peer_context = SSL_CTX_new(TLS_method());
	assert_non_null(f->peer_context);
	(void)SSL_CTX_set_mode(f->peer_context,
		SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	assert_int_equal(loop_init(&f->loop), 0);
	listen_here(f);
	return f;
}

static int setup_alone(void **state)
{
	*state = create();
	return 0;
}

/* A peer has connected, and no word was said. */
static int setup_connected(void **state)
{
	struct fixture *f = create();

	peer_connects(f);
	*state = f;
	return 0;
}

static void secure(struct fixture *f)
{
	peer_connects(f);
	peer_shakes_hands(f);
	RUN_UNTIL(f, strchr(f->told, 's') != NULL);
}

/* The handshake has ended on both sides. */
static int setup(void **state)
{
	struct fixture *f = create();

	secure(f);
	*state = f;
	return 0;
}

static int setup_12(void **state)
{
	struct fixture *f = create();

	(void)SSL_CTX_set_max_proto_version(f->peer_context, TLS1_2_VERSION);
	secure(f);
	*state = f;
	return 0;
}

static void close_stream(struct fixture *f)
{
	stream_close(&f->stream, on_closed);
	loop_settle(&f->loop);
	RUN_UNTIL(f, f->closed);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (f->stream.ops != NULL && !f->closed) {
		close_stream(f);
	}
	peer_goes(f);
	uv_close((uv_handle_t *)&f->listener, NULL);
	loop_run(&f->loop);
	loop_fini(&f->loop);
	SSL_CTX_free(f->peer_context);
	tls_context_release(f->server);
	buffer_fini(&f->came);
	mem_free(f->block);
	mem_free(f);
	alarm(0);
	return 0;
}

static int setup_all(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN); /* as the program does */
	pki_create(&pki);
	return 0;
}

static int teardown_all(void **state)
{
	(void)state;
	pki_destroy(&pki);
	return 0;
}

static void write_text(struct fixture *f, const char *text)
{
	stream_write(&f->stream, slice_str(text));
}

static void turn_a_few_times(struct fixture *f)
{
	for (int i = 0; i < TURNS; i++) {
		(void)uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	}
}

/* More than the socket takes: the stream is blocked afterwards. */
static void fill(struct fixture *f)
{
	stream_write(&f->stream, slice_of(f->block, MUCH));
	loop_settle(&f->loop);
	assert_true(stream_blocked(&f->stream));
}

static void expect_came(const struct fixture *f, const char *bytes, size_t len)
{
	assert_int_equal(f->came.len, len);
	assert_memory_equal(f->came.ptr, bytes, len);
}

/* --- the handshake */

static void secured_is_told_before_the_bytes_that_come_with_it(void **state)
{
	struct fixture *f = *state;

	peer_shakes_hands(f);
	assert_string_equal(f->told, "");
	peer_says(f, "hello", 5); /* behind its last word of the handshake, and in one read */
	RUN_UNTIL(f, f->came.len == 5);
	assert_string_equal(f->told, "sB");
	expect_came(f, "hello", 5);
	assert_null(stream_failure(&f->stream));
	assert_string_equal(tls_version_text(stream_tls(&f->stream)), "TLSv1.3");
}

static void answer_at_once(struct fixture *f, char event)
{
	if (event == 's') {
		write_text(f, "welcome");
	}
}

static void an_owner_may_write_from_within_secured(void **state)
{
	struct fixture *f = *state;

	f->on_event = answer_at_once;
	peer_shakes_hands(f);
	peer_expects(f, "welcome", 7);
}

static void tickets_let_the_peer_resume_its_session(void **state)
{
	struct fixture *f = *state;
	SSL_SESSION *session;

	write_text(f, "answer");
	loop_settle(&f->loop);
	peer_expects(f, "answer", 6); /* the tickets came before it */
	session = SSL_get1_session(f->peer);
	assert_int_equal(SSL_SESSION_is_resumable(session), 1);
	(void)SSL_shutdown(f->peer); /* else OpenSSL holds the session for spoilt */
	close_stream(f);
	peer_goes(f);
	f->accepted = false;
	f->closed = false;
	memset(f->told, 0, sizeof(f->told));
	f->told_count = 0;
	peer_connects(f);
	assert_int_equal(SSL_set_session(f->peer, session), 1);
	peer_shakes_hands(f);
	peer_says(f, "again", 5);
	RUN_UNTIL(f, f->came.len == 5);
	assert_true(SSL_session_reused(f->peer) == 1);
	assert_true(tls_resumed(stream_tls(&f->stream)));
	SSL_SESSION_free(session);
}

static void connect_and_secure(struct fixture *f, char event)
{
	struct tls_settings settings = trusting(&pki.ca);
	struct tls_context *context = client_context(&settings);
	struct err err = ERR_INIT;

	if (event == 'c') {
		assert_int_equal(
			stream_secure(&f->stream,
				tls_open_client(context, "localhost", NULL, TLS_NOW_US, &err),
				&err),
			ERR_NONE);
	}
	tls_context_release(context);
}

/* The stream connects; the peer takes the connection off the listener itself. */
static void a_stream_may_be_the_client(void **state)
{
	struct fixture *f = *state;
	uv_os_fd_t listening;

	assert_int_equal(uv_fileno((uv_handle_t *)&f->listener, &listening), 0);
	assert_int_equal(stream_connect_tcp(&f->stream, &f->loop, &stream_ops,
				 (const struct sockaddr *)&f->address),
		0);
	f->fd = accept(listening, NULL, NULL);
	assert_true(f->fd >= 0); /* before libuv looks */
	assert_int_equal(fcntl(f->fd, F_SETFL, O_NONBLOCK), 0);
	f->peer = SSL_new(tls_context_ssl(f->server));
	assert_int_equal(SSL_set_fd(f->peer, f->fd), 1);
	SSL_set_accept_state(f->peer);
	f->on_event = connect_and_secure;
	peer_shakes_hands(f);
	peer_says(f, "hello", 5);
	RUN_UNTIL(f, f->came.len == 5);
	assert_string_equal(f->told, "csB");
	write_text(f, "answer");
	loop_settle(&f->loop);
	peer_expects(f, "answer", 6);
}

/* --- data */

static void much_passes_both_ways(void **state)
{
	struct fixture *f = *state;

	peer_says(f, f->block, MUCH);
	RUN_UNTIL(f, f->came.len >= MUCH);
	expect_came(f, f->block, MUCH);
	fill(f);
	assert_true(stream_backlog_size(&f->stream) > 0);
	peer_expects(f, f->block, MUCH);
	RUN_UNTIL(f, strchr(f->told, 'd') != NULL);
	assert_string_equal(f->told, "sBbd");
	assert_false(stream_blocked(&f->stream));
}

static void what_is_written_behind_a_backlog_comes_behind_it(void **state)
{
	struct fixture *f = *state;

	fill(f);
	write_text(f, "one, ");
	loop_settle(&f->loop);
	write_text(f, "two");
	loop_settle(&f->loop);
	peer_expects(f, f->block, MUCH);
	peer_expects(f, "one, two", 8);
}

static void any_number_of_parts_keeps_its_order(void **state)
{
	struct fixture *f = *state;

	/* Backwards, so that no two lie side by side; of sizes that fill records and do not. */
	for (size_t i = 999; i > 0; i--) {
		stream_write(&f->stream, slice_of(f->block + i * 200, i % 7 == 0 ? 200 : i % 7));
	}
	stream_write(&f->stream, slice_of(f->block, MUCH / 2));
	loop_settle(&f->loop);
	for (size_t i = 999; i > 0; i--) {
		peer_expects(f, f->block + i * 200, i % 7 == 0 ? 200 : i % 7);
	}
	peer_expects(f, f->block, MUCH / 2);
}

static void what_a_turn_writes_leaves_as_one_record(void **state)
{
	struct fixture *f = *state;
	struct buffer raw = BUFFER_INIT;
	uint64_t before = f->stream.bytes_written;

	write_text(f, "head, ");
	write_text(f, "chunk, ");
	write_text(f, "end");
	assert_int_equal(f->stream.bytes_written, before); /* it waits for the end of the turn */
	loop_settle(&f->loop);
	peer_expects(f, "head, chunk, end", 16);
	write_text(f, "one, ");
	write_text(f, "two");
	loop_settle(&f->loop);
	raw.len = (size_t)take_raw(f, buffer_reserve(&raw, 1024), 1024);
	assert_int_equal(records_in(&raw), 1);
	buffer_fini(&raw);
}

static void nothing_comes_while_it_is_paused(void **state)
{
	struct fixture *f = *state;

	stream_pause(&f->stream);
	peer_says(f, "hello", 5);
	turn_a_few_times(f);
	assert_int_equal(f->came.len, 0);
	stream_resume(&f->stream);
	RUN_UNTIL(f, f->came.len == 5);
}

static void pause_it(struct fixture *f, char event)
{
	if (event == 'B') {
		stream_pause(&f->stream);
	}
}

/* What one read brought comes whole, the next one waits: nothing is left behind within TLS. */
static void a_pause_from_within_bytes_holds_the_next_ones_back(void **state)
{
	struct fixture *f = *state;
	size_t first;

	f->on_event = pause_it;
	peer_says(f, f->block, 8);
	RUN_UNTIL(f, f->came.len > 0);
	peer_says(f, f->block + 8, 1000);
	turn_a_few_times(f);
	first = f->came.len;
	assert_in_range(first, 1, 8);
	f->on_event = NULL;
	stream_resume(&f->stream);
	RUN_UNTIL(f, f->came.len == 1008);
	expect_came(f, f->block, 1008);
}

static void new_keys_are_taken_and_given(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(SSL_key_update(f->peer, SSL_KEY_UPDATE_REQUESTED), 1);
		peer_says(f, "q", 1);
		RUN_UNTIL(f, f->came.len == (size_t)i + 1);
		write_text(f, "answer");
		loop_settle(&f->loop);
		peer_expects(f, "answer", 6);
	}
	assert_string_equal(f->told, "sB");
}

/* --- the peer's end */

static void a_farewell_is_the_end_and_writing_goes_on(void **state)
{
	struct fixture *f = *state;

	peer_says(f, "last", 4);
	(void)SSL_shutdown(f->peer);
	RUN_UNTIL(f, strchr(f->told, 'e') != NULL);
	assert_string_equal(f->told, "sBe");
	expect_came(f, "last", 4);
	write_text(f, "still here");
	loop_settle(&f->loop);
	peer_expects(f, "still here", 10);
	assert_string_equal(f->told, "sBe");
}

/* As on a plain stream: who goes on reading behind the end is told of it again. */
static void the_sockets_end_behind_a_farewell_is_no_failure(void **state)
{
	struct fixture *f = *state;

	(void)SSL_shutdown(f->peer);
	shutdown(f->fd, SHUT_WR);
	RUN_UNTIL(f, strchr(f->told, 'e') != NULL);
	stream_resume(&f->stream);
	RUN_UNTIL(f, f->told_count == 3);
	assert_string_equal(f->told, "see");
	write_text(f, "still here");
	loop_settle(&f->loop);
	peer_expects(f, "still here", 10);
}

static void what_follows_a_farewell_counts_for_nothing(void **state)
{
	struct fixture *f = *state;

	(void)SSL_shutdown(f->peer);
	assert_int_equal(send(f->fd, "garbage", 7, 0), 7);
	RUN_UNTIL(f, strchr(f->told, 'e') != NULL);
	stream_resume(&f->stream);
	turn_a_few_times(f);
	assert_int_equal(f->came.len, 0);
	assert_null(strchr(f->told, 'f'));
}

static void an_end_without_a_farewell_is_a_failure(void **state)
{
	struct fixture *f = *state;

	peer_says(f, "half an ans", 11);
	shutdown(f->fd, SHUT_WR);
	RUN_UNTIL(f, strchr(f->told, 'f') != NULL);
	assert_string_equal(f->told, "sBf");
	assert_int_equal(f->status, UV_EOF);
	assert_null(stream_failure(&f->stream)); /* it is no matter of TLS alone */
	expect_came(f, "half an ans", 11);
}

static void an_end_within_the_handshake_is_a_failure(void **state)
{
	struct fixture *f = *state;

	(void)SSL_do_handshake(f->peer);
	shutdown(f->fd, SHUT_WR);
	RUN_UNTIL(f, f->told_count > 0);
	assert_string_equal(f->told, "f");
	assert_int_equal(f->status, UV_EOF);
}

static void a_reset_is_a_failure_and_told_once(void **state)
{
	struct fixture *f = *state;

	peer_resets(f);
	RUN_UNTIL(f, strchr(f->told, 'f') != NULL);
	write_text(f, "into the void");
	loop_settle(&f->loop);
	stream_resume(&f->stream);
	turn_a_few_times(f);
	assert_string_equal(f->told, "sf");
	assert_int_equal(f->status, UV_ECONNRESET);
}

/* --- what is no TLS */

static void expect_broken(struct fixture *f, const char *told, const char *why)
{
	RUN_UNTIL(f, strchr(f->told, 'f') != NULL);
	assert_string_equal(f->told, told);
	assert_int_equal(f->status, UV_EPROTO);
	assert_non_null(stream_failure(&f->stream));
	assert_int_equal(stream_failure(&f->stream)->code, ERR_TLS);
	expect_err(stream_failure(&f->stream), why);
}

static void who_speaks_no_tls_is_a_failure_with_a_reason(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(send(f->fd, "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
	expect_broken(f, "f", "speaks no TLS");
}

static void make_plain(struct fixture *f, char event)
{
	if (event == 'f') {
		assert_int_equal(tls_heard_instead(stream_tls(&f->stream)), 'G');
		stream_unsecure(&f->stream);
		assert_null(stream_tls(&f->stream));
		write_text(f, "in clear text");
		stream_resume(&f->stream);
	}
}

static void with_who_speaks_no_tls_it_may_go_on_in_clear_text(void **state)
{
	struct fixture *f = *state;
	char heard[32];

	f->on_event = make_plain;
	assert_int_equal(send(f->fd, "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
	RUN_UNTIL(f, strchr(f->told, 'f') != NULL);
	assert_int_equal(take_raw(f, heard, sizeof(heard)), 13);
	assert_memory_equal(heard, "in clear text", 13);
	assert_int_equal(send(f->fd, "more", 4, 0), 4);
	RUN_UNTIL(f, f->came.len == 4);
	expect_came(f, "more", 4);
	assert_string_equal(f->told, "fB");
}

static void who_speaks_tls_is_not_taken_for_another(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(tls_heard_instead(stream_tls(&f->stream)), -1);
	peer_shakes_hands(f);
	RUN_UNTIL(f, f->told_count > 0);
	assert_int_equal(tls_heard_instead(stream_tls(&f->stream)), -1);
}

static void garbage_among_the_records_is_a_failure_with_a_reason(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(send(f->fd, "\x17\x03\x03\x00\x20", 5, 0), 5);
	assert_int_equal(send(f->fd, f->block, 0x20, 0), 0x20);
	expect_broken(f, "sf", "TLS failed");
	peer_expects_alert(f);
	write_text(f, "into the void");
	loop_settle(&f->loop);
	stream_resume(&f->stream);
	assert_int_equal(send(f->fd, f->block, 100, 0), 100);
	turn_a_few_times(f);
	assert_string_equal(f->told, "sf");
}

static void text_before_the_garbage_still_comes(void **state)
{
	struct fixture *f = *state;

	stream_pause(&f->stream); /* so that both are one read */
	peer_says(f, "hello", 5);
	assert_int_equal(send(f->fd, "\x17\x03\x03\x00\x20", 5, 0), 5);
	assert_int_equal(send(f->fd, f->block, 0x20, 0), 0x20);
	stream_resume(&f->stream);
	expect_broken(f, "sBf", "TLS failed");
	expect_came(f, "hello", 5);
}

/* --- the end of our side */

static void an_end_comes_behind_what_was_written_and_the_farewell(void **state)
{
	struct fixture *f = *state;

	write_text(f, "bye");
	stream_shutdown(&f->stream);
	stream_shutdown(&f->stream); /* harmless */
	write_text(f, " and more");
	loop_settle(&f->loop);
	write_text(f, " and more");
	loop_settle(&f->loop);
	peer_expects(f, "bye", 3);
	peer_expects_farewell_and_end(f);
	peer_says(f, "hello", 5); /* the other direction is open */
	RUN_UNTIL(f, f->came.len == 5);
}

static void an_end_comes_behind_a_backlog(void **state)
{
	struct fixture *f = *state;

	fill(f);
	stream_shutdown(&f->stream);
	loop_settle(&f->loop);
	peer_expects(f, f->block, MUCH);
	peer_expects_farewell_and_end(f);
}

static void a_close_says_what_was_written_and_the_farewell(void **state)
{
	struct fixture *f = *state;

	write_text(f, "last words");
	close_stream(f);
	peer_expects(f, "last words", 10);
	peer_expects_farewell_and_end(f);
}

static void a_close_says_farewell_where_nothing_was_written(void **state)
{
	struct fixture *f = *state;

	close_stream(f);
	peer_expects_farewell_and_end(f);
}

static void a_close_behind_a_shutdown_says_farewell_once(void **state)
{
	struct fixture *f = *state;
	struct buffer raw = BUFFER_INIT;
	ssize_t got;

	write_text(f, "answer");
	loop_settle(&f->loop);
	peer_expects(f, "answer", 6); /* and the tickets before it */
	stream_shutdown(&f->stream);
	loop_settle(&f->loop);
	close_stream(f);
	do {
		got = take_raw(f, buffer_reserve(&raw, 1024), 1024);
		raw.len += got > 0 ? (size_t)got : 0;
	} while (got > 0);
	assert_int_equal(got, 0);
	assert_int_equal(records_in(&raw), 1);
	buffer_fini(&raw);
}

static void a_close_within_the_handshake_says_nothing(void **state)
{
	struct fixture *f = *state;
	char byte;

	close_stream(f);
	assert_int_equal(take_raw(f, &byte, 1), 0);
	assert_string_equal(f->told, "");
}

static void a_reset_of_ours_says_neither(void **state)
{
	struct fixture *f = *state;
	char byte;

	write_text(f, "sent");
	loop_settle(&f->loop);
	peer_expects(f, "sent", 4);
	write_text(f, "not sent");
	stream_reset(&f->stream, on_closed);
	loop_settle(&f->loop);
	RUN_UNTIL(f, f->closed);
	assert_int_equal(take_raw(f, &byte, 1), -1);
	assert_int_equal(errno, ECONNRESET);
}

/* --- closing from within events */

static char closes_at;

static void write_and_close(struct fixture *f, char event)
{
	if (event == closes_at) {
		write_text(f, "bye");
		stream_close(&f->stream, on_closed);
		stream_write(&f->stream, SLICE("dropped")); /* harmless */
		stream_shutdown(&f->stream);
		stream_resume(&f->stream);
	}
}

/* The event comes about; more of the peer's is in the same read, and must not be told of. */
static void bring_about(struct fixture *f, char event)
{
	if (event == 's') {
		peer_shakes_hands(f);
		peer_says(f, "early", 5);
		(void)SSL_shutdown(f->peer);
		return;
	}
	peer_shakes_hands(f);
	RUN_UNTIL(f, strchr(f->told, 's') != NULL);
	switch (event) {
	case 'B':
		stream_pause(&f->stream);
		peer_says(f, "hello", 5);
		(void)SSL_shutdown(f->peer);
		stream_resume(&f->stream);
		break;
	case 'e':
		(void)SSL_shutdown(f->peer);
		break;
	case 'f':
		assert_int_equal(send(f->fd, "\x17\x03\x03\x00\x01x", 6, 0), 6);
		break;
	default:
		stream_write(&f->stream, slice_of(f->block, MUCH));
		loop_settle(&f->loop);
		break;
	}
	if (event == 'd') {
		peer_expects(f, f->block, MUCH);
	}
}

static void it_may_be_closed_from_within_any_event(void **state)
{
	struct fixture *f = *state;

	for (const char *event = "sBebdf"; *event != '\0'; event++) {
		closes_at = *event;
		f->on_event = write_and_close;
		bring_about(f, *event);
		RUN_UNTIL(f, f->closed);
		assert_int_equal(f->told[f->told_count - 1], *event);
		if (*event == 's' || *event == 'e' || *event == 'd') {
			peer_expects(f, "bye", 3);
			peer_expects_farewell(f);
		}
		/* And the next one. */
		peer_goes(f);
		f->closed = false;
		f->accepted = false;
		f->on_event = NULL;
		memset(f->told, 0, sizeof(f->told));
		f->told_count = 0;
		peer_connects(f);
	}
}

static void reset_it(struct fixture *f, char event)
{
	if (event == closes_at) {
		stream_reset(&f->stream, on_closed);
	}
}

static void it_may_be_reset_from_within_secured_and_bytes(void **state)
{
	struct fixture *f = *state;

	for (const char *event = "sB"; *event != '\0'; event++) {
		closes_at = *event;
		f->on_event = reset_it;
		bring_about(f, *event);
		RUN_UNTIL(f, f->closed);
		peer_goes(f);
		f->closed = false;
		f->accepted = false;
		f->on_event = NULL;
		memset(f->told, 0, sizeof(f->told));
		f->told_count = 0;
		peer_connects(f);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_12(function)                                                                          \
	{                                                                                          \
		.name = #function " (TLS 1.2)", .test_func = function, .setup_func = setup_12,     \
		.teardown_func = teardown                                                          \
	}
#define BOTH(name) TEST(name), TEST_12(name)
#define CONNECTED(name) cmocka_unit_test_setup_teardown(name, setup_connected, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONNECTED(secured_is_told_before_the_bytes_that_come_with_it),
		CONNECTED(an_owner_may_write_from_within_secured),
		BOTH(tickets_let_the_peer_resume_its_session),
		cmocka_unit_test_setup_teardown(a_stream_may_be_the_client, setup_alone, teardown),
		BOTH(much_passes_both_ways),
		TEST(what_is_written_behind_a_backlog_comes_behind_it),
		BOTH(any_number_of_parts_keeps_its_order),
		TEST(what_a_turn_writes_leaves_as_one_record),
		TEST(nothing_comes_while_it_is_paused),
		TEST(a_pause_from_within_bytes_holds_the_next_ones_back),
		TEST(new_keys_are_taken_and_given),
		BOTH(a_farewell_is_the_end_and_writing_goes_on),
		BOTH(the_sockets_end_behind_a_farewell_is_no_failure),
		TEST(what_follows_a_farewell_counts_for_nothing),
		BOTH(an_end_without_a_farewell_is_a_failure),
		CONNECTED(an_end_within_the_handshake_is_a_failure),
		TEST(a_reset_is_a_failure_and_told_once),
		CONNECTED(who_speaks_no_tls_is_a_failure_with_a_reason),
		CONNECTED(with_who_speaks_no_tls_it_may_go_on_in_clear_text),
		CONNECTED(who_speaks_tls_is_not_taken_for_another),
		BOTH(garbage_among_the_records_is_a_failure_with_a_reason),
		TEST(text_before_the_garbage_still_comes),
		BOTH(an_end_comes_behind_what_was_written_and_the_farewell),
		TEST(an_end_comes_behind_a_backlog),
		BOTH(a_close_says_what_was_written_and_the_farewell),
		TEST(a_close_says_farewell_where_nothing_was_written),
		TEST(a_close_behind_a_shutdown_says_farewell_once),
		CONNECTED(a_close_within_the_handshake_says_nothing),
		BOTH(a_reset_of_ours_says_neither),
		CONNECTED(it_may_be_closed_from_within_any_event),
		CONNECTED(it_may_be_reset_from_within_secured_and_bytes),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
