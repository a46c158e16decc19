/*
 * Layer: proxy. One job: a client's HTTP/1 connection, from its beginning to its end; see client.h.
 * Requests are read in client_request.c, answers are written in client_answer.c.
 *
 * What may happen, and what is done:
 *
 * - A head breaks the rules: an answer (400, 431, …), then the connection lingers and closes. What
 *   follows is not read as HTTP.
 * - Plain HTTP comes where TLS is spoken: a 400 in plain HTTP, then the same.
 * - A body breaks the rules: the upstream's connection breaks off; an answer where none has begun;
 *   then the connection closes.
 * - The client leaves: its exchange is cancelled.
 * - The upstream fails within its answer: the connection is reset, so that a cut-off answer never
 *   looks whole.
 * - The client takes nothing: the connection is reset after timeouts.send.
 */
#include "proxy/client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/tls.h"
#include "base/tls_context.h"
#include "proxy/client_state.h"
#include "proxy/network.h"
#include "proxy/server.h"
#include "proxy/worker.h"

enum {
	LINGER_MS = 2000, /* how long what a refused client still sends is taken and dropped */
};

/* --- the end of a connection */

static void on_closed(struct stream *stream)
{
	struct client *self = container_of(stream, struct client, stream);
	struct worker *worker = self->worker;
	bool over_limit = self->over_limit;
	enum listener_role role = (enum listener_role)self->listener;

	list_remove(&self->node);
	mem_free(self->carried.ptr);
	mem_free(self);
	worker_client_gone(worker, role, over_limit);
}

static void finish_exchange(struct client *self, const struct err *why)
{
	struct exchange *exchange = self->exchange;

	self->exchange = NULL;
	self->reading = NULL;
	if (exchange != NULL) {
		exchange_finish(exchange, why);
	}
}

static void stop_everything(struct client *self, const struct err *why)
{
	loop_timer_stop(&self->worker->loop, &self->timer);
	loop_timer_stop(&self->worker->loop, &self->send_timer);
	task_cancel(&self->done);
	task_cancel(&self->go_on);
	self->phase = CLIENT_CLOSED;
	finish_exchange(self, why);
}

void client_close(struct client *self, const struct err *why)
{
	if (self->phase != CLIENT_CLOSED) {
		stop_everything(self, why);
		stream_close(&self->stream, on_closed);
	}
}

static void reset_now(struct client *self, const struct err *why)
{
	if (self->phase != CLIENT_CLOSED) {
		stop_everything(self, why);
		stream_reset(&self->stream, on_closed);
	}
}

/* Ends our side and drops what still comes, so that the client reads our answer and not a reset
 * (RFC 9112 section 9.6). */
void client_linger(struct client *self)
{
	finish_exchange(self, NULL);
	self->phase = CLIENT_LINGERING;
	loop_free_settled(&self->worker->loop, self->carried.ptr);
	self->carried = BUFFER_INIT;
	self->carried_at = 0;
	stream_shutdown(&self->stream);
	stream_resume(&self->stream);
	loop_timer_start(&self->worker->loop, &self->timer, LINGER_MS);
}

static void on_timer(struct timer *timer)
{
	struct client *self = container_of(timer, struct client, timer);
	const struct timeout_settings *timeouts = &self->worker->settings->timeouts;
	struct err err;

	switch (self->phase) {
	case CLIENT_HEAD:
		err_set(&err, ERR_HEADER_TIMEOUT,
			"the request's head was not whole within %llu ms (timeouts.header)",
			(unsigned long long)timeouts->header_ms);
		client_refuse(self, &err);
		break;
	case CLIENT_BODY:
		err_set(&err, ERR_BODY_TIMEOUT,
			"nothing came of the request's body for %llu ms (timeouts.body)",
			(unsigned long long)timeouts->body_ms);
		client_body_failed(self, &err);
		break;
	default: /* idle, or shaking hands or lingering for long enough */
		client_close(self, NULL);
		break;
	}
}

/* --- requests may come */

static void begin(struct client *self)
{
	struct err err;

	self->phase = CLIENT_IDLE;
	if (self->over_limit) {
		err_set(&err, ERR_CONNECTIONS,
			"as many client connections are open as limits.connections allows");
		client_begin_exchange(self);
		client_refuse(self, &err);
	} else {
		client_watch_request(self);
	}
}

/* --- an exchange is over */

void client_exchange_over(struct client *self)
{
	finish_exchange(self, NULL);
	self->phase = CLIENT_IDLE;
	if (self->worker->draining && self->carried.len == 0) {
		client_linger(self); /* the next request may be on its way */
		return;
	}
	client_watch_request(self);
	client_next_request(self);
}

