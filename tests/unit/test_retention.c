/*
 * Who goes when the ring is full: of a bound of 100, 25 are kept for failures and 25 for mutations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inspector/retention.h"

enum {
	BOUND = 100,
};

/* `amount` of which the oldest ended at `oldest`, and gives 1; UINT64_MAX: none has ended. */
static struct retention_holding held(uint64_t amount, uint64_t oldest)
{
	return (struct retention_holding){
		.amount = amount, .evictable = oldest != UINT64_MAX, .oldest = oldest, .gives = 1};
}

static enum capture_class choose(struct retention_holding reads, struct retention_holding mutations,
	struct retention_holding failures, enum capture_class newcomer)
{
	const struct retention_holding holdings[CLASSES] = {
		[CLASS_READ] = reads,
		[CLASS_MUTATION] = mutations,
		[CLASS_FAILED] = failures,
	};

	return retention_choose(holdings, BOUND, newcomer);
}

static void a_read_never_pushes_out_what_is_within_its_share(void **state)
{
	(void)state;
	/* both are older than every read */
	assert_int_equal(choose(held(50, 9), held(25, 1), held(25, 2), CLASS_READ), CLASS_READ);
	assert_int_equal(choose(held(98, 9), held(1, 1), held(1, 2), CLASS_READ), CLASS_READ);
}

static void a_share_that_was_lent_is_taken_back(void **state)
{
	(void)state;
	/* reads had all; failures and mutations come */
	assert_int_equal(
		choose(held(100, 1), held(0, UINT64_MAX), held(0, UINT64_MAX), CLASS_MUTATION),
		CLASS_READ);
	assert_int_equal(
		choose(held(80, 5), held(20, 1), held(0, UINT64_MAX), CLASS_MUTATION), CLASS_READ);
	/* mutations had all; a read comes and takes of what was lent to them */
	assert_int_equal(choose(held(0, UINT64_MAX), held(100, 1), held(0, UINT64_MAX), CLASS_READ),
		CLASS_MUTATION);
}

static void of_those_above_their_share_the_one_that_ended_first_goes(void **state)
{
	(void)state;
	assert_int_equal(choose(held(30, 3), held(40, 2), held(30, 1), CLASS_READ), CLASS_FAILED);
	assert_int_equal(choose(held(30, 3), held(40, 2), held(25, 1), CLASS_READ), CLASS_MUTATION);
	assert_int_equal(choose(held(30, 1), held(40, 2), held(30, 3), CLASS_MUTATION), CLASS_READ);
}

static void a_newcomer_takes_from_his_own_class_only_where_no_other_gives(void **state)
{
	(void)state;
	/* All reads run. */
	assert_int_equal(choose(held(50, UINT64_MAX), held(25, 1), held(25, 2), CLASS_MUTATION),
		CLASS_MUTATION);
	assert_int_equal(
		choose(held(50, UINT64_MAX), held(25, 1), held(25, 2), CLASS_READ), CLASSES);
	/* One has ended. */
	assert_int_equal(choose(held(50, 9), held(25, 1), held(25, 2), CLASS_MUTATION), CLASS_READ);
}

static void nobody_goes_where_all_run(void **state)
{
	struct retention_holding running = held(33, UINT64_MAX);

	(void)state;
	for (unsigned i = 0; i < CLASSES; i++) {
		assert_int_equal(choose(running, running, running, (enum capture_class)i), CLASSES);
	}
}

static void a_large_record_does_not_take_its_class_below_its_share(void **state)
{
	struct retention_holding mutations = held(30, 1);

	(void)state;
	mutations.gives = 10;
	assert_int_equal(
		choose(held(70, 2), mutations, held(0, UINT64_MAX), CLASS_READ), CLASS_READ);
	mutations.gives = 5;
	assert_int_equal(
		choose(held(70, 2), mutations, held(0, UINT64_MAX), CLASS_READ), CLASS_MUTATION);
}

static void every_method_but_three_is_a_mutation(void **state)
{
	(void)state;
	assert_int_equal(retention_class(METHOD_GET), CLASS_READ);
	assert_int_equal(retention_class(METHOD_HEAD), CLASS_READ);
	assert_int_equal(retention_class(METHOD_OPTIONS), CLASS_READ);
	assert_int_equal(retention_class(METHOD_POST), CLASS_MUTATION);
	assert_int_equal(retention_class(METHOD_DELETE), CLASS_MUTATION);
	assert_int_equal(retention_class(METHOD_TRACE), CLASS_MUTATION);
	assert_int_equal(retention_class(METHOD_OTHER), CLASS_MUTATION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_read_never_pushes_out_what_is_within_its_share),
		cmocka_unit_test(a_share_that_was_lent_is_taken_back),
		cmocka_unit_test(of_those_above_their_share_the_one_that_ended_first_goes),
		cmocka_unit_test(a_newcomer_takes_from_his_own_class_only_where_no_other_gives),
		cmocka_unit_test(nobody_goes_where_all_run),
		cmocka_unit_test(a_large_record_does_not_take_its_class_below_its_share),
		cmocka_unit_test(every_method_but_three_is_a_mutation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
