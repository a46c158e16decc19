/*
 * Layer: demo (sees base and http). One job: the files of the sample dashboard (demo/page/),
 * embedded at build time.
 */
#ifndef SIGHTGLASS_DEMO_ASSETS_H
#define SIGHTGLASS_DEMO_ASSETS_H

#include "base/asset.h"

/* demo_assets_count of them, then one whose name is NULL. */
extern const struct asset demo_assets[];
extern const size_t demo_assets_count;

#endif
