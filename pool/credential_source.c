/*
 * Layer: pool. One job: see credential_source.h.
 */
#include "pool/credential_source.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

struct credential_source {
	char *upstream;
	char *from;
	char *field;
	struct credential_scope scope;
	uint64_t margin_ms;
	struct credential_key key;
	_Atomic uint32_t generation; /* written under the lock; read by every request */
	pthread_mutex_t lock;        /* guards what follows, for some copies at a time */
	struct credential *credential;
	uint64_t renewed_us;
	struct err err;
};

struct credential_source *credential_source_create(
	const struct credential_source_settings *settings)
{
	struct credential_source *self = mem_zalloc(sizeof(*self));

	if (pthread_mutex_init(&self->lock, NULL) != 0) {
		abort(); /* the system is out of memory */
	}
	self->upstream = mem_strdup(settings->upstream);
	self->from = mem_strdup(settings->from);
	self->field = mem_strdup(settings->field);
	self->scope = settings->scope;
	self->margin_ms = settings->margin_ms;
	self->key = credential_key_make();
	self->err = ERR_INIT;
	atomic_init(&self->generation, 0);
	return self;
}

void credential_source_destroy(struct credential_source *source)
{
	if (source == NULL) {
		return;
	}
	credential_unref(source->credential);
	pthread_mutex_destroy(&source->lock);
	mem_free(source->upstream);
	mem_free(source->from);
	mem_free(source->field);
	mem_free(source);
}

const struct credential_scope *credential_source_scope(const struct credential_source *source)
{
	return &source->scope;
}

struct slice credential_source_field(const struct credential_source *source)
{
	return slice_str(source->field);
}

uint64_t credential_source_margin_ms(const struct credential_source *source)
{
	return source->margin_ms;
}

const struct credential_key *credential_source_key(const struct credential_source *source)
{
	return &source->key;
}

uint32_t credential_source_generation(const struct credential_source *source)
{
	return atomic_load_explicit(&source->generation, memory_order_relaxed);
}

struct credential *credential_source_hold(struct credential_source *source, uint32_t *generation)
{
	struct credential *credential;

	pthread_mutex_lock(&source->lock);
	credential = credential_ref(source->credential);
	*generation = credential_source_generation(source);
	pthread_mutex_unlock(&source->lock);
	return credential;
}

static bool is_the_same(const struct credential *a, const struct credential *b)
{
	return credential_identity(a) == credential_identity(b) &&
	       credential_expires_s(a) == credential_expires_s(b);
}

/* Never 0 again once it was something else. */
static uint32_t next_generation(const struct credential_source *source)
{
	uint32_t next = credential_source_generation(source) + 1;

	return next == 0 ? 1 : next;
}

void credential_source_publish(
	struct credential_source *source, struct credential *credential, uint64_t wall_us)
{
	bool ended = credential_life(credential_expires_s(credential), 0, wall_us) ==
		     CREDENTIAL_HAS_ENDED;
	struct credential *old;
	bool mended = false;

	pthread_mutex_lock(&source->lock);
	old = source->credential;
	if (credential_source_generation(source) == 0 || !is_the_same(old, credential)) {
		source->credential = credential;
		atomic_store_explicit(
			&source->generation, next_generation(source), memory_order_relaxed);
	} else {
		old = credential; /* the workers have the other one */
	}
	if (!ended) { /* else what is wrong is wrong still */
		mended = source->err.code != ERR_NONE;
		source->err = ERR_INIT;
		source->renewed_us = wall_us;
	}
	pthread_mutex_unlock(&source->lock);
	credential_unref(old);
	if (mended) {
		log_info("upstream %s: its credential is good again (%s)", source->upstream,
			source->from);
	}
}

void credential_source_complain(struct credential_source *source, const struct err *err)
{
	bool is_new;

	pthread_mutex_lock(&source->lock);
	is_new = source->err.code == ERR_NONE || strcmp(source->err.text, err->text) != 0;
	source->err = *err;
	pthread_mutex_unlock(&source->lock);
	if (is_new) {
		log_error("upstream %s: its credential cannot be renewed: %s", source->upstream,
			err->text);
	}
}

void credential_source_status(struct credential_source *source, struct credential_status *status)
{
	pthread_mutex_lock(&source->lock);
	*status = (struct credential_status){
		.kind = credential_kind_name(source->credential),
		.expires_s = credential_expires_s(source->credential),
		.renewed_us = source->renewed_us,
		.err = source->err,
	};
	pthread_mutex_unlock(&source->lock);
}

void credential_source_explain(struct credential_source *source, struct err *err)
{
	struct credential_status status;
	char ended[CLOCK_RFC3339_SIZE] = "";
	const char *why;

	credential_source_status(source, &status);
	why = status.err.code == ERR_NONE ? "no newer one has come" : status.err.text;
	if (status.expires_s > 0 && status.expires_s <= clock_wall_us() / 1000000) {
		(void)clock_format_rfc3339(status.expires_s * 1000000, ended);
		err_set(err, ERR_CREDENTIAL,
			"upstream %s: the credential of %s ended at %.19sZ: %s", source->upstream,
			source->from, ended, why);
	} else {
		err_set(err, ERR_CREDENTIAL, "upstream %s: there is no credential from %s: %s",
			source->upstream, source->from,
			status.err.code == ERR_NONE ? "it has not come yet" : why);
	}
}
