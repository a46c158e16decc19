/*
 * Layer: proxy. One job: find the route of a request: the longest prefix wins; within one prefix,
 * the route that names the method wins. Immutable after it was made: any thread.
 */
#ifndef SIGHTGLASS_PROXY_ROUTE_H
#define SIGHTGLASS_PROXY_ROUTE_H

#include "base/slice.h"
#include "http/head.h"
#include "proxy/settings.h"

struct route {
	const char *text; /* the prefix as it was written; "/" for the one that covers the rest */
	uint32_t upstream;
	uint32_t index; /* its place in the table, for counters */
	enum capture_level capture;
	struct upstream_timeouts timeouts;
};

struct route_table; /* opaque */

/* Refers to `settings`, which outlives it. Adds the route "/" to the first upstream, with
 * CAPTURE_FULL, for what no other route covers. */
struct route_table *route_table_create(const struct proxy_settings *settings);
void route_table_destroy(struct route_table *table);
/* Never NULL. `normal_path` as in struct target. */
const struct route *route_find(
	const struct route_table *table, struct slice normal_path, enum method method);
uint32_t route_count(const struct route_table *table);

#endif
