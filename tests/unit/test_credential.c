/*
 * A credential as a value, and what follows from it and the time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/tls_text.h"
#include "pool/credential.h"
#include "pool/credential_rules.h"
#include "tests/unit/tls_fixture.h"

enum {
	MARGIN_MS = 60 * 1000,
	MINUTE_S = 60,
	MINUTE_MS = 60 * 1000,
};

static const uint64_t now_s = 1773312145;
static const uint64_t now_wall_us = UINT64_C(1773312145) * 1000000;
static const struct credential_key key = {.bytes = "0123456789abcde"};

static struct credential *make(enum credential_kind kind, const char *secret)
{
	return credential_create(&key,
		&(struct credential_parts){
			.kind = kind,
			.field_name = SLICE("X-API-Key"),
			.secret = slice_str(secret),
			.certificate = kind == CREDENTIAL_CLIENT_CERTIFICATE ? SLICE("CERTIFICATE")
									     : SLICE(""),
			.key = kind == CREDENTIAL_CLIENT_CERTIFICATE ? slice_str(secret)
								     : SLICE(""),
		});
}

static void expect_field(
	enum credential_kind kind, const char *secret, const char *name, const char *value)
{
	struct credential *credential = make(kind, secret);

	assert_int_equal(credential_kind(credential), kind);
	assert_true(slice_equal(credential_field_name(credential), slice_str(name)));
	assert_true(slice_equal(credential_field_value(credential), slice_str(value)));
	assert_int_equal(credential_expires_s(credential), 0);
	credential_unref(credential);
}

static void each_kind_has_its_field(void **state)
{
	(void)state;
	expect_field(CREDENTIAL_BEARER, "abc", "Authorization", "Bearer abc");
	expect_field(CREDENTIAL_HEADER, "abc", "X-API-Key", "abc");
	/* RFC 7617 section 2's example */
	expect_field(CREDENTIAL_BASIC, "Aladdin:open sesame", "Authorization",
		"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	expect_field(CREDENTIAL_CLIENT_CERTIFICATE, "KEY", "", "");
}

static void a_certificate_is_kept_beside_what_goes_into_the_request(void **state)
{
	struct credential *credential =
		credential_create(&key, &(struct credential_parts){
						.kind = CREDENTIAL_BEARER,
						.secret = SLICE("abc"),
						.certificate = SLICE("CERTIFICATE"),
						.key = SLICE("KEY"),
						.expires_s = 77,
					});

	(void)state;
	assert_string_equal(credential_certificate(credential).ptr, "CERTIFICATE");
	assert_string_equal(credential_certificate_key(credential).ptr, "KEY");
	assert_string_equal(credential_field_value(credential).ptr, "Bearer abc");
	assert_int_equal(credential_expires_s(credential), 77);
	assert_string_equal(credential_kind_name(credential), "bearer");
	credential_unref(credential);
}

static void no_credential_is_one_that_says_nothing(void **state)
{
	(void)state;
	assert_null(make(CREDENTIAL_NONE, "x"));
	assert_null(credential_ref(NULL));
	credential_unref(NULL);
	assert_int_equal(credential_kind(NULL), CREDENTIAL_NONE);
	assert_string_equal(credential_kind_name(NULL), "none");
	assert_int_equal(credential_identity(NULL), 0);
	assert_int_equal(credential_field_name(NULL).len, 0);
	assert_int_equal(credential_certificate(NULL).len, 0);
}

static void a_bearer_jwt_ends_at_its_own_end_if_that_is_earlier(void **state)
{
	struct credential_parts parts = {
		.kind = CREDENTIAL_BEARER,
		.secret = SLICE("e30.eyJleHAiOjEwMDB9.e30"), /* exp 1000 */
	};
	static const uint64_t ends[][2] = {{0, 1000}, {999, 999}, {1001, 1000}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct credential *credential;

		parts.expires_s = ends[i][0];
		credential = credential_create(&key, &parts);
		assert_int_equal(credential_expires_s(credential), ends[i][1]);
		credential_unref(credential);
	}
}

