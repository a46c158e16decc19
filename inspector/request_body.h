/*
 * Layer: inspector (sees base, http, proxy). One job: read the JSON object that a request for the
 * inspector brings, within a bound.
 */
#ifndef SIGHTGLASS_INSPECTOR_REQUEST_BODY_H
#define SIGHTGLASS_INSPECTOR_REQUEST_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json_read.h"
#include "base/slice.h"
#include "inspector/api.h"

enum {
	REQUEST_BODY_MAX = 1024 * 1024, /* of any of them */
};

/* Answers the call. `body` lives during it; what is not copied is gone afterwards. */
typedef void (*request_body_handler)(const struct api_call *call, const json_t *body);

/*
 * Waits for the body of the call's request, at most `max` bytes (up to REQUEST_BODY_MAX), and hands
 * it over as the object that it is: `then` is called in a task, and answers. What is longer is
 * answered 413, and what is no JSON object 400; where the client leaves before its end, nothing is
 * called. To be called by the resource's handler.
 */
void request_body_read(const struct api_call *call, size_t max, request_body_handler then);

/*
 * Answers 400 and returns false where the object has a member that is none of `names`, `count` of
 * them: a misspelt one is never passed over.
 */
bool request_body_has_only(
	const struct api_call *call, const json_t *body, const char *const *names, size_t count);

#endif
