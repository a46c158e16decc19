/*
 * Layer: inspector. One job: the handlers of marks: set one, list them, clear them.
 */
#ifndef SIGHTGLASS_INSPECTOR_API_MARKS_H
#define SIGHTGLASS_INSPECTOR_API_MARKS_H

#include "inspector/api.h"

/* {"name": "…"} */
void api_marks_set(const struct api_call *call);
void api_marks_list(const struct api_call *call);
void api_marks_clear(const struct api_call *call);

#endif
