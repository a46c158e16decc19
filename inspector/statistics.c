/*
 * Layer: inspector. One job: see statistics.h.
 *
 * The series of the process are the keys of one open hash table, which only grows: a key that is
 * new takes an empty slot by compare-and-swap, all others are found by loads. The number of the
 * slot is where each worker keeps its own histogram of the series.
 */
#include "inspector/statistics.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "proxy/exchange.h"

enum {
	SLOT_BITS = 11,
	SLOTS = 1 << SLOT_BITS, /* twice the series: the way to an empty one is short */
	OVERFLOW_SLOT = SLOTS,
	STATUS_BITS = 10, /* statuses have three digits */
	METHOD_BITS = 4,
	ROUTE_NONE = 1, /* a key is never 0; routes are numbered behind it */
};

_Static_assert(SLOTS == 2 * STATISTICS_SERIES_MAX, "the table is half full at most");
_Static_assert(METHOD_CONNECT < 1 << METHOD_BITS, "a method fits into its bits");

struct worker_statistics {
	struct observer observer;
	struct statistics *all;
	unsigned index;
	_Atomic uint64_t begun;
	_Atomic uint64_t ended;
	struct histogram *_Atomic series[SLOTS + 1]; /* NULL: none of this worker's */
	struct histogram upstreams[];
};

struct statistics {
	const struct proxy_settings *settings;
	struct path_statistics *paths; /* NULL: not counted by path */
	unsigned worker_count;
	struct worker_statistics **workers;
	_Atomic uint32_t count; /* of keys */
	_Atomic uint64_t keys[SLOTS];
};

/* --- keys */

static uint64_t key_of(const struct exchange *exchange)
{
	uint64_t route =
		exchange->route == NULL ? ROUTE_NONE : ROUTE_NONE + 1 + exchange->route->index;

	return (route << METHOD_BITS | exchange->request.method) << STATUS_BITS | exchange->status;
}

static uint64_t route_of_key(uint64_t key)
{
	return key >> (METHOD_BITS + STATUS_BITS);
}

static const char *method_of_key(uint64_t key)
{
	return path_method_name((unsigned)(key >> STATUS_BITS) & ((1 << METHOD_BITS) - 1));
}

static const char *route_name(const struct statistics *self, uint64_t key)
{
	uint64_t route = route_of_key(key);

	if (route == ROUTE_NONE) {
		return "";
	}
	route -= ROUTE_NONE + 1;
	return route < self->settings->route_count ? self->settings->routes[route].text : "/";
}

/* --- writing: a worker's own thread */

/* Room for one more series; given back where another worker was faster. */
static bool reserve(struct statistics *all)
{
	if (atomic_fetch_add_explicit(&all->count, 1, memory_order_relaxed) <
		STATISTICS_SERIES_MAX) {
		return true;
	}
	atomic_fetch_sub_explicit(&all->count, 1, memory_order_relaxed);
	return false;
}

/* The slot of that key, where it was empty; else what has taken it meanwhile is in `*held`. */
static bool take_slot(_Atomic uint64_t *slot, uint64_t key, uint64_t *held)
{
	*held = 0;
	return atomic_compare_exchange_strong_explicit(
		slot, held, key, memory_order_relaxed, memory_order_relaxed);
}

static unsigned find_slot(struct statistics *all, uint64_t key)
{
	unsigned slot = (unsigned)(key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - SLOT_BITS));

	for (;; slot = (slot + 1) % SLOTS) {
		uint64_t held = atomic_load_explicit(&all->keys[slot], memory_order_relaxed);

		if (held == 0) {
			if (!reserve(all)) {
				return OVERFLOW_SLOT;
			}
			if (take_slot(&all->keys[slot], key, &held)) {
				return slot;
			}
			atomic_fetch_sub_explicit(&all->count, 1, memory_order_relaxed);
		}
		if (held == key) {
			return slot;
		}
	}
}

static struct histogram *series_of(struct worker_statistics *self, uint64_t key)
{
	unsigned slot = find_slot(self->all, key);
	struct histogram *series = atomic_load_explicit(&self->series[slot], memory_order_relaxed);

