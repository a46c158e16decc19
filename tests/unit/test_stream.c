/*
 * A stream against a peer that the test plays with the system's own calls: a plain socket, over TCP
 * or a unix socket.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/stream.h"
#include "segments.h"

enum {
	TEST_SECONDS = 60,        /* whoever waits longer waits in vain */
	SMALL_BUFFER = 16 * 1024, /* so that a socket is soon full */
	MUCH = 16 * 1024 * 1024,  /* more than any socket takes at once */
	SOME = 1024 * 1024,
};

struct fixture {
	struct loop loop;
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} listener;
	bool is_unix;
	char directory[64]; /* of the unix socket */
	struct sockaddr_storage address;
	socklen_t address_len;
	int peer; /* the other end, or -1 */

	struct stream stream;
	bool accepted;
	bool closed;
	struct buffer came; /* what `bytes` brought */
	size_t reads[8];    /* how much at once, at first */
	unsigned read_count;
	char told[64]; /* a letter an event, but for `bytes` */
	unsigned told_count;
	int status;                                      /* of `connected` or `failed` */
	void (*on_event)(struct fixture *f, char event); /* what the owner does about it */
	char *block;                                     /* MUCH bytes */
};

/* --- the stream's owner */

static struct fixture *of_stream(struct stream *stream)
{
	return container_of(stream, struct fixture, stream);
}

static void tell(struct fixture *f, char event)
{
	if (event != 'B') {
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
	assert_ptr_equal(bytes.ptr, f->loop.read_buffer);
	buffer_append_slice(&f->came, bytes);
	if (f->read_count < sizeof(f->reads) / sizeof(f->reads[0])) {
		f->reads[f->read_count++] = bytes.len;
	}
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
	assert_true(stream_blocked(stream));
	tell(of_stream(stream), 'b');
}

static void on_drained(struct stream *stream)
{
	assert_false(stream_blocked(stream));
	tell(of_stream(stream), 'd');
}

static const struct stream_ops stream_ops = {
	.connected = on_connected,
	.bytes = on_bytes,
	.eof = on_eof,
	.failed = on_failed,
	.blocked = on_blocked,
	.drained = on_drained,
};

static void on_closed(struct stream *stream)
{
	of_stream(stream)->closed = true;
}

/* --- the fixture */

#define RUN_UNTIL(f, condition)                                                                    \
	while (!(condition)) {                                                                     \
		(void)uv_run(&(f)->loop.uv, UV_RUN_NOWAIT);                                        \
	}

static void on_connection(uv_stream_t *listener, int status)
{
	struct fixture *f = listener->data;

	assert_int_equal(status, 0);
	assert_int_equal(stream_accept(&f->stream, &f->loop, &stream_ops, listener, f->is_unix), 0);
	f->accepted = true;
	loop_settle(&f->loop);
}

static struct fixture *create(bool is_unix)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	alarm(TEST_SECONDS);
	f->is_unix = is_unix;
	f->peer = -1;
	f->block = mem_alloc(MUCH);
	for (size_t i = 0; i < MUCH; i++) {
		f->block[i] = (char)(i * 31 + (i >> 12));
	}
	assert_int_equal(loop_init(&f->loop), 0);
	f->listener.handle.data = NULL;
	if (is_unix) {
		struct sockaddr_un *address = (struct sockaddr_un *)(void *)&f->address;

		(void)snprintf(f->directory, sizeof(f->directory), "/tmp/stream-XXXXXX");
		assert_non_null(mkdtemp(f->directory));
		address->sun_family = AF_UNIX;
		(void)snprintf(address->sun_path, sizeof(address->sun_path), "%s/s", f->directory);
		f->address_len = sizeof(*address);
		assert_int_equal(uv_pipe_init(&f->loop.uv, &f->listener.pipe, 0), 0);
		assert_int_equal(uv_pipe_bind(&f->listener.pipe, address->sun_path), 0);
	} else {
		struct sockaddr_in *address = (struct sockaddr_in *)(void *)&f->address;
		int len = sizeof(f->address);

		address->sin_family = AF_INET;
		address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		assert_int_equal(uv_tcp_init(&f->loop.uv, &f->listener.tcp), 0);
		assert_int_equal(
			uv_tcp_bind(&f->listener.tcp, (const struct sockaddr *)&f->address, 0), 0);
		assert_int_equal(
			uv_tcp_getsockname(&f->listener.tcp, (struct sockaddr *)&f->address, &len),
			0);
		f->address_len = (socklen_t)len;
	}
	f->listener.handle.data = f;
	assert_int_equal(uv_listen(&f->listener.stream, 16, on_connection), 0);
	return f;
}

