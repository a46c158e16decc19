/*
 * Tests of pool/places: the cap, the queue over all workers, and the seats of idle connections.
 * Without I/O: a wake is counted, and times are numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pool/places.h"

enum {
	CAP = 2,
	QUEUE = 3,
	MAX_IDLE = 16,
	LATER_US = PLACES_SLACK_US + 1,
};

struct worker {
	struct places_member member;
	unsigned wakes;
};

struct fixture {
	struct places places;
	struct worker a;
	struct worker b;
	struct place_ticket tickets[QUEUE + 1];
};

static void on_wake(struct places_member *member)
{
	container_of(member, struct worker, member)->wakes++;
}

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.a.member.wake = on_wake, .b.member.wake = on_wake};
	places_init(&fixture.places, CAP, QUEUE, MAX_IDLE);
	places_join(&fixture.places, &fixture.a.member);
	places_join(&fixture.places, &fixture.b.member);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < QUEUE + 1; i++) {
		places_leave(&f->tickets[i]);
	}
	while (f->places.taken > f->places.closing) {
		places_closing(&f->places);
	}
	while (f->places.taken > 0) {
		places_give_back(&f->places);
	}
	places_retire(&f->a.member);
	places_retire(&f->b.member);
	places_fini(&f->places);
	return 0;
}

static void give_back(struct fixture *f)
{
	places_closing(&f->places);
	places_give_back(&f->places);
}

/* Both places are taken, and tickets[0..count) queue: of a, b, a, …, each `apart_us` after the one
 * before. */
static void queue(struct fixture *f, size_t count, uint64_t apart_us)
{
	assert_int_equal(places_ask(&f->a.member, NULL, 0), PLACES_TAKEN);
	assert_int_equal(places_ask(&f->b.member, NULL, 0), PLACES_TAKEN);
	for (size_t i = 0; i < count; i++) {
		struct worker *worker = i % 2 == 0 ? &f->a : &f->b;

		assert_int_equal(
			places_ask(&worker->member, &f->tickets[i], i * apart_us), PLACES_QUEUED);
	}
}

static void there_are_as_many_places_as_the_cap_says(void **state)
{
	struct fixture *f = *state;

	queue(f, 1, 0);
	assert_int_equal(f->places.taken, CAP);
	assert_null(places_next_granted(&f->a.member));
}

static void the_queue_has_its_limit(void **state)
{
	struct fixture *f = *state;

	queue(f, QUEUE, 0);
	assert_int_equal(places_ask(&f->a.member, &f->tickets[QUEUE], 0), PLACES_FULL);
	places_leave(&f->tickets[1]);
	assert_int_equal(places_ask(&f->a.member, &f->tickets[QUEUE], 0), PLACES_QUEUED);
}

static void a_place_that_comes_free_goes_to_who_waits_longest_on_whatever_worker(void **state)
{
	struct fixture *f = *state;

	queue(f, 3, 1);
	give_back(f);
	assert_ptr_equal(places_next_granted(&f->a.member), &f->tickets[0]);
	assert_null(places_next_granted(&f->a.member));
	give_back(f);
	assert_null(places_next_granted(&f->a.member));
	assert_ptr_equal(places_next_granted(&f->b.member), &f->tickets[1]);
	assert_int_equal(f->places.taken, CAP);
}

static void nobody_gets_a_place_past_those_who_wait(void **state)
{
	struct fixture *f = *state;

	queue(f, 1, 0);
	give_back(f); /* granted, not collected */
	assert_int_equal(places_ask(&f->b.member, &f->tickets[1], 1), PLACES_QUEUED);
}

static void a_place_granted_to_one_that_left_goes_to_the_next(void **state)
{
	struct fixture *f = *state;

	queue(f, 2, 1);
	give_back(f);
	places_leave(&f->tickets[0]);
	assert_null(places_next_granted(&f->a.member));
	assert_ptr_equal(places_next_granted(&f->b.member), &f->tickets[1]);
}

static void a_place_that_nobody_wants_is_free_again(void **state)
{
	struct fixture *f = *state;

	queue(f, 1, 0);
	places_leave(&f->tickets[0]);
	give_back(f);
	assert_int_equal(f->places.taken, CAP - 1);
	assert_int_equal(places_ask(&f->b.member, NULL, 0), PLACES_TAKEN);
}

static void the_first_that_queues_wakes_every_worker_once(void **state)
{
	struct fixture *f = *state;

	queue(f, 3, 0);
	assert_int_equal(f->a.wakes, 1);
	assert_int_equal(f->b.wakes, 1);
	assert_true(places_collect(&f->a.member));
	assert_false(places_asleep(&f->b.member));
	assert_true(places_asleep(&f->a.member));
}

static void an_idle_connection_is_given_up_for_each_that_waits_and_no_more(void **state)
{
	struct fixture *f = *state;

	queue(f, 1, 0);
	assert_true(places_collect(&f->b.member));
	assert_false(places_keep(&f->b.member)); /* closes */
	assert_true(places_keep(&f->b.member));
	places_give_back(&f->places);
	assert_ptr_equal(places_next_granted(&f->a.member), &f->tickets[0]);
}

