/*
 * Layer: inspector. One job: the records of all workers, bounded by count and by bytes (retention.h
 * says who goes), in the order in which they began.
 *
 * All bytes of records (facts, heads, bodies) lie in one region of capture.memory bytes: the bound
 * cannot be passed. One lock guards region, order and counts; it is held for some tens of
 * nanoseconds (some microseconds where records with large bodies go), never while bytes are copied,
 * hashed or formatted. Records count references: one that went while somebody reads it keeps its
 * memory until the last reference is given back, and counts against the bytes until then.
 */
#ifndef SIGHTGLASS_INSPECTOR_STORE_H
#define SIGHTGLASS_INSPECTOR_STORE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "inspector/event_log.h"
#include "inspector/poll_log.h"
#include "inspector/record.h"
#include "inspector/retention.h"
#include "inspector/settings.h"

struct capture_store; /* opaque; one for the process */

struct capture_counts {
	uint32_t records[CLASSES]; /* in the ring, running ones included */
	uint32_t count;            /* all of them */
	uint32_t running;
	uint32_t capacity; /* capture.entries */
	uint64_t bytes;    /* held by records, also by those that only readers hold any more */
	uint64_t memory;   /* the region: capture.memory, rounded down */
	uint64_t evicted;  /* all that went for others, since the start; what clear() took is not
			      among them */
	uint64_t evicted_by_entries;
	uint64_t evicted_by_bytes;
	uint64_t truncated; /* records that lack a part of a body (or, when memory ran out, of the
			       answer's head) */
	uint64_t dropped;   /* exchanges that no record could be kept of */
	uint32_t rows;      /* in the poll log */
	uint32_t row_capacity;
	bool paused;
	uint64_t ended;      /* records that have ended since the start, also those that are gone */
	uint64_t rows_ended; /* the same of rows */
};

/* Reads settings->capture, keeps nothing of it. Never NULL. All references are given back before it
 * is destroyed. */
struct capture_store *capture_store_create(const struct inspector_settings *settings);
void capture_store_destroy(struct capture_store *store);
/* The most memory that a store of these settings takes, in bytes, its tables and the poll log
 * included. */
uint64_t capture_store_memory_max(const struct inspector_settings *settings);
/* The rows of excluded exchanges. Lives as long as the store. */
struct poll_log *capture_store_polls(struct capture_store *store);
/* What happens to records and rows. Lives as long as the store. */
struct event_log *capture_store_events(struct capture_store *store);
/* Above the number of every record and row there is. */
uint64_t capture_store_next_seq(const struct capture_store *store);

/* --- reading: any thread */

/*
 * Takes references to at most `max` records with after < seq < before, the newest first, and
 * returns how many; 0 = there are no more. To walk through all of them: begin with before =
 * UINT64_MAX and after = 0, go on with the last one's seq as `before`. What comes and goes between
 * two calls does not disturb the walk. Ask for some tens at a time: the lock is held meanwhile.
 */
size_t capture_store_take(struct capture_store *store, uint64_t before, uint64_t after,
	struct record **out, size_t max);
/* A reference to that one, or NULL where there is none (any more). */
struct record *capture_store_find_seq(struct capture_store *store, uint64_t seq);
/* The newest with that request ID. */
struct record *capture_store_find_id(struct capture_store *store, struct slice request_id);
/* One more reference to a record that the caller holds one to. */
void capture_store_hold(struct record *record);
/* Gives a reference back. NULL is harmless. */
void capture_store_release(struct capture_store *store, struct record *record);

void capture_store_counts(struct capture_store *store, struct capture_counts *counts);
/* Takes every record that has ended out of the ring, and every row out of the poll log. What still
 * runs stays. */
void capture_store_clear(struct capture_store *store);
/* From here on nothing that begins is recorded, until it is set to go on. What runs is recorded to
 * its end. */
void capture_store_pause(struct capture_store *store, bool paused);
bool capture_store_is_paused(const struct capture_store *store);

/* --- recording: for capture.c and body_recorder.c. `record` is the caller's own and runs; its
 * exchange's worker alone calls these */

/*
 * Memory for a worker's next record, taken while the one before begins and asked into the caches:
 * the region is larger than they are, and 1 KiB written into cold memory was measured to be waited
 * for at the next atomic instruction, for up to 3 us. All zero: none is taken.
 */
struct capture_reserve {
	void *run;
	uint32_t granules;
};

/*
 * Begins a record with `size` bytes behind the struct; its texts and its head are the caller's to
 * write (record_layout.h). `more` bytes are likely to be added. Nobody sees it until
 * capture_store_publish(). NULL: it cannot be kept, and was counted as dropped. `reserve` is the
 * worker's own.
 */
struct record *capture_store_begin(struct capture_store *store, struct capture_reserve *reserve,
	size_t size, size_t more, enum capture_class class_of, struct slice request_id);
/* Before the store is destroyed. */
void capture_store_give_back(struct capture_store *store, struct capture_reserve *reserve);
/* What is known at the beginning is written: readers may see it. */
void capture_store_publish(struct record *record);
/* `size` bytes, aligned to RECORD_ALIGNMENT, for as long as the record lives; NULL where there is
 * no memory. For small things: they lie in one piece. */
void *capture_store_add(struct capture_store *store, struct record *record, size_t size);
/* What guards the record's messages, and perhaps others'. */
pthread_mutex_t *capture_store_message_lock(
	struct capture_store *store, const struct record *record);
/* An empty piece of a body with room for `wanted` bytes or somewhat more; where memory is short or
 * broken up, for fewer; NULL where there is none. `has_hash`: with room for the body's hash. */
struct record_piece *capture_store_add_piece(
	struct capture_store *store, struct record *record, size_t wanted, bool has_hash);

struct capture_ending {
	bool failed;    /* status >= 500, or an error */
	bool truncated; /* a part of a body is missing */
	/* The last piece of each body, or NULL, and how much of it is filled: the rest goes back.
	 */
	struct record_piece *last[2];
	size_t filled[2];
};
/* The exchange has ended and all is written, `ended` last. The record is the store's alone from
 * here on. */
void capture_store_end(
	struct capture_store *store, struct record *record, const struct capture_ending *ending);

#endif
