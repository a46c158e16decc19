/*
 * The ring: its bounds, who goes first, and how records are found.
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
	TAKEN_MAX = 4096,
};

struct fixture {
	struct inspector_settings settings;
	struct capture_store *store;
	struct capture *capture;
	struct observer *observer;
	struct capture_counts counts;
	struct record *taken[TAKEN_MAX];
	size_t taken_count;
	char *bytes; /* for bodies */
	uint32_t random;
};

static void start(struct fixture *f, uint32_t entries, uint64_t memory)
{
	f->settings.capture.entries = entries;
	f->settings.capture.memory = memory;
	f->settings.capture.body = 1024 * 1024;
	f->settings.capture.rows = 16;
	f->store = capture_store_create(&f->settings);
	f->capture = capture_create(f->store, f->settings.capture.body);
	f->observer = capture_observer(f->capture);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->bytes = calloc(1, 1024 * 1024);
	f->random = 7;
	*state = f;
	return 0;
}

static void release_all(struct fixture *f)
{
	while (f->taken_count > 0) {
		capture_store_release(f->store, f->taken[--f->taken_count]);
	}
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	release_all(f);
	capture_destroy(f->capture);
	capture_store_destroy(f->store);
	free(f->bytes);
	free(f);
	return 0;
}

static uint32_t draw(struct fixture *f, uint32_t below)
{
	f->random = f->random * 1664525u + 1013904223u;
	return (f->random >> 8) % below;
}

static void run(struct fixture *f, const char *method, const char *id, unsigned status)
{
	fake_run(f->observer, method, id, status, slice_of(NULL, 0), SLICE("fine"));
}

static void run_large(
	struct fixture *f, const char *method, const char *id, unsigned status, size_t size)
{
	fake_run(f->observer, method, id, status, slice_of(NULL, 0), slice_of(f->bytes, size));
}

static void run_many(struct fixture *f, const char *method, unsigned status, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		run(f, method, "one-of-many", status);
	}
}

static const struct capture_counts *count(struct fixture *f)
{
	capture_store_counts(f->store, &f->counts);
	return &f->counts;
}

static bool is_there(struct fixture *f, const char *id)
{
	struct record *record = capture_store_find_id(f->store, slice_str(id));

	capture_store_release(f->store, record);
	return record != NULL;
}

/* Takes references to all there is, `slice` at a time. */
static void take_all(struct fixture *f, size_t slice)
{
	uint64_t before = UINT64_MAX;
	size_t got;

	release_all(f);
	while ((got = capture_store_take(f->store, before, 0, f->taken + f->taken_count, slice)) >
		0) {
		f->taken_count += got;
		before = record_seq(f->taken[f->taken_count - 1]);
	}
}

/* --- who goes */

static void the_oldest_goes_when_the_ring_is_full(void **state)
{
	struct fixture *f = *state;

	start(f, 4, 1024 * 1024);
	run(f, "GET", "first", 200);
	run(f, "GET", "second", 200);
	run_many(f, "GET", 200, 3);
	assert_false(is_there(f, "first"));
	assert_true(is_there(f, "second"));
	assert_int_equal(count(f)->count, 4);
	assert_int_equal(f->counts.evicted, 1);
	assert_int_equal(f->counts.evicted_by_entries, 1);
	assert_int_equal(f->counts.evicted_by_bytes, 0);
}

static void a_flood_of_reads_never_pushes_out_the_failed_submit(void **state)
{
	struct fixture *f = *state;

	start(f, 100, 1024 * 1024);
	run(f, "POST", "submit", 503);
	run(f, "POST", "other", 201);
	run(f, "GET", "failed-read", 500);
	run_many(f, "GET", 200, 5000);
	assert_true(is_there(f, "submit"));
	assert_true(is_there(f, "other"));
	assert_true(is_there(f, "failed-read"));
	assert_int_equal(count(f)->count, 100);
	assert_int_equal(f->counts.records[CLASS_FAILED], 2);
	assert_int_equal(f->counts.records[CLASS_MUTATION], 1);
	assert_int_equal(f->counts.records[CLASS_READ], 97);
}

