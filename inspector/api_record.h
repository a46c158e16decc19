/*
 * Layer: inspector (sees base, http, proxy). One job: one record, its request as a curl
 * command, and its two bodies as files.
 */
#ifndef SIGHTGLASS_INSPECTOR_API_RECORD_H
#define SIGHTGLASS_INSPECTOR_API_RECORD_H

#include "inspector/api.h"

/*
 * The record that the call's argument names: by request ID, the newest with it, or by "seq:N". The
 * caller releases it. NULL where there is none: that is answered then.
 */
struct record *api_record_find(const struct api_call *call);
/* GET api/requests/{id} */
void api_record(const struct api_call *call);
/* GET api/requests/{id}/curl. */
void api_record_curl(const struct api_call *call);
/* GET api/requests/{id}/request-body and …/response-body: the captured bytes. */
void api_request_body(const struct api_call *call);
void api_response_body(const struct api_call *call);

#endif