static uint64_t identity_of(enum credential_kind kind, const char *secret)
{
	struct credential *credential = make(kind, secret);
	uint64_t identity = credential_identity(credential);

	credential_unref(credential);
	assert_int_not_equal(identity, 0);
	return identity;
}

static uint64_t end_of(struct slice secret, struct slice certificate, uint64_t expires_s)
{
	struct credential *credential = credential_create(&key, &(struct credential_parts){
									.kind = CREDENTIAL_BEARER,
									.secret = secret,
									.certificate = certificate,
									.expires_s = expires_s,
								});
	uint64_t end_s = credential_expires_s(credential);

	credential_unref(credential);
	return end_s;
}

static void a_certificate_ends_at_its_own_end_if_that_is_earlier(void **state)
{
	struct pki pki;
	struct buffer text;
	struct slice certificate;
	uint64_t end_s;

	(void)state;
	pki_create(&pki);
	text = file_text(pki.client.certificate_file);
	certificate = buffer_slice(&text);
	end_s = (uint64_t)tls_time_seconds(X509_get0_notAfter(pki.client.x509));
	assert_int_equal(end_of(SLICE("abc"), certificate, 0), end_s);
	assert_int_equal(end_of(SLICE("abc"), certificate, end_s + 1), end_s);
	assert_int_equal(end_of(SLICE("abc"), certificate, end_s - 1), end_s - 1);
	assert_int_equal(end_of(SLICE("e30.eyJleHAiOjEwMDB9.e30"), certificate, end_s - 1), 1000);
	buffer_fini(&text);
	pki_destroy(&pki);
}

static void equal_credentials_and_no_others_have_one_identity(void **state)
{
	uint64_t first = identity_of(CREDENTIAL_BEARER, "abc");
	struct credential_key another = credential_key_make();
	struct credential *elsewhere = credential_create(&another,
		&(struct credential_parts){.kind = CREDENTIAL_BEARER, .secret = SLICE("abc")});

	(void)state;
	assert_true(first == identity_of(CREDENTIAL_BEARER, "abc"));
	assert_true(first != identity_of(CREDENTIAL_BEARER, "abd"));
	assert_true(identity_of(CREDENTIAL_HEADER, "abc") != identity_of(CREDENTIAL_BASIC, "abc"));
	assert_true(identity_of(CREDENTIAL_CLIENT_CERTIFICATE, "KEY") !=
		    identity_of(CREDENTIAL_CLIENT_CERTIFICATE, "KEZ"));
	assert_true(first != credential_identity(elsewhere));
	credential_unref(elsewhere);
}

static void a_credential_lives_until_its_last_reference_goes(void **state)
{
	struct credential *credential = make(CREDENTIAL_BEARER, "abc");

	(void)state;
	assert_ptr_equal(credential_ref(credential), credential);
	credential_unref(credential);
	assert_string_equal(credential_field_value(credential).ptr, "Bearer abc");
	credential_unref(credential); /* LeakSanitizer sees whether it went */
}

static void of_two_ends_the_earlier_counts_and_none_is_never_earlier(void **state)
{
	(void)state;
	assert_int_equal(credential_earlier(0, 0), 0);
	assert_int_equal(credential_earlier(5, 0), 5);
	assert_int_equal(credential_earlier(0, 5), 5);
	assert_int_equal(credential_earlier(6, 5), 5);
	assert_int_equal(credential_earlier(5, 6), 5);
}

/* --- rules */