static void nor_does_a_flood_of_failing_reads(void **state)
{
	struct fixture *f = *state;

	start(f, 100, 1024 * 1024);
	run(f, "POST", "submit", 503);
	run_many(f, "GET", 502, 5000);
	run_many(f, "GET", 200, 5000);
	assert_true(is_there(f, "submit"));
	assert_int_equal(count(f)->records[CLASS_MUTATION], 1);
	assert_int_equal(f->counts.records[CLASS_FAILED], 25);
	assert_int_equal(f->counts.records[CLASS_READ], 74);
}

static void nor_does_a_flood_of_large_reads(void **state)
{
	struct fixture *f = *state;

	start(f, 10000, 1024 * 1024);
	run_large(f, "POST", "submit", 503, 60000);
	run_large(f, "PUT", "other", 200, 60000);
	for (unsigned i = 0; i < 200; i++) {
		run_large(f, "GET", "large", 200, 100000);
	}
	assert_true(is_there(f, "submit"));
	assert_true(is_there(f, "other"));
	assert_true(count(f)->evicted_by_bytes > 100);
	assert_int_equal(f->counts.evicted_by_entries, 0);
	assert_int_equal(f->counts.truncated, 0);
	assert_int_equal(f->counts.dropped, 0);
}

static void what_a_class_does_not_use_is_lent_and_taken_back(void **state)
{
	struct fixture *f = *state;

	start(f, 100, 1024 * 1024);
	run_many(f, "GET", 200, 200);
	assert_int_equal(count(f)->records[CLASS_READ], 100);
	run_many(f, "POST", 200, 200);
	assert_int_equal(count(f)->records[CLASS_MUTATION], 100);
	run_many(f, "GET", 200, 200);
	assert_int_equal(count(f)->records[CLASS_MUTATION], 25);
	assert_int_equal(f->counts.records[CLASS_READ], 75);
	run_many(f, "GET", 500, 200);
	assert_int_equal(count(f)->records[CLASS_MUTATION], 25);
	assert_int_equal(f->counts.records[CLASS_FAILED], 75);
	assert_int_equal(f->counts.count, 100);
}

static void one_worker_may_use_the_whole_of_it(void **state)
{
	struct fixture *f = *state;
	struct capture *idle;

	start(f, 100, 1024 * 1024);
	idle = capture_create(f->store, 1024 * 1024); /* of another worker */
	run_many(f, "GET", 200, 100);
	assert_int_equal(count(f)->count, 100);
	capture_store_clear(f->store);
	for (unsigned i = 0; i < 10; i++) {
		run_large(f, "GET", "large", 200, 100000);
	}
	assert_int_equal(count(f)->count, 10);
	assert_true(f->counts.bytes > 95 * f->counts.memory / 100);
	capture_destroy(idle);
}

static void a_worker_pushes_out_the_oldest_of_another(void **state)
{
	struct fixture *f = *state;
	struct capture *other;

	start(f, 10, 1024 * 1024);
	other = capture_create(f->store, 1024 * 1024);
	run(f, "GET", "oldest", 200);
	for (unsigned i = 0; i < 10; i++) {
		fake_run(capture_observer(other), "GET", "newer", 200, slice_of(NULL, 0),
			slice_of(NULL, 0));
	}
	assert_false(is_there(f, "oldest"));
	assert_int_equal(count(f)->count, 10);
	capture_destroy(other);
}

/* --- running and held records */

