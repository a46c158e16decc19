/*
 * Layer: inspector. One job: see recent.h.
 *
 * The histories are walked twice: first for counts, which say which paths are the most frequent,
 * then for the durations of those. The walk goes from worker to worker and from step to step, and
 * stops after some thousand entries, to go on in the next slice.
 */
#include "inspector/recent.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "http/path.h"

enum {
	BATCH = 256,
	SLICE_ENTRIES = 16 * 1024,
	SLICE_STEPS = 1024, /* of no entries: they cost a look, too */
	NO_PLACE = UINT8_MAX,
};

_Static_assert((int)RECENT_PATHS_MAX < (int)NO_PLACE, "a place fits into its byte");

enum phase {
	PHASE_COUNT,
	PHASE_RANK,
	PHASE_MEASURE,
	PHASE_DONE,
};

enum belongs {
	BELONGS_UNKNOWN,
	BELONGS_YES,
	BELONGS_NO,
};

struct recent_sum {
	const struct path_statistics *statistics;
	struct prefix prefix;
	bool is_all;
	uint64_t last_step;
	uint64_t steps; /* of the window */
	uint64_t first_step;
	enum phase phase;
	unsigned worker;
	uint64_t step;
	size_t at;              /* entry of that step */
	uint8_t belongs[PATHS]; /* enum belongs */
	uint8_t places[PATHS];  /* among `paths` */
	uint64_t counts[PATHS];
	uint64_t failed[PATHS];
	struct recent_totals totals;
	size_t ranked;
	struct recent_path *paths;
};

/* --- an entry */

static bool belongs(struct recent_sum *self, unsigned path)
{
	uint8_t *known = &self->belongs[path];

	if (self->is_all) {
		return true;
	}
	if (*known == BELONGS_UNKNOWN) {
		const struct path_name *name = path_statistics_name(self->statistics, path);
		bool covered = name != NULL && !name->is_other &&
			       prefix_covers(&self->prefix, path_name_path(name));

		*known = covered ? BELONGS_YES : BELONGS_NO;
	}
	return *known == BELONGS_YES;
}

/* Parts are of whole steps: some are a step longer than others where it does not come out even. */
static uint64_t part_of(const struct recent_sum *self, uint64_t step)
{
	return (self->steps - 1 - (self->last_step - step)) * self->totals.part_count / self->steps;
}

static void count_entry(struct recent_sum *self, const struct history_entry *entry)
{
	struct recent_totals *totals = &self->totals;

	totals->count += entry->count;
	totals->failed += entry->failed ? entry->count : 0;
	distribution_sum_add(&totals->durations, entry->bucket, entry->count);
	self->counts[entry->path] += entry->count;
	self->failed[entry->path] += entry->failed ? entry->count : 0;
	totals->parts[part_of(self, self->step)] += entry->count;
}

static void measure_entry(struct recent_sum *self, const struct history_entry *entry)
{
	uint8_t place = self->places[entry->path];

	if (place != NO_PLACE) {
		distribution_sum_add(&self->paths[place].durations, entry->bucket, entry->count);
	}
}

static void take_entry(struct recent_sum *self, const struct history_entry *entry)
{
	if (entry->path >= PATHS || entry->bucket >= DISTRIBUTION_BUCKETS ||
		!belongs(self, entry->path)) {
		return;
	}
	if (self->phase == PHASE_COUNT) {
		count_entry(self, entry);
	} else {
		measure_entry(self, entry);
	}
}

/* --- the walk */

static const struct history *history_of(const struct recent_sum *self)
{
	return path_statistics_history(self->statistics, self->worker);
}

static void begin_worker(struct recent_sum *self)
{
	uint64_t oldest;

	self->step = self->first_step;
	self->at = 0;
	if (self->worker == path_statistics_workers(self->statistics)) {
		return;
	}
	oldest = history_oldest(history_of(self));
	if (oldest > self->step) {
		self->step = oldest;
	}
	if (self->phase == PHASE_COUNT && oldest > self->first_step) {
		uint64_t covered_s = (self->last_step + 1 - oldest) * HISTORY_STEP_S;

		if (covered_s < self->totals.covered_s) {
			self->totals.covered_s = covered_s;
		}
	}
}

static void begin_walk(struct recent_sum *self, enum phase phase)
{
	self->phase = phase;
	self->worker = 0;
	begin_worker(self);
}

/* True where there is more to walk. */
static bool walk(struct recent_sum *self)
{
	struct history_entry batch[BATCH];
	size_t entries = 0;
	size_t steps = 0;

	while (self->worker < path_statistics_workers(self->statistics)) {
		size_t count;

		if (entries >= SLICE_ENTRIES || steps >= SLICE_STEPS) {
			return true;
		}
		count = history_copy(history_of(self), self->step, self->at, batch, BATCH);
		for (size_t i = 0; i < count; i++) {
			take_entry(self, &batch[i]);
		}
		entries += count;
		self->at += count;
		if (count < BATCH) {
			steps++;
			self->step++;
			self->at = 0;
		}
		if (self->step > self->last_step) {
			self->worker++;
			begin_worker(self);
		}
	}
	return false;
}

