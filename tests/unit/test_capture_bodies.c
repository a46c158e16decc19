/*
 * Bodies as they pass: what is kept of them, and the hash of all of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_exchange.h"
#include "inspector/capture.h"

enum {
	PATTERN = 400000,
};

struct fixture {
	struct inspector_settings settings;
	struct capture_store *store;
	struct capture *capture;
	struct observer *observer;
	struct fake_exchange fake;
	struct record *record;
	struct record_view view;
	char *pattern;
};

static void start(struct fixture *f, uint64_t memory, uint64_t body)
{
	f->settings.capture.entries = 100;
	f->settings.capture.memory = memory;
	f->settings.capture.body = body;
	f->store = capture_store_create(&f->settings);
	f->capture = capture_create(f->store, body);
	f->observer = capture_observer(f->capture);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->pattern = malloc(PATTERN);
	for (size_t i = 0; i < PATTERN; i++) {
		f->pattern[i] = (char)(i * 7 + i / 251);
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	capture_store_release(f->store, f->record);
	capture_destroy(f->capture);
	capture_store_destroy(f->store);
	free(f->pattern);
	free(f);
	return 0;
}

static void look(struct fixture *f)
{
	capture_store_release(f->store, f->record);
	f->record = NULL;
	assert_int_equal(capture_store_take(f->store, UINT64_MAX, 0, &f->record, 1), 1);
	record_read(f->record, &f->view);
}

/* An answer of `size` bytes of the pattern, `step` at a time. `length`: it says so in its head. */
static void answer(struct fixture *f, size_t size, size_t step, bool length)
{
	char head[128];

	fake_begin(&f->fake, f->observer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "id", CAPTURE_FULL);
	fake_request_end(&f->fake, NULL);
	snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", size);
	fake_response(
		&f->fake, length ? head : "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (size_t at = 0; at < size; at += step) {
		fake_response_data(
			&f->fake, slice_of(f->pattern + at, size - at < step ? size - at : step));
	}
	fake_response_end(&f->fake, NULL);
	fake_finish(&f->fake, EXCHANGE_COMPLETE, ERR_NONE);
	look(f);
}

/* What is kept is the beginning of the pattern, however it is read. */
static void assert_content(struct fixture *f)
{
	const struct record_body *body = &f->view.response_body;
	struct record_parts walk = record_parts(body);
	struct slice part;
	char *copy = malloc((size_t)body->kept + 1);
	uint64_t at = 0;

	while (record_parts_next(&walk, &part)) {
		assert_true(part.len > 0);
		assert_memory_equal(part.ptr, f->pattern + at, part.len);
		at += part.len;
	}
	assert_int_equal(at, body->kept);
	for (uint64_t from = 0; from <= body->kept; from += 1 + body->kept / 3) {
		size_t wanted = (size_t)(body->kept - from);

		assert_int_equal(record_body_copy(body, from, copy, wanted + 1), wanted);
		assert_memory_equal(copy, f->pattern + from, wanted);
	}
	free(copy);
}

/* As `xxhsum -H2` of Debian's xxhash 0.8.1 prints it for the first bytes of the pattern. */
static const struct {
	size_t size;
	const char *hash;
} known[] = {
	{1, "a6cd5e9392000f6ac44bdff4074eecdb"},
	{100, "858be3b5082c7eb73dc31a0ba04530cd"},
	{4080, "0099c9cf0d5643a788a7252b8d1a0371"},
	{5000, "a831ba0ab04f5544e69c7c10fe601e8d"},
	{100000, "faa51cdf3b1485174e16d63e05fac6ed"},
	{400000, "de92dbbf447ccd6cf96e28753fd2d2ae"},
};

static void hash_text(const struct record_body *body, char text[static RECORD_HASH_TEXT_SIZE])
{
	uint8_t hash[RECORD_HASH_SIZE];

	assert_true(record_body_hash(body, hash));
	record_hash_format(hash, text);
}

static void a_hash_is_what_xxhsum_prints_however_the_body_came(void **state)
{
	struct fixture *f = *state;
	static const size_t steps[] = {1, 3, 127, 4096, 65536, PATTERN};

	start(f, 1024 * 1024, 64 * 1024);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		for (size_t s = known[i].size > 5000 ? 2 : 0; s < sizeof(steps) / sizeof(steps[0]);
			s++) {
			for (unsigned length = 0; length < 2; length++) {
				char text[RECORD_HASH_TEXT_SIZE];

				answer(f, known[i].size, steps[s], length == 1);
				assert_true(f->view.response_body.has_hash);
				hash_text(&f->view.response_body, text);
				assert_string_equal(text, known[i].hash);
				assert_int_equal(f->view.response_body.size, known[i].size);
				assert_content(f);
			}
		}
	}
}

