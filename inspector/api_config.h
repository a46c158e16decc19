/*
 * Layer: inspector. One job: the handler that answers with the settings in effect, as --check
 * prints them, secrets hidden.
 */
#ifndef SIGHTGLASS_INSPECTOR_API_CONFIG_H
#define SIGHTGLASS_INSPECTOR_API_CONFIG_H

#include "inspector/api.h"

void api_config(const struct api_call *call);

#endif
