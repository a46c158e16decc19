/*
 * Layer: inspector (sees base, http). One job: number the kinds of calls: route, method and folded
 * path (path_fold.h). One table for all workers; it only grows, up to a bound, so a number stays
 * what it is.
 *
 * Peers choose paths: the hash is keyed, names are bounded in length, and what does not fit is
 * numbered as its route's and method's "other", or as the "other" of all. No route takes more than
 * what is left for the rest, so that made-up paths below one of them leave room for the others.
 */
#ifndef SIGHTGLASS_INSPECTOR_PATH_TABLE_H
#define SIGHTGLASS_INSPECTOR_PATH_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum {
	PATHS_NAMED = 512,
	PATHS_OTHER = 64, /* for a route and method each; the first is that of all */
	PATHS = PATHS_NAMED + PATHS_OTHER,
	PATH_OTHER = 0,
};

struct path_table; /* opaque; one for the process */

/* What a number stands for. Lives as long as the table. */
struct path_name {
	uint64_t hash;      /* of all three */
	uint64_t path_hash; /* of the path alone: equal paths have equal ones */
	uint32_t route;     /* its index + 1; 0 = none was found */
	uint8_t method;     /* enum method */
	bool is_other;      /* not a path of its own */
	uint16_t len;
	char path[]; /* folded, raw: redacted by whoever shows it */
};

/* `routes`: how many there are. Never NULL. */
struct path_table *path_table_create(uint32_t routes);
void path_table_destroy(struct path_table *table);
uint64_t path_table_memory_max(uint32_t routes);

/* NULL where the number was not given yet, and for PATH_OTHER. Any thread. */
const struct path_name *path_table_name(const struct path_table *table, unsigned path);

static inline struct slice path_name_path(const struct path_name *name)
{
	return name == NULL || name->is_other ? SLICE("other") : slice_of(name->path, name->len);
}

/* "GET", …; "_OTHER", as OpenTelemetry has it. */
const char *path_method_name(unsigned method);

/* --- finding numbers */

enum {
	PATH_CACHE_SETS = 1024,
	PATH_CACHE_WAYS = 2,
};

/* The paths that one worker has met last: 48 bits of a hash, and its number. All zero is an empty
 * one. */
struct path_cache {
	uint64_t entries[PATH_CACHE_SETS][PATH_CACHE_WAYS];
};

/* The number of `path` (in normal form, not folded). The worker whose cache it is. A new one takes
 * a lock; as often as there are numbers, and never again. */
unsigned path_table_find(struct path_table *table, struct path_cache *cache, uint32_t route,
	unsigned method, struct slice path);

#endif
