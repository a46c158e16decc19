/*
 * Layer: inspector. One job: see history.h.
 *
 * An entry is one word: kind, outcome and bucket in its upper half, how often in the lower. Those
 * of the running step are found by a small hash table, which is emptied when the next one begins;
 * the step before lies in the ring as it is. A step that has more kinds and buckets than it may
 * keeps the duration of further ones by doublings, and at last their kind as PATH_OTHER: what is
 * counted is never lost.
 */
#include "inspector/history.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "inspector/distribution.h"
#include "inspector/path_table.h"

enum {
	BUCKET_BITS = 11,
	FAILED_BIT = BUCKET_BITS,
	PATH_SHIFT = FAILED_BIT + 1,
	ALL_COARSE = 2 * DISTRIBUTION_PAGES, /* entries of PATH_OTHER by doublings */
	EXACT_MAX = HISTORY_STEP_ENTRIES * 2 / 3,
	NAMED_MAX = HISTORY_STEP_ENTRIES - ALL_COARSE,
	MARGIN = 2 * HISTORY_STEP_ENTRIES, /* what may be written while somebody reads */
};

_Static_assert(DISTRIBUTION_BUCKETS <= 1 << BUCKET_BITS, "a bucket fits into its bits");
_Static_assert(HISTORY_INDEX >= 2 * HISTORY_STEP_ENTRIES, "the index is half full at most");
_Static_assert(
	(HISTORY_ENTRIES - MARGIN) / HISTORY_STEP_ENTRIES >= HISTORY_WINDOW_S / HISTORY_STEP_S + 1,
	"the default window is always there");
_Static_assert(HISTORY_STEPS > HISTORY_WINDOW_MAX_S / HISTORY_STEP_S + 2, "so has each its place");

static uint32_t key_of(unsigned path, bool failed, unsigned bucket)
{
	return (uint32_t)path << PATH_SHIFT | (failed ? 1U : 0U) << FAILED_BIT | bucket;
}

static _Atomic uint64_t *entry_at(const struct history *history, uint64_t position)
{
	return &history->entries[position % HISTORY_ENTRIES];
}

static struct history_step *running(struct history *history)
{
	return &history->steps[history->step % HISTORY_STEPS];
}

static void begin_step(struct history *history, uint64_t number)
{
	struct history_step *step;
	uint64_t end = atomic_load_explicit(&history->end, memory_order_relaxed);

	memset(history->index, 0, sizeof(history->index));
	history->step = number;
	history->used = 0;
	step = running(history);
	atomic_store_explicit(&step->number, 0, memory_order_relaxed);
	atomic_store_explicit(&step->count, 0, memory_order_release);
	atomic_store_explicit(&step->start, end, memory_order_release);
	atomic_store_explicit(&step->number, number, memory_order_release);
}

static void append(struct history *history, unsigned place, uint32_t key)
{
	uint64_t end = atomic_load_explicit(&history->end, memory_order_relaxed);

	history->used++;
	history->index[place] = (uint16_t)history->used;
	atomic_store_explicit(
		entry_at(history, end), (uint64_t)key << 32 | 1, memory_order_relaxed);
	atomic_store_explicit(&history->end, end + 1, memory_order_release);
	atomic_store_explicit(&running(history)->count, history->used, memory_order_release);
}

/* Counts one more of `key`. False where it is not there yet, and as many as `max` others are. */
static bool count(struct history *history, uint32_t key, unsigned max)
{
	uint64_t start = atomic_load_explicit(&history->end, memory_order_relaxed) - history->used;
	unsigned place = (uint32_t)(key * UINT32_C(0x9e3779b1)) >> 21;

	_Static_assert(HISTORY_INDEX == 1 << (32 - 21), "a hash is a place");
	for (; history->index[place] != 0; place = (place + 1) % HISTORY_INDEX) {
		_Atomic uint64_t *entry = entry_at(history, start + history->index[place] - 1);
		uint64_t value = atomic_load_explicit(entry, memory_order_relaxed);

		if (value >> 32 == key) {
			atomic_store_explicit(entry, value + 1, memory_order_relaxed);
			return true;
		}
	}
	if (history->used >= max) {
		return false;
	}
	append(history, place, key);
	return true;
}

void history_note(
	struct history *history, uint64_t now_us, unsigned path, bool failed, unsigned bucket)
{
	uint64_t step = history_step_of(now_us);
	unsigned coarse;

	if (step > history->step) {
		begin_step(history, step);
	}
	if (count(history, key_of(path, failed, bucket), EXACT_MAX)) {
		return;
	}
	coarse = distribution_coarse(bucket);
	if (!count(history, key_of(path, failed, coarse), NAMED_MAX)) {
		bool counted =
			count(history, key_of(PATH_OTHER, failed, coarse), HISTORY_STEP_ENTRIES);

		assert(counted); /* ALL_COARSE of them are kept free for these */
		(void)counted;
	}
}

uint64_t history_oldest(const struct history *history)
{
	uint64_t end = atomic_load_explicit(&history->end, memory_order_acquire);
	uint64_t oldest = 0;

	for (unsigned i = 0; i < HISTORY_STEPS; i++) {
		const struct history_step *step = &history->steps[i];
		uint64_t number = atomic_load_explicit(&step->number, memory_order_acquire);
		uint64_t start = atomic_load_explicit(&step->start, memory_order_acquire);

		if (end > start + HISTORY_ENTRIES - MARGIN && number >= oldest) {
			oldest = number + 1;
		}
	}
	return oldest;
}

size_t history_copy(const struct history *history, uint64_t number, size_t from,
	struct history_entry *out, size_t max)
{
	const struct history_step *step = &history->steps[number % HISTORY_STEPS];
	uint64_t start;
	size_t count;

	if (atomic_load_explicit(&step->number, memory_order_acquire) != number) {
		return 0;
	}
	start = atomic_load_explicit(&step->start, memory_order_acquire) + from;
	count = atomic_load_explicit(&step->count, memory_order_acquire);
	count = count > from ? count - from : 0;
	count = count < max ? count : max;
	for (size_t i = 0; i < count; i++) {
		uint64_t value =
			atomic_load_explicit(entry_at(history, start + i), memory_order_relaxed);
		uint32_t key = (uint32_t)(value >> 32);

		out[i] = (struct history_entry){
			.path = key >> PATH_SHIFT,
			.failed = (key >> FAILED_BIT & 1) != 0,
			.bucket = key & ((1 << BUCKET_BITS) - 1),
			.count = (uint32_t)value,
		};
	}
	return count;
}

void history_init(struct history *history)
{
	history->entries = mem_zalloc(HISTORY_ENTRIES * sizeof(*history->entries));
}

void history_fini(struct history *history)
{
	mem_free(history->entries);
}

uint64_t history_memory_max(void)
{
	return HISTORY_ENTRIES * sizeof(((struct history *)NULL)->entries[0]);
}
