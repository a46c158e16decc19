/*
 * Layer: base. One job: see tls_source.h.
 */
#include "base/tls_source.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/memory.h"

struct tls_source {
	enum tls_side side;
	struct tls_settings settings; /* its texts are ours */
	pthread_mutex_t lock;         /* guards what follows, for a pointer and a count at a time */
	struct tls_context *context;
};

static const char *copy_text(const char *text)
{
	return text == NULL ? NULL : mem_strdup(text);
}

static struct slice copy_data(struct slice data)
{
	char *copy;

	if (data.len == 0) {
		return slice_of(NULL, 0);
	}
	copy = mem_alloc(data.len);
	memcpy(copy, data.ptr, data.len);
	return slice_of(copy, data.len);
}

static void free_text(const char *text)
{
	mem_free((void *)(uintptr_t)text);
}

/* A key is not left in freed memory. */
static void free_data(struct slice data)
{
	if (data.len > 0) {
		char *bytes = (char *)(uintptr_t)data.ptr;

		explicit_bzero(bytes, data.len);
		mem_free(bytes);
	}
}

static struct tls_context *read_files(const struct tls_source *source, struct err *err)
{
	return source->side == TLS_SERVER ? tls_context_create_server(&source->settings, err)
					  : tls_context_create_client(&source->settings, err);
}

struct tls_source *tls_source_create(
	enum tls_side side, const struct tls_settings *settings, struct err *err)
{
	struct tls_source *source = mem_zalloc(sizeof(*source));

	if (pthread_mutex_init(&source->lock, NULL) != 0) {
		abort(); /* the system is out of memory */
	}
	source->side = side;
	source->settings = (struct tls_settings){
		.ca_file = copy_text(settings->ca_file),
		.certificate_file = copy_text(settings->certificate_file),
		.key_file = copy_text(settings->key_file),
		.ca_data = copy_data(settings->ca_data),
		.certificate_data = copy_data(settings->certificate_data),
		.key_data = copy_data(settings->key_data),
		.verify = settings->verify,
	};
	source->context = read_files(source, err);
	if (source->context == NULL) {
		tls_source_destroy(source);
		return NULL;
	}
	return source;
}

void tls_source_destroy(struct tls_source *source)
{
	if (source == NULL) {
		return;
	}
	tls_context_release(source->context);
	free_text(source->settings.ca_file);
	free_text(source->settings.certificate_file);
	free_text(source->settings.key_file);
	free_data(source->settings.ca_data);
	free_data(source->settings.certificate_data);
	free_data(source->settings.key_data);
	pthread_mutex_destroy(&source->lock);
	mem_free(source);
}

struct tls_context *tls_source_hold(struct tls_source *source)
{
	struct tls_context *context;

	pthread_mutex_lock(&source->lock);
	context = tls_context_hold(source->context);
	pthread_mutex_unlock(&source->lock);
	return context;
}

enum err_code tls_source_reload(struct tls_source *source, struct err *err)
{
	struct tls_context *read = read_files(source, err);
	struct tls_context *old;

	if (read == NULL) {
		return err == NULL ? ERR_SETTINGS : err->code;
	}
	pthread_mutex_lock(&source->lock);
	old = source->context;
	source->context = read;
	pthread_mutex_unlock(&source->lock);
	tls_context_release(old);
	return ERR_NONE;
}
