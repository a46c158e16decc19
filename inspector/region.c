/*
 * Layer: inspector. One job: runs of one region; see region.h.
 *
 * A free run holds its list node and its length in its first bytes, and its length once more in its
 * last ones, so that the run behind it can find where it begins. Taken runs hold nothing of ours:
 * whoever took one knows its length.
 */
#include "inspector/region.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Under AddressSanitizer, what is free may not be touched: a reader without a reference is found at
 * once. */
#if defined(__SANITIZE_ADDRESS__)
#define POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONS 1
#endif
#endif
#ifdef POISONS
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

enum {
	MARK_BEGINS = 1,
	MARK_ENDS = 2,
	STEP_BITS = 3,       /* of REGION_STEPS */
	SAME_LIST_LOOKS = 8, /* in the list where some runs are long enough and some are not */
};

struct free_run {
	struct list node;
	uint32_t granules;
};

struct run_end { /* the last bytes of a free run */
	uint32_t unused;
	uint32_t granules;
};

static_assert(sizeof(struct free_run) + sizeof(struct run_end) <= REGION_GRANULE,
	"a free run holds its own bookkeeping");

static char *address_of(const struct region *region, uint32_t at)
{
	return region->base + (size_t)at * REGION_GRANULE;
}

static struct free_run *run_at(const struct region *region, uint32_t at)
{
	return (struct free_run *)(void *)address_of(region, at);
}

static struct run_end *end_before(const struct region *region, uint32_t at)
{
	return (struct run_end *)(void *)(address_of(region, at) - sizeof(struct run_end));
}

static uint32_t index_of(const struct region *region, const void *run)
{
	size_t offset = (size_t)((const char *)run - region->base);

	assert(offset % REGION_GRANULE == 0 && offset / REGION_GRANULE < region->granules);
	return (uint32_t)(offset / REGION_GRANULE);
}

static unsigned floor_log2(uint32_t value)
{
	return 31u - (unsigned)__builtin_clz(value);
}

struct bin {
	unsigned level;
	unsigned step;
};

/* The list in which a run of that length stands. */
static struct bin bin_of(uint32_t granules)
{
	unsigned log2;

	if (granules < REGION_STEPS) {
		return (struct bin){.level = 0, .step = granules};
	}
	log2 = floor_log2(granules);
	return (struct bin){
		.level = log2 - STEP_BITS + 1,
		.step = (granules >> (log2 - STEP_BITS)) & (REGION_STEPS - 1),
	};
}

/* The first list in which every run is long enough. */
static struct bin bin_for(uint32_t granules)
{
	if (granules >= REGION_STEPS) {
		granules += (1u << (floor_log2(granules) - STEP_BITS)) - 1;
	}
	return bin_of(granules);
}

static void add_free(struct region *region, uint32_t at, uint32_t granules)
{
	struct free_run *run = run_at(region, at);
	struct run_end *end = end_before(region, at + granules);
	struct bin bin = bin_of(granules);

	ASAN_UNPOISON_MEMORY_REGION(run, sizeof(*run));
	ASAN_UNPOISON_MEMORY_REGION(end, sizeof(*end));
	run->granules = granules;
	end->granules = granules;
	region->marks[at] |= MARK_BEGINS;
	region->marks[at + granules - 1] |= MARK_ENDS;
	list_push_front(&region->free[bin.level][bin.step], &run->node);
	region->steps[bin.level] |= (uint8_t)(1u << bin.step);
	region->levels |= 1u << bin.level;
}

static void remove_free(struct region *region, uint32_t at, uint32_t granules)
{
	struct bin bin = bin_of(granules);

	list_remove(&run_at(region, at)->node);
	if (list_empty(&region->free[bin.level][bin.step])) {
		region->steps[bin.level] &= (uint8_t) ~(1u << bin.step);
		if (region->steps[bin.level] == 0) {
			region->levels &= ~(1u << bin.level);
		}
	}
	region->marks[at] &= (uint8_t)~MARK_BEGINS;
	region->marks[at + granules - 1] &= (uint8_t)~MARK_ENDS;
	ASAN_POISON_MEMORY_REGION(run_at(region, at), sizeof(struct free_run));
	ASAN_POISON_MEMORY_REGION(end_before(region, at + granules), sizeof(struct run_end));
}

/* Frees a run together with its free neighbours. */
static void free_run(struct region *region, uint32_t at, uint32_t granules)
{
	ASAN_POISON_MEMORY_REGION(address_of(region, at), (size_t)granules * REGION_GRANULE);
	if (at > 0 && (region->marks[at - 1] & MARK_ENDS) != 0) {
		uint32_t before = end_before(region, at)->granules;

		at -= before;
		remove_free(region, at, before);
		granules += before;
	}
	if (at + granules < region->fresh && (region->marks[at + granules] & MARK_BEGINS) != 0) {
		uint32_t behind = run_at(region, at + granules)->granules;

		remove_free(region, at + granules, behind);
		granules += behind;
	}
	if (at + granules == region->fresh) {
		region->fresh = at;
	} else {
		add_free(region, at, granules);
	}
}