static void running_exchanges_count_and_never_go(void **state)
{
	struct fixture *f = *state;
	struct fake_exchange running[4];
	struct fake_exchange late;

	start(f, 4, 1024 * 1024);
	for (unsigned i = 0; i < 4; i++) {
		fake_begin(&running[i], f->observer, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n",
			"running", CAPTURE_FULL);
	}
	fake_begin(
		&late, f->observer, "GET /late HTTP/1.1\r\nHost: a\r\n\r\n", "late", CAPTURE_FULL);
	assert_int_equal(late.interest, OBSERVE_NOTHING);
	assert_false(is_there(f, "late"));
	assert_int_equal(count(f)->running, 4);
	assert_int_equal(f->counts.dropped, 1);
	fake_finish(&late, EXCHANGE_COMPLETE, ERR_NONE);
	fake_finish(&running[2], EXCHANGE_COMPLETE, ERR_NONE);
	run(f, "GET", "next", 200);
	assert_true(is_there(f, "next"));
	assert_int_equal(count(f)->count, 4);
	assert_int_equal(f->counts.dropped, 1);
	fake_finish(&running[0], EXCHANGE_COMPLETE, ERR_NONE);
	fake_finish(&running[1], EXCHANGE_COMPLETE, ERR_NONE);
	fake_finish(&running[3], EXCHANGE_COMPLETE, ERR_NONE);
	assert_int_equal(count(f)->running, 0);
}

static void a_record_that_is_read_keeps_its_memory_until_it_is_given_back(void **state)
{
	struct fixture *f = *state;
	struct record_view view;
	char copy[4];
	uint64_t held;

	start(f, 4, 1024 * 1024);
	run(f, "GET", "mine", 200);
	f->taken[f->taken_count++] = capture_store_find_id(f->store, SLICE("mine"));
	capture_store_clear(f->store);
	held = count(f)->bytes;
	assert_true(held > 0);
	assert_int_equal(f->counts.count, 0);
	run_many(f, "GET", 200, 20);
	record_read(f->taken[0], &view);
	assert_int_equal(record_body_copy(&view.response_body, 0, copy, 4), 4);
	assert_memory_equal(copy, "fine", 4);
	capture_store_clear(f->store);
	assert_int_equal(count(f)->bytes, held);
	release_all(f);
	assert_int_equal(count(f)->bytes, 0);
}

static void where_readers_hold_all_memory_capture_gives_way(void **state)
{
	struct fixture *f = *state;

	start(f, 1000, 128 * 1024);
	for (unsigned i = 0; i < 1000 && count(f)->dropped == 0; i++) {
		run(f, "GET", "held", 200);
		f->taken_count +=
			capture_store_take(f->store, UINT64_MAX, i, f->taken + f->taken_count, 1);
	}
	assert_int_equal(f->counts.dropped, 1);
	assert_true(f->counts.bytes > 95 * f->counts.memory / 100);
	assert_true(f->counts.bytes <= f->counts.memory);
	release_all(f);
	run(f, "GET", "again", 200);
	assert_true(is_there(f, "again"));
}

static void a_store_without_entries_or_memory_drops_everything(void **state)
{
	struct fixture *f = *state;

	start(f, 0, 1024 * 1024);
	run(f, "GET", "one", 200);
	assert_int_equal(count(f)->dropped, 1);
	assert_int_equal(f->counts.count, 0);
	capture_destroy(f->capture);
	capture_store_destroy(f->store);
	start(f, 10, 0);
	run(f, "GET", "one", 200);
	assert_int_equal(count(f)->dropped, 1);
}

/* --- finding */

static void records_come_newest_first_in_slices_of_any_size(void **state)
{
	struct fixture *f = *state;

	start(f, 2000, 4 * 1024 * 1024);
	for (unsigned i = 0; i < 1500; i++) { /* more than are looked at under one lock */
		run(f, i % 3 == 0 ? "POST" : "GET", "id", i % 5 == 0 ? 500 : 200);
	}
	for (size_t slice = 1; slice <= 2000; slice = slice * 7 + 2) {
		take_all(f, slice);
		assert_int_equal(f->taken_count, 1500);
		for (size_t i = 1; i < f->taken_count; i++) {
			assert_int_equal(record_seq(f->taken[i]), record_seq(f->taken[i - 1]) - 1);
		}
	}
}

