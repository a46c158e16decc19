/*
 * Layer: inspector. One job: add up what the workers' histories (history.h) hold of a window: all
 * in all, by part of the window, and by path; in slices, as there may be much.
 */
#ifndef SIGHTGLASS_INSPECTOR_RECENT_H
#define SIGHTGLASS_INSPECTOR_RECENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "inspector/path_statistics.h"

enum {
	RECENT_PARTS_MAX = HISTORY_WINDOW_MAX_S / HISTORY_STEP_S,
	RECENT_PATHS_MAX = 100, /* the most frequent; the rest is counted in the sums alone */
};

struct recent_path {   /* all calls with that folded path: of any route and method */
	unsigned path; /* a number that stands for it */
	uint64_t count;
	uint64_t failed;
	struct distribution_sum durations;
};

struct recent_sum;

struct recent_query {
	uint64_t now_us;
	uint64_t window_s;   /* rounded up to whole steps */
	unsigned parts;      /* 1 to the number of steps */
	struct slice prefix; /* in normal form, as in struct prefix; of folded paths. Empty: all */
	bool prefix_is_open;
};

/* Never NULL. Takes half a MiB at most. */
struct recent_sum *recent_begin(
	const struct path_statistics *statistics, const struct recent_query *query);
/* Goes on for some 0.1 ms; false once all is added up. */
bool recent_go_on(struct recent_sum *sum);
void recent_end(struct recent_sum *sum);

/* What was found, when recent_go_on() has returned false. */
struct recent_totals {
	uint64_t count;
	uint64_t failed;
	struct distribution_sum durations;
	uint64_t covered_s; /* of the window: how far back nothing was lost; HISTORY_WINDOW_S at
			       least */
	unsigned part_count;
	uint64_t parts[RECENT_PARTS_MAX];   /* requests that ended within each; the last one runs */
	uint64_t parts_s[RECENT_PARTS_MAX]; /* how long each is */
	size_t path_count;                  /* with other paths than those in `paths`, too */
};

const struct recent_totals *recent_totals(const struct recent_sum *sum);
/* The most frequent first; `*count` of them, RECENT_PATHS_MAX at most. */
const struct recent_path *recent_paths(const struct recent_sum *sum, size_t *count);

#endif
