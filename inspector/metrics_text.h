/*
 * Layer: inspector (sees base). One job: write Prometheus' text format, version 0.0.4: families,
 * samples, histograms, and the escapes that it asks for.
 */
#ifndef SIGHTGLASS_INSPECTOR_METRICS_TEXT_H
#define SIGHTGLASS_INSPECTOR_METRICS_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metric_label {
	const char *name;
	const char *value; /* any text */
};

/* What is said of a sample beside its value. */
struct metric_labels {
	const struct metric_label *items;
	size_t count;
};

/* The HELP and TYPE lines; `type` is "counter", "gauge" or "histogram". */
void metrics_family(struct buffer *out, const char *name, const char *type, const char *help);
void metrics_sample(
	struct buffer *out, const char *name, struct metric_labels labels, uint64_t value);
/* Microseconds, as seconds. */
void metrics_sample_us(
	struct buffer *out, const char *name, struct metric_labels labels, uint64_t us);
/*
 * All samples of one histogram: `counts` of each of its `buckets` buckets by itself, of which the
 * last has no bound; the others go up to `bounds_us`.
 */
void metrics_histogram(struct buffer *out, const char *name, struct metric_labels labels,
	const uint64_t *bounds_us, const uint64_t *counts, size_t buckets, uint64_t sum_us);

#endif
