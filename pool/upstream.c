/*
 * Layer: pool. One job: put together what workers share of an upstream: its description, its
 * places, its breaker, its counters and its last failures.
 */
#include "pool/upstream.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "pool/credential_source.h"
#include "pool/upstream_shared.h"

struct upstream {
	char name[UPSTREAM_NAME_MAX];
	struct upstream_address address;
	struct pool_settings settings;
	struct tls_source *tls; /* NULL: plain */
	char *tls_name;
	struct credential_source *credential; /* NULL: none */
	_Atomic bool reachable;
	const char *_Atomic tls_version; /* of the last handshake; NULL before it */
	struct breaker breaker; /* read by every exchange: its neighbours are seldom written */
	struct failure_log failures;
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
	.max_entries = 32,
	.safety_margin_ms = 60000,
	.breaker = {.failures = 5, .open_ms = 10000},
};

const uint64_t upstream_queue_bounds[UPSTREAM_QUEUE_BUCKETS - 1] = {
	1000, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 2500000, 5000000};

struct upstream *upstream_create(const char *name, const struct upstream_address *address,
	const struct pool_settings *settings)
{
	struct upstream *self = mem_zalloc(sizeof(*self));

	assert(settings->max_connections > 0);
	(void)snprintf(self->name, sizeof(self->name), "%s", name);
	self->address = *address;
	self->settings = *settings;
	atomic_init(&self->reachable, true);
	breaker_init(&self->breaker, &settings->breaker);
	failure_log_init(&self->failures);
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
	credential_source_destroy(upstream->credential);
	mem_free(upstream->tls_name);
	tally_set_fini(&upstream->tallies);
	places_fini(&upstream->places);
	failure_log_fini(&upstream->failures);
	mem_free(upstream);
}

struct tls_settings upstream_tls_settings(const struct upstream_tls *tls)
{
	return (struct tls_settings){
		.ca_file = tls->ca,
		.certificate_file = tls->certificate,
		.key_file = tls->key,
		.verify = tls->verify,
		.ca_setting = "tls.ca",
		.certificate_setting = "tls.certificate",
		.name_setting = "tls.server_name",
	};
}

void upstream_set_tls(struct upstream *upstream, struct tls_source *source, const char *name)
{
	assert(upstream->tls == NULL && !upstream->address.is_unix);
	upstream->tls = source;
	upstream->tls_name = mem_strdup(name == NULL ? upstream->address.host : name);
}

void upstream_set_credential(struct upstream *upstream, struct credential_source *source)
{
	assert(upstream->credential == NULL);
	upstream->credential = source;
}

