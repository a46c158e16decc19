/*
 * The runs of the capture's region, beside a naive map of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "inspector/region.h"

enum {
	GRANULES = 1000, /* no power of two */
	RUNS = 200,
	STEPS = 20000,
};

struct run {
	char *at; /* NULL: not taken */
	uint32_t granules;
	unsigned char mark;
};

struct model {
	struct region region;
	bool taken[GRANULES];
	struct run runs[RUNS];
	uint32_t random;
};

static uint32_t draw(struct model *model, uint32_t below)
{
	model->random = model->random * 1664525u + 1013904223u;
	return (model->random >> 8) % below;
}

static uint32_t index_in(const struct model *model, const char *at)
{
	assert_true(at >= model->region.base);
	assert_int_equal((at - model->region.base) % REGION_GRANULE, 0);
	return (uint32_t)((at - model->region.base) / REGION_GRANULE);
}

static void mark(struct model *model, uint32_t at, uint32_t granules, bool taken)
{
	assert_true(at + granules <= GRANULES);
	for (uint32_t i = at; i < at + granules; i++) {
		assert_int_equal(model->taken[i], !taken);
		model->taken[i] = taken;
	}
}

/* The free run that the naive map has at `at`. */
static uint32_t free_at(const struct model *model, uint32_t at)
{
	uint32_t len = 0;

	while (at + len < GRANULES && !model->taken[at + len]) {
		len++;
	}
	return len;
}

/* The lists hold the naive map's free runs, each once; but for the one up to the end, which is
 * fresh. */
static void compare(const struct model *model)
{
	uint32_t wanted[GRANULES] = {0};
	uint32_t runs = 0;
	uint32_t found = 0;
	uint32_t taken = 0;
	uint32_t fresh = GRANULES;

	for (uint32_t at = 0; at < GRANULES; at++) {
		uint32_t len = free_at(model, at);

		taken += model->taken[at];
		if (at + len == GRANULES && len > 0) {
			fresh = at;
			break;
		}
		if (len > 0) {
			wanted[at] = len;
			runs++;
			at += len;
			taken += at < GRANULES;
		}
	}
	for (unsigned level = 0; level < REGION_LEVELS; level++) {
		for (unsigned step = 0; step < REGION_STEPS; step++) {
			const struct list *list = &model->region.free[level][step];

			assert_int_equal(model->region.steps[level] >> step & 1, !list_empty(list));
			for (const struct list *node = list->next; node != list;
				node = node->next) {
				assert_true(wanted[index_in(model, (const char *)node)] > 0);
				found++;
			}
		}
		assert_int_equal(
			model->region.levels >> level & 1, model->region.steps[level] != 0);
	}
	assert_int_equal(found, runs);
	assert_int_equal(model->region.fresh, fresh);
	assert_int_equal(model->region.taken, taken);
}

static uint32_t longest(const struct model *model)
{
	uint32_t most = 0;

	for (uint32_t at = 0; at < GRANULES; at++) {
		uint32_t len = free_at(model, at);

		most = len > most ? len : most;
	}
	return most;
}

static void check_content(const struct run *run)
{
	for (size_t i = 0; i < (size_t)run->granules * REGION_GRANULE; i++) {
		assert_int_equal((unsigned char)run->at[i], run->mark);
	}
}

static void take(struct model *model, struct run *run)
{
	uint32_t wanted = 1 + draw(model, draw(model, 10) == 0 ? 300 : 20);
	uint32_t least = draw(model, 2) == 0 ? wanted : 1 + draw(model, wanted);
	uint32_t most = longest(model);
	uint32_t got = 0;

	run->at = region_take(&model->region, wanted, least, &got);
	if (run->at == NULL) {
		assert_true(most < least + (least + 7) / 8);
		return;
	}
	assert_true(got >= least && got <= wanted);
	if (got < wanted) {
		assert_true(most < wanted + (wanted + 7) / 8); /* none was long enough */
	}
	run->granules = got;
	mark(model, index_in(model, run->at), got, true);
	if (got > 1 && draw(model, 4) == 0) {
		uint32_t kept = 1 + draw(model, got - 1);

		region_trim(&model->region, run->at, got, kept);
		mark(model, index_in(model, run->at) + kept, got - kept, false);
		run->granules = kept;
	}
	run->mark = (unsigned char)draw(model, 256);
	memset(run->at, run->mark, (size_t)run->granules * REGION_GRANULE);
}

static void give(struct model *model, struct run *run)
{
	check_content(run);
	mark(model, index_in(model, run->at), run->granules, false);
	region_give(&model->region, run->at, run->granules);
	run->at = NULL;
}

