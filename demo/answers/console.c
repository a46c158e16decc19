/*
 * Layer: demo. One job: a console over a WebSocket, GET /api/console: what a client sends comes
 * back, and a tick comes by itself. One that does not read is not read from, and gets no ticks.
 */
#include <inttypes.h>
#include <string.h>

#include "base/loop.h"
#include "demo/answers/kinds.h"
#include "demo/reply.h"
#include "demo/service.h"
#include "demo/websocket.h"

enum {
	TICK_MS = 5000,
};

struct console {
	struct demo_answer base;
	struct demo_websocket_reader reader;
	struct timer timer;
	uint64_t ticks;
	bool open; /* shaken hands, and not said goodbye */
};

static struct console *console_of(struct demo_answer *answer)
{
	return container_of(answer, struct console, base);
}

static void send_frame(
	struct console *self, enum demo_websocket_opcode opcode, struct slice payload)
{
	char *frame = loop_scratch(self->base.service->loop, DEMO_WEBSOCKET_HEAD_MAX + payload.len);
	size_t len = demo_websocket_write_head(frame, opcode, payload.len);

	if (payload.len > 0) { /* memcpy from NULL is undefined even for no bytes */
		memcpy(frame + len, payload.ptr, payload.len);
	}
	demo_client_write(self->base.client, slice_of(frame, len + payload.len));
}

static void send_text(struct console *self, struct buffer *text)
{
	send_frame(self, DEMO_WEBSOCKET_TEXT, buffer_slice(text));
	buffer_fini(text);
}

/* RFC 6455 section 7.1: says goodbye, and leaves once that is sent. */
static void close_console(struct console *self, unsigned code)
{
	const char payload[] = {(char)(code >> 8), (char)(code & 0xff)};

	self->open = false;
	loop_timer_stop(self->base.service->loop, &self->timer);
	send_frame(self, DEMO_WEBSOCKET_CLOSE, slice_of(payload, code == 0 ? 0 : 2));
	demo_client_end(self->base.client);
}

static void on_tick(struct timer *timer)
{
	struct console *self = container_of(timer, struct console, timer);
	const struct demo_jobs *jobs = &self->base.service->jobs;
	struct buffer text = BUFFER_INIT;

	loop_timer_start(self->base.service->loop, &self->timer, TICK_MS);
	self->ticks++;
	if (!demo_client_blocked(self->base.client)) {
		buffer_printf(&text, "tick %" PRIu64 ": %u running, %u queued", self->ticks,
			demo_jobs_count(jobs, DEMO_JOB_RUNNING),
			demo_jobs_count(jobs, DEMO_JOB_QUEUED));
		send_text(self, &text);
	}
}

static void begin(struct demo_answer *answer)
{
	struct console *self = console_of(answer);

	timer_init(&self->timer, on_tick);
	demo_websocket_reader_init(&self->reader);
}

/* RFC 6455 section 4.2.1. What the fields Connection and Upgrade say was read with the framing. */
static bool asks_for_websocket(const struct demo_request *request, struct slice *key)
{
	const struct field *version =
		head_find_name(&request->head, SLICE("Sec-WebSocket-Version"));

	*key = head_get(&request->head, FIELD_SEC_WEBSOCKET_KEY);
	return request->framing.upgrade && version != NULL &&
	       slice_equal(head_value(&request->head, version), SLICE("13")) &&
	       demo_websocket_key_valid(*key);
}

static void end(struct demo_answer *answer)
{
	struct console *self = console_of(answer);
	struct demo_head head = {.status = 101, .length = DEMO_LENGTH_UNKNOWN};
	struct buffer fields = BUFFER_INIT;
	struct buffer hello = BUFFER_INIT;
	struct slice key;

	if (!asks_for_websocket(answer->request, &key)) {
		demo_reply_problem(answer->client, answer->request, 426, "this is a WebSocket",
			SLICE("Upgrade: websocket\r\nConnection: Upgrade\r\n"
			      "Sec-WebSocket-Version: 13\r\n"));
		return;
	}
	buffer_append_str(&fields, "Upgrade: websocket\r\nConnection: Upgrade\r\n"
				   "Sec-WebSocket-Accept: ");
	demo_websocket_append_accept(&fields, key);
	buffer_append_str(&fields, "\r\n");
	head.fields = buffer_slice(&fields);
	(void)demo_client_head(answer->client, &head);
	self->open = true;
	buffer_fini(&fields);
	buffer_append_str(&hello, "connected: what you send comes back");
	send_text(self, &hello);
	loop_timer_start(answer->service->loop, &self->timer, TICK_MS);
}

static void take_message(struct console *self, const struct demo_websocket_message *message)
{
	switch (message->opcode) {
	case DEMO_WEBSOCKET_TEXT:
	case DEMO_WEBSOCKET_BINARY:
		send_frame(self, message->opcode, message->payload);
		break;
	case DEMO_WEBSOCKET_PING:
		send_frame(self, DEMO_WEBSOCKET_PONG, message->payload);
		break;
	case DEMO_WEBSOCKET_CLOSE:
		close_console(self, message->close_code);
		break;
	case DEMO_WEBSOCKET_PONG: /* an answer to nothing, or a heartbeat */
	case DEMO_WEBSOCKET_CONTINUATION:
		break;
	}
}

static void data(struct demo_answer *answer, struct slice bytes)
{
	struct console *self = console_of(answer);
	struct demo_websocket_message message;

	while (self->open) { /* a body that came with a plain GET is no frame */
		switch (demo_websocket_next(&self->reader, &bytes, &message)) {
		case DEMO_WEBSOCKET_MORE:
			return;
		case DEMO_WEBSOCKET_MESSAGE:
			take_message(self, &message);
			break;
		case DEMO_WEBSOCKET_FAILED:
			close_console(self, message.close_code);
			break;
		}
	}
}

static void fini(struct demo_answer *answer)
{
	struct console *self = console_of(answer);

	loop_timer_stop(answer->service->loop, &self->timer);
	demo_websocket_reader_fini(&self->reader);
}

const struct demo_answer_kind demo_console = {
	.size = sizeof(struct console),
	.begin = begin,
	.data = data,
	.end = end,
	.fini = fini,
};
