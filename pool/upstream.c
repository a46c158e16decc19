/*
 * Layer: pool. One job: put together what workers share of an upstream: its description, its places
 * and its counters.
 */
#include "pool/upstream.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/log.h"
#include "base/memory.h"
#include "pool/upstream_shared.h"

struct upstream {
	char name[UPSTREAM_NAME_MAX];
	struct upstream_address address;
	struct pool_settings settings;
	struct tls_source *tls; /* NULL: plain */
	char *tls_name;
	_Atomic bool reachable;
	struct places places;
	struct tally_set tallies;
};

const struct pool_settings pool_settings_default = {
	.max_connections = 50,
	.max_idle = 20,
	.idle_timeout_ms = 60000,
	.max_age_ms = 300000,
	.queue = 1000,
	.queue_timeout_ms = 5000,
	.connect_timeout_ms = 10000,
};

struct upstream *upstream_create(const char *name, const struct upstream_address *address,
	const struct pool_settings *settings)
{
	struct upstream *self = mem_zalloc(sizeof(*self));

	assert(settings->max_connections > 0);
	(void)snprintf(self->name, sizeof(self->name), "%s", name);
	self->address = *address;
	self->settings = *settings;
	atomic_init(&self->reachable, true);
	places_init(&self->places, settings->max_connections, settings->queue, settings->max_idle);
	tally_set_init(&self->tallies);
	return self;
}

void upstream_destroy(struct upstream *upstream)
{
	if (upstream == NULL) {
		return;
	}
	tls_source_destroy(upstream->tls);
	mem_free(upstream->tls_name);
	tally_set_fini(&upstream->tallies);
	places_fini(&upstream->places);
	mem_free(upstream);
}

struct tls_settings upstream_tls_settings(const struct upstream_tls *tls)
{
	return (struct tls_settings){
		.ca_file = tls->ca,
		.certificate_file = tls->certificate,
		.key_file = tls->key,
		.verify = tls->verify,
	};
}

void upstream_set_tls(struct upstream *upstream, struct tls_source *source, const char *name)
{
	assert(upstream->tls == NULL && !upstream->address.is_unix);
	upstream->tls = source;
	upstream->tls_name = mem_strdup(name == NULL ? upstream->address.host : name);
}

struct tls_source *upstream_tls_source(struct upstream *upstream)
{
	return upstream->tls;
}

const char *upstream_tls_name(const struct upstream *upstream)
{
	return upstream->tls_name;
}

const char *upstream_name(const struct upstream *upstream)
{
	return upstream->name;
}

const struct upstream_address *upstream_address(const struct upstream *upstream)
{
	return &upstream->address;
}

const struct pool_settings *upstream_pool_settings(const struct upstream *upstream)
{
	return &upstream->settings;
}

struct places *upstream_places(struct upstream *upstream)
{
	return &upstream->places;
}

struct tally_set *upstream_tallies(struct upstream *upstream)
{
	return &upstream->tallies;
}

bool upstream_reachable(const struct upstream *upstream)
{
	return atomic_load_explicit(&upstream->reachable, memory_order_relaxed);
}

void upstream_tried(struct upstream *upstream, const struct err *err)
{
	bool works = err == NULL;
	bool worked;

	if (upstream_reachable(upstream) == works) {
		return;
	}
	worked = atomic_exchange_explicit(&upstream->reachable, works, memory_order_relaxed);
	if (worked && !works) {
		log_warn("%s",
			err->text); /* once, not for each exchange: those have their own lines */
	} else if (!worked && works) {
		log_info("upstream %s: reachable again", upstream->name);
	}
}

void upstream_counts(const struct upstream *upstream, struct upstream_counts *counts)
{
	/* Reading takes the locks, which are no part of what the upstream is. */
	struct upstream *self = (struct upstream *)(uintptr_t)upstream;
	uint64_t sums[TALLY_COUNT];
	uint32_t taken;
	uint32_t queued;

	places_count(&self->places, &taken, &queued);
	tally_sum(&self->tallies, sums);
	*counts = (struct upstream_counts){
		.connections = taken,
		.idle = sums[TALLY_IDLE],
		.waiting = queued,
		.opened = sums[TALLY_OPENED],
		.reused = sums[TALLY_REUSED],
		.expired = sums[TALLY_EXPIRED],
		.connect_failures = sums[TALLY_CONNECT_FAILURES],
	};
}
