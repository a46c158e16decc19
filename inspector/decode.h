/*
 * Layer: inspector (sees base). One job: undo the content codings of a body (RFC 9110 section 8.4):
 * gzip, deflate, br and zstd, up to three of them on top of each other, in slices.
 *
 * What comes in was written by anybody: of the output there are at most 16 MiB, no window is above
 * 8 MiB, and a decoder takes below 14 MiB for a coding, most of them 50 KiB. What is broken, cut or
 * too long gives what could be decoded before that: where it is broken, that is known late, at a
 * check sum.
 */
#ifndef SIGHTGLASS_INSPECTOR_DECODE_H
#define SIGHTGLASS_INSPECTOR_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

enum {
	DECODE_MAX = 16 * 1024 * 1024, /* bytes of output */
	DECODE_LAYERS_MAX = 3,
};

enum decode_state {
	DECODE_GOES_ON,
	DECODE_WHOLE,    /* the end of the data, and of the input */
	DECODE_CUT,      /* the input ended before the data */
	DECODE_FOLLOWED, /* the data are whole, but something else follows them */
	DECODE_BROKEN,   /* they are not what they say: what came out may be garbled */
	DECODE_TOO_LONG, /* more than DECODE_MAX came out */
	DECODE_TOO_WIDE, /* it would take too much memory */
};

struct decoder; /* opaque */

/* Whether a Content-Encoding (the values of several fields joined by ',') names anything but
 * "identity". */
bool decode_is_coded(struct slice codings);
/* NULL where one of them is not known, or where there are too many. */
struct decoder *decoder_create(struct slice codings);
void decoder_destroy(struct decoder *decoder);
/*
 * Takes bytes off `*in` and appends what they decode to, at most `room` bytes; `last` says that
 * nothing follows `*in`. Until the result is another one, call again: with what is left of `*in`,
 * or with what follows it.
 */
enum decode_state decoder_next(
	struct decoder *decoder, struct slice *in, bool last, struct buffer *out, size_t room);

#endif
