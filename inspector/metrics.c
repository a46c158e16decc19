/*
 * Layer: inspector. One job: see metrics.h.
 *
 * Each family is a row of a table: its name, what it means, how many items it has (an upstream, a
 * series), and the function that writes an item's samples. What has to fit together is read once,
 * when the answer begins; the text is made in slices.
 */
#include "inspector/metrics.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "inspector/metrics_text.h"
#include "inspector/process_facts.h"
#include "pool/pool.h"
#include "proxy/server.h"
#include "proxy/worker.h"

enum {
	SLICE_BYTES = 24 * 1024, /* some 0.1 ms, for which the traffic of this worker waits */
};

struct upstream_metrics {
	const char *name;
	struct upstream_counts counts;
	struct histogram_sum durations;
};

/* One answer on its way. */
struct scrape {
	struct source source;
	size_t family; /* of the table: the next */
	size_t item;   /* of it */
	uint64_t active;
	uint64_t client_connections;
	uint64_t started_wall_us;
	struct process_facts process;
	bool captures;
	struct capture_counts capture;
	struct statistics_series *series;
	size_t series_count;
	size_t upstream_count;
	struct upstream_metrics upstreams[];
};

struct family {
	const char *name;
	const char *type;
	const char *help;
	size_t (*count)(
		const struct scrape *scrape, const struct family *family); /* of items; 0:
									      it is left out */
	void (*write)(const struct scrape *scrape, const struct family *family, size_t item,
		struct buffer *out);
	size_t offset; /* of a single number: where it lies in its struct */
};

#define OF_SCRAPE(member) offsetof(struct scrape, member)
#define OF_UPSTREAM(member) offsetof(struct upstream_metrics, member)

static const struct metric_labels no_labels = {.items = NULL, .count = 0};

/* --- how many there are, and single numbers */

static size_t one(const struct scrape *scrape, const struct family *family)
{
	(void)scrape;
	(void)family;
	return 1;
}

static size_t one_if_captured(const struct scrape *scrape, const struct family *family)
{
	(void)family;
	return scrape->captures ? 1 : 0;
}

static size_t each_upstream(const struct scrape *scrape, const struct family *family)
{
	(void)family;
	return scrape->upstream_count;
}

static size_t each_series(const struct scrape *scrape, const struct family *family)
{
	(void)family;
	return scrape->series_count;
}

static uint64_t number_at(const void *base, const struct family *family)
{
	uint64_t number;

	memcpy(&number, (const char *)base + family->offset, sizeof(number));
	return number;
}

static size_t one_if_known(const struct scrape *scrape, const struct family *family)
{
	return number_at(scrape, family) != PROCESS_FACT_ABSENT ? 1 : 0;
}

static void write_number(
	const struct scrape *scrape, const struct family *family, size_t item, struct buffer *out)
{
	(void)item;
	metrics_sample(out, family->name, no_labels, number_at(scrape, family));
}

static void write_us(
	const struct scrape *scrape, const struct family *family, size_t item, struct buffer *out)
{
	(void)item;
	metrics_sample_us(out, family->name, no_labels, number_at(scrape, family));
}

static void write_upstream_number(
	const struct scrape *scrape, const struct family *family, size_t item, struct buffer *out)
{
	const struct upstream_metrics *upstream = &scrape->upstreams[item];
	const struct metric_label label = {"upstream", upstream->name};

	metrics_sample(
		out, family->name, (struct metric_labels){&label, 1}, number_at(upstream, family));
}

/* --- requests */

static void write_series(
	const struct scrape *scrape, const struct family *family, size_t item, struct buffer *out)
{
	const struct statistics_series *series = &scrape->series[item];
	char status[12];
	const struct metric_label labels[] = {
		{"http_route", series->route},
		{"http_request_method", series->method},
		{"http_response_status_code", status},
	};

	(void)snprintf(status, sizeof(status), "%u", series->status);
	metrics_histogram(out, family->name, (struct metric_labels){labels, 3}, histogram_bounds_us,
		series->durations.counts, HISTOGRAM_BUCKETS, series->durations.sum_us);
}

/* --- upstreams */

/* One sample of an upstream for each value of a second label. */
static void write_upstream_by(const struct upstream_metrics *upstream, const char *name,
	struct metric_label by, uint64_t value, struct buffer *out)
{
	const struct metric_label labels[] = {{"upstream", upstream->name}, by};

