/*
 * How many requests may be sent a second time at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pool/retry_budget.h"

static struct retry_budget budget_with(uint32_t live)
{
	struct retry_budget budget = {.live = 0};

	for (uint32_t i = 0; i < live; i++) {
		retry_budget_begin(&budget);
	}
	return budget;
}

static uint32_t take_all(struct retry_budget *budget, uint32_t max_idle)
{
	uint32_t taken = 0;

	while (budget->live > budget->retries && retry_budget_take(budget, max_idle)) {
		taken++;
	}
	return taken;
}

static void a_few_retries_are_always_allowed(void **state)
{
	struct retry_budget one = budget_with(1);
	struct retry_budget five = budget_with(5);

	(void)state;
	assert_int_equal(take_all(&one, 0), 1);
	assert_int_equal(take_all(&five, 0), RETRY_BUDGET_LEAST);
}

static void of_many_requests_a_fifth_may_be_retries(void **state)
{
	struct retry_budget hundred = budget_with(100);
	struct retry_budget odd = budget_with(104);

	(void)state;
	assert_int_equal(take_all(&hundred, 0), 20);
	assert_int_equal(take_all(&odd, 19), 20);
}

static void as_many_are_allowed_as_may_have_been_idle(void **state)
{
	struct retry_budget hundred = budget_with(100);

	(void)state;
	assert_int_equal(take_all(&hundred, 50), 50);
}

static void a_retry_that_is_over_makes_room(void **state)
{
	struct retry_budget budget = budget_with(100);

	(void)state;
	(void)take_all(&budget, 0);
	retry_budget_end(&budget, true);
	retry_budget_begin(&budget);
	assert_int_equal(take_all(&budget, 0), 1);
}

static void a_request_that_is_over_takes_its_share_along(void **state)
{
	struct retry_budget budget = budget_with(100);

	(void)state;
	for (int i = 0; i < 50; i++) {
		retry_budget_end(&budget, false);
	}
	assert_int_equal(take_all(&budget, 0), 10);
	for (int i = 0; i < 10; i++) {
		retry_budget_end(&budget, true);
	}
	assert_int_equal(budget.live, 40);
	assert_int_equal(budget.retries, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_few_retries_are_always_allowed),
		cmocka_unit_test(of_many_requests_a_fifth_may_be_retries),
		cmocka_unit_test(as_many_are_allowed_as_may_have_been_idle),
		cmocka_unit_test(a_retry_that_is_over_makes_room),
		cmocka_unit_test(a_request_that_is_over_takes_its_share_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
