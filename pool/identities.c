/*
 * Layer: pool. One job: see identities.h. There are seldom more than two: who looks for one looks
 * at all.
 */
#include "pool/identities.h"

#include <string.h>

#include "base/memory.h"

void identities_init(struct identities *identities, size_t max)
{
	*identities = (struct identities){.max = max == 0 ? 1 : max};
}

void identities_fini(struct identities *identities)
{
	mem_free(identities->entries);
	identities_init(identities, identities->max);
}

static struct identity_entry *find(const struct identities *identities, uint64_t identity)
{
	for (size_t i = 0; i < identities->count; i++) {
		if (identities->entries[i].identity == identity) {
			return &identities->entries[i];
		}
	}
	return NULL;
}

static void leave(struct identities *identities, size_t index)
{
	identities->count--;
	memmove(&identities->entries[index], &identities->entries[index + 1],
		(identities->count - index) * sizeof(identities->entries[0]));
}

/* What has ended goes without being asked: its connections have left by themselves. */
static void forget_ended(struct identities *identities, uint64_t now_ms)
{
	for (size_t i = identities->count; i > 0; i--) {
		if (identities->entries[i - 1].until_ms <= now_ms) {
			leave(identities, i - 1);
		}
	}
}

static uint64_t evict_soonest(struct identities *identities)
{
	size_t soonest = 0;
	uint64_t identity;

	for (size_t i = 1; i < identities->count; i++) {
		if (identities->entries[i].until_ms < identities->entries[soonest].until_ms) {
			soonest = i;
		}
	}
	identity = identities->entries[soonest].identity;
	leave(identities, soonest);
	return identity;
}

uint64_t identities_admit(
	struct identities *identities, uint64_t identity, uint64_t until_ms, uint64_t now_ms)
{
	uint64_t evicted = 0;

	if (find(identities, identity) != NULL) {
		return 0;
	}
	forget_ended(identities, now_ms);
	if (identities->count == identities->max) {
		evicted = evict_soonest(identities);
	}
	if (identities->entries == NULL) {
		identities->entries =
			mem_alloc_array(identities->max, sizeof(identities->entries[0]));
	}
	identities->entries[identities->count++] =
		(struct identity_entry){.identity = identity, .until_ms = until_ms};
	return evicted;
}

bool identities_keep(const struct identities *identities, uint64_t identity)
{
	return identity == 0 || find(identities, identity) != NULL;
}

void identities_keep_only(struct identities *identities, uint64_t identity)
{
	for (size_t i = identities->count; i > 0; i--) {
		if (identities->entries[i - 1].identity != identity) {
			leave(identities, i - 1);
		}
	}
}
