/*
 * Layer: inspector. One job: see api_summary.h. The figures are added up in slices (recent.h), then
 * written.
 */
#include "inspector/api_summary.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "http/path.h"
#include "inspector/api_parameters.h"
#include "inspector/path_fold.h"
#include "inspector/recent.h"

enum {
	BUCKETS_DEFAULT = 30,
	SLICE_PATHS = 32, /* some microseconds each */
};

enum parameter { /* in the order of `names` */
	PARAMETER_PATH_PREFIX,
	PARAMETER_RPM_BUCKETS,
	PARAMETER_WINDOW_SECONDS,
	PARAMETERS,
};

static const char *const names[PARAMETERS] = {
	[PARAMETER_PATH_PREFIX] = "path_prefix",
	[PARAMETER_RPM_BUCKETS] = "rpm_buckets",
	[PARAMETER_WINDOW_SECONDS] = "window_seconds",
};

struct summary_source {
	struct source source;
	const struct api *api;
	const struct path_statistics *statistics;
	struct recent_query query;
	struct recent_sum *sum;
	struct json json;
	struct buffer scratch;
	bool added_up;
	bool begun;
	size_t next; /* path */
};

/* --- writing */

static void write_number(struct json *json, const char *key, uint64_t value)
{
	json_key(json, key);
	json_u64(json, value);
}

/* null where there is nothing that took any time. */
static void write_quantile(struct json *json, const char *key,
	const struct distribution_sum *durations, unsigned per_mille)
{
	json_key(json, key);
	if (durations->total == 0) {
		json_none(json);
	} else {
		json_milliseconds(json, distribution_quantile(durations, per_mille));
	}
}

/* With six decimals; 0 of nothing. */
static void write_ratio(struct json *json, const char *key, uint64_t part, uint64_t whole)
{
	json_key(json, key);
	json_seconds(json, whole == 0 ? 0 : part * 1000000 / whole);
}

static void write_parts(struct json *json, const struct recent_totals *totals)
{
	json_key(json, "rpm");
	json_begin_array(json);
	for (unsigned i = 0; i < totals->part_count; i++) {
		json_milliseconds(json, totals->parts[i] * 60 * 1000 / totals->parts_s[i]);
	}
	json_end_array(json);
}

/* Of the window, what this process has lived through and not lost. */
static uint64_t covered_s(const struct summary_source *self, const struct recent_totals *totals)
{
	uint64_t alive_s = (clock_wall_us() - self->api->started_wall_us) / 1000000 + 1;

	return alive_s < totals->covered_s ? alive_s : totals->covered_s;
}

static void write_begin(struct summary_source *self)
{
	const struct recent_totals *totals = recent_totals(self->sum);
	struct json *json = &self->json;

	json_begin_object(json);
	json_key(json, "ts");
	json_seconds(json, clock_wall_us());
	write_number(json, "window_seconds", self->query.window_s);
	write_number(json, "covered_seconds", covered_s(self, totals));
	write_number(json, "total", totals->count);
	write_number(json, "errors", totals->failed);
	write_ratio(json, "error_rate", totals->failed, totals->count);
	write_quantile(json, "p50_ms", &totals->durations, 500);
	write_quantile(json, "p95_ms", &totals->durations, 950);
	write_quantile(json, "p99_ms", &totals->durations, 990);
	write_parts(json, totals);
	write_number(json, "paths", totals->path_count);
	json_key(json, "by_path");
	json_begin_array(json);
}

static void write_path(struct summary_source *self, const struct recent_path *path)
{
	const struct path_name *name = path_statistics_name(self->statistics, path->path);
	struct json *json = &self->json;

	buffer_clear(&self->scratch);
	(void)redact_text(self->api->redactor, path_name_path(name), &self->scratch);
	json_begin_object(json);
	json_key(json, "path");
	json_text(json, buffer_slice(&self->scratch));
	write_number(json, "count", path->count);
	write_number(json, "errors", path->failed);
	write_quantile(json, "p50_ms", &path->durations, 500);
	write_quantile(json, "p95_ms", &path->durations, 950);
	write_quantile(json, "p99_ms", &path->durations, 990);
	json_end_object(json);
}

