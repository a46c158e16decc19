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
#include "inspector/messages.h"
#include "inspector/record.h"
#include "inspector/retention.h"

enum {
	RECORD_ALIGNMENT = 8,
};

struct record_chunk { /* begins a run of the region */
	/* Of a record's first chunk: the newest; so they are a ring. Only the worker changes it,
	 * under the store's lock. */
	struct record_chunk *older;
	uint32_t granules;
	uint32_t used; /* bytes, with this */
};

struct record_hash { /* of a body, XXH3: see record_body_data.hashed */
	atomic_uint_least64_t low;
	atomic_uint_least64_t high;
};

struct record_piece { /* its bytes follow it, behind its hash where it has one */
	_Atomic(struct record_piece *) next;
	uint32_t granules; /* of its run; 0: it lies within a chunk. Guarded by the store's lock */
	uint32_t capacity : 31;
	uint32_t has_hash : 1; /* there is room for the body's: in its first piece, if at all */
};

struct record_text { /* of the first chunk */
	uint32_t at; /* from the record's first byte on */
	uint32_t len;
};

struct record_section { /* trailers; their bytes follow it */
	uint32_t size;
	uint16_t count;
};

struct record_answer { /* its head follows it, then the upstream's name, then the error's text */
	uint32_t head_size;
	uint32_t fields_at;
	uint32_t upstream_len;
	uint32_t error_len;
	uint32_t first_byte_moment; /* see record_moment(); so are all of that name */
	uint16_t count;
	uint16_t status;
	uint8_t version_minor;
	uint8_t error_code;
	bool tunnel;
	bool has_messages; /* they lie behind its texts: see record_answer_messages() */
};

struct record_outcome { /* the upstream's name follows it, then the error's text */
	uint32_t upstream_len;
	uint32_t error_len;
};

struct record_body_data {
	_Atomic(struct record_piece *) first;
	atomic_uint_least64_t size;
	atomic_uint_least32_t kept; /* at most capture.body, which is at most 1 GiB */
	/* The hash is in the first piece: of a body that was not all kept, written before `ended`;
	 * of any other, by the first reader that asks. */
	atomic_bool hashed;
	atomic_bool truncated;
	atomic_bool ended;
	atomic_uchar look; /* enum record_look: written by readers once the exchange has ended */
};

/* Every exchange that is kept pays for this: what is rare, or is the same twice, is not in it. */
struct record {
	struct record_chunk chunk; /* the first */

	/* the store's: guarded by its lock */
	struct list node;     /* among those of its class that have ended */
	uint64_t seq;         /* immutable */
	uint64_t ended_order; /* counts the ends of all records */
	atomic_uint references;
	uint32_t granules; /* of all its runs */
	uint8_t class_of;  /* enum capture_class */
	bool mutation;     /* its method is one: immutable */

	atomic_bool published;
	atomic_bool ended;

	/* written before `published` */
	uint8_t level : 2; /* enum capture_level */
	uint8_t request_version_minor : 1;
	uint8_t has_query : 1;
	uint8_t is_https : 1;
	uint8_t replay : 1;
	uint8_t has_trace_id : 1; /* TRACE_ID_LEN bytes or none; it, and what the next two measure,
				     lie in this order from `beside_at` on */
	uint8_t client_ip_len;
	uint16_t route_len;
	uint32_t beside_at;
	uint32_t request_size;      /* its bytes follow this struct */
	uint32_t request_fields_at; /* within them */
	uint16_t request_count;
	uint8_t method; /* enum method */

	uint8_t error_code; /* written before `ended`: enum err_code */
	uint64_t wall_us;
	uint64_t begin_us;
	struct record_text request_id;
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
	const struct record_outcome *outcome; /* in one of the chunks; NULL: as the answer says */
	uint64_t end_us;
	uint32_t queued_moment;
	uint32_t connecting_moment;
	uint32_t securing_moment;
	uint32_t connected_moment;
	uint32_t sent_moment;
	uint32_t idle_ms; /* no connection is idle for as long as this counts */
	uint16_t status;
	uint8_t attempts;  /* as far as it counts */
	uint8_t state : 3; /* enum exchange_state */
	uint8_t reused : 1;

	uint32_t request_head_moment; /* written before `published`; here it costs no padding */
};

_Static_assert(sizeof(struct record) <= 256, "beside 4 KiB more would be a tenth of what is kept");

/*
 * A time since the exchange's beginning in four bytes: microseconds where they fit into 31 bits
 * (half an hour), else milliseconds (24 days, the most it can say). 0 = did not happen, as is a
 * `us` of 0.
 */
static inline uint32_t record_moment(uint64_t begin_us, uint64_t us)
{
	const uint32_t in_ms = UINT32_C(1) << 31;
	uint64_t since_us;

	if (us == 0) {
		return 0;
	}
	since_us = us > begin_us ? us - begin_us : 0;
	if (since_us + 1 < in_ms) {
		return (uint32_t)since_us + 1;
	}
	return in_ms | (uint32_t)(since_us / 1000 < in_ms ? since_us / 1000 : in_ms - 1);
}

static inline uint64_t record_moment_us(uint64_t begin_us, uint32_t moment)
{
	const uint32_t in_ms = UINT32_C(1) << 31;

	if (moment == 0) {
		return 0;
	}
	return begin_us + (moment < in_ms ? moment - 1 : (uint64_t)(moment & ~in_ms) * 1000);
}

static inline size_t record_aligned(size_t size)
{
	return (size + RECORD_ALIGNMENT - 1) & ~(size_t)(RECORD_ALIGNMENT - 1);
}

/* An answer with its texts; it is aligned, and so is what stands behind it. */
static inline size_t record_answer_size(const struct record_answer *answer)
{
	return record_aligned(
		sizeof(*answer) + answer->head_size + answer->upstream_len + answer->error_len);
}

static inline struct messages *record_answer_messages(struct record_answer *answer)
{
	return answer->has_messages
		       ? (struct messages *)((char *)answer + record_answer_size(answer))
		       : NULL;
}

/* What stands before a piece's bytes. */
static inline size_t record_piece_overhead(bool has_hash)
{
	return sizeof(struct record_piece) + (has_hash ? sizeof(struct record_hash) : 0);
}

static inline const char *record_piece_bytes(const struct record_piece *piece)
{
	return (const char *)piece + record_piece_overhead(piece->has_hash);
}

#endif
