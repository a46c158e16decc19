/*
 * Layer: base. One job: what the rooms of the stream share: stream.c (its life, reading) and
 * stream_write.c. Seen by nobody else.
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

/* Tells the owner that the stream is of no more use; once, and not of one that is closing. */
void stream_fail(struct stream *stream, int status);

/* --- stream_write.c */

/* The flush task's. */
void stream_on_flush(struct task *task);
/* Offers what was gathered to the socket, once, whatever it takes: the stream is closing. */
void stream_write_last(struct stream *stream);

#endif
