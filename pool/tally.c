/*
 * Layer: pool. One job: see tally.h.
 */
#include "pool/tally.h"

#include <assert.h>
#include <string.h>

static void add_to(uint64_t sums[static TALLY_COUNT], struct tally *tally)
{
	for (int i = 0; i < TALLY_COUNT; i++) {
		sums[i] += atomic_load_explicit(&tally->counts[i], memory_order_relaxed);
	}
}

void tally_set_init(struct tally_set *set)
{
	memset(set, 0, sizeof(*set));
	pthread_mutex_init(&set->lock, NULL);
	list_init(&set->tallies);
}

void tally_set_fini(struct tally_set *set)
{
	assert(list_empty(&set->tallies));
	pthread_mutex_destroy(&set->lock);
}

void tally_join(struct tally_set *set, struct tally *tally)
{
	pthread_mutex_lock(&set->lock);
	list_push_back(&set->tallies, &tally->node);
	pthread_mutex_unlock(&set->lock);
}

void tally_leave(struct tally_set *set, struct tally *tally)
{
	pthread_mutex_lock(&set->lock);
	list_remove(&tally->node);
	add_to(set->gone, tally);
	pthread_mutex_unlock(&set->lock);
}

void tally_sum(struct tally_set *set, uint64_t sums[static TALLY_COUNT])
{
	pthread_mutex_lock(&set->lock);
	memcpy(sums, set->gone, sizeof(set->gone));
	list_each (node, after, &set->tallies) {
		add_to(sums, container_of(node, struct tally, node));
	}
	pthread_mutex_unlock(&set->lock);
}

uint64_t tally_opened_lately(struct tally_set *set, uint64_t now_s)
{
	uint64_t sum = 0;

	pthread_mutex_lock(&set->lock);
	list_each (node, after, &set->tallies) {
		sum += minute_sum(&container_of(node, struct tally, node)->opened, now_s);
	}
	pthread_mutex_unlock(&set->lock);
	return sum;
}

void tally_queued(struct tally *tally, uint64_t waited_us)
{
	int bucket = 0;

	while (bucket < UPSTREAM_QUEUE_BUCKETS - 1 && waited_us > upstream_queue_bounds[bucket]) {
		bucket++;
	}
	tally_add(tally, (enum tally_what)(TALLY_QUEUED + bucket));
	tally_add_many(tally, TALLY_QUEUED_US, waited_us);
}