static void *map(uint64_t bytes)
{
	void *at = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);

	if (at == MAP_FAILED) {
		/* Not to the log: it writes later, and there is no later. */
		fprintf(stderr, "sightglass: no memory for the capture: %llu bytes: %s\n",
			(unsigned long long)bytes, strerror(errno));
		abort();
	}
#ifdef MADV_HUGEPAGE
	/* Bodies are written all over it: with small pages a third of a copy is page walks. */
	(void)madvise(at, (size_t)bytes, MADV_HUGEPAGE);
#endif
	return at;
}

static uint32_t granules_within(uint64_t bytes)
{
	uint64_t granules = bytes / REGION_GRANULE;

	return granules > INT32_MAX ? (uint32_t)INT32_MAX : (uint32_t)granules;
}

void region_init(struct region *region, uint64_t bytes)
{
	*region = (struct region){.granules = granules_within(bytes)};
	for (unsigned level = 0; level < REGION_LEVELS; level++) {
		for (unsigned step = 0; step < REGION_STEPS; step++) {
			list_init(&region->free[level][step]);
		}
	}
	if (region->granules > 0) {
		region->base = map((uint64_t)region->granules * REGION_GRANULE);
		region->marks = map(region->granules);
		ASAN_POISON_MEMORY_REGION(region->base, (size_t)region->granules * REGION_GRANULE);
	}
}

void region_fini(struct region *region)
{
	if (region->granules > 0) {
		size_t size = (size_t)region->granules * REGION_GRANULE;

		ASAN_UNPOISON_MEMORY_REGION(region->base, size);
		munmap(region->base, size);
		munmap(region->marks, region->granules);
	}
}

uint64_t region_memory_max(uint64_t bytes)
{
	return (uint64_t)granules_within(bytes) * (REGION_GRANULE + 1);
}

static struct free_run *first_in(const struct region *region, unsigned level, unsigned step)
{
	return container_of(region->free[level][step].next, struct free_run, node);
}

/* A free run of at least that length, nearly the shortest there is; NULL where none was found. */
static struct free_run *find(const struct region *region, uint32_t granules)
{
	struct bin bin = bin_for(granules);
	uint32_t steps;
	uint32_t levels;
	unsigned looks = 0;

	if (bin.level >= REGION_LEVELS) {
		return NULL;
	}
	steps = region->steps[bin.level] & (0xffu << bin.step);
	if (steps != 0) {
		return first_in(region, bin.level, (unsigned)__builtin_ctz(steps));
	}
	levels = region->levels & ~((2u << bin.level) - 1);
	if (levels != 0) {
		unsigned level = (unsigned)__builtin_ctz(levels);

		return first_in(region, level, (unsigned)__builtin_ctz(region->steps[level]));
	}
	bin = bin_of(granules); /* here some may be long enough */
	list_each (node, after, &region->free[bin.level][bin.step]) {
		struct free_run *run = container_of(node, struct free_run, node);

		if (run->granules >= granules) {
			return run;
		}
		if (++looks == SAME_LIST_LOOKS) {
			break;
		}
	}
	return NULL;
}

/* One of the longest free runs; NULL where all is taken. */
static struct free_run *find_long(const struct region *region)
{
	unsigned level;

	if (region->levels == 0) {
		return NULL;
	}
	level = floor_log2(region->levels);
	return first_in(region, level, floor_log2(region->steps[level]));
}

/* From where nothing lies yet. */
static void *take_fresh(struct region *region, uint32_t granules)
{
	uint32_t at = region->fresh;

	region->fresh += granules;
	return address_of(region, at);
}

/* The first `granules` of a free run; what is behind them stays free. */
static void *take_from(struct region *region, struct free_run *run, uint32_t granules)
{
	uint32_t length = run->granules;
	uint32_t at = index_of(region, run);

	remove_free(region, at, length);
	if (length > granules) {
		add_free(region, at + granules, length - granules);
	}
	return run;
}

void *region_take(struct region *region, uint32_t wanted, uint32_t least, uint32_t *got)
{
	uint32_t fresh = region->granules - region->fresh;
	struct free_run *run;
	uint32_t granules = wanted;
	void *taken;

	assert(least >= 1 && least <= wanted);
	run = wanted > region->granules ? NULL : find(region, wanted);
	if (run == NULL && fresh < wanted) {
		run = find_long(region);
		granules = run == NULL || run->granules < fresh ? fresh : run->granules;
		if (granules < least) {
			return NULL;
		}
		granules = granules < wanted ? granules : wanted;
		run = granules == fresh ? NULL : run;
	}
	taken = run == NULL ? take_fresh(region, granules) : take_from(region, run, granules);
	region->taken += granules;
	*got = granules;
	ASAN_UNPOISON_MEMORY_REGION(taken, (size_t)granules * REGION_GRANULE);
	return taken;
}

void region_trim(struct region *region, void *run, uint32_t granules, uint32_t kept)
{
	assert(kept > 0 && kept < granules);
	free_run(region, index_of(region, run) + kept, granules - kept);
	region->taken -= granules - kept;
}

void region_give(struct region *region, void *run, uint32_t granules)
{
	assert(granules > 0 && granules <= region->taken);
	free_run(region, index_of(region, run), granules);
	region->taken -= granules;
}
