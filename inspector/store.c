/*
 * Layer: inspector. One job: the records of all workers within their bounds; see store.h.
 */
#include "inspector/store.h"

#include <stdlib.h>

#include <xxhash.h>

#include "base/memory.h"
#include "base/random.h"
#include "inspector/store_layout.h"

enum {
	/* Granules: for want of memory a body is not broken up into smaller pieces than this. */
	PIECE_LEAST = 16,
	/* A run that is not found after this many times its size went for it, is given up: memory
	   is too broken up. */
	EVICTION_FACTOR = 64,
	CLEARED_A_TURN = 32, /* records, before others get the lock */
	RESERVE_SHARE = 512, /* of the region: a reserve is at most this part of it */
	MORE_MAX = 5 * 1024, /* bytes that a record has room for beforehand */
	FETCHED_AHEAD = 20,  /* granules of a record: its struct, and a head of usual length */
};

/* --- going. All of these want the lock */

static void free_pieces(struct capture_store *store, struct record_body_data *body)
{
	struct record_piece *piece = atomic_load_explicit(&body->first, memory_order_relaxed);

	while (piece != NULL) {
		struct record_piece *next =
			atomic_load_explicit(&piece->next, memory_order_relaxed);

		if (piece->granules > 0) {
			region_give(&store->region, piece, piece->granules);
		}
		piece = next;
	}
}

static void free_record(struct capture_store *store, struct record *record)
{
	struct record_chunk *chunk = record->chunk.older;

	free_pieces(store, &record->request_body);
	free_pieces(store, &record->response_body);
	while (chunk != &record->chunk) {
		struct record_chunk *older = chunk->older;

		region_give(&store->region, chunk, chunk->granules);
		chunk = older;
	}
	region_give(&store->region, record, record->chunk.granules);
}

/* True where that was the last one. */
static bool drop_reference(struct record *record)
{
	return atomic_fetch_sub_explicit(&record->references, 1, memory_order_acq_rel) == 1;
}

/* Takes a record that has ended out of the ring; its memory goes with the last reference. */
static void take_out(struct capture_store *store, struct record *record)
{
	list_remove(&record->node);
	order_remove(&store->order, record->seq);
	store->entries[record->class_of]--;
	store->granules[record->class_of] -= record->granules;
	store->count--;
	if (drop_reference(record)) {
		free_record(store, record);
	}
}

static void move_to_class(
	struct capture_store *store, struct record *record, enum capture_class class_of)
{
	store->entries[record->class_of]--;
	store->granules[record->class_of] -= record->granules;
	record->class_of = (uint8_t)class_of;
	store->entries[class_of]++;
	store->granules[class_of] += record->granules;
}

/* Puts a record behind all that have ended in its class. */
static void list_as_newest(struct capture_store *store, struct record *record)
{
	list_remove(&record->node);
	list_push_back(&store->ended[record->class_of], &record->node);
	record->ended_order = store->ends++;
}

static struct record *oldest_of(struct capture_store *store, enum capture_class class_of)
{
	struct list *list = &store->ended[class_of];

	return list_empty(list) ? NULL : container_of(list->next, struct record, node);
}

static enum capture_class choose(
	struct capture_store *store, enum store_bound bound, enum capture_class newcomer)
{
	struct retention_holding holdings[CLASSES];

	for (unsigned i = 0; i < CLASSES; i++) {
		const struct record *oldest = oldest_of(store, (enum capture_class)i);

		holdings[i] = (struct retention_holding){
			.amount = bound == STORE_ENTRIES ? store->entries[i] : store->granules[i],
			.evictable = oldest != NULL,
		};
		if (oldest != NULL) {
			holdings[i].oldest = oldest->ended_order;
			holdings[i].gives = bound == STORE_ENTRIES ? 1 : oldest->granules;
		}
	}
	return retention_choose(holdings,
		bound == STORE_ENTRIES ? store->capacity : store->region.granules, newcomer);
}

/* --- fetching ahead. What goes next was last touched as long ago as the ring is large: its memory
 * is in no cache, and the next record will be written into it. Asked for one exchange ahead, it is
 * there in time; otherwise its reads are waited for under the lock, and its writes at the next
 * atomic instruction: 4 us of a POST of 64 KiB. */

static void fetch(const void *memory, unsigned granules)
{
	for (unsigned i = 0; i < granules; i++) {
		__builtin_prefetch((const char *)memory + (size_t)i * REGION_GRANULE, 1);
	}
}

