/*
 * Layer: inspector. One job: read the query of a call, and answer 400 with a sentence that names
 * the parameter where it is wrong.
 */
#ifndef SIGHTGLASS_INSPECTOR_API_PARAMETERS_H
#define SIGHTGLASS_INSPECTOR_API_PARAMETERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspector/api.h"

/* parameters_parse() of the call's query; false where the call was answered. */
bool api_parameters_parse(
	const struct api_call *call, const char *const *names, size_t count, struct slice *values);

/* Reads a number from `min` to `max`; `*number` stays what it is where `value` is absent. False
 * where the call was answered. */
bool api_parameter_number(const struct api_call *call, const char *name, struct slice value,
	uint64_t min, uint64_t max, uint64_t *number);

#endif
