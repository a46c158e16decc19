/*
 * Layer: inspector. One job: see path_statistics.h.
 */
#include "inspector/path_statistics.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/memory.h"
#include "inspector/unchanged.h"

struct path_counters; /* of one kind, of one worker */

struct path_watch {
	struct path_counters *counters;
	struct body_sample *sample; /* NULL: nothing of the answer is looked at */
};

struct sampled { /* an exchange whose answer is hashed */
	struct path_watch watch;
	struct sampled *next;
};

/* When an exchange began and ended. */
struct path_times {
	_Atomic uint64_t begin_us;
	_Atomic uint64_t end_us;
};

struct path_counters {
	struct path_watch watch; /* of all exchanges that are not sampled */
	unsigned path;
	_Atomic uint64_t begun;
	_Atomic uint64_t ended;
	_Atomic uint64_t classes[PATH_CLASSES];
	_Atomic uint64_t failed;
	_Atomic uint64_t request_bytes;
	_Atomic uint64_t response_bytes;
	_Atomic uint64_t duration_us;
	_Atomic uint64_t upstream_calls;
	_Atomic uint64_t upstream_us;
	_Atomic uint64_t compared;
	_Atomic uint64_t unchanged;
	struct path_times recent[PATH_RECENT]; /* the one that ended as the n-th at n modulo that */
	struct distribution durations;
};

struct path_worker {
	struct path_cache cache;
	struct path_counters *_Atomic counters[PATHS]; /* NULL: none of this worker's */
	struct body_samples samples;
	struct sampled *spare; /* as many as there are samples */
	struct history history;
};

struct path_statistics {
	const struct proxy_settings *settings;
	struct path_table *table;
	struct unchanged *unchanged;
	unsigned worker_count;
	struct path_worker *workers[];
};

/* --- writing */

/* A load and a store instead of an atomic addition: there is one writer. */
static void add(_Atomic uint64_t *counter, uint64_t more)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more,
		memory_order_relaxed);
}

static uint64_t between(uint64_t from_us, uint64_t to_us)
{
	return to_us < from_us ? 0 : to_us - from_us;
}

static struct path_counters *counters_of(struct path_worker *worker, unsigned path)
{
	struct path_counters *counters =
		atomic_load_explicit(&worker->counters[path], memory_order_relaxed);

	if (counters == NULL) {
		counters = mem_zalloc(sizeof(*counters));
		counters->watch.counters = counters;
		counters->path = path;
		atomic_store_explicit(&worker->counters[path], counters, memory_order_release);
	}
	return counters;
}

static struct path_watch *watch_body(struct path_worker *worker, struct path_counters *counters)
{
	struct body_sample *sample = body_sample_begin(&worker->samples);
	struct sampled *sampled;

	if (sample == NULL) {
		return &counters->watch;
	}
	sampled = worker->spare;
	if (sampled == NULL) {
		sampled = mem_zalloc(sizeof(*sampled));
	} else {
		worker->spare = sampled->next;
	}
	sampled->watch = (struct path_watch){.counters = counters, .sample = sample};
	return &sampled->watch;
}

static unsigned path_of(
	struct path_statistics *self, struct path_worker *worker, const struct exchange *exchange)
{
	uint32_t route = exchange->route == NULL ? 0 : exchange->route->index + 1;

	return path_table_find(self->table, &worker->cache, route, exchange->request.method,
		exchange->target.normal);
}

struct path_watch *path_statistics_begin(
	struct path_statistics *statistics, unsigned worker, const struct exchange *exchange)
{
	struct path_worker *self = statistics->workers[worker];
	struct path_counters *counters = counters_of(self, path_of(statistics, self, exchange));

	add(&counters->begun, 1);
	if (unchanged_wants(statistics->unchanged, counters->path, exchange)) {
		return watch_body(self, counters);
	}
	return &counters->watch;
}