/* --- ranking */

/* The lowest number with the same path. */
static unsigned first_alike(const struct recent_sum *self, unsigned path)
{
	const struct path_name *name = path_statistics_name(self->statistics, path);

	if (name == NULL || name->is_other) {
		return PATH_OTHER;
	}
	for (unsigned i = 1; i < path; i++) {
		const struct path_name *other = path_statistics_name(self->statistics, i);

		if (other->path_hash == name->path_hash && !other->is_other &&
			slice_equal(path_name_path(other), path_name_path(name))) {
			return i;
		}
	}
	return path;
}

/* Puts what has the same path together; afterwards `counts` and `failed` hold sums, and `first`
 * says for each which number stands for it. */
static void join_alike(struct recent_sum *self, unsigned first[static PATHS])
{
	for (unsigned path = 0; path < PATHS; path++) {
		first[path] = path;
		if (self->counts[path] == 0) {
			continue;
		}
		first[path] = first_alike(self, path);
		if (first[path] != path) {
			self->counts[first[path]] += self->counts[path];
			self->failed[first[path]] += self->failed[path];
			self->counts[path] = 0;
		}
	}
}

struct ranked {
	uint64_t count;
	unsigned path;
};

static int by_rank(const void *left, const void *right)
{
	const struct ranked *a = left;
	const struct ranked *b = right;

	if (a->count != b->count) {
		return a->count < b->count ? 1 : -1;
	}
	return (a->path > b->path) - (a->path < b->path);
}

static void rank(struct recent_sum *self)
{
	unsigned first[PATHS];
	struct ranked ranked[PATHS];
	size_t count = 0;

	join_alike(self, first);
	for (unsigned path = 0; path < PATHS; path++) {
		self->places[path] = NO_PLACE;
		if (self->counts[path] > 0) {
			ranked[count++] =
				(struct ranked){.count = self->counts[path], .path = path};
		}
	}
	qsort(ranked, count, sizeof(ranked[0]), by_rank);
	self->totals.path_count = count;
	self->ranked = count < RECENT_PATHS_MAX ? count : RECENT_PATHS_MAX;
	self->paths = mem_alloc_array(self->ranked + 1, sizeof(*self->paths));
	memset(self->paths, 0, (self->ranked + 1) * sizeof(*self->paths));
	for (size_t i = 0; i < self->ranked; i++) {
		unsigned path = ranked[i].path;

		self->paths[i].path = path;
		self->paths[i].count = ranked[i].count;
		self->paths[i].failed = self->failed[path];
		self->places[path] = (uint8_t)i;
	}
	for (unsigned path = 0; path < PATHS; path++) {
		self->places[path] = self->places[first[path]];
	}
}

/* --- */

bool recent_go_on(struct recent_sum *sum)
{
	switch (sum->phase) {
	case PHASE_COUNT:
		sum->phase = walk(sum) ? PHASE_COUNT : PHASE_RANK;
		return true;
	case PHASE_RANK:
		rank(sum);
		begin_walk(sum, PHASE_MEASURE);
		return true;
	case PHASE_MEASURE:
		sum->phase = walk(sum) ? PHASE_MEASURE : PHASE_DONE;
		break;
	case PHASE_DONE:
		break;
	}
	return sum->phase != PHASE_DONE;
}

struct recent_sum *recent_begin(
	const struct path_statistics *statistics, const struct recent_query *query)
{
	struct recent_sum *self = mem_zalloc(sizeof(*self));
	struct recent_totals *totals = &self->totals;

	self->statistics = statistics;
	self->prefix = (struct prefix){.path = query->prefix, .open = query->prefix_is_open};
	self->is_all = query->prefix.len == 0;
	self->last_step = history_step_of(query->now_us);
	self->steps = (query->window_s + HISTORY_STEP_S - 1) / HISTORY_STEP_S;
	self->first_step =
		self->last_step + 1 > self->steps ? self->last_step + 1 - self->steps : 0;
	totals->covered_s = self->steps * HISTORY_STEP_S;
	totals->part_count = query->parts;
	for (uint64_t i = 0; i < self->steps; i++) {
		totals->parts_s[i * query->parts / self->steps] += HISTORY_STEP_S;
	}
	begin_walk(self, PHASE_COUNT);
	return self;
}

void recent_end(struct recent_sum *sum)
{
	if (sum != NULL) {
		mem_free(sum->paths);
		mem_free(sum);
	}
}

const struct recent_totals *recent_totals(const struct recent_sum *sum)
{
	return &sum->totals;
}

const struct recent_path *recent_paths(const struct recent_sum *sum, size_t *count)
{
	*count = sum->ranked;
	return sum->paths;
}
