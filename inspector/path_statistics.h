/*
 * Layer: inspector (sees base, http, proxy). One job: count what passes by kind of call (route,
 * method and folded path: path_table.h), since the start and in the last minutes (history.h).
 *
 * A request costs its worker a hash of its path, a look into a small table, and some twenty loads
 * and stores of memory that no other worker writes. A reader adds the workers up.
 */
#ifndef SIGHTGLASS_INSPECTOR_PATH_STATISTICS_H
#define SIGHTGLASS_INSPECTOR_PATH_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

#include "inspector/distribution.h"
#include "inspector/history.h"
#include "inspector/path_table.h"
#include "proxy/exchange.h"
#include "proxy/settings.h"

enum {
	PATH_RECENT = 32,  /* exchanges whose times a worker keeps, of each kind */
	PATH_CLASSES = 10, /* of status / 100; 0: no answer */
};

struct path_statistics; /* opaque; one for the process */

/* `settings` outlives it. Never NULL. */
struct path_statistics *path_statistics_create(
	const struct proxy_settings *settings, unsigned workers);
/* NULL is harmless. */
void path_statistics_destroy(struct path_statistics *statistics);
uint64_t path_statistics_memory_max(const struct proxy_settings *settings);

/* --- writing: calls of that worker's observer */

struct path_watch; /* of one exchange that runs */

struct path_watch *path_statistics_begin(
	struct path_statistics *statistics, unsigned worker, const struct exchange *exchange);
/* Whether its answer is to be watched: the next two are for such a one alone. */
bool path_watch_wants_body(const struct path_watch *watch);
void path_watch_head(struct path_watch *watch, const struct head *head);
void path_watch_data(struct path_watch *watch, struct slice bytes);
void path_statistics_end(struct path_statistics *statistics, unsigned worker,
	struct path_watch *watch, const struct exchange *exchange);

/* --- reading: any thread */

/* A number below PATHS names a kind; what is counted of one is all zero where none was seen. */
struct path_counts {
	uint64_t count; /* of those that have ended */
	uint64_t upstream_calls;
	uint64_t duration_us;
};

struct path_totals {
	struct path_counts counts;
	uint64_t active;
	uint64_t classes[PATH_CLASSES];
	uint64_t failed; /* status >= 500, or no (whole) answer, but where the client left */
	uint64_t request_bytes;
	uint64_t response_bytes;
	uint64_t upstream_us; /* from when they had a connection until their end */
	uint64_t compared;    /* answers that were compared with the one before for their URL */
	uint64_t unchanged;   /* of those: byte for byte the same */
	uint64_t recent;      /* exchanges that the next two were found from */
	uint64_t overlapped;  /* of those: began while another of the kind ran */
	uint64_t interval_us; /* the median spacing of their beginnings; UINT64_MAX: none */
	struct distribution_sum durations;
};

void path_statistics_counts(
	const struct path_statistics *statistics, unsigned path, struct path_counts *counts);
/* Some ten microseconds. */
void path_statistics_read(
	const struct path_statistics *statistics, unsigned path, struct path_totals *totals);
/* NULL for PATH_OTHER, and where nothing is counted by that number yet. */
const struct path_name *path_statistics_name(
	const struct path_statistics *statistics, unsigned path);
/* The route as configured; "" where none was found, "other" for PATH_OTHER. */
const char *path_statistics_route(const struct path_statistics *statistics, unsigned path);
/* "GET", …; "_OTHER" */
const char *path_statistics_method(const struct path_statistics *statistics, unsigned path);
/* The route's capture level: "full", "headers", "row", "none" */
const char *path_statistics_capture(const struct path_statistics *statistics, unsigned path);

unsigned path_statistics_workers(const struct path_statistics *statistics);
const struct history *path_statistics_history(
	const struct path_statistics *statistics, unsigned worker);

#endif
