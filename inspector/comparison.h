/*
 * Layer: inspector. One job: two periods side by side, by kind of call, and the ways to write them.
 */
#ifndef SIGHTGLASS_INSPECTOR_COMPARISON_H
#define SIGHTGLASS_INSPECTOR_COMPARISON_H

#include <stddef.h>

#include "base/json.h"
#include "inspector/marks.h"
#include "inspector/redact.h"

struct comparison_periods {
	struct mark_period before;
	struct mark_period after;
	struct path_counts before_sum;
	struct path_counts after_sum;
	size_t count;
	unsigned paths[PATHS]; /* of which there was any; those with the most requests first */
};

/* Fills all but the periods, which are there. */
void comparison_rank(struct comparison_periods *periods);

struct comparison_writer {
	const struct comparison_periods *periods;
	const struct path_statistics *statistics;
	const struct redactor *redactor;
	struct buffer *scratch;
};

/* The members "from" and "to" of an object; and an item of a list. */
void comparison_json_periods(const struct comparison_writer *writer, struct json *json);
void comparison_json_item(const struct comparison_writer *writer, struct json *json, unsigned path);

/* The table's head, a row, and the row of the sums. */
void comparison_markdown_begin(const struct comparison_writer *writer, struct buffer *out);
void comparison_markdown_item(
	const struct comparison_writer *writer, struct buffer *out, unsigned path);
void comparison_markdown_end(const struct comparison_writer *writer, struct buffer *out);

#endif