static struct summary_source *of_source(struct source *source)
{
	return container_of(source, struct summary_source, source);
}

static bool next_slice(struct source *source, struct buffer *out, struct slice *part)
{
	struct summary_source *self = of_source(source);
	const struct recent_path *paths;
	size_t count;

	(void)part;
	if (!self->added_up) {
		self->added_up = !recent_go_on(self->sum);
		return true;
	}
	self->json.out = out;
	if (!self->begun) {
		self->begun = true;
		write_begin(self);
	}
	paths = recent_paths(self->sum, &count);
	for (size_t i = 0; i < SLICE_PATHS && self->next < count; i++) {
		write_path(self, &paths[self->next++]);
	}
	if (self->next < count) {
		return true;
	}
	json_end_array(&self->json);
	json_end_object(&self->json);
	return false;
}

static void destroy(struct source *source)
{
	struct summary_source *self = of_source(source);

	recent_end(self->sum);
	buffer_fini(&self->scratch);
	mem_free(self);
}

static const struct source_ops summary_ops = {
	.next = next_slice,
	.destroy = destroy,
};

/* --- asking */

/* As a route's prefix, and folded: /api/jobs/17 covers what is counted as /api/jobs/{id}. */
static bool read_prefix(const struct api_call *call, struct slice value, struct recent_query *query)
{
	struct arena *arena = &call->exchange->arena;
	struct prefix prefix;
	struct err err = ERR_INIT;
	char *normal;
	char *folded;

	if (value.ptr == NULL) {
		return true;
	}
	normal = arena_alloc(arena, value.len + 1);
	folded = arena_alloc(arena, PATH_FOLD_MAX);
	if (normal == NULL || folded == NULL) {
		answer_problem(call->answer, 503, "the request leaves no room for its answer");
		return false;
	}
	if (!prefix_parse(value, normal, &prefix, &err)) {
		answer_problem(call->answer, 400, "the parameter \"path_prefix\": %s", err.text);
		return false;
	}
	query->prefix = slice_of(folded, path_fold(prefix.path, folded));
	query->prefix_is_open = prefix.open;
	return true;
}

static bool read_query(const struct api_call *call, struct recent_query *query)
{
	struct slice values[PARAMETERS];
	uint64_t steps;
	uint64_t parts;

	*query = (struct recent_query){.window_s = HISTORY_WINDOW_S};
	if (!api_parameters_parse(call, names, PARAMETERS, values) ||
		!api_parameter_number(call, names[PARAMETER_WINDOW_SECONDS],
			values[PARAMETER_WINDOW_SECONDS], HISTORY_STEP_S, HISTORY_WINDOW_MAX_S,
			&query->window_s)) {
		return false;
	}
	steps = (query->window_s + HISTORY_STEP_S - 1) / HISTORY_STEP_S;
	query->window_s = steps * HISTORY_STEP_S;
	parts = steps < BUCKETS_DEFAULT ? steps : BUCKETS_DEFAULT;
	if (!api_parameter_number(call, names[PARAMETER_RPM_BUCKETS], values[PARAMETER_RPM_BUCKETS],
		    1, steps, &parts)) {
		return false;
	}
	query->parts = (unsigned)parts;
	return read_prefix(call, values[PARAMETER_PATH_PREFIX], query);
}

void api_summary(const struct api_call *call)
{
	struct summary_source *self;
	struct recent_query query;

	if (!read_query(call, &query)) {
		return;
	}
	query.now_us = clock_now_us();
	self = mem_zalloc(sizeof(*self));
	self->source.ops = &summary_ops;
	self->api = call->api;
	self->statistics = statistics_paths(call->api->statistics);
	self->query = query;
	self->sum = recent_begin(self->statistics, &query);
	json_init(&self->json, NULL); /* each slice brings its buffer */
	answer_begin(call->answer, 200, ANSWER_DATA, 0);
	answer_send_source(call->answer, SLICE("application/json"), &self->source, UINT64_MAX);
}
