/*
 * Layer: demo. One job: the event log as Server-Sent Events, GET /api/events. A reader that takes
 * nothing is sent nothing: it hears of what it missed when it reads again.
 */
#include "demo/answers/kinds.h"
#include "demo/service.h"

struct event_stream {
	struct demo_answer base;
	struct demo_events_reader reader;
};

static void send_new(struct event_stream *self)
{
	struct buffer text = BUFFER_INIT;

	if (demo_client_blocked(self->base.client)) {
		demo_client_want_more(self->base.client);
		return;
	}
	demo_events_take(&self->base.service->events, &self->reader, &text);
	demo_client_write_buffer(self->base.client, &text);
}

static void on_wake(struct demo_events_reader *reader)
{
	send_new(container_of(reader, struct event_stream, reader));
}

static void begin(struct demo_answer *answer)
{
	demo_events_reader_init(&container_of(answer, struct event_stream, base)->reader, on_wake);
}

/* The ID of the last event that the client saw, which a browser sends when it connects again. */
static uint64_t last_event_id(const struct head *head)
{
	const struct field *field = head_find_name(head, SLICE("Last-Event-ID"));
	uint64_t id = 0;

	if (field != NULL) {
		(void)slice_to_u64(head_value(head, field), UINT64_MAX, &id);
	}
	return id;
}

static void end(struct demo_answer *answer)
{
	struct event_stream *self = container_of(answer, struct event_stream, base);
	const struct demo_head head = {
		.status = 200,
		.content_type = "text/event-stream",
		.length = DEMO_LENGTH_UNKNOWN,
		.fields = SLICE("Cache-Control: no-store\r\n"),
	};

	if (!demo_client_head(answer->client, &head)) {
		demo_client_end(answer->client);
		return;
	}
	demo_client_write(answer->client, SLICE("retry: 2000\n\n"));
	demo_events_join(
		&answer->service->events, &self->reader, last_event_id(&answer->request->head));
	send_new(self);
}

static void more(struct demo_answer *answer)
{
	send_new(container_of(answer, struct event_stream, base));
}

static void fini(struct demo_answer *answer)
{
	demo_events_leave(&container_of(answer, struct event_stream, base)->reader);
}

const struct demo_answer_kind demo_event_stream = {
	.size = sizeof(struct event_stream),
	.begin = begin,
	.end = end,
	.more = more,
	.fini = fini,
};
