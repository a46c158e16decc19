/*
 * A context that is read anew while others hold it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/tls_source.h"
#include "tests/unit/tls_fixture.h"

enum {
	THREADS = 3,
	RELOADS = 50,
};

static struct pki pki; /* made once */

struct fixture {
	char certificate_file[96];
	char key_file[96];
	struct tls_source *source;
};

/* The files of the source hold this certificate and its key from here on. */
static void put(struct fixture *f, const struct certificate *certificate)
{
	struct buffer text = file_text(certificate->certificate_file);

	(void)snprintf(f->certificate_file, sizeof(f->certificate_file), "%s",
		pki_write(&pki, "current.crt", buffer_slice(&text)));
	buffer_fini(&text);
	text = file_text(certificate->key_file);
	(void)snprintf(f->key_file, sizeof(f->key_file), "%s",
		pki_write(&pki, "current.key", buffer_slice(&text)));
	buffer_fini(&text);
}

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));
	struct tls_settings settings = TLS_SETTINGS_INIT;
	struct err err = ERR_INIT;

	put(f, &pki.server);
	settings.certificate_file = f->certificate_file;
	settings.key_file = f->key_file;
	f->source = tls_source_create(TLS_SERVER, &settings, &err);
	if (f->source == NULL) {
		fail_msg("%s", err.text);
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tls_source_destroy(f->source);
	mem_free(f);
	return 0;
}

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

static void expect_shown(struct tls_context *context, const struct certificate *certificate)
{
	assert_int_equal(
		X509_cmp(SSL_CTX_get0_certificate(tls_context_ssl(context)), certificate->x509), 0);
}

/* What a connection that begins now is shown. */
static void expect_in_use(struct fixture *f, const struct certificate *certificate)
{
	struct tls_context *context = tls_source_hold(f->source);

	expect_shown(context, certificate);
	tls_context_release(context);
}

static void a_file_that_cannot_be_used_makes_no_source(void **state)
{
	struct tls_settings settings = showing(&pki.server);
	struct err err = ERR_INIT;

	(void)state;
	settings.key_file = pki.client.key_file;
	assert_null(tls_source_create(TLS_SERVER, &settings, &err));
	assert_int_equal(err.code, ERR_SETTINGS);
	expect_err(&err, pki.client.key_file);
}

static void new_files_are_used_once_they_are_read_again(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	expect_in_use(f, &pki.server);
	put(f, &pki.client);
	expect_in_use(f, &pki.server);
	assert_int_equal(tls_source_reload(f->source, &err), ERR_NONE);
	expect_in_use(f, &pki.client);
}

static void files_that_are_wrong_change_nothing(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	(void)pki_write(&pki, "current.crt", SLICE("no PEM"));
	assert_int_equal(tls_source_reload(f->source, &err), ERR_SETTINGS);
	expect_err(&err, f->certificate_file);
	expect_in_use(f, &pki.server);
	put(f, &pki.expired);
	assert_int_equal(tls_source_reload(f->source, NULL), ERR_SETTINGS);
	expect_in_use(f, &pki.server);
	put(f, &pki.client);
	assert_int_equal(tls_source_reload(f->source, &err), ERR_NONE);
	expect_in_use(f, &pki.client);
}

static void who_holds_a_context_keeps_it(void **state)
{
	struct fixture *f = *state;
	struct tls_context *held = tls_source_hold(f->source);
	struct tls_settings settings = trusting(&pki.ca);
	struct tls_context *client = client_context(&settings);
	struct tls_pair pair = {.piece = 0};

	put(f, &pki.client);
	assert_int_equal(tls_source_reload(f->source, NULL), ERR_NONE);
	tls_source_destroy(f->source);
	f->source = NULL;
	expect_shown(held, &pki.server);
	pair_connect(&pair, client, held, "localhost", NULL);
	tls_context_release(held);
	end_says(&pair.server, "still here");
	pair_talk(&pair);
	expect_text(&pair.client, "still here");
	pair_close(&pair);
	tls_context_release(client);
}

static void the_settings_are_copied(void **state)
{
	struct buffer certificate = file_text(pki.server.certificate_file);
	struct buffer key = file_text(pki.server.key_file);
	struct tls_settings settings = TLS_SETTINGS_INIT;
	struct fixture f = {.source = NULL};

	(void)state;
	settings.certificate_data = buffer_slice(&certificate);
	settings.key_data = buffer_slice(&key);
	f.source = tls_source_create(TLS_SERVER, &settings, NULL);
	assert_non_null(f.source);
	buffer_fini(&certificate);
	buffer_fini(&key);
	assert_int_equal(tls_source_reload(f.source, NULL), ERR_NONE);
	expect_in_use(&f, &pki.server);
	tls_source_destroy(f.source);
}

static void a_client_reads_anew_whom_it_trusts(void **state)
{
	struct tls_settings settings = TLS_SETTINGS_INIT;
	struct buffer ca = file_text(pki.other_ca.certificate_file);
	struct tls_context *server = server_context(&pki.server);
	struct tls_context *client;
	struct tls_pair pair = {.piece = 0};
	struct tls_source *source;
	struct err err = ERR_INIT;

	(void)state;
	settings.ca_file = pki_write(&pki, "trusted.crt", buffer_slice(&ca));
	source = tls_source_create(TLS_CLIENT, &settings, &err);
	assert_non_null(source);
	client = tls_source_hold(source);
	pair_open(&pair, client, server, "localhost", NULL);
	pair_talk(&pair);
	expect_failure(&pair.client, "no way leads from it to the CA ");
	pair_close(&pair);
	tls_context_release(client);
	buffer_fini(&ca);
	ca = file_text(pki.ca.certificate_file);
	(void)pki_write(&pki, "trusted.crt", buffer_slice(&ca));
	assert_int_equal(tls_source_reload(source, &err), ERR_NONE);
	client = tls_source_hold(source);
	pair_connect(&pair, client, server, "localhost", NULL);
	pair_close(&pair);
	tls_context_release(client);
	tls_context_release(server);
	tls_source_destroy(source);
	buffer_fini(&ca);
}

/* --- threads */

struct sharing {
	struct fixture *f;
	atomic_bool done;
};

static void *hold_and_release(void *context)
{
	struct sharing *sharing = context;
	struct err err = ERR_INIT;

	while (!atomic_load(&sharing->done)) {
		struct tls_context *held = tls_source_hold(sharing->f->source);

		tls_close(tls_open_server(held, &err));
		tls_context_release(held);
	}
	return NULL;
}

static void it_may_be_read_again_while_other_threads_use_it(void **state)
{
	struct sharing sharing = {.f = *state};
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, hold_and_release, &sharing), 0);
	}
	for (int i = 0; i < RELOADS; i++) {
		assert_int_equal(tls_source_reload(sharing.f->source, NULL), ERR_NONE);
	}
	atomic_store(&sharing.done, true);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	expect_in_use(sharing.f, &pki.server);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_that_cannot_be_used_makes_no_source),
		TEST(new_files_are_used_once_they_are_read_again),
		TEST(files_that_are_wrong_change_nothing),
		TEST(who_holds_a_context_keeps_it),
		cmocka_unit_test(the_settings_are_copied),
		cmocka_unit_test(a_client_reads_anew_whom_it_trusts),
		TEST(it_may_be_read_again_while_other_threads_use_it),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
