#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

enum {
	COUNT = 20000,
	THREADS = 3,
};

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a;
	const uint64_t *y = b;

	return (*x > *y) - (*x < *y);
}

static void *draw(void *out)
{
	uint64_t *values = out;

	for (size_t i = 0; i < COUNT; i++) {
		random_unique(&values[i], sizeof(values[i]));
	}
	return NULL;
}

static void no_two_are_alike_whichever_thread_drew_them(void **state)
{
	static uint64_t values[THREADS * COUNT];
	pthread_t threads[THREADS];

	(void)state;
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, draw, values + i * COUNT), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	qsort(values, THREADS * COUNT, sizeof(values[0]), compare);
	for (size_t i = 1; i < (size_t)THREADS * COUNT; i++) {
		assert_true(values[i - 1] < values[i]);
	}
}

static void every_bit_is_set_about_half_of_the_time(void **state)
{
	static uint64_t values[COUNT];

	(void)state;
	draw(values);
	for (unsigned bit = 0; bit < 64; bit++) {
		unsigned set = 0;

		for (size_t i = 0; i < COUNT; i++) {
			set += (unsigned)(values[i] >> bit) & 1;
		}
		/* Seven standard deviations: once in 10^10 runs by chance. */
		assert_in_range(set, COUNT / 2 - 495, COUNT / 2 + 495);
	}
}

static void it_fills_any_length_and_nothing_behind_it(void **state)
{
	unsigned char bytes[32];

	(void)state;
	for (size_t len = 0; len <= 24; len++) {
		unsigned seen = 0;

		for (unsigned i = 0; i < 64; i++) { /* each byte differs from the mark once */
			memset(bytes, 0x5a, sizeof(bytes));
			random_unique(bytes, len);
			for (size_t at = 0; at < len; at++) {
				seen |= bytes[at] != 0x5a ? 1u << at : 0;
			}
			for (size_t at = len; at < sizeof(bytes); at++) {
				assert_int_equal(bytes[at], 0x5a);
			}
		}
		assert_int_equal(seen, (1u << len) - 1);
	}
}

static void what_may_not_be_guessed_is_new_each_time(void **state)
{
	unsigned char one[16] = {0};
	unsigned char other[16] = {0};

	(void)state;
	random_bytes(one, sizeof(one));
	random_bytes(other, sizeof(other));
	assert_memory_not_equal(one, other, sizeof(one));
	assert_true(random_u64() != random_u64());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_two_are_alike_whichever_thread_drew_them),
		cmocka_unit_test(every_bit_is_set_about_half_of_the_time),
		cmocka_unit_test(it_fills_any_length_and_nothing_behind_it),
		cmocka_unit_test(what_may_not_be_guessed_is_new_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
