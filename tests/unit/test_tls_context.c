/*
 * Files that make a context, and files that do not: each failure names the file and what is wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/tls_pem.h"
#include "tests/unit/tls_fixture.h"

enum {
	HOUR_S = 60 * 60,
	DAY_S = 24 * HOUR_S, /* that certificates are valid for */
};

static struct pki pki;

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

static void refuses_client(
	const struct tls_settings *settings, const char *first, const char *second)
{
	struct err err = ERR_INIT;

	assert_null(tls_context_create_client(settings, &err));
	assert_int_equal(err.code, ERR_SETTINGS);
	expect_err(&err, first);
	expect_err(&err, second);
	assert_int_equal(ERR_peek_error(), 0);
}

/* A client, and a server: both read their own certificate the same way. */
static void refuses(const struct tls_settings *settings, const char *first, const char *second)
{
	struct err err = ERR_INIT;

	refuses_client(settings, first, second);
	assert_null(tls_context_create_server(settings, &err));
	expect_err(&err, first);
	expect_err(&err, second);
	assert_int_equal(ERR_peek_error(), 0);
}

static void accepts(const struct tls_settings *settings)
{
	tls_context_release(client_context(settings));
	assert_int_equal(ERR_peek_error(), 0);
}

static struct tls_settings with_certificate(const char *file, struct slice text)
{
	struct tls_settings settings = showing(&pki.server);

	settings.certificate_file = pki_write(&pki, file, text);
	return settings;
}

static struct tls_settings with_key(const char *file, struct slice text)
{
	struct tls_settings settings = showing(&pki.server);

	settings.key_file = pki_write(&pki, file, text);
	return settings;
}

static struct buffer joined(const char *file, const char *other, const char *end)
{
	struct buffer text = file_text(file);

	if (other != NULL) {
		struct buffer more = file_text(other);

		buffer_append_slice(&text, buffer_slice(&more));
		buffer_fini(&more);
	}
	buffer_append_str(&text, end);
	return text;
}

static void a_file_that_is_not_there_is_named(void **state)
{
	struct tls_settings settings = showing(&pki.server);
	struct tls_settings untrusting = TLS_SETTINGS_INIT;

	(void)state;
	settings.certificate_file = "/nowhere/tls.crt";
	refuses(&settings, "the certificate \"/nowhere/tls.crt\" cannot be read: ",
		"No such file or directory");
	settings = showing(&pki.server);
	settings.key_file = "/nowhere/tls.key";
	refuses(&settings,
		"the key \"/nowhere/tls.key\" cannot be read: ", "No such file or directory");
	untrusting.ca_file = "/nowhere/ca.crt";
	untrusting.verify = false; /* what is not used is not passed over either */
	refuses_client(&untrusting,
		"the CA \"/nowhere/ca.crt\" cannot be read: ", "No such file or directory");
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	struct tls_settings settings = showing(&pki.server);

	(void)state;
	settings.certificate_file = pki.directory;
	refuses(&settings, pki.directory, "cannot be read: Is a directory");
	if (geteuid() == 0) {
		return; /* reads everything */
	}
	settings = with_key("secret.key", SLICE("x"));
	assert_int_equal(chmod(settings.key_file, 0), 0);
	refuses(&settings, "secret.key\"", "cannot be read: Permission denied");
}

static void of_a_long_path_the_end_is_shown(void **state)
{
	struct tls_settings settings = showing(&pki.server);
	char path[1024];

	(void)state;
	memset(path, 'd', sizeof(path));
	(void)snprintf(path + sizeof(path) - 9, 9, "/tls.crt");
	settings.certificate_file = path;
	refuses(&settings, "the certificate \"...dddd", "/tls.crt\" cannot be read: ");
}

static void a_file_without_pem_in_it_is_refused(void **state)
{
	struct tls_settings settings = with_certificate("text.crt", SLICE("certificate\n"));

	(void)state;
	refuses(&settings, "text.crt\" holds no certificate", "-----BEGIN CERTIFICATE-----");
	settings = with_certificate("empty.crt", SLICE(""));
	refuses(&settings, "empty.crt\" holds no certificate", "give PEM text");
	settings = showing(&pki.server);
	settings.certificate_file = pki.server.key_file;
	refuses(&settings, "server.key\" holds no certificate", "");
	settings = showing(&pki.server);
	settings.key_file = pki.server.certificate_file;
	refuses(&settings, "server.crt\" holds no private key", "-----BEGIN PRIVATE KEY-----");
	settings = trusting(&pki.ca);
	settings.ca_file = pki.ca.key_file;
	refuses_client(&settings, "the CA \"", "ca.key\" holds no certificate");
}