struct credential_source *upstream_credential_source(const struct upstream *upstream)
{
	return upstream->credential;
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

/* --- whether it is there */

static bool last_connect_worked(const struct upstream *upstream)
{
	return atomic_load_explicit(&upstream->reachable, memory_order_relaxed);
}

enum breaker_state upstream_breaker(const struct upstream *upstream, uint64_t *wait_ms)
{
	return breaker_look(&upstream->breaker, clock_now_us() / 1000, wait_ms);
}

bool upstream_reachable(const struct upstream *upstream)
{
	uint64_t wait_ms;

	return last_connect_worked(upstream) &&
	       upstream_breaker(upstream, &wait_ms) != BREAKER_OPEN;
}

void upstream_tried(struct upstream *upstream, const struct err *err)
{
	bool works = err == NULL;
	bool worked;

	if (last_connect_worked(upstream) == works) {
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

void upstream_secured(struct upstream *upstream, const char *version)
{
	if (atomic_load_explicit(&upstream->tls_version, memory_order_relaxed) != version) {
		atomic_store_explicit(&upstream->tls_version, version, memory_order_relaxed);
	}
}

const char *upstream_tls_version(const struct upstream *upstream)
{
	return atomic_load_explicit(&upstream->tls_version, memory_order_relaxed);
}

/* --- the breaker */

/* What an error's text says behind the "upstream NAME" that it begins with. */
static const char *without_name(const struct upstream *upstream, const char *text)
{
	static const char beginning[] = "upstream ";
	size_t prefix_len = sizeof(beginning) - 1;
	size_t name_len = strlen(upstream->name);

	if (strncmp(text, beginning, prefix_len) != 0 ||
		strncmp(text + prefix_len, upstream->name, name_len) != 0) {
		return text;
	}
	text += prefix_len + name_len;
	return text + strspn(text, ": ");
}

bool upstream_enter(
	struct upstream *upstream, uint64_t now_ms, struct breaker_pass *pass, uint64_t *wait_ms)
{
	return breaker_enter(&upstream->breaker, now_ms, pass, wait_ms);
}

void upstream_answered(struct upstream *upstream, struct breaker_pass *pass)
{
	if (breaker_worked(&upstream->breaker, pass) == BREAKER_CLOSES) {
		log_info("upstream %s: answers again", upstream->name);
	}
}

void upstream_failed(struct upstream *upstream, struct breaker_pass *pass, enum failure why,
	const struct err *err, uint64_t now_ms)
{
	struct breaker *breaker = &upstream->breaker;
	enum breaker_change change;
	struct err opened;
	uint64_t wait_ms;
	uint64_t dice;

	if (!failure_means_absence(why)) {
		breaker_leave(breaker, pass);
		return;
	}
	random_unique(&dice, sizeof(dice));
	change = breaker_failed(breaker, pass, now_ms, dice);
	if (change == BREAKER_STAYS) {
		return;
	}
	failure_log_opened(&upstream->failures,
		change == BREAKER_OPENS ? breaker->settings.failures : 0,
		without_name(upstream, err->text));
	(void)breaker_look(breaker, now_ms, &wait_ms);
	upstream_describe_open(upstream, wait_ms, &opened);
	if (change == BREAKER_OPENS) {
		log_warn("%s", opened.text);
	} else {
		log_info("%s", opened.text); /* as every time until it answers again */
	}
}

void upstream_leave(struct upstream *upstream, struct breaker_pass *pass)
{
	breaker_leave(&upstream->breaker, pass);
}

void upstream_describe_open(struct upstream *upstream, uint64_t wait_ms, struct err *err)
{
	char last[sizeof(err->text)];
	char after[sizeof("4294967295 failures in a row, the last")] = "a failure";
	uint32_t row = failure_log_why_open(&upstream->failures, last);

	if (row > 1) {
		(void)snprintf(
			after, sizeof(after), "%" PRIu32 " failures in a row, the last", row);
	}
	if (wait_ms > 0) {
		err_set(err, ERR_BREAKER_OPEN,
			"upstream %s: is left alone for %" PRIu64 " ms after %s: %s",
			upstream->name, wait_ms, after, last);
	} else {
		err_set(err, ERR_BREAKER_OPEN,
			"upstream %s: is tried by one request alone after %s: %s", upstream->name,
			after, last);
	}
}

/* --- what it has done */

/* Reading takes locks, which are no part of what the upstream is. */
static struct upstream *unlocked(const struct upstream *upstream)
{
	return (struct upstream *)(uintptr_t)upstream;
}

void upstream_note_failure(struct upstream *upstream, enum failure why)
{
	failure_log_add(&upstream->failures, why, clock_wall_us());
}

size_t upstream_last_failures(
	const struct upstream *upstream, struct failure_entry entries[static FAILURE_LOG_SIZE])
{
	return failure_log_read(&unlocked(upstream)->failures, entries);
}

void upstream_counts(const struct upstream *upstream, struct upstream_counts *counts)
{
	struct upstream *self = unlocked(upstream);
	uint64_t sums[TALLY_COUNT];
	uint32_t taken;
	uint32_t queued;

	places_count(&self->places, &taken, &queued);
	tally_sum(&self->tallies, sums);
	*counts = (struct upstream_counts){
		.connections = taken,
		.idle = sums[TALLY_IDLE],
		.lent = sums[TALLY_LENT],
		.waiting = queued,
		.opened = sums[TALLY_OPENED],
		.opened_last_minute = tally_opened_lately(&self->tallies, clock_now_us() / 1000000),
		.reused = sums[TALLY_REUSED],
		.retried = sums[TALLY_RETRIED],
		.expired = sums[TALLY_EXPIRED],
		.handshakes = sums[TALLY_HANDSHAKES],
		.resumed = sums[TALLY_RESUMED],
		.queued_us = sums[TALLY_QUEUED_US],
	};
	memcpy(counts->queued, sums + TALLY_QUEUED, sizeof(counts->queued));
	memcpy(counts->failures, sums + TALLY_FAILURES, sizeof(counts->failures));
	for (int i = FAILURE_RESOLVE; i <= FAILURE_TLS; i++) {
		counts->connect_failures += counts->failures[i];
	}
}