static void a_connection_is_usable_until_its_credentials_end_less_the_margin(void **state)
{
	(void)state;
	assert_int_equal(credential_usable_until(
				 now_s + UINT64_C(5) * MINUTE_S, MARGIN_MS, now_wall_us, 1000),
		1000 + UINT64_C(4) * MINUTE_MS);
	assert_int_equal(credential_usable_until(now_s + 61, MARGIN_MS, now_wall_us, 1000), 2000);
	/* a part of a millisecond that has begun has passed */
	assert_int_equal(
		credential_usable_until(now_s + 61, MARGIN_MS, now_wall_us + 1, 1000), 1999);
	assert_int_equal(credential_usable_until(now_s + 5, 0, now_wall_us, 1000), 6000);
}

static void where_no_time_is_left_it_is_not_usable_for_a_moment(void **state)
{
	(void)state;
	assert_int_equal(
		credential_usable_until(now_s + MINUTE_S, MARGIN_MS, now_wall_us, 1000), 1000);
	assert_int_equal(credential_usable_until(now_s, 0, now_wall_us, 1000), 1000);
	assert_int_equal(credential_usable_until(1, UINT64_MAX, now_wall_us, 1000), 1000);
}

static void a_credential_without_end_is_usable_for_ever(void **state)
{
	(void)state;
	assert_true(credential_usable_until(0, MARGIN_MS, now_wall_us, 1000) == CREDENTIAL_FOREVER);
	assert_true(credential_usable_until(UINT64_MAX, MARGIN_MS, now_wall_us, 1000) ==
		    CREDENTIAL_FOREVER - now_s * 1000 - MARGIN_MS + 1000);
}

static void within_the_margin_a_connection_serves_one_request_and_after_the_end_none(void **state)
{
	(void)state;
	assert_int_equal(credential_life(0, MARGIN_MS, now_wall_us), CREDENTIAL_LIVES);
	assert_int_equal(credential_life(now_s + 61, MARGIN_MS, now_wall_us), CREDENTIAL_LIVES);
	assert_int_equal(credential_life(now_s + 60, MARGIN_MS, now_wall_us), CREDENTIAL_ENDS);
	assert_int_equal(credential_life(now_s + 1, MARGIN_MS, now_wall_us), CREDENTIAL_ENDS);
	assert_int_equal(credential_life(now_s, MARGIN_MS, now_wall_us), CREDENTIAL_HAS_ENDED);
	assert_int_equal(credential_life(now_s, 0, now_wall_us), CREDENTIAL_HAS_ENDED);
	assert_int_equal(credential_life(now_s + 1, 0, now_wall_us), CREDENTIAL_LIVES);
}

enum {
	FIRST,
	SECOND,
	THIRD,
};

static void a_credential_goes_with_the_methods_it_is_for(void **state)
{
	struct credential_scope two = {.methods = 1u << FIRST | 1u << THIRD};
	struct credential_scope all = {.methods = 0xffff};

	(void)state;
	assert_true(credential_applies(FIRST, &two));
	assert_false(credential_applies(SECOND, &two));
	assert_true(credential_applies(THIRD, &two));
	assert_true(credential_applies(SECOND, &all));
}

static void a_clients_own_field_stays_unless_the_setting_says_otherwise(void **state)
{
	struct credential_scope scope = {.methods = 1u << SECOND};

	(void)state;
	assert_true(credential_is_added(SECOND, &scope, false));
	assert_false(credential_is_added(SECOND, &scope, true));
	scope.replaces = true;
	assert_true(credential_is_added(SECOND, &scope, true));
	assert_false(credential_is_added(FIRST, &scope, true));
}

static void the_next_credential_is_fetched_well_before_the_margin(void **state)
{
	/* 100 minutes up to the margin */
	uint64_t end = now_s + UINT64_C(101) * MINUTE_S;

	(void)state;
	assert_int_equal(credential_refresh_in_ms(end, MARGIN_MS, now_wall_us, 0, 0),
		UINT64_C(90) * MINUTE_MS);
	assert_int_equal(
		credential_refresh_in_ms(end, MARGIN_MS, now_wall_us, 0, UINT64_C(10) * MINUTE_MS),
		UINT64_C(80) * MINUTE_MS);
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t random;
		uint64_t delay;

		random_unique(&random, sizeof(random));
		delay = credential_refresh_in_ms(end, MARGIN_MS, now_wall_us, 0, random);
		assert_in_range(delay, UINT64_C(80) * MINUTE_MS, UINT64_C(90) * MINUTE_MS);
	}
}

