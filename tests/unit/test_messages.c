/*
 * The last messages of WebSockets and streams of events in their records: within a bound, read
 * while they come, and shown without secrets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "fake_exchange.h"
#include "inspector/capture.h"
#include "inspector/messages_json.h"

enum {
	WRITTEN = 5000, /* messages, in the test with threads */
};

static const char handshake[] = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n"
				"Upgrade: websocket\r\n\r\n";
static const char switching[] = "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n";

struct fixture {
	struct inspector_settings settings;
	struct capture_store *store;
	struct capture *capture;
	struct redactor *redactor;
	struct fake_exchange fake;
	struct record *record;
	struct buffer copy;
	struct buffer out;
	struct buffer scratch;
};

static void start(struct fixture *f, uint64_t memory)
{
	f->settings.capture.entries = 100;
	f->settings.capture.memory = memory;
	f->settings.capture.body = 64 * 1024;
	f->settings.capture.rows = 16;
	f->store = capture_store_create(&f->settings);
	f->capture = capture_create(f->store, f->settings.capture.body);
	f->redactor = redactor_create(&f->settings);
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	capture_store_release(f->store, f->record);
	capture_destroy(f->capture);
	capture_store_destroy(f->store);
	redactor_destroy(f->redactor);
	buffer_fini(&f->copy);
	buffer_fini(&f->out);
	buffer_fini(&f->scratch);
	free(f);
	return 0;
}

static void begin(
	struct fixture *f, const char *request, const char *response, enum capture_level level)
{
	fake_begin(&f->fake, capture_observer(f->capture), request, "id", level);
	fake_request_end(&f->fake, NULL);
	fake_response(&f->fake, response);
	f->record = capture_store_find_id(f->store, SLICE("id"));
	assert_non_null(f->record);
}

static struct record_view view_of(struct fixture *f)
{
	struct record_view view;

	record_read(f->record, &view);
	return view;
}

/* As a server sends it, which masks nothing. */
static void send_text(struct fixture *f, const char *text)
{
	size_t len = strlen(text);
	unsigned char head[4] = {0x81, 126, (unsigned char)(len >> 8), (unsigned char)len};

	fake_response_data(&f->fake, slice_of((const char *)head, 4));
	fake_response_data(&f->fake, slice_of(text, len));
}

static const char *shown(struct fixture *f)
{
	const struct record_format format = {.redactor = f->redactor, .scratch = &f->scratch};
	struct record_view view = view_of(f);
	struct json json;

	buffer_clear(&f->out);
	json_init(&json, &f->out);
	json_begin_object(&json);
	messages_json(&json, view.messages, &format);
	json_end_object(&json);
	*buffer_reserve(&f->out, 1) = '\0';
	return f->out.ptr;
}

static void a_websockets_messages_are_in_its_record_while_it_runs(void **state)
{
	struct fixture *f = *state;

	start(f, 1 << 20);
	begin(f, handshake, switching, CAPTURE_FULL);
	assert_string_equal(shown(f), "{\"messages\":[],\"messages_total\":0}");
	fake_request_data(&f->fake, SLICE("\x81\x82\0\0\0\0hi"));
	send_text(f, "there");
	fake_response_data(&f->fake, SLICE("\x82\x01\xff"));
	assert_non_null(strstr(shown(f),
		"\"direction\":\"in\",\"type\":\"text\",\"size\":2,\"text\":\"hi\","
		"\"truncated\":false,\"redacted\":false,\"compressed\":false},"));
	assert_non_null(strstr(f->out.ptr,
		"\"direction\":\"out\",\"type\":\"text\",\"size\":5,\"text\":\"there\""));
	assert_non_null(strstr(
		f->out.ptr, "\"direction\":\"out\",\"type\":\"binary\",\"size\":1,\"text\":null,"));
	fake_finish(&f->fake, EXCHANGE_TUNNEL, ERR_NONE);
	assert_non_null(strstr(shown(f), "there")); /* and after it */
}

