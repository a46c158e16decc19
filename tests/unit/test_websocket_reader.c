/*
 * A WebSocket's messages as they pass, cut anywhere, and what stops the reader.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/buffer.h"
#include "guarded.h"
#include "inspector/websocket_reader.h"

struct fixture {
	struct websocket_reader reader;
	struct buffer stream; /* what passes */
	struct buffer told;   /* "text 5 hello; " */
};

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.stream = BUFFER_INIT};
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	buffer_fini(&f->stream);
	buffer_fini(&f->told);
	return 0;
}

static void on_message(void *context, const struct websocket_message *message)
{
	struct fixture *f = context;

	buffer_printf(&f->told, "%s%s %llu ", message->compressed ? "compressed " : "",
		message->is_text ? "text" : "binary", (unsigned long long)message->size);
	buffer_append_slice(&f->told, message->text);
	buffer_append_str(&f->told, "; ");
}

/* A frame; with `mask` as a client sends it. The first byte is given whole. */
static void put(struct fixture *f, unsigned first, struct slice payload, bool mask)
{
	static const unsigned char key[4] = {0x37, 0xfa, 0x21, 0x3d};
	unsigned char head[14] = {(unsigned char)first};
	size_t len = 2;

	if (payload.len < 126) {
		head[1] = (unsigned char)payload.len;
	} else if (payload.len <= UINT16_MAX) {
		head[1] = 126;
		head[2] = (unsigned char)(payload.len >> 8);
		head[3] = (unsigned char)payload.len;
		len = 4;
	} else {
		head[1] = 127;
		for (unsigned i = 0; i < 8; i++) {
			head[2 + i] = (unsigned char)((uint64_t)payload.len >> (56 - 8 * i));
		}
		len = 10;
	}
	if (mask) {
		head[1] |= 0x80;
		memcpy(head + len, key, 4);
		len += 4;
	}
	buffer_append(&f->stream, head, len);
	for (size_t i = 0; i < payload.len; i++) {
		char byte = (char)((unsigned char)payload.ptr[i] ^ (mask ? key[i % 4] : 0));

		buffer_append_char(&f->stream, byte);
	}
}

static const char *told(struct fixture *f)
{
	*buffer_reserve(&f->told, 1) = '\0';
	return f->told.ptr;
}

/* Feeds it `step` bytes at a time; 0: all at once. Each part ends at an unreadable page. */
static void feed(struct fixture *f, bool from_client, bool may_compress, size_t step)
{
	struct slice rest = buffer_slice(&f->stream);

	buffer_clear(&f->told);
	websocket_reader_init(&f->reader, from_client, may_compress);
	while (rest.len > 0) {
		size_t len = step == 0 || step > rest.len ? rest.len : step;

		websocket_reader_feed(
			&f->reader, guarded_copy(slice_of(rest.ptr, len)), on_message, f);
		rest = slice_of(rest.ptr + len, rest.len - len);
	}
}

/* However it is cut. */
static void expect(struct fixture *f, bool from_client, bool may_compress, const char *wanted)
{
	for (size_t step = 0; step <= f->stream.len && step < 64; step++) {
		feed(f, from_client, may_compress, step);
		assert_string_equal(told(f), wanted);
	}
}

static void messages_of_both_sides_are_told(void **state)
{
	struct fixture *f = *state;

	put(f, 0x81, SLICE("hello"), true);
	put(f, 0x82, SLICE("\0\1\2"), true);
	put(f, 0x81, SLICE(""), true);
	expect(f, true, false, "text 5 hello; binary 3 ; text 0 ; ");
	assert_false(f->reader.stopped);
	buffer_clear(&f->stream);
	put(f, 0x81, SLICE("good morning"), false);
	expect(f, false, false, "text 12 good morning; ");
}

static void fragments_become_one_message_and_control_frames_may_come_between(void **state)
{
	struct fixture *f = *state;

	put(f, 0x01, SLICE("one "), true);
	put(f, 0x89, SLICE("ping"), true);
	put(f, 0x00, SLICE("two "), true);
	put(f, 0x00, SLICE(""), true);
	put(f, 0x8a, SLICE(""), true);
	put(f, 0x80, SLICE("three"), true);
	put(f, 0x88, SLICE("\x03\xe8"), true);
	expect(f, true, false, "text 13 one two three; ");
	assert_false(f->reader.stopped);
}

