/*
 * Layer: inspector (sees base). One job: keep the body of a request for whoever waits for it,
 * within a bound: also what comes before it is known whether anybody does.
 */
#ifndef SIGHTGLASS_INSPECTOR_TAKEN_BODY_H
#define SIGHTGLASS_INSPECTOR_TAKEN_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/slice.h"

enum taken_body_state {
	TAKEN_BODY_EARLY,   /* nobody has said yet whether it is wanted */
	TAKEN_BODY_UNKEPT,  /* it is not, or was told already */
	TAKEN_BODY_WAITING, /* it is, and is not whole */
	TAKEN_BODY_DUE,     /* it is to be told: as a whole, or as too long */
};

struct taken_body { /* all zero is an empty one */
	enum taken_body_state state;
	size_t max;
	struct buffer bytes;
	bool over;
	bool ended;
};

void taken_body_fini(struct taken_body *body);
/* What came of it; once `ended`, all of it. Both say whether it is due from now on. */
bool taken_body_add(struct taken_body *body, struct slice bytes);
bool taken_body_end(struct taken_body *body);
/* It is wanted, up to `max` bytes. */
void taken_body_want(struct taken_body *body, size_t max);
/* Nobody wants it, or it was told: what was kept goes. */
void taken_body_drop(struct taken_body *body);
/* Of one that is due: the bytes, which live until it is dropped; a NULL pointer where they are more
 * than they may be. */
struct slice taken_body_bytes(const struct taken_body *body);

#endif