/* A peer has connected, and the stream is accepted. */
static void connect_peer(struct fixture *f)
{
	const int small = SMALL_BUFFER;

	f->peer = socket(f->is_unix ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
	assert_true(f->peer >= 0);
	(void)setsockopt(f->peer, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	assert_int_equal(connect(f->peer, (const struct sockaddr *)&f->address, f->address_len), 0);
	RUN_UNTIL(f, f->accepted);
}

static int setup(void **state)
{
	struct fixture *f = create(false);

	connect_peer(f);
	*state = f;
	return 0;
}

static int setup_unix(void **state)
{
	struct fixture *f = create(true);

	connect_peer(f);
	*state = f;
	return 0;
}

static int setup_alone(void **state)
{
	*state = create(false);
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
		if (!stream_closing(&f->stream)) {
			stream_close(&f->stream, on_closed);
			loop_settle(&f->loop);
		}
		RUN_UNTIL(f, f->closed);
	}
	uv_close(&f->listener.handle, NULL);
	loop_run(&f->loop);
	loop_fini(&f->loop);
	if (f->peer >= 0) {
		close(f->peer);
	}
	if (f->directory[0] != '\0') {
		(void)rmdir(f->directory);
	}
	buffer_fini(&f->came);
	mem_free(f->block);
	mem_free(f);
	alarm(0);
	return 0;
}

/* --- the peer */

static void peer_send(struct fixture *f, const void *bytes, size_t len)
{
	assert_int_equal(send(f->peer, bytes, len, 0), len);
}

/* What is there, without waiting: as recv(). */
static ssize_t peer_take(struct fixture *f, char *out, size_t room)
{
	(void)uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	return recv(f->peer, out, room, MSG_DONTWAIT);
}

static bool would_block(ssize_t got)
{
	return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* Exactly these bytes come next. */
static void peer_expects(struct fixture *f, const char *bytes, size_t len)
{
	char *part = mem_alloc(SOME);
	size_t done = 0;

	while (done < len) {
		ssize_t got = peer_take(f, part, len - done < SOME ? len - done : SOME);

		if (would_block(got)) {
			continue;
		}
		assert_true(got > 0);
		assert_memory_equal(part, bytes + done, (size_t)got);
		done += (size_t)got;
	}
	mem_free(part);
}

static void peer_expects_end(struct fixture *f)
{
	char byte;
	ssize_t got;

	do {
		got = peer_take(f, &byte, 1);
	} while (would_block(got));
	assert_int_equal(got, 0);
}

/* Takes and forgets what comes; how it ended: 0, or an errno. */
static int peer_to_the_end(struct fixture *f, size_t *count)
{
	char *part = mem_alloc(SOME);
	ssize_t got;

	*count = 0;
	for (;;) {
		got = peer_take(f, part, SOME);
		if (got > 0) {
			*count += (size_t)got;
		} else if (!would_block(got)) {
			break;
		}
	}
	mem_free(part);
	return got == 0 ? 0 : errno;
}

static void peer_closes(struct fixture *f)
{
	close(f->peer);
	f->peer = -1;
}

static void peer_resets(struct fixture *f)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	assert_int_equal(setsockopt(f->peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	peer_closes(f);
}

static void write_text(struct fixture *f, const char *text)
{
	stream_write(&f->stream, slice_str(text));
}

/* More than the socket takes: the stream is blocked afterwards. */
static void fill(struct fixture *f)
{
	stream_write(&f->stream, slice_of(f->block, MUCH));
	loop_settle(&f->loop);
	assert_true(stream_blocked(&f->stream));
}

/* --- reading */

static void what_the_peer_sends_comes(void **state)
{
	struct fixture *f = *state;

	peer_send(f, "hello", 5);
	RUN_UNTIL(f, f->came.len == 5);
	assert_memory_equal(f->came.ptr, "hello", 5);
	assert_int_equal(f->stream.bytes_read, 5);
	assert_string_equal(f->told, "");
}

static void nothing_comes_while_it_is_paused(void **state)
{
	struct fixture *f = *state;

	stream_pause(&f->stream);
	stream_pause(&f->stream); /* harmless */
	peer_send(f, "hello", 5);
	for (int i = 0; i < 10; i++) {
		(void)uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	}
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

static void a_pause_from_within_bytes_holds_the_next_ones_back(void **state)
{
	struct fixture *f = *state;

	f->on_event = pause_it;
	assert_int_equal(send(f->peer, f->block, LOOP_READ_BUFFER_SIZE + 1000, 0),
		LOOP_READ_BUFFER_SIZE + 1000);
	RUN_UNTIL(f, f->came.len > 0);
	for (int i = 0; i < 10; i++) {
		(void)uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	}
	assert_in_range(f->came.len, 1, LOOP_READ_BUFFER_SIZE);
	f->on_event = NULL;
	stream_resume(&f->stream);
	RUN_UNTIL(f, f->came.len == LOOP_READ_BUFFER_SIZE + 1000);
	assert_memory_equal(f->came.ptr, f->block, f->came.len);
}

/* Over a unix socket, where what was sent is there to be read at once. */
static void where_a_read_was_full_the_next_ones_are_shorter(void **state)
{
	struct fixture *f = *state;
	const int room = SOME;
	const ssize_t size = LOOP_READ_BUFFER_SIZE + LOOP_READ_ON_SIZE + 1000;

	stream_pause(&f->stream);
	assert_int_equal(setsockopt(f->peer, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
	assert_int_equal(send(f->peer, f->block, (size_t)size, MSG_DONTWAIT), size);
	stream_resume(&f->stream);
	RUN_UNTIL(f, f->came.len == (size_t)size);
	assert_int_equal(f->read_count, 3);
	assert_int_equal(f->reads[0], LOOP_READ_BUFFER_SIZE);
	assert_int_equal(f->reads[1], LOOP_READ_ON_SIZE);
	stream_pause(&f->stream); /* and once one was not full, there is room again */
	assert_int_equal(send(f->peer, f->block, LOOP_READ_BUFFER_SIZE, MSG_DONTWAIT),
		LOOP_READ_BUFFER_SIZE);
	stream_resume(&f->stream);
	RUN_UNTIL(f, f->read_count > 3);
	assert_int_equal(f->reads[3], LOOP_READ_BUFFER_SIZE);
}

static void the_peers_end_is_told_and_writing_goes_on(void **state)
{
	struct fixture *f = *state;

	peer_send(f, "last", 4);
	shutdown(f->peer, SHUT_WR);
	RUN_UNTIL(f, f->told_count > 0);
	assert_string_equal(f->told, "e");
	assert_int_equal(f->came.len, 4);
	write_text(f, "still here");
	loop_settle(&f->loop);
	peer_expects(f, "still here", 10);
	assert_string_equal(f->told, "e");
}

static void a_reset_is_a_failure_and_told_once(void **state)
{
	struct fixture *f = *state;

	peer_resets(f);
	RUN_UNTIL(f, f->told_count > 0);
	write_text(f, "into the void");
	loop_settle(&f->loop);
	stream_resume(&f->stream);
	for (int i = 0; i < 10; i++) {
		(void)uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	}
	assert_string_equal(f->told, "f");
	assert_int_equal(f->status, UV_ECONNRESET);
}

static void a_reset_right_behind_bytes_is_no_end(void **state)
{
	struct fixture *f = *state;

	peer_send(f, "half an ans", 11);
	peer_resets(f);
	RUN_UNTIL(f, f->told_count > 0);
	assert_int_equal(f->came.len, 11);
	assert_string_equal(f->told, "f");
	assert_int_equal(f->status, UV_ECONNRESET);
}

/* --- writing */

static void what_is_written_in_one_turn_leaves_together(void **state)
{
	struct fixture *f = *state;
	uint32_t segments;

	write_text(f, "head, ");
	write_text(f, "chunk, ");
	write_text(f, "");
	write_text(f, "end");
	assert_int_equal(f->stream.bytes_written, 0); /* it waits for the end of the turn */
	loop_settle(&f->loop);
	assert_int_equal(f->stream.bytes_written, 16);
	peer_expects(f, "head, chunk, end", 16);
	if (segments_received(f->peer, &segments)) {
		assert_int_equal(segments, 1);
	}
	write_text(f, "a turn ");
	loop_settle(&f->loop);
	write_text(f, "each");
	loop_settle(&f->loop);
	peer_expects(f, "a turn each", 11);
	if (segments_received(f->peer, &segments)) {
		assert_int_equal(segments, 3);
	}
}

static void any_number_of_parts_keeps_its_order(void **state)
{
	struct fixture *f = *state;

	/* Backwards, so that no two lie side by side. */
	for (int i = 999; i >= 0; i--) {
		stream_write(&f->stream, slice_of(f->block + i, 1));
	}
	/* And these do. */
	for (int i = 0; i < 1000; i++) {
		stream_write(&f->stream, slice_of(f->block + i, 1));
	}
	loop_settle(&f->loop);
	for (int i = 999; i >= 0; i--) {
		peer_expects(f, f->block + i, 1);
	}
	peer_expects(f, f->block, 1000);
	assert_string_equal(f->told, "");
}

enum {
	OLD_HEAD = 100, /* of what was read; the rest is the body that goes on */
	ANSWERED = 10000,
};

/* Answers with a head of our own, longer by `longer` than what stood before the body, and the body
 * as it was read. */
static void answer_with_head(struct fixture *f, size_t longer)
{
	assert_int_equal(f->came.len, ANSWERED); /* it came at once */
	f->on_event = NULL;
	stream_write(&f->stream, slice_of(f->block + SOME, OLD_HEAD + longer));
	stream_write(&f->stream, slice_of(f->loop.read_buffer + OLD_HEAD, ANSWERED - OLD_HEAD));
}

static void answer_with_a_head_that_fits(struct fixture *f, char event)
{
	assert_int_equal(event, 'B');
	answer_with_head(f, LOOP_HEADROOM_SIZE);
}

static void answer_with_a_head_that_does_not(struct fixture *f, char event)
{
	assert_int_equal(event, 'B');
	answer_with_head(f, LOOP_HEADROOM_SIZE + 1);
}

static void check_head_before_body(
	struct fixture *f, void (*answer)(struct fixture *f, char event), size_t longer)
{
	f->on_event = answer;
	peer_send(f, f->block, ANSWERED);
	peer_expects(f, f->block + SOME, OLD_HEAD + longer);
	peer_expects(f, f->block + OLD_HEAD, ANSWERED - OLD_HEAD);
}

static void a_head_that_has_room_before_its_body_leaves_before_it(void **state)
{
	check_head_before_body(*state, answer_with_a_head_that_fits, LOOP_HEADROOM_SIZE);
}

static void a_head_that_has_no_room_before_its_body_leaves_before_it(void **state)
{
	check_head_before_body(*state, answer_with_a_head_that_does_not, LOOP_HEADROOM_SIZE + 1);
}

static void what_the_socket_does_not_take_is_copied_and_follows(void **state)
{
	struct fixture *f = *state;
	char *borrowed = mem_alloc(MUCH);

	memcpy(borrowed, f->block, MUCH);
	stream_write(&f->stream, slice_of(borrowed, 10));
	stream_write(&f->stream, slice_of(borrowed + 10, MUCH - 10));
	loop_settle(&f->loop);
	mem_free(borrowed); /* the turn is over */
	assert_string_equal(f->told, "b");
	assert_true(stream_backlog_size(&f->stream) > 0);
	peer_expects(f, f->block, MUCH);
	RUN_UNTIL(f, f->told_count == 2);
	assert_string_equal(f->told, "bd");
	assert_int_equal(stream_backlog_size(&f->stream), 0);
	assert_int_equal(f->stream.bytes_written, MUCH);
}

static void what_is_written_behind_a_backlog_comes_behind_it(void **state)
{
	struct fixture *f = *state;

	fill(f);
	write_text(f, "one, ");
	loop_settle(&f->loop);
	write_text(f, "two");
	loop_settle(&f->loop);
	assert_string_equal(f->told, "b"); /* it knows already */
	peer_expects(f, f->block, MUCH);
	peer_expects(f, "one, two", 8);
	RUN_UNTIL(f, f->told_count == 2);
	assert_string_equal(f->told, "bd");
}

static void fill_once_more(struct fixture *f, char event)
{
	if (event == 'd') {
		f->on_event = NULL;
		stream_write(&f->stream, slice_of(f->block, MUCH));
	}
}

static void it_may_be_filled_again_from_within_drained(void **state)
{
	struct fixture *f = *state;

	f->on_event = fill_once_more;
	fill(f);
	peer_expects(f, f->block, MUCH);
	peer_expects(f, f->block, MUCH);
	RUN_UNTIL(f, f->told_count == 4);
	assert_string_equal(f->told, "bdbd");
}

static void what_a_slow_peer_takes_shows_before_the_socket_is_writable(void **state)
{
	struct fixture *f = *state;
	size_t before;
	size_t left;
	size_t backlog;

	fill(f);
	backlog = stream_backlog_size(&f->stream);
	before = stream_untaken(&f->stream);
	assert_true(before >= backlog);
	peer_expects(f, f->block, 4 * SMALL_BUFFER);
	do {
		(void)uv_run(&f->loop.uv, UV_RUN_NOWAIT);
		left = stream_untaken(&f->stream);
	} while (left >= before);
	assert_true(left < before);
}

/* --- the end of our side */

static void an_end_comes_behind_what_was_written(void **state)
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
	peer_expects_end(f);
	peer_send(f, "hello", 5); /* the other direction is open */
	RUN_UNTIL(f, f->came.len == 5);
}

static void an_end_comes_behind_a_backlog(void **state)
{
	struct fixture *f = *state;

	fill(f);
	stream_shutdown(&f->stream);
	loop_settle(&f->loop);
	peer_expects(f, f->block, MUCH);
	peer_expects_end(f);
}

static void a_close_offers_what_was_written_this_turn(void **state)
{
	struct fixture *f = *state;

	write_text(f, "last words");
	close_stream(f);
	peer_expects(f, "last words", 10);
	peer_expects_end(f);
	assert_string_equal(f->told, "");
}

static void a_close_drops_a_backlog(void **state)
{
	struct fixture *f = *state;
	size_t count;

	fill(f);
	write_text(f, "unheard");
	close_stream(f);
	(void)peer_to_the_end(f, &count);
	assert_true(count < MUCH);
	assert_string_equal(f->told, "b");
}

static void a_reset_of_ours_does_not_look_like_an_end(void **state)
{
	struct fixture *f = *state;
	size_t count;

	write_text(f, "sent");
	loop_settle(&f->loop);
	peer_expects(f, "sent", 4);
	write_text(f, "not sent");
	stream_reset(&f->stream, on_closed);
	loop_settle(&f->loop);
	RUN_UNTIL(f, f->closed);
	assert_int_equal(peer_to_the_end(f, &count), ECONNRESET);
	assert_int_equal(count, 0);
}

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

static void it_may_be_closed_from_within_any_event(void **state)
{
	struct fixture *f = *state;
	const char *events = "Bebd";

	for (const char *event = events; *event != '\0'; event++) {
		size_t count;

		closes_at = *event;
		f->on_event = write_and_close;
		switch (*event) {
		case 'B':
			/* Twice as much as one read takes: the rest must not come. */
			(void)send(
				f->peer, f->block, (size_t)2 * LOOP_READ_BUFFER_SIZE, MSG_DONTWAIT);
			break;
		case 'e':
			shutdown(f->peer, SHUT_WR);
			break;
		default:
			stream_write(&f->stream, slice_of(f->block, MUCH));
			loop_settle(&f->loop);
			break;
		}
		if (*event == 'd') {
			peer_expects(f, f->block, MUCH);
		}
		RUN_UNTIL(f, f->closed);
		(void)peer_to_the_end(f, &count);
		if (*event == 'e' || *event == 'd') {
			assert_int_equal(count, 3);
		}
		/* And the next one. */
		peer_closes(f);
		f->closed = false;
		f->accepted = false;
		f->on_event = NULL;
		connect_peer(f);
	}
	f->on_event = write_and_close;
	closes_at = 'f';
	peer_resets(f);
	RUN_UNTIL(f, f->closed);
	assert_int_equal(f->told[f->told_count - 1], 'f');
}

/* --- writing to a peer that has let go */

/* Writes until it is told of the failure, or bytes have come. */
static void write_until_it_shows(struct fixture *f)
{
	while (f->told_count == 0 && f->came.len == 0 && f->stream.write_error == 0) {
		write_text(f, "more of a request");
		loop_settle(&f->loop); /* without reading between two writes */
	}
}

static void a_write_to_who_has_left_is_a_failure_at_once(void **state)
{
	struct fixture *f = *state;

	peer_send(f, "answer", 6);
	peer_resets(f);
	write_until_it_shows(f);
	assert_string_equal(f->told, "f");
	assert_int_equal(f->came.len, 0);
}

static void who_is_to_be_heard_out_is_heard_before_the_failure(void **state)
{
	struct fixture *f = *state;

	stream_hear_out(&f->stream);
	peer_send(f, "answer", 6);
	peer_resets(f);
	write_until_it_shows(f);
	assert_string_equal(f->told, "");
	assert_int_not_equal(f->stream.write_error, 0);
	RUN_UNTIL(f, f->told_count > 0);
	assert_int_equal(f->came.len, 6);
	assert_string_equal(f->told, "f"); /* and not an end */
	assert_int_equal(f->status, f->stream.write_error);
}

static void who_is_to_be_heard_out_may_wait_for_it(void **state)
{
	struct fixture *f = *state;

	stream_hear_out(&f->stream);
	stream_pause(&f->stream);
	peer_send(f, "answer", 6);
	peer_resets(f);
	write_until_it_shows(f);
	write_text(f, "and on");
	loop_settle(&f->loop);
	assert_string_equal(f->told, "");
	stream_resume(&f->stream);
	RUN_UNTIL(f, f->told_count > 0);
	assert_int_equal(f->came.len, 6);
	assert_string_equal(f->told, "f");
}

static void a_backlog_that_fails_is_told_of_in_the_same_way(void **state)
{
	struct fixture *f = *state;

	stream_hear_out(&f->stream);
	fill(f);
	peer_send(f, "answer", 6);
	peer_resets(f);
	RUN_UNTIL(f, f->told_count == 2);
	assert_int_equal(f->came.len, 6);
	assert_string_equal(f->told, "bf"); /* never drained */
}

/* --- connecting */

static void run_both_ends(struct fixture *f)
{
	assert_int_equal(f->told_count, 0); /* never before the call returns */
	loop_settle(&f->loop);
	RUN_UNTIL(f, f->told_count > 0);
	assert_string_equal(f->told, "c");
}

static void do_not_accept(uv_stream_t *listener, int status)
{
	(void)listener;
	(void)status;
}

static void a_connection_is_told_of_when_it_stands(void **state)
{
	struct fixture *f = *state;

	f->listener.stream.connection_cb = do_not_accept; /* the stream is the one that connects */
	assert_int_equal(stream_connect_tcp(&f->stream, &f->loop, &stream_ops,
				 (const struct sockaddr *)&f->address),
		0);
	run_both_ends(f);
	assert_int_equal(f->status, 0);
}

static int free_port_socket(struct sockaddr_in *address)
{
	socklen_t len = sizeof(*address);
	int bound = socket(AF_INET, SOCK_STREAM, 0);

	*address = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(bound, (const struct sockaddr *)address, len), 0);
	assert_int_equal(getsockname(bound, (struct sockaddr *)address, &len), 0);
	return bound;
}

static void a_refused_connection_is_told_of_with_its_reason(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in address;
	int bound = free_port_socket(&address); /* and nobody listens there */

	assert_int_equal(stream_connect_tcp(&f->stream, &f->loop, &stream_ops,
				 (const struct sockaddr *)&address),
		0);
	run_both_ends(f);
	assert_int_equal(f->status, UV_ECONNREFUSED);
	close(bound);
}

static void a_unix_socket_that_is_not_there_is_told_of(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		stream_connect_unix(&f->stream, &f->loop, &stream_ops, "/nowhere/at/all.sock"), 0);
	run_both_ends(f);
	assert_int_equal(f->status, UV_ENOENT);
}

static void a_close_while_it_connects_tells_of_nothing(void **state)
{
	struct fixture *f = *state;

	f->listener.stream.connection_cb = do_not_accept;
	assert_int_equal(stream_connect_tcp(&f->stream, &f->loop, &stream_ops,
				 (const struct sockaddr *)&f->address),
		0);
	close_stream(f);
	assert_string_equal(f->told, "");
}

/* --- addresses */

static void it_knows_both_addresses(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_storage address;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)&address;
	const struct sockaddr_in *ours = (const struct sockaddr_in *)(const void *)&f->address;

	assert_int_equal(stream_peer(&f->stream, &address), 0);
	assert_int_equal(v4->sin_family, AF_INET);
	assert_int_equal(ntohl(v4->sin_addr.s_addr), INADDR_LOOPBACK);
	assert_int_equal(stream_local(&f->stream, &address), 0);
	assert_int_equal(v4->sin_port, ours->sin_port);
}

static void a_unix_socket_has_no_address(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_storage address;

	assert_int_equal(stream_peer(&f->stream, &address), 0);
	assert_int_equal(address.ss_family, AF_UNIX);
}

#define TCP(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define UNIX(function)                                                                             \
	{                                                                                          \
		.name = #function " (unix)", .test_func = function, .setup_func = setup_unix,      \
		.teardown_func = teardown                                                          \
	}
#define BOTH(name) TCP(name), UNIX(name)
#define ALONE(name) cmocka_unit_test_setup_teardown(name, setup_alone, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(what_the_peer_sends_comes),
		BOTH(nothing_comes_while_it_is_paused),
		TCP(a_pause_from_within_bytes_holds_the_next_ones_back),
		UNIX(where_a_read_was_full_the_next_ones_are_shorter),
		BOTH(the_peers_end_is_told_and_writing_goes_on),
		TCP(a_reset_is_a_failure_and_told_once),
		TCP(a_reset_right_behind_bytes_is_no_end),
		TCP(what_is_written_in_one_turn_leaves_together),
		BOTH(any_number_of_parts_keeps_its_order),
		BOTH(a_head_that_has_room_before_its_body_leaves_before_it),
		BOTH(a_head_that_has_no_room_before_its_body_leaves_before_it),
		BOTH(what_the_socket_does_not_take_is_copied_and_follows),
		BOTH(what_is_written_behind_a_backlog_comes_behind_it),
		BOTH(it_may_be_filled_again_from_within_drained),
		TCP(what_a_slow_peer_takes_shows_before_the_socket_is_writable),
		BOTH(an_end_comes_behind_what_was_written),
		BOTH(an_end_comes_behind_a_backlog),
		BOTH(a_close_offers_what_was_written_this_turn),
		BOTH(a_close_drops_a_backlog),
		TCP(a_reset_of_ours_does_not_look_like_an_end),
		TCP(it_may_be_closed_from_within_any_event),
		TCP(a_write_to_who_has_left_is_a_failure_at_once),
		TCP(who_is_to_be_heard_out_is_heard_before_the_failure),
		TCP(who_is_to_be_heard_out_may_wait_for_it),
		TCP(a_backlog_that_fails_is_told_of_in_the_same_way),
		ALONE(a_connection_is_told_of_when_it_stands),
		ALONE(a_refused_connection_is_told_of_with_its_reason),
		ALONE(a_unix_socket_that_is_not_there_is_told_of),
		ALONE(a_close_while_it_connects_tells_of_nothing),
		TCP(it_knows_both_addresses),
		UNIX(a_unix_socket_has_no_address),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* as the program does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
