/*
 * Layer: inspector. One job: what record_json.c and record_json_whole.c share: the parts of a
 * record that are written at once.
 */
#ifndef SIGHTGLASS_INSPECTOR_RECORD_JSON_PARTS_H
#define SIGHTGLASS_INSPECTOR_RECORD_JSON_PARTS_H

#include "inspector/record_json.h"

struct record_json_side { /* of a record: what the two messages have alike */
	const char *version;
	const char *headers;
	const char *trailers;
	const char *body;
	const char *encoding;
	const char *truncated;
	const char *redacted;
	const char *size;
	const char *hash;
	const char *decoded;
	const char *note;
};

extern const struct record_json_side record_json_request;
extern const struct record_json_side record_json_response;

/* What is known of the exchange itself. */
void record_json_facts(
	struct json *json, const struct record_view *view, const struct record_format *format);
/* Of one message: version, fields, trailers. */
void record_json_head(struct json *json, const struct record_json_side *side,
	const struct record_head *head, uint8_t version_minor, const struct record_head *trailers,
	const struct record_body *body, const struct record_format *format);
/* Of its body: what was cut or redacted, size and hash. */
void record_json_body_facts(struct json *json, const struct record_json_side *side,
	const struct record_body *body, bool truncated);

#endif
