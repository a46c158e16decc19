/*
 * Layer: base. One job: see tls_pem.h.
 */
#include "base/tls_pem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/buffer.h"
#include "base/tls_text.h"

enum {
	PATH_SHOWN = 96,
};

bool tls_pem_absent(const struct tls_pem *pem)
{
	return pem->data.len == 0 && (pem->file == NULL || pem->file[0] == '\0');
}

const char *tls_pem_name(const struct tls_pem *pem, char out[static TLS_PEM_NAME_SIZE])
{
	size_t len = pem->file == NULL ? 0 : strlen(pem->file);

	if (len == 0) {
		(void)snprintf(out, TLS_PEM_NAME_SIZE, "the %s given as text", pem->what);
	} else if (len <= PATH_SHOWN) {
		(void)snprintf(out, TLS_PEM_NAME_SIZE, "the %s \"%s\"", pem->what, pem->file);
	} else {
		(void)snprintf(out, TLS_PEM_NAME_SIZE, "the %s \"...%s\"", pem->what,
			pem->file + len - PATH_SHOWN);
	}
	return out;
}

/* --- the text */

/* A key may be among what was read. */
static void forget(struct buffer *text)
{
	OPENSSL_cleanse(text->ptr, text->len);
	buffer_fini(text);
}

/* Reads at most TLS_PEM_MAX bytes and one. 0, or an errno. */
static int read_file(const char *path, struct buffer *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error = 0;
	ssize_t part;

	if (fd < 0) {
		return errno;
	}
	do {
		part = read(fd, text->ptr + text->len, TLS_PEM_MAX + 1 - text->len);
		if (part > 0) {
			text->len += (size_t)part;
		} else if (part < 0 && errno != EINTR) {
			error = errno;
		}
	} while (part != 0 && error == 0);
	(void)close(fd);
	return error;
}

static enum err_code read_text(const struct tls_pem *pem, struct buffer *text, struct err *err)
{
	char name[TLS_PEM_NAME_SIZE];
	int error = 0;

	/* At once: a buffer that grows leaves copies of a key behind. What is not used is never
	 * touched. */
	(void)buffer_reserve(text, TLS_PEM_MAX + 1);
	if (pem->data.len == 0) {
		error = read_file(pem->file, text);
	} else {
		size_t len = pem->data.len <= TLS_PEM_MAX ? pem->data.len : TLS_PEM_MAX + 1;

		buffer_append(text, pem->data.ptr, len);
	}
	if (error != 0) {
		return err_set(err, ERR_SETTINGS, "%s cannot be read: %s", tls_pem_name(pem, name),
			strerror(error));
	}
	if (text->len > TLS_PEM_MAX) {
		return err_set(err, ERR_SETTINGS, "%s has more than %d bytes; give a PEM file",
			tls_pem_name(pem, name), TLS_PEM_MAX);
	}
	return ERR_NONE;
}

/*
 * Text may stand between the blocks of a PEM file, and before them; OpenSSL passes over it. Behind
 * the last block it is a block that was cut off or misspelt, which must not be passed over.
 */
static enum err_code check_end(const struct tls_pem *pem, struct slice text, struct err *err)
{
	char name[TLS_PEM_NAME_SIZE];
	const char *end = NULL;
	const char *found = slice_find(text, SLICE("-----END "));
	struct slice rest = text;

	while (found != NULL) {
		end = found;
		rest = slice_of(end + 1, text.len - (size_t)(end + 1 - text.ptr));
		found = slice_find(rest, SLICE("-----END "));
	}
	if (end == NULL) {
		return ERR_NONE; /* no block at all: whoever looks for one says so */
	}
	for (bool comment = true; rest.len > 0; rest = slice_of(rest.ptr + 1, rest.len - 1)) {
		char c = rest.ptr[0];

		if (c == '\n') {
			comment = false;
		} else if (!comment && c == '#') {
			comment = true;
		} else if (!comment && c != ' ' && c != '\t' && c != '\r') {
			return err_set(err, ERR_SETTINGS,
				"%s goes on behind its last PEM block; remove what follows it, or "
				"mend the block that is broken there",
				tls_pem_name(pem, name));
		}
	}
	return ERR_NONE;
}