bool path_watch_wants_body(const struct path_watch *watch)
{
	return watch->sample != NULL;
}

void path_watch_head(struct path_watch *watch, const struct head *head)
{
	body_sample_head(watch->sample, head);
}

void path_watch_data(struct path_watch *watch, struct slice bytes)
{
	body_sample_add(watch->sample, bytes);
}

static bool has_failed(const struct exchange *exchange)
{
	return exchange->status >= 500 || exchange->state == EXCHANGE_UPSTREAM_FAILED ||
	       exchange->state == EXCHANGE_TIMED_OUT ||
	       (exchange->status == 0 && exchange->state != EXCHANGE_CLIENT_ABORTED);
}

static void compare(struct path_statistics *statistics, struct path_worker *worker,
	struct path_watch *watch, const struct exchange *exchange)
{
	struct path_counters *counters = watch->counters;
	struct sampled *sampled = container_of(watch, struct sampled, watch);
	enum comparison comparison =
		unchanged_compare(statistics->unchanged, &worker->samples, watch->sample, exchange);

	if (comparison != COMPARISON_NONE) {
		add(&counters->compared, 1);
		add(&counters->unchanged, comparison == COMPARISON_UNCHANGED ? 1 : 0);
	}
	sampled->next = worker->spare;
	worker->spare = sampled;
}

static void count(struct path_counters *counters, const struct exchange *exchange)
{
	const struct exchange_clock *clock = &exchange->clock;
	uint64_t ended = atomic_load_explicit(&counters->ended, memory_order_relaxed);
	struct path_times *times = &counters->recent[ended % PATH_RECENT];
	unsigned class = exchange->status / 100;

	atomic_store_explicit(&times->begin_us, clock->begin_us, memory_order_relaxed);
	atomic_store_explicit(&times->end_us, clock->end_us, memory_order_relaxed);
	add(&counters->classes[class < PATH_CLASSES ? class : 0], 1);
	add(&counters->failed, has_failed(exchange) ? 1 : 0);
	add(&counters->request_bytes, exchange->request_bytes);
	add(&counters->response_bytes, exchange->response_bytes);
	add(&counters->duration_us, between(clock->begin_us, clock->end_us));
	add(&counters->upstream_calls, exchange->attempts);
	if (clock->connected_us != 0) {
		add(&counters->upstream_us, between(clock->connected_us, clock->end_us));
	}
	atomic_store_explicit(&counters->ended, ended + 1, memory_order_release);
}

void path_statistics_end(struct path_statistics *statistics, unsigned worker,
	struct path_watch *watch, const struct exchange *exchange)
{
	struct path_worker *self = statistics->workers[worker];
	struct path_counters *counters = watch->counters;
	const struct exchange_clock *clock = &exchange->clock;
	unsigned bucket = distribution_bucket(between(clock->begin_us, clock->end_us));

	if (watch->sample != NULL) {
		compare(statistics, self, watch, exchange);
	}
	count(counters, exchange);
	distribution_note(&counters->durations, bucket);
	history_note(&self->history, clock->end_us, counters->path, has_failed(exchange), bucket);
}

/* --- beginning and end */

struct path_statistics *path_statistics_create(
	const struct proxy_settings *settings, unsigned workers)
{
	struct path_statistics *self =
		mem_zalloc(sizeof(*self) + workers * sizeof(self->workers[0]));

	self->settings = settings;
	self->table = path_table_create(settings->route_count);
	self->unchanged = unchanged_create(PATHS);
	self->worker_count = workers;
	for (unsigned i = 0; i < workers; i++) {
		self->workers[i] = mem_zalloc(sizeof(*self->workers[i]));
		history_init(&self->workers[i]->history);
	}
	return self;
}

