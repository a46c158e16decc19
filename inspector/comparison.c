/*
 * Layer: inspector. One job: see comparison.h. Figures are thousandths in whole numbers: both ways
 * of writing them show the same.
 */
#include "inspector/comparison.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"

struct ranked {
	uint64_t requests;
	unsigned path;
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

static void add(struct path_counts *sum, const struct path_counts *counts)
{
	sum->count += counts->count;
	sum->upstream_calls += counts->upstream_calls;
	sum->duration_us += counts->duration_us;
}

void comparison_rank(struct comparison_periods *periods)
{
	struct ranked ranked[PATHS];

	periods->count = 0;
	periods->before_sum = (struct path_counts){.count = 0};
	periods->after_sum = (struct path_counts){.count = 0};
	for (unsigned path = 0; path < PATHS; path++) {
		const struct path_counts *before = &periods->before.counts[path];
		const struct path_counts *after = &periods->after.counts[path];

		add(&periods->before_sum, before);
		add(&periods->after_sum, after);
		if (before->count + after->count > 0) {
			ranked[periods->count++] = (struct ranked){
				.requests = before->count + after->count, .path = path};
		}
	}
	qsort(ranked, periods->count, sizeof(ranked[0]), by_requests);
	for (size_t i = 0; i < periods->count; i++) {
		periods->paths[i] = ranked[i].path;
	}
}

/* --- figures */

struct figures { /* thousandths */
	uint64_t per_minute;
	uint64_t calls_per_minute;
	uint64_t calls_per_request;
	uint64_t mean_ms;
};

static uint64_t per_minute(uint64_t count, uint64_t length_us)
{
	uint64_t length_ms = length_us / 1000;

	return count * 60 * 1000000 / (length_ms == 0 ? 1 : length_ms);
}

static uint64_t length_us(const struct mark_period *period)
{
	/* The clock may have been set back meanwhile. */
	return period->end_wall_us > period->begin_wall_us
		       ? period->end_wall_us - period->begin_wall_us
		       : 0;
}

static struct figures figures_of(const struct path_counts *counts, const struct mark_period *period)
{
	uint64_t count = counts->count == 0 ? 1 : counts->count;

	return (struct figures){
		.per_minute = per_minute(counts->count, length_us(period)),
		.calls_per_minute = per_minute(counts->upstream_calls, length_us(period)),
		.calls_per_request = counts->upstream_calls * 1000 / count,
		.mean_ms = counts->duration_us / count,
	};
}

static struct slice shown_path(const struct comparison_writer *writer, unsigned path)
{
	buffer_clear(writer->scratch);
	(void)redact_text(writer->redactor,
		path_name_path(path_statistics_name(writer->statistics, path)), writer->scratch);
	return buffer_slice(writer->scratch);
}

/* --- JSON */

static void write_thousandths(struct json *json, const char *key, uint64_t value, bool known)
{
	json_key(json, key);
	if (known) {
		json_milliseconds(json, value);
	} else {
		json_none(json);
	}
}

static void write_counts(struct json *json, const char *key, const struct path_counts *counts,
	const struct mark_period *period)
{
	struct figures figures = figures_of(counts, period);
	bool any = counts->count > 0;

	json_key(json, key);
	json_begin_object(json);
	json_key(json, "count");
	json_u64(json, counts->count);
	write_thousandths(json, "per_minute", figures.per_minute, true);
	json_key(json, "upstream_calls");
	json_u64(json, counts->upstream_calls);
	write_thousandths(json, "upstream_calls_per_minute", figures.calls_per_minute, true);
	write_thousandths(json, "upstream_calls_per_request", figures.calls_per_request, any);
	write_thousandths(json, "mean_ms", figures.mean_ms, any);
	json_end_object(json);
}

static void write_period(struct json *json, const char *key, const struct mark_period *period,
	const struct path_counts *sum)
{
	json_key(json, key);
	json_begin_object(json);
	json_key(json, "name");
	json_cstring(json, period->name);
	json_key(json, "begin_ts");
	json_seconds(json, period->begin_wall_us);
	json_key(json, "end_ts");
	json_seconds(json, period->end_wall_us);
	write_thousandths(json, "seconds", length_us(period) / 1000, true);
	write_counts(json, "total", sum, period);
	json_end_object(json);
}

void comparison_json_periods(const struct comparison_writer *writer, struct json *json)
{
	const struct comparison_periods *periods = writer->periods;

	write_period(json, "from", &periods->before, &periods->before_sum);
	write_period(json, "to", &periods->after, &periods->after_sum);
}

void comparison_json_item(const struct comparison_writer *writer, struct json *json, unsigned path)
{
	const struct comparison_periods *periods = writer->periods;

	json_begin_object(json);
	json_key(json, "route");
	json_cstring(json, path_statistics_route(writer->statistics, path));
	json_key(json, "method");
	json_cstring(json, path_statistics_method(writer->statistics, path));
	json_key(json, "path");
	json_text(json, shown_path(writer, path));
	write_counts(json, "before", &periods->before.counts[path], &periods->before);
	write_counts(json, "after", &periods->after.counts[path], &periods->after);
	json_end_object(json);
}

/* --- Markdown */

/* A text within a code span of a table: what would end either, or begin markup, as in a URL. */
static void append_code(struct buffer *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c < ' ' || c == 0x7f || strchr("|`<>&\\", c) != NULL) {
			buffer_printf(out, "%%%02X", c);
		} else {
			buffer_append_char(out, (char)c);
		}
	}
}