	if (series == NULL) {
		series = mem_zalloc(sizeof(*series));
		atomic_store_explicit(&self->series[slot], series, memory_order_release);
	}
	return series;
}

static void count_one(_Atomic uint64_t *counter)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
		memory_order_release);
}

static uint64_t between(uint64_t from_us, uint64_t to_us)
{
	return to_us < from_us ? 0 : to_us - from_us;
}

static unsigned on_begin(struct observer *observer, struct exchange *exchange, unsigned slot)
{
	struct worker_statistics *self = container_of(observer, struct worker_statistics, observer);
	struct path_watch *watch;

	if (exchange->internal) {
		return OBSERVE_NOTHING;
	}
	count_one(&self->begun);
	if (self->all->paths == NULL) {
		return OBSERVE_END;
	}
	watch = path_statistics_begin(self->all->paths, self->index, exchange);
	exchange->observed[slot] = watch;
	return path_watch_wants_body(watch) ? OBSERVE_HEADS | OBSERVE_BODIES | OBSERVE_END
					    : OBSERVE_END;
}

static void ignore_request_data(
	struct observer *observer, struct exchange *exchange, unsigned slot, struct slice bytes)
{
	(void)observer;
	(void)exchange;
	(void)slot;
	(void)bytes;
}

static void ignore_end(struct observer *observer, struct exchange *exchange, unsigned slot,
	const struct head *trailers)
{
	(void)observer;
	(void)exchange;
	(void)slot;
	(void)trailers;
}

static void on_response_head(struct observer *observer, struct exchange *exchange, unsigned slot,
	const struct head *head)
{
	(void)observer;
	path_watch_head(exchange->observed[slot], head);
}

static void on_response_data(
	struct observer *observer, struct exchange *exchange, unsigned slot, struct slice bytes)
{
	(void)observer;
	path_watch_data(exchange->observed[slot], bytes);
}

static void on_end(struct observer *observer, struct exchange *exchange, unsigned slot)
{
	struct worker_statistics *self = container_of(observer, struct worker_statistics, observer);
	const struct exchange_clock *clock = &exchange->clock;

	count_one(&self->ended);
	histogram_note(series_of(self, key_of(exchange)), between(clock->begin_us, clock->end_us));
	if (exchange->upstream != NULL && clock->connected_us != 0) {
		histogram_note(&self->upstreams[exchange->route->upstream],
			between(clock->connected_us, clock->end_us));
	}
	if (self->all->paths != NULL) {
		path_statistics_end(
			self->all->paths, self->index, exchange->observed[slot], exchange);
	}
}

/* But for the answers that are compared (unchanged.h) it asks for the end alone. */
static const struct observer_ops statistics_ops = {
	.name = "statistics",
	.begin = on_begin,
	.request_data = ignore_request_data,
	.request_end = ignore_end,
	.response_head = on_response_head,
	.response_data = on_response_data,
	.response_end = ignore_end,
	.end = on_end,
};

/* --- beginning and end */

static size_t worker_size(const struct proxy_settings *settings)
{
	return sizeof(struct worker_statistics) +
	       settings->upstream_count * sizeof(struct histogram);
}

struct statistics *statistics_create(
	const struct proxy_settings *settings, unsigned workers, bool by_path)
{
	struct statistics *self = mem_zalloc(sizeof(*self));

	self->settings = settings;
	self->paths = by_path ? path_statistics_create(settings, workers) : NULL;
	self->worker_count = workers;
	self->workers = mem_alloc_array(workers, sizeof(*self->workers));
	for (unsigned i = 0; i < workers; i++) {
		self->workers[i] = mem_zalloc(worker_size(settings));
		self->workers[i]->observer.ops = &statistics_ops;
		self->workers[i]->all = self;
		self->workers[i]->index = i;
	}
	return self;
}

