/*
 * Layer: base. One job: what the rooms of the stream share: stream.c (its life, reading),
 * stream_write.c, and stream_tls.c. Seen by nobody else.
 */
#ifndef SIGHTGLASS_BASE_STREAM_STATE_H
#define SIGHTGLASS_BASE_STREAM_STATE_H

#include "base/stream.h"

enum {
	GATHER_PARTS = 64, /* a head, and twenty chunks with their lines and ends */
};

/* What is written within one turn; in the loop's scratch memory. */
struct stream_gather {
	struct stream_gather *next; /* a further one, where one is full */
	struct stream_gather *last; /* of the first one: the one that is filled */
	unsigned count;
	size_t len; /* of all parts */
	struct iovec parts[GATHER_PARTS];
};

static inline struct stream_gather *stream_gather_init(struct stream_gather *gather)
{
	gather->next = NULL;
	gather->last = gather;
	gather->count = 0;
	gather->len = 0;
	return gather;
}

/* Tells the owner that the stream is of no more use; once, and not of one that is closing. */
void stream_fail(struct stream *stream, int status);

/* --- stream_write.c */

/* The flush task's. */
void stream_on_flush(struct task *task);
/* Offers what was gathered to the socket, once, whatever it takes: the stream is closing. */
void stream_write_last(struct stream *stream);
/* Offers the parts to the socket, and copies what it does not take. Tells `blocked`, or `failed`.
 */
void stream_deliver(struct stream *stream, struct stream_gather *gather);

/* --- stream_tls.c, of streams with TLS alone */

/* The socket gave these records. */
void stream_receive_records(struct stream *stream, struct slice records);
/*
 * What was gathered (or NULL), and where it is the `last` that is sent, close_notify behind it, as
 * records: the same struct, or one in the loop's scratch memory. NULL where there is nothing to
 * send, or it cannot be encrypted: then there is a write_error, of which nobody was told.
 */
struct stream_gather *stream_encrypt(
	struct stream *stream, struct stream_gather *gather, bool last);

#endif
