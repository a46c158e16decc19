/*
 * Layer: demo. One job: a connection's life and its requests; see client.h. The answer's way out is
 * in client_answer.c.
 *
 * What may go wrong, and what is done:
 *   a request that breaks the rules   a problem, then the connection closes; no more of it is read
 *   a head or a body that stalls      408, then the connection closes
 *   a client that takes nothing       its connection is reset; it never has more than one piece of
 *                                     an answer waiting
 *   a client that leaves              its answer is given up
 */
#include "demo/client.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "demo/answers/kinds.h"
#include "demo/client_state.h"
#include "demo/reply.h"
#include "demo/service.h"

enum {
	IDLE_MS = 75 * 1000,
	HEAD_MS = 10 * 1000,
	BODY_MS = 30 * 1000, /* of silence */
	SEND_MS = 30 * 1000, /* of taking nothing */
	LINGER_MS = 2000,
	LINGER_BYTES = 1024 * 1024, /* dropped of what a refused client still sends */
	UNREAD_BODY_MAX = 1024 * 1024,
	PIPELINED_MAX = 16 * 1024,
	REQUEST_MEMORY_MAX = 256 * 1024, /* a head that comes byte by byte is held twice */
};

static const struct head_limits limits = {.bytes = 64 * 1024, .fields = 200, .target = 16 * 1024};

/* --- the end of a request, and of the connection */

static void forget_request(struct demo_client *self)
{
	struct demo_answer *answer = self->answer;

	self->answer = NULL;
	self->ended = false;
	task_cancel(&self->produce);
	if (answer != NULL && answer->kind->fini != NULL) {
		answer->kind->fini(answer);
	}
	arena_reset(&self->arena);
}

static void on_closed(struct stream *stream)
{
	struct demo_client *self = container_of(stream, struct demo_client, stream);

	list_remove(&self->node);
	self->service->client_count--;
	buffer_fini(&self->carried);
	mem_free(self);
}

static void end_now(
	struct demo_client *self, void (*end)(struct stream *stream, stream_closed_fn closed))
{
	if (self->phase == DEMO_CLIENT_CLOSED) {
		return;
	}
	self->phase = DEMO_CLIENT_CLOSED;
	loop_timer_stop(self->service->loop, &self->timer);
	loop_timer_stop(self->service->loop, &self->send_timer);
	task_cancel(&self->go_on);
	task_cancel(&self->sent);
	task_cancel(&self->produce);
	end(&self->stream, on_closed); /* before the memory goes that it may still be given */
	forget_request(self);
}

static void close_now(struct demo_client *self)
{
	end_now(self, stream_close);
}

/* Ends our side and drops what still comes, so that the client reads our answer and not a reset
 * (RFC 9112 section 9.6). */
static void linger(struct demo_client *self)
{
	self->phase = DEMO_CLIENT_LINGERING;
	self->lingered = 0;
	buffer_fini(&self->carried);
	stream_shutdown(&self->stream);
	stream_resume(&self->stream);
	loop_timer_start(self->service->loop, &self->timer, LINGER_MS);
}

static void become_idle(struct demo_client *self)
{
	self->phase = DEMO_CLIENT_IDLE;
	loop_timer_start(self->service->loop, &self->timer, IDLE_MS);
	if (self->carried.len > 0) {
		demo_client_go_on(self);
	}
}

/* --- answering */

static void note_queue(struct demo_client *self)
{
	struct demo_counters *counters = &self->service->counters;
	size_t queued = stream_backlog_size(&self->stream);

	if (queued > counters->most_queued) {
		counters->most_queued = queued;
	}
}

/* The turn's writes have left, or the client has taken what was waiting. */
static void on_sent(struct task *task)
{
	struct demo_client *self = container_of(task, struct demo_client, sent);
	bool last = self->close_after || self->phase == DEMO_CLIENT_TUNNEL;

	note_queue(self);
	if (stream_blocked(&self->stream)) {
		return; /* `drained` comes back here */
	}
	if (self->broken_off) {
		close_now(self);
	} else if (self->ended && last) {
		forget_request(self);
		linger(self);
	} else if (self->ended) {
		forget_request(self);
		become_idle(self);
	} else if (self->wants_more) {
		loop_later(self->service->loop, &self->produce);
	}
}

static void on_produce(struct task *task)
{
	struct demo_client *self = container_of(task, struct demo_client, produce);

	self->wants_more = false;
	self->answer->kind->more(self->answer);
}

/* What cannot be given to any answer. Nothing more of this connection is read. */
static void refuse(struct demo_client *self, unsigned status, const char *detail)
{
	self->close_after = true;
	self->phase = DEMO_CLIENT_ANSWERING;
	loop_timer_stop(self->service->loop, &self->timer);
	demo_reply_problem(self, &self->request, status, detail, slice_of(NULL, 0));
}

