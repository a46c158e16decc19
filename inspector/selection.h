/*
 * Layer: inspector (sees base, http, proxy). One job: ask an exchange whether it passes the filters
 * of a query, as it may be shown: so nobody finds out by a filter what is hidden.
 */
#ifndef SIGHTGLASS_INSPECTOR_SELECTION_H
#define SIGHTGLASS_INSPECTOR_SELECTION_H

#include <stdbool.h>

#include "inspector/poll_log.h"
#include "inspector/query.h"
#include "inspector/record.h"
#include "inspector/record_json.h"

/* All filters but the query's text, for which inspector/search.h looks. */
bool selection_has_record(const struct query *query, const struct record_view *view,
	const struct record_format *format);
/* All filters, its text too. */
bool selection_has_row(
	const struct query *query, const struct poll_row *row, const struct record_format *format);

#endif
