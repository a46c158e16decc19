/*
 * Tests of connections over TLS: none is kept beyond the certificate that was shown, or lent once
 * that has been replaced.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/tls_source.h"
#include "pool/credential.h"
#include "tests/unit/pool_fixture.h"
#include "tests/unit/tls_fixture.h"

enum {
	MARGIN_MS = 10 * 1000,
	SHORT_S = 20,
};

static const struct credential_key key = {.bytes = "0123456789abcde"};
static struct pki pki; /* made once */
static struct tls_context *server;

static int setup_all(void **state)
{
	(void)state;
	pki_create(&pki);
	server = server_context(&pki.server);
	return 0;
}

static int teardown_all(void **state)
{
	(void)state;
	tls_context_release(server);
	pki_destroy(&pki);
	return 0;
}

/* Settings with a certificate that ends so soon. */
static struct tls_settings ending_in(long seconds)
{
	static struct certificate own;
	struct tls_settings settings;

	own = certificate_make(
		&pki, &(struct certificate_wish){
			      .file = "own", .issuer = &pki.ca, .valid_for_s = seconds});
	certificate_drop(&own); /* its files are enough */
	settings = showing(&own);
	settings.ca_file = pki.ca.certificate_file;
	return settings;
}

static void start(struct pool_fixture *f, const struct tls_settings *settings)
{
	struct err err = ERR_INIT;

	f->settings.safety_margin_ms = MARGIN_MS;
	f->origin_tls = server;
	f->tls = tls_source_create(TLS_CLIENT, settings, &err);
	assert_non_null(f->tls);
	pool_fixture_start(f);
}

static void start_with_certificate_of(struct pool_fixture *f, long seconds)
{
	struct tls_settings settings = ending_in(seconds);

	start(f, &settings);
}

/* Gets a connection, takes it where one is idle, and gives it back; whether it had been lent
 * before. */
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

/* Of what is idle nothing can be had any more after so long, and a second and a bit before still
 * something can. */
static void expect_left_after(
	struct pool_fixture *f, const struct credential *credential, uint64_t ms)
{
	struct asker asker;

	asker_init(&asker, f);
	asker.waiter.credential = credential;
	pool_fixture_later(f, ms - 1500);
	assert_true(asker_take(&asker, 0));
	asker_return(&asker);
	pool_fixture_later(f, ms);
	assert_false(asker_take(&asker, 0));
	pool_fixture_settle(f);
}

static struct credential *token_ending_in(const char *text, uint64_t seconds)
{
	return credential_create(&key, &(struct credential_parts){.kind = CREDENTIAL_BEARER,
					       .secret = slice_str(text),
					       .expires_s = clock_wall_us() / 1000000 + seconds});
}

/* --- until when one is kept */

static void a_connection_leaves_before_the_certificate_that_it_shows_ends(void **state)
{
	struct pool_fixture *f = *state;

	start_with_certificate_of(f, SHORT_S);
	assert_false(reuses(f, NULL));
	assert_true(reuses(f, NULL));
	expect_left_after(f, NULL, SHORT_S * 1000 - MARGIN_MS);
}

static void within_the_margin_of_the_certificate_it_serves_one_request(void **state)
{
	struct pool_fixture *f = *state;

	start_with_certificate_of(f, MARGIN_MS / 1000 - 1);
	assert_false(reuses(f, NULL));
	assert_false(reuses(f, NULL));
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 0);
	assert_int_equal(pool_fixture_counts(f).idle, 0);
}

static void of_token_and_certificate_the_earlier_end_counts(void **state)
{
	struct pool_fixture *f = *state;
	struct credential *earlier = token_ending_in("earlier", SHORT_S - 5);
	struct credential *later = token_ending_in("later", SHORT_S + 5);

	f->settings.max_entries = 2;
	start_with_certificate_of(f, SHORT_S);
	assert_false(reuses(f, earlier));
	expect_left_after(f, earlier, (SHORT_S - 5) * 1000 - MARGIN_MS);
	assert_false(reuses(f, later));
	expect_left_after(f, later, SHORT_S * 1000 - MARGIN_MS);
	credential_unref(earlier);
	credential_unref(later);
}

