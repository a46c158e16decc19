/*
 * Layer: inspector. One job: see api_config.h.
 */
#include "inspector/api_config.h"

#include "inspector/api_parameters.h"

void api_config(const struct api_call *call)
{
	if (!api_parameters_parse(call, NULL, 0, NULL)) {
		return;
	}
	answer_begin(call->answer, 200, ANSWER_DATA, 0);
	answer_send_lent(call->answer, SLICE("application/yaml"), call->api->configuration);
}