/* --- what it holds */

/* OpenSSL's way to ask for a passphrase: nobody is asked. */
static int refuse_passphrase(char *out, int size, int writing, void *asked)
{
	(void)out;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

static BIO *open_text(const struct buffer *text)
{
	return BIO_new_mem_buf(text->len == 0 ? "" : text->ptr, (int)text->len);
}

static void free_certificates(STACK_OF(X509) * certificates)
{
	sk_X509_pop_free(certificates, X509_free);
}

static enum err_code read_certificates(const struct tls_pem *pem, const struct buffer *text,
	STACK_OF(X509) * certificates, struct err *err)
{
	char name[TLS_PEM_NAME_SIZE];
	bool asked = false;
	BIO *bio = open_text(text);
	X509 *certificate;
	unsigned long error;

	do {
		certificate = PEM_read_bio_X509(bio, NULL, refuse_passphrase, &asked);
	} while (certificate != NULL && sk_X509_push(certificates, certificate) > 0);
	BIO_free(bio);
	error = ERR_peek_last_error();
	if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
		return err_set(err, ERR_SETTINGS, "%s: its certificate number %d is broken: %s",
			tls_pem_name(pem, name), sk_X509_num(certificates) + 1, tls_reason());
	}
	ERR_clear_error(); /* the end of the text */
	if (sk_X509_num(certificates) == 0) {
		return err_set(err, ERR_SETTINGS,
			"%s holds no certificate; give PEM text, which begins with -----BEGIN "
			"CERTIFICATE-----",
			tls_pem_name(pem, name));
	}
	return check_end(pem, buffer_slice(text), err);
}

STACK_OF(X509) * tls_pem_certificates(const struct tls_pem *pem, struct err *err)
{
	struct buffer text = BUFFER_INIT;
	STACK_OF(X509) *certificates = sk_X509_new_null();
	enum err_code code = read_text(pem, &text, err);

	ERR_clear_error();
	if (code == ERR_NONE) {
		code = read_certificates(pem, &text, certificates, err);
	}
	forget(&text);
	if (code != ERR_NONE) {
		free_certificates(certificates);
		return NULL;
	}
	return certificates;
}

uint64_t tls_pem_not_after(const struct tls_pem *pem)
{
	STACK_OF(X509) *certificates = tls_pem_certificates(pem, NULL);
	int64_t not_after_s;

	if (certificates == NULL) {
		return 0;
	}
	not_after_s = tls_time_seconds(X509_get0_notAfter(sk_X509_value(certificates, 0)));
	free_certificates(certificates);
	return not_after_s == INT64_MAX ? 0 : not_after_s < 1 ? 1 : (uint64_t)not_after_s;
}

static EVP_PKEY *read_key(const struct tls_pem *pem, const struct buffer *text, struct err *err)
{
	char name[TLS_PEM_NAME_SIZE];
	bool asked = false;
	BIO *bio = open_text(text);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, refuse_passphrase, &asked);

	BIO_free(bio);
	if (key != NULL) {
		ERR_clear_error(); /* of the forms that were tried first */
		return key;
	}
	if (asked) {
		err_set(err, ERR_SETTINGS, "%s is encrypted; give a key without a passphrase",
			tls_pem_name(pem, name));
	} else if (slice_find(buffer_slice(text), SLICE("PRIVATE KEY-----")) == NULL) {
		err_set(err, ERR_SETTINGS,
			"%s holds no private key; give PEM text, which begins with -----BEGIN "
			"PRIVATE KEY-----",
			tls_pem_name(pem, name));
	} else {
		err_set(err, ERR_SETTINGS, "%s is broken: %s", tls_pem_name(pem, name),
			tls_reason());
	}
	ERR_clear_error();
	return NULL;
}

EVP_PKEY *tls_pem_key(const struct tls_pem *pem, struct err *err)
{
	struct buffer text = BUFFER_INIT;
	EVP_PKEY *key = NULL;

	ERR_clear_error();
	if (read_text(pem, &text, err) == ERR_NONE) {
		key = read_key(pem, &text, err);
	}
	if (key != NULL && check_end(pem, buffer_slice(&text), err) != ERR_NONE) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	forget(&text);
	return key;
}
