/*
 * Tests of base/tls_source: which certificate is shown, and how it is told from the one before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/tls_source.h"
#include "tests/unit/tls_fixture.h"

struct fixture {
	struct pki pki;
	struct tls_source *source;
};

static int setup(void **state)
{
	static struct fixture f;
	struct tls_settings settings;
	struct err err = ERR_INIT;

	pki_create(&f.pki);
	settings = showing(&f.pki.client);
	f.source = tls_source_create(TLS_CLIENT, &settings, &err);
	*state = &f;
	return f.source == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tls_source_destroy(f->source);
	pki_destroy(&f->pki);
	return 0;
}

static void expect_serial(struct fixture *f, uint32_t serial)
{
	struct tls_context *context = tls_source_hold(f->source);

	assert_int_equal(tls_source_serial(f->source), serial);
	assert_int_equal(tls_context_serial(context), serial);
	tls_context_release(context);
}

static void the_same_certificate_read_again_has_the_same_serial(void **state)
{
	struct fixture *f = *state;

	expect_serial(f, 1);
	assert_int_equal(tls_source_reload(f->source, NULL), ERR_NONE);
	expect_serial(f, 1);
}

static void another_certificate_has_another_serial(void **state)
{
	struct fixture *f = *state;
	struct tls_settings other = showing(&f->pki.server);
	struct tls_settings none = TLS_SETTINGS_INIT;
	struct tls_context *before = tls_source_hold(f->source);

	assert_int_equal(tls_source_replace(f->source, &other, NULL), ERR_NONE);
	expect_serial(f, 2);
	assert_int_equal(tls_context_serial(before), 1);
	tls_context_release(before);
	assert_int_equal(tls_source_reload(f->source, NULL), ERR_NONE); /* by the new settings */
	expect_serial(f, 2);
	none.ca_file = f->pki.ca.certificate_file;
	assert_int_equal(tls_source_replace(f->source, &none, NULL), ERR_NONE);
	expect_serial(f, 3);
}

static void settings_that_cannot_be_used_change_nothing(void **state)
{
	struct fixture *f = *state;
	struct tls_settings wrong = showing(&f->pki.server);
	struct err err = ERR_INIT;

	wrong.key_file = f->pki.client.key_file;
	assert_int_equal(tls_source_replace(f->source, &wrong, &err), ERR_SETTINGS);
	expect_serial(f, 1);
	assert_int_equal(tls_source_reload(f->source, NULL), ERR_NONE); /* by the old ones */
	expect_serial(f, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_same_certificate_read_again_has_the_same_serial),
		TEST(another_certificate_has_another_serial),
		TEST(settings_that_cannot_be_used_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
