/*
 * Several workers record while others read, find and clear: to be run under ThreadSanitizer, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include <xxhash.h>

#include "fake_exchange.h"
#include "inspector/capture.h"

enum {
	WRITERS = 3,
	READERS = 2,
	EXCHANGES = 1500, /* of each writer */
	BODY_MAX = 20000,
	SLICE_OF_RECORDS = 16,
};

struct shared {
	struct capture_store *store;
	char pattern[BODY_MAX];
	atomic_uint writing; /* writers that have not ended */
	atomic_uint wrong;
	atomic_uint read;
};

struct writer {
	struct shared *shared;
	unsigned number;
};

static uint32_t draw(uint32_t *random, uint32_t below)
{
	*random = *random * 1664525u + 1013904223u;
	return (*random >> 8) % below;
}

static void record_one(struct shared *shared, struct observer *observer, uint32_t *random)
{
	struct fake_exchange fake;
	bool post = draw(random, 4) == 0;
	size_t size = draw(random, 3) == 0 ? draw(random, BODY_MAX) : draw(random, 300);
	size_t at = 0;
	char head[128];

	fake_begin(&fake, observer,
		post ? "POST /api HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
		     : "GET /api HTTP/1.1\r\nHost: a\r\n\r\n",
		"shared-id", draw(random, 10) == 0 ? CAPTURE_ROW : CAPTURE_FULL);
	if (post) {
		fake_request_data(&fake, slice_of(shared->pattern, 5));
	}
	fake_request_end(&fake, NULL);
	snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", size);
	fake_response(&fake, draw(random, 2) == 0 ? head : "HTTP/1.1 200 OK\r\n\r\n");
	while (at < size) {
		size_t len = 1 + draw(random, 4000);

		len = len < size - at ? len : size - at;
		fake_response_data(&fake, slice_of(shared->pattern + at, len));
		at += len;
	}
	fake_response_end(&fake, draw(random, 10) == 0 ? "X-Sum: 1\r\n\r\n" : NULL);
	fake_finish(&fake, EXCHANGE_COMPLETE, draw(random, 8) == 0 ? ERR_CONNECT : ERR_NONE);
}

static void *write_records(void *argument)
{
	struct writer *writer = argument;
	struct shared *shared = writer->shared;
	struct capture *capture = capture_create(shared->store, 12000);
	uint32_t random = writer->number;

	for (unsigned i = 0; i < EXCHANGES; i++) {
		record_one(shared, capture_observer(capture), &random);
	}
	capture_destroy(capture);
	atomic_fetch_sub(&shared->writing, 1);
	return NULL;
}

/* What can be seen of a record is whole and right at any time. */
static bool is_right(const struct shared *shared, struct record *record)
{
	struct record_view view;
	struct record_fields walk;
	struct record_parts parts;
	struct slice name;
	struct slice value;
	struct slice part;
	uint64_t at = 0;

	record_read(record, &view);
	if (!slice_equal(view.request_id, SLICE("shared-id")) ||
		!slice_equal(view.path, SLICE("/api"))) {
		return false;
	}
	walk = record_fields(&view.request);
	if (!record_fields_next(&walk, &name, &value) || !slice_equal(name, SLICE("Host")) ||
		!slice_equal(value, SLICE("a"))) {
		return false;
	}
	if (view.status != 0 && (view.status != 200 || view.response.bytes.len == 0)) {
		return false;
	}
	for (parts = record_parts(&view.response_body); record_parts_next(&parts, &part);
		at += part.len) {
		if (at + part.len > BODY_MAX ||
			memcmp(part.ptr, shared->pattern + at, part.len) != 0) {
			return false;
		}
	}
	if (at != view.response_body.kept || view.response_body.size < at) {
		return false;
	}
	if (view.response_body.has_hash) {
		XXH128_canonical_t hash;
		uint8_t found[RECORD_HASH_SIZE];

		XXH128_canonicalFromHash(
			&hash, XXH3_128bits(shared->pattern, (size_t)view.response_body.size));
		return record_body_hash(&view.response_body, found) &&
		       memcmp(hash.digest, found, RECORD_HASH_SIZE) == 0;
	}
	return view.state == EXCHANGE_ACTIVE || view.response_body.size == 0;
}

static void look_at(struct shared *shared, struct record *record)
{
	if (!is_right(shared, record)) {
		atomic_fetch_add(&shared->wrong, 1);
	}
	atomic_fetch_add(&shared->read, 1);
	capture_store_release(shared->store, record);
}

static void walk(struct shared *shared)
{
	struct record *records[SLICE_OF_RECORDS];
	struct poll_row rows[SLICE_OF_RECORDS];
	uint64_t before = UINT64_MAX;
	size_t got;

	while ((got = capture_store_take(shared->store, before, 0, records, SLICE_OF_RECORDS)) >
		0) {
		before = record_seq(records[got - 1]);
		for (size_t i = 0; i < got; i++) {
			look_at(shared, records[i]);
		}
	}
	poll_log_copy(capture_store_polls(shared->store), UINT64_MAX, 0, rows, SLICE_OF_RECORDS);
}

static void *read_records(void *argument)
{
	struct shared *shared = argument;
	struct record *record;
	struct capture_counts counts;

	for (unsigned round = 0; atomic_load(&shared->writing) > 0; round++) {
		walk(shared);
		record = capture_store_find_id(shared->store, SLICE("shared-id"));
		if (record != NULL) {
			look_at(shared, record);
		}
		if (round % 50 == 49) {
			capture_store_clear(shared->store);
		}
		capture_store_counts(shared->store, &counts);
		if (counts.count > counts.capacity || counts.bytes > counts.memory) {
			atomic_fetch_add(&shared->wrong, 1);
		}
	}
	return NULL;
}

static void writers_readers_and_eviction_do_not_disturb_each_other(void **state)
{
	struct inspector_settings settings = {
		.capture = {.entries = 60, .memory = 256 * 1024, .rows = 20}};
	struct shared *shared = calloc(1, sizeof(*shared));
	struct writer writers[WRITERS];
	pthread_t threads[WRITERS + READERS];
	struct capture_counts counts;

	(void)state;
	for (size_t i = 0; i < BODY_MAX; i++) {
		shared->pattern[i] = (char)(i * 13 + i / 256);
	}
	shared->store = capture_store_create(&settings);
	atomic_init(&shared->writing, WRITERS);
	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){.shared = shared, .number = i + 1};
		assert_int_equal(pthread_create(&threads[i], NULL, write_records, &writers[i]), 0);
	}
	for (unsigned i = 0; i < READERS; i++) {
		assert_int_equal(
			pthread_create(&threads[WRITERS + i], NULL, read_records, shared), 0);
	}
	for (unsigned i = 0; i < WRITERS + READERS; i++) {
		pthread_join(threads[i], NULL);
	}
	walk(shared); /* whatever the readers came to, something was read */
	assert_int_equal(atomic_load(&shared->wrong), 0);
	assert_true(atomic_load(&shared->read) > 0);
	capture_store_counts(shared->store, &counts);
	assert_int_equal(counts.running, 0);
	assert_true(counts.evicted > 0);
	capture_store_clear(shared->store);
	capture_store_counts(shared->store, &counts);
	assert_int_equal(counts.bytes, 0);
	capture_store_destroy(shared->store);
	free(shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writers_readers_and_eviction_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
