/*
 * Layer: inspector. One job: see api_routes.h. What is in the list is decided when it begins; each
 * row is read when it is written, in slices.
 */
#include "inspector/api_routes.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/memory.h"
#include "inspector/api_parameters.h"

enum {
	SLICE_READS = 64, /* of a row from a worker: some 3 us each */
};

struct routes_source {
	struct source source;
	const struct api *api;
	const struct path_statistics *statistics;
	struct json json;
	struct buffer scratch;
	struct path_totals totals;
	bool begun;
	size_t next;
	size_t count;
	struct ranked { /* the most frequent first */
		uint64_t requests;
		unsigned path;
	} rows[PATHS];
};

static void write_number(struct json *json, const char *key, uint64_t value)
{
	json_key(json, key);
	json_u64(json, value);
}

static void write_ms(struct json *json, const char *key, uint64_t us)
{
	json_key(json, key);
	json_milliseconds(json, us);
}

/* By class: "2xx", …; "none" where no answer came. */
static void write_status(struct json *json, const struct path_totals *totals)
{
	json_key(json, "status");
	json_begin_object(json);
	for (unsigned i = 1; i < PATH_CLASSES; i++) {
		char class[16];

		if (totals->classes[i] > 0) {
			(void)snprintf(class, sizeof(class), "%uxx", i);
			write_number(json, class, totals->classes[i]);
		}
	}
	if (totals->classes[0] > 0) {
		write_number(json, "none", totals->classes[0]);
	}
	json_end_object(json);
}

/* null where nothing is known. */
static void write_latency(struct json *json, const struct path_totals *totals)
{
	static const struct {
		const char *key;
		unsigned per_mille;
	} quantiles[] = {{"p50_ms", 500}, {"p95_ms", 950}, {"p99_ms", 990}};

	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		if (totals->durations.total == 0) {
			json_key(json, quantiles[i].key);
			json_none(json);
		} else {
			write_ms(json, quantiles[i].key,
				distribution_quantile(&totals->durations, quantiles[i].per_mille));
		}
	}
	if (totals->counts.count == 0) {
		json_key(json, "mean_ms");
		json_none(json);
	} else {
		write_ms(json, "mean_ms", totals->counts.duration_us / totals->counts.count);
	}
}

static void write_cadence(struct json *json, const struct path_totals *totals)
{
	if (totals->interval_us == UINT64_MAX) {
		json_key(json, "interval_ms");
		json_none(json);
	} else {
		write_ms(json, "interval_ms", totals->interval_us);
	}
	write_number(json, "recent", totals->recent);
	write_number(json, "overlapped", totals->overlapped);
	write_number(json, "compared", totals->compared);
	write_number(json, "unchanged", totals->unchanged);
}

static void write_row(struct routes_source *self, unsigned path)
{
	struct json *json = &self->json;
	const struct path_totals *totals = &self->totals;

	path_statistics_read(self->statistics, path, &self->totals);
	buffer_clear(&self->scratch);
	(void)redact_text(self->api->redactor,
		path_name_path(path_statistics_name(self->statistics, path)), &self->scratch);
	json_begin_object(json);
	json_key(json, "route");
	json_cstring(json, path_statistics_route(self->statistics, path));
	json_key(json, "method");
	json_cstring(json, path_statistics_method(self->statistics, path));
	json_key(json, "path");
	json_text(json, buffer_slice(&self->scratch));
	json_key(json, "capture");
	json_cstring(json, path_statistics_capture(self->statistics, path));
	write_number(json, "count", totals->counts.count);
	write_number(json, "active", totals->active);
	write_status(json, totals);
	write_number(json, "errors", totals->failed);
	write_number(json, "request_bytes", totals->request_bytes);
	write_number(json, "response_bytes", totals->response_bytes);
	write_latency(json, totals);
	write_number(json, "upstream_calls", totals->counts.upstream_calls);
	write_ms(json, "upstream_ms", totals->upstream_us);
	write_cadence(json, totals);
	write_number(json, "coalesced", 0); /* nothing coalesces or caches yet */
	write_number(json, "cache_hits", 0);
	json_end_object(json);
}

static struct routes_source *of_source(struct source *source)
{
	return container_of(source, struct routes_source, source);
}

static bool next_slice(struct source *source, struct buffer *out, struct slice *part)
{
	struct routes_source *self = of_source(source);
	struct json *json = &self->json;

	(void)part;
	json->out = out;
	if (!self->begun) {
		self->begun = true;
		json_begin_object(json);
		json_key(json, "since_ts");
		json_seconds(json, self->api->started_wall_us);
		json_key(json, "items");
		json_begin_array(json);
	}
	for (size_t reads = 0; reads < SLICE_READS && self->next < self->count;) {
		write_row(self, self->rows[self->next++].path);
		reads += path_statistics_workers(self->statistics);
	}
	if (self->next < self->count) {
		return true;
	}
	json_end_array(json);
	json_end_object(json);
	return false;
}

static void destroy(struct source *source)
{
	struct routes_source *self = of_source(source);

	buffer_fini(&self->scratch);
	mem_free(self);
}

static const struct source_ops routes_ops = {
	.next = next_slice,
	.destroy = destroy,
};

static int by_requests(const void *left, const void *right)
{
	const struct ranked *a = left;
	const struct ranked *b = right;

	if (a->requests != b->requests) {
		return a->requests < b->requests ? 1 : -1;
	}
	return (a->path > b->path) - (a->path < b->path);
}

/* Those of which anything was seen: PATH_OTHER among them only if it was needed. */
static void rank(struct routes_source *self)
{
	for (unsigned path = 0; path < PATHS; path++) {
		struct path_counts counts;

		path_statistics_counts(self->statistics, path, &counts);
		if (counts.count > 0 || path_statistics_name(self->statistics, path) != NULL) {
			self->rows[self->count++] =
				(struct ranked){.requests = counts.count, .path = path};
		}
	}
	qsort(self->rows, self->count, sizeof(self->rows[0]), by_requests);
}

void api_routes(const struct api_call *call)
{
	struct routes_source *self;

	if (!api_parameters_parse(call, NULL, 0, NULL)) {
		return;
	}
	self = mem_zalloc(sizeof(*self));
	self->source.ops = &routes_ops;
	self->api = call->api;
	self->statistics = statistics_paths(call->api->statistics);
	json_init(&self->json, NULL); /* each slice brings its buffer */
	rank(self);
	answer_begin(call->answer, 200, ANSWER_DATA, 0);
	answer_send_source(call->answer, SLICE("application/json"), &self->source, UINT64_MAX);
}
