/*
 * Layer: pool (sees base). One job: which idle connection is lent, and until when one may stay
 * idle. Functions of state and time, without I/O.
 *
 * The one that became idle last is lent first: it is the least likely to be closed by the upstream
 * at this moment, and those that are not needed grow old and leave.
 */
#ifndef SIGHTGLASS_POOL_IDLE_H
#define SIGHTGLASS_POOL_IDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

#define IDLE_FOREVER UINT64_MAX

struct idle_entry {
	struct list node;
	uint64_t since_ms;
	uint64_t until_ms; /* from then on it is not lent */
	uint64_t key;      /* what it was opened under: lent to nobody with another one */
};

struct idle_list {
	struct list entries; /* the newest first */
	uint32_t count;
};

void idle_init(struct idle_list *idle);

/*
 * How long a connection may be idle: `timeout_ms` (0 = no limit), but at least a second less than
 * the `keep_alive_ms` that the upstream said (0 = it said nothing), so that our request and its
 * close do not cross. 0 where it is not worth keeping.
 */
uint64_t idle_limit_ms(uint64_t timeout_ms, uint64_t keep_alive_ms);
/*
 * When the connection that began at `now_ms` is too old: after `max_age_ms` (0 = never) give or
 * take a tenth, which depends on `number` alone: connections that were opened together do not all
 * leave together.
 */
uint64_t idle_retire_ms(uint64_t now_ms, uint64_t max_age_ms, uint64_t number);

/* Makes the entry the newest; it is in no list. */
void idle_park(
	struct idle_list *idle, struct idle_entry *entry, uint64_t now_ms, uint64_t until_ms);
void idle_remove(struct idle_list *idle, struct idle_entry *entry);
/*
 * Takes out the newest of that key that has not passed its time. Where `within_ms` is not 0, only
 * one that became idle within that time. NULL where there is none. What has passed its time is left
 * for idle_pop_expired().
 */
struct idle_entry *idle_take(
	struct idle_list *idle, uint64_t now_ms, uint64_t within_ms, uint64_t key);
/* The one that has been idle longest; NULL where none is. Stays in the list. */
struct idle_entry *idle_oldest(const struct idle_list *idle);
/* How many have been idle for at least `for_ms`. */
uint32_t idle_count_since(const struct idle_list *idle, uint64_t now_ms, uint64_t for_ms);
/* Takes out one that has passed its time; NULL where there is none. */
struct idle_entry *idle_pop_expired(struct idle_list *idle, uint64_t now_ms);
/* When the next passes its time; IDLE_FOREVER where none ever does. */
uint64_t idle_next_ms(const struct idle_list *idle);

#endif
