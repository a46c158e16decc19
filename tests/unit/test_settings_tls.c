/*
 * What the settings say of TLS: files that can be used, and every mistake with its key, the file,
 * and what would be right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/loop.h"
#include "config/memory_bound.h"
#include "tests/unit/load_settings.h"
#include "tests/unit/tls_fixture.h"

#define UPSTREAM "upstreams: [{url: \"http://127.0.0.1:8000\"}]\n"

static struct pki pki; /* made once */

static int setup_all(void **state)
{
	(void)state;
	pki_create(&pki);
	return 0;
}

static int teardown_all(void **state)
{
	(void)state;
	pki_destroy(&pki);
	return 0;
}

static int setup(void **state)
{
	static struct loaded loaded;

	memset(&loaded, 0, sizeof(loaded));
	*state = &loaded;
	return 0;
}

static int teardown(void **state)
{
	unload(*state);
	return 0;
}

/* The third line names the certificate, the fourth its key; NULL: there is none. */
static void load_files(
	struct loaded *l, const char *certificate, const char *key, const char *const arguments[])
{
	struct buffer yaml = BUFFER_INIT;

	buffer_append_str(&yaml, UPSTREAM "tls:\n");
	if (certificate != NULL) {
		buffer_printf(&yaml, "  certificate: \"%s\"\n", certificate);
	}
	if (key != NULL) {
		buffer_printf(&yaml, "  key: \"%s\"\n", key);
	}
	buffer_append_char(&yaml, '\0');
	load(l, yaml.ptr, NO_VARIABLES, arguments);
	buffer_fini(&yaml);
}

