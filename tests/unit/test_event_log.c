/*
 * The ring of events: who writes when, what a reader finds, and what is lost to it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "inspector/event_log.h"

enum {
	ROUND = 32768, /* entries */
	WRITERS = 4,
	WRITTEN = 50000, /* by each */
};

static int setup(void **state)
{
	*state = event_log_create();
	return 0;
}

static int teardown(void **state)
{
	event_log_destroy(*state);
	return 0;
}

static void tell(struct event_log *log, unsigned count)
{
	for (unsigned i = 1; i <= count; i++) {
		event_log_tell(log, EVENT_ENDED, i);
	}
}

static void expect(const struct event_log *log, uint64_t at, enum event_kind kind, uint64_t seq)
{
	struct event event;

	assert_int_equal(event_log_read(log, at, &event), EVENT_FOUND);
	assert_int_equal(event.kind, kind);
	assert_int_equal(event.seq, seq);
}

static enum event_found found(const struct event_log *log, uint64_t at)
{
	struct event event;

	return event_log_read(log, at, &event);
}

static void nothing_is_written_while_nobody_reads(void **state)
{
	struct event_log *log = *state;
	uint64_t before = event_log_end(log);

	tell(log, 3);
	assert_int_equal(event_log_end(log), before);
}

static void a_reader_finds_what_happened_in_its_order(void **state)
{
	struct event_log *log = *state;
	uint64_t at;

	assert_true(event_log_join(log, 1));
	at = event_log_end(log);
	assert_int_equal(found(log, at), EVENT_NONE);
	event_log_tell(log, EVENT_BEGUN, 7);
	event_log_tell(log, EVENT_EVICTED, UINT64_C(123456789012));
	event_log_tell(log, EVENT_CLEARED, 0);
	expect(log, at, EVENT_BEGUN, 7);
	expect(log, at + 1, EVENT_EVICTED, UINT64_C(123456789012));
	expect(log, at + 2, EVENT_CLEARED, 0);
	assert_int_equal(found(log, at + 3), EVENT_NONE);
	event_log_leave(log);
}

static void a_position_of_before_the_first_reader_or_of_the_future_is_lost(void **state)
{
	struct event_log *log = *state;
	uint64_t count;

	assert_true(event_log_join(log, 1));
	assert_int_equal(found(log, event_log_end(log) - 1), EVENT_LOST);
	assert_int_equal(found(log, event_log_end(log) + 1), EVENT_LOST);
	assert_int_equal(found(log, 0), EVENT_LOST);
	assert_int_equal(found(log, UINT64_MAX), EVENT_LOST);
	assert_false(event_log_lost(log, 0, &count));
	event_log_leave(log);
}

static void what_the_ring_has_gone_over_is_lost_and_counted(void **state)
{
	struct event_log *log = *state;
	uint64_t at;
	uint64_t count;

	assert_true(event_log_join(log, 1));
	at = event_log_end(log);
	tell(log, ROUND);
	expect(log, at, EVENT_ENDED, 1);
	tell(log, 1);
	assert_int_equal(found(log, at), EVENT_LOST);
	assert_true(event_log_lost(log, at, &count));
	assert_int_equal(count, ROUND + 1);
	expect(log, at + 1, EVENT_ENDED, 2);
	expect(log, at + ROUND, EVENT_ENDED, 1);
	event_log_leave(log);
}

static void writing_goes_on_for_a_round_after_the_last_reader_and_then_ends(void **state)
{
	struct event_log *log = *state;
	uint64_t at;

	assert_true(event_log_join(log, 1));
	at = event_log_end(log);
	event_log_leave(log);
	tell(log, 10);
	expect(log, at + 9, EVENT_ENDED, 10); /* for one that comes back */
	tell(log, 3 * ROUND);
	assert_int_equal(event_log_end(log), at + ROUND + 1);
}

static void one_that_comes_back_in_time_finds_all_and_one_that_does_not_is_told(void **state)
{
	struct event_log *log = *state;
	uint64_t at;

	assert_true(event_log_join(log, 1));
	at = event_log_end(log);
	event_log_leave(log);
	tell(log, 100);
	assert_true(event_log_join(log, 1));
	expect(log, at, EVENT_ENDED, 1);
	event_log_leave(log);
	tell(log, 3 * ROUND);
	assert_true(event_log_join(log, 1));
	assert_int_equal(found(log, event_log_end(log) - 1), EVENT_LOST); /* more came unseen */
	event_log_leave(log);
}

static void there_are_as_many_readers_as_may_be(void **state)
{
	struct event_log *log = *state;

	assert_true(event_log_join(log, 2));
	assert_true(event_log_join(log, 2));
	assert_false(event_log_join(log, 2));
	assert_int_equal(event_log_readers(log), 2);
	event_log_leave(log);
	assert_true(event_log_join(log, 2));
	event_log_leave(log);
	event_log_leave(log);
}

struct writer {
	struct event_log *log;
	enum event_kind kind; /* tells it from the others */
};

static void *write_many(void *argument)
{
	const struct writer *writer = argument;

	for (uint64_t i = 1; i <= WRITTEN; i++) {
		event_log_tell(writer->log, writer->kind, i);
	}
	return NULL;
}

/* Whatever is lost, what is found is whole and in each thread's order. */
static void events_of_many_threads_are_found_each_threads_in_its_order(void **state)
{
	struct event_log *log = *state;
	struct writer writers[WRITERS];
	pthread_t threads[WRITERS];
	uint64_t last[WRITERS] = {0};
	uint64_t first;
	uint64_t at;
	struct event event;

	assert_true(event_log_join(log, 1));
	at = event_log_end(log);
	first = at;
	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){.log = log, .kind = (enum event_kind)i};
		assert_int_equal(pthread_create(&threads[i], NULL, write_many, &writers[i]), 0);
	}
	while (at < first + (uint64_t)WRITERS * WRITTEN) {
		switch (event_log_read(log, at, &event)) {
		case EVENT_FOUND:
			assert_in_range(event.kind, 0, WRITERS - 1);
			assert_true(event.seq > last[event.kind]);
			last[event.kind] = event.seq;
			at++;
			break;
		case EVENT_LOST:
			at = event_log_end(log);
			break;
		case EVENT_NONE:
			break;
		}
	}
	for (unsigned i = 0; i < WRITERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	event_log_leave(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(nothing_is_written_while_nobody_reads),
		TEST(a_reader_finds_what_happened_in_its_order),
		TEST(a_position_of_before_the_first_reader_or_of_the_future_is_lost),
		TEST(what_the_ring_has_gone_over_is_lost_and_counted),
		TEST(writing_goes_on_for_a_round_after_the_last_reader_and_then_ends),
		TEST(one_that_comes_back_in_time_finds_all_and_one_that_does_not_is_told),
		TEST(there_are_as_many_readers_as_may_be),
		TEST(events_of_many_threads_are_found_each_threads_in_its_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
