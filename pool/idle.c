/*
 * Layer: pool. One job: see idle.h.
 */
#include "pool/idle.h"

enum {
	KEEP_ALIVE_MARGIN_MS = 1000,
	JITTER_STEPS = 1024,
};

static struct idle_entry *entry_of(struct list *node)
{
	return container_of(node, struct idle_entry, node);
}

void idle_init(struct idle_list *idle)
{
	list_init(&idle->entries);
	idle->count = 0;
}

uint64_t idle_limit_ms(uint64_t timeout_ms, uint64_t keep_alive_ms)
{
	uint64_t limit = timeout_ms == 0 ? IDLE_FOREVER : timeout_ms;

	if (keep_alive_ms != 0) {
		uint64_t stated = keep_alive_ms > KEEP_ALIVE_MARGIN_MS
					  ? keep_alive_ms - KEEP_ALIVE_MARGIN_MS
					  : 0;

		limit = stated < limit ? stated : limit;
	}
	return limit;
}

uint64_t idle_retire_ms(uint64_t now_ms, uint64_t max_age_ms, uint64_t number)
{
	/* Multiples of the golden ratio spread evenly, however many there are (Knuth, TAOCP
	 * 3, 6.4). */
	uint64_t step = (number * UINT64_C(0x9E3779B97F4A7C15)) >> 54;
	uint64_t fifth = max_age_ms / 5;
	uint64_t age;

	_Static_assert(JITTER_STEPS == 1 << (64 - 54), "`step` is below JITTER_STEPS");
	if (max_age_ms == 0) {
		return IDLE_FOREVER;
	}
	/* Divided first where a product could overflow: then the age is so great that what is lost
	 * does not matter. */
	age = max_age_ms - fifth / 2 +
	      (fifth > UINT64_MAX / JITTER_STEPS ? fifth / JITTER_STEPS * step
						 : fifth * step / JITTER_STEPS);
	return age < IDLE_FOREVER - now_ms ? now_ms + age : IDLE_FOREVER;
}

void idle_park(struct idle_list *idle, struct idle_entry *entry, uint64_t now_ms, uint64_t until_ms)
{
	entry->since_ms = now_ms;
	entry->until_ms = until_ms;
	list_push_front(&idle->entries, &entry->node);
	idle->count++;
}

void idle_remove(struct idle_list *idle, struct idle_entry *entry)
{
	list_remove(&entry->node);
	idle->count--;
}

struct idle_entry *idle_take(
	struct idle_list *idle, uint64_t now_ms, uint64_t within_ms, uint64_t key)
{
	list_each (node, after, &idle->entries) {
		struct idle_entry *entry = entry_of(node);

		if (within_ms != 0 && now_ms - entry->since_ms > within_ms) {
			return NULL; /* those that follow are older still */
		}
		if (now_ms < entry->until_ms && entry->key == key) {
			idle_remove(idle, entry);
			return entry;
		}
	}
	return NULL;
}

struct idle_entry *idle_oldest(const struct idle_list *idle)
{
	return list_empty(&idle->entries) ? NULL : entry_of(idle->entries.prev);
}

uint32_t idle_count_since(const struct idle_list *idle, uint64_t now_ms, uint64_t for_ms)
{
	uint32_t count = 0;

	for (struct list *node = idle->entries.prev; node != &idle->entries; node = node->prev) {
		if (now_ms - entry_of(node)->since_ms < for_ms) {
			break; /* those that follow are younger still */
		}
		count++;
	}
	return count;
}

struct idle_entry *idle_pop_expired(struct idle_list *idle, uint64_t now_ms)
{
	for (struct list *node = idle->entries.prev; node != &idle->entries; node = node->prev) {
		struct idle_entry *entry = entry_of(node);

		if (now_ms >= entry->until_ms) {
			idle_remove(idle, entry);
			return entry;
		}
	}
	return NULL;
}

uint64_t idle_next_ms(const struct idle_list *idle)
{
	uint64_t next = IDLE_FOREVER;

	for (struct list *node = idle->entries.next; node != &idle->entries; node = node->next) {
		struct idle_entry *entry = entry_of(node);

		next = entry->until_ms < next ? entry->until_ms : next;
	}
	return next;
}