static void who_kept_an_idle_connection_is_woken_for_the_next_that_queues(void **state)
{
	struct fixture *f = *state;

	queue(f, 1, 0);
	(void)places_collect(&f->b.member);
	assert_false(places_keep(&f->b.member));
	assert_true(places_keep(&f->b.member)); /* the first is provided for, this one stays idle */
	assert_int_equal(places_ask(&f->a.member, &f->tickets[1], 0), PLACES_QUEUED);
	assert_int_equal(f->b.wakes, 2);
	assert_true(places_collect(&f->b.member));
	assert_false(places_keep(&f->b.member));
}

static void who_has_nothing_idle_is_not_woken_again(void **state)
{
	struct fixture *f = *state;

	queue(f, 1, 0);
	(void)places_collect(&f->b.member); /* nothing idle: nothing to ask for */
	assert_int_equal(places_ask(&f->a.member, &f->tickets[1], 0), PLACES_QUEUED);
	assert_int_equal(f->b.wakes, 1);
	assert_false(places_keep(&f->b.member)); /* but what it gets back later is wanted */
}

static void a_connection_serves_its_own_workers_waiter_where_that_one_waits_longest(void **state)
{
	struct fixture *f = *state;

	queue(f, 2, LATER_US); /* a, then b */
	assert_true(places_claim(&f->tickets[0]));
	assert_int_equal(f->places.closing, 0);
	assert_int_equal(f->places.queued, 1);
}

static void a_connection_is_given_up_where_another_worker_waits_noticeably_longer(void **state)
{
	struct fixture *f = *state;

	queue(f, 2, LATER_US);
	assert_false(places_claim(&f->tickets[1]));
	assert_int_equal(f->places.closing, 1);
	places_give_back(&f->places);
	assert_ptr_equal(places_next_granted(&f->a.member), &f->tickets[0]);
	assert_int_equal(f->tickets[1].state, TICKET_QUEUED);
}

static void a_connection_is_kept_where_another_worker_waits_hardly_longer(void **state)
{
	struct fixture *f = *state;

	queue(f, 2, PLACES_SLACK_US);
	assert_true(places_claim(&f->tickets[1]));
	assert_int_equal(f->tickets[0].state, TICKET_QUEUED);
}

static void one_whose_place_is_on_its_way_holds_up_nobody(void **state)
{
	struct fixture *f = *state;

	queue(f, 2, LATER_US);
	places_closing(&f->places); /* for tickets[0] */
	assert_true(places_claim(&f->tickets[1]));
	places_give_back(&f->places);
	assert_ptr_equal(places_next_granted(&f->a.member), &f->tickets[0]);
}

static void one_that_is_served_otherwise_passes_its_granted_place_on(void **state)
{
	struct fixture *f = *state;

	queue(f, 2, LATER_US);
	give_back(f);
	assert_int_equal(f->tickets[0].state, TICKET_GRANTED);
	assert_true(places_claim(&f->tickets[0]));
	assert_ptr_equal(places_next_granted(&f->b.member), &f->tickets[1]);
}

static void leaving_twice_or_never_having_queued_is_harmless(void **state)
{
	struct fixture *f = *state;

	places_leave(&f->tickets[0]);
	queue(f, 1, 0);
	places_leave(&f->tickets[0]);
	places_leave(&f->tickets[0]);
	assert_int_equal(f->places.queued, 0);
}

static void there_are_as_many_seats_as_may_be_idle(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(places_take_seats(&f->places, MAX_IDLE - 1), MAX_IDLE - 1);
	assert_int_equal(places_take_seats(&f->places, 3), 1);
	assert_int_equal(places_take_seats(&f->places, 1), 0);
	places_give_seats(&f->places, 2);
	assert_int_equal(places_take_seats(&f->places, 3), 2);
	places_give_seats(&f->places, MAX_IDLE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(there_are_as_many_places_as_the_cap_says),
		TEST(the_queue_has_its_limit),
		TEST(a_place_that_comes_free_goes_to_who_waits_longest_on_whatever_worker),
		TEST(nobody_gets_a_place_past_those_who_wait),
		TEST(a_place_granted_to_one_that_left_goes_to_the_next),
		TEST(a_place_that_nobody_wants_is_free_again),
		TEST(the_first_that_queues_wakes_every_worker_once),
		TEST(an_idle_connection_is_given_up_for_each_that_waits_and_no_more),
		TEST(who_kept_an_idle_connection_is_woken_for_the_next_that_queues),
		TEST(who_has_nothing_idle_is_not_woken_again),
		TEST(a_connection_serves_its_own_workers_waiter_where_that_one_waits_longest),
		TEST(a_connection_is_given_up_where_another_worker_waits_noticeably_longer),
		TEST(a_connection_is_kept_where_another_worker_waits_hardly_longer),
		TEST(one_whose_place_is_on_its_way_holds_up_nobody),
		TEST(one_that_is_served_otherwise_passes_its_granted_place_on),
		TEST(leaving_twice_or_never_having_queued_is_harmless),
		TEST(there_are_as_many_seats_as_may_be_idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
