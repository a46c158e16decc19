/*
 * Layer: inspector (sees base). One job: how durations are distributed, within 1.6 % of each
 * whatever its size: from 1 us to 12 days in log-linear buckets, 32 to each doubling. One thread
 * writes, without a lock or an atomic addition; any thread reads.
 *
 * Only the doublings that occur take memory: a call that takes between 1 ms and 100 ms needs 1 KiB.
 */
#ifndef SIGHTGLASS_INSPECTOR_DISTRIBUTION_H
#define SIGHTGLASS_INSPECTOR_DISTRIBUTION_H

#include <stdatomic.h>
#include <stdint.h>

enum {
	DISTRIBUTION_STEPS = 32, /* buckets of one page */
	DISTRIBUTION_PAGES = 36, /* below 32 us each microsecond has a bucket; then a page for each
				    doubling, up to 2^40 us */
	DISTRIBUTION_BUCKETS = DISTRIBUTION_PAGES * DISTRIBUTION_STEPS,
};

struct distribution_page;

struct distribution { /* all zero is an empty one */
	struct distribution_page *_Atomic pages[DISTRIBUTION_PAGES];
};

/* What a reader has added up. */
struct distribution_sum { /* all zero is an empty one */
	uint64_t total;
	uint32_t counts[DISTRIBUTION_BUCKETS]; /* each stops at UINT32_MAX */
};

/* The bucket of a duration; what is longer than all of them is in the last one. */
unsigned distribution_bucket(uint64_t duration_us);
/* The middle of a bucket, in microseconds. */
uint64_t distribution_value(unsigned bucket);
/* The bucket that stands for the whole doubling in which `bucket` lies. */
unsigned distribution_coarse(unsigned bucket);

/* The writer alone. */
void distribution_note(struct distribution *distribution, unsigned bucket);
/* When neither writer nor reader is left. */
void distribution_fini(struct distribution *distribution);
/* What one takes at most beside its struct, in bytes. */
uint64_t distribution_memory_max(void);

/* Any thread. */
void distribution_add_to(const struct distribution *distribution, struct distribution_sum *sum);
void distribution_sum_add(struct distribution_sum *sum, unsigned bucket, uint32_t count);
/* The duration that `per_mille` of 1000 do not pass, in microseconds; 0 where there are none. */
uint64_t distribution_quantile(const struct distribution_sum *sum, unsigned per_mille);

#endif
