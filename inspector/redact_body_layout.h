/*
 * Layer: inspector. One job: what redact_body.c and redact_multipart.c, which need each other, say
 * between themselves.
 */
#ifndef SIGHTGLASS_INSPECTOR_REDACT_BODY_LAYOUT_H
#define SIGHTGLASS_INSPECTOR_REDACT_BODY_LAYOUT_H

#include "inspector/redact_body.h"

enum {
	REDACT_DEPTH_MAX = 2, /* of multiparts within each other; deeper ones are text */
};

/* redact_body_create() of what stands within `depth` multiparts. */
struct redact_body *redact_body_create_within(
	const struct redactor *redactor, struct slice type, unsigned depth);

#endif
