/*
 * Tests of what is known of an upstream's addresses, and of when its name is looked up again. No
 * name server is asked: the test answers when it likes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "pool/resolver.h"
#include "tests/unit/fake_names.h"

struct fixture {
	struct loop loop;
	struct resolver resolver;
	uint64_t now_ms; /* a clock that only the test moves */
	struct resolver_query query;
	unsigned told;
	enum names_status status;
};

static void set_clock(struct fixture *f)
{
	f->loop.turn_us = f->now_ms * 1000;
}

static int setup(void **state)
{
	static struct fixture f;

	alarm(60); /* a wait in vain ends the program */
	f = (struct fixture){.now_ms = clock_now_us() / 1000};
	list_init(&f.query.node);
	fake_names_forget();
	assert_int_equal(loop_init(&f.loop), 0);
	set_clock(&f);
	resolver_init(&f.resolver, &f.loop, "api.test", 80);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	resolver_forget(&f->query);
	resolver_stop(&f->resolver);
	loop_settle(&f->loop);
	loop_fini(&f->loop);
	return 0;
}

static void on_answered(struct resolver_query *query, enum names_status status)
{
	struct fixture *f = container_of(query, struct fixture, query);

	f->told++;
	f->status = status;
}

static void on_other_answered(struct resolver_query *query, enum names_status status)
{
	assert_int_equal(status, NAMES_UNKNOWN);
	query->answered = NULL;
}

static void pass(struct fixture *f, uint64_t ms)
{
	f->now_ms += ms;
	set_clock(f);
}

/* Somebody has no address that works. */
static void ask(struct fixture *f)
{
	set_clock(f);
	f->query.answered = on_answered;
	resolver_ask(&f->resolver, &f->query);
	loop_settle(&f->loop);
	set_clock(f);
}

/* The same, answered with these. */
#define ASK_AND_ANSWER(f, ...)                                                                     \
	do {                                                                                       \
		ask(f);                                                                            \
		FAKE_NAMES_ANSWER(__VA_ARGS__);                                                    \
		set_clock(f);                                                                      \
	} while (0)

/* Somebody uses what is known. */
static void use(struct fixture *f)
{
	uint8_t order[RESOLVER_ADDRESSES_MAX];

	assert_true(resolver_order(&f->resolver, order) > 0);
}

/* The first address that is tried now. */
static void begins_with(struct fixture *f, const char *expected)
{
	char text[RESOLVER_ADDRESS_TEXT_SIZE];
	uint8_t order[RESOLVER_ADDRESSES_MAX];

	assert_true(resolver_order(&f->resolver, order) > 0);
	resolver_address_text(&f->resolver.addresses[order[0]], text);
	assert_string_equal(text, expected);
}

/* --- what is known */

static void nothing_is_looked_up_before_somebody_asks(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(f->resolver.count, 0);
	assert_int_equal(fake_names.asked, 0);
	ASK_AND_ANSWER(f, "127.0.0.1");
	assert_int_equal(f->told, 1);
	assert_int_equal(f->status, NAMES_FOUND);
	begins_with(f, "127.0.0.1:80");
}

static void an_address_in_numbers_is_known_from_the_start(void **state)
{
	struct fixture *f = *state;

	resolver_init(&f->resolver, &f->loop, "fe80::1", 443);
	begins_with(f, "[fe80::1]:443");
	pass(f, RESOLVER_TTL_MAX_MS);
	use(f);
	ask(f);
	assert_int_equal(f->told, 1);
	assert_int_equal(fake_names.asked, 0);
}

static void an_index_of_old_addresses_says_nothing_of_new_ones(void **state)
{
	struct fixture *f = *state;
	uint32_t old;

	ASK_AND_ANSWER(f, "127.0.0.1", "127.0.0.2");
	old = f->resolver.generation;
	resolver_blame(&f->resolver, old, 0);
	begins_with(f, "127.0.0.2:80");
	ASK_AND_ANSWER(f, "127.0.0.3", "127.0.0.4");
	assert_int_not_equal(f->resolver.generation, old);
	resolver_blame(&f->resolver, old, 0);
	begins_with(f, "127.0.0.3:80");
}

static void what_is_held_against_an_address_stays_with_it(void **state)
{
	struct fixture *f = *state;

	ASK_AND_ANSWER(f, "127.0.0.1", "127.0.0.2");
	resolver_blame(&f->resolver, f->resolver.generation, 0);
	ASK_AND_ANSWER(f, "127.0.0.1", "127.0.0.3"); /* one is new */
	begins_with(f, "127.0.0.3:80");
	resolver_worked(&f->resolver, f->resolver.generation, 0);
	begins_with(f, "127.0.0.1:80");
}

static void families_take_turns(void **state)
{
	struct fixture *f = *state;
	char text[RESOLVER_ADDRESS_TEXT_SIZE];

	ASK_AND_ANSWER(f, "::1", "::2", "127.0.0.1");
	resolver_address_text(&f->resolver.addresses[1], text);
	assert_string_equal(text, "127.0.0.1:80");
	resolver_address_text(&f->resolver.addresses[2], text);
	assert_string_equal(text, "[::2]:80");
}

/* --- for how long */

/* Used until then, and looked up again by who uses it then, in the background. */
static void holds_for(struct fixture *f, uint64_t ms)
{
	unsigned before = fake_names.asked;

	pass(f, ms - 1);
	use(f);
	assert_int_equal(fake_names.asked, before);
	pass(f, 1);
	assert_int_equal(fake_names.asked, before);
	use(f);
	assert_int_equal(fake_names.asked, before + 1);
	use(f);
	assert_int_equal(fake_names.asked, before + 1);
}

