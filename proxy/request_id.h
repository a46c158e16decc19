/*
 * Layer: proxy. One job: the identifiers of a request: the request ID (INTERFACE section 2) and the
 * trace context (W3C Trace Context).
 */
#ifndef SIGHTGLASS_PROXY_REQUEST_ID_H
#define SIGHTGLASS_PROXY_REQUEST_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum {
	UUID_LEN = 36,
	TRACEPARENT_LEN = 55,
};

/* 1 to 128 characters of A-Z a-z 0-9 - _ . : + / = @ */
bool request_id_valid(struct slice text);
/* A UUIDv7 (RFC 9562 section 5.7) of this wall-clock time; no NUL is written. */
void uuid_v7_write(uint64_t wall_us, char out[static UUID_LEN]);

/* A well-formed traceparent of version 00, or of a later one that begins alike: its 32 hexadecimal
 * digits of trace ID, else an empty slice. */
struct slice traceparent_trace_id(struct slice traceparent);
/* A new one, not sampled; no NUL is written. */
void traceparent_write(char out[static TRACEPARENT_LEN]);

#endif
