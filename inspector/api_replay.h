/*
 * Layer: inspector (sees base, http, proxy). One job: send a captured request again.
 */
#ifndef SIGHTGLASS_INSPECTOR_API_REPLAY_H
#define SIGHTGLASS_INSPECTOR_API_REPLAY_H

#include "inspector/api.h"

/*
 * POST api/requests/{id}/replay: sends the request of that record again, with what the body wants
 * changed, over the same way as any other. Answers the new record's summary once its exchange has
 * ended; a caller that leaves before cancels it.
 */
void api_replay(const struct api_call *call);

#endif
