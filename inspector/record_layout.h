/*
 * Layer: inspector. One job: how a record lies in the store's region. For those who write records
 * (store.c, capture.c, body_recorder.c) and for record.c, which reads them; everybody else has
 * record.h.
 *
 * A record is a chain of chunks. The first begins with the struct itself; behind it follow the
 * request's head and the texts that are not part of it. What comes later (the answer, trailers, an
 * error, small bodies) is put behind that while there is room, else into a further chunk. Larger
 * bodies are chains of pieces, each in a run of its own. When the exchange ends, the unused ends
 * go back.
 *
 * The exchange's worker writes without a lock while others read:
 *   - what is known at the beginning is written before `published`, and never again;
 *   - the answer, and trailers, are written before the pointer to them, and never again;
 *   - a body's bytes are written before `kept` counts them; a piece's capacity never changes;
 *   - everything else is written before `ended`.
 * Each of these is stored with release and loaded with acquire.
 */
#ifndef SIGHTGLASS_INSPECTOR_RECORD_LAYOUT_H
#define SIGHTGLASS_INSPECTOR_RECORD_LAYOUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "inspector/record.h"
#include "inspector/retention.h"

enum {
	RECORD_ALIGNMENT = 8,
};

struct record_chunk { /* begins a run of the region */
	struct record_chunk *older;
	uint32_t granules;
	uint32_t used; /* bytes, with this */
};

struct record_piece { /* its bytes follow it */
	_Atomic(struct record_piece *) next;
	uint32_t granules; /* of its run; 0: it lies within a chunk. Guarded by the store's lock */
	uint32_t capacity;
};

struct record_text { /* of the first chunk */
	uint32_t at; /* from the record's first byte on */
	uint32_t len;
};

struct record_section { /* trailers; their bytes follow it */
	uint32_t size;
	uint16_t count;
};

struct record_answer { /* its texts follow it */
	struct record_head head;
	struct slice upstream;
	struct slice error;
	uint64_t first_byte_us;
	uint16_t status;
	uint8_t version_minor;
	uint8_t error_code;
	bool tunnel;
};

struct record_body_data {
	_Atomic(struct record_piece *) first;
	atomic_uint_least64_t size;
	atomic_uint_least64_t kept;
	/* Of a body that was not all kept, written before `ended`; of any other, by the first
	 * reader that asks. */
	atomic_uint_least64_t hash_low;
	atomic_uint_least64_t hash_high;
	atomic_bool hashed;
	atomic_bool truncated;
	atomic_bool ended;
};

struct record {
	struct record_chunk chunk; /* the first */

	/* the store's: guarded by its lock */
	struct record_chunk *newest; /* only the worker changes it, under the lock */
	struct list node;            /* among those of its class that have ended */
	uint64_t seq;                /* immutable */
	uint64_t ended_order;        /* counts the ends of all records */
	atomic_uint references;
	uint32_t granules; /* of all its runs */
	uint8_t class_of;  /* enum capture_class */
	bool mutation;     /* its method is one: immutable */

	atomic_bool published;
	atomic_bool ended;

	/* written before `published` */
	uint8_t level;  /* enum capture_level */
	uint8_t method; /* enum method */
	uint8_t request_version_minor;
	bool has_query;
	const char *scheme; /* a constant */
	uint64_t wall_us;
	uint64_t begin_us;
	uint64_t request_head_us;
	struct record_text request;
	uint32_t request_fields_at; /* from request.at on */
	uint16_t request_count;
	struct record_text request_id;
	struct record_text trace_id;
	struct record_text client_ip;
	struct record_text route;
	struct record_text host;
	struct record_text method_name;
	struct record_text path;
	struct record_text query;

	/* each by its own order */
	_Atomic(struct record_answer *) answer;
	_Atomic(struct record_section *) request_trailers;
	_Atomic(struct record_section *) response_trailers;
	struct record_body_data request_body;
	struct record_body_data response_body;

	/* written before `ended` */
	uint8_t state; /* enum exchange_state */
	uint8_t error_code;
	bool reused;
	uint16_t status;
	uint32_t attempts;
	uint64_t idle_ms;
	uint64_t queued_us;
	uint64_t connecting_us;
	uint64_t connected_us;
	uint64_t sent_us;
	uint64_t first_byte_us;
	uint64_t end_us;
	struct slice upstream; /* in one of the chunks */
	struct slice error;
};

static inline size_t record_aligned(size_t size)
{
	return (size + RECORD_ALIGNMENT - 1) & ~(size_t)(RECORD_ALIGNMENT - 1);
}

static inline char *record_piece_bytes(struct record_piece *piece)
{
	return (char *)(piece + 1);
}

#endif
