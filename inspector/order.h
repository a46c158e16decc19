/*
 * Layer: inspector. One job: the records of the ring in the order of their sequence numbers, so
 * that one is found by its number in a few steps, and a walk goes on after whatever came or went
 * meanwhile.
 *
 * An array used as a ring: records come at its end, and leave holes where they go from. Once the
 * array is full of holes, they are taken out; it has room for twice the records that it may hold,
 * so this costs some two steps a record. No locks: its owner has one.
 */
#ifndef SIGHTGLASS_INSPECTOR_ORDER_H
#define SIGHTGLASS_INSPECTOR_ORDER_H

#include <stddef.h>
#include <stdint.h>

struct record;

struct order_slot {
	uint64_t seq;
	uint64_t id_hash;      /* of its request ID: finds it without a look into the record */
	struct record *record; /* NULL: a hole */
};

struct order {
	struct order_slot *slots;
	uint64_t mask;
	uint64_t first; /* positions count on forever; first <= position < end */
	uint64_t end;
};

/* For at most `records` at a time. */
void order_init(struct order *order, uint32_t records);
void order_fini(struct order *order);
uint64_t order_memory_max(uint32_t records);

/* `seq` is above all that came before. */
void order_push(struct order *order, uint64_t seq, uint64_t id_hash, struct record *record);
/* Leaves a hole where `seq` stood; it is there. */
void order_remove(struct order *order, uint64_t seq);
/* The position of the first slot (hole or not) whose number is at least `seq`; order->end where
 * there is none. */
uint64_t order_find(const struct order *order, uint64_t seq);
static inline const struct order_slot *order_at(const struct order *order, uint64_t position)
{
	return &order->slots[position & order->mask];
}

#endif
