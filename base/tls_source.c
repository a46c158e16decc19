/*
 * Layer: base. One job: see tls_source.h.
 */
#include "base/tls_source.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/memory.h"

struct tls_source {
	enum tls_side side;
	struct tls_settings settings; /* its texts are ours */
	pthread_mutex_t lock;         /* guards what follows, for a pointer and a count at a time */
	struct tls_context *context;
	_Atomic uint32_t serial; /* the context's; written under the lock */
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

static struct tls_settings copy_settings(const struct tls_settings *settings)
{
	return (struct tls_settings){
		.ca_file = copy_text(settings->ca_file),
		.certificate_file = copy_text(settings->certificate_file),
		.key_file = copy_text(settings->key_file),
		.ca_data = copy_data(settings->ca_data),
		.certificate_data = copy_data(settings->certificate_data),
		.key_data = copy_data(settings->key_data),
		.verify = settings->verify,
		.ca_setting = settings->ca_setting,
		.certificate_setting = settings->certificate_setting,
		.name_setting = settings->name_setting,
	};
}

static void free_settings(const struct tls_settings *settings)
{
	free_text(settings->ca_file);
	free_text(settings->certificate_file);
	free_text(settings->key_file);
	free_data(settings->ca_data);
	free_data(settings->certificate_data);
	free_data(settings->key_data);
}

static struct tls_context *read_files(
	enum tls_side side, const struct tls_settings *settings, struct err *err)
{
	return side == TLS_SERVER ? tls_context_create_server(settings, err)
				  : tls_context_create_client(settings, err);
}

struct tls_source *tls_source_create(
	enum tls_side side, const struct tls_settings *settings, struct err *err)
{
	struct tls_source *source = mem_zalloc(sizeof(*source));

	if (pthread_mutex_init(&source->lock, NULL) != 0) {
		abort(); /* the system is out of memory */
	}
	source->side = side;
	source->settings = copy_settings(settings);
	source->context = read_files(side, &source->settings, err);
	if (source->context == NULL) {
		tls_source_destroy(source);
		return NULL;
	}
	tls_context_set_serial(source->context, 1);
	atomic_init(&source->serial, 1);
	return source;
}

void tls_source_destroy(struct tls_source *source)
{
	if (source == NULL) {
		return;
	}
	tls_context_release(source->context);
	free_settings(&source->settings);
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

/* Takes `read` over: it is what connections are made with from now on. */
static void publish(struct tls_source *source, struct tls_context *read)
{
	struct tls_context *old;
	uint32_t serial;

	pthread_mutex_lock(&source->lock);
	old = source->context;
	serial = tls_context_serial(old);
	if (!tls_context_same_certificate(old, read)) {
		serial++;
	}
	tls_context_set_serial(read, serial);
	source->context = read;
	atomic_store_explicit(&source->serial, serial, memory_order_relaxed);
	pthread_mutex_unlock(&source->lock);
	tls_context_release(old);
}

enum err_code tls_source_reload(struct tls_source *source, struct err *err)
{
	struct tls_context *read = read_files(source->side, &source->settings, err);

	if (read == NULL) {
		return err == NULL ? ERR_SETTINGS : err->code;
	}
	publish(source, read);
	return ERR_NONE;
}

enum err_code tls_source_replace(
	struct tls_source *source, const struct tls_settings *settings, struct err *err)
{
	struct tls_context *read = read_files(source->side, settings, err);

	if (read == NULL) {
		return err == NULL ? ERR_SETTINGS : err->code;
	}
	free_settings(&source->settings);
	source->settings = copy_settings(settings);
	publish(source, read);
	return ERR_NONE;
}

uint32_t tls_source_serial(const struct tls_source *source)
{
	return atomic_load_explicit(&source->serial, memory_order_relaxed);
}
