/*
 * Layer: inspector. One job: what a store consists of. For store.c, which changes it, and
 * store_reading.c; everybody else has store.h.
 */
#ifndef SIGHTGLASS_INSPECTOR_STORE_LAYOUT_H
#define SIGHTGLASS_INSPECTOR_STORE_LAYOUT_H

#include <assert.h>
#include <pthread.h>

#include "base/list.h"
#include "inspector/order.h"
#include "inspector/record_layout.h"
#include "inspector/region.h"
#include "inspector/store.h"

enum {
	STORE_MESSAGE_LOCKS = 16,
};

enum store_bound {
	STORE_ENTRIES,
	STORE_BYTES,
};

struct capture_store {
	atomic_uint_least64_t next_seq; /* poll rows take from it, too */
	struct poll_log *polls;
	struct event_log *events;
	uint64_t id_seed;
	uint32_t capacity;
	atomic_bool paused;
	pthread_mutex_t message_locks[STORE_MESSAGE_LOCKS]; /* of all records' messages */

	pthread_mutex_t lock; /* guards what follows */
	struct region region;
	struct order order;
	struct list ended[CLASSES]; /* the one that ended first at the front */
	uint32_t entries[CLASSES];  /* with running ones */
	uint64_t granules[CLASSES];
	uint32_t reserved; /* granules that are taken for records to come */
	uint32_t count;
	uint32_t running;
	uint64_t ends;
	uint64_t ended_count; /* as `ends`, but each record once */
	uint64_t evicted[2];  /* by enum store_bound */
	uint64_t truncated;
	uint64_t dropped;
};

static inline void store_lock(struct capture_store *store)
{
	int rc = pthread_mutex_lock(&store->lock);

	assert(rc == 0);
	(void)rc;
}

static inline void store_unlock(struct capture_store *store)
{
	int rc = pthread_mutex_unlock(&store->lock);

	assert(rc == 0);
	(void)rc;
}

/* The hash by which a request ID is found; keyed, as a peer chooses it. */
uint64_t store_hash_id(const struct capture_store *store, struct slice request_id);

#endif
