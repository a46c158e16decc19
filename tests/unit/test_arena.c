/*
 * The memory of one exchange, and its bound.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"

enum {
	BOUND = 64 * 1024,
	KEPT = 2,
};

struct fixture {
	struct arena_pool pool;
	struct arena arena;
};

static int setup(void **state)
{
	static struct fixture fixture;

	arena_pool_init(&fixture.pool, KEPT);
	arena_init(&fixture.arena, &fixture.pool, BOUND);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_reset(&f->arena);
	arena_pool_fini(&f->pool);
	return 0;
}

static void allocations_are_aligned_and_do_not_overlap(void **state)
{
	struct fixture *f = *state;
	unsigned char *pieces[100];
	size_t sizes[100];

	for (unsigned i = 0; i < 100; i++) {
		sizes[i] = i * 7 % 600;
		pieces[i] = arena_alloc(&f->arena, sizes[i]);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % 16, 0);
		memset(pieces[i], (int)i, sizes[i]);
	}
	for (unsigned i = 0; i < 100; i++) {
		for (size_t at = 0; at < sizes[i]; at++) {
			assert_int_equal(pieces[i][at], i);
		}
	}
}

static void the_bound_is_an_answer_and_not_passed_by_a_byte(void **state)
{
	struct fixture *f = *state;

	assert_null(arena_alloc(&f->arena, BOUND + 1));
	assert_null(arena_alloc(&f->arena, SIZE_MAX));
	assert_null(arena_alloc(&f->arena, SIZE_MAX - 14));
	assert_non_null(arena_alloc(&f->arena, BOUND - 16));
	assert_null(arena_alloc(&f->arena, 17));
	assert_non_null(arena_alloc(&f->arena, 16));
	assert_null(arena_alloc(&f->arena, 0));
	arena_reset(&f->arena);
	assert_non_null(arena_alloc(&f->arena, BOUND));
}

static void an_unused_arena_takes_no_block_and_a_busy_loop_no_heap(void **state)
{
	struct fixture *f = *state;
	void *first;

	assert_null(f->arena.blocks);
	first = arena_alloc(&f->arena, 100);
	arena_reset(&f->arena);
	assert_int_equal(f->pool.count, 1);
	assert_ptr_equal(arena_alloc(&f->arena, 100), first);
	assert_int_equal(f->pool.count, 0);
}

static void a_pool_keeps_no_more_blocks_than_it_was_told(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 10; i++) {
		assert_non_null(arena_alloc(&f->arena, 2000));
	}
	assert_non_null(arena_alloc(&f->arena, 20000)); /* a heap block of its own is never kept */
	arena_reset(&f->arena);
	assert_int_equal(f->pool.count, KEPT);
	assert_int_equal(f->arena.used, 0);
}

static void a_large_allocation_leaves_the_newest_block_in_use(void **state)
{
	struct fixture *f = *state;
	char *before = arena_alloc(&f->arena, 16);

	assert_non_null(arena_alloc(&f->arena, 10000));
	assert_ptr_equal(arena_alloc(&f->arena, 16), before + 16);
}

static void a_copy_ends_in_a_nul_that_does_not_count(void **state)
{
	struct fixture *f = *state;
	struct slice copy;

	assert_true(arena_dup(&f->arena, SLICE("abc"), &copy));
	assert_int_equal(copy.len, 3);
	assert_string_equal(copy.ptr, "abc");
	assert_true(arena_dup(&f->arena, slice_of(NULL, 0), &copy));
	assert_int_equal(copy.len, 0);
	assert_string_equal(copy.ptr, "");
	assert_false(arena_dup(&f->arena, slice_of("", BOUND), &copy));
}

static void the_latest_allocation_grows_in_place_and_others_move(void **state)
{
	struct fixture *f = *state;
	char *piece = arena_grow(&f->arena, NULL, 0, 10);
	char *moved;

	memcpy(piece, "0123456789", 10);
	assert_ptr_equal(arena_grow(&f->arena, piece, 10, 100), piece);
	assert_int_equal(f->arena.used, 112);
	assert_non_null(arena_alloc(&f->arena, 1));
	moved = arena_grow(&f->arena, piece, 100, 200);
	assert_ptr_not_equal(moved, piece);
	assert_memory_equal(moved, "0123456789", 10);
	moved = arena_grow(&f->arena, moved, 200, 30000); /* beyond its block */
	assert_memory_equal(moved, "0123456789", 10);
	assert_null(arena_grow(&f->arena, moved, 30000, BOUND));
	assert_null(arena_grow(&f->arena, moved, 30000, SIZE_MAX));
	assert_memory_equal(moved, "0123456789", 10);
}

static void growing_in_place_counts_against_the_bound(void **state)
{
	struct fixture *f = *state;
	struct arena small;
	char *piece;

	arena_init(&small, &f->pool, 64);
	piece = arena_alloc(&small, 16);
	assert_null(arena_grow(&small, piece, 16, 65));
	assert_ptr_equal(arena_grow(&small, piece, 16, 64), piece);
	assert_null(arena_alloc(&small, 1));
	arena_reset(&small);
	assert_non_null(arena_alloc(&small, 16));
	piece = arena_alloc(&small, 16);
	assert_null(arena_grow(&small, piece, 16, 49));
	assert_ptr_equal(arena_grow(&small, piece, 16, 48), piece);
	arena_reset(&small);
}

static void a_wiped_arena_leaves_no_byte_in_its_blocks(void **state)
{
	struct fixture *f = *state;
	struct slice copy;
	char *again;

	assert_true(arena_dup(&f->arena, SLICE("the secret"), &copy));
	arena_wipe(&f->arena);
	again = arena_alloc(&f->arena, sizeof("the secret")); /* the same block, kept by the pool */
	assert_ptr_equal(again, copy.ptr);
	for (size_t i = 0; i < sizeof("the secret"); i++) {
		assert_int_equal(again[i], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			allocations_are_aligned_and_do_not_overlap, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_bound_is_an_answer_and_not_passed_by_a_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_unused_arena_takes_no_block_and_a_busy_loop_no_heap, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_pool_keeps_no_more_blocks_than_it_was_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_large_allocation_leaves_the_newest_block_in_use, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_copy_ends_in_a_nul_that_does_not_count, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_latest_allocation_grows_in_place_and_others_move, setup, teardown),
		cmocka_unit_test_setup_teardown(
			growing_in_place_counts_against_the_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_wiped_arena_leaves_no_byte_in_its_blocks, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
