/*
 * Layer: http (sees base). One job: find the body's bytes among those that arrive, by the framing
 * that was decided: a length, chunks (RFC 9112 section 7.1), or all up to the close. Chunk sizes
 * fit 63 bits, chunk lines end in CRLF. Extensions are dropped; in sum, with the trailer section,
 * they may hold limits->bytes, and a byte more for each 64 of the body: so a long upload whose
 * chunks are signed passes, and a peer that sends extensions alone does not.
 */
#ifndef SIGHTGLASS_HTTP_BODY_READER_H
#define SIGHTGLASS_HTTP_BODY_READER_H

#include "base/arena.h"
#include "base/err.h"
#include "http/framing.h"
#include "http/head_reader.h"

enum body_progress {
	BODY_MORE, /* all bytes are taken; more must come */
	BODY_DATA, /* `*data` holds body bytes, a part of what was fed; call again, also with an
		      empty rest */
	BODY_END,  /* the body, with its trailers, is whole; what is left of `*in` is not its own */
	BODY_FAILED, /* ERR_SYNTAX or ERR_HEADER_LIMIT in `err` */
};

struct body_reader {
	enum framing_kind kind;
	uint8_t state;       /* of the chunk parser */
	uint8_t size_digits; /* of the size that is being read */
	uint64_t left;       /* of the length, or of the chunk */
	uint32_t overhead;   /* bytes of extensions so far that no data has paid for */
	uint32_t overhead_max;
	struct head *trailers; /* has fields after BODY_END where any came; empty otherwise */
	struct head_reader trailer_reader;
};

/*
 * Empties `*trailers`. It and `arena` outlive the reader; a kind other than FRAMING_CHUNKED does
 * not use the arena.
 */
void body_reader_init(struct body_reader *reader, const struct framing *framing,
	struct head *trailers, struct arena *arena, const struct head_limits *limits);

/*
 * Takes bytes off the front of `*in`, which may be empty. For FRAMING_NONE at once BODY_END;
 * FRAMING_CLOSE and FRAMING_TUNNEL never end by themselves.
 */
enum body_progress body_reader_next(
	struct body_reader *reader, struct slice *in, struct slice *data, struct err *err);

#endif