static void destroy_worker(struct path_worker *worker)
{
	for (unsigned i = 0; i < PATHS; i++) {
		if (worker->counters[i] != NULL) {
			distribution_fini(&worker->counters[i]->durations);
			mem_free(worker->counters[i]);
		}
	}
	while (worker->spare != NULL) {
		struct sampled *sampled = worker->spare;

		worker->spare = sampled->next;
		mem_free(sampled);
	}
	body_samples_fini(&worker->samples);
	history_fini(&worker->history);
	mem_free(worker);
}

void path_statistics_destroy(struct path_statistics *statistics)
{
	if (statistics == NULL) {
		return;
	}
	for (unsigned i = 0; i < statistics->worker_count; i++) {
		destroy_worker(statistics->workers[i]);
	}
	unchanged_destroy(statistics->unchanged);
	path_table_destroy(statistics->table);
	mem_free(statistics);
}

uint64_t path_statistics_memory_max(const struct proxy_settings *settings)
{
	uint64_t worker = sizeof(struct path_worker) + history_memory_max() +
			  body_samples_memory_max() +
			  PATHS * (sizeof(struct path_counters) + distribution_memory_max());

	return sizeof(struct path_statistics) + path_table_memory_max(settings->route_count) +
	       unchanged_memory_max(PATHS) + settings->workers * worker;
}

/* --- reading */

static const struct path_counters *read_counters(
	const struct path_statistics *self, unsigned worker, unsigned path)
{
	return atomic_load_explicit(&self->workers[worker]->counters[path], memory_order_acquire);
}

static uint64_t get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_counts(const struct path_counters *counters, struct path_counts *counts)
{
	counts->count += atomic_load_explicit(&counters->ended, memory_order_acquire);
	counts->upstream_calls += get(&counters->upstream_calls);
	counts->duration_us += get(&counters->duration_us);
}

void path_statistics_counts(
	const struct path_statistics *statistics, unsigned path, struct path_counts *counts)
{
	*counts = (struct path_counts){.count = 0};
	for (unsigned i = 0; i < statistics->worker_count; i++) {
		const struct path_counters *counters = read_counters(statistics, i, path);

		if (counters != NULL) {
			add_counts(counters, counts);
		}
	}
}

static void add_totals(const struct path_counters *counters, struct path_totals *totals)
{
	/* In this order: what ends in between counts as running, never as less than none. */
	uint64_t ended = atomic_load_explicit(&counters->ended, memory_order_acquire);

	totals->active += get(&counters->begun) - ended;
	add_counts(counters, &totals->counts);
	for (unsigned i = 0; i < PATH_CLASSES; i++) {
		totals->classes[i] += get(&counters->classes[i]);
	}
	totals->failed += get(&counters->failed);
	totals->request_bytes += get(&counters->request_bytes);
	totals->response_bytes += get(&counters->response_bytes);
	totals->upstream_us += get(&counters->upstream_us);
	totals->compared += get(&counters->compared);
	totals->unchanged += get(&counters->unchanged);
	distribution_add_to(&counters->durations, &totals->durations);
}

struct times {
	uint64_t begin_us;
	uint64_t end_us;
};

static int by_begin(const void *left, const void *right)
{
	uint64_t a = ((const struct times *)left)->begin_us;
	uint64_t b = ((const struct times *)right)->begin_us;

	return (a > b) - (a < b);
}

/* Appends the times that one worker has kept. Returns from when on it has all of them. */
static uint64_t take_times(const struct path_counters *counters, struct times *times, size_t *count)
{
	uint64_t ended = atomic_load_explicit(&counters->ended, memory_order_acquire);
	uint64_t since_us = ended > PATH_RECENT ? UINT64_MAX : 0;

	for (unsigned i = 0; i < PATH_RECENT && i < ended; i++) {
		const struct path_times *kept = &counters->recent[i];
		struct times *next = &times[(*count)++];

		next->begin_us = get(&kept->begin_us);
		next->end_us = get(&kept->end_us);
		if (ended > PATH_RECENT && next->begin_us < since_us) {
			since_us = next->begin_us;
		}
	}
	return since_us;
}

