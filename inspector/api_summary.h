/*
 * Layer: inspector. One job: the handler that answers with a summary of the last minutes.
 */
#ifndef SIGHTGLASS_INSPECTOR_API_SUMMARY_H
#define SIGHTGLASS_INSPECTOR_API_SUMMARY_H

#include "inspector/api.h"

void api_summary(const struct api_call *call);

#endif
