/*
 * Layer: inspector. One job: see api_upstreams.h. Upstreams may be many: the list is made in
 * slices.
 */
#include "inspector/api_upstreams.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "inspector/parameters.h"
#include "pool/credential_source.h"
#include "pool/pool.h"
#include "proxy/worker.h"

enum {
	SLICE_BYTES = 24 * 1024,
};

/* One list on its way. */
struct upstreams_source {
	struct source source;
	const struct worker *worker; /* outlives the answer */
	uint32_t next;
	struct json json;
};

static void write_number(struct json *json, const char *key, uint64_t value)
{
	json_key(json, key);
	json_u64(json, value);
}

/* Of the times that a connection was lent, those for which none had to be opened; null before the
 * first. */
static void write_rate(struct json *json, const char *key, uint64_t part, uint64_t whole)
{
	json_key(json, key);
	if (whole == 0) {
		json_none(json);
	} else {
		json_seconds(json, part * 1000000 / whole); /* six decimals */
	}
}

static void write_failures(struct json *json, const struct upstream_counts *counts)
{
	json_key(json, "failures");
	json_begin_object(json);
	for (int why = FAILURE_NONE + 1; why < FAILURES; why++) {
		if (counts->failures[why] > 0) {
			write_number(json, failure_name((enum failure)why), counts->failures[why]);
		}
	}
	json_end_object(json);
}

static void write_last_failures(struct json *json, const struct upstream *upstream)
{
	struct failure_entry entries[FAILURE_LOG_SIZE];
	size_t count = upstream_last_failures(upstream, entries);

	json_key(json, "last_failures");
	json_begin_array(json);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(json);
		json_key(json, "ts");
		json_seconds(json, entries[i].wall_us);
		json_key(json, "reason");
		json_cstring(json, failure_name(entries[i].why));
		json_end_object(json);
	}
	json_end_array(json);
}

static void write_breaker(struct json *json, const struct upstream *upstream)
{
	static const char *const names[] = {
		[BREAKER_CLOSED] = "closed",
		[BREAKER_OPEN] = "open",
		[BREAKER_HALF_OPEN] = "half_open",
	};
	uint64_t wait_ms;
	enum breaker_state state = upstream_breaker(upstream, &wait_ms);

	json_key(json, "breaker");
	json_begin_object(json);
	json_key(json, "state");
	json_cstring(json, names[state]);
	json_key(json, "retry_at");
	if (state == BREAKER_OPEN) {
		json_seconds(json, clock_wall_us() + wait_ms * 1000);
	} else {
		json_none(json);
	}
	json_end_object(json);
}

static void write_queue(
	struct json *json, const struct upstream *upstream, const struct upstream_counts *counts)
{
	const struct pool_settings *settings = upstream_pool_settings(upstream);
	uint64_t waited = 0;

	for (int i = 0; i < UPSTREAM_QUEUE_BUCKETS; i++) {
		waited += counts->queued[i];
	}
	json_key(json, "queue");
	json_begin_object(json);
	write_number(json, "limit", settings->queue);
	write_number(json, "timeout_ms", settings->queue_timeout_ms);
	write_number(json, "waited", waited);
	json_key(json, "waited_ms");
	json_milliseconds(json, counts->queued_us);
	json_end_object(json);
}

static void write_tls(
	struct json *json, const struct upstream *upstream, const struct upstream_counts *counts)
{
	json_key(json, "tls");
	if (!upstream_address(upstream)->is_https) {
		json_none(json);
		return;
	}
	json_begin_object(json);
	write_number(json, "handshakes", counts->handshakes);
	write_number(json, "resumed", counts->resumed);
	json_key(json, "version");
	json_cstring(json, upstream_tls_version(upstream));
	json_end_object(json);
}

/* How requests to it are authenticated. */
static void write_credential(struct json *json, const struct upstream *upstream)
{
	struct credential_source *source = upstream_credential_source(upstream);
	struct credential_status status = {.kind = "none"};

	if (source != NULL) {
		credential_source_status(source, &status);
	}
	json_key(json, "credential");
	json_begin_object(json);
	json_key(json, "kind");
	json_cstring(json, status.kind);
	json_key(json, "expires_at");
	if (status.expires_s != 0) {
		json_seconds(json, status.expires_s * 1000000);
	} else {
		json_none(json);
	}
	json_key(json, "error");
	json_cstring(json, status.err.code == ERR_NONE ? NULL : status.err.text);
	json_end_object(json);
}

static void write_pool(
	struct json *json, const struct upstream *upstream, const struct upstream_counts *counts)
{
	write_number(json, "active", counts->lent);
	write_number(json, "idle", counts->idle);
	write_number(json, "waiting", counts->waiting);
	write_number(json, "max_connections", upstream_pool_settings(upstream)->max_connections);
	write_number(json, "opened", counts->opened);
	write_number(json, "opened_last_minute", counts->opened_last_minute);
	write_number(json, "reused", counts->reused);
	write_rate(json, "reuse_rate", counts->reused, counts->opened + counts->reused);
	write_number(json, "retried", counts->retried);
	write_number(json, "expired", counts->expired);
}

static void write_upstream(struct json *json, const struct upstream *upstream,
	const struct upstream_settings *settings)
{
	struct upstream_counts counts;

	upstream_counts(upstream, &counts);
	json_begin_object(json);
	json_key(json, "name");
	json_cstring(json, upstream_name(upstream));
	json_key(json, "url");
	json_cstring(json, settings->url);
	write_pool(json, upstream, &counts);
	write_failures(json, &counts);
	write_last_failures(json, upstream);
	write_breaker(json, upstream);
	json_key(json, "reachable");
	json_bool(json, upstream_reachable(upstream));
	write_queue(json, upstream, &counts);
	write_tls(json, upstream, &counts);
	write_credential(json, upstream);
	json_end_object(json);
}

/* --- the source */

static struct upstreams_source *of_source(struct source *source)
{
	return container_of(source, struct upstreams_source, source);
}

static bool next_slice(struct source *source, struct buffer *out, struct slice *part)
{
	struct upstreams_source *self = of_source(source);
	const struct proxy_settings *settings = self->worker->settings;

	(void)part;
	self->json.out = out;
	if (self->next == 0) {
		json_begin_object(&self->json);
		json_key(&self->json, "items");
		json_begin_array(&self->json);
	}
	while (self->next < settings->upstream_count && out->len < SLICE_BYTES) {
		write_upstream(&self->json, pool_upstream(self->worker->pools[self->next]),
			&settings->upstreams[self->next]);
		self->next++;
	}
	if (self->next < settings->upstream_count) {
		return true;
	}
	json_end_array(&self->json);
	json_end_object(&self->json);
	return false;
}

static void destroy(struct source *source)
{
	mem_free(of_source(source));
}

static const struct source_ops upstreams_ops = {
	.next = next_slice,
	.destroy = destroy,
};

void api_upstreams(const struct api_call *call)
{
	struct upstreams_source *self;
	struct err err = ERR_INIT;

	if (parameters_parse(call->query, NULL, 0, &call->exchange->arena, NULL, &err) !=
		ERR_NONE) {
		answer_problem(call->answer, 400, "%s", err.text);
		return;
	}
	self = mem_zalloc(sizeof(*self));
	self->source.ops = &upstreams_ops;
	self->worker = call->exchange->worker;
	json_init(&self->json, NULL); /* each slice brings its buffer */
	answer_begin(call->answer, 200, ANSWER_DATA, 0);
	answer_send_source(call->answer, SLICE("application/json"), &self->source, UINT64_MAX);
}