static int by_size(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left;
	uint64_t b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/*
 * A poll's requests may come over several connections and so to several workers: what each worker
 * has kept is put together, as far back as all of them reach.
 */
static void read_cadence(const struct times *times, size_t count, struct path_totals *totals)
{
	uint64_t *spacings = mem_alloc_array(count + 1, sizeof(*spacings));
	uint64_t busy_until_us = 0;

	for (size_t i = 0; i < count; i++) {
		totals->overlapped += times[i].begin_us < busy_until_us ? 1 : 0;
		if (times[i].end_us > busy_until_us) {
			busy_until_us = times[i].end_us;
		}
		if (i > 0) {
			spacings[i - 1] = times[i].begin_us - times[i - 1].begin_us;
		}
	}
	totals->recent = count;
	totals->interval_us = UINT64_MAX;
	if (count > 1) {
		qsort(spacings, count - 1, sizeof(*spacings), by_size);
		totals->interval_us = spacings[(count - 1) / 2];
	}
	mem_free(spacings);
}

static void read_recent(
	const struct path_statistics *statistics, unsigned path, struct path_totals *totals)
{
	struct times *times =
		mem_alloc_array((size_t)statistics->worker_count * PATH_RECENT, sizeof(*times));
	uint64_t since_us = 0;
	size_t count = 0;
	size_t first = 0;

	for (unsigned i = 0; i < statistics->worker_count; i++) {
		const struct path_counters *counters = read_counters(statistics, i, path);

		if (counters != NULL) {
			uint64_t whole_since_us = take_times(counters, times, &count);

			since_us = whole_since_us > since_us ? whole_since_us : since_us;
		}
	}
	qsort(times, count, sizeof(*times), by_begin);
	while (first < count && times[first].begin_us < since_us) {
		first++;
	}
	read_cadence(times + first, count - first, totals);
	mem_free(times);
}

void path_statistics_read(
	const struct path_statistics *statistics, unsigned path, struct path_totals *totals)
{
	memset(totals, 0, sizeof(*totals));
	for (unsigned i = 0; i < statistics->worker_count; i++) {
		const struct path_counters *counters = read_counters(statistics, i, path);

		if (counters != NULL) {
			add_totals(counters, totals);
		}
	}
	read_recent(statistics, path, totals);
}

const struct path_name *path_statistics_name(
	const struct path_statistics *statistics, unsigned path)
{
	return path_table_name(statistics->table, path);
}

const char *path_statistics_route(const struct path_statistics *statistics, unsigned path)
{
	const struct path_name *name = path_table_name(statistics->table, path);
	const struct proxy_settings *settings = statistics->settings;

	if (name == NULL) {
		return "other";
	}
	if (name->route == 0) {
		return "";
	}
	return name->route <= settings->route_count ? settings->routes[name->route - 1].text : "/";
}

const char *path_statistics_method(const struct path_statistics *statistics, unsigned path)
{
	const struct path_name *name = path_table_name(statistics->table, path);

	return path_method_name(name == NULL ? METHOD_OTHER : name->method);
}

const char *path_statistics_capture(const struct path_statistics *statistics, unsigned path)
{
	static const char *const names[] = {
		[CAPTURE_FULL] = "full",
		[CAPTURE_HEADERS] = "headers",
		[CAPTURE_ROW] = "row",
		[CAPTURE_NONE] = "none",
	};
	const struct path_name *name = path_table_name(statistics->table, path);
	const struct proxy_settings *settings = statistics->settings;
	bool configured = name != NULL && name->route > 0 && name->route <= settings->route_count;

	return names[configured ? settings->routes[name->route - 1].capture : CAPTURE_FULL];
}

unsigned path_statistics_workers(const struct path_statistics *statistics)
{
	return statistics->worker_count;
}

const struct history *path_statistics_history(
	const struct path_statistics *statistics, unsigned worker)
{
	return &statistics->workers[worker]->history;
}