static unsigned status_of(enum err_code code)
{
	switch (code) {
	case ERR_METHOD:
		return 405;
	case ERR_TARGET_TOO_LONG:
		return 414;
	case ERR_MISDIRECTED:
		return 421;
	case ERR_HEADER_LIMIT:
	case ERR_LIMIT:
		return 431;
	case ERR_CODING:
		return 501;
	case ERR_VERSION:
		return 505;
	default:
		return 400;
	}
}

/* --- reading requests */

static void begin_request(struct demo_client *self)
{
	self->phase = DEMO_CLIENT_HEAD;
	self->close_after = false;
	self->bodiless = false;
	self->chunked = false;
	self->ended = false;
	self->wants_more = false;
	self->lingered = 0;
	memset(&self->request, 0, sizeof(self->request));
	head_reader_init(
		&self->head_reader, HEAD_REQUEST, &self->request.head, &self->arena, &limits);
	loop_timer_start(self->service->loop, &self->timer, HEAD_MS);
}

/* Finds out who answers, and counts the call. */
static const struct demo_answer_kind *choose_kind(struct demo_client *self)
{
	struct demo_request *request = &self->request;
	const struct demo_route *route =
		demo_route_find(request->head.method, request->target.normal, &request->rest);

	if (route == NULL) {
		self->service->counters.unknown++;
		return &demo_nothing;
	}
	self->service->counters.calls[route - demo_routes]++;
	return route->kind;
}

static void create_answer(struct demo_client *self)
{
	const struct demo_answer_kind *kind = choose_kind(self);

	self->answer = arena_alloc(&self->arena, kind->size);
	assert(self->answer != NULL); /* the head's limits leave room for it */
	memset(self->answer, 0, kind->size);
	self->answer->kind = kind;
	self->answer->client = self;
	self->answer->service = self->service;
	self->answer->request = &self->request;
}