static void a_body_up_to_the_bound_is_kept_whole(void **state)
{
	struct fixture *f = *state;

	start(f, 1024 * 1024, 100000);
	answer(f, 100000, 9999, true);
	assert_int_equal(f->view.response_body.kept, 100000);
	assert_false(f->view.response_body.truncated);
	assert_content(f);
	answer(f, 100000, 9999, false);
	assert_int_equal(f->view.response_body.kept, 100000);
	assert_false(f->view.response_body.truncated);
	assert_content(f);
}

static void of_a_longer_body_the_beginning_is_kept_and_all_is_counted(void **state)
{
	struct fixture *f = *state;
	struct capture_counts counts;

	start(f, 1024 * 1024, 99999);
	answer(f, 100000, 9999, true);
	assert_int_equal(f->view.response_body.kept, 99999);
	assert_int_equal(f->view.response_body.size, 100000);
	assert_true(f->view.response_body.truncated);
	assert_content(f);
	answer(f, PATTERN, 9999, false);
	assert_int_equal(f->view.response_body.kept, 99999);
	assert_int_equal(f->view.response_body.size, PATTERN);
	assert_true(f->view.response_body.truncated);
	capture_store_counts(f->store, &counts);
	assert_int_equal(counts.truncated, 2);
}

static void where_no_body_may_be_kept_it_still_has_a_size_and_a_hash(void **state)
{
	struct fixture *f = *state;
	char text[RECORD_HASH_TEXT_SIZE];

	start(f, 1024 * 1024, 0);
	answer(f, 5000, 999, true);
	assert_int_equal(f->view.response_body.kept, 0);
	assert_int_equal(f->view.response_body.size, 5000);
	assert_true(f->view.response_body.truncated);
	hash_text(&f->view.response_body, text);
	assert_string_equal(text, "a831ba0ab04f5544e69c7c10fe601e8d");
}

static void a_body_larger_than_all_memory_fills_it_and_streams_on(void **state)
{
	struct fixture *f = *state;
	struct capture_counts counts;
	char text[RECORD_HASH_TEXT_SIZE];

	start(f, 64 * 1024, 1024 * 1024);
	answer(f, PATTERN, 7777, true);
	assert_true(f->view.response_body.truncated);
	assert_true(f->view.response_body.kept > 60 * 1024 - 4096);
	assert_int_equal(f->view.response_body.size, PATTERN);
	hash_text(&f->view.response_body, text);
	assert_string_equal(text, "de92dbbf447ccd6cf96e28753fd2d2ae");
	assert_content(f);
	capture_store_counts(f->store, &counts);
	assert_true(counts.bytes <= counts.memory);
	assert_int_equal(counts.truncated, 1);
}

static void a_finished_body_holds_little_more_memory_than_its_bytes(void **state)
{
	struct fixture *f = *state;
	static const size_t sizes[] = {1, 2000, 2049, 5000, 17000, 33000, 100000};

	start(f, 1024 * 1024, 256 * 1024);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (unsigned length = 0; length < 2; length++) {
			struct capture_counts counts;

			capture_store_clear(f->store);
			answer(f, sizes[i], 1000, length == 1);
			capture_store_release(f->store, f->record);
			f->record = NULL;
			capture_store_counts(f->store, &counts);
			assert_true(counts.bytes < 900 + sizes[i] + sizes[i] / 50 + 2 * 128);
		}
	}
}

