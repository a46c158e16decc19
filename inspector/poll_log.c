/*
 * Layer: inspector. One job: the poll log; see poll_log.h.
 */
#include "inspector/poll_log.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

static_assert(sizeof(struct poll_row) == 256, "a row is four cache lines");

struct poll_log {
	atomic_uint_least64_t *next_seq;
	uint32_t capacity;
	pthread_mutex_t lock; /* guards the rest; held while a row is numbered and copied, so that
				 rows stand in order */
	uint32_t next;        /* index of the row to be written */
	uint64_t end;         /* rows written so far: the next one's place, modulo the capacity */
	uint64_t first;       /* the oldest that is there */
	struct poll_row *rows;
};

struct poll_log *poll_log_create(uint32_t rows, atomic_uint_least64_t *next_seq)
{
	struct poll_log *log = mem_zalloc(sizeof(*log));

	if (pthread_mutex_init(&log->lock, NULL) != 0) {
		abort(); /* the system is out of memory */
	}
	log->next_seq = next_seq;
	log->capacity = rows;
	log->rows = mem_alloc_array(rows, sizeof(*log->rows));
	return log;
}

void poll_log_destroy(struct poll_log *log)
{
	if (log != NULL) {
		pthread_mutex_destroy(&log->lock);
		mem_free(log->rows);
		mem_free(log);
	}
}

static void lock(struct poll_log *log)
{
	int rc = pthread_mutex_lock(&log->lock);

	assert(rc == 0);
	(void)rc;
}

static void unlock(struct poll_log *log)
{
	int rc = pthread_mutex_unlock(&log->lock);

	assert(rc == 0);
	(void)rc;
}

/* Appends as much of `text` as `max` and the row have room for. */
static uint8_t add_text(struct poll_row *row, size_t *used, struct slice text, size_t max)
{
	size_t room = POLL_ROW_TEXT - *used;
	size_t len = text.len < max ? text.len : max;

	len = len < room ? len : room;
	if (len > 0) {
		memcpy(row->text + *used, text.ptr, len);
	}
	*used += len;
	return (uint8_t)len;
}

/* All but its number. What is behind its texts stays as it was. Returns how much of it that is. */
static size_t fill(struct poll_row *row, const struct exchange *exchange)
{
	const struct exchange_clock *clock = &exchange->clock;
	struct slice path = exchange->target.path;
	size_t used = 0;

	row->wall_us = clock->wall_us;
	row->duration_us = clock->end_us > clock->begin_us ? clock->end_us - clock->begin_us : 0;
	row->request_bytes = exchange->request_bytes;
	row->response_bytes = exchange->response_bytes;
	row->status = (uint16_t)exchange->status;
	row->state = (uint8_t)exchange->state;
	row->method = exchange->request.method;
	row->error = (uint8_t)exchange->error.code;
	row->request_id_len = add_text(row, &used, exchange->request_id, REQUEST_ID_MAX);
	row->method_len = add_text(row, &used, exchange->request.method_name, POLL_ROW_METHOD_MAX);
	row->route_len = add_text(row, &used,
		slice_str(exchange->route == NULL ? NULL : exchange->route->text),
		POLL_ROW_ROUTE_MAX);
	row->path_len = add_text(row, &used, path, POLL_ROW_TEXT);
	row->path_cut = row->path_len < path.len;
	return offsetof(struct poll_row, text) + used;
}

/* The next row is written into memory that was last touched a log's length ago; asked for now, it
 * is in the caches by then, and nobody waits for it under the lock. */
static void fetch_next(const struct poll_log *log)
{
	const char *next = (const char *)&log->rows[log->next];

	for (size_t at = 0; at < sizeof(struct poll_row); at += 64) {
		__builtin_prefetch(next + at, 1);
	}
}

uint64_t poll_log_add(struct poll_log *log, const struct exchange *exchange)
{
	struct poll_row row;
	size_t size;

	if (log->capacity == 0) {
		return 0;
	}
	size = fill(&row, exchange);
	lock(log);
	row.seq = atomic_fetch_add_explicit(log->next_seq, 1, memory_order_relaxed);
	memcpy(&log->rows[log->next], &row, size);
	log->next = log->next + 1 == log->capacity ? 0 : log->next + 1;
	log->end++;
	if (log->end - log->first > log->capacity) {
		log->first++;
	}
	fetch_next(log);
	unlock(log);
	return row.seq;
}

/* The place of the first row whose number is at least `seq`. Wants the lock. */
static uint64_t find(const struct poll_log *log, uint64_t seq)
{
	uint64_t low = log->first;
	uint64_t high = log->end;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (log->rows[middle % log->capacity].seq < seq) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

size_t poll_log_copy(
	struct poll_log *log, uint64_t before, uint64_t after, struct poll_row *out, size_t max)
{
	size_t count = 0;
	uint64_t place;

	lock(log);
	place = find(log, before);
	while (place > log->first && count < max) {
		const struct poll_row *row = &log->rows[(place - 1) % log->capacity];

		if (row->seq <= after) {
			break;
		}
		out[count++] = *row;
		place--;
	}
	unlock(log);
	return count;
}

uint32_t poll_log_count(struct poll_log *log)
{
	uint64_t count;

	lock(log);
	count = log->end - log->first;
	unlock(log);
	return (uint32_t)count;
}

uint64_t poll_log_total(struct poll_log *log)
{
	uint64_t total;

	lock(log);
	total = log->end;
	unlock(log);
	return total;
}

uint32_t poll_log_capacity(const struct poll_log *log)
{
	return log->capacity;
}

void poll_log_clear(struct poll_log *log)
{
	lock(log);
	log->first = log->end;
	unlock(log);
}