	metrics_sample(out, name, (struct metric_labels){labels, 2}, value);
}

static void write_upstream_durations(
	const struct scrape *scrape, const struct family *family, size_t item, struct buffer *out)
{
	const struct upstream_metrics *upstream = &scrape->upstreams[item];
	const struct metric_label label = {"upstream", upstream->name};

	metrics_histogram(out, family->name, (struct metric_labels){&label, 1}, histogram_bounds_us,
		upstream->durations.counts, HISTOGRAM_BUCKETS, upstream->durations.sum_us);
}

static void write_open(
	const struct scrape *scrape, const struct family *family, size_t item, struct buffer *out)
{
	const struct upstream_metrics *upstream = &scrape->upstreams[item];

	write_upstream_by(upstream, family->name, (struct metric_label){"state", "active"},
		upstream->counts.lent, out);
	write_upstream_by(upstream, family->name, (struct metric_label){"state", "idle"},
		upstream->counts.idle, out);
}

static void write_failures(
	const struct scrape *scrape, const struct family *family, size_t item, struct buffer *out)
{
	const struct upstream_metrics *upstream = &scrape->upstreams[item];

	for (int why = FAILURE_NONE + 1; why < FAILURES; why++) {
		write_upstream_by(upstream, family->name,
			(struct metric_label){"reason", failure_name((enum failure)why)},
			upstream->counts.failures[why], out);
	}
}

static void write_queue(
	const struct scrape *scrape, const struct family *family, size_t item, struct buffer *out)
{
	const struct upstream_metrics *upstream = &scrape->upstreams[item];
	const struct metric_label label = {"upstream", upstream->name};

	metrics_histogram(out, family->name, (struct metric_labels){&label, 1},
		upstream_queue_bounds, upstream->counts.queued, UPSTREAM_QUEUE_BUCKETS,
		upstream->counts.queued_us);
}

/* --- capture */

static void write_records(
	const struct scrape *scrape, const struct family *family, size_t item, struct buffer *out)
{
	(void)item;
	for (int i = 0; i < CLASSES; i++) {
		const struct metric_label label = {
			"class", capture_class_name((enum capture_class)i)};

		metrics_sample(out, family->name, (struct metric_labels){&label, 1},
			scrape->capture.records[i]);
	}
}

/* --- the process */

static void write_build(
	const struct scrape *scrape, const struct family *family, size_t item, struct buffer *out)
{
	const struct metric_label label = {"version", SIGHTGLASS_VERSION};

	(void)scrape;
	(void)item;
	metrics_sample(out, family->name, (struct metric_labels){&label, 1}, 1);
}

/* --- all of them, in their order */

