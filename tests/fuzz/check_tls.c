/*
 * The first byte of the input chooses whose peer the rest is of: a client's or a server's.
 */
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/clock.h"
#include "base/tls.h"
#include "base/tls_context.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/expect.h"

static const size_t steps[] = {1, 5, 64};

enum {
	STEPS = sizeof(steps) / sizeof(steps[0]),
	REPLY_MAX = 64 * 1024,
};

struct end {
	struct tls *tls;
	struct buffer sent;
	struct err err;
};

static struct slice text_of(BIO *bio)
{
	char *bytes;
	size_t len = (size_t)BIO_get_mem_data(bio, &bytes);

	return slice_of(bytes, len);
}

/* By a certificate that signs itself. */
static struct tls_context *make_server(void)
{
	struct tls_settings settings = TLS_SETTINGS_INIT;
	struct tls_context *context;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x509 = X509_new();
	BIO *texts[] = {BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem())};

	X509_gmtime_adj(X509_getm_notBefore(x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(x509), 30L * 24 * 3600);
	X509_set_pubkey(x509, key);
	EXPECT(X509_sign(x509, key, EVP_sha256()) > 0);
	EXPECT(PEM_write_bio_X509(texts[0], x509) == 1);
	EXPECT(PEM_write_bio_PrivateKey(texts[1], key, NULL, NULL, 0, NULL, NULL) == 1);
	settings.certificate_data = text_of(texts[0]);
	settings.key_data = text_of(texts[1]);
	context = tls_context_create_server(&settings, NULL);
	BIO_free(texts[0]);
	BIO_free(texts[1]);
	X509_free(x509);
	EVP_PKEY_free(key);
	return context;
}

static struct tls *open_tls(bool is_client)
{
	static struct tls_context *client; /* made once, as the server's */
	static struct tls_context *server;
	const struct tls_settings trusting_all = {.verify = false};

	if (client == NULL) {
		client = tls_context_create_client(&trusting_all, NULL);
		server = make_server();
		EXPECT(client != NULL && server != NULL);
	}
	return is_client ? tls_open_client(client, "localhost", NULL, clock_wall_us(), NULL)
			 : tls_open_server(server, NULL);
}

/* One call, with what must hold of each. */
static void take(struct end *end, struct slice in)
{
	size_t room = tls_receive_room(in.len);
	char *out = malloc(room);
	struct tls_received got;
	struct err before = end->err;
	enum err_code code = tls_receive(end->tls, in, out, room, &got, &end->sent, &end->err);

	EXPECT(end->sent.len <= REPLY_MAX);
	EXPECT(got.len == 0 && !got.established); /* nobody's keys are known here */
	EXPECT((code == ERR_NONE) == (tls_failure_of(end->tls) == NULL));
	EXPECT(before.code == ERR_NONE || strcmp(before.text, end->err.text) == 0);
	EXPECT(ERR_peek_error() == 0);
	free(out);
}

/* What is wrong with the input when it comes in pieces of that size. */
static struct err take_all(bool is_client, struct slice in, size_t step)
{
	struct end end = {.tls = open_tls(is_client), .sent = BUFFER_INIT, .err = ERR_INIT};

	EXPECT(tls_start(end.tls, &end.sent, NULL) == ERR_NONE);
	while (in.len > 0) {
		size_t part = in.len < step ? in.len : step;

		take(&end, slice_of(in.ptr, part));
		in = slice_of(in.ptr + part, in.len - part);
	}
	tls_close(end.tls);
	buffer_fini(&end.sent);
	return end.err;
}

void check_tls(struct slice input)
{
	struct err whole;
	struct err cut;
	bool is_client;

	if (input.len < 2 || input.len > 60000) {
		return;
	}
	is_client = input.ptr[0] % 2 == 0;
	input = slice_of(input.ptr + 1, input.len - 1);
	whole = take_all(is_client, input, input.len);
	for (size_t i = 0; i < STEPS; i++) {
		cut = take_all(is_client, input, steps[i]);
		EXPECT(whole.code == cut.code && strcmp(whole.text, cut.text) == 0);
	}
}
