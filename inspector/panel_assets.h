/*
 * Layer: inspector (sees base). One job: the files of the panel (inspector/panel/), embedded at
 * build time.
 */
#ifndef SIGHTGLASS_INSPECTOR_PANEL_ASSETS_H
#define SIGHTGLASS_INSPECTOR_PANEL_ASSETS_H

#include "base/asset.h"

/* panel_assets_count of them, then one whose name is NULL. */
extern const struct asset panel_assets[];
extern const size_t panel_assets_count;

#endif