static void take_head(struct demo_client *self)
{
	struct demo_request *request = &self->request;
	bool whole;
	struct err err;

	if (framing_of_request(&request->head, &request->framing, &err) != ERR_NONE ||
		target_of_request(&request->head, &self->arena, &request->target, &err) !=
			ERR_NONE) {
		refuse(self, status_of(err.code), err.text);
		return;
	}
	whole = request->framing.kind == FRAMING_NONE;
	self->close_after = !request->framing.keep_alive || request->head.version_minor == 0;
	self->phase = whole ? DEMO_CLIENT_ANSWERING : DEMO_CLIENT_BODY;
	loop_timer_stop(self->service->loop, &self->timer);
	body_reader_init(
		&self->body_reader, &request->framing, &request->trailers, &self->arena, &limits);
	create_answer(self);
	if (!whole && request->framing.expect_continue) {
		stream_write(&self->stream, SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
	}
	if (self->answer->kind->begin != NULL) {
		self->answer->kind->begin(self->answer);
	}
	if (whole) {
		self->answer->kind->end(self->answer);
	}
}

/* Both take from the front of `in`: false where no more can be taken for now. */
static bool read_head(struct demo_client *self, struct slice *in)
{
	size_t taken;
	struct err err;

	switch (head_reader_feed(&self->head_reader, *in, &taken, &err)) {
	case HEAD_MORE:
		in->len = 0;
		return false;
	case HEAD_DONE:
		*in = slice_of(in->ptr + taken, in->len - taken);
		take_head(self);
		return true;
	case HEAD_FAILED:
		break;
	}
	in->len = 0;
	memset(&self->request, 0, sizeof(self->request));
	refuse(self, status_of(err.code), err.text);
	return false;
}

static bool read_body(struct demo_client *self, struct slice *in)
{
	struct demo_answer *answer = self->answer;
	struct slice data;
	struct err err;

	switch (body_reader_next(&self->body_reader, in, &data, &err)) {
	case BODY_MORE:
		return false;
	case BODY_DATA:
		if (answer->kind->data != NULL) {
			answer->kind->data(answer, data);
			return true;
		}
		self->lingered += data.len;
		if (self->lingered > UNREAD_BODY_MAX) {
			refuse(self, 413, "nobody here reads so large a body");
		}
		return true;
	case BODY_END:
		self->phase = DEMO_CLIENT_ANSWERING;
		loop_timer_stop(self->service->loop, &self->timer);
		answer->kind->end(answer);
		return true;
	case BODY_FAILED:
		break;
	}
	in->len = 0;
	refuse(self, status_of(err.code), err.text);
	return false;
}

/* Keeps what cannot be taken now, and reads no more once that is enough. */
static void carry(struct demo_client *self, struct slice rest)
{
	buffer_append_slice(&self->carried, rest);
	if (self->carried.len >= PIPELINED_MAX) {
		stream_pause(&self->stream);
	}
}

static void take_bytes(struct demo_client *self, struct slice in)
{
	bool more = true;

	while (more) {
		switch ((enum demo_client_phase)self->phase) {
		case DEMO_CLIENT_IDLE:
			more = in.len > 0;
			if (more) {
				begin_request(self);
			}
			break;
		case DEMO_CLIENT_HEAD:
			more = in.len > 0 && read_head(self, &in);
			break;
		case DEMO_CLIENT_BODY:
			more = read_body(self, &in);
			break;
		case DEMO_CLIENT_ANSWERING:
			more = false;
			if (self->close_after) {
				in.len = 0; /* nothing more of this connection is read as HTTP */
			}
			break;
		case DEMO_CLIENT_TUNNEL:
			more = false;
			if (in.len > 0) {
				self->answer->kind->data(self->answer, in);
				in.len = 0;
			}
			break;
		case DEMO_CLIENT_LINGERING:
			more = false;
			self->lingered += in.len;
			in.len = 0;
			if (self->lingered > LINGER_BYTES) {
				close_now(self);
			}
			break;
		case DEMO_CLIENT_CLOSED:
			return;
		}
	}
	carry(self, in);
	if (self->phase == DEMO_CLIENT_BODY) {
		loop_timer_start(self->service->loop, &self->timer, BODY_MS);
	}
}

static void on_go_on(struct task *task)
{
	struct demo_client *self = container_of(task, struct demo_client, go_on);
	struct buffer carried = self->carried;

	self->carried = BUFFER_INIT;
	stream_resume(&self->stream);
	take_bytes(self, buffer_slice(&carried));
	loop_free_settled(self->service->loop, carried.ptr);
}

void demo_client_go_on(struct demo_client *self)
{
	loop_ready(self->service->loop, &self->go_on);
}

/* --- events of timers and of the stream */

static void on_timer(struct timer *timer)
{
	struct demo_client *self = container_of(timer, struct demo_client, timer);

	if (self->phase == DEMO_CLIENT_HEAD) {
		memset(&self->request, 0,
			sizeof(self->request)); /* what there is of it, is not whole */
		refuse(self, 408, "the request's head did not come");
	} else if (self->phase == DEMO_CLIENT_BODY) {
		refuse(self, 408, "the request's body did not come");
	} else { /* idle, or lingering long enough */
		close_now(self);
	}
}

static void on_send_timer(struct timer *timer)
{
	struct demo_client *self = container_of(timer, struct demo_client, send_timer);
	size_t backlog = stream_backlog_size(&self->stream);

	if (backlog < self->send_backlog) { /* slow, but it takes something */
		self->send_backlog = backlog;
		loop_timer_start(self->service->loop, &self->send_timer, SEND_MS);
	} else {
		end_now(self, stream_reset);
	}
}

static void on_bytes(struct stream *stream, struct slice bytes)
{
	struct demo_client *self = container_of(stream, struct demo_client, stream);

	if (self->carried.len > 0) {
		carry(self, bytes); /* in order behind what waits already */
	} else {
		take_bytes(self, bytes);
	}
}

/* The end of its side is taken for leaving: nobody can tell the two apart. */
static void on_eof(struct stream *stream)
{
	close_now(container_of(stream, struct demo_client, stream));
}

static void on_failed(struct stream *stream, int status)
{
	(void)status; /* that it is gone is all there is to know */
	close_now(container_of(stream, struct demo_client, stream));
}

static void on_blocked(struct stream *stream)
{
	struct demo_client *self = container_of(stream, struct demo_client, stream);

	note_queue(self);
	self->send_backlog = stream_backlog_size(stream);
	if (self->phase == DEMO_CLIENT_TUNNEL) {
		stream_pause(stream); /* who sends without reading gets no answer to queue */
	}
	loop_timer_start(self->service->loop, &self->send_timer, SEND_MS);
}

static void on_drained(struct stream *stream)
{
	struct demo_client *self = container_of(stream, struct demo_client, stream);

	loop_timer_stop(self->service->loop, &self->send_timer);
	if (self->phase == DEMO_CLIENT_TUNNEL) {
		stream_resume(stream);
	}
	if (self->answer != NULL || self->ended) {
		loop_settled(self->service->loop, &self->sent);
	}
}

static const struct stream_ops stream_ops = {
	.bytes = on_bytes,
	.eof = on_eof,
	.failed = on_failed,
	.blocked = on_blocked,
	.drained = on_drained,
};

/* --- beginning and end */

void demo_client_accept(struct demo_service *service, uv_stream_t *listener)
{
	struct demo_client *self = mem_zalloc(sizeof(*self));

	self->service = service;
	self->phase = DEMO_CLIENT_IDLE;
	timer_init(&self->timer, on_timer);
	timer_init(&self->send_timer, on_send_timer);
	task_init(&self->go_on, on_go_on);
	task_init(&self->sent, on_sent);
	task_init(&self->produce, on_produce);
	arena_init(&self->arena, &service->loop->arenas, REQUEST_MEMORY_MAX);
	list_push_back(&service->clients, &self->node);
	service->client_count++;
	if (stream_accept(&self->stream, service->loop, &stream_ops, listener, false) < 0 ||
		service->client_count > DEMO_CLIENTS_MAX) {
		close_now(self);
		return;
	}
	service->counters.connections++;
	become_idle(self);
}

void demo_client_abort_all(struct demo_service *service)
{
	list_each (node, after, &service->clients) {
		close_now(container_of(node, struct demo_client, node));
	}
}
