/*
 * Layer: inspector (sees base). One job: what happened to records and poll rows, in the order in
 * which it happened, for those who follow it: a ring of small entries (what, and whose number). Any
 * thread.
 *
 * Nothing is written while nobody reads: then an event costs its worker one load of a flag that
 * does not change. While somebody reads it costs an atomic addition and an exchange of one word; no
 * lock, no memory, nobody is woken: readers look by themselves. A reader has a position and nothing
 * else here, so one that does not read holds nothing; what it was too slow for is lost to it, and
 * it is told.
 *
 * Writing goes on after the last reader has left until the ring went round once: so one whose
 * connection broke finds all that happened meanwhile.
 */
#ifndef SIGHTGLASS_INSPECTOR_EVENT_LOG_H
#define SIGHTGLASS_INSPECTOR_EVENT_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum event_kind {
	EVENT_BEGUN,    /* a record: its request's head was read */
	EVENT_ANSWERED, /* its answer's head has come */
	EVENT_ENDED,
	EVENT_ROW,     /* a poll row was written */
	EVENT_EVICTED, /* a record went for others */
	EVENT_CLEARED, /* all that had ended went, by somebody's wish; its seq is 0 */
};

struct event {
	enum event_kind kind;
	uint64_t seq;
};

struct event_log; /* opaque but for its switch, the first member */
struct event_switch {
	atomic_bool recording;
};

/* Never NULL. */
struct event_log *event_log_create(void);
void event_log_destroy(struct event_log *log);
/* The most memory that it takes, in bytes; touched only where somebody reads. */
uint64_t event_log_memory_max(void);

/* --- writing */

void event_log_add(struct event_log *log, enum event_kind kind, uint64_t seq);

static inline void event_log_tell(struct event_log *log, enum event_kind kind, uint64_t seq)
{
	struct event_switch *shown = (struct event_switch *)log;

	if (atomic_load_explicit(&shown->recording, memory_order_relaxed)) {
		event_log_add(log, kind, seq);
	}
}

/* --- reading */

/* One more reader, who leaves by event_log_leave(); false where there are `max` already. */
bool event_log_join(struct event_log *log, unsigned max);
void event_log_leave(struct event_log *log);
unsigned event_log_readers(const struct event_log *log);

/* Tells logs apart: positions mean nothing in the log of another process. */
uint64_t event_log_tag(const struct event_log *log);
/* The position of the event to come. */
uint64_t event_log_end(const struct event_log *log);

enum event_found {
	EVENT_FOUND,
	EVENT_NONE, /* not yet */
	EVENT_LOST, /* it is not kept (any more), or never was */
};
/* The event at that position; the next one's is one more. */
enum event_found event_log_read(const struct event_log *log, uint64_t at, struct event *event);
/* How many there are, and were, from that position on; false where that is not known: they were not
 * written. */
bool event_log_lost(const struct event_log *log, uint64_t at, uint64_t *count);

#endif