static void before_and_after_bound_a_walk(void **state)
{
	struct fixture *f = *state;
	struct record *got[10];
	uint64_t newest;

	start(f, 100, 1024 * 1024);
	run_many(f, "GET", 200, 10);
	assert_int_equal(capture_store_take(f->store, UINT64_MAX, 0, got, 1), 1);
	newest = record_seq(got[0]);
	capture_store_release(f->store, got[0]);
	assert_int_equal(capture_store_take(f->store, newest, newest - 4, got, 10), 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(record_seq(got[i]), newest - 1 - i);
		capture_store_release(f->store, got[i]);
	}
	assert_int_equal(capture_store_take(f->store, newest, newest - 1, got, 10), 0);
	assert_int_equal(capture_store_take(f->store, UINT64_MAX, newest, got, 10), 0);
	assert_int_equal(capture_store_take(f->store, newest - 9, 0, got, 10), 0);
}

static void a_walk_goes_on_though_everything_it_saw_has_gone(void **state)
{
	struct fixture *f = *state;
	struct record *got[5];
	uint64_t before;

	start(f, 50, 1024 * 1024);
	run(f, "POST", "kept", 200);
	run_many(f, "GET", 200, 40);
	assert_int_equal(capture_store_take(f->store, UINT64_MAX, 0, got, 5), 5);
	before = record_seq(got[4]);
	for (unsigned i = 0; i < 5; i++) {
		capture_store_release(f->store, got[i]);
	}
	run_many(f, "GET", 200, 500); /* all but the POST are gone now */
	assert_int_equal(capture_store_take(f->store, before, 0, got, 5), 1);
	assert_int_equal(record_seq(got[0]), 1);
	capture_store_release(f->store, got[0]);
}

static void an_id_finds_the_newest_that_has_it(void **state)
{
	struct fixture *f = *state;
	struct record *record;

	start(f, 2000, 4 * 1024 * 1024);
	run(f, "GET", "twice", 200);
	run(f, "GET", "once", 200);
	run(f, "GET", "twice", 200);
	run_many(f, "GET", 200, 1000);
	record = capture_store_find_id(f->store, SLICE("twice"));
	assert_int_equal(record_seq(record), 3);
	capture_store_release(f->store, record);
	assert_true(is_there(f, "once"));
	assert_false(is_there(f, "onc"));
	assert_false(is_there(f, ""));
	record = capture_store_find_seq(f->store, 2);
	assert_int_equal(record_seq(record), 2);
	capture_store_release(f->store, record);
	assert_null(capture_store_find_seq(f->store, 0));
	assert_null(capture_store_find_seq(f->store, 1004));
}

static void records_and_poll_rows_are_numbered_together(void **state)
{
	struct fixture *f = *state;
	struct fake_exchange poll;
	struct poll_row row;

	start(f, 10, 1024 * 1024);
	run(f, "GET", "a", 200);
	fake_begin(&poll, f->observer, "GET /poll HTTP/1.1\r\nHost: a\r\n\r\n", "b", CAPTURE_ROW);
	fake_finish(&poll, EXCHANGE_COMPLETE, ERR_NONE);
	run(f, "GET", "c", 200);
	assert_int_equal(poll_log_copy(capture_store_polls(f->store), UINT64_MAX, 0, &row, 1), 1);
	assert_int_equal(row.seq, 2);
	take_all(f, 10);
	assert_int_equal(record_seq(f->taken[0]), 3);
	assert_int_equal(record_seq(f->taken[1]), 1);
	assert_int_equal(count(f)->rows, 1);
	assert_int_equal(f->counts.row_capacity, 16);
}