static void runs_never_overlap_and_free_neighbours_are_one(void **state)
{
	struct model *model = calloc(1, sizeof(*model));

	(void)state;
	model->random = 42;
	region_init(&model->region, GRANULES * REGION_GRANULE + 5); /* the rest is left out */
	assert_int_equal(model->region.granules, GRANULES);
	for (unsigned step = 0; step < STEPS; step++) {
		struct run *run = &model->runs[draw(model, RUNS)];

		if (run->at == NULL) {
			take(model, run);
		} else {
			give(model, run);
		}
		compare(model);
	}
	for (unsigned i = 0; i < RUNS; i++) {
		if (model->runs[i].at != NULL) {
			give(model, &model->runs[i]);
		}
	}
	compare(model);
	assert_int_equal(model->region.taken, 0);
	assert_int_equal(longest(model), GRANULES);
	region_fini(&model->region);
	free(model);
}

static void a_region_can_be_taken_to_its_last_granule(void **state)
{
	struct region region;
	uint32_t got;

	(void)state;
	region_init(&region, GRANULES * REGION_GRANULE);
	for (unsigned i = 0; i < GRANULES / 8; i++) {
		assert_non_null(region_take(&region, 8, 8, &got));
	}
	assert_int_equal(region.taken, GRANULES);
	assert_null(region_take(&region, 1, 1, &got));
	region_fini(&region);
}

static void where_no_run_is_long_enough_a_shorter_one_will_do(void **state)
{
	struct region region;
	char *second;
	uint32_t got;

	(void)state;
	region_init(&region, 100 * REGION_GRANULE);
	assert_non_null(region_take(&region, 20, 20, &got));
	second = region_take(&region, 30, 30, &got);
	assert_non_null(region_take(&region, 50, 50, &got));
	region_give(&region, second, 30);
	assert_null(region_take(&region, 64, 31, &got));
	assert_ptr_equal(region_take(&region, 64, 8, &got), second);
	assert_int_equal(got, 30);
	region_fini(&region);
}

static void an_empty_region_gives_nothing(void **state)
{
	struct region region;
	uint32_t got;

	(void)state;
	region_init(&region, REGION_GRANULE - 1);
	assert_null(region_take(&region, 1, 1, &got));
	region_fini(&region);
}

static void more_than_the_region_is_never_given(void **state)
{
	struct region region;
	uint32_t got;

	(void)state;
	region_init(&region, 64 * REGION_GRANULE);
	assert_null(region_take(&region, 65, 65, &got));
	assert_null(region_take(&region, UINT32_MAX, UINT32_MAX, &got));
	assert_non_null(region_take(&region, UINT32_MAX, 64, &got));
	assert_int_equal(got, 64);
	region_fini(&region);
}

/* How many of the pages that `region` lies in are in memory. */
static size_t resident_pages(const struct region *region, size_t bytes)
{
	static unsigned char resident[4096];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t count = 0;

	assert_true(bytes / page <= sizeof(resident));
	assert_int_equal(mincore(region->base, bytes, (void *)resident), 0);
	for (size_t i = 0; i < bytes / page; i++) {
		count += resident[i] & 1;
	}
	return count;
}

static void memory_is_touched_from_the_beginning_on_as_it_is_needed(void **state)
{
	enum { BYTES = 16 * 1024 * 1024, PART = 6 * 1024 * 1024 };
	size_t pages = (size_t)BYTES / (size_t)sysconf(_SC_PAGESIZE);
	struct region region;
	uint32_t got;
	void *first;

	(void)state;
	region_init(&region, BYTES);
	assert_int_equal(resident_pages(&region, BYTES), 0);
	first = region_take(&region, PART / REGION_GRANULE, PART / REGION_GRANULE, &got);
	assert_ptr_equal(first, region.base);
	memset(first, 1, PART);
	assert_in_range(resident_pages(&region, BYTES), 1, pages / 2);
	region_give(&region, first, got);
	for (unsigned i = 0; i < 1000; i++) { /* what was given back is used before what is fresh */
		first = region_take(&region, 100, 100, &got);
		memset(first, 1, (size_t)100 * REGION_GRANULE);
		region_give(&region, first, got);
	}
	assert_in_range(resident_pages(&region, BYTES), 1, pages / 2);
	region_fini(&region);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_never_overlap_and_free_neighbours_are_one),
		cmocka_unit_test(a_region_can_be_taken_to_its_last_granule),
		cmocka_unit_test(where_no_run_is_long_enough_a_shorter_one_will_do),
		cmocka_unit_test(an_empty_region_gives_nothing),
		cmocka_unit_test(more_than_the_region_is_never_given),
		cmocka_unit_test(memory_is_touched_from_the_beginning_on_as_it_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
