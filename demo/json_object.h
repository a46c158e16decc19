/*
 * Layer: demo. One job: read a JSON document that has to be one object (RFC 8259), strictly, and
 * tell its members. For the small documents that the sample API is sent.
 */
#ifndef SIGHTGLASS_DEMO_JSON_OBJECT_H
#define SIGHTGLASS_DEMO_JSON_OBJECT_H

#include "base/err.h"
#include "base/slice.h"

/*
 * A member of the outermost object: both slices without their escapes, valid during the call.
 * `text` is NULL where the value is anything but a string.
 */
typedef void (*demo_json_member_fn)(void *context, struct slice key, const struct slice *text);

/*
 * Tells each member of `document` as it is read; the caller bounds the document's length. 0, or
 * ERR_SYNTAX with where and what in `err`: members before that place have been told.
 */
enum err_code demo_json_read_object(
	struct slice document, demo_json_member_fn member, void *context, struct err *err);

#endif
