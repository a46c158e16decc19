/*
 * Layer: inspector (sees base). One job: the last messages of a record as JSON (INTERFACE section
 * 3), redacted.
 */
#ifndef SIGHTGLASS_INSPECTOR_MESSAGES_JSON_H
#define SIGHTGLASS_INSPECTOR_MESSAGES_JSON_H

#include "inspector/messages.h"
#include "inspector/record_json.h"

/* The members "messages", an array, the oldest first, and "messages_total". */
void messages_json(
	struct json *json, const struct messages *messages, const struct record_format *format);

#endif
