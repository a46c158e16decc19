/*
 * Layer: inspector. One job: the hash of a body; see body_hash.h.
 */
#include "inspector/body_hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>
#ifdef HAVE_XXHASH_DISPATCH
#include <xxh_x86dispatch.h> /* puts the processor's own variants in the functions' place */
#endif

#include "base/memory.h"

enum {
	SPARES_MAX = 64,
};

static_assert(sizeof(XXH128_canonical_t) == RECORD_HASH_SIZE, "128 bits");

struct body_hash {
	struct body_hash *next;
	XXH3_state_t *xxh; /* aligned as the library wants it, so an allocation of its own */
};

static struct body_hash *new_hash(void)
{
	struct body_hash *hash = mem_alloc(sizeof(*hash));

	hash->xxh = XXH3_createState();
	if (hash->xxh == NULL) {
		abort(); /* the heap is exhausted: base/memory.h */
	}
	return hash;
}

static void free_hash(struct body_hash *hash)
{
	XXH3_freeState(hash->xxh);
	mem_free(hash);
}

struct body_hash *body_hash_begin(struct body_hash_spares *spares)
{
	struct body_hash *hash = spares->first;

	if (hash == NULL) {
		hash = new_hash();
	} else {
		spares->first = hash->next;
		spares->count--;
	}
	XXH3_128bits_reset(hash->xxh);
	return hash;
}

void body_hash_add(struct body_hash *hash, struct slice bytes)
{
	XXH3_128bits_update(hash->xxh, bytes.ptr, bytes.len);
}

/* Where the body's hash is kept, in its first piece; NULL where there is no room for it. */
static struct record_hash *room_for(struct record_body_data *body)
{
	struct record_piece *piece = atomic_load_explicit(&body->first, memory_order_relaxed);

	if (piece == NULL || !piece->has_hash) {
		return NULL;
	}
	return (struct record_hash *)(piece + 1);
}

static void put(struct record_body_data *body, XXH128_hash_t hash)
{
	struct record_hash *room = room_for(body);

	if (room != NULL) {
		atomic_store_explicit(&room->low, hash.low64, memory_order_relaxed);
		atomic_store_explicit(&room->high, hash.high64, memory_order_relaxed);
		atomic_store_explicit(&body->hashed, true, memory_order_release);
	}
}

static XXH128_hash_t get(struct record_body_data *body)
{
	const struct record_hash *room = room_for(body); /* there is one, as it is `hashed` */

	return (XXH128_hash_t){
		.low64 = atomic_load_explicit(&room->low, memory_order_relaxed),
		.high64 = atomic_load_explicit(&room->high, memory_order_relaxed),
	};
}

void body_hash_end(
	struct body_hash *hash, struct body_hash_spares *spares, struct record_body_data *body)
{
	put(body, XXH3_128bits_digest(hash->xxh));
	if (spares->count == SPARES_MAX) {
		free_hash(hash);
		return;
	}
	hash->next = spares->first;
	spares->first = hash;
	spares->count++;
}

void body_hash_spares_fini(struct body_hash_spares *spares)
{
	while (spares->first != NULL) {
		struct body_hash *hash = spares->first;

		spares->first = hash->next;
		free_hash(hash);
	}
	spares->count = 0;
}

/* --- for readers */

static XXH128_hash_t hash_of_kept(const struct record_body *body)
{
	struct record_parts walk = record_parts(body);
	struct slice bytes = slice_of(NULL, 0);
	struct body_hash *hash;
	XXH128_hash_t value;

	if (record_parts_next(&walk, &bytes) && bytes.len == body->kept) {
		return XXH3_128bits(bytes.ptr, bytes.len);
	}
	hash = new_hash();
	XXH3_128bits_reset(hash->xxh);
	do {
		body_hash_add(hash, bytes);
	} while (record_parts_next(&walk, &bytes));
	value = XXH3_128bits_digest(hash->xxh);
	free_hash(hash);
	return value;
}

bool record_body_hash(const struct record_body *body, uint8_t out[static RECORD_HASH_SIZE])
{
	struct record_body_data *data = body->data;
	XXH128_canonical_t canonical;
	XXH128_hash_t hash;

	if (!body->has_hash) {
		return false;
	}
	if (atomic_load_explicit(&data->hashed, memory_order_acquire)) {
		hash = get(data);
	} else {
		hash = hash_of_kept(body); /* several may find it at once: they find the same */
		put(data, hash);
	}
	XXH128_canonicalFromHash(&canonical, hash);
	memcpy(out, canonical.digest, RECORD_HASH_SIZE);
	return true;
}

uint64_t record_body_hash_work(const struct record_body *body)
{
	return !body->has_hash || atomic_load_explicit(&body->data->hashed, memory_order_relaxed)
		       ? 0
		       : body->kept;
}
