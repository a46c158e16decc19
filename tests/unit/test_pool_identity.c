/*
 * Tests of what connections are opened under: each is lent to requests of its own credential alone,
 * and leaves with that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/clock.h"
#include "pool/credential_source.h"
#include "pool/upstream_shared.h"
#include "tests/unit/pool_fixture.h"

enum {
	MARGIN_MS = 10 * 1000,
	HOUR_S = 3600,
	SHORT_S = 20,
};

static const struct credential_key key = {.bytes = "0123456789abcde"};

static struct credential *token(const char *text, uint64_t lives_s)
{
	return credential_create(
		&key, &(struct credential_parts){.kind = CREDENTIAL_BEARER,
			      .secret = slice_str(text),
			      .expires_s = lives_s == 0 ? 0 : clock_wall_us() / 1000000 + lives_s});
}

static void start(struct pool_fixture *f)
{
	f->settings.safety_margin_ms = MARGIN_MS;
	pool_fixture_start(f);
}

/* Gets a connection for that credential, takes it where one is idle, and gives it back; whether it
 * had been lent before. */
static bool reuses(struct pool_fixture *f, const struct credential *credential)
{
	struct asker asker;
	bool reused;

	asker_init(&asker, f);
	asker.waiter.credential = credential;
	if (!asker_take(&asker, 0)) {
		asker_get(&asker, 0);
	}
	reused = connection_reused(asker.connection);
	asker_return(&asker);
	return reused;
}

static void a_connection_is_lent_for_its_own_credential_alone(void **state)
{
	struct pool_fixture *f = *state;
	struct credential *alice = token("alice", 0);
	struct credential *bob = token("bob", 0);

	f->settings.max_entries = 8;
	start(f);
	assert_false(reuses(f, NULL));
	assert_false(reuses(f, alice));
	assert_false(reuses(f, bob));
	assert_true(reuses(f, NULL));
	assert_true(reuses(f, alice));
	assert_true(reuses(f, bob));
	assert_int_equal(pool_fixture_counts(f).idle, 3);
	credential_unref(alice);
	credential_unref(bob);
}

static void what_is_given_back_serves_no_waiter_of_another_credential(void **state)
{
	struct pool_fixture *f = *state;
	struct credential *alice = token("alice", 0);
	struct asker first;
	struct asker other;
	struct asker same;

	f->settings.max_connections = 1;
	start(f);
	asker_init(&first, f);
	asker_init(&other, f);
	asker_init(&same, f);
	first.waiter.credential = alice;
	same.waiter.credential = alice;
	asker_get(&first, 0);
	asker_acquire(&other, 0, false);
	asker_acquire(&same, 0, false);
	asker_return(&first);
	RUN_UNTIL(f, other.turn != 0 || same.turn != 0);
	if (other.connection != NULL) { /* by a new one, in the old one's place */
		assert_false(connection_reused(other.connection));
		asker_return(&other);
	} else {
		assert_true(connection_reused(same.connection));
		asker_return(&same);
	}
	RUN_UNTIL(f, other.turn != 0 && same.turn != 0);
	if (other.connection != NULL) {
		assert_false(connection_reused(other.connection));
		asker_return(&other);
	} else {
		asker_return(&same);
	}
	credential_unref(alice);
}

static void one_that_wants_another_credential_gets_the_place_of_what_is_idle(void **state)
{
	struct pool_fixture *f = *state;
	struct credential *alice = token("alice", 0);

	f->settings.max_connections = 1;
	start(f);
	assert_false(reuses(f, NULL));
	assert_false(reuses(f, alice)); /* it does not wait for the idle one's timeout */
	assert_int_equal(pool_fixture_counts(f).connections, 1);
	credential_unref(alice);
}

static void a_connection_leaves_before_its_credential_ends(void **state)
{
	struct pool_fixture *f = *state;
	struct credential *alice = token("alice", SHORT_S);

	start(f);
	assert_false(reuses(f, alice));
	assert_true(reuses(f, alice));
	pool_fixture_later(f, SHORT_S * 1000 - MARGIN_MS);
	assert_null(pool_take(f->pool, alice, 0));
	pool_fixture_settle(f);
	credential_unref(alice);
}

static void within_the_margin_it_serves_one_request(void **state)
{
	struct pool_fixture *f = *state;
	struct credential *alice = token("alice", MARGIN_MS / 1000 - 1);

	start(f);
	assert_false(reuses(f, alice));
	assert_false(reuses(f, alice));
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 0);
	assert_int_equal(pool_fixture_counts(f).idle, 0);
	credential_unref(alice);
}

