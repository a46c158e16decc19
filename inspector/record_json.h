/*
 * Layer: inspector (sees base, http, proxy). One job: a record as JSON (INTERFACE section 3,
 * "Record"), redacted: a summary at once, a whole record in steps, since its bodies may be large.
 * Bodies that are coded are written decoded.
 */
#ifndef SIGHTGLASS_INSPECTOR_RECORD_JSON_H
#define SIGHTGLASS_INSPECTOR_RECORD_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/json.h"
#include "inspector/body_windows.h"
#include "inspector/poll_log.h"
#include "inspector/record.h"
#include "inspector/redact.h"

/* What all forms need; all of it outlives the writing. */
struct record_format {
	const struct redactor *redactor;
	struct buffer *scratch; /* used within each call */
	uint64_t now_us;        /* monotonic: the end, so far, of what still runs */
	uint64_t body_limit;    /* bytes of a body that are shown */
};

/* How long it took; of one that runs: so far. */
uint64_t record_duration_us(const struct record_view *view, uint64_t now_us);

/* One object: all but headers, trailers and bodies. Of a body that is RECORD_UNSEEN in `view` it
 * says null where it would say what was redacted: shown_look_next() finds out. */
void record_json_summary(
	struct json *json, const struct record_view *view, const struct record_format *format);
/* Its members alone, for whoever has more to say. */
void record_json_members(
	struct json *json, const struct record_view *view, const struct record_format *format);
/* One object, smaller: {"poll": true, …}. */
void record_json_row(
	struct json *json, const struct poll_row *row, const struct record_format *format);

enum record_json_phase {
	RECORD_JSON_REQUEST_HEAD,
	RECORD_JSON_REQUEST_CHECK, /* of the body: is it text? */
	RECORD_JSON_REQUEST_BODY,
	RECORD_JSON_RESPONSE_HEAD,
	RECORD_JSON_RESPONSE_CHECK,
	RECORD_JSON_RESPONSE_BODY,
	RECORD_JSON_MESSAGES,
	RECORD_JSON_DONE,
};

/* A whole record on its way. */
struct record_json {
	struct record_view *view;
	enum record_json_phase phase;
	struct body_windows body; /* the one that is being checked, or written */
	bool begun;               /* its string is */
};

/* `view` lives until the end, and is told of its bodies what is found out. */
void record_json_begin(struct record_json *whole, struct record_view *view);
/* Also in the middle. */
void record_json_fini(struct record_json *whole);
/*
 * Writes the next part, of about 100 KiB at most (a body's bytes may grow sixfold by escapes), and
 * adds what that cost to `*spent`, in bytes that could be written in that time. False once the
 * object is complete.
 */
bool record_json_step(struct record_json *whole, struct json *json,
	const struct record_format *format, size_t *spent);

#endif
