/*
 * Layer: inspector. One job: see api_parameters.h.
 */
#include "inspector/api_parameters.h"

#include <inttypes.h>

#include "inspector/parameters.h"

bool api_parameters_parse(
	const struct api_call *call, const char *const *names, size_t count, struct slice *values)
{
	struct err err = ERR_INIT;
	enum err_code rc =
		parameters_parse(call->query, names, count, &call->exchange->arena, values, &err);

	if (rc != ERR_NONE) {
		answer_problem(call->answer, rc == ERR_SYNTAX ? 400 : 503, "%s", err.text);
	}
	return rc == ERR_NONE;
}

bool api_parameter_number(const struct api_call *call, const char *name, struct slice value,
	uint64_t min, uint64_t max, uint64_t *number)
{
	uint64_t read;

	if (value.ptr == NULL) {
		return true;
	}
	if (!slice_to_u64(value, max, &read) || read < min) {
		answer_problem(call->answer, 400,
			"the parameter \"%s\" has to be a number from %" PRIu64 " to %" PRIu64,
			name, min, max);
		return false;
	}
	*number = read;
	return true;
}
