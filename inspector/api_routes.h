/*
 * Layer: inspector. One job: the handler that answers with what is counted by route, method and
 * folded path, since the start.
 */
#ifndef SIGHTGLASS_INSPECTOR_API_ROUTES_H
#define SIGHTGLASS_INSPECTOR_API_ROUTES_H

#include "inspector/api.h"

void api_routes(const struct api_call *call);

#endif
