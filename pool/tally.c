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