static void a_tunnels_bytes_are_counted_while_it_runs(void **state)
{
	struct fixture *f = *state;

	start(f, 1 << 20);
	for (enum capture_level level = CAPTURE_FULL; level <= CAPTURE_HEADERS; level++) {
		begin(f, handshake, switching, level);
		fake_request_data(&f->fake, SLICE("12345"));
		fake_response_data(&f->fake, SLICE("1234567"));
		assert_int_equal(view_of(f).request_body.size, 5);
		assert_int_equal(view_of(f).response_body.size, 7);
		assert_int_equal(view_of(f).response_body.kept, 0);
		assert_true((view_of(f).messages != NULL) == (level == CAPTURE_FULL));
		fake_finish(&f->fake, EXCHANGE_TUNNEL, ERR_NONE);
		capture_store_release(f->store, f->record);
		f->record = NULL;
	}
}

static void events_of_a_stream_are_messages(void **state)
{
	struct fixture *f = *state;

	start(f, 1 << 20);
	begin(f, "GET /e HTTP/1.1\r\nHost: a\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n",
		CAPTURE_FULL);
	fake_response_data(&f->fake, SLICE("event: tick\ndata: {\"n\":"));
	fake_response_data(&f->fake, SLICE("1}\n\ndata: nameless\n\n"));
	assert_non_null(strstr(shown(f),
		"\"direction\":\"out\",\"type\":\"event\",\"name\":\"tick\",\"size\":7,"
		"\"text\":\"{\\\"n\\\":1}\""));
	assert_non_null(strstr(f->out.ptr, "\"name\":null,\"size\":8,\"text\":\"nameless\""));
	assert_true(view_of(f).response_body.kept > 0); /* it is a body, too */
	fake_finish(&f->fake, EXCHANGE_COMPLETE, ERR_NONE);
}

static void other_answers_have_none(void **state)
{
	static const char *const heads[] = {
		"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
		"Content-Encoding: gzip\r\n\r\n",
		"HTTP/1.1 404 No\r\nContent-Type: text/event-stream\r\n\r\n",
	};
	struct fixture *f = *state;

	start(f, 1 << 20);
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		begin(f, "GET /e HTTP/1.1\r\nHost: a\r\n\r\n", heads[i], CAPTURE_FULL);
		fake_response_data(&f->fake, SLICE("data: no\n\n"));
		assert_null(view_of(f).messages);
		fake_finish(&f->fake, EXCHANGE_COMPLETE, ERR_NONE);
		capture_store_release(f->store, f->record);
		f->record = NULL;
	}
}

/* The number that a message ends with. */
static uint64_t number_in(const struct stream_message *message)
{
	uint64_t number = UINT64_MAX;

	(void)slice_to_u64(
		slice_of(message->text.ptr + message->text.len - 10, 10), UINT32_MAX, &number);
	return number;
}

static unsigned count_messages(
	struct fixture *f, struct stream_message *first, struct stream_message *last)
{
	uint64_t total;
	struct slice rest = messages_copy(view_of(f).messages, &f->copy, &total);
	unsigned count = 0;

	while (messages_next(&rest, last)) {
		if (count++ == 0) {
			*first = *last;
		}
	}
	return count;
}

static void the_last_ones_are_kept_within_their_bound_and_the_records(void **state)
{
	struct fixture *f = *state;
	struct stream_message first;
	struct stream_message last;
	struct capture_counts counts;
	uint64_t before;
	unsigned count;

	start(f, 1 << 20);
	begin(f, handshake, switching, CAPTURE_FULL);
	capture_store_counts(f->store, &counts);
	before = counts.bytes;
	for (unsigned i = 0; i < 1000; i++) {
		char text[128];

		(void)snprintf(text, sizeof(text), "%0100u", i);
		send_text(f, text);
	}
	count = count_messages(f, &first, &last);
	assert_true(count > 80 && count < 200);
	assert_int_equal(number_in(&last), 999);
	assert_non_null(strstr(shown(f), "\"messages_total\":1000}"));
	assert_int_equal(number_in(&first), 1000 - count); /* none is missing between */
	capture_store_counts(f->store, &counts);
	assert_in_range(counts.bytes - before, 3 * MESSAGES_PAGE_SIZE, 5 * MESSAGES_PAGE_SIZE);
	fake_finish(&f->fake, EXCHANGE_TUNNEL, ERR_NONE);
}

static void where_memory_is_short_there_are_fewer(void **state)
{
	struct fixture *f = *state;
	struct stream_message first;
	struct stream_message last;

	start(f, 8 * 1024);
	begin(f, handshake, switching, CAPTURE_FULL);
	for (unsigned i = 0; i < 100; i++) {
		char text[512];

		(void)snprintf(text, sizeof(text), "%0400u", i);
		send_text(f, text);
	}
	assert_true(count_messages(f, &first, &last) > 0);
	assert_int_equal(number_in(&last), 99);
	fake_finish(&f->fake, EXCHANGE_TUNNEL, ERR_NONE);
}

