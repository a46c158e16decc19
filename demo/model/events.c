/*
 * Layer: demo. One job: see events.h. The format is that of the HTML Living Standard, section 9.2.
 */
#include "demo/model/events.h"

#include <inttypes.h>

void demo_events_init(struct demo_events *self)
{
	*self = (struct demo_events){.last_id = 0};
	list_init(&self->readers);
}

void demo_events_fini(struct demo_events *self)
{
	for (unsigned i = 0; i < DEMO_EVENTS_KEPT; i++) {
		buffer_fini(&self->kept[i]);
	}
}

void demo_events_publish(struct demo_events *self, const char *type, struct slice data)
{
	uint64_t id = ++self->last_id;
	struct buffer *text = &self->kept[id % DEMO_EVENTS_KEPT];

	buffer_clear(text);
	buffer_printf(text, "id: %" PRIu64 "\nevent: %s\ndata: ", id, type);
	buffer_append_slice(text, data);
	buffer_append_str(text, "\n\n");
	list_each (node, after, &self->readers) {
		struct demo_events_reader *reader =
			container_of(node, struct demo_events_reader, node);

		reader->wake(reader);
	}
}

void demo_events_reader_init(
	struct demo_events_reader *reader, void (*wake)(struct demo_events_reader *reader))
{
	*reader = (struct demo_events_reader){.wake = wake};
	list_init(&reader->node);
}

void demo_events_join(struct demo_events *self, struct demo_events_reader *reader, uint64_t after)
{
	uint64_t shown =
		self->last_id < DEMO_EVENTS_AT_FIRST ? self->last_id : DEMO_EVENTS_AT_FIRST;

	if (after == 0 || after > self->last_id) { /* new, or from before the demo was restarted */
		after = self->last_id - shown;
	}
	reader->next_id = after + 1;
	list_push_back(&self->readers, &reader->node);
}

void demo_events_leave(struct demo_events_reader *reader)
{
	list_remove(&reader->node);
}

void demo_events_take(
	const struct demo_events *self, struct demo_events_reader *reader, struct buffer *out)
{
	uint64_t oldest =
		self->last_id < DEMO_EVENTS_KEPT ? 1 : self->last_id - DEMO_EVENTS_KEPT + 1;

	if (reader->next_id < oldest) {
		buffer_printf(out, "event: gap\ndata: {\"missed\":%" PRIu64 "}\n\n",
			oldest - reader->next_id);
		reader->next_id = oldest;
	}
	for (; reader->next_id <= self->last_id; reader->next_id++) {
		const struct buffer *text = &self->kept[reader->next_id % DEMO_EVENTS_KEPT];

		buffer_append_slice(out, buffer_slice(text));
	}
}