static void one_that_shows_none_stays(void **state)
{
	struct pool_fixture *f = *state;
	struct tls_settings settings = trusting(&pki.ca);

	start(f, &settings);
	assert_false(reuses(f, NULL));
	pool_fixture_later(f, UINT64_C(365) * 24 * 3600 * 1000);
	assert_true(reuses(f, NULL));
}

/* --- when the certificate is replaced */

static void replace(struct pool_fixture *f)
{
	struct tls_settings settings = showing(&pki.client);
	struct err err = ERR_INIT;

	settings.ca_file = pki.ca.certificate_file;
	assert_int_equal(tls_source_replace(f->tls, &settings, &err), ERR_NONE);
}

static void what_shows_the_one_before_leaves_at_the_next_look(void **state)
{
	struct pool_fixture *f = *state;
	struct asker askers[3];

	start_with_certificate_of(f, 3600);
	for (size_t i = 0; i < 3; i++) {
		asker_init(&askers[i], f);
		asker_get(&askers[i], 0);
	}
	for (size_t i = 0; i < 3; i++) {
		asker_return(&askers[i]);
	}
	replace(f);
	assert_false(asker_take(&askers[0], 0));
	assert_int_equal(pool_fixture_counts(f).idle, 0); /* at once, in the books */
	assert_int_equal(pool_fixture_counts(f).expired, 3);
	pool_fixture_settle(f); /* closed at the turn's end */
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 0);
	assert_false(reuses(f, NULL));
	assert_true(reuses(f, NULL));
	RUN_UNTIL(f, fake_origin_open(&f->origin) == 1);
}

static void the_same_one_read_again_changes_nothing(void **state)
{
	struct pool_fixture *f = *state;

	start_with_certificate_of(f, 3600);
	assert_false(reuses(f, NULL));
	assert_int_equal(tls_source_reload(f->tls, NULL), ERR_NONE);
	assert_true(reuses(f, NULL));
}

static void one_that_is_lent_meanwhile_is_not_kept(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	start_with_certificate_of(f, 3600);
	asker_init(&asker, f);
	asker_get(&asker, 0);
	replace(f);
	asker_return(&asker);
	assert_int_equal(pool_fixture_counts(f).expired, 1);
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 0);
}

static void what_is_being_opened_for_nobody_with_the_one_before_serves_nobody(void **state)
{
	struct pool_fixture *f = *state;
	struct asker has;
	struct asker first;
	struct asker next;

	start_with_certificate_of(f, 3600);
	asker_init(&has, f);
	asker_init(&first, f);
	asker_init(&next, f);
	asker_get(&has, 0);
	asker_acquire(&first, 0, false);
	RUN_UNTIL(f, f->origin.accepted == 2 && f->origin.peers[1].received > 0);
	assert_int_equal(first.turn, 0);
	asker_return(&has); /* serves the first: the second is within its handshake, for nobody */
	assert_non_null(first.connection);
	replace(f);
	asker_get(&next, 0);
	assert_int_equal(f->origin.accepted, 3);
	RUN_UNTIL(f, pool_fixture_counts(f).expired == 1);
	asker_return(&first);
	asker_return(&next);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pool_fixture_setup, pool_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_connection_leaves_before_the_certificate_that_it_shows_ends),
		TEST(within_the_margin_of_the_certificate_it_serves_one_request),
		TEST(of_token_and_certificate_the_earlier_end_counts),
		TEST(one_that_shows_none_stays),
		TEST(what_shows_the_one_before_leaves_at_the_next_look),
		TEST(the_same_one_read_again_changes_nothing),
		TEST(one_that_is_lent_meanwhile_is_not_kept),
		TEST(what_is_being_opened_for_nobody_with_the_one_before_serves_nobody),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
