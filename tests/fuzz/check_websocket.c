/*
 * The first byte of the input chooses whose frames they are and whether compression was agreed on;
 * the rest passes, whole and cut.
 */
#include "base/buffer.h"
#include "inspector/websocket_reader.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/expect.h"
#include "tests/unit/guarded.h"

static const size_t steps[] = {1, 2, 3, 7, 50};

struct telling {
	struct buffer told;
	uint64_t size;
	bool from_client;
	bool may_compress;
	bool stopped;
};

static void on_message(void *context, const struct websocket_message *message)
{
	struct telling *telling = context;

	EXPECT(message->text.len <= WEBSOCKET_TEXT_MAX && message->text.len <= message->size);
	EXPECT(message->text.len == 0 || (message->is_text && !message->compressed));
	EXPECT(!message->compressed || telling->may_compress);
	telling->size += message->size;
	buffer_printf(&telling->told, "%d %d %llu ", message->is_text, message->compressed,
		(unsigned long long)message->size);
	buffer_append_slice(&telling->told, message->text);
}

static void feed(struct telling *telling, struct slice input, size_t step)
{
	static struct websocket_reader reader;

	buffer_clear(&telling->told);
	telling->size = 0;
	websocket_reader_init(&reader, telling->from_client, telling->may_compress);
	while (input.len > 0) {
		size_t len = step < input.len ? step : input.len;

		websocket_reader_feed(
			&reader, guarded_copy(slice_of(input.ptr, len)), on_message, telling);
		input = slice_of(input.ptr + len, input.len - len);
	}
	telling->stopped = reader.stopped;
}

void check_websocket(struct slice input)
{
	struct telling whole = {.told = BUFFER_INIT};
	struct telling cut;

	if (input.len == 0 || input.len > 60000) {
		return;
	}
	whole.from_client = (input.ptr[0] & 1) != 0;
	whole.may_compress = (input.ptr[0] & 2) != 0;
	cut = whole;
	input = slice_of(input.ptr + 1, input.len - 1);
	feed(&whole, input, SIZE_MAX);
	EXPECT(whole.size <= input.len);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		feed(&cut, input, steps[i]);
		EXPECT(cut.size == whole.size && cut.stopped == whole.stopped);
		EXPECT(slice_equal(buffer_slice(&cut.told), buffer_slice(&whole.told)));
	}
	buffer_fini(&whole.told);
	buffer_fini(&cut.told);
}
