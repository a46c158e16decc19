/*
 * Layer: inspector (sees base, http, proxy). One job: what was asked for, as it may be shown: path
 * and query in one.
 */
#ifndef SIGHTGLASS_INSPECTOR_SHOWN_TARGET_H
#define SIGHTGLASS_INSPECTOR_SHOWN_TARGET_H

#include <stdbool.h>

#include "base/buffer.h"
#include "inspector/record.h"
#include "inspector/redact.h"

/*
 * Appends "/path?query", redacted, or what came in its place where the target was refused. True
 * where something of it was hidden.
 */
bool shown_target(
	struct buffer *out, const struct record_view *view, const struct redactor *redactor);

#endif
