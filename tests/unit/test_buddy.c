/*
 * The blocks of the capture's region, beside a naive map of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inspector/buddy.h"

enum {
	GRANULES = 1000, /* no power of two */
	BLOCKS = 200,
	STEPS = 20000,
};

struct block {
	char *at; /* NULL: not taken */
	uint32_t granules;
	unsigned char mark;
};

struct model {
	struct buddy buddy;
	bool taken[GRANULES];
	struct block blocks[BLOCKS];
	uint32_t random;
};

static uint32_t draw(struct model *model, uint32_t below)
{
	model->random = model->random * 1664525u + 1013904223u;
	return (model->random >> 8) % below;
}

static uint32_t index_in(const struct model *model, const char *at)
{
	assert_true(at >= model->buddy.base);
	assert_int_equal((at - model->buddy.base) % BUDDY_GRANULE, 0);
	return (uint32_t)((at - model->buddy.base) / BUDDY_GRANULE);
}

static void mark(struct model *model, uint32_t at, uint32_t granules, bool taken)
{
	assert_true(at + granules <= GRANULES);
	for (uint32_t i = at; i < at + granules; i++) {
		assert_int_equal(model->taken[i], !taken);
		model->taken[i] = taken;
	}
}

/* The largest power of two, aligned to its size, that the naive map has free: with perfect
 * coalescing the allocator has it, too. */
static uint32_t largest_free(const struct model *model)
{
	for (uint32_t size = 512; size > 0; size /= 2) {
		for (uint32_t at = 0; at + size <= GRANULES; at += size) {
			uint32_t i = at;

			while (i < at + size && !model->taken[i]) {
				i++;
			}
			if (i == at + size) {
				return size;
			}
		}
	}
	return 0;
}

static uint32_t count_taken(const struct model *model)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < GRANULES; i++) {
		count += model->taken[i];
	}
	return count;
}

static void check_content(const struct block *block)
{
	for (size_t i = 0; i < (size_t)block->granules * BUDDY_GRANULE; i++) {
		assert_int_equal((unsigned char)block->at[i], block->mark);
	}
}

static void take(struct model *model, struct block *block)
{
	uint32_t wanted = 1 + draw(model, draw(model, 10) == 0 ? 300 : 20);
	uint32_t largest = largest_free(model);
	uint32_t got = 0;
	uint32_t power = 1;

	while (power < wanted) {
		power *= 2;
	}
	block->at = buddy_take(&model->buddy, wanted, &got);
	if (block->at == NULL) {
		assert_true(power > largest);
		return;
	}
	assert_int_equal(got, power);
	block->granules = got;
	mark(model, index_in(model, block->at), got, true);
	if (draw(model, 4) > 0) {
		uint32_t kept = wanted;

		buddy_trim(&model->buddy, block->at, got, kept);
		mark(model, index_in(model, block->at) + kept, got - kept, false);
		block->granules = kept;
	}
	block->mark = (unsigned char)draw(model, 256);
	memset(block->at, block->mark, (size_t)block->granules * BUDDY_GRANULE);
}

static void give(struct model *model, struct block *block)
{
	check_content(block);
	mark(model, index_in(model, block->at), block->granules, false);
	buddy_give(&model->buddy, block->at, block->granules);
	block->at = NULL;
}

static void taken_trimmed_and_given_blocks_never_overlap_and_grow_together_again(void **state)
{
	struct model *model = calloc(1, sizeof(*model));

	(void)state;
	model->random = 42;
	buddy_init(&model->buddy,
		GRANULES * BUDDY_GRANULE + 5); /* what is no whole granule is left out */
	assert_int_equal(model->buddy.granules, GRANULES);
	for (unsigned step = 0; step < STEPS; step++) {
		struct block *block = &model->blocks[draw(model, BLOCKS)];

		if (block->at == NULL) {
			take(model, block);
		} else {
			give(model, block);
		}
		assert_int_equal(model->buddy.taken, count_taken(model));
		assert_int_equal(buddy_largest(&model->buddy), largest_free(model));
	}
	for (unsigned i = 0; i < BLOCKS; i++) {
		if (model->blocks[i].at != NULL) {
			give(model, &model->blocks[i]);
		}
	}
	assert_int_equal(model->buddy.taken, 0);
	assert_int_equal(buddy_largest(&model->buddy), 512);
	buddy_fini(&model->buddy);
	free(model);
}

static void a_region_can_be_taken_to_its_last_granule(void **state)
{
	struct buddy buddy;
	uint32_t got;

	(void)state;
	buddy_init(&buddy, GRANULES * BUDDY_GRANULE);
	for (unsigned i = 0; i < GRANULES; i++) {
		assert_non_null(buddy_take(&buddy, 1, &got));
	}
	assert_int_equal(buddy.taken, GRANULES);
	assert_int_equal(buddy_largest(&buddy), 0);
	assert_null(buddy_take(&buddy, 1, &got));
	buddy_fini(&buddy);
}

static void an_empty_region_gives_nothing(void **state)
{
	struct buddy buddy;
	uint32_t got;

	(void)state;
	buddy_init(&buddy, BUDDY_GRANULE - 1);
	assert_null(buddy_take(&buddy, 1, &got));
	assert_int_equal(buddy_largest(&buddy), 0);
	buddy_fini(&buddy);
}

static void more_than_the_region_is_never_given(void **state)
{
	struct buddy buddy;
	uint32_t got;

	(void)state;
	buddy_init(&buddy, 64 * BUDDY_GRANULE);
	assert_null(buddy_take(&buddy, 65, &got));
	assert_null(buddy_take(&buddy, UINT32_MAX, &got));
	assert_non_null(buddy_take(&buddy, 64, &got));
	assert_int_equal(got, 64);
	buddy_fini(&buddy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			taken_trimmed_and_given_blocks_never_overlap_and_grow_together_again),
		cmocka_unit_test(a_region_can_be_taken_to_its_last_granule),
		cmocka_unit_test(an_empty_region_gives_nothing),
		cmocka_unit_test(more_than_the_region_is_never_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
