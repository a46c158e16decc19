/*
 * Layer: pool. One job: see address_order.h.
 */
#include "pool/address_order.h"

#include <assert.h>
#include <stdbool.h>

void address_mark_failed(struct address_mark *mark, uint64_t now_ms)
{
	if (now_ms < mark->until_ms) {
		return;
	}
	if (mark->length_ms == 0) {
		mark->length_ms = ADDRESS_MARK_MS;
	} else if (mark->length_ms < ADDRESS_MARK_MAX_MS / 2) {
		mark->length_ms *= 2;
	} else {
		mark->length_ms = ADDRESS_MARK_MAX_MS;
	}
	mark->until_ms = now_ms + mark->length_ms;
}

void address_mark_worked(struct address_mark *mark)
{
	*mark = (struct address_mark){.until_ms = 0};
}

/* The first index from `from` on whose address is, or is not, of this family; `count` where there
 * is none. */
static uint8_t find_family(
	const sa_family_t *families, uint8_t count, uint8_t from, sa_family_t family, bool is)
{
	while (from < count && (families[from] == family) != is) {
		from++;
	}
	return from;
}

void address_order_interleave(
	const sa_family_t *families, uint8_t count, uint8_t order[static ADDRESS_ORDER_MAX])
{
	uint8_t next_first = 0; /* of the first one's family */
	uint8_t next_other = 0;

	assert(count <= ADDRESS_ORDER_MAX);
	for (uint8_t i = 0; i < count; i++) {
		bool take_first;

		next_first = find_family(families, count, next_first, families[0], true);
		next_other = find_family(families, count, next_other, families[0], false);
		take_first = next_other == count || (next_first < count && i % 2 == 0);
		order[i] = take_first ? next_first++ : next_other++;
	}
}

void address_order_by_marks(const struct address_mark *marks, uint8_t count, uint64_t now_ms,
	uint8_t order[static ADDRESS_ORDER_MAX])
{
	uint8_t filled = 0;

	assert(count <= ADDRESS_ORDER_MAX);
	for (uint8_t i = 0; i < count; i++) {
		if (now_ms >= marks[i].until_ms) {
			order[filled++] = i;
		}
	}
	for (uint8_t i = 0; i < count; i++) {
		if (now_ms < marks[i].until_ms) {
			order[filled++] = i;
		}
	}
}