static void within_the_margin_the_next_is_fetched_when_half_is_gone(void **state)
{
	(void)state;
	assert_int_equal(credential_refresh_in_ms(now_s + 40, MARGIN_MS, now_wall_us, 0, 5), 20000);
	assert_int_equal(credential_refresh_in_ms(now_s + 1, MARGIN_MS, now_wall_us, 0, 5),
		CREDENTIAL_RETRY_MIN_MS);
	assert_int_equal(credential_refresh_in_ms(now_s - 9, MARGIN_MS, now_wall_us, 0, 5),
		CREDENTIAL_RETRY_MIN_MS);
}

static void what_does_not_end_is_not_fetched_again(void **state)
{
	(void)state;
	assert_true(
		credential_refresh_in_ms(0, MARGIN_MS, now_wall_us, 0, 5) == CREDENTIAL_FOREVER);
}

static void a_failure_is_tried_again_later_each_time_and_never_later_than_five_minutes(void **state)
{
	uint64_t longest = 2000;

	(void)state;
	for (unsigned failures = 1; failures < 100; failures++) {
		uint64_t at_once = credential_refresh_in_ms(0, 0, now_wall_us, failures, 0);
		uint64_t half = longest / 2;

		assert_int_equal(at_once, longest);
		assert_int_equal(credential_refresh_in_ms(0, 0, now_wall_us, failures, half),
			longest - half);
		for (uint64_t i = 0; i < 100; i++) {
			uint64_t random;

			random_unique(&random, sizeof(random));
			assert_in_range(
				credential_refresh_in_ms(0, 0, now_wall_us, failures, random),
				longest - half, longest);
		}
		longest = longest * 2 < CREDENTIAL_RETRY_MAX_MS ? longest * 2
								: CREDENTIAL_RETRY_MAX_MS;
	}
	assert_true(credential_refresh_in_ms(0, 0, now_wall_us, UINT32_MAX, 0) ==
		    CREDENTIAL_RETRY_MAX_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_has_its_field),
		cmocka_unit_test(a_certificate_is_kept_beside_what_goes_into_the_request),
		cmocka_unit_test(no_credential_is_one_that_says_nothing),
		cmocka_unit_test(a_bearer_jwt_ends_at_its_own_end_if_that_is_earlier),
		cmocka_unit_test(a_certificate_ends_at_its_own_end_if_that_is_earlier),
		cmocka_unit_test(equal_credentials_and_no_others_have_one_identity),
		cmocka_unit_test(a_credential_lives_until_its_last_reference_goes),
		cmocka_unit_test(of_two_ends_the_earlier_counts_and_none_is_never_earlier),
		cmocka_unit_test(a_connection_is_usable_until_its_credentials_end_less_the_margin),
		cmocka_unit_test(where_no_time_is_left_it_is_not_usable_for_a_moment),
		cmocka_unit_test(a_credential_without_end_is_usable_for_ever),
		cmocka_unit_test(
			within_the_margin_a_connection_serves_one_request_and_after_the_end_none),
		cmocka_unit_test(a_credential_goes_with_the_methods_it_is_for),
		cmocka_unit_test(a_clients_own_field_stays_unless_the_setting_says_otherwise),
		cmocka_unit_test(the_next_credential_is_fetched_well_before_the_margin),
		cmocka_unit_test(within_the_margin_the_next_is_fetched_when_half_is_gone),
		cmocka_unit_test(what_does_not_end_is_not_fetched_again),
		cmocka_unit_test(
			a_failure_is_tried_again_later_each_time_and_never_later_than_five_minutes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
