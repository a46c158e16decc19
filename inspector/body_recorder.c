/*
 * Layer: inspector. One job: a body into its record; see body_recorder.h.
 */
#include "inspector/body_recorder.h"

#include <assert.h>

#include "base/copy.h"

enum {
	PIECE_FIRST =
		4 * 1024, /* where the length is not known: then each is twice the one before */
	PIECE_MAX =
		65 * 1024, /* what a body reserves before it comes: 64 KiB, and what is before it */
};

void body_recorder_init(struct body_recorder *recorder, struct record_body_data *body, uint64_t max,
	uint64_t expected)
{
	*recorder = (struct body_recorder){.body = body, .max = max, .expected = expected};
	atomic_init(&body->first, NULL);
	atomic_init(&body->size, 0);
	atomic_init(&body->kept, 0);
	atomic_init(&body->truncated, false);
	atomic_init(&body->ended, false);
	atomic_init(&body->hashed, false);
	atomic_init(&body->look, RECORD_UNSEEN);
}

/* --- keeping */

static void link_piece(struct body_recorder *recorder, struct record_piece *piece)
{
	if (recorder->piece == NULL) {
		atomic_store_explicit(&recorder->body->first, piece, memory_order_relaxed);
	} else {
		atomic_store_explicit(&recorder->piece->next, piece, memory_order_relaxed);
	}
	recorder->piece = piece;
	recorder->filled = 0;
}

void body_recorder_start_in(struct body_recorder *recorder, void *memory, size_t room)
{
	struct record_piece *piece = memory;

	assert(recorder->piece == NULL && room <= INT32_MAX);
	atomic_init(&piece->next, NULL);
	piece->granules = 0;
	piece->capacity = (uint32_t)room & INT32_MAX;
	piece->has_hash = false; /* so few bytes are hashed again each time somebody asks */
	link_piece(recorder, piece);
}

/* How large the next piece should be; `left` bytes are at hand. */
static size_t next_size(const struct body_recorder *recorder, size_t left)
{
	uint64_t size;

	if (recorder->expected > recorder->kept && recorder->expected != UINT64_MAX) {
		size = recorder->expected - recorder->kept;
	} else if (recorder->piece == NULL) {
		size = PIECE_FIRST;
	} else {
		size = 2 * (uint64_t)recorder->piece->capacity;
	}
	size = size < left ? left : size;
	if (size > PIECE_MAX - record_piece_overhead(true)) {
		size = PIECE_MAX - record_piece_overhead(true);
	}
	if (size > recorder->max - recorder->kept) {
		size = recorder->max - recorder->kept;
	}
	return (size_t)size;
}

static bool add_piece(struct body_recorder *recorder, struct capture_store *store,
	struct record *record, size_t left)
{
	struct record_piece *piece;

	if (recorder->kept == recorder->max) {
		return false;
	}
	piece = capture_store_add_piece(
		store, record, next_size(recorder, left), recorder->piece == NULL);
	if (piece == NULL) {
		return false;
	}
	link_piece(recorder, piece);
	return true;
}

static void stop_keeping(struct body_recorder *recorder)
{
	recorder->full = true;
	atomic_store_explicit(&recorder->body->truncated, true, memory_order_relaxed);
}

static char *next_byte(const struct body_recorder *recorder)
{
	struct record_piece *piece = recorder->piece;

	return (char *)piece + record_piece_overhead(piece->has_hash) + recorder->filled;
}

static void keep(struct body_recorder *recorder, struct capture_store *store, struct record *record,
	struct slice bytes)
{
	while (bytes.len > 0) {
		uint64_t may = recorder->max - recorder->kept;
		size_t room =
			recorder->piece == NULL ? 0 : recorder->piece->capacity - recorder->filled;
		size_t len = bytes.len;

		room = room < may ? room : (size_t)may;
		if (room == 0) {
			if (!add_piece(recorder, store, record, len)) {
				stop_keeping(recorder);
				return;
			}
			continue;
		}
		len = len < room ? len : room;
		copy_aside(next_byte(recorder), bytes.ptr, len);
		recorder->filled += len;
		recorder->kept += len;
		bytes = slice_of(bytes.ptr + len, bytes.len - len);
	}
}

/* --- hashing */

/* Of a body of which no byte is kept: a piece for its hash alone. Where there is no memory even for
 * that, there will be no hash. */
static void add_hash_room(
	struct body_recorder *recorder, struct capture_store *store, struct record *record)
{
	struct record_piece *piece = capture_store_add(store, record, record_piece_overhead(true));

	if (piece != NULL) {
		body_recorder_start_in(recorder, piece, 0);
		piece->has_hash = true;
	}
}

/* The bytes before `bytes` were all kept, and `bytes` are not, or a body was announced that will
 * not be: from here on it is hashed as it passes. */
static void begin_hash(struct body_recorder *recorder, struct body_hash_spares *spares)
{
	const struct record_piece *piece =
		atomic_load_explicit(&recorder->body->first, memory_order_relaxed);
	uint64_t left = recorder->size;

	recorder->hash = body_hash_begin(spares);
	while (left > 0) {
		size_t len = left < piece->capacity ? (size_t)left : piece->capacity;

		body_hash_add(recorder->hash, slice_of(record_piece_bytes(piece), len));
		left -= len;
		piece = atomic_load_explicit(&piece->next, memory_order_relaxed);
	}
}

static bool will_not_be_kept(const struct body_recorder *recorder)
{
	return recorder->full ||
	       (recorder->expected > recorder->max && recorder->expected != UINT64_MAX);
}

/* --- */

void body_recorder_add(struct body_recorder *recorder, struct capture_store *store,
	struct record *record, struct body_hash_spares *spares, struct slice bytes)
{
	if (bytes.len == 0) {
		return;
	}
	if (!recorder->full) {
		keep(recorder, store, record, bytes);
	}
	if (recorder->hash == NULL && will_not_be_kept(recorder)) {
		if (recorder->piece == NULL) {
			add_hash_room(recorder, store, record);
		}
		begin_hash(recorder, spares);
	}
	if (recorder->hash != NULL) {
		body_hash_add(recorder->hash, bytes);
	}
	recorder->size += bytes.len;
	atomic_store_explicit(&recorder->body->size, recorder->size, memory_order_relaxed);
	atomic_store_explicit(
		&recorder->body->kept, (uint32_t)recorder->kept, memory_order_release);
}

void body_recorder_count(struct body_recorder *recorder, uint64_t size)
{
	recorder->size = size;
	atomic_store_explicit(&recorder->body->size, size, memory_order_relaxed);
}

void body_recorder_end(struct body_recorder *recorder, struct body_hash_spares *spares)
{
	struct record_body_data *body = recorder->body;

	if (atomic_load_explicit(&body->ended, memory_order_relaxed)) {
		return;
	}
	if (recorder->hash != NULL) {
		body_hash_end(recorder->hash, spares, body);
		recorder->hash = NULL;
	}
	atomic_store_explicit(&body->ended, true, memory_order_release);
}
