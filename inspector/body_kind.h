/*
 * Layer: inspector (sees base). One job: how a body is to be read, by what is said of it and by how
 * it begins. Who sends a body may be wrong about its type, so what it looks like counts more.
 */
#ifndef SIGHTGLASS_INSPECTOR_BODY_KIND_H
#define SIGHTGLASS_INSPECTOR_BODY_KIND_H

#include <stdbool.h>

#include "base/slice.h"

enum body_kind {
	BODY_TEXT, /* also YAML, logs, event streams */
	BODY_JSON,
	BODY_FORM,   /* application/x-www-form-urlencoded */
	BODY_MARKUP, /* HTML, XML */
	BODY_CODE,   /* JavaScript, CSS */
	BODY_BINARY,
	BODY_MULTIPART,
};

enum {
	BODY_KIND_LOOK = 512, /* bytes that tell as much as all of them */
};

/* `type` is a Content-Type or empty; `beginning` the body's first BODY_KIND_LOOK bytes, or all. */
enum body_kind body_kind_of(struct slice type, struct slice beginning);
/* Whether no byte of it is one that text does not have. */
bool body_looks_like_text(struct slice beginning);
/* The value of a parameter of a media type or of a Content-Disposition, without its quotes; empty
 * where there is none. */
struct slice body_kind_parameter(struct slice value, struct slice name);

#endif
