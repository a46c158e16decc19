/*
 * Layer: inspector (sees base). One job: how full ring and poll log are, as members of a JSON
 * object: the same in a list and in a stream of events.
 */
#ifndef SIGHTGLASS_INSPECTOR_COUNTS_JSON_H
#define SIGHTGLASS_INSPECTOR_COUNTS_JSON_H

#include "base/json.h"
#include "inspector/store.h"

/* "count", "capacity", "evicted", "bytes", "bytes_capacity", "poll_rows", "poll_capacity",
 * "paused". */
void counts_json(struct json *json, const struct capture_counts *counts);

#endif
