/*
 * Layer: inspector. One job: the poll log: one small row of facts for each exchange whose route
 * says `capture: row`, in a ring of fixed size. A row is written once, when its exchange has ended.
 * Any thread.
 */
#ifndef SIGHTGLASS_INSPECTOR_POLL_LOG_H
#define SIGHTGLASS_INSPECTOR_POLL_LOG_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "http/head.h"
#include "proxy/exchange.h"

enum {
	POLL_ROW_TEXT = 200,      /* request ID, method, route and path together */
	POLL_ROW_METHOD_MAX = 16, /* what is longer is cut */
	POLL_ROW_ROUTE_MAX = 48,
};

struct poll_log; /* opaque */

struct poll_row { /* 256 bytes. Raw: the path is redacted by whoever shows it */
	uint64_t seq;
	uint64_t wall_us;
	uint64_t duration_us;
	uint64_t request_bytes;
	uint64_t response_bytes;
	uint16_t status; /* 0: no answer */
	uint8_t state;   /* enum exchange_state */
	uint8_t method;  /* enum method */
	uint8_t error;   /* enum err_code */
	uint8_t request_id_len;
	uint8_t method_len;
	uint8_t route_len;
	uint8_t path_len;
	uint8_t path_cut; /* 1: the path was longer than what is left of POLL_ROW_TEXT */
	char text[POLL_ROW_TEXT];
};

/* Rows take their numbers from `next_seq`, which records share; it outlives the log. `rows` may be
 * 0: then nothing is kept. Never NULL. */
struct poll_log *poll_log_create(uint32_t rows, atomic_uint_least64_t *next_seq);
void poll_log_destroy(struct poll_log *log);

/* Writes the row of an exchange that has ended; the oldest gives way. Returns its number; 0 where
 * none is kept. */
uint64_t poll_log_add(struct poll_log *log, const struct exchange *exchange);

/*
 * Copies at most `max` rows with after < seq < before, the newest first, and returns how many; 0 =
 * there are no more. A walk goes on with the last one's seq as `before`. The lock is held
 * meanwhile: ask for some tens at a time.
 */
size_t poll_log_copy(
	struct poll_log *log, uint64_t before, uint64_t after, struct poll_row *out, size_t max);
uint32_t poll_log_count(struct poll_log *log);
/* How many were ever written. */
uint64_t poll_log_total(struct poll_log *log);
uint32_t poll_log_capacity(const struct poll_log *log);
void poll_log_clear(struct poll_log *log);

static inline struct slice poll_row_request_id(const struct poll_row *row)
{
	return slice_of(row->text, row->request_id_len);
}

static inline struct slice poll_row_method(const struct poll_row *row)
{
	return slice_of(row->text + row->request_id_len, row->method_len);
}

/* The route's prefix as it was written; empty where there is none. */
static inline struct slice poll_row_route(const struct poll_row *row)
{
	return slice_of(row->text + row->request_id_len + row->method_len, row->route_len);
}

/* Without query. */
static inline struct slice poll_row_path(const struct poll_row *row)
{
	return slice_of(
		row->text + row->request_id_len + row->method_len + row->route_len, row->path_len);
}

#endif