static void append_tenths(struct buffer *out, uint64_t thousandths)
{
	uint64_t tenths = (thousandths + 50) / 100;

	buffer_append_u64(out, tenths / 10);
	buffer_printf(out, ".%u", (unsigned)(tenths % 10));
}

static void append_hundredths(struct buffer *out, uint64_t thousandths)
{
	uint64_t hundredths = (thousandths + 5) / 10;

	buffer_append_u64(out, hundredths / 100);
	buffer_printf(out, ".%02u", (unsigned)(hundredths % 100));
}

/* " (−67 %)": nothing where either is none, or nothing has changed. */
static void append_change(struct buffer *out, uint64_t before, uint64_t after)
{
	bool more = after >= before;
	uint64_t difference = more ? after - before : before - after;

	if (before > 0 && after > 0 && before != after) {
		buffer_append_str(out, more ? " (+" : " (\xe2\x88\x92");
		buffer_append_u64(out, (difference * 100 + before / 2) / before);
		buffer_append_str(out, " %)");
	}
}

typedef void (*append_number)(struct buffer *out, uint64_t thousandths);

/* A cell: "120.0 → 40.0 (−67 %)"; "–" stands for what is not known. */
static void append_pair(struct buffer *out, append_number append, uint64_t before,
	bool before_known, uint64_t after, bool after_known)
{
	if (before_known) {
		append(out, before);
	} else {
		buffer_append_str(out, "\xe2\x80\x93");
	}
	buffer_append_str(out, " \xe2\x86\x92 ");
	if (after_known) {
		append(out, after);
	} else {
		buffer_append_str(out, "\xe2\x80\x93");
	}
	if (before_known && after_known) {
		append_change(out, before, after);
	}
	buffer_append_str(out, " | ");
}

static void append_cells(const struct comparison_periods *periods, struct buffer *out,
	const struct path_counts *before, const struct path_counts *after)
{
	struct figures old = figures_of(before, &periods->before);
	struct figures new = figures_of(after, &periods->after);
	bool had = before->count > 0;
	bool has = after->count > 0;

	buffer_append_u64(out, before->count);
	buffer_append_str(out, " \xe2\x86\x92 ");
	buffer_append_u64(out, after->count);
	buffer_append_str(out, " | ");
	append_pair(out, append_tenths, old.per_minute, true, new.per_minute, true);
	append_pair(out, append_tenths, old.calls_per_minute, true, new.calls_per_minute, true);
	append_pair(out, append_hundredths, old.calls_per_request, had, new.calls_per_request, has);
	append_pair(out, append_hundredths, old.mean_ms, had, new.mean_ms, has);
	out->len--; /* the space behind the last '|' */
	buffer_append_char(out, '\n');
}

static void append_period(struct buffer *out, const char *what, const struct mark_period *period)
{
	char time[CLOCK_RFC3339_SIZE];

	(void)clock_format_rfc3339(period->end_wall_us, time);
	buffer_printf(out, "%s: until `", what);
	append_code(out, slice_str(period->name));
	buffer_printf(out, "` (%s), ", time);
	append_tenths(out, length_us(period) / 1000);
	buffer_append_str(out, " s.\n");
}

void comparison_markdown_begin(const struct comparison_writer *writer, struct buffer *out)
{
	append_period(out, "Before", &writer->periods->before);
	append_period(out, "After", &writer->periods->after);
	buffer_append_str(out,
		"\n| Call | Requests | Requests/min | Upstream calls/min | Upstream calls per "
		"request | Mean, ms |\n|:--|--:|--:|--:|--:|--:|\n");
}

void comparison_markdown_item(
	const struct comparison_writer *writer, struct buffer *out, unsigned path)
{
	const struct comparison_periods *periods = writer->periods;

	buffer_printf(out, "| `%s ", path_statistics_method(writer->statistics, path));
	append_code(out, shown_path(writer, path));
	buffer_append_str(out, "` | ");
	append_cells(periods, out, &periods->before.counts[path], &periods->after.counts[path]);
}

void comparison_markdown_end(const struct comparison_writer *writer, struct buffer *out)
{
	const struct comparison_periods *periods = writer->periods;

	buffer_append_str(out, "| **All** | ");
	append_cells(periods, out, &periods->before_sum, &periods->after_sum);
}