static const struct family families[] = {
	{"http_server_request_duration_seconds", "histogram",
		"How long requests took, from their first byte to the end of their answer; status "
		"0 is that of those without an answer.",
		each_series, write_series, 0},
	{"http_server_active_requests", "gauge", "Requests that run.", one, write_number,
		OF_SCRAPE(active)},
	{"http_client_request_duration_seconds", "histogram",
		"How long exchanges had their connection to the upstream, until their end.",
		each_upstream, write_upstream_durations, 0},
	{"http_client_open_connections", "gauge",
		"Open connections to the upstream, by whether an exchange has them.", each_upstream,
		write_open, 0},
	{"sightglass_client_connections", "gauge", "Open connections of clients.", one,
		write_number, OF_SCRAPE(client_connections)},
	{"sightglass_upstream_connects_total", "counter",
		"Connections to the upstream that were opened.", each_upstream,
		write_upstream_number, OF_UPSTREAM(counts.opened)},
	{"sightglass_upstream_reuses_total", "counter",
		"Times that an open connection to the upstream was used once more.", each_upstream,
		write_upstream_number, OF_UPSTREAM(counts.reused)},
	{"sightglass_upstream_retries_total", "counter",
		"Exchanges that were sent a second time, on a fresh connection.", each_upstream,
		write_upstream_number, OF_UPSTREAM(counts.retried)},
	{"sightglass_upstream_failures_total", "counter",
		"Connections and exchanges that failed, by reason.", each_upstream, write_failures,
		0},
	{"sightglass_upstream_queue_seconds", "histogram",
		"How long those waited for a connection that found none free and no room for one "
		"more.",
		each_upstream, write_queue, 0},
	{"sightglass_capture_records", "gauge",
		"Records that are kept, by class; running ones too.", one_if_captured,
		write_records, 0},
	{"sightglass_capture_bytes", "gauge", "Bytes of memory that records hold.", one_if_captured,
		write_number, OF_SCRAPE(capture.bytes)},
	{"sightglass_capture_evicted_total", "counter", "Records that gave way to newer ones.",
		one_if_captured, write_number, OF_SCRAPE(capture.evicted)},
	{"sightglass_capture_truncated_total", "counter",
		"Records that lack a part of a body or of the answer's head.", one_if_captured,
		write_number, OF_SCRAPE(capture.truncated)},
	{"sightglass_capture_dropped_total", "counter",
		"Exchanges of which no record could be kept.", one_if_captured, write_number,
		OF_SCRAPE(capture.dropped)},
	{"sightglass_build_info", "gauge", "1, with the version.", one, write_build, 0},
	{"process_cpu_seconds_total", "counter", "CPU time, in the kernel too.", one_if_known,
		write_us, OF_SCRAPE(process.cpu_us)},
	{"process_resident_memory_bytes", "gauge", "Resident memory.", one_if_known, write_number,
		OF_SCRAPE(process.resident_bytes)},
	{"process_virtual_memory_bytes", "gauge", "Virtual memory.", one_if_known, write_number,
		OF_SCRAPE(process.virtual_bytes)},
	{"process_open_fds", "gauge", "Open file descriptors.", one_if_known, write_number,
		OF_SCRAPE(process.open_descriptors)},
	{"process_max_fds", "gauge", "The most of them that may be open.", one_if_known,
		write_number, OF_SCRAPE(process.max_descriptors)},
	{"process_start_time_seconds", "gauge", "When the process began, since the epoch.", one,
		write_us, OF_SCRAPE(started_wall_us)},
};

/* --- the answer */

static struct scrape *of_source(struct source *source)
{
	return container_of(source, struct scrape, source);
}

static bool next_slice(struct source *source, struct buffer *out, struct slice *part)
{
	struct scrape *self = of_source(source);
	const size_t family_count = sizeof(families) / sizeof(families[0]);

	(void)part;
	while (self->family < family_count && out->len < SLICE_BYTES) {
		const struct family *family = &families[self->family];

		if (self->item >= family->count(self, family)) {
			self->family++;
			self->item = 0;
			continue;
		}
		if (self->item == 0) {
			metrics_family(out, family->name, family->type, family->help);
		}
		family->write(self, family, self->item, out);
		self->item++;
	}
	return self->family < family_count;
}

static void destroy(struct source *source)
{
	struct scrape *self = of_source(source);

	mem_free(self->series);
	mem_free(self);
}

static const struct source_ops scrape_ops = {
	.next = next_slice,
	.destroy = destroy,
};

static void read_upstreams(struct scrape *self, const struct api_call *call)
{
	const struct worker *worker = call->exchange->worker;

	for (uint32_t i = 0; i < self->upstream_count; i++) {
		const struct upstream *upstream = pool_upstream(worker->pools[i]);

		self->upstreams[i].name = upstream_name(upstream);
		upstream_counts(upstream, &self->upstreams[i].counts);
		statistics_read_upstream(call->api->statistics, i, &self->upstreams[i].durations);
	}
}

void metrics_answer(const struct api_call *call)
{
	const struct worker *worker = call->exchange->worker;
	size_t upstream_count = worker->settings->upstream_count;
	struct scrape *self =
		mem_zalloc(sizeof(*self) + upstream_count * sizeof(self->upstreams[0]));

	self->source.ops = &scrape_ops;
	self->active = statistics_active(call->api->statistics);
	self->client_connections = server_connections(worker->server);
	self->started_wall_us = call->api->started_wall_us;
	process_facts_read(&self->process);
	self->captures = call->api->store != NULL;
	if (self->captures) {
		capture_store_counts(call->api->store, &self->capture);
	}
	self->series = statistics_read(call->api->statistics, &self->series_count);
	self->upstream_count = upstream_count;
	read_upstreams(self, call);
	answer_begin(call->answer, 200, ANSWER_DATA, 0);
	answer_send_source(call->answer, SLICE(METRICS_CONTENT_TYPE), &self->source, UINT64_MAX);
}
