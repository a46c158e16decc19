/*
 * The input is the stream, whole and cut.
 */
#include "base/buffer.h"
#include "inspector/event_stream_reader.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/expect.h"
#include "tests/unit/guarded.h"

static const size_t steps[] = {1, 2, 3, 7, 50};

struct telling {
	struct buffer told;
	uint64_t size;
};

static void on_event(void *context, const struct event_stream_event *event)
{
	struct telling *telling = context;

	EXPECT(event->text.len <= EVENT_STREAM_TEXT_MAX && event->text.len <= event->size);
	EXPECT(event->name.len <= EVENT_STREAM_NAME_MAX);
	EXPECT(event->name.len == 0 || memchr(event->name.ptr, '\n', event->name.len) == NULL);
	telling->size += event->size;
	buffer_append_slice(&telling->told, event->name);
	buffer_printf(&telling->told, " %llu ", (unsigned long long)event->size);
	buffer_append_slice(&telling->told, event->text);
}

static void feed(struct telling *telling, struct slice input, size_t step)
{
	static struct event_stream_reader reader;

	buffer_clear(&telling->told);
	telling->size = 0;
	event_stream_reader_init(&reader);
	while (input.len > 0) {
		size_t len = step < input.len ? step : input.len;

		event_stream_reader_feed(
			&reader, guarded_copy(slice_of(input.ptr, len)), on_event, telling);
		input = slice_of(input.ptr + len, input.len - len);
	}
}

void check_event_stream(struct slice input)
{
	struct telling whole = {.told = BUFFER_INIT};
	struct telling cut = {.told = BUFFER_INIT};

	if (input.len > 60000) {
		return;
	}
	feed(&whole, input, SIZE_MAX);
	EXPECT(whole.size <= input.len);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		feed(&cut, input, steps[i]);
		EXPECT(cut.size == whole.size);
		EXPECT(slice_equal(buffer_slice(&cut.told), buffer_slice(&whole.told)));
	}
	buffer_fini(&whole.told);
	buffer_fini(&cut.told);
}