static void fetch_piece(const struct record_body_data *body)
{
	const struct record_piece *piece = atomic_load_explicit(&body->first, memory_order_relaxed);

	if (piece != NULL) {
		fetch(piece, 1);
	}
}

static void fetch_ahead(struct capture_store *store, enum capture_class class_of)
{
	struct list *list = &store->ended[class_of];
	struct list *next = list->next;

	if (next != list && next->next != list) {
		const struct record *record = container_of(next, struct record, node);

		fetch(container_of(next->next, struct record, node), FETCHED_AHEAD);
		fetch_piece(&record->request_body); /* itself fetched the last time */
		fetch_piece(&record->response_body);
	}
}

/* Makes one record go. False where none may. */
static bool evict(struct capture_store *store, enum store_bound bound, enum capture_class newcomer)
{
	for (;;) { /* ends: a failed mutation goes on as a mutation once */
		enum capture_class class_of = choose(store, bound, newcomer);
		struct record *record;

		if (class_of == CLASSES) {
			return false;
		}
		record = oldest_of(store, class_of);
		if (class_of != CLASS_FAILED || !record->mutation) {
			event_log_tell(store->events, EVENT_EVICTED, record->seq);
			take_out(store, record);
			store->evicted[bound]++;
			fetch_ahead(store, class_of);
			return true;
		}
		move_to_class(store, record, CLASS_MUTATION);
		list_as_newest(store, record);
	}
}

/* --- memory. All of these want the lock */

/* A run of `wanted` granules, or of at least `least`; others go for it where need be. */
static void *take_run(struct capture_store *store, uint32_t wanted, uint32_t least,
	enum capture_class class_of, uint32_t *got)
{
	uint32_t taken = store->region.taken;

	for (;;) {
		void *run = region_take(&store->region, wanted, least, got);

		if (run != NULL) {
			return run;
		}
		if (taken - store->region.taken >= (uint64_t)least * EVICTION_FACTOR ||
			!evict(store, STORE_BYTES, class_of)) {
			return NULL;
		}
	}
}

static void account(struct capture_store *store, struct record *record, uint32_t granules)
{
	record->granules += granules;
	store->granules[record->class_of] += granules;
}

static void unaccount(struct capture_store *store, struct record *record, uint32_t granules)
{
	record->granules -= granules;
	store->granules[record->class_of] -= granules;
}

static void trim_piece(struct capture_store *store, struct record *record,
	struct record_piece *piece, size_t filled)
{
	uint32_t kept = region_granules(record_piece_overhead(piece->has_hash) + filled);

	if (kept < piece->granules) {
		region_trim(&store->region, piece, piece->granules, kept);
		unaccount(store, record, piece->granules - kept);
		piece->granules = kept;
	}
}

/* What was not used of the last chunk goes back. */
static void trim_chunk(struct capture_store *store, struct record *record)
{
	struct record_chunk *chunk = record->chunk.older;
	uint32_t kept = region_granules(chunk->used);

	if (kept < chunk->granules) {
		region_trim(&store->region, chunk, chunk->granules, kept);
		unaccount(store, record, chunk->granules - kept);
		chunk->granules = kept;
	}
}

static struct record_chunk *add_chunk(
	struct capture_store *store, struct record *record, size_t size)
{
	uint32_t wanted = region_granules(sizeof(struct record_chunk) + size);
	uint32_t granules;
	struct record_chunk *chunk = take_run(store, wanted, wanted, record->class_of, &granules);

	if (chunk == NULL) {
		return NULL;
	}
	*chunk = (struct record_chunk){
		.older = record->chunk.older, .granules = granules, .used = sizeof(*chunk)};
	record->chunk.older = chunk;
	account(store, record, granules);
	return chunk;
}

/* --- life */

struct capture_store *capture_store_create(const struct inspector_settings *settings)
{
	struct capture_store *store = mem_zalloc(sizeof(*store));

	if (pthread_mutex_init(&store->lock, NULL) != 0) {
		abort(); /* the system is out of memory */
	}
	for (unsigned i = 0; i < STORE_MESSAGE_LOCKS; i++) {
		if (pthread_mutex_init(&store->message_locks[i], NULL) != 0) {
			abort();
		}
	}
	atomic_init(&store->next_seq, 1);
	store->polls = poll_log_create(settings->capture.rows, &store->next_seq);
	store->events = event_log_create();
	store->id_seed = random_u64();
	store->capacity = settings->capture.entries;
	region_init(&store->region, settings->capture.memory);
	order_init(&store->order, store->capacity);
	for (unsigned i = 0; i < CLASSES; i++) {
		list_init(&store->ended[i]);
	}
	return store;
}