static void a_long_message_is_cut_between_characters(void **state)
{
	struct fixture *f = *state;
	char text[3001] = "x";

	start(f, 1 << 20);
	begin(f, handshake, switching, CAPTURE_FULL);
	for (unsigned i = 1; i + 1 < sizeof(text); i += 2) {
		memcpy(text + i, "\xc3\xa9", 2);
	}
	text[2999] = '\0';
	send_text(f, text);
	assert_non_null(strstr(shown(f), "\"size\":2999,"));
	assert_non_null(strstr(f->out.ptr, "\xc3\xa9\",\"truncated\":true"));
	assert_null(strstr(f->out.ptr, "\xef\xbf\xbd"));
	fake_finish(&f->fake, EXCHANGE_TUNNEL, ERR_NONE);
}

static void secrets_in_messages_are_hidden(void **state)
{
	struct fixture *f = *state;

	start(f, 1 << 20);
	begin(f, handshake, switching, CAPTURE_FULL);
	send_text(f, "key AKIAIOSFODNN7EXAMPLE is");
	assert_non_null(strstr(shown(f), "[redacted]"));
	assert_null(strstr(f->out.ptr, "AKIAIOSFODNN7EXAMPLE"));
	assert_non_null(strstr(f->out.ptr, "\"redacted\":true"));
	fake_finish(&f->fake, EXCHANGE_TUNNEL, ERR_NONE);
}

static void what_breaks_the_rules_ends_the_messages_and_not_the_exchange(void **state)
{
	struct fixture *f = *state;

	start(f, 1 << 20);
	begin(f, handshake, switching, CAPTURE_FULL);
	send_text(f, "before");
	fake_response_data(&f->fake, SLICE("\xff\xff no frame"));
	send_text(f, "after");
	fake_request_data(&f->fake, SLICE("\x81\x82\0\0\0\0hi"));
	assert_non_null(strstr(shown(f), "before"));
	assert_null(strstr(f->out.ptr, "after"));
	assert_non_null(strstr(f->out.ptr, "hi")); /* the other direction goes on */
	assert_int_equal(view_of(f).response_body.size, 10 + 11 + 9);
	fake_finish(&f->fake, EXCHANGE_TUNNEL, ERR_NONE);
}

static void *read_on(void *argument)
{
	struct fixture *f = argument;
	struct buffer copy = BUFFER_INIT;
	uint64_t seen = 0;

	while (seen < WRITTEN - 1) {
		struct record_view view;
		struct slice rest;
		struct stream_message message;
		uint64_t total;
		uint64_t before = UINT64_MAX;

		record_read(f->record, &view);
		rest = messages_copy(view.messages, &copy, &total);
		while (messages_next(&rest, &message)) {
			seen = number_in(&message);
			if (before != UINT64_MAX && seen != before + 1) {
				abort();
			}
			before = seen;
		}
	}
	buffer_fini(&copy);
	return NULL;
}

static void they_are_read_whole_and_in_order_while_they_come(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;

	start(f, 1 << 20);
	begin(f, handshake, switching, CAPTURE_FULL);
	assert_int_equal(pthread_create(&thread, NULL, read_on, f), 0);
	for (unsigned i = 0; i < WRITTEN; i++) {
		char text[128];

		(void)snprintf(text, sizeof(text), "%064u", i);
		send_text(f, text);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	fake_finish(&f->fake, EXCHANGE_TUNNEL, ERR_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_websockets_messages_are_in_its_record_while_it_runs),
		TEST(a_tunnels_bytes_are_counted_while_it_runs),
		TEST(events_of_a_stream_are_messages),
		TEST(other_answers_have_none),
		TEST(the_last_ones_are_kept_within_their_bound_and_the_records),
		TEST(where_memory_is_short_there_are_fewer),
		TEST(a_long_message_is_cut_between_characters),
		TEST(secrets_in_messages_are_hidden),
		TEST(what_breaks_the_rules_ends_the_messages_and_not_the_exchange),
		TEST(they_are_read_whole_and_in_order_while_they_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
