/*
 * Layer: inspector (sees base, http, pool, proxy). One job: tell an orchestrator whether the
 * process lives, and whether it should get traffic.
 */
#ifndef SIGHTGLASS_INSPECTOR_API_HEALTH_H
#define SIGHTGLASS_INSPECTOR_API_HEALTH_H

#include "inspector/api.h"

/* "ok" from any process that answers. */
void api_healthz(const struct api_call *call);
/*
 * "ok", or 503 while the process drains, or when no upstream can be reached. Where the last attempt
 * with every upstream failed, it tries again itself: without traffic nobody else would, and a
 * process once taken out of service would stay there.
 */
void api_readyz(const struct api_call *call);

#endif
