/*
 * Layer: inspector (sees base). One job: whose request it was, as its bearer JWT claims:
 * unverified, for display alone.
 */
#ifndef SIGHTGLASS_INSPECTOR_CALLER_H
#define SIGHTGLASS_INSPECTOR_CALLER_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/slice.h"

enum {
	CALLER_MAX = 256, /* a longer name is not shown */
};

/*
 * Appends the first of the claims upn, preferred_username, email and sub that `authorization`, an
 * Authorization field's value, has as a text. False, with nothing appended, where it has none of
 * them or is no JWT.
 */
bool caller_of(struct slice authorization, struct buffer *out);

#endif
