/*
 * Layer: inspector (sees base, http, proxy). One job: the stream of events: what happens to
 * exchanges, as Server-Sent Events (INTERFACE section 4, `GET api/events`).
 */
#ifndef SIGHTGLASS_INSPECTOR_API_EVENTS_H
#define SIGHTGLASS_INSPECTOR_API_EVENTS_H

#include "inspector/api.h"

enum {
	EVENT_READERS_MAX = 64, /* at a time */
};

/* GET /api/events */
void api_events(const struct api_call *call);

#endif