static void a_broken_certificate_is_refused_also_as_the_second_one(void **state)
{
	struct buffer text =
		joined(pki.server.certificate_file, NULL, "-----BEGIN CERTIFICATE-----\nMIIB\n");
	struct tls_settings settings = with_certificate("half.crt", buffer_slice(&text));

	(void)state;
	refuses(&settings, "half.crt\": its certificate number 2 is broken: ", "");
	buffer_fini(&text);
	settings = with_certificate("wrong.crt",
		SLICE("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"));
	refuses(&settings, "wrong.crt\": its certificate number 1 is broken: ", "");
	settings = with_key("wrong.key",
		SLICE("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"));
	refuses(&settings, "wrong.key\" is broken: ", "");
}

static void what_follows_the_last_block_is_not_passed_over(void **state)
{
	struct buffer text =
		joined(pki.server.certificate_file, NULL, "----BEGIN CERTIFICATE-----\nMIIB\n");
	struct tls_settings settings = with_certificate("behind.crt", buffer_slice(&text));

	(void)state;
	refuses(&settings, "behind.crt\" goes on behind its last PEM block", "remove");
	buffer_fini(&text);
	text = joined(pki.server.key_file, NULL, "x");
	settings = with_key("behind.key", buffer_slice(&text));
	refuses(&settings, "behind.key\" goes on behind its last PEM block", "remove");
	buffer_fini(&text);
}

static void comments_and_other_blocks_do_no_harm(void **state)
{
	struct buffer text = joined(pki.server.certificate_file, pki.server.key_file,
		"\r\n \t\n# the end, really: #\n");
	struct buffer commented = BUFFER_INIT;
	struct tls_settings settings = TLS_SETTINGS_INIT;

	(void)state;
	buffer_append_str(&commented, "Bag Attributes\n  friendlyName: it\n");
	buffer_append_slice(&commented, buffer_slice(&text));
	settings.certificate_file = pki_write(&pki, "both.pem", buffer_slice(&commented));
	settings.key_file = settings.certificate_file;
	accepts(&settings);
	buffer_fini(&text);
	buffer_fini(&commented);
}

static void a_key_of_openssls_older_form_is_read_with_its_parameters(void **state)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	long len;
	struct tls_settings settings;

	(void)state;
	(void)BIO_puts(bio, "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
			    "-----END EC PARAMETERS-----\n");
	assert_int_equal(PEM_write_bio_PrivateKey_traditional(
				 bio, pki.server.key, NULL, NULL, 0, NULL, NULL),
		1);
	len = BIO_get_mem_data(bio, &bytes);
	settings = with_key("older.key", slice_of(bytes, (size_t)len));
	BIO_free(bio);
	accepts(&settings);
}

static void an_encrypted_key_is_refused_and_nobody_is_asked(void **state)
{
	unsigned char passphrase[] = "secret";
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	long len;
	struct tls_settings settings;

	(void)state;
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pki.server.key, EVP_aes_128_cbc(),
				 (char *)passphrase, 6, NULL, NULL),
		1);
	len = BIO_get_mem_data(bio, &bytes);
	settings = with_key("locked.key", slice_of(bytes, (size_t)len));
	refuses(&settings, "locked.key\" is encrypted; give a key without a passphrase", "");
	(void)BIO_reset(bio);
	assert_int_equal(PEM_write_bio_PrivateKey_traditional(
				 bio, pki.server.key, EVP_aes_128_cbc(), passphrase, 6, NULL, NULL),
		1);
	len = BIO_get_mem_data(bio, &bytes);
	settings = with_key("locked-too.key", slice_of(bytes, (size_t)len));
	BIO_free(bio);
	refuses(&settings, "locked-too.key\" is encrypted; give a key without a passphrase", "");
}

static void a_key_of_another_certificate_is_refused(void **state)
{
	struct tls_settings settings = showing(&pki.server);

	(void)state;
	settings.key_file = pki.client.key_file;
	refuses(&settings, "client.key\" does not belong to the certificate \"", "server.crt\"");
}

static void ones_own_certificate_comes_first(void **state)
{
	struct buffer text = joined(pki.ca.certificate_file, pki.server.certificate_file, "");
	struct tls_settings settings = with_certificate("backwards.crt", buffer_slice(&text));

	(void)state;
	refuses(&settings, "server.key\" does not belong to the certificate \"",
		"whose first certificate has to be its own");
	buffer_fini(&text);
}

static void an_expired_certificate_of_ones_own_is_refused(void **state)
{
	struct tls_settings settings = showing(&pki.expired);

	(void)state;
	refuses(&settings, "the certificate \"", "expired.crt\" expired at 20");
}

static void certificate_and_key_go_together(void **state)
{
	struct tls_settings settings = showing(&pki.server);
	struct err err = ERR_INIT;

	(void)state;
	settings.key_file = NULL;
	refuses(&settings, "there is no key; give certificate and key", "");
	settings = showing(&pki.server);
	settings.certificate_file = "";
	refuses(&settings, "there is no certificate; give certificate and key", "");
	settings.key_file = NULL;
	assert_null(tls_context_create_server(&settings, &err));
	expect_err(&err, "there is no certificate");
}

