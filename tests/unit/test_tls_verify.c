/*
 * Who is believed: the server's certificate, its name, the client's certificate, and the protocol
 * spoken within.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/tls_fixture.h"

static struct pki pki;

struct fixture {
	struct tls_pair pair;
	struct tls_context *client;
	struct tls_context *server;
	const char *wants; /* what a client without a certificate is told */
};

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
	static struct fixture f;
	struct tls_settings settings = trusting(&pki.ca);

	f = (struct fixture){.client = client_context(&settings)};
	f.server = server_context(&pki.server);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pair_close(&f->pair);
	tls_context_release(f->client);
	tls_context_release(f->server);
	return 0;
}

static void use_client(struct fixture *f, const struct tls_settings *settings)
{
	tls_context_release(f->client);
	f->client = client_context(settings);
}

static void use_server(struct fixture *f, const struct certificate *own)
{
	tls_context_release(f->server);
	f->server = server_context(own);
}

static void succeeds_with(struct fixture *f, const char *host)
{
	pair_connect(&f->pair, f->client, f->server, host, NULL);
	pair_close(&f->pair);
}

/* Both ends hear of it, the server by an alert. */
static void fails_with(struct fixture *f, const char *host, const char *part)
{
	pair_open(&f->pair, f->client, f->server, host, NULL);
	pair_talk(&f->pair);
	expect_failure(&f->pair.client, part);
	expect_failure(&f->pair.server, "its TLS alert: ");
	assert_false(tls_established(f->pair.client.tls));
	pair_close(&f->pair);
}

/* --- the server's certificate */

static void a_server_of_another_ca_is_refused(void **state)
{
	struct fixture *f = *state;
	struct tls_settings settings = trusting(&pki.other_ca);

	use_client(f, &settings);
	fails_with(f, "localhost",
		"certificate verify failed: unable to get local issuer certificate (of localhost); "
		"no way leads from it to the CA \"/tmp/tls-");
}

static void without_a_ca_given_the_systems_count_and_ours_is_not_one(void **state)
{
	struct fixture *f = *state;
	struct tls_settings settings = TLS_SETTINGS_INIT;

	use_client(f, &settings);
	fails_with(f, "localhost", "; no way leads from it to one of the system's CAs");
	settings.ca_setting = "tls.ca";
	use_client(f, &settings);
	fails_with(f, "localhost", "to one of the system's CAs; there is no tls.ca");
}

static void a_certificate_that_signed_itself_is_refused_unless_it_is_the_one_given(void **state)
{
	struct fixture *f = *state;
	struct certificate own = certificate_make(
		&pki, &(struct certificate_wish){.file = "alone", .names = "DNS:localhost"});
	struct tls_settings settings = trusting(&own);

	use_server(f, &own);
	fails_with(f, "localhost", "certificate verify failed: self-signed certificate");
	use_client(f, &settings);
	succeeds_with(f, "localhost");
	certificate_drop(&own);
}

static void a_ca_between_may_be_sent_along_or_be_the_one_that_is_trusted(void **state)
{
	struct fixture *f = *state;
	struct certificate between = certificate_make(&pki,
		&(struct certificate_wish){.file = "between", .is_ca = true, .issuer = &pki.ca});
	struct certificate own = certificate_make(
		&pki, &(struct certificate_wish){
			      .file = "below", .names = "DNS:localhost", .issuer = &between});
	struct buffer chain = file_text(own.certificate_file);
	struct buffer more = file_text(between.certificate_file);
	struct tls_settings settings = trusting(&between);
	struct tls_settings chained = showing(&own);
	struct err err = ERR_INIT;

	use_server(f, &own);
	fails_with(f, "localhost", "unable to get local issuer certificate");

	buffer_append_slice(&chain, buffer_slice(&more));
	tls_context_release(f->server);
	chained.certificate_data = buffer_slice(&chain);
	f->server = tls_context_create_server(&chained, &err);
	assert_non_null(f->server);
	succeeds_with(f, "localhost");

	use_server(f, &own);
	use_client(f, &settings);
	succeeds_with(f, "localhost");
	buffer_fini(&chain);
	buffer_fini(&more);
	certificate_drop(&own);
	certificate_drop(&between);
}

static void an_expired_certificate_is_refused_with_its_date(void **state)
{
	struct fixture *f = *state;
	SSL_CTX *ssl = tls_context_ssl(f->server);

	/* Our own server would not show it. */
	assert_int_equal(SSL_CTX_use_certificate(ssl, pki.expired.x509), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ssl, pki.expired.key), 1);
	fails_with(f, "localhost", "certificate verify failed: the certificate has expired at 20");
}

