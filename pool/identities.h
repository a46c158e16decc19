/*
 * Layer: pool (sees base). One job: the credentials whose connections one pool keeps, a bounded
 * number of them: the one that ends soonest leaves first. Functions of state and time, without I/O.
 */
#ifndef SIGHTGLASS_POOL_IDENTITIES_H
#define SIGHTGLASS_POOL_IDENTITIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct identity_entry {
	uint64_t identity;
	uint64_t until_ms;
};

struct identities {
	struct identity_entry *entries; /* the oldest first */
	size_t count;
	size_t max;
};

/* At most `max` (0 counts as 1) are kept. Allocates nothing before the first. */
void identities_init(struct identities *identities, size_t max);
void identities_fini(struct identities *identities);

/*
 * From here on connections of that identity, which is not 0, are kept until `until_ms` (which is to
 * come). Returns the identity that had to leave for it; 0 where none had to.
 */
uint64_t identities_admit(
	struct identities *identities, uint64_t identity, uint64_t until_ms, uint64_t now_ms);
/* Whether connections of that identity are kept; of 0, which is no credential, always. */
bool identities_keep(const struct identities *identities, uint64_t identity);
/* All others leave; 0: all. */
void identities_keep_only(struct identities *identities, uint64_t identity);

#endif
