/*
 * Layer: inspector (sees base). One job: what ended in the last minutes: of each step of 5 seconds
 * how many exchanges, by kind of call (path_table.h), whether they failed, and how long they took
 * (distribution.h). One worker writes, without a lock or an atomic addition; any thread reads.
 *
 * Memory is fixed: a ring of entries, in which a step takes as many as it has kinds and buckets.
 * The last five minutes are always there; as many more, up to HISTORY_WINDOW_MAX_S, as fit.
 */
#ifndef SIGHTGLASS_INSPECTOR_HISTORY_H
#define SIGHTGLASS_INSPECTOR_HISTORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HISTORY_STEP_S = 5,
	HISTORY_WINDOW_S = 300, /* what is always there */
	HISTORY_WINDOW_MAX_S = 900,
	HISTORY_STEPS = 256,
	HISTORY_ENTRIES = 64 * 1024,
	HISTORY_STEP_ENTRIES = 960, /* at most: what is more than the first two thirds of these is
				       kept less exactly, see history.c */
	HISTORY_INDEX = 2048,
};

struct history_step {
	_Atomic uint64_t number; /* the time since the clock's start, in steps; 0: none */
	_Atomic uint64_t start;  /* of its entries; counts on for ever */
	_Atomic uint32_t count;
};

struct history {       /* of one worker: history_init() */
	uint64_t step; /* the running one */
	uint32_t used; /* of its entries */
	_Atomic uint64_t end;
	uint16_t index[HISTORY_INDEX]; /* of the running step's entries: place + 1; 0: empty */
	struct history_step steps[HISTORY_STEPS];
	_Atomic uint64_t *entries;
};

/* What has the same kind, outcome and bucket. */
struct history_entry {
	unsigned path;
	bool failed;
	unsigned bucket;
	uint32_t count;
};

/* `history` is all zero. */
void history_init(struct history *history);
void history_fini(struct history *history);
/* What one takes beside its struct, in bytes. */
uint64_t history_memory_max(void);

static inline uint64_t history_step_of(uint64_t now_us)
{
	return now_us / (HISTORY_STEP_S * UINT64_C(1000000));
}

/* The writer alone: one exchange of that kind ended, now. */
void history_note(
	struct history *history, uint64_t now_us, unsigned path, bool failed, unsigned bucket);

/* --- any thread */

/* The first step from which on nothing was lost. */
uint64_t history_oldest(const struct history *history);
/* Copies entries of one step, from the `from`th on, at most `max`, and returns how many; 0 = there
 * are no more, or the step is no longer there. Read within 5 s what history_oldest() said is. */
size_t history_copy(const struct history *history, uint64_t step, size_t from,
	struct history_entry *out, size_t max);

#endif
