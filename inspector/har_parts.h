/*
 * Layer: inspector (sees base, http, proxy). One job: the parts of a HAR entry that are written at
 * once: everything but its bodies. For har.c and har_entry.c.
 */
#ifndef SIGHTGLASS_INSPECTOR_HAR_PARTS_H
#define SIGHTGLASS_INSPECTOR_HAR_PARTS_H

#include <stdint.h>

#include "base/json.h"
#include "inspector/record.h"
#include "inspector/record_json.h"

/* What stands where something is not known, and has to be a host, a version or a type. */
#define HAR_UNKNOWN_HOST "unknown.invalid"
#define HAR_UNKNOWN_VERSION "unknown"
#define HAR_UNKNOWN_TYPE "x-unknown"

/* Each of these writes members of the object that is open, in their order. */

void har_u64(struct json *json, const char *key, uint64_t value);
void har_cstring(struct json *json, const char *key, const char *value);
void har_text(struct json *json, const char *key, struct slice value);
/* `comment`, of at most 127 bytes. */
void har_comment(struct json *json, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What HAR has no place for. An empty text is left out. */
void har_own_facts(struct json *json, uint64_t seq, struct slice request_id, struct slice trace_id,
	enum exchange_state state);
/* `httpVersion` of a message. */
void har_version(struct json *json, const struct record_head *head, uint8_t minor);
/* `startedDateTime`. */
void har_started(struct json *json, uint64_t wall_us);
/* `url`, absolute. `host`, `target` (path and query) are as they may be shown. */
void har_url(struct json *json, const char *scheme, struct slice host, struct slice target);
/* `url` and `queryString`. */
void har_target(
	struct json *json, const struct record_view *view, const struct record_format *format);
/* `cookies` (of fields of that kind), `headers` and `headersSize`. */
void har_head(struct json *json, const struct record_head *head, enum field_id cookies,
	const struct record_format *format);
/* A member with the value of a field as it may be shown, or with `otherwise`. */
void har_field(struct json *json, const char *key, const struct record_head *head, enum field_id id,
	struct slice otherwise, const struct record_format *format);

/* Microseconds; -1: does not apply. The sum, without `ssl`, which is a part of `connect`, is the
 * entry's time. */
struct har_timings {
	int64_t blocked;
	int64_t connect;
	int64_t ssl;
	int64_t send; /* these three are never -1 */
	int64_t wait;
	int64_t receive;
};

/* `now_us`: the end, so far, of what still runs. */
struct har_timings har_timings_of(const struct exchange_clock *clock, uint64_t now_us);
/* `time`, `timings` and `cache`. */
void har_timings(struct json *json, const struct har_timings *timings);

#endif
