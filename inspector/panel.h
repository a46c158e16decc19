/*
 * Layer: inspector (sees base, http, proxy). One job: serve the panel: its page and its files,
 * which are part of the program.
 */
#ifndef SIGHTGLASS_INSPECTOR_PANEL_H
#define SIGHTGLASS_INSPECTOR_PANEL_H

#include <stdbool.h>

#include "inspector/api.h"

/* True for a GET or HEAD from a client that would rather have a page than data. */
bool panel_is_wanted(const struct exchange *exchange);
/* The page itself. */
void panel_page(const struct api_call *call);
/* The file that call->argument names. */
void panel_asset(const struct api_call *call);

#endif
