/*
 * Layer: inspector. One job: the ring of events; see event_log.h.
 *
 * An entry is one word: how often the ring had gone round (its generation), the kind, the number.
 * So it is written and read whole, and a reader sees by the generation whether what stands there is
 * what it looks for. A writer that was held up for a whole round finds a newer generation in its
 * place, and leaves it.
 */
#include "inspector/event_log.h"

#include <assert.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"

enum {
	ENTRIES_BITS = 15,
	ENTRIES = 1 << ENTRIES_BITS, /* 200 exchanges a second go round in some 50 s */
	SEQ_BITS = 44,
	KIND_BITS = 3,
	GENERATION_BITS = 64 - SEQ_BITS - KIND_BITS,
	CACHE_LINE = 64,
};

static const uint64_t generation_mask = (UINT64_C(1) << GENERATION_BITS) - 1;
static const uint64_t seq_mask = (UINT64_C(1) << SEQ_BITS) - 1;

struct event_log {
	struct event_switch shown; /* first: see event_log_tell() */
	uint64_t tag;
	atomic_uint readers;
	/* Positions. What is before `first` was not written, or before a time when nothing was;
	 * whoever writes at `quit_at` finds no reader for a whole round, and writing ends. */
	atomic_uint_least64_t first;
	atomic_uint_least64_t quit_at;
	pthread_mutex_t lock; /* held where reading begins or ends */
	atomic_uint_least64_t *entries;

	char apart[CACHE_LINE]; /* what changes with each event stands away from what does not */
	atomic_uint_least64_t end;
};

static_assert(offsetof(struct event_log, shown) == 0, "event_log_tell() reads it there");

struct event_log *event_log_create(void)
{
	struct event_log *log = mem_zalloc(sizeof(*log));

	if (pthread_mutex_init(&log->lock, NULL) != 0) {
		abort(); /* the system is out of memory */
	}
	log->tag = random_u64() & UINT32_MAX;
	log->entries = mem_zalloc(ENTRIES * sizeof(*log->entries));
	atomic_init(&log->end, ENTRIES); /* so that no entry of zeros is one */
	atomic_init(&log->first, ENTRIES);
	atomic_init(&log->quit_at, UINT64_MAX);
	return log;
}

void event_log_destroy(struct event_log *log)
{
	if (log != NULL) {
		pthread_mutex_destroy(&log->lock);
		mem_free(log->entries);
		mem_free(log);
	}
}

uint64_t event_log_memory_max(void)
{
	return sizeof(struct event_log) + ENTRIES * sizeof(atomic_uint_least64_t);
}

static void lock(struct event_log *log)
{
	int rc = pthread_mutex_lock(&log->lock);

	assert(rc == 0);
	(void)rc;
}

static void unlock(struct event_log *log)
{
	int rc = pthread_mutex_unlock(&log->lock);

	assert(rc == 0);
	(void)rc;
}

/* --- writing */

static uint64_t generation_at(uint64_t position)
{
	return (position >> ENTRIES_BITS) & generation_mask;
}

static uint64_t generation_of(uint64_t entry)
{
	return entry >> (SEQ_BITS + KIND_BITS);
}

/* By how many rounds that entry is older than what stands, or will stand, at that position; more
 * than half of all there are: it is newer. */
static uint64_t age(uint64_t entry, uint64_t position)
{
	return (generation_at(position) - generation_of(entry)) & generation_mask;
}

static bool is_newer(uint64_t age)
{
	return age > generation_mask / 2;
}

static void stop_if_unread(struct event_log *log)
{
	lock(log);
	if (atomic_load_explicit(&log->readers, memory_order_relaxed) == 0) {
		atomic_store_explicit(&log->shown.recording, false, memory_order_relaxed);
	}
	unlock(log);
}

void event_log_add(struct event_log *log, enum event_kind kind, uint64_t seq)
{
	uint64_t at = atomic_fetch_add_explicit(&log->end, 1, memory_order_relaxed);
	atomic_uint_least64_t *place = &log->entries[at % ENTRIES];
	uint64_t entry = generation_at(at) << (SEQ_BITS + KIND_BITS) | (uint64_t)kind << SEQ_BITS |
			 (seq & seq_mask);
	uint64_t held = atomic_load_explicit(place, memory_order_relaxed);

	do {
		if (is_newer(age(held, at))) {
			return; /* this thread was held up, and its event is lost already */
		}
	} while (!atomic_compare_exchange_weak_explicit(
		place, &held, entry, memory_order_release, memory_order_relaxed));
	if (at >= atomic_load_explicit(&log->quit_at, memory_order_relaxed)) {
		stop_if_unread(log);
	}
}

/* --- reading */

bool event_log_join(struct event_log *log, unsigned max)
{
	unsigned readers;

	lock(log);
	readers = atomic_load_explicit(&log->readers, memory_order_relaxed);
	if (readers < max) {
		atomic_store_explicit(&log->readers, readers + 1, memory_order_relaxed);
		atomic_store_explicit(&log->quit_at, UINT64_MAX, memory_order_relaxed);
		if (!atomic_load_explicit(&log->shown.recording, memory_order_relaxed)) {
			atomic_store_explicit(
				&log->first, event_log_end(log), memory_order_relaxed);
			atomic_store_explicit(&log->shown.recording, true, memory_order_relaxed);
		}
	}
	unlock(log);
	return readers < max;
}

void event_log_leave(struct event_log *log)
{
	unsigned readers;

	lock(log);
	readers = atomic_load_explicit(&log->readers, memory_order_relaxed);
	assert(readers > 0);
	atomic_store_explicit(&log->readers, readers - 1, memory_order_relaxed);
	if (readers == 1) {
		atomic_store_explicit(
			&log->quit_at, event_log_end(log) + ENTRIES, memory_order_relaxed);
	}
	unlock(log);
}

unsigned event_log_readers(const struct event_log *log)
{
	return atomic_load_explicit(&log->readers, memory_order_relaxed);
}

uint64_t event_log_tag(const struct event_log *log)
{
	return log->tag;
}

uint64_t event_log_end(const struct event_log *log)
{
	return atomic_load_explicit(&log->end, memory_order_relaxed);
}

enum event_found event_log_read(const struct event_log *log, uint64_t at, struct event *event)
{
	uint64_t end = event_log_end(log);
	uint64_t entry;
	uint64_t rounds;

	if (at < atomic_load_explicit(&log->first, memory_order_relaxed) || at > end ||
		end - at > ENTRIES) {
		return EVENT_LOST;
	}
	if (at == end) {
		return EVENT_NONE;
	}
	entry = atomic_load_explicit(&log->entries[at % ENTRIES], memory_order_acquire);
	rounds = age(entry, at);
	if (rounds != 0) { /* not written yet, or already written over */
		return is_newer(rounds) ? EVENT_LOST : EVENT_NONE;
	}
	event->kind = (enum event_kind)(entry >> SEQ_BITS & ((1U << KIND_BITS) - 1));
	event->seq = entry & seq_mask;
	return EVENT_FOUND;
}

bool event_log_lost(const struct event_log *log, uint64_t at, uint64_t *count)
{
	uint64_t end = event_log_end(log);

	if (at < atomic_load_explicit(&log->first, memory_order_relaxed) || at > end) {
		return false;
	}
	*count = end - at;
	return true;
}