void capture_store_destroy(struct capture_store *store)
{
	if (store == NULL) {
		return;
	}
	order_fini(&store->order);
	region_fini(&store->region);
	poll_log_destroy(store->polls);
	event_log_destroy(store->events);
	for (unsigned i = 0; i < STORE_MESSAGE_LOCKS; i++) {
		pthread_mutex_destroy(&store->message_locks[i]);
	}
	pthread_mutex_destroy(&store->lock);
	mem_free(store);
}

uint64_t capture_store_memory_max(const struct inspector_settings *settings)
{
	return sizeof(struct capture_store) + region_memory_max(settings->capture.memory) +
	       order_memory_max(settings->capture.entries) + event_log_memory_max() +
	       (uint64_t)settings->capture.rows * sizeof(struct poll_row);
}

struct poll_log *capture_store_polls(struct capture_store *store)
{
	return store->polls;
}

struct event_log *capture_store_events(struct capture_store *store)
{
	return store->events;
}

uint64_t capture_store_next_seq(const struct capture_store *store)
{
	return atomic_load_explicit(&store->next_seq, memory_order_relaxed);
}

/* --- recording */

uint64_t store_hash_id(const struct capture_store *store, struct slice request_id)
{
	return XXH3_64bits_withSeed(request_id.ptr, request_id.len, store->id_seed);
}

static void *use_reserve(
	struct capture_store *store, struct capture_reserve *reserve, uint32_t wanted)
{
	void *run = reserve->run;

	if (run == NULL) {
		return NULL;
	}
	reserve->run = NULL;
	store->reserved -= reserve->granules;
	if (reserve->granules < wanted) {
		region_give(&store->region, run, reserve->granules);
		return NULL;
	}
	if (reserve->granules > wanted) {
		region_trim(&store->region, run, reserve->granules, wanted);
	}
	return run;
}

/* Room for what is likely to be added is a guess: nothing goes for an unusual one, and none is made
 * where memory is small. */
static uint32_t granules_with(const struct capture_store *store, size_t size, size_t more)
{
	uint32_t wanted = region_granules(sizeof(struct record) + size + more);

	if (more > MORE_MAX || wanted > store->region.granules / RESERVE_SHARE) {
		wanted = region_granules(sizeof(struct record) + size);
	}
	return wanted;
}

/* The next record is likely to be as long as this one. */
static void make_reserve(struct capture_store *store, struct capture_reserve *reserve,
	uint32_t wanted, enum capture_class class_of)
{
	if (wanted <= store->region.granules / RESERVE_SHARE) {
		reserve->run = take_run(store, wanted, wanted, class_of, &reserve->granules);
		if (reserve->run != NULL) {
			store->reserved += wanted;
			fetch(reserve->run, wanted < FETCHED_AHEAD ? wanted : FETCHED_AHEAD);
		}
	}
}

static struct record *begin(struct capture_store *store, struct capture_reserve *reserve,
	size_t size, size_t more, enum capture_class class_of, uint64_t id_hash)
{
	uint32_t wanted = granules_with(store, size, more);
	uint32_t granules = wanted;
	struct record *record;

	while (store->count >= store->capacity) {
		if (store->capacity == 0 || !evict(store, STORE_ENTRIES, class_of)) {
			return NULL;
		}
	}
	record = use_reserve(store, reserve, wanted);
	if (record == NULL) {
		record = take_run(store, wanted, wanted, class_of, &granules);
	}
	if (record == NULL) {
		return NULL;
	}
	record->chunk = (struct record_chunk){.older = &record->chunk,
		.granules = granules,
		.used = (uint32_t)(record_aligned(sizeof(*record) + size))};
	list_init(&record->node);
	record->seq = atomic_fetch_add_explicit(&store->next_seq, 1, memory_order_relaxed);
	atomic_init(&record->references, 1);
	atomic_init(&record->published, false);
	record->granules = 0;
	record->class_of = (uint8_t)class_of;
	record->mutation = class_of == CLASS_MUTATION;
	account(store, record, granules);
	store->entries[class_of]++;
	store->count++;
	store->running++;
	order_push(&store->order, record->seq, id_hash, record);
	make_reserve(store, reserve, wanted, class_of);
	return record;
}

