/*
 * Tests of pool/identities: whose connections are kept, and who leaves when there are too many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pool/identities.h"

enum {
	ALICE = 11,
	BOB = 22,
	CAROL = 33,
};

static int setup(void **state)
{
	static struct identities identities;

	identities_init(&identities, 2);
	*state = &identities;
	return 0;
}

static int teardown(void **state)
{
	identities_fini(*state);
	return 0;
}

static void who_was_admitted_is_kept(void **state)
{
	struct identities *known = *state;

	assert_false(identities_keep(known, ALICE));
	assert_int_equal(identities_admit(known, ALICE, 1000, 0), 0);
	assert_int_equal(identities_admit(known, ALICE, 1000, 0), 0);
	assert_true(identities_keep(known, ALICE));
	assert_false(identities_keep(known, BOB));
}

static void no_credential_is_kept_without_being_admitted(void **state)
{
	assert_true(identities_keep(*state, 0));
}

static void the_one_that_ends_soonest_leaves_first(void **state)
{
	struct identities *known = *state;

	assert_int_equal(identities_admit(known, ALICE, 2000, 0), 0);
	assert_int_equal(identities_admit(known, BOB, 1000, 0), 0);
	assert_int_equal(identities_admit(known, CAROL, 3000, 0), BOB);
	assert_true(identities_keep(known, ALICE));
	assert_false(identities_keep(known, BOB));
	assert_true(identities_keep(known, CAROL));
}

static void of_two_that_never_end_the_older_one_leaves(void **state)
{
	struct identities *known = *state;

	(void)identities_admit(known, ALICE, UINT64_MAX, 0);
	(void)identities_admit(known, BOB, UINT64_MAX, 0);
	assert_int_equal(identities_admit(known, CAROL, UINT64_MAX, 0), ALICE);
}

static void who_has_ended_makes_room_for_nothing(void **state)
{
	struct identities *known = *state;

	(void)identities_admit(known, ALICE, 5000, 0);
	(void)identities_admit(known, BOB, 1000, 0);
	assert_int_equal(identities_admit(known, CAROL, 2000, 1000), 0);
	assert_true(identities_keep(known, ALICE));
	assert_false(identities_keep(known, BOB));
}

static void all_but_one_can_leave_at_once(void **state)
{
	struct identities *known = *state;

	(void)identities_admit(known, ALICE, 1000, 0);
	(void)identities_admit(known, BOB, 1000, 0);
	identities_keep_only(known, BOB);
	assert_false(identities_keep(known, ALICE));
	assert_true(identities_keep(known, BOB));
	identities_keep_only(known, 0);
	assert_false(identities_keep(known, BOB));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_was_admitted_is_kept),
		TEST(no_credential_is_kept_without_being_admitted),
		TEST(the_one_that_ends_soonest_leaves_first),
		TEST(of_two_that_never_end_the_older_one_leaves),
		TEST(who_has_ended_makes_room_for_nothing),
		TEST(all_but_one_can_leave_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