static void a_certificate_of_the_future_is_refused(void **state)
{
	struct fixture *f = *state;
	struct certificate own = certificate_make(&pki, &(struct certificate_wish){.file = "future",
								.names = "DNS:localhost",
								.issuer = &pki.ca,
								.valid_from_s = 3600,
								.valid_for_s = 7200});

	use_server(f, &own);
	fails_with(f, "localhost", "the certificate is not valid before 20");
	certificate_drop(&own);
}

static void what_fails_is_named_with_the_operators_settings(void **state)
{
	struct fixture *f = *state;
	struct tls_settings settings = trusting(&pki.other_ca);

	settings.ca_setting = "tls.ca";
	settings.name_setting = "tls.server_name";
	use_client(f, &settings);
	fails_with(f, "localhost", "other-ca.crt\" (tls.ca)");
	settings.ca_file = pki.ca.certificate_file;
	use_client(f, &settings);
	fails_with(f, "elsewhere.test",
		"not for elsewhere.test; tls.server_name says which name it has to bear");
}

static void where_nothing_is_verified_anybody_will_do(void **state)
{
	struct fixture *f = *state;
	struct tls_settings settings = trusting(&pki.other_ca);

	settings.verify = false;
	use_client(f, &settings);
	succeeds_with(f, "localhost");
	succeeds_with(f, "elsewhere.test");
	succeeds_with(f, "10.0.0.1");
}

/* --- its name */

static void the_certificate_has_to_be_for_the_host_that_was_asked_for(void **state)
{
	struct fixture *f = *state;

	succeeds_with(f, "localhost");
	succeeds_with(f, "LOCALHOST");
	succeeds_with(f, "localhost."); /* an absolute name is the same name */
	fails_with(f, "elsewhere.test",
		"the certificate is for localhost, *.example.test, 127.0.0.1, ::1, not for "
		"elsewhere.test");
}

static void a_wildcard_stands_for_one_whole_label(void **state)
{
	struct fixture *f = *state;
	struct certificate own = certificate_make(
		&pki, &(struct certificate_wish){
			      .file = "partial", .names = "DNS:a*.part.test", .issuer = &pki.ca});

	succeeds_with(f, "api.example.test");
	fails_with(f, "example.test", "not for example.test");
	fails_with(f, "a.b.example.test", "not for a.b.example.test");
	use_server(f, &own);
	fails_with(f, "api.part.test", "the certificate is for a*.part.test, not for");
	certificate_drop(&own);
}

static void an_address_is_looked_for_among_addresses(void **state)
{
	struct fixture *f = *state;

	succeeds_with(f, "127.0.0.1");
	succeeds_with(f, "::1");
	succeeds_with(f, "[::1]");
	succeeds_with(f, "0:0:0:0:0:0:0:1");
	fails_with(f, "127.0.0.2", "not for 127.0.0.2");
	fails_with(f, "::2", "not for ::2");
}

static void the_common_name_is_no_name(void **state)
{
	struct fixture *f = *state;
	struct certificate own = certificate_make(
		&pki, &(struct certificate_wish){.file = "localhost", .issuer = &pki.ca});

	use_server(f, &own);
	fails_with(f, "localhost",
		"the certificate names no host (it has no subjectAltName), so it is not for "
		"localhost");
	certificate_drop(&own);
}

static void a_certificate_of_many_names_is_told_of_in_part(void **state)
{
	struct fixture *f = *state;
	struct buffer names = BUFFER_INIT;
	struct certificate own;

	for (int i = 0; i < 100; i++) {
		buffer_printf(&names, "%sDNS:host-number-%d.test", i == 0 ? "" : ",", i);
	}
	buffer_append_char(&names, '\0');
	own = certificate_make(&pki,
		&(struct certificate_wish){.file = "many", .names = names.ptr, .issuer = &pki.ca});
	use_server(f, &own);
	fails_with(f, "localhost", "..., not for localhost");
	buffer_fini(&names);
	certificate_drop(&own);
}

static void what_cannot_be_a_name_is_refused_at_once(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	char name[TLS_NAME_MAX + 2];

	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_null(tls_open_client(f->client, name, NULL, TLS_NOW_US, &err));
	expect_err(&err, "is no name or address of a server");
	assert_null(tls_open_client(f->client, "", NULL, TLS_NOW_US, &err));
	expect_err(&err, "\"\" is no name or address of a server");
}

