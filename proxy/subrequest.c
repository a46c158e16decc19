/*
 * Layer: proxy. One job: see subrequest.h.
 */
#include "proxy/subrequest.h"

#include <assert.h>
#include <string.h>

#include "http/head_reader.h"
#include "proxy/worker.h"

enum {
	BODY_PIECE = 64 * 1024, /* handed on in one go */
};

static struct subrequest *of_requester(struct requester *requester)
{
	return container_of(requester, struct subrequest, requester);
}

/* --- the answer: only its end is of interest here */

static void on_head(struct requester *requester, const struct response *response)
{
	(void)requester;
	(void)response;
}

static void on_section(struct requester *requester, const struct head *head)
{
	(void)requester;
	(void)head;
}

static void on_data(struct requester *requester, struct slice bytes)
{
	(void)requester;
	(void)bytes;
}

static void on_end(struct requester *requester)
{
	struct subrequest *self = of_requester(requester);

	loop_settled(&self->worker->loop, &self->done);
}

static void on_abort(struct requester *requester, const struct err *why)
{
	(void)why; /* it is in exchange->error */
	on_end(requester);
}

static void on_pause(struct requester *requester)
{
	task_cancel(&of_requester(requester)->go_on);
}

static void on_resume(struct requester *requester)
{
	struct subrequest *self = of_requester(requester);

	loop_ready(&self->worker->loop, &self->go_on);
}

static const struct requester_ops requester_ops = {
	.informational = on_section,
	.head = on_head,
	.data = on_data,
	.trailers = on_section,
	.end = on_end,
	.abort = on_abort,
	.pause = on_pause,
	.resume = on_resume,
};

/* --- the end */

static void finish(struct subrequest *self, const struct err *why)
{
	struct exchange *exchange = self->exchange;

	self->exchange = NULL;
	task_cancel(&self->go_on);
	task_cancel(&self->done);
	exchange_finish(exchange, why);
}

static void on_done(struct task *task)
{
	struct subrequest *self = container_of(task, struct subrequest, done);
	const struct exchange *exchange = self->exchange;
	struct subrequest_outcome *outcome = &self->outcome;

	outcome->request_id_len = exchange->request_id.len;
	memcpy(outcome->request_id, exchange->request_id.ptr, exchange->request_id.len);
	outcome->status = exchange->status;
	outcome->error = exchange->error;
	finish(self, NULL);
	self->ops->ended(self);
}

void subrequest_cancel(struct subrequest *self)
{
	struct err why;

	if (self->exchange != NULL) {
		err_set(&why, ERR_CLIENT_GONE, "who asked for this request waits no more");
		finish(self, &why);
	}
}

/* --- the request */

/* The next bytes of the body: never none. */
static struct slice take_piece(struct subrequest *self)
{
	struct slice piece = self->piece;

	if (piece.len == 0) {
		piece = self->ops->body(self);
		assert(piece.len > 0 && piece.len <= self->body_left);
	}
	self->piece = piece;
	piece.len = piece.len < BODY_PIECE ? piece.len : BODY_PIECE;
	self->piece = slice_of(self->piece.ptr + piece.len, self->piece.len - piece.len);
	self->body_left -= piece.len;
	return piece;
}

/* A piece at a time, so that others come between. Where the answer has ended already, nobody wants
 * the rest. */
static void on_go_on(struct task *task)
{
	struct subrequest *self = container_of(task, struct subrequest, go_on);
	struct exchange *exchange = self->exchange;

	if (exchange->response_ended || exchange->request_paused || exchange->request_ended) {
		return;
	}
	if (self->body_left == 0) {
		exchange_request_end(exchange);
		return;
	}
	loop_later(&self->worker->loop, &self->go_on);
	exchange_request_data(exchange, take_piece(self));
}

/* Reads the head into the exchange, as strictly as one that came over a connection. */
static enum err_code read_head(
	struct exchange *exchange, struct slice head, uint64_t body_len, struct err *err)
{
	const struct framing *framing = &exchange->request_framing;
	struct head_reader reader;
	size_t taken;

	head_reader_init(&reader, HEAD_REQUEST, &exchange->request, &exchange->arena,
		&exchange->worker->request_limits);
	switch (head_reader_feed(&reader, head, &taken, err)) {
	case HEAD_FAILED:
		return err->code;
	case HEAD_MORE:
		return err_set(err, ERR_SYNTAX, "the request's head has no end");
	case HEAD_DONE:
		break;
	}
	if (taken != head.len) {
		return err_set(err, ERR_SYNTAX, "something follows the request's head");
	}
	if (exchange_read_head(exchange, err) != ERR_NONE) {
		return err->code;
	}
	if (framing->upgrade || framing->kind == FRAMING_CHUNKED ||
		(framing->kind == FRAMING_LENGTH ? framing->length : 0) != body_len) {
		return err_set(err, ERR_SYNTAX,
			"a request that the proxy makes has a Content-Length that is its body's, "
			"and asks for no upgrade");
	}
	return ERR_NONE;
}

static void stand_in_for(struct subrequest *self, const struct exchange *client)
{
	struct exchange *exchange = self->exchange;
	size_t len = strlen(client->peer_ip);

	len = len < sizeof(self->peer_ip) ? len : sizeof(self->peer_ip) - 1;
	memcpy(self->peer_ip, client->peer_ip, len);
	self->peer_ip[len] = '\0';
	exchange->peer_ip = self->peer_ip;
	exchange->peer_trusted = client->peer_trusted;
	exchange->over_loopback = client->over_loopback;
	exchange->scheme = client->scheme;
	exchange->listener = LISTENER_TRAFFIC; /* whichever the inspector was asked on */
	exchange->subrequest = true;
}

enum err_code subrequest_start(struct subrequest *self, const struct subrequest_ops *ops,
	const struct exchange *on_behalf_of, struct slice head, uint64_t body_len, struct err *err)
{
	struct worker *worker = on_behalf_of->worker;

	*self = (struct subrequest){
		.ops = ops,
		.requester = {.ops = &requester_ops},
		.worker = worker,
		.body_left = body_len,
	};
	task_init(&self->go_on, on_go_on);
	task_init(&self->done, on_done);
	self->exchange = exchange_create(worker, &self->requester);
	stand_in_for(self, on_behalf_of);
	if (read_head(self->exchange, head, body_len, err) != ERR_NONE) {
		finish(self, NULL); /* no observer has heard of it */
		return err->code;
	}
	exchange_request_head(self->exchange, NULL);
	loop_ready(&worker->loop, &self->go_on);
	return ERR_NONE;
}
