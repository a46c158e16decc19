/*
 * Layer: inspector. One job: the handlers that say whether capture is paused, pause it, and let it
 * go on.
 */
#ifndef SIGHTGLASS_INSPECTOR_API_CAPTURE_H
#define SIGHTGLASS_INSPECTOR_API_CAPTURE_H

#include "inspector/api.h"

void api_capture(const struct api_call *call);
/* {"paused": true} or {"paused": false} */
void api_capture_set(const struct api_call *call);

#endif
