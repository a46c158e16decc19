/*
 * Layer: inspector. One job: see metrics_text.h.
 */
#include "inspector/metrics_text.h"

#include <inttypes.h>
#include <stdbool.h>

/* A backslash and a line feed have escapes everywhere, a quotation mark within label values. */
static void append_escaped(struct buffer *out, const char *text, bool in_label)
{
	for (; *text != '\0'; text++) {
		if (*text == '\n') {
			buffer_append_str(out, "\\n");
			continue;
		}
		if (*text == '\\' || (*text == '"' && in_label)) {
			buffer_append_char(out, '\\');
		}
		buffer_append_char(out, *text);
	}
}

/* Without zeros at its end: "0.0025", "1". */
static void append_seconds(struct buffer *out, uint64_t us)
{
	uint64_t fraction = us % 1000000;
	int digits = 6;

	buffer_append_u64(out, us / 1000000);
	if (fraction == 0) {
		return;
	}
	for (; fraction % 10 == 0; fraction /= 10) {
		digits--;
	}
	buffer_printf(out, ".%0*" PRIu64, digits, fraction);
}

static void append_label(struct buffer *out, const char *name, const char *value, bool first)
{
	buffer_append_char(out, first ? '{' : ',');
	buffer_append_str(out, name);
	buffer_append_str(out, "=\"");
	append_escaped(out, value, true);
	buffer_append_char(out, '"');
}

/* Up to the value; `bound_us` stands in "le" where it is not NULL. */
static void begin(struct buffer *out, const char *name, const char *suffix,
	struct metric_labels labels, const uint64_t *bound_us)
{
	buffer_append_str(out, name);
	buffer_append_str(out, suffix);
	for (size_t i = 0; i < labels.count; i++) {
		append_label(out, labels.items[i].name, labels.items[i].value, i == 0);
	}
	if (bound_us != NULL) {
		append_label(out, "le", "", labels.count == 0);
		out->len--; /* the value comes now */
		if (*bound_us == UINT64_MAX) {
			buffer_append_str(out, "+Inf");
		} else {
			append_seconds(out, *bound_us);
		}
		buffer_append_char(out, '"');
	}
	buffer_append_str(out, labels.count > 0 || bound_us != NULL ? "} " : " ");
}

void metrics_family(struct buffer *out, const char *name, const char *type, const char *help)
{
	buffer_printf(out, "# HELP %s ", name);
	append_escaped(out, help, false);
	buffer_printf(out, "\n# TYPE %s %s\n", name, type);
}

void metrics_sample(
	struct buffer *out, const char *name, struct metric_labels labels, uint64_t value)
{
	begin(out, name, "", labels, NULL);
	buffer_append_u64(out, value);
	buffer_append_char(out, '\n');
}

void metrics_sample_us(
	struct buffer *out, const char *name, struct metric_labels labels, uint64_t us)
{
	begin(out, name, "", labels, NULL);
	append_seconds(out, us);
	buffer_append_char(out, '\n');
}

void metrics_histogram(struct buffer *out, const char *name, struct metric_labels labels,
	const uint64_t *bounds_us, const uint64_t *counts, size_t buckets, uint64_t sum_us)
{
	const uint64_t unbounded = UINT64_MAX;
	uint64_t sum = 0;

	for (size_t i = 0; i < buckets; i++) {
		sum += counts[i]; /* a bucket of the format holds all below its bound */
		begin(out, name, "_bucket", labels, i < buckets - 1 ? &bounds_us[i] : &unbounded);
		buffer_append_u64(out, sum);
		buffer_append_char(out, '\n');
	}
	begin(out, name, "_sum", labels, NULL);
	append_seconds(out, sum_us);
	buffer_append_char(out, '\n');
	begin(out, name, "_count", labels, NULL);
	buffer_append_u64(out, sum);
	buffer_append_char(out, '\n');
}
