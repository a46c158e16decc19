/*
 * Layer: inspector (sees base, pool, proxy). One job: the metrics of INTERFACE section 5, as
 * Prometheus reads them.
 */
#ifndef SIGHTGLASS_INSPECTOR_METRICS_H
#define SIGHTGLASS_INSPECTOR_METRICS_H

#include "inspector/api.h"

/* Answers with all of them, in slices and in the same order every time. */
void metrics_answer(const struct api_call *call);

#endif
