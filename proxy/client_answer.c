/*
 * Layer: proxy. One job: an answer's way out to the client: its head, its body in the framing that
 * the client's version takes, its end.
 */
#include "base/memory.h"
#include "http/head_writer.h"
#include "proxy/client_state.h"
#include "proxy/worker.h"

static struct client *of_requester(struct requester *requester)
{
	return container_of(requester, struct client, requester);
}

/* The head of the answer is read by others too: only its `dropped` marks change. */
static struct head *writable(const struct head *head)
{
	return (struct head *)(uintptr_t)head;
}

static void on_informational(struct requester *requester, const struct head *head)
{
	struct client *self = of_requester(requester);
	const struct delivery interim = {.version_minor = 1};

	self->continued = self->continued || head->status == 100;
	stream_write(&self->stream, forwarding_response(self->exchange, writable(head), &interim));
}

/* Whether the connection can go on after this answer, and how its body goes out. */
static void decide_delivery(struct client *self, const struct response *response)
{
	struct exchange *exchange = self->exchange;
	struct delivery *delivery = &self->delivery;

	*delivery = (struct delivery){.version_minor = exchange->request.version_minor};
	switch (response->framing.kind) {
	case FRAMING_CHUNKED:
	case FRAMING_CLOSE:
		if (exchange->request.version_minor > 0) {
			delivery->chunked = true;
		} else {
			self->close_after =
				true; /* HTTP/1.0 knows no chunks: the close is the end */
		}
		break;
	case FRAMING_TUNNEL:
		delivery->tunnel = true;
		break;
	case FRAMING_NONE:
	case FRAMING_LENGTH:
		break;
	}
	if (self->worker->draining) {
		self->close_after = true;
	}
	/* A client that waits for a 100 that never came may or may not send its body: only the
	 * close makes that clear. */
	if (exchange->request_framing.expect_continue && !self->continued &&
		!exchange->request_ended) {
		self->close_after = true;
	}
	delivery->close = self->close_after && !delivery->tunnel;
}

static void on_head(struct requester *requester, const struct response *response)
{
	struct client *self = of_requester(requester);

	decide_delivery(self, response);
	stream_write(&self->stream,
		forwarding_response(self->exchange, writable(response->head), &self->delivery));
	if (self->delivery.tunnel) {
		self->phase = CLIENT_TUNNEL;
		stream_probe(&self->stream);
		client_go_on(self);
	}
}

static void on_data(struct requester *requester, struct slice bytes)
{
	struct client *self = of_requester(requester);

	if (!self->delivery.chunked) {
		stream_write(&self->stream, bytes);
		return;
	}
	char *line = loop_scratch(&self->worker->loop, CHUNK_LINE_MAX);

	stream_write(&self->stream, slice_of(line, chunk_line_write(line, bytes.len)));
	stream_write(&self->stream, bytes);
	stream_write(&self->stream, SLICE("\r\n"));
}

static void on_trailers(struct requester *requester, const struct head *trailers)
{
	struct client *self = of_requester(requester);
	struct head_writer writer;
	size_t room;

	if (!self->delivery.chunked) {
		return; /* nowhere to put them */
	}
	room = head_writer_bound(trailers) + 3;
	head_writer_init(&writer, loop_scratch(&self->worker->loop, room), room);
	head_writer_raw(&writer, SLICE("0\r\n"));
	head_writer_fields(&writer, trailers);
	stream_write(&self->stream, head_writer_slice(&writer));
	self->trailers_sent = true;
}

static void on_end(struct requester *requester)
{
	struct client *self = of_requester(requester);

	if (self->delivery.chunked) {
		stream_write(
			&self->stream, self->trailers_sent ? SLICE("\r\n") : SLICE("0\r\n\r\n"));
	}
	loop_settled(&self->worker->loop, &self->done);
}

static void on_abort(struct requester *requester, const struct err *why)
{
	struct client *self = of_requester(requester);

	(void)why; /* it is in exchange->error */
	self->aborted = true;
	loop_settled(&self->worker->loop, &self->done);
}

static void on_pause(struct requester *requester)
{
	/* Nothing more is taken until `resume`: what comes meanwhile is carried, and the first that
	 * is stops the reading. */
	loop_timer_stop(&of_requester(requester)->worker->loop, &of_requester(requester)->timer);
}

static void on_resume(struct requester *requester)
{
	struct client *self = of_requester(requester);

	client_go_on(self);
}

const struct requester_ops client_answer_ops = {
	.informational = on_informational,
	.head = on_head,
	.data = on_data,
	.trailers = on_trailers,
	.end = on_end,
	.abort = on_abort,
	.pause = on_pause,
	.resume = on_resume,
};
