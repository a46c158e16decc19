/*
 * Layer: inspector. One job: the handler that compares what passed in two periods (marks.h): calls,
 * upstream calls and mean latency of each kind of call; as JSON, or as a Markdown table for a pull
 * request.
 */
#ifndef SIGHTGLASS_INSPECTOR_API_COMPARE_H
#define SIGHTGLASS_INSPECTOR_API_COMPARE_H

#include "inspector/api.h"

void api_compare(const struct api_call *call);

#endif