static void clearing_takes_all_but_what_runs(void **state)
{
	struct fixture *f = *state;
	struct fake_exchange running;
	struct fake_exchange poll;

	start(f, 200, 1024 * 1024);
	run_many(f, "GET", 200, 50);
	fake_begin(&running, f->observer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "running",
		CAPTURE_FULL);
	run_many(f, "POST", 200, 50);
	run_many(f, "GET", 500, 50);
	fake_begin(&poll, f->observer, "GET /poll HTTP/1.1\r\nHost: a\r\n\r\n", "b", CAPTURE_ROW);
	fake_finish(&poll, EXCHANGE_COMPLETE, ERR_NONE);
	capture_store_clear(f->store);
	assert_int_equal(count(f)->count, 1);
	assert_int_equal(f->counts.rows, 0);
	assert_int_equal(f->counts.evicted, 0);
	assert_true(is_there(f, "running"));
	fake_finish(&running, EXCHANGE_COMPLETE, ERR_NONE);
	assert_true(is_there(f, "running"));
	capture_store_clear(f->store);
	assert_int_equal(count(f)->bytes, 0);
	assert_int_equal(f->counts.count, 0);
}

/* --- beside a naive model of the ring, bounded by entries */

enum {
	MODEL_ENTRIES = 40,
	MODEL_RUNNING = 12,
	MODEL_STEPS = 20000,
};

struct model_record {
	uint64_t seq;
	unsigned class_of;
	bool mutation;
	bool running;
	uint64_t ended;
};

struct model {
	struct model_record records[MODEL_ENTRIES + 1];
	size_t count;
	uint64_t ends;
	uint64_t evicted;
	uint64_t dropped;
	struct fake_exchange running[MODEL_RUNNING];
	uint64_t running_seq[MODEL_RUNNING]; /* 0: free, UINT64_MAX: dropped */
	uint64_t next_seq;
};

static size_t held_by(const struct model *model, unsigned class_of)
{
	size_t held = 0;

	for (size_t i = 0; i < model->count; i++) {
		held += model->records[i].class_of == class_of;
	}
	return held;
}

/* The one that ended first among those for which `allowed` classes are set; model->count where
 * there is none. */
static size_t first_ended(const struct model *model, const bool allowed[3])
{
	size_t best = model->count;

	for (size_t i = 0; i < model->count; i++) {
		const struct model_record *record = &model->records[i];

		if (!record->running && allowed[record->class_of] &&
			(best == model->count || record->ended < model->records[best].ended)) {
			best = i;
		}
	}
	return best;
}

static bool model_evict(struct model *model, unsigned newcomer)
{
	for (;;) {
		bool allowed[3] = {held_by(model, CLASS_READ) > 0,
			held_by(model, CLASS_MUTATION) > MODEL_ENTRIES / 4,
			held_by(model, CLASS_FAILED) > MODEL_ENTRIES / 4};
		bool own[3] = {newcomer == 0, newcomer == 1, newcomer == 2};
		size_t goes = first_ended(model, allowed);

		if (goes == model->count) {
			goes = first_ended(model, own);
		}
		if (goes == model->count) {
			return false;
		}
		if (model->records[goes].class_of == CLASS_FAILED &&
			model->records[goes].mutation) {
			model->records[goes].class_of = CLASS_MUTATION;
			model->records[goes].ended = model->ends++;
			continue;
		}
		model->records[goes] = model->records[--model->count];
		model->evicted++;
		return true;
	}
}