/* What `end` or `abort` brought about, once this turn's writes have left. */
static void on_done(struct task *task)
{
	struct client *self = container_of(task, struct client, done);

	if (self->aborted) {
		reset_now(self, NULL);
		return;
	}
	if (stream_blocked(&self->stream)) {
		return; /* `drained` comes back here: a further answer behind a backlog would make
			   it grow */
	}
	if (self->phase == CLIENT_TUNNEL) {
		client_linger(self); /* the other side's last words may still be on their way */
		return;
	}
	if (!self->exchange->request_ended) {
		if (self->close_after || self->phase != CLIENT_BODY) {
			client_linger(self);
			return;
		}
		self->phase = CLIENT_DROPPING;
		self->lingered = 0;
		loop_timer_start(&self->worker->loop, &self->timer, LINGER_MS);
		client_go_on(self);
		return;
	}
	if (self->close_after && !self->exchange->request_framing.keep_alive &&
		self->carried.len == 0 && self->lingered == 0) {
		client_close(self, NULL); /* the client wanted it so, and sends nothing more */
		return;
	}
	if (self->close_after) {
		client_linger(self);
		return;
	}
	client_exchange_over(self);
}

/* --- events of the stream */

static void on_bytes(struct stream *stream, struct slice bytes)
{
	struct client *self = container_of(stream, struct client, stream);

	if (self->carried.len > 0) {
		client_carry(self, bytes); /* in order behind what waits already */
	} else {
		client_carry(self, client_take(self, bytes));
	}
}

static void on_eof(struct stream *stream)
{
	struct client *self = container_of(stream, struct client, stream);
	struct err err;

	switch (self->phase) {
	case CLIENT_TUNNEL:
		exchange_request_end(self->exchange);
		break;
	case CLIENT_SECURING:
	case CLIENT_IDLE:
	case CLIENT_LINGERING:
	case CLIENT_CLOSED:
		client_close(self, NULL);
		break;
	default:
		/* As nginx and HAProxy do, the end of its side is taken for leaving: nobody can
		 * tell the two apart. */
		err_set(&err, ERR_CLIENT_GONE, "the client closed the connection %s",
			self->phase == CLIENT_ANSWERING ? "before it had its answer"
							: "within its request");
		client_close(self, &err);
		break;
	}
}

/* Every method begins with a capital letter, and nothing else that is met at such a port does. */
static bool seems_plain_http(const struct tls *tls)
{
	int first = tls_heard_instead(tls);

	return first >= 'A' && first <= 'Z';
}

/* As nginx does: who took a port of HTTPS for one of HTTP is told so in its own language. */
static void refuse_plain_http(struct client *self)
{
	struct err err;

	stream_unsecure(&self->stream);
	err_set(&err, ERR_SYNTAX,
		"plain HTTP came to a listener of HTTPS; a URL that begins with https:// would be "
		"right");
	client_begin_exchange(self);
	client_refuse(self, &err);
}

static void on_failed(struct stream *stream, int status)
{
	struct client *self = container_of(stream, struct client, stream);
	const struct err *tls = stream_failure(stream);
	struct err err;

	if (self->phase == CLIENT_SECURING && tls != NULL) {
		if (seems_plain_http(stream_tls(stream))) {
			refuse_plain_http(self);
			return;
		}
		log_info("client %s: TLS: %s", self->ip, tls->text);
	}
	if (status == UV_EOF) {
		err_set(&err, ERR_CLIENT_GONE,
			"the client closed the connection without the farewell of TLS "
			"(close_notify)");
	} else {
		err_set(&err, ERR_CLIENT_GONE, "the client broke the connection: %s",
			tls != NULL ? tls->text : uv_strerror(status));
	}
	client_close(self, &err);
}

static void on_send_timer(struct timer *timer)
{
	struct client *self = container_of(timer, struct client, send_timer);
	size_t backlog = stream_untaken(&self->stream);
	uint64_t send_ms = self->worker->settings->timeouts.send_ms;
	struct err err;

	if (backlog < self->send_backlog) { /* slow, but it takes something */
		self->send_backlog = backlog;
		loop_timer_start(&self->worker->loop, &self->send_timer, send_ms);
		return;
	}
	err_set(&err, ERR_SEND_TIMEOUT,
		"the client took nothing of its answer for %llu ms (timeouts.send)",
		(unsigned long long)send_ms);
	reset_now(self, &err);
}

