/*
 * Layer: config. One job: from the draft to the settings: what belongs together is checked
 * together, names become indices, `auto` becomes a number.
 */
#ifndef SIGHTGLASS_CONFIG_FINISH_H
#define SIGHTGLASS_CONFIG_FINISH_H

#include "config/draft.h"

/* When all sources are read. What is wrong becomes problems; draft->settings is whole where there
 * are none. */
void draft_finish(struct draft *draft);

#endif
