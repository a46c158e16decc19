/*
 * Layer: inspector (sees base, pool, proxy). One job: what each upstream's pool does, now and since
 * the start: `GET api/upstreams`.
 */
#ifndef SIGHTGLASS_INSPECTOR_API_UPSTREAMS_H
#define SIGHTGLASS_INSPECTOR_API_UPSTREAMS_H

#include "inspector/api.h"

/* {"items": [...]}, in the order of the settings. */
void api_upstreams(const struct api_call *call);

#endif