struct record *capture_store_begin(struct capture_store *store, struct capture_reserve *reserve,
	size_t size, size_t more, enum capture_class class_of, struct slice request_id)
{
	uint64_t id_hash = store_hash_id(store, request_id);
	struct record *record;

	store_lock(store);
	record = begin(store, reserve, size, more, class_of, id_hash);
	store->dropped += record == NULL;
	store_unlock(store);
	return record;
}

void capture_store_give_back(struct capture_store *store, struct capture_reserve *reserve)
{
	if (reserve->run != NULL) {
		store_lock(store);
		region_give(&store->region, reserve->run, reserve->granules);
		store->reserved -= reserve->granules;
		store_unlock(store);
		reserve->run = NULL;
	}
}

void capture_store_publish(struct record *record)
{
	atomic_store_explicit(&record->published, true, memory_order_release);
}

static size_t room_of(const struct record_chunk *chunk)
{
	return (size_t)chunk->granules * REGION_GRANULE - chunk->used;
}

void *capture_store_add(struct capture_store *store, struct record *record, size_t size)
{
	struct record_chunk *chunk = record->chunk.older;
	char *at;

	size = record_aligned(size);
	if (room_of(chunk) < size) {
		store_lock(store);
		chunk = add_chunk(store, record, size);
		store_unlock(store);
		if (chunk == NULL) {
			return NULL;
		}
	}
	at = (char *)chunk + chunk->used;
	chunk->used += (uint32_t)size;
	return at;
}

pthread_mutex_t *capture_store_message_lock(
	struct capture_store *store, const struct record *record)
{
	return &store->message_locks[record->seq % STORE_MESSAGE_LOCKS];
}

/* A body in a few pieces: one in many is locked for, and waited for, many times over. */
static uint32_t piece_least(uint32_t granules)
{
	uint32_t least = granules / 4;

	if (least < PIECE_LEAST) {
		least = granules < PIECE_LEAST ? granules : PIECE_LEAST;
	}
	return least;
}

struct record_piece *capture_store_add_piece(
	struct capture_store *store, struct record *record, size_t wanted, bool has_hash)
{
	size_t overhead = record_piece_overhead(has_hash);
	uint32_t granules = region_granules(overhead + wanted);
	uint32_t least = piece_least(granules);
	uint32_t got;
	struct record_piece *piece;

	store_lock(store);
	piece = take_run(store, granules, least, record->class_of, &got);
	if (piece != NULL) {
		account(store, record, got);
	}
	store_unlock(store);
	if (piece == NULL) {
		return NULL;
	}
	atomic_init(&piece->next, NULL);
	piece->granules = got;
	/* Below 31 bits: a piece is much shorter (PIECE_MAX in body_recorder.c). */
	piece->capacity = (got * REGION_GRANULE - (uint32_t)overhead) & INT32_MAX;
	piece->has_hash = has_hash;
	return piece;
}

void capture_store_end(
	struct capture_store *store, struct record *record, const struct capture_ending *ending)
{
	store_lock(store);
	for (unsigned i = 0; i < 2; i++) {
		if (ending->last[i] != NULL) {
			trim_piece(store, record, ending->last[i], ending->filled[i]);
		}
	}
	trim_chunk(store, record);
	if (ending->failed) {
		move_to_class(store, record, CLASS_FAILED);
	}
	list_as_newest(store, record);
	store->running--;
	store->ended_count++;
	store->truncated += ending->truncated;
	store_unlock(store);
}

/* --- going at the reader's wish */

void capture_store_hold(struct record *record)
{
	atomic_fetch_add_explicit(&record->references, 1, memory_order_relaxed);
}

void capture_store_release(struct capture_store *store, struct record *record)
{
	if (record != NULL && drop_reference(record)) {
		store_lock(store);
		free_record(store, record);
		store_unlock(store);
	}
}

/* Takes some out that ended before `limit`. False where there are none left. */
static bool clear_some(struct capture_store *store, uint64_t limit)
{
	unsigned cleared = 0;

	store_lock(store);
	for (unsigned i = 0; i < CLASSES; i++) {
		struct record *record;

		while (cleared < CLEARED_A_TURN &&
			(record = oldest_of(store, (enum capture_class)i)) != NULL &&
			record->ended_order < limit) {
			take_out(store, record);
			cleared++;
		}
	}
	store_unlock(store);
	return cleared == CLEARED_A_TURN;
}

void capture_store_clear(struct capture_store *store)
{
	uint64_t limit;

	store_lock(store);
	limit = store->ends;
	store_unlock(store);
	while (clear_some(store, limit)) {
	}
	poll_log_clear(store->polls);
	event_log_tell(store->events, EVENT_CLEARED, 0);
}