static void a_file_too_large_is_not_read_whole(void **state)
{
	struct buffer text = BUFFER_INIT;
	struct tls_settings settings;

	(void)state;
	memset(buffer_reserve(&text, TLS_PEM_MAX + 1), '#', TLS_PEM_MAX + 1);
	text.len = TLS_PEM_MAX + 1;
	settings = with_certificate("large.crt", buffer_slice(&text));
	refuses(&settings, "large.crt\" has more than 4194304 bytes", "give a PEM file");
	settings.certificate_data = buffer_slice(&text);
	settings.certificate_file = NULL;
	refuses(&settings, "the certificate given as text has more than 4194304 bytes", "");
	buffer_fini(&text);
}

static void text_is_used_in_the_place_of_a_file(void **state)
{
	struct buffer ca = file_text(pki.ca.certificate_file);
	struct buffer certificate = file_text(pki.client.certificate_file);
	struct buffer key = file_text(pki.client.key_file);
	struct tls_settings settings = {
		.ca_file = "/nowhere",
		.ca_data = buffer_slice(&ca),
		.certificate_data = buffer_slice(&certificate),
		.key_data = buffer_slice(&key),
		.verify = true,
	};

	(void)state;
	accepts(&settings);
	settings.key_data = slice_of(key.ptr, key.len / 2);
	refuses(&settings, "the key given as text is broken: ", "");
	settings.key_data = slice_of(NULL, 0);
	refuses(&settings, "there is no key", "");
	buffer_fini(&ca);
	buffer_fini(&certificate);
	buffer_fini(&key);
}

static void the_end_of_ones_own_certificate_is_known(void **state)
{
	struct tls_settings settings = trusting(&pki.ca);
	struct tls_context *server = server_context(&pki.server);
	struct tls_context *client = client_context(&settings);
	int64_t left_s = tls_context_not_after(server) - (int64_t)(TLS_NOW_US / 1000000);

	(void)state;
	assert_in_range(left_s, DAY_S - HOUR_S, DAY_S);
	assert_int_equal(tls_context_not_after(client), 0);
	tls_context_release(server);
	tls_context_release(client);
}

static void a_context_lives_as_long_as_who_holds_it(void **state)
{
	struct tls_context *server = server_context(&pki.server);
	struct err err = ERR_INIT;
	struct tls *tls = tls_open_server(server, &err);

	(void)state;
	assert_ptr_equal(tls_context_hold(server), server);
	tls_context_release(server);
	tls_context_release(server);
	tls_context_release(NULL);
	assert_non_null(tls); /* and may be used */
	tls_close(tls);
	tls_close(NULL);
}

struct shared {
	struct tls_context *client;
	struct tls_context *server;
};

static void *use_shared(void *data)
{
	struct shared *shared = data;
	struct tls_sessions *sessions = tls_sessions_create();

	for (int i = 0; i < 10; i++) {
		struct tls_pair pair = {.piece = 0};

		(void)tls_context_hold(shared->server);
		pair_connect(&pair, shared->client, shared->server, "localhost", sessions);
		assert_int_equal(tls_resumed(pair.client.tls), i > 0);
		pair_close(&pair);
		tls_context_release(shared->server);
	}
	tls_sessions_destroy(sessions);
	return NULL;
}

static void threads_share_a_context(void **state)
{
	struct tls_settings settings = trusting(&pki.ca);
	struct shared shared = {.client = client_context(&settings)};
	pthread_t threads[4];

	(void)state;
	shared.server = server_context(&pki.server);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, use_shared, &shared), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	tls_context_release(shared.client);
	tls_context_release(shared.server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_that_is_not_there_is_named),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named),
		cmocka_unit_test(of_a_long_path_the_end_is_shown),
		cmocka_unit_test(a_file_without_pem_in_it_is_refused),
		cmocka_unit_test(a_broken_certificate_is_refused_also_as_the_second_one),
		cmocka_unit_test(what_follows_the_last_block_is_not_passed_over),
		cmocka_unit_test(comments_and_other_blocks_do_no_harm),
		cmocka_unit_test(a_key_of_openssls_older_form_is_read_with_its_parameters),
		cmocka_unit_test(an_encrypted_key_is_refused_and_nobody_is_asked),
		cmocka_unit_test(a_key_of_another_certificate_is_refused),
		cmocka_unit_test(ones_own_certificate_comes_first),
		cmocka_unit_test(an_expired_certificate_of_ones_own_is_refused),
		cmocka_unit_test(certificate_and_key_go_together),
		cmocka_unit_test(a_file_too_large_is_not_read_whole),
		cmocka_unit_test(text_is_used_in_the_place_of_a_file),
		cmocka_unit_test(the_end_of_ones_own_certificate_is_known),
		cmocka_unit_test(a_context_lives_as_long_as_who_holds_it),
		cmocka_unit_test(threads_share_a_context),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