static void on_blocked(struct stream *stream)
{
	struct client *self = container_of(stream, struct client, stream);
	uint64_t send_ms = self->worker->settings->timeouts.send_ms;

	if (send_ms > 0) {
		self->send_backlog = stream_untaken(stream);
		loop_timer_start(&self->worker->loop, &self->send_timer, send_ms);
	}
	if (self->exchange != NULL) {
		exchange_pause(self->exchange);
	}
}

static void on_drained(struct stream *stream)
{
	struct client *self = container_of(stream, struct client, stream);

	loop_timer_stop(&self->worker->loop, &self->send_timer);
	if (self->exchange == NULL) {
		return;
	}
	exchange_resume(self->exchange);
	if (self->exchange->response_ended) {
		loop_settled(&self->worker->loop, &self->done);
	}
}

static void on_secured(struct stream *stream)
{
	begin(container_of(stream, struct client, stream));
}

static const struct stream_ops stream_ops = {
	.bytes = on_bytes,
	.eof = on_eof,
	.failed = on_failed,
	.blocked = on_blocked,
	.drained = on_drained,
	.secured = on_secured,
};

/* --- beginning and end */

/* An IPv4 peer of a socket for both families (::ffff:192.0.2.1) is named as what it is. */
static void name_address(const struct sockaddr_storage *address, char out[static INET6_ADDRSTRLEN])
{
	const struct in6_addr *v6 =
		&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;

	if (address->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(v6)) {
		(void)inet_ntop(AF_INET, &v6->s6_addr[12], out, INET6_ADDRSTRLEN);
	} else {
		(void)uv_ip_name((const struct sockaddr *)address, out, INET6_ADDRSTRLEN);
	}
}

static void find_peer(struct client *self)
{
	const struct proxy_settings *settings = self->worker->settings;
	struct sockaddr_storage peer;

	(void)snprintf(self->ip, sizeof(self->ip), "unix");
	if (stream_peer(&self->stream, &peer) < 0) {
		return;
	}
	if (peer.ss_family == AF_UNIX) {
		self->trusted = settings->trust_unix;
		return;
	}
	name_address(&peer, self->ip);
	self->trusted = network_list_has(settings->trusted_proxies, settings->trusted_proxy_count,
		(const struct sockaddr *)&peer);
}

static void secure(struct client *self, struct tls_context *context)
{
	uint64_t wait_ms = self->worker->settings->timeouts.header_ms;
	struct err err;
	struct tls *tls = tls_open_server(context, &err);

	self->phase = CLIENT_SECURING;
	if (tls == NULL || stream_secure(&self->stream, tls, &err) != ERR_NONE) {
		log_error("client %s: TLS: %s", self->ip, err.text);
		client_close(self, NULL);
	} else if (wait_ms > 0) {
		loop_timer_start(&self->worker->loop, &self->timer, wait_ms);
	}
}

void client_accept(struct worker *worker, uv_stream_t *listener, bool is_unix, bool over_loopback,
	enum listener_role role, enum admission admission)
{
	struct client *self = mem_zalloc(sizeof(*self));
	struct tls_context *context;

	self->worker = worker;
	self->phase = CLIENT_IDLE;
	self->requester.ops = &client_answer_ops;
	self->over_loopback = over_loopback;
	self->listener = (uint8_t)role;
	self->over_limit = admission != ADMITTED;
	timer_init(&self->timer, on_timer);
	timer_init(&self->send_timer, on_send_timer);
	task_init(&self->done, on_done);
	task_init(&self->go_on, client_on_go_on);
	list_push_back(&worker->clients, &self->node);
	if (stream_accept(&self->stream, &worker->loop, &stream_ops, listener, is_unix) < 0) {
		client_close(self, NULL);
		return;
	}
	find_peer(self);
	if (admission == ADMISSION_DROPPED) {
		client_close(self, NULL);
		return;
	}
	context = is_unix || role == LISTENER_ADMIN ? NULL : server_hold_tls(worker->server);
	if (context == NULL) {
		begin(self);
	} else {
		secure(self, context);
		tls_context_release(context);
	}
}

void client_drain(struct client *self)
{
	if (self->phase == CLIENT_SECURING ||
		(self->phase == CLIENT_IDLE && self->carried.len == 0)) {
		client_close(self, NULL);
	}
}

void client_abort(struct client *self)
{
	struct err err;

	err_set(&err, ERR_DRAINING,
		"the proxy stopped before the exchange had ended (timeouts.drain)");
	reset_now(self, &err);
}