static void expect_line(const struct loaded *l, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void expect_line(const struct loaded *l, const char *format, ...)
{
	struct buffer line = BUFFER_INIT;
	va_list args;

	buffer_append_str(&line, "sightglass: FILE:");
	va_start(args, format);
	buffer_vprintf(&line, format, args);
	va_end(args);
	buffer_append_char(&line, '\0');
	expect_error(l, line.ptr);
	buffer_fini(&line);
}

static unsigned lines_of(const char *text)
{
	unsigned lines = 0;

	for (; *text != '\0'; text++) {
		lines += *text == '\n';
	}
	return lines;
}

static void a_certificate_and_its_key_are_taken(void **state)
{
	struct loaded *l = *state;

	load_files(l, pki.server.certificate_file, pki.server.key_file, NO_ARGUMENTS);
	expect_good(l);
	assert_string_equal(l->settings.proxy.tls.certificate, pki.server.certificate_file);
	assert_string_equal(l->settings.proxy.tls.key, pki.server.key_file);
}

static void without_them_there_is_no_tls(void **state)
{
	struct loaded *l = *state;

	load(l, UPSTREAM, NO_VARIABLES, NO_ARGUMENTS);
	expect_good(l);
	assert_null(l->settings.proxy.tls.certificate);
	assert_null(l->settings.proxy.tls.key);
}

static void one_without_the_other_is_refused(void **state)
{
	struct loaded *l = *state;

	load_files(l, pki.server.certificate_file, NULL, NO_ARGUMENTS);
	expect_line(l, "3: tls.certificate: there is no tls.key beside the certificate; give both");
	unload(l);
	memset(l, 0, sizeof(*l));
	load_files(l, NULL, pki.server.key_file, NO_ARGUMENTS);
	expect_line(l, "3: tls.key: there is no tls.certificate beside the key; give both");
}

static void a_file_that_is_not_there_is_told_with_its_own_key(void **state)
{
	struct loaded *l = *state;

	load_files(l, "/nowhere/tls.crt", "/nowhere/tls.key", NO_ARGUMENTS);
	expect_line(l, "3: tls.certificate: the certificate \"/nowhere/tls.crt\" cannot be read: "
		       "No such file or directory");
	expect_line(l, "4: tls.key: the key \"/nowhere/tls.key\" cannot be read: No such file or "
		       "directory");
	assert_int_equal(lines_of(l->errors), 2);
}

static void a_folder_is_no_file(void **state)
{
	struct loaded *l = *state;

	load_files(l, pki.server.certificate_file, pki.directory, NO_ARGUMENTS);
	expect_line(l, "4: tls.key: the key \"%s\" cannot be read: Is a directory", pki.directory);
	assert_int_equal(lines_of(l->errors), 1);
}

static void an_empty_name_is_refused(void **state)
{
	struct loaded *l = *state;

	load_files(l, pki.server.certificate_file, "", NO_ARGUMENTS);
	expect_line(l, "4: tls.key: no file is named; give a path");
}

static void a_key_of_another_certificate_is_refused(void **state)
{
	struct loaded *l = *state;

	load_files(l, pki.server.certificate_file, pki.client.key_file, NO_ARGUMENTS);
	expect_line(l,
		"4: tls.key: the key \"%s\" does not belong to the certificate \"%s\", whose first "
		"certificate has to be its own",
		pki.client.key_file, pki.server.certificate_file);
	assert_int_equal(lines_of(l->errors), 1);
}

static void files_that_were_mixed_up_are_told_apart(void **state)
{
	struct loaded *l = *state;

	load_files(l, pki.server.key_file, pki.server.certificate_file, NO_ARGUMENTS);
	expect_line(l,
		"3: tls.certificate: the certificate \"%s\" holds no certificate; give PEM text, "
		"which begins with -----BEGIN CERTIFICATE-----",
		pki.server.key_file);
	expect_line(l,
		"4: tls.key: the key \"%s\" holds no private key; give PEM text, which begins with "
		"-----BEGIN PRIVATE KEY-----",
		pki.server.certificate_file);
}

static void an_expired_certificate_is_refused_with_its_date(void **state)
{
	struct loaded *l = *state;

	load_files(l, pki.expired.certificate_file, pki.expired.key_file, NO_ARGUMENTS);
	assert_int_equal(l->outcome, SETTINGS_BAD);
	assert_non_null(strstr(l->errors, "FILE:3: tls.certificate: the certificate \""));
	assert_non_null(strstr(l->errors, pki.expired.certificate_file));
	assert_non_null(strstr(l->errors, "\" expired at 20"));
	assert_non_null(strstr(l->errors, "Z; give one that is valid\n"));
	assert_int_equal(lines_of(l->errors), 1);
}

static void an_unknown_key_is_refused_with_the_nearest_known_one(void **state)
{
	struct loaded *l = *state;

	load(l, UPSTREAM "tls: {certifcate: a, key: b}\n", NO_VARIABLES, NO_ARGUMENTS);
	expect_line(l, "2: tls.certifcate: unknown key; the nearest known one is tls.certificate");
}

/* --- --check */

static void the_files_are_printed_and_load_again(void **state)
{
	struct loaded *l = *state;
	struct loaded again;
	char wanted[256];

	load_files(l, pki.server.certificate_file, pki.server.key_file, ARGUMENTS("--check"));
	assert_int_equal(l->outcome, SETTINGS_DONE);
	(void)snprintf(wanted, sizeof(wanted), "\ntls:\n  certificate: %s\n  key: %s\n",
		pki.server.certificate_file, pki.server.key_file);
	if (strstr(l->out, wanted) == NULL) {
		fail_msg("not printed: %s\nbut: %s", wanted, l->out);
	}
	load(&again, l->out, NO_VARIABLES, ARGUMENTS("--check"));
	assert_string_equal(again.out, l->out);
	unload(&again);
}

static void a_wrong_file_is_no_effective_configuration(void **state)
{
	struct loaded *l = *state;

	load_files(l, pki.server.certificate_file, "/nowhere/tls.key", ARGUMENTS("--check"));
	assert_int_equal(l->outcome, SETTINGS_BAD);
	assert_string_equal(l->out, "");
}

static struct memory_bound bound_of(struct loaded *l)
{
	expect_good(l);
	l->settings.proxy.limits.connections = 100;
	return memory_bound_of(&l->settings);
}

/* What OpenSSL holds of each connection; what each worker has beside its read buffer. */
static void the_most_memory_counts_tls(void **state)
{
	struct loaded *l = *state;
	struct memory_bound plain;
	struct memory_bound secured;

	load(l, UPSTREAM, NO_VARIABLES, NO_ARGUMENTS);
	plain = bound_of(l);
	unload(l);
	load_files(l, pki.server.certificate_file, pki.server.key_file, NO_ARGUMENTS);
	secured = bound_of(l);
	assert_int_equal(secured.connection, plain.connection + TLS_CONNECTION_MAX);
	assert_true(secured.worker >=
		    plain.worker + tls_receive_room(LOOP_READ_BUFFER_SIZE) + LOOP_READ_BUFFER_SIZE);
	assert_true(secured.exchange >= plain.exchange + TLS_RECORD_MAX);
	assert_true(secured.exchange >= TLS_HANDSHAKE_MAX);
	assert_true(secured.total >= plain.total + 100 * (uint64_t)TLS_CONNECTION_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_certificate_and_its_key_are_taken),
		TEST(without_them_there_is_no_tls),
		TEST(one_without_the_other_is_refused),
		TEST(a_file_that_is_not_there_is_told_with_its_own_key),
		TEST(a_folder_is_no_file),
		TEST(an_empty_name_is_refused),
		TEST(a_key_of_another_certificate_is_refused),
		TEST(files_that_were_mixed_up_are_told_apart),
		TEST(an_expired_certificate_is_refused_with_its_date),
		TEST(an_unknown_key_is_refused_with_the_nearest_known_one),
		TEST(the_files_are_printed_and_load_again),
		TEST(a_wrong_file_is_no_effective_configuration),
		TEST(the_most_memory_counts_tls),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
