/*
 * Tests of pool/credential_source: what workers see of a credential that is replaced.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "pool/credential_source.h"

enum {
	WHEN_US = 5000000,
	LONG_PAST_S = 1000,
};

static int setup(void **state)
{
	*state = credential_source_create(&(struct credential_source_settings){
		.upstream = "api",
		.from = "bearer_file /run/token",
		.field = "Authorization",
		.scope = {.methods = CREDENTIAL_EVERY_METHOD},
		.margin_ms = 60000,
	});
	return 0;
}

static int teardown(void **state)
{
	credential_source_destroy(*state);
	return 0;
}

static struct credential *token(
	const struct credential_source *source, const char *text, uint64_t expires_s)
{
	return credential_create(
		credential_source_key(source), &(struct credential_parts){.kind = CREDENTIAL_BEARER,
						       .secret = slice_str(text),
						       .expires_s = expires_s});
}

static void expect_held(struct credential_source *source, const char *value)
{
	uint32_t generation;
	struct credential *held = credential_source_hold(source, &generation);

	assert_true(slice_equal(credential_field_value(held), slice_str(value)));
	assert_int_equal(generation, credential_source_generation(source));
	credential_unref(held);
}

static void complain(struct credential_source *source, const char *text)
{
	struct err err;

	err_set(&err, ERR_CREDENTIAL, "%s", text);
	credential_source_complain(source, &err);
}

static void there_is_none_before_the_first(void **state)
{
	struct credential_source *source = *state;
	uint32_t generation;

	assert_int_equal(credential_source_generation(source), 0);
	assert_null(credential_source_hold(source, &generation));
	assert_int_equal(generation, 0);
}

static void each_new_one_has_a_generation_of_its_own(void **state)
{
	struct credential_source *source = *state;
	uint32_t first;

	credential_source_publish(source, token(source, "one", 0), WHEN_US);
	first = credential_source_generation(source);
	expect_held(source, "Bearer one");
	credential_source_publish(source, token(source, "two", 0), WHEN_US);
	assert_int_not_equal(credential_source_generation(source), first);
	expect_held(source, "Bearer two");
}

static void the_same_one_again_changes_nothing_for_the_workers(void **state)
{
	struct credential_source *source = *state;
	uint32_t first;

	credential_source_publish(source, token(source, "one", 0), WHEN_US);
	first = credential_source_generation(source);
	credential_source_publish(source, token(source, "one", 0), WHEN_US);
	assert_int_equal(credential_source_generation(source), first);
	credential_source_publish(source, token(source, "one", 99), WHEN_US);
	assert_int_not_equal(credential_source_generation(source), first);
}

static void nobody_is_an_answer_too(void **state)
{
	struct credential_source *source = *state;
	uint32_t generation;

	credential_source_publish(source, NULL, WHEN_US);
	assert_null(credential_source_hold(source, &generation));
	assert_int_not_equal(generation, 0);
}

static void one_that_is_held_outlives_its_successor(void **state)
{
	struct credential_source *source = *state;
	uint32_t generation;
	struct credential *held;

	credential_source_publish(source, token(source, "one", 0), WHEN_US);
	held = credential_source_hold(source, &generation);
	credential_source_publish(source, token(source, "two", 0), WHEN_US);
	assert_true(slice_equal(credential_field_value(held), SLICE("Bearer one")));
	credential_unref(held);
}

static void a_failure_leaves_the_old_one_and_shows_in_the_status(void **state)
{
	struct credential_source *source = *state;
	struct credential_status status;

	credential_source_publish(source, token(source, "one", 123), WHEN_US);
	complain(source, "it is gone");
	expect_held(source, "Bearer one");
	credential_source_status(source, &status);
	assert_string_equal(status.kind, "bearer");
	assert_int_equal(status.expires_s, 123);
	assert_int_equal(status.renewed_us, WHEN_US);
	assert_string_equal(status.err.text, "it is gone");
	credential_source_publish(source, token(source, "two", 456), WHEN_US + 1);
	credential_source_status(source, &status);
	assert_int_equal(status.err.code, ERR_NONE);
	assert_int_equal(status.renewed_us, WHEN_US + 1);
}

static void expect_explained(struct credential_source *source, const char *words)
{
	struct err err = ERR_INIT;

	credential_source_explain(source, &err);
	assert_int_equal(err.code, ERR_CREDENTIAL);
	assert_string_equal(err.text, words);
}

static void why_there_is_none_is_told_with_its_place_and_time(void **state)
{
	struct credential_source *source = *state;

	expect_explained(source,
		"upstream api: there is no credential from bearer_file /run/token: it has not come "
		"yet");
	complain(source, "it is gone");
	expect_explained(source,
		"upstream api: there is no credential from bearer_file /run/token: it is gone");
	credential_source_publish(source, token(source, "s3cr3t", LONG_PAST_S), WHEN_US);
	expect_explained(source, "upstream api: the credential of bearer_file /run/token ended at "
				 "1970-01-01T00:16:40Z: no newer one has come");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(there_is_none_before_the_first),
		TEST(each_new_one_has_a_generation_of_its_own),
		TEST(the_same_one_again_changes_nothing_for_the_workers),
		TEST(nobody_is_an_answer_too),
		TEST(one_that_is_held_outlives_its_successor),
		TEST(a_failure_leaves_the_old_one_and_shows_in_the_status),
		TEST(why_there_is_none_is_told_with_its_place_and_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
