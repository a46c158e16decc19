/*
 * Layer: inspector. One job: records by sequence number; see order.h.
 */
#include "inspector/order.h"

#include <assert.h>

#include "base/memory.h"

enum {
	SLOTS_MIN = 64,
};

static uint64_t slots_for(uint32_t records)
{
	uint64_t slots = SLOTS_MIN;

	while (slots < 2 * (uint64_t)records) {
		slots *= 2;
	}
	return slots;
}

void order_init(struct order *order, uint32_t records)
{
	uint64_t slots = slots_for(records);

	*order = (struct order){
		.slots = mem_alloc_array((size_t)slots, sizeof(*order->slots)),
		.mask = slots - 1,
	};
}

void order_fini(struct order *order)
{
	mem_free(order->slots);
}

uint64_t order_memory_max(uint32_t records)
{
	return slots_for(records) * sizeof(struct order_slot);
}

static struct order_slot *slot_at(struct order *order, uint64_t position)
{
	return &order->slots[position & order->mask];
}

static void take_out_holes(struct order *order)
{
	uint64_t to = order->first;

	for (uint64_t from = order->first; from < order->end; from++) {
		if (slot_at(order, from)->record != NULL) {
			*slot_at(order, to) = *slot_at(order, from);
			to++;
		}
	}
	order->end = to;
}

void order_push(struct order *order, uint64_t seq, uint64_t id_hash, struct record *record)
{
	if (order->end - order->first > order->mask) {
		take_out_holes(order);
		assert(order->end - order->first <= order->mask);
	}
	*slot_at(order, order->end) =
		(struct order_slot){.seq = seq, .id_hash = id_hash, .record = record};
	order->end++;
}

uint64_t order_find(const struct order *order, uint64_t seq)
{
	uint64_t low = order->first;
	uint64_t high = order->end;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (order_at(order, middle)->seq < seq) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

void order_remove(struct order *order, uint64_t seq)
{
	uint64_t position = order_find(order, seq);
	struct order_slot *slot = slot_at(order, position);

	assert(position < order->end && slot->seq == seq && slot->record != NULL);
	slot->record = NULL;
	while (order->first < order->end && slot_at(order, order->first)->record == NULL) {
		order->first++;
	}
	while (order->first < order->end && slot_at(order, order->end - 1)->record == NULL) {
		order->end--;
	}
}
