/*
 * Layer: inspector (sees base, http, proxy). One job: count what passes through all workers,
 * captured or not: how long requests took, by route, method and status, and how long upstreams did.
 *
 * Each worker has an observer that writes its own counters: an exchange costs it a search in a
 * small table and a few loads and stores; no lock, and nothing that another worker writes. Readers
 * add the workers up. What can be told apart is bounded for the whole process: what is one series
 * too many is counted as "other".
 */
#ifndef SIGHTGLASS_INSPECTOR_STATISTICS_H
#define SIGHTGLASS_INSPECTOR_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspector/histogram.h"
#include "inspector/path_statistics.h"
#include "proxy/observer.h"
#include "proxy/settings.h"

enum {
	STATISTICS_SERIES_MAX = 1024, /* routes x methods x statuses, as far as they occur */
};

struct statistics; /* opaque; one for the process */

/* `settings` outlives it; `by_path`: also by path and minute (path_statistics.h), for the
 * inspector. Never NULL. */
struct statistics *statistics_create(
	const struct proxy_settings *settings, unsigned workers, bool by_path);
/* NULL is harmless. */
void statistics_destroy(struct statistics *statistics);
/* The observer of that worker, for worker_observe(); lives as long as the statistics. */
struct observer *statistics_observer(struct statistics *statistics, unsigned worker);
/* The most memory that statistics of these settings take, in bytes. */
uint64_t statistics_memory_max(const struct proxy_settings *settings, bool by_path);

/* --- reading: any thread */

/* What is counted by path; NULL where it is not. */
const struct path_statistics *statistics_paths(const struct statistics *statistics);

/* Requests that run, those for the inspector aside. */
uint64_t statistics_active(const struct statistics *statistics);

/* Requests of one kind that have ended. */
struct statistics_series {
	const char *route;  /* as configured; "" where it was refused before its route was found;
			       "other" where there were too many series */
	const char *method; /* "GET", …; "_OTHER" */
	unsigned status;    /* 0: no answer came */
	struct histogram_sum durations;
};
/*
 * Adds up all workers; `*count` series, sorted by route (as configured), method and status. The
 * caller frees them by mem_free(); the texts live as long as the settings.
 */
struct statistics_series *statistics_read(const struct statistics *statistics, size_t *count);

/* How long exchanges had a connection to that upstream (its index in the settings), until their
 * end. */
void statistics_read_upstream(
	const struct statistics *statistics, uint32_t upstream, struct histogram_sum *sum);

#endif