static void of_a_long_message_the_first_bytes_are_kept_and_all_are_counted(void **state)
{
	static char payload[70000];
	struct fixture *f = *state;
	char wanted[WEBSOCKET_TEXT_MAX + 64];

	memset(payload, 'x', sizeof(payload));
	(void)snprintf(wanted, sizeof(wanted), "text 70000 %.*s; ", WEBSOCKET_TEXT_MAX, payload);
	put(f, 0x81, slice_of(payload, sizeof(payload)), true);
	feed(f, true, false, 0);
	assert_string_equal(told(f), wanted);
	feed(f, true, false, 1000);
	assert_string_equal(told(f), wanted);
	buffer_clear(&f->stream);
	put(f, 0x82, slice_of(payload, 300), false);
	expect(f, false, false, "binary 300 ; ");
}

static void what_is_compressed_is_said_to_be_and_not_kept(void **state)
{
	struct fixture *f = *state;

	put(f, 0xc1, SLICE("\xf2\x48\xcd\xc9\xc9\x07"), false);
	put(f, 0x41, SLICE("\xf2\x48"), false);
	put(f, 0x80, SLICE("\xcd\xc9\xc9\x07"), false);
	put(f, 0x81, SLICE("plain"), false);
	expect(f, false, true, "compressed text 6 ; compressed text 6 ; text 5 plain; ");
}

static void what_breaks_the_rules_stops_the_reader(void **state)
{
	static const struct {
		const char *what;
		unsigned first;
		unsigned second;
		const char *more;
		size_t more_len;
		bool from_client;
	} cases[] = {
		{"compressed where nobody agreed", 0xc1, 0x01, "a", 1, false},
		{"a reserved bit", 0xa1, 0x01, "a", 1, false},
		{"a reserved opcode", 0x83, 0x01, "a", 1, false},
		{"a reserved control opcode", 0x8b, 0x00, "", 0, false},
		{"a fragmented ping", 0x09, 0x00, "", 0, false},
		{"a long ping", 0x89, 0x7e, "\0\x7e", 2, false},
		{"a continuation of nothing", 0x80, 0x01, "a", 1, false},
		{"a length of 2^63", 0x82, 0x7f, "\x80\0\0\0\0\0\0\0", 8, false},
		{"a client without a mask", 0x81, 0x01, "a", 1, true},
		{"a server with one", 0x81, 0x81, "\1\2\3\4a", 5, false},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buffer_clear(&f->stream);
		put(f, 0x81, SLICE("before"), cases[i].from_client);
		buffer_append_char(&f->stream, (char)cases[i].first);
		buffer_append_char(&f->stream, (char)cases[i].second);
		buffer_append(&f->stream, cases[i].more, cases[i].more_len);
		put(f, 0x81, SLICE("after"), cases[i].from_client);
		print_message("%s\n", cases[i].what);
		expect(f, cases[i].from_client, false, "text 6 before; ");
		assert_true(f->reader.stopped);
	}
}

static void a_message_within_a_message_stops_the_reader(void **state)
{
	struct fixture *f = *state;

	put(f, 0x01, SLICE("one"), true);
	put(f, 0x81, SLICE("two"), true);
	expect(f, true, false, "");
	assert_true(f->reader.stopped);
}

static void a_message_that_breaks_off_is_not_told(void **state)
{
	struct fixture *f = *state;

	put(f, 0x81, SLICE("whole"), true);
	put(f, 0x81, SLICE("half"), true);
	f->stream.len -= 2;
	expect(f, true, false, "text 5 whole; ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(messages_of_both_sides_are_told),
		TEST(fragments_become_one_message_and_control_frames_may_come_between),
		TEST(of_a_long_message_the_first_bytes_are_kept_and_all_are_counted),
		TEST(what_is_compressed_is_said_to_be_and_not_kept),
		TEST(what_breaks_the_rules_stops_the_reader),
		TEST(a_message_within_a_message_stops_the_reader),
		TEST(a_message_that_breaks_off_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
