/*
 * Layer: inspector. One job: find records in the store, and count them; see store.h.
 */
#include "inspector/store_layout.h"

enum {
	SLOTS_A_LOOK = 512, /* how many slots are looked at before others get the lock */
};

static bool is_published(const struct record *record)
{
	return atomic_load_explicit(&record->published, memory_order_acquire);
}

/* A walk over the slots from the newest below `before` on, which lets go of the lock now and then.
 */
struct walk {
	uint64_t before; /* what is left are the slots below this */
	uint64_t after;
	bool done;
};

typedef bool (*visit_fn)(void *context, const struct order_slot *slot); /* false: no more */

/* Looks at some slots, the newest first. Wants the lock. */
static void walk_on(struct capture_store *store, struct walk *walk, visit_fn visit, void *context)
{
	uint64_t position = order_find(&store->order, walk->before);

	for (unsigned looked = 0; looked < SLOTS_A_LOOK; looked++) {
		const struct order_slot *slot;

		if (position == store->order.first) {
			walk->done = true;
			return;
		}
		position--;
		slot = order_at(&store->order, position);
		if (slot->seq <= walk->after) {
			walk->done = true;
			return;
		}
		walk->before = slot->seq;
		if (slot->record != NULL && is_published(slot->record) && !visit(context, slot)) {
			walk->done = true;
			return;
		}
	}
}

static void walk_through(
	struct capture_store *store, uint64_t before, uint64_t after, visit_fn visit, void *context)
{
	struct walk walk = {.before = before, .after = after, .done = false};

	while (!walk.done) {
		store_lock(store);
		walk_on(store, &walk, visit, context);
		store_unlock(store);
	}
}

struct taking {
	struct record **out;
	size_t count;
	size_t max;
};

static bool take_one(void *context, const struct order_slot *slot)
{
	struct taking *taking = context;

	capture_store_hold(slot->record);
	taking->out[taking->count++] = slot->record;
	return taking->count < taking->max;
}

size_t capture_store_take(struct capture_store *store, uint64_t before, uint64_t after,
	struct record **out, size_t max)
{
	struct taking taking = {.out = out, .count = 0, .max = max};

	if (max > 0) {
		walk_through(store, before, after, take_one, &taking);
	}
	return taking.count;
}

struct record *capture_store_find_seq(struct capture_store *store, uint64_t seq)
{
	struct record *record = NULL;
	uint64_t position;

	store_lock(store);
	position = order_find(&store->order, seq);
	if (position < store->order.end) {
		const struct order_slot *slot = order_at(&store->order, position);

		if (slot->seq == seq && slot->record != NULL && is_published(slot->record)) {
			record = slot->record;
			capture_store_hold(record);
		}
	}
	store_unlock(store);
	return record;
}

struct seeking {
	struct slice id;
	uint64_t hash;
	struct record *found;
};

static bool compare_id(void *context, const struct order_slot *slot)
{
	struct seeking *seeking = context;
	struct slice id;

	if (slot->id_hash != seeking->hash) {
		return true;
	}
	id = slice_of((const char *)slot->record + slot->record->request_id.at,
		slot->record->request_id.len);
	if (!slice_equal(id, seeking->id)) {
		return true;
	}
	capture_store_hold(slot->record);
	seeking->found = slot->record;
	return false;
}

struct record *capture_store_find_id(struct capture_store *store, struct slice request_id)
{
	struct seeking seeking = {
		.id = request_id, .hash = store_hash_id(store, request_id), .found = NULL};

	if (request_id.len > 0) { /* some have none: nobody asks for those by ID */
		walk_through(store, UINT64_MAX, 0, compare_id, &seeking);
	}
	return seeking.found;
}

void capture_store_pause(struct capture_store *store, bool paused)
{
	atomic_store_explicit(&store->paused, paused, memory_order_relaxed);
}

bool capture_store_is_paused(const struct capture_store *store)
{
	return atomic_load_explicit(&store->paused, memory_order_relaxed);
}

void capture_store_counts(struct capture_store *store, struct capture_counts *counts)
{
	*counts = (struct capture_counts){
		.capacity = store->capacity,
		.memory = (uint64_t)store->region.granules * REGION_GRANULE,
		.rows = poll_log_count(store->polls),
		.row_capacity = poll_log_capacity(store->polls),
		.paused = capture_store_is_paused(store),
		.rows_ended = poll_log_total(store->polls),
	};
	store_lock(store);
	for (unsigned i = 0; i < CLASSES; i++) {
		counts->records[i] = store->entries[i];
	}
	counts->count = store->count;
	counts->running = store->running;
	counts->bytes = (uint64_t)(store->region.taken - store->reserved) * REGION_GRANULE;
	counts->evicted_by_entries = store->evicted[STORE_ENTRIES];
	counts->evicted_by_bytes = store->evicted[STORE_BYTES];
	counts->evicted = counts->evicted_by_entries + counts->evicted_by_bytes;
	counts->ended = store->ended_count;
	counts->truncated = store->truncated;
	counts->dropped = store->dropped;
	store_unlock(store);
}
