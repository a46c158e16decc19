/*
 * Layer: inspector (sees base, http, proxy). One job: reading a record: the facts, heads and bodies
 * of one captured exchange, as the capture keeps them: raw. Redaction is the reader's duty
 * (inspector/redact.h), before anything leaves the process.
 *
 * A record may be read while its exchange runs on another thread: record_read() takes what is known
 * at that moment, and everything it hands out stays as it is until the reference is given back
 * (capture_store_release()). Any thread.
 */
#ifndef SIGHTGLASS_INSPECTOR_RECORD_H
#define SIGHTGLASS_INSPECTOR_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "http/field.h"
#include "http/head.h"
#include "proxy/exchange.h"

enum {
	RECORD_HASH_SIZE = 16,
	RECORD_HASH_TEXT_SIZE = 33, /* 32 hexadecimal digits and a NUL */
};

struct record;       /* opaque: inspector/record_layout.h */
struct record_piece; /* opaque: a part of a body */
struct record_body_data;
struct messages; /* inspector/messages.h */

/* A head or a trailer section as it came. All zero where there is none. */
struct record_head {
	struct slice bytes; /* byte for byte, with the start line and the last CRLF */
	uint32_t fields_at; /* where in `bytes` the first field begins */
	uint16_t count;     /* how many fields there are, duplicates included */
};

struct record_fields { /* a walk through them */
	struct slice rest;
	uint16_t left;
};

/* What showing a body has brought to light (inspector/shown_body.h). */
enum record_look {
	RECORD_UNSEEN, /* nobody has gone through all of it yet */
	RECORD_CLEAN,  /* its bytes hide nothing */
	RECORD_OPAQUE, /* coded, and could not be decoded to its end: the bytes may hide something
			*/
	RECORD_HIDES,
	RECORD_GARBLED, /* coded, and broken: what it decodes to cannot be trusted */
};

struct record_body {
	uint64_t size;  /* bytes that have passed so far; of a tunnel: bytes in, bytes out */
	uint64_t kept;  /* how many of them, from the first on, can be read here */
	bool truncated; /* more has passed than was kept */
	bool ended;     /* nothing more comes */
	bool has_hash;  /* false while it runs, where no byte came, in a tunnel, and where bodies
			   are not captured */
	enum record_look look;
	struct record_body_data *data;
	const struct record_piece *pieces;
};

struct record_parts { /* a walk through the bytes that were kept */
	const struct record_piece *next;
	uint64_t left;
};

/* What is known of an exchange. Slices live as long as the reader's reference. Empty, 0 or false =
 * not known, not yet, or none. */
struct record_view {
	uint64_t seq;
	enum exchange_state state;
	enum capture_level level; /* CAPTURE_FULL or CAPTURE_HEADERS: with the latter there are
				     sizes, but no bodies, hashes or trailers */
	struct exchange_clock
		clock; /* while it runs only wall_us, begin_us, request_head_us and first_byte_us */

	struct slice request_id; /* empty where the request was refused before it had one */
	struct slice trace_id;
	struct slice client_ip;
	struct slice route; /* the prefix as it was written; empty where no route was looked for */
	struct slice upstream; /* known from the answer's head on */
	struct slice error;    /* a sentence; known from the answer's head on */
	enum err_code error_code;

	const char *scheme;
	struct slice host;
	enum method method;
	struct slice method_name; /* empty where the request line could not be read; so are path and
				     query */
	struct slice path;        /* without query */
	struct slice query;       /* without '?' */
	bool has_query;
	uint8_t request_version_minor;
	struct record_head request;
	struct record_head request_trailers;
	struct record_body request_body;

	unsigned status; /* 0: no answer (yet) */
	uint8_t response_version_minor;
	struct record_head response;
	struct record_head response_trailers;
	struct record_body response_body;

	bool replay; /* sent by the inspector itself */
	/* NULL: it is neither a WebSocket nor a stream of events, or bodies are not captured */
	const struct messages *messages;

	unsigned attempts; /* this and the next two: known at the end */
	bool reused;
	uint64_t idle_ms;
};

/* `record` is one that the caller holds a reference to. */
void record_read(struct record *record, struct record_view *view);
uint64_t record_seq(const struct record *record);

struct record_fields record_fields(const struct record_head *head);
/* The next field, in the order in which they came, its value without the white space around it.
 * False at the end. */
bool record_fields_next(struct record_fields *walk, struct slice *name, struct slice *value);
/* The first value of a field, or an empty slice with a NULL pointer. Looks by name: `id` is not
 * FIELD_OTHER. */
struct slice record_head_get(const struct record_head *head, enum field_id id);

/* Whether a field of that name did not go on to the next hop: by its own meaning, or because a
 * Connection of the head names it; of those the first 64 count. */
bool record_is_hop_by_hop(const struct record_head *head, struct slice name);

struct record_parts record_parts(const struct record_body *body);
/* The next run of bytes of a body, never an empty one; together they are the `kept` first. False at
 * the end. */
bool record_parts_next(struct record_parts *walk, struct slice *bytes);
/* Copies at most `room` of them, from `from` on; returns how many. */
size_t record_body_copy(const struct record_body *body, uint64_t from, char *out, size_t room);

/*
 * XXH3, 128 bits, over all bytes that passed, in canonical order. Of a body that was kept whole it
 * is made when it is first asked for, and remembered where it was long: who adds it up while the
 * body passes makes every request pay for what few look at. False where there is none.
 */
bool record_body_hash(const struct record_body *body, uint8_t out[static RECORD_HASH_SIZE]);
/* How many bytes record_body_hash() would have to read. */
uint64_t record_body_hash_work(const struct record_body *body);
/* Remembers what a look at all of a body has brought to light; for one whose exchange has ended. */
void record_body_looked(const struct record_body *body, enum record_look look);
/* As `xxhsum -H2` prints it. */
void record_hash_format(
	const uint8_t hash[static RECORD_HASH_SIZE], char out[static RECORD_HASH_TEXT_SIZE]);

#endif
