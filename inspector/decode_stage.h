/*
 * Layer: inspector. One job: what one coding is to decode.c, whichever library undoes it.
 */
#ifndef SIGHTGLASS_INSPECTOR_DECODE_STAGE_H
#define SIGHTGLASS_INSPECTOR_DECODE_STAGE_H

#include <stddef.h>

#include "base/slice.h"
#include "inspector/decode.h"

enum {
	DECODE_WINDOW_BITS = 23, /* 8 MiB: what RFC 9659 asks of those who decode zstd */
};

struct decode_stage;

struct decode_stage_ops {
	/* Never NULL. */
	struct decode_stage *(*create)(void);
	void (*destroy)(struct decode_stage *stage);
	/*
	 * Takes bytes off `*in` and writes at most `room`; `*made` tells how many. DECODE_GOES_ON
	 * where it wants more of either; DECODE_WHOLE at the end of the data: called again with
	 * more input it begins anew where the coding allows that, else that is DECODE_FOLLOWED.
	 */
	enum decode_state (*next)(
		struct decode_stage *stage, struct slice *in, char *out, size_t room, size_t *made);
};

struct decode_stage {
	const struct decode_stage_ops *ops;
};

static inline void decode_took(struct slice *in, size_t len)
{
	if (len > 0) {
		*in = slice_of(in->ptr + len, in->len - len);
	}
}

extern const struct decode_stage_ops decode_gzip;
extern const struct decode_stage_ops decode_deflate;
extern const struct decode_stage_ops decode_brotli;
extern const struct decode_stage_ops decode_zstd;

#endif