static int note_name(SSL *ssl, int *alert, void *data)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	(void)snprintf(data, 64, "%s", name == NULL ? "none" : name);
	return SSL_TLSEXT_ERR_OK;
}

static void a_name_is_sent_along_and_an_address_is_not(void **state)
{
	struct fixture *f = *state;
	SSL_CTX *ssl = tls_context_ssl(f->server);
	struct tls_settings settings = TLS_SETTINGS_INIT;
	char heard[64];

	SSL_CTX_set_tlsext_servername_callback(ssl, note_name);
	SSL_CTX_set_tlsext_servername_arg(ssl, heard);
	succeeds_with(f, "api.example.test.");
	assert_string_equal(heard, "api.example.test");
	succeeds_with(f, "[::1]");
	assert_string_equal(heard, "none");
	settings.verify = false;
	use_client(f, &settings);
	succeeds_with(f, "elsewhere.test");
	assert_string_equal(heard, "elsewhere.test");
}

/* --- the client's certificate */

static void demand_certificates(struct fixture *f)
{
	SSL_CTX *ssl = tls_context_ssl(f->server);

	assert_int_equal(SSL_CTX_load_verify_file(ssl, pki.ca.certificate_file), 1);
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

static void a_server_that_asks_gets_the_clients_certificate(void **state)
{
	struct fixture *f = *state;
	struct tls_settings settings = showing(&pki.client);

	settings.ca_file = pki.ca.certificate_file;
	use_client(f, &settings);
	demand_certificates(f);
	succeeds_with(f, "localhost");
}

static void lacks_a_certificate(struct fixture *f)
{
	demand_certificates(f);
	pair_open(&f->pair, f->client, f->server, "localhost", NULL);
	pair_talk(&f->pair);
	expect_failure(&f->pair.server, "peer did not return a certificate");
	expect_failure(&f->pair.client, "the peer wants a client certificate, and ");
	expect_err(&f->pair.client.err, f->wants);
}

static void who_lacks_a_certificate_is_told_what_was_missing(void **state)
{
	struct fixture *f = *state;

	f->wants = "there is none to show (its TLS alert: certificate required)";
	lacks_a_certificate(f);
	assert_int_equal(f->pair.client.established, 1); /* in TLS 1.3 it comes afterwards */
}

static void who_lacks_a_certificate_is_told_so_in_version_1_2_too(void **state)
{
	struct fixture *f = *state;

	struct tls_settings settings = trusting(&pki.ca);

	settings.certificate_setting = "tls.certificate";
	use_client(f, &settings);
	only_version(f->client, TLS1_2_VERSION);
	f->wants = "none is given by tls.certificate (its TLS alert: handshake failure)";
	lacks_a_certificate(f);
}

static void a_client_whose_certificate_is_not_liked_hears_of_that(void **state)
{
	struct fixture *f = *state;
	struct certificate own = certificate_make(
		&pki, &(struct certificate_wish){.file = "stranger", .issuer = &pki.other_ca});
	struct tls_settings settings = showing(&own);

	settings.ca_file = pki.ca.certificate_file;
	settings.certificate_setting = "tls.certificate";
	use_client(f, &settings);
	demand_certificates(f);
	pair_open(&f->pair, f->client, f->server, "localhost", NULL);
	pair_talk(&f->pair);
	expect_failure(
		&f->pair.client, "the peer does not take the client certificate \"/tmp/tls-");
	expect_err(&f->pair.client.err,
		"/stranger.crt\" (tls.certificate) (its TLS alert: unknown CA)");
	certificate_drop(&own);
}

static void one_that_has_expired_meanwhile_is_not_even_shown(void **state)
{
	struct fixture *f = *state;
	struct tls_settings settings = showing(&pki.client);
	const uint64_t two_days_us = UINT64_C(2) * 24 * 3600 * 1000 * 1000;
	struct err err = ERR_INIT;

	use_client(f, &settings);
	assert_null(tls_open_client(f->client, "localhost", NULL, TLS_NOW_US + two_days_us, &err));
	assert_int_equal(err.code, ERR_TLS);
	expect_err(&err, "the client certificate \"/tmp/tls-");
	expect_err(&err, "/client.crt\" expired at 20");
	expect_err(&err, "; give one that is valid");
}

/* --- the protocol within (ALPN) */

static SSL *plain_client(SSL_CTX **context, const char *protocols)
{
	*context = SSL_CTX_new(TLS_client_method());
	if (protocols != NULL) {
		(void)SSL_CTX_set_alpn_protos(
			*context, (const unsigned char *)protocols, (unsigned)strlen(protocols));
	}
	return plain_create(*context, false);
}

static void expect_protocol(struct fixture *f, const char *offered, const char *chosen)
{
	SSL_CTX *context;
	SSL *plain = plain_client(&context, offered);
	struct tls_end end = {.tls = tls_open_server(f->server, NULL)};
	const unsigned char *protocol;
	unsigned len;

	plain_talk(plain, &end);
	if (chosen == NULL) {
		expect_failure(&end, "http/1.1 is not among them");
		assert_false(SSL_is_init_finished(plain));
	} else {
		assert_true(tls_established(end.tls));
		SSL_get0_alpn_selected(plain, &protocol, &len);
		assert_int_equal(len, strlen(chosen));
		assert_memory_equal(protocol, chosen, len);
	}
	tls_close(end.tls);
	buffer_fini(&end.sent);
	SSL_free(plain);
	SSL_CTX_free(context);
}

static void a_server_speaks_http_1_1_with_who_offers_it_or_nothing(void **state)
{
	struct fixture *f = *state;

	expect_protocol(f, "\x02h2\x08http/1.1", "http/1.1");
	expect_protocol(f, "\x08http/1.1", "http/1.1");
	expect_protocol(f, NULL, "");
	expect_protocol(f, "\x02h2\x08http/1.0", NULL);
	expect_protocol(f, "\x08http/1.2\x07http/1.", NULL);
}

static int note_protocols(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_len,
	const unsigned char *offered, unsigned offered_len, void *data)
{
	(void)ssl;
	(void)chosen;
	(void)chosen_len;
	(void)snprintf(data, 64, "%.*s", (int)offered_len, (const char *)offered);
	return SSL_TLSEXT_ERR_NOACK;
}

static int refuse_protocols(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_len,
	const unsigned char *offered, unsigned offered_len, void *data)
{
	(void)note_protocols(ssl, chosen, chosen_len, offered, offered_len, data);
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void a_client_offers_http_1_1_and_takes_a_server_that_does_not_mind(void **state)
{
	struct fixture *f = *state;
	char offered[64] = "";

	SSL_CTX_set_alpn_select_cb(tls_context_ssl(f->server), note_protocols, offered);
	succeeds_with(f, "localhost");
	assert_string_equal(offered, "\x08http/1.1");
	SSL_CTX_set_alpn_select_cb(tls_context_ssl(f->server), refuse_protocols, offered);
	pair_open(&f->pair, f->client, f->server, "localhost", NULL);
	pair_talk(&f->pair);
	expect_failure(&f->pair.client,
		"the peer refused the handshake (its TLS alert: no application protocol)");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_server_of_another_ca_is_refused),
		TEST(without_a_ca_given_the_systems_count_and_ours_is_not_one),
		TEST(a_certificate_that_signed_itself_is_refused_unless_it_is_the_one_given),
		TEST(a_ca_between_may_be_sent_along_or_be_the_one_that_is_trusted),
		TEST(an_expired_certificate_is_refused_with_its_date),
		TEST(a_certificate_of_the_future_is_refused),
		TEST(what_fails_is_named_with_the_operators_settings),
		TEST(where_nothing_is_verified_anybody_will_do),
		TEST(the_certificate_has_to_be_for_the_host_that_was_asked_for),
		TEST(a_wildcard_stands_for_one_whole_label),
		TEST(an_address_is_looked_for_among_addresses),
		TEST(the_common_name_is_no_name),
		TEST(a_certificate_of_many_names_is_told_of_in_part),
		TEST(what_cannot_be_a_name_is_refused_at_once),
		TEST(a_name_is_sent_along_and_an_address_is_not),
		TEST(a_server_that_asks_gets_the_clients_certificate),
		TEST(who_lacks_a_certificate_is_told_what_was_missing),
		TEST(who_lacks_a_certificate_is_told_so_in_version_1_2_too),
		TEST(a_client_whose_certificate_is_not_liked_hears_of_that),
		TEST(one_that_has_expired_meanwhile_is_not_even_shown),
		TEST(a_server_speaks_http_1_1_with_who_offers_it_or_nothing),
		TEST(a_client_offers_http_1_1_and_takes_a_server_that_does_not_mind),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
