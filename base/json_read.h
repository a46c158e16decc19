/*
 * Layer: base. One job: read JSON text as a whole, by jansson, and leave no secret of it behind:
 * whatever jansson frees is overwritten first.
 */
#ifndef SIGHTGLASS_BASE_JSON_READ_H
#define SIGHTGLASS_BASE_JSON_READ_H

#include <jansson.h>

#include "base/err.h"
#include "base/slice.h"

/*
 * The object that `text` is, ended by json_decref(). NULL, with ERR_SETTINGS and a sentence, where
 * it is anything else, has a name twice in one object (RFC 8259 section 4 leaves open what that
 * means), or more than `max` bytes. Of the text itself the sentence holds nothing: it says the
 * line. Nesting is bounded by jansson (2048). Any thread.
 */
json_t *json_read_object(struct slice text, size_t max, struct err *err);

/* The member as text, valid as long as `object`; false where it is missing or is no string. */
bool json_read_string(const json_t *object, const char *name, struct slice *text);

#endif