/* A token that itself says when it ends; nobody else does. */
static struct credential *jwt(uint64_t lives_s)
{
	struct buffer text = BUFFER_INIT;
	struct secret payload;
	struct credential *credential;

	buffer_printf(
		&text, "{\"exp\":%llu}", (unsigned long long)(clock_wall_us() / 1000000 + lives_s));
	base64_encode(buffer_slice(&text), &payload); /* 18 bytes: nothing is padded */
	buffer_clear(&text);
	buffer_printf(&text, "e30.%.*s.x", SLICE_ARGS(secret_slice(&payload)));
	credential = credential_create(&key, &(struct credential_parts){
						     .kind = CREDENTIAL_BEARER,
						     .secret = buffer_slice(&text),
					     });
	secret_fini(&payload);
	buffer_fini(&text);
	return credential;
}

static void a_connection_leaves_before_the_end_that_its_token_tells(void **state)
{
	struct pool_fixture *f = *state;
	struct credential *alice = jwt(SHORT_S);
	struct asker asker;

	start(f);
	assert_false(reuses(f, alice));
	asker_init(&asker, f);
	asker.waiter.credential = alice;
	pool_fixture_later(f, SHORT_S * 1000 - MARGIN_MS - 1500);
	assert_true(asker_take(&asker, 0));
	asker_return(&asker);
	pool_fixture_later(f, SHORT_S * 1000 - MARGIN_MS);
	assert_false(asker_take(&asker, 0));
	pool_fixture_settle(f);
	credential_unref(alice);
}

static void within_the_margin_of_that_it_serves_one_request(void **state)
{
	struct pool_fixture *f = *state;
	struct credential *alice = jwt(MARGIN_MS / 1000 - 1);

	start(f);
	assert_false(reuses(f, alice));
	assert_false(reuses(f, alice));
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 0);
	credential_unref(alice);
}

static void of_too_many_credentials_the_one_that_ends_soonest_leaves(void **state)
{
	struct pool_fixture *f = *state;
	struct credential *long_lived = token("long", 3 * HOUR_S);
	struct credential *soonest = token("soonest", HOUR_S);
	struct credential *newest = token("newest", 2 * HOUR_S);

	f->settings.max_entries = 2;
	start(f);
	assert_false(reuses(f, long_lived));
	assert_false(reuses(f, soonest));
	assert_false(reuses(f, newest));
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 2);
	assert_true(reuses(f, long_lived));
	assert_true(reuses(f, newest));
	assert_null(pool_take(f->pool, soonest, 0));
	credential_unref(long_lived);
	credential_unref(soonest);
	credential_unref(newest);
}

/* Nobody waits for a close: whoever needs the room has its connection begun before that. */
static void what_has_to_leave_is_closed_behind_the_request_that_it_leaves_for(void **state)
{
	struct pool_fixture *f = *state;
	struct credential *soonest = token("soonest", HOUR_S);
	struct credential *newest = token("newest", 2 * HOUR_S);
	struct asker askers[3];
	struct asker last;

	f->settings.max_entries = 1;
	start(f);
	for (size_t i = 0; i < 3; i++) {
		asker_init(&askers[i], f);
		askers[i].waiter.credential = soonest;
		asker_get(&askers[i], 0);
	}
	for (size_t i = 0; i < 3; i++) {
		asker_return(&askers[i]);
	}
	asker_init(&last, f);
	last.waiter.credential = newest;
	pool_acquire(f->pool, &last.waiter, false);
	assert_true(last.waiter.connecting_us > 0);
	assert_int_equal(pool_fixture_counts(f).idle, 0);
	assert_int_equal(pool_fixture_counts(f).expired, 3);
	assert_int_equal(upstream_places(f->upstream)->closing, 0);
	pool_fixture_settle(f);
	assert_int_equal(upstream_places(f->upstream)->closing, 3);
	RUN_UNTIL(f, last.turn != 0);
	asker_return(&last);
	credential_unref(soonest);
	credential_unref(newest);
}

static void one_that_is_lent_while_its_credential_leaves_is_not_kept(void **state)
{
	struct pool_fixture *f = *state;
	struct credential *soonest = token("soonest", HOUR_S);
	struct credential *newest = token("newest", 2 * HOUR_S);
	struct asker asker;

	f->settings.max_entries = 1;
	start(f);
	asker_init(&asker, f);
	asker.waiter.credential = soonest;
	asker_get(&asker, 0);
	assert_false(reuses(f, newest));
	asker_return(&asker);
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 1);
	assert_true(reuses(f, newest));
	credential_unref(soonest);
	credential_unref(newest);
}

