/*
 * Layer: inspector. One job: see selection.h.
 */
#include "inspector/selection.h"

#include "inspector/search.h"

/* A path as it may be shown, in the scratch buffer. */
static struct slice shown_path(const struct record_format *format, struct slice path)
{
	buffer_clear(format->scratch);
	(void)redact_text(format->redactor, path, format->scratch);
	return buffer_slice(format->scratch);
}

bool selection_has_record(const struct query *query, const struct record_view *view,
	const struct record_format *format)
{
	const struct query_facts facts = {
		.method = view->method_name,
		.path = query->path.len > 0 ? shown_path(format, view->path) : SLICE(""),
		.route = view->route,
		.status = view->status,
		.state = view->state,
		.duration_us = record_duration_us(view, format->now_us),
	};

	return query_matches(query, &facts);
}

bool selection_has_row(
	const struct query *query, const struct poll_row *row, const struct record_format *format)
{
	const struct query_facts facts = {
		.method = poll_row_method(row),
		.path = shown_path(format, poll_row_path(row)),
		.route = poll_row_route(row),
		.status = row->status,
		.state = (enum exchange_state)row->state,
		.duration_us = row->duration_us,
	};

	return query_matches(query, &facts) &&
	       (query->text.len == 0 || search_row(query->text, row, facts.path));
}
