/*
 * Layer: inspector (sees base, http, proxy). One job: the list of what was captured, newest first,
 * as summaries, as whole records or as a HTTP Archive, filtered; and its clearing.
 */
#ifndef SIGHTGLASS_INSPECTOR_API_REQUESTS_H
#define SIGHTGLASS_INSPECTOR_API_REQUESTS_H

#include "inspector/api.h"

/* GET api/requests: summaries. */
void api_requests_list(const struct api_call *call);
/* GET of the prefix itself: whole records, with the beginnings of their bodies. */
void api_requests_list_whole(const struct api_call *call);
/* GET api/har: the same selection as GET api/requests, with whole bodies, as a file. */
void api_requests_har(const struct api_call *call);
/* DELETE api/requests. */
void api_requests_clear(const struct api_call *call);

#endif
