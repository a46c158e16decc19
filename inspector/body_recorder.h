/*
 * Layer: inspector. One job: one body, as it passes, into its record: the first bytes of it into
 * memory, all of them into its size and its hash.
 *
 * What is kept whole is hashed when somebody asks for the hash (record.h); only what cannot be kept
 * whole is hashed as it passes, with a running state that is lent from the worker's spare ones.
 */
#ifndef SIGHTGLASS_INSPECTOR_BODY_RECORDER_H
#define SIGHTGLASS_INSPECTOR_BODY_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "inspector/body_hash.h"
#include "inspector/record_layout.h"
#include "inspector/store.h"

struct body_recorder {
	struct record_body_data *body;
	struct record_piece *piece; /* the last; NULL: none yet */
	size_t filled;              /* of it */
	uint64_t kept;
	uint64_t size;
	uint64_t max;           /* kept of a body at most */
	uint64_t expected;      /* its Content-Length, or UINT64_MAX */
	struct body_hash *hash; /* NULL: all of it was kept so far */
	bool full;              /* nothing more is kept of it */
};

/* `body` is all new. `max` is below 4 GiB. `expected` is a guess that saves memory, not trusted:
 * UINT64_MAX where nothing was said. */
void body_recorder_init(struct body_recorder *recorder, struct record_body_data *body, uint64_t max,
	uint64_t expected);
/* Memory of the record for a body of `room` bytes, before any came: sizeof(struct record_piece) +
 * room bytes. */
void body_recorder_start_in(struct body_recorder *recorder, void *memory, size_t room);
void body_recorder_add(struct body_recorder *recorder, struct capture_store *store,
	struct record *record, struct body_hash_spares *spares, struct slice bytes);
/* Bytes that are counted and not looked at: a tunnel's. */
void body_recorder_count(struct body_recorder *recorder, uint64_t size);
/* The body is whole, or cut off: nothing more comes. Once more is harmless. */
void body_recorder_end(struct body_recorder *recorder, struct body_hash_spares *spares);

#endif
