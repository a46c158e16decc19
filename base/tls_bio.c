/*
 * Layer: base. One job: see tls_bio.h.
 */
#include "base/tls_bio.h"

#include <assert.h>
#include <pthread.h>

static int on_read(BIO *bio, char *to, size_t room, size_t *read)
{
	struct tls_bio *ends = BIO_get_data(bio);
	size_t part = room < ends->in.len ? room : ends->in.len;

	BIO_clear_retry_flags(bio);
	ends->starved = part == 0;
	if (part == 0) {
		BIO_set_retry_read(bio);
		*read = 0;
		return 0;
	}
	memcpy(to, ends->in.ptr, part);
	ends->in = slice_of(ends->in.ptr + part, ends->in.len - part);
	*read = part;
	return 1;
}

static int on_write(BIO *bio, const char *from, size_t len, size_t *written)
{
	struct tls_bio *ends = BIO_get_data(bio);

	assert(ends->out != NULL);
	BIO_clear_retry_flags(bio);
	buffer_append(ends->out, from, len);
	*written = len;
	return 1;
}

/* OpenSSL asks on the way of each record whether the kernel encrypts, and other things that do not
 * apply: no to all but flushing. */
static long on_ctrl(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH ? 1 : 0;
}

/* Made once, never changed, and there until the process ends. */
static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static void create_method(void)
{
	method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "slice and buffer");
	if (method != NULL) {
		(void)BIO_meth_set_read_ex(method, on_read);
		(void)BIO_meth_set_write_ex(method, on_write);
		(void)BIO_meth_set_ctrl(method, on_ctrl);
	}
}

BIO *tls_bio_create(struct tls_bio *ends)
{
	BIO *bio;

	(void)pthread_once(&method_once, create_method);
	bio = method == NULL ? NULL : BIO_new(method);
	if (bio != NULL) {
		BIO_set_data(bio, ends);
		BIO_set_init(bio, 1);
	}
	return bio;
}
