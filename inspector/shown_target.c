/*
 * Layer: inspector (sees base, http, proxy). One job: the target of a request; see shown_target.h.
 */
#include "inspector/shown_target.h"

bool shown_target(
	struct buffer *out, const struct record_view *view, const struct redactor *redactor)
{
	bool hidden = redact_text(redactor, view->path, out);

	if (view->has_query || view->query.len > 0) {
		buffer_append_char(out, '?');
		hidden |= redact_query(redactor, view->query, out);
	}
	return hidden;
}
