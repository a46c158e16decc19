/*
 * Layer: inspector. One job: a body into its record; see body_recorder.h.
 */
#include "inspector/body_recorder.h"

#include <assert.h>
#include <stdlib.h>

#include <xxhash.h>
#ifdef HAVE_XXHASH_DISPATCH
#include <xxh_x86dispatch.h> /* puts the processor's own variants in the functions' place */
#endif

#include "base/memory.h"

enum {
	PIECE_FIRST =
		4 * 1024, /* where the length is not known: then each is twice the one before */
	PIECE_MAX = 32 * 1024,
	HASH_SPARES_MAX = 64,
};

struct hash_state {
	struct hash_state *next;
	XXH3_state_t *xxh; /* aligned as the library wants it, so an allocation of its own */
};

static struct hash_state *take_hash(struct hash_spares *spares)
{
	struct hash_state *hash = spares->first;

	if (hash == NULL) {
		hash = mem_alloc(sizeof(*hash));
		hash->xxh = XXH3_createState();
		if (hash->xxh == NULL) {
			abort(); /* the heap is exhausted: base/memory.h */
		}
	} else {
		spares->first = hash->next;
		spares->count--;
	}
	XXH3_128bits_reset(hash->xxh);
	return hash;
}

static void free_hash(struct hash_state *hash)
{
	XXH3_freeState(hash->xxh);
	mem_free(hash);
}

static void give_hash(struct hash_spares *spares, struct hash_state *hash)
{
	if (spares->count == HASH_SPARES_MAX) {
		free_hash(hash);
		return;
	}
	hash->next = spares->first;
	spares->first = hash;
	spares->count++;
}

void hash_spares_fini(struct hash_spares *spares)
{
	while (spares->first != NULL) {
		struct hash_state *hash = spares->first;

		spares->first = hash->next;
		free_hash(hash);
	}
	spares->count = 0;
}

void body_recorder_init(struct body_recorder *recorder, struct record_body_data *body, uint64_t max,
	uint64_t expected)
{
	*recorder = (struct body_recorder){.body = body, .max = max, .expected = expected};
	atomic_init(&body->first, NULL);
	atomic_init(&body->size, 0);
	atomic_init(&body->kept, 0);
	atomic_init(&body->truncated, false);
	atomic_init(&body->ended, false);
	body->has_hash = false;
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

	assert(recorder->piece == NULL && room <= UINT32_MAX);
	atomic_init(&piece->next, NULL);
	piece->granules = 0;
	piece->capacity = (uint32_t)room;
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
	if (size > PIECE_MAX - sizeof(struct record_piece)) {
		size = PIECE_MAX - sizeof(struct record_piece);
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
	piece = capture_store_add_piece(store, record, next_size(recorder, left));
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
		memcpy(record_piece_bytes(recorder->piece) + recorder->filled, bytes.ptr, len);
		recorder->filled += len;
		recorder->kept += len;
		bytes = slice_of(bytes.ptr + len, bytes.len - len);
	}
}

/* --- hashing */

static void set_hash(struct record_body_data *body, XXH128_hash_t hash)
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, hash);
	static_assert(sizeof(canonical.digest) == sizeof(body->hash), "128 bits");
	memcpy(body->hash, canonical.digest, sizeof(body->hash));
	body->has_hash = true;
}

static const char *first_bytes(const struct body_recorder *recorder)
{
	return record_piece_bytes(
		atomic_load_explicit(&recorder->body->first, memory_order_relaxed));
}

/* True while every byte so far lies in the first piece. */
static bool in_first_piece(const struct body_recorder *recorder)
{
	return recorder->kept == recorder->size && recorder->filled == recorder->kept;
}

/* `bytes` were kept, as far as they are, and counted; `before` came earlier, and is in the first
 * piece unless there is a running hash. */
static void hash(struct body_recorder *recorder, struct hash_spares *spares, uint64_t before,
	struct slice bytes)
{
	if (recorder->hash == NULL) {
		if (in_first_piece(recorder)) {
			return; /* at the end, in one go */
		}
		recorder->hash = take_hash(spares);
		if (before > 0) {
			XXH3_128bits_update(
				recorder->hash->xxh, first_bytes(recorder), (size_t)before);
		}
	}
	XXH3_128bits_update(recorder->hash->xxh, bytes.ptr, bytes.len);
}

/* --- */

void body_recorder_add(struct body_recorder *recorder, struct capture_store *store,
	struct record *record, struct hash_spares *spares, struct slice bytes)
{
	uint64_t before = recorder->size;

	if (bytes.len == 0) {
		return;
	}
	if (!recorder->full) {
		keep(recorder, store, record, bytes);
	}
	recorder->size += bytes.len;
	hash(recorder, spares, before, bytes);
	atomic_store_explicit(&recorder->body->size, recorder->size, memory_order_relaxed);
	atomic_store_explicit(&recorder->body->kept, recorder->kept, memory_order_release);
}

void body_recorder_count(struct body_recorder *recorder, uint64_t size)
{
	recorder->size = size;
	atomic_store_explicit(&recorder->body->size, size, memory_order_relaxed);
}

void body_recorder_end(struct body_recorder *recorder, struct hash_spares *spares)
{
	struct record_body_data *body = recorder->body;

	if (atomic_load_explicit(&body->ended, memory_order_relaxed)) {
		return;
	}
	if (recorder->hash != NULL) {
		set_hash(body, XXH3_128bits_digest(recorder->hash->xxh));
		give_hash(spares, recorder->hash);
		recorder->hash = NULL;
	} else if (recorder->kept > 0) {
		set_hash(body, XXH3_128bits(first_bytes(recorder), (size_t)recorder->kept));
	}
	atomic_store_explicit(&body->ended, true, memory_order_release);
}
