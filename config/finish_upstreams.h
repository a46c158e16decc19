/*
 * Layer: config. One job: from the draft to the settings: upstreams.
 */
#ifndef SIGHTGLASS_CONFIG_FINISH_UPSTREAMS_H
#define SIGHTGLASS_CONFIG_FINISH_UPSTREAMS_H

#include "config/draft.h"

/* With that of --upstream or --demo among them. */
void finish_upstreams(struct draft *draft);
void upstreams_fini(struct proxy_settings *proxy);

#endif