static void model_begin(struct fixture *f, struct model *model, size_t slot)
{
	bool mutation = draw(f, 4) == 0;

	fake_begin(&model->running[slot], f->observer,
		mutation ? "POST / HTTP/1.1\r\nHost: a\r\n\r\n"
			 : "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"id", CAPTURE_FULL);
	if (model->count == MODEL_ENTRIES && !model_evict(model, mutation)) {
		model->dropped++;
		model->running_seq[slot] = UINT64_MAX;
		assert_int_equal(model->running[slot].interest, OBSERVE_NOTHING);
		return;
	}
	model->running_seq[slot] = model->next_seq++;
	model->records[model->count++] = (struct model_record){.seq = model->running_seq[slot],
		.class_of = mutation,
		.mutation = mutation,
		.running = true};
}

static void model_end(struct fixture *f, struct model *model, size_t slot)
{
	bool failed = draw(f, 4) == 0;

	fake_finish(&model->running[slot], EXCHANGE_COMPLETE, failed ? ERR_CONNECT : ERR_NONE);
	for (size_t i = 0; i < model->count; i++) {
		if (model->records[i].seq == model->running_seq[slot]) {
			model->records[i].running = false;
			model->records[i].ended = model->ends++;
			if (failed) {
				model->records[i].class_of = CLASS_FAILED;
			}
		}
	}
	model->running_seq[slot] = 0;
}

static void model_compare(struct fixture *f, struct model *model)
{
	take_all(f, 100);
	assert_int_equal(f->taken_count, model->count);
	for (size_t i = 0; i < model->count; i++) {
		struct record *record = capture_store_find_seq(f->store, model->records[i].seq);

		assert_non_null(record);
		capture_store_release(f->store, record);
	}
	count(f);
	for (unsigned i = 0; i < CLASSES; i++) {
		assert_int_equal(f->counts.records[i], held_by(model, i));
	}
	assert_int_equal(f->counts.evicted, model->evicted);
	assert_int_equal(f->counts.dropped, model->dropped);
	release_all(f);
}

static void the_ring_holds_what_a_naive_model_of_the_rules_holds(void **state)
{
	struct fixture *f = *state;
	struct model *model = calloc(1, sizeof(*model));

	start(f, MODEL_ENTRIES, 1024 * 1024);
	model->next_seq = 1;
	for (unsigned step = 0; step < MODEL_STEPS; step++) {
		/* now and then, long phases in which nearly all slots run */
		size_t slot = draw(f, step / 1000 % 2 == 0 ? MODEL_RUNNING : 3);

		if (model->running_seq[slot] == 0) {
			model_begin(f, model, slot);
		} else {
			model_end(f, model, slot);
		}
		if (step % 7 == 0) {
			model_compare(f, model);
		}
	}
	for (size_t slot = 0; slot < MODEL_RUNNING; slot++) {
		if (model->running_seq[slot] != 0) {
			model_end(f, model, slot);
		}
	}
	model_compare(f, model);
	free(model);
}

static void no_workload_passes_the_bounds_or_loses_memory(void **state)
{
	struct fixture *f = *state;
	struct fake_exchange running[30];
	bool runs[30] = {false};

	start(f, 200, 256 * 1024);
	for (unsigned step = 0; step < 20000; step++) {
		size_t slot = draw(f, 30);
		struct fake_exchange *fake = &running[slot];

		if (!runs[slot]) {
			fake_begin(fake, f->observer,
				draw(f, 3) == 0
					? "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
					  "chunked\r\n\r\n"
					: "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: "
					  "700\r\n\r\n",
				"id", draw(f, 10) == 0 ? CAPTURE_HEADERS : CAPTURE_FULL);
			runs[slot] = true;
		} else if (draw(f, 5) == 0) {
			fake_finish(
				fake, EXCHANGE_COMPLETE, draw(f, 5) == 0 ? ERR_CONNECT : ERR_NONE);
			runs[slot] = false;
		} else if (!fake->exchange.responded && draw(f, 3) == 0) {
			fake_response(fake,
				draw(f, 2) == 0 ? "HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n"
						: "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
		} else if (fake->exchange.responded) {
			fake_response_data(
				fake, slice_of(f->bytes, draw(f, draw(f, 20) == 0 ? 90000 : 3000)));
		} else {
			fake_request_data(fake, slice_of(f->bytes, draw(f, 300)));
		}
		if (draw(f, 50) == 0) { /* a reader */
			release_all(f);
			f->taken_count = capture_store_take(
				f->store, 1 + draw(f, step + 1), 0, f->taken, 20);
		}
		count(f);
		assert_true(f->counts.count <= 200);
		assert_true(f->counts.bytes <= 256 * 1024);
	}
	for (size_t slot = 0; slot < 30; slot++) {
		if (runs[slot]) {
			fake_finish(&running[slot], EXCHANGE_COMPLETE, ERR_NONE);
		}
	}
	assert_true(f->counts.evicted_by_bytes > 1000);
	assert_true(f->counts.truncated > 0);
	release_all(f);
	capture_store_clear(f->store);
	assert_int_equal(count(f)->bytes, 0);
	assert_int_equal(f->counts.count, 0);
	assert_int_equal(f->counts.running, 0);
}

/* What a dashboard's browser and its API say to each other. */
static const char browser_get[] =
	"GET /api/v1/endpoints/3/docker/containers/json?all=1 HTTP/1.1\r\n"
	"Host: dashboard.example.test:9443\r\n"
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
	"Chrome/120.0.0.0 Safari/537.36\r\n"
	"Accept: application/json, text/plain, */*\r\n"
	"Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
	"Accept-Encoding: gzip, deflate, br\r\n"
	"Referer: https://dashboard.example.test:9443/\r\n"
	"Authorization: Bearer "
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
	"eyJpZCI6MSwidXNlcm5hbWUiOiJhZG1pbiIsInJvbGUiOjEsImV4cCI6MTcwMDAwMDAwMH0."
	"4Zk3mM2sH2mJpR1k7mQvR0m9oYw1mZr0p3mE8xJmQ2c\r\n"
	"Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n"
	"Connection: keep-alive\r\n\r\n";

static void at_typical_records_structure_takes_a_small_part_of_the_memory(void **state)
{
	struct fixture *f = *state;
	size_t body = 4000;
	struct fake_exchange fake;
	struct record *record;
	struct record_view view;
	size_t content;

	start(f, 2000, 8 * 1024 * 1024);
	for (unsigned i = 0; i < 1000; i++) {
		fake_begin(&fake, f->observer, browser_get, "0189f7ea-ae1c-7e4b-8b6a-3b0f4c2d1e00",
			CAPTURE_FULL);
		fake_request_end(&fake, NULL);
		fake_response(&fake,
			"HTTP/1.1 200 OK\r\nServer: api\r\nDate: Thu, 12 Mar 2026 10:42:26 GMT\r\n"
			"Content-Type: application/json\r\nContent-Length: 4000\r\n"
			"X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n\r\n");
		fake_response_data(&fake, slice_of(f->bytes, body));
		fake_response_end(&fake, NULL);
		fake_finish(&fake, EXCHANGE_COMPLETE, ERR_NONE);
	}
	record = capture_store_find_seq(f->store, 1000);
	record_read(record, &view);
	content = view.request.bytes.len + view.response.bytes.len + body + view.request_id.len +
		  view.trace_id.len + view.client_ip.len + view.route.len + view.upstream.len;
	capture_store_release(f->store, record);
	/* with what is kept of it as numbers: times, sizes, hashes, how it ended */
	assert_true(count(f)->bytes / 1000 < content + content / 8);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_oldest_goes_when_the_ring_is_full),
		TEST(a_flood_of_reads_never_pushes_out_the_failed_submit),
		TEST(nor_does_a_flood_of_failing_reads),
		TEST(nor_does_a_flood_of_large_reads),
		TEST(what_a_class_does_not_use_is_lent_and_taken_back),
		TEST(one_worker_may_use_the_whole_of_it),
		TEST(a_worker_pushes_out_the_oldest_of_another),
		TEST(running_exchanges_count_and_never_go),
		TEST(a_record_that_is_read_keeps_its_memory_until_it_is_given_back),
		TEST(where_readers_hold_all_memory_capture_gives_way),
		TEST(a_store_without_entries_or_memory_drops_everything),
		TEST(records_come_newest_first_in_slices_of_any_size),
		TEST(before_and_after_bound_a_walk),
		TEST(a_walk_goes_on_though_everything_it_saw_has_gone),
		TEST(an_id_finds_the_newest_that_has_it),
		TEST(records_and_poll_rows_are_numbered_together),
		TEST(clearing_takes_all_but_what_runs),
		TEST(the_ring_holds_what_a_naive_model_of_the_rules_holds),
		TEST(no_workload_passes_the_bounds_or_loses_memory),
		TEST(at_typical_records_structure_takes_a_small_part_of_the_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