static void an_answer_holds_for_its_time_to_live(void **state)
{
	struct fixture *f = *state;

	fake_names.ttl_s = 7;
	ASK_AND_ANSWER(f, "127.0.0.1");
	holds_for(f, 7000);
	fake_names.ttl_s = 9;
	FAKE_NAMES_ANSWER("127.0.0.1");
	holds_for(f, 9000);
	assert_int_equal(f->told, 1);
}

static void no_answer_holds_for_less_than_a_second(void **state)
{
	struct fixture *f = *state;

	fake_names.ttl_s = 0;
	ASK_AND_ANSWER(f, "127.0.0.1");
	holds_for(f, RESOLVER_TTL_MIN_MS);
}

static void no_answer_holds_for_more_than_five_minutes(void **state)
{
	struct fixture *f = *state;

	fake_names.ttl_s = UINT32_MAX;
	ASK_AND_ANSWER(f, "127.0.0.1");
	holds_for(f, RESOLVER_TTL_MAX_MS);
}

static void the_hosts_file_is_looked_at_every_half_minute(void **state)
{
	struct fixture *f = *state;

	fake_names.ttl_s = 0;
	fake_names.local = true;
	ASK_AND_ANSWER(f, "127.0.0.1");
	holds_for(f, RESOLVER_TTL_LOCAL_MS);
}

static void an_old_answer_is_better_than_none(void **state)
{
	struct fixture *f = *state;

	fake_names.ttl_s = 5;
	ASK_AND_ANSWER(f, "127.0.0.1");
	pass(f, 5000);
	use(f);
	fake_names_fail(NAMES_SILENT);
	set_clock(f);
	begins_with(f, "127.0.0.1:80");
	assert_int_equal(fake_names.asked, 2);
	holds_for(f, RESOLVER_HOLD_MS); /* and the next one asks again */
}

/* --- how often, where nothing works */

static void all_who_ask_meanwhile_get_the_same_answer(void **state)
{
	struct fixture *f = *state;
	struct resolver_query other = {.answered = on_other_answered};

	ask(f);
	resolver_ask(&f->resolver, &other);
	assert_int_equal(fake_names.asked, 1);
	fake_names_fail(NAMES_UNKNOWN);
	assert_int_equal(f->told, 1);
	assert_null(other.answered);
}

static void a_name_that_is_unknown_is_asked_for_once_a_second(void **state)
{
	struct fixture *f = *state;

	ask(f);
	fake_names_fail(NAMES_UNKNOWN);
	for (int i = 0; i < 100; i++) {
		ask(f);
		assert_int_equal(f->status, NAMES_UNKNOWN);
	}
	assert_int_equal(f->told, 101);
	assert_int_equal(fake_names.asked, 1);
	pass(f, RESOLVER_HOLD_MS);
	ask(f);
	assert_int_equal(fake_names.asked, 2);
}

static void addresses_that_do_not_work_are_asked_for_at_once_and_then_once_a_second(void **state)
{
	struct fixture *f = *state;

	ASK_AND_ANSWER(f, "127.0.0.1");
	ASK_AND_ANSWER(f, "127.0.0.1"); /* nothing new */
	assert_int_equal(fake_names.asked, 2);
	for (int i = 0; i < 100; i++) {
		ask(f);
		resolver_refresh(&f->resolver);
	}
	assert_int_equal(f->told, 102);
	assert_int_equal(fake_names.asked, 2);
	pass(f, RESOLVER_HOLD_MS);
	ASK_AND_ANSWER(f, "127.0.0.2");
	ASK_AND_ANSWER(f, "127.0.0.2"); /* what is new may be asked for again at once */
	assert_int_equal(fake_names.asked, 4);
}

static void a_lookup_that_nobody_needed_holds_nobody_back(void **state)
{
	struct fixture *f = *state;

	fake_names.ttl_s = 1;
	ASK_AND_ANSWER(f, "127.0.0.1");
	pass(f, 1000);
	use(f);
	FAKE_NAMES_ANSWER("127.0.0.1");
	ask(f);
	assert_int_equal(fake_names.asked, 3);
}

/* --- the end */

static void stopping_forgets_what_runs(void **state)
{
	struct fixture *f = *state;

	ask(f);
	resolver_forget(&f->query);
	resolver_stop(&f->resolver);
	assert_null(fake_names.pending);
	assert_int_equal(f->told, 0);
}

static void stopping_forgets_what_is_to_be_told(void **state)
{
	struct fixture *f = *state;

	ask(f);
	fake_names_fail(NAMES_UNKNOWN);
	set_clock(f);
	f->query.answered = on_answered;
	resolver_ask(&f->resolver, &f->query); /* known: told at the turn's end */
	resolver_forget(&f->query);
	resolver_stop(&f->resolver);
	loop_settle(&f->loop);
	assert_int_equal(f->told, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_looked_up_before_somebody_asks),
		TEST(an_address_in_numbers_is_known_from_the_start),
		TEST(an_index_of_old_addresses_says_nothing_of_new_ones),
		TEST(what_is_held_against_an_address_stays_with_it),
		TEST(families_take_turns),
		TEST(an_answer_holds_for_its_time_to_live),
		TEST(no_answer_holds_for_less_than_a_second),
		TEST(no_answer_holds_for_more_than_five_minutes),
		TEST(the_hosts_file_is_looked_at_every_half_minute),
		TEST(an_old_answer_is_better_than_none),
		TEST(all_who_ask_meanwhile_get_the_same_answer),
		TEST(a_name_that_is_unknown_is_asked_for_once_a_second),
		TEST(addresses_that_do_not_work_are_asked_for_at_once_and_then_once_a_second),
		TEST(a_lookup_that_nobody_needed_holds_nobody_back),
		TEST(stopping_forgets_what_runs),
		TEST(stopping_forgets_what_is_to_be_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
