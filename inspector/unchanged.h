/*
 * Layer: inspector (sees base, http, proxy). One job: whether an answer is byte for byte the one
 * before it for that URL: some answers are hashed as they pass, and their hashes kept for a while;
 * nothing of the answer is.
 *
 * Which ones: complete 200s to GET, of up to 1 MiB, no event streams; of one kind of call at most
 * 16 a second, of one whose route says `capture: row` at most one a second; of `none`, none.
 */
#ifndef SIGHTGLASS_INSPECTOR_UNCHANGED_H
#define SIGHTGLASS_INSPECTOR_UNCHANGED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "http/head.h"
#include "proxy/exchange.h"

struct unchanged; /* opaque: what was seen, of all workers */

/* `kinds` of calls. Never NULL. */
struct unchanged *unchanged_create(unsigned kinds);
void unchanged_destroy(struct unchanged *unchanged);
uint64_t unchanged_memory_max(unsigned kinds);

/* Whether the answer to this request is to be hashed; then it counts as such. */
bool unchanged_wants(struct unchanged *unchanged, unsigned kind, const struct exchange *exchange);

/* --- hashing: each worker its own */

struct body_sample; /* of one answer that passes */

struct body_samples { /* all zero is an empty one */
	struct body_sample *spare;
	unsigned made;
};

/* NULL where as many run already as there may be. Ended by unchanged_compare(). */
struct body_sample *body_sample_begin(struct body_samples *samples);
/* Leaves it alone from here on where such an answer is none of those that are compared. */
void body_sample_head(struct body_sample *sample, const struct head *head);
void body_sample_add(struct body_sample *sample, struct slice bytes);

enum comparison {
	COMPARISON_NONE, /* not to be compared, or nothing to compare it with */
	COMPARISON_CHANGED,
	COMPARISON_UNCHANGED,
};

/* When the exchange has ended. */
enum comparison unchanged_compare(struct unchanged *unchanged, struct body_samples *samples,
	struct body_sample *sample, const struct exchange *exchange);

/* When none runs. */
void body_samples_fini(struct body_samples *samples);
uint64_t body_samples_memory_max(void);

#endif
