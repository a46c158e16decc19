/*
 * Tests of connections that are being opened for nobody any more, since the one that they were
 * begun for was served by another first: who comes next takes them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/pool_fixture.h"

static const struct credential_key key = {.bytes = "0123456789abcde"};

struct askers {
	struct asker has;   /* a connection */
	struct asker first; /* waits, and gets that one; what was begun for it is nobody's */
	struct asker next;  /* comes then */
};

static void begin(struct askers *askers, struct pool_fixture *f)
{
	asker_init(&askers->has, f);
	asker_init(&askers->first, f);
	asker_init(&askers->next, f);
	asker_get(&askers->has, 0);
}

static void leave_one_unclaimed(struct askers *askers)
{
	asker_acquire(&askers->first, 0, false);
	asker_return(&askers->has);
	assert_non_null(askers->first.connection);
}

static void who_comes_next_takes_it_and_begins_none(void **state)
{
	struct pool_fixture *f = *state;
	struct askers askers;

	pool_fixture_start(f);
	begin(&askers, f);
	leave_one_unclaimed(&askers);
	asker_get(&askers.next, 0);
	assert_false(connection_reused(askers.next.connection));
	assert_true(askers.next.waiter.connecting_us > 0);
	assert_int_equal(pool_fixture_counts(f).opened, 2);
	assert_int_equal(pool_fixture_counts(f).connections, 2);
	asker_return(&askers.first);
	asker_return(&askers.next);
}

static void one_alone_takes_it(void **state)
{
	struct pool_fixture *f = *state;
	struct askers askers;
	struct asker third;

	pool_fixture_start(f);
	begin(&askers, f);
	asker_init(&third, f);
	leave_one_unclaimed(&askers);
	asker_acquire(&askers.next, 0, false);
	asker_get(&third, 0);
	RUN_UNTIL(f, askers.next.turn != 0);
	assert_int_equal(pool_fixture_counts(f).opened, 3);
	asker_return(&askers.first);
	asker_return(&askers.next);
	asker_return(&third);
}

static void it_is_nobodys_again_when_that_one_cancels(void **state)
{
	struct pool_fixture *f = *state;
	struct askers askers;

	pool_fixture_start(f);
	begin(&askers, f);
	leave_one_unclaimed(&askers);
	asker_acquire(&askers.next, 0, false);
	pool_cancel(&askers.next.waiter);
	asker_get(&askers.next, 0);
	assert_int_equal(pool_fixture_counts(f).opened, 2);
	asker_return(&askers.first);
	asker_return(&askers.next);
}

/* It was begun earlier, by somebody with another patience. */
static void where_it_fails_there_is_one_of_its_own(void **state)
{
	struct pool_fixture *f = *state;
	struct askers askers;

	pool_fixture_start_unix(f);
	begin(&askers, f);
	fake_origin_refuse(&f->origin);
	leave_one_unclaimed(&askers);
	asker_acquire(&askers.next, 0, false);
	RUN_UNTIL(f, askers.next.turn != 0);
	assert_int_equal(askers.next.err.code, ERR_CONNECT);
	assert_int_equal(pool_fixture_counts(f).connect_failures, 2);
	asker_return(&askers.first);
}

static void it_serves_its_own_credential_alone(void **state)
{
	struct pool_fixture *f = *state;
	struct credential *alice = credential_create(&key,
		&(struct credential_parts){.kind = CREDENTIAL_BEARER, .secret = SLICE("alice")});
	struct askers askers;

	f->settings.max_entries = 2;
	pool_fixture_start(f);
	begin(&askers, f);
	askers.next.waiter.credential = alice;
	leave_one_unclaimed(&askers);
	asker_get(&askers.next, 0);
	assert_int_equal(pool_fixture_counts(f).opened, 3);
	asker_return(&askers.first);
	asker_return(&askers.next);
	credential_unref(alice);
}

/* Its place is theirs: see places.h. */
static void it_goes_to_who_waits_before_who_comes(void **state)
{
	struct pool_fixture *f = *state;
	struct askers askers;
	struct asker waits;

	f->settings.max_connections = 2;
	pool_fixture_start(f);
	begin(&askers, f);
	asker_init(&waits, f);
	asker_acquire(&askers.first, 0, false);
	asker_acquire(&waits, 0, false); /* there is no further place */
	asker_return(&askers.has);
	asker_acquire(&askers.next, 0, false);
	RUN_UNTIL(f, waits.turn != 0);
	assert_int_equal(askers.next.turn, 0);
	asker_return(&waits);
	RUN_UNTIL(f, askers.next.turn != 0);
	asker_return(&askers.first);
	asker_return(&askers.next);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pool_fixture_setup, pool_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_comes_next_takes_it_and_begins_none),
		TEST(one_alone_takes_it),
		TEST(it_is_nobodys_again_when_that_one_cancels),
		TEST(where_it_fails_there_is_one_of_its_own),
		TEST(it_serves_its_own_credential_alone),
		TEST(it_goes_to_who_waits_before_who_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