static struct credential_source *make_source(void)
{
	return credential_source_create(&(struct credential_source_settings){
		.upstream = "api",
		.from = "a test",
		.field = "Authorization",
		.scope = {.methods = CREDENTIAL_EVERY_METHOD},
		.margin_ms = MARGIN_MS,
	});
}

static void what_a_new_credential_replaces_leaves_at_the_next_look(void **state)
{
	struct pool_fixture *f = *state;
	struct credential *credential;
	bool known;

	f->source = make_source();
	start(f);
	assert_null(pool_credential(f->pool, &known));
	assert_false(known);
	credential_source_publish(f->source, token("one", 0), 1);
	credential = pool_credential(f->pool, &known);
	assert_true(known);
	assert_false(reuses(f, credential));
	assert_true(reuses(f, credential));
	assert_false(reuses(f, NULL));
	credential_source_publish(f->source, token("two", 0), 1);
	credential = pool_credential(f->pool, &known);
	assert_true(slice_equal(credential_field_value(credential), SLICE("Bearer two")));
	assert_int_equal(pool_fixture_counts(f).idle, 1); /* at once, in the books */
	pool_fixture_settle(f);                           /* closed at the turn's end */
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 1);
	assert_false(reuses(f, credential));
	assert_true(reuses(f, NULL));
}

/* The other workers' requests are not held up by so many leaving here: the test has the lock that
 * all share, so that who wanted it would wait for ever. */
static void what_was_replaced_leaves_without_a_lock(void **state)
{
	struct pool_fixture *f = *state;
	struct asker askers[3];
	struct credential *one;
	bool known;

	f->source = make_source();
	start(f);
	credential_source_publish(f->source, token("one", 0), 1);
	one = pool_credential(f->pool, &known);
	for (size_t i = 0; i < 3; i++) {
		asker_init(&askers[i], f);
		askers[i].waiter.credential = one;
		asker_get(&askers[i], 0);
	}
	for (size_t i = 0; i < 3; i++) {
		asker_return(&askers[i]);
	}
	credential_source_publish(f->source, token("two", 0), 1);
	pthread_mutex_lock(&upstream_places(f->upstream)->lock);
	assert_null(pool_take(f->pool, pool_credential(f->pool, &known), 0));
	pthread_mutex_unlock(&upstream_places(f->upstream)->lock);
	assert_int_equal(pool_fixture_counts(f).idle, 0);
	pool_fixture_settle(f);
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 0);
}

static void a_request_of_the_old_credential_finishes_and_its_connection_leaves(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;
	struct credential *old;
	bool known;

	f->source = make_source();
	start(f);
	credential_source_publish(f->source, token("one", 0), 1);
	old = credential_ref(pool_credential(f->pool, &known));
	asker_init(&asker, f);
	asker.waiter.credential = old;
	asker_get(&asker, 0);
	credential_source_publish(f->source, token("two", 0), 1);
	asker_return(&asker);
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 0);
	/* One that began before and is opened now serves that request alone. */
	asker_get(&asker, 0);
	asker_return(&asker);
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 0);
	credential_unref(old);
}

static void who_cannot_have_a_credential_is_told_why(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	f->source = make_source();
	start(f);
	asker_init(&asker, f);
	pool_refuse_credential(f->pool, &asker.waiter);
	assert_int_equal(asker.turn, 0);
	pool_fixture_settle(f);
	assert_int_equal(asker.err.code, ERR_CREDENTIAL);
	assert_string_equal(asker.err.text,
		"upstream api: there is no credential from a test: it has not come yet");
	assert_int_equal(pool_fixture_counts(f).failures[FAILURE_CREDENTIAL], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pool_fixture_setup, pool_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_connection_is_lent_for_its_own_credential_alone),
		TEST(what_is_given_back_serves_no_waiter_of_another_credential),
		TEST(one_that_wants_another_credential_gets_the_place_of_what_is_idle),
		TEST(a_connection_leaves_before_its_credential_ends),
		TEST(within_the_margin_it_serves_one_request),
		TEST(a_connection_leaves_before_the_end_that_its_token_tells),
		TEST(within_the_margin_of_that_it_serves_one_request),
		TEST(of_too_many_credentials_the_one_that_ends_soonest_leaves),
		TEST(what_has_to_leave_is_closed_behind_the_request_that_it_leaves_for),
		TEST(one_that_is_lent_while_its_credential_leaves_is_not_kept),
		TEST(what_a_new_credential_replaces_leaves_at_the_next_look),
		TEST(what_was_replaced_leaves_without_a_lock),
		TEST(a_request_of_the_old_credential_finishes_and_its_connection_leaves),
		TEST(who_cannot_have_a_credential_is_told_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