void statistics_destroy(struct statistics *statistics)
{
	if (statistics == NULL) {
		return;
	}
	for (unsigned i = 0; i < statistics->worker_count; i++) {
		struct worker_statistics *worker = statistics->workers[i];

		for (unsigned slot = 0; slot <= SLOTS; slot++) {
			mem_free(worker->series[slot]);
		}
		mem_free(worker);
	}
	path_statistics_destroy(statistics->paths);
	mem_free(statistics->workers);
	mem_free(statistics);
}

struct observer *statistics_observer(struct statistics *statistics, unsigned worker)
{
	assert(worker < statistics->worker_count);
	return &statistics->workers[worker]->observer;
}

uint64_t statistics_memory_max(const struct proxy_settings *settings, bool by_path)
{
	uint64_t worker = worker_size(settings) +
			  (STATISTICS_SERIES_MAX + 1) * (uint64_t)sizeof(struct histogram);

	return sizeof(struct statistics) + settings->workers * worker +
	       (by_path ? path_statistics_memory_max(settings) : 0);
}

/* --- reading */

const struct path_statistics *statistics_paths(const struct statistics *statistics)
{
	return statistics->paths;
}

uint64_t statistics_active(const struct statistics *statistics)
{
	uint64_t active = 0;

	for (unsigned i = 0; i < statistics->worker_count; i++) {
		const struct worker_statistics *worker = statistics->workers[i];
		/* In this order: what ends in between counts as running, never as less than none.
		 */
		uint64_t ended = atomic_load_explicit(&worker->ended, memory_order_acquire);

		active += atomic_load_explicit(&worker->begun, memory_order_relaxed) - ended;
	}
	return active;
}

static void add_up(const struct statistics *self, unsigned slot, struct histogram_sum *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (unsigned i = 0; i < self->worker_count; i++) {
		histogram_add_to(
			atomic_load_explicit(&self->workers[i]->series[slot], memory_order_acquire),
			sum);
	}
}

struct found {
	uint64_t key;
	unsigned slot;
};

/* A key is route, method, status from its highest bits down. */
static int compare(const void *left, const void *right)
{
	const struct found *a = left;
	const struct found *b = right;

	return (a->key > b->key) - (a->key < b->key);
}

static size_t find_all(const struct statistics *self, struct found found[static SLOTS])
{
	size_t count = 0;

	for (unsigned slot = 0; slot < SLOTS; slot++) {
		uint64_t key = atomic_load_explicit(&self->keys[slot], memory_order_relaxed);

		if (key != 0) {
			found[count++] = (struct found){.key = key, .slot = slot};
		}
	}
	qsort(found, count, sizeof(found[0]), compare);
	return count;
}

static bool has_any(const struct histogram_sum *sum)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (sum->counts[i] > 0) {
			return true;
		}
	}
	return false;
}

struct statistics_series *statistics_read(const struct statistics *statistics, size_t *count)
{
	struct found *found = mem_alloc_array(SLOTS, sizeof(*found));
	size_t keys = find_all(statistics, found);
	struct statistics_series *series = mem_alloc_array(keys + 1, sizeof(*series));

	*count = 0;
	for (size_t i = 0; i < keys; i++) {
		struct statistics_series *next = &series[*count];

		next->route = route_name(statistics, found[i].key);
		next->method = method_of_key(found[i].key);
		next->status = (unsigned)(found[i].key & ((1 << STATUS_BITS) - 1));
		add_up(statistics, found[i].slot, &next->durations);
		*count += has_any(&next->durations) ? 1 : 0; /* else it is just being added */
	}
	add_up(statistics, OVERFLOW_SLOT, &series[*count].durations);
	if (has_any(&series[*count].durations)) {
		series[*count].route = "other";
		series[*count].method = "_OTHER";
		series[*count].status = 0;
		(*count)++;
	}
	mem_free(found);
	return series;
}

void statistics_read_upstream(
	const struct statistics *statistics, uint32_t upstream, struct histogram_sum *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (unsigned i = 0; i < statistics->worker_count; i++) {
		histogram_add_to(&statistics->workers[i]->upstreams[upstream], sum);
	}
}
