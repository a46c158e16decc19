/*
 * Layer: inspector (sees base, http, proxy). One job: exchanges as an HTTP Archive (HAR 1.2, as
 * http://www.softwareishard.com/blog/har-12-spec/ has it), redacted, for the network tabs of
 * browsers and for whatever else reads such files: its frame, and the entries of the poll log.
 * Those of records are har_entry.h's.
 *
 * Where the format leaves a choice:
 *   - a form has both `text` and `params`, as browsers write it and read it back, although they are
 *     said to exclude each other;
 *   - parameters are written as they came, percent-encoded, as browsers do: so decoding brings
 *     nothing to light that was not looked at;
 *   - of cookies not even names are told, which stand in values that are hidden: each field is one;
 *   - an IP address of the server, which only the upstream's connection knows, is left out;
 *   - what is beyond the format begins with '_'.
 */
#ifndef SIGHTGLASS_INSPECTOR_HAR_H
#define SIGHTGLASS_INSPECTOR_HAR_H

#include <stdint.h>

#include "base/json.h"
#include "inspector/poll_log.h"
#include "inspector/record_json.h"

/* The archive up to its first entry, and from its last one on. */
void har_begin(struct json *json);
/* `next`: where the selection goes on, for "before"; 0: this was all of it. */
void har_end(struct json *json, uint64_t next);

/* An entry at once: of one that left a row in the poll log there are no headers and no bodies. */
void har_row(struct json *json, const struct poll_row *row, const struct record_format *format);

#endif