static void a_body_cut_off_before_its_length_keeps_what_came(void **state)
{
	struct fixture *f = *state;
	char text[RECORD_HASH_TEXT_SIZE];

	start(f, 1024 * 1024, 256 * 1024);
	fake_begin(&f->fake, f->observer,
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n", "id", CAPTURE_FULL);
	fake_request_data(&f->fake, slice_of(f->pattern, 100));
	fake_finish(&f->fake, EXCHANGE_CLIENT_ABORTED, ERR_CLIENT_GONE);
	look(f);
	assert_int_equal(f->view.request_body.size, 100);
	assert_int_equal(f->view.request_body.kept, 100);
	assert_false(f->view.request_body.truncated);
	assert_true(f->view.request_body.ended);
	hash_text(&f->view.request_body, text);
	assert_string_equal(text, "858be3b5082c7eb73dc31a0ba04530cd");
}

/* How long the last answer was is a guess for the next one, and no reason to forget anything. */
static void an_unusually_long_head_makes_nothing_go_for_the_next_record(void **state)
{
	struct fixture *f = *state;
	struct capture_counts counts;
	char *head;

	start(f, 64 * 1024, 0);
	head = test_malloc(40 * 1024);
	memset(head, 'x', 40 * 1024);
	memcpy(head, "HTTP/1.1 204 No Content\r\nX-Long: ", 33);
	memcpy(head + 40 * 1024 - 5, "\r\n\r\n", 5);
	for (unsigned i = 0; i < 2; i++) {
		fake_begin(&f->fake, f->observer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "id",
			CAPTURE_FULL);
		fake_request_end(&f->fake, NULL);
		fake_response(&f->fake, i == 0 ? head : "HTTP/1.1 204 No Content\r\n\r\n");
		fake_response_end(&f->fake, NULL);
		fake_finish(&f->fake, EXCHANGE_COMPLETE, ERR_NONE);
	}
	test_free(head);
	capture_store_counts(f->store, &counts);
	assert_int_equal(counts.count, 2);
	assert_int_equal(counts.evicted, 0);
	assert_int_equal(counts.dropped, 0);
	assert_int_equal(counts.truncated, 0);
}

static void two_bodies_that_grow_at_once_stay_apart(void **state)
{
	struct fixture *f = *state;
	struct record_parts walk;
	struct slice part;
	size_t at = 0;

	start(f, 1024 * 1024, 256 * 1024);
	fake_begin(&f->fake, f->observer,
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "id",
		CAPTURE_FULL);
	fake_response(&f->fake, "HTTP/1.1 200 OK\r\n\r\n");
	for (size_t i = 0; i < 100; i++) {
		fake_request_data(&f->fake, slice_of(f->pattern + 1000 + 333 * i, 333));
		fake_response_data(&f->fake, slice_of(f->pattern + 777 * i, 777));
	}
	fake_request_end(&f->fake, NULL);
	fake_response_end(&f->fake, NULL);
	fake_finish(&f->fake, EXCHANGE_COMPLETE, ERR_NONE);
	look(f);
	assert_int_equal(f->view.response_body.kept, 77700);
	assert_content(f);
	for (walk = record_parts(&f->view.request_body); record_parts_next(&walk, &part);
		at += part.len) {
		assert_memory_equal(part.ptr, f->pattern + 1000 + at, part.len);
	}
	assert_int_equal(at, 33300);
}

static void what_could_be_read_of_a_running_body_stays(void **state)
{
	struct fixture *f = *state;

	start(f, 1024 * 1024, 256 * 1024);
	fake_begin(&f->fake, f->observer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "id", CAPTURE_FULL);
	fake_response(&f->fake, "HTTP/1.1 200 OK\r\n\r\n");
	fake_response_data(&f->fake, slice_of(f->pattern, 3000));
	look(f);
	fake_response_data(&f->fake, slice_of(f->pattern + 3000, 97000));
	fake_response_end(&f->fake, NULL);
	fake_finish(&f->fake, EXCHANGE_COMPLETE, ERR_NONE);
	assert_int_equal(f->view.response_body.kept, 3000);
	assert_content(f);
}

static void more_than_was_announced_is_kept_all_the_same(void **state)
{
	struct fixture *f = *state;

	start(f, 1024 * 1024, 256 * 1024);
	fake_begin(&f->fake, f->observer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "id", CAPTURE_FULL);
	fake_response(&f->fake, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
	fake_response_data(&f->fake, slice_of(f->pattern, 8));
	fake_response_data(&f->fake, slice_of(f->pattern + 8, 4992));
	fake_response_end(&f->fake, NULL);
	fake_finish(&f->fake, EXCHANGE_COMPLETE, ERR_NONE);
	look(f);
	assert_int_equal(f->view.response_body.kept, 5000);
	assert_content(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_hash_is_what_xxhsum_prints_however_the_body_came),
		TEST(a_body_up_to_the_bound_is_kept_whole),
		TEST(of_a_longer_body_the_beginning_is_kept_and_all_is_counted),
		TEST(where_no_body_may_be_kept_it_still_has_a_size_and_a_hash),
		TEST(a_body_larger_than_all_memory_fills_it_and_streams_on),
		TEST(a_finished_body_holds_little_more_memory_than_its_bytes),
		TEST(a_body_cut_off_before_its_length_keeps_what_came),
		TEST(an_unusually_long_head_makes_nothing_go_for_the_next_record),
		TEST(two_bodies_that_grow_at_once_stay_apart),
		TEST(what_could_be_read_of_a_running_body_stays),
		TEST(more_than_was_announced_is_kept_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
