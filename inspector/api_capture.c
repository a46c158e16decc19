/*
 * Layer: inspector. One job: see api_capture.h.
 */
#include "inspector/api_capture.h"

#include "base/json.h"
#include "inspector/api_parameters.h"
#include "inspector/request_body.h"

enum {
	BODY_MAX = 4096,
};

static void answer_state(const struct api_call *call)
{
	struct json json;

	json_init(&json, answer_buffer(call->answer));
	json_begin_object(&json);
	json_key(&json, "paused");
	json_bool(&json, capture_store_is_paused(call->api->store));
	json_end_object(&json);
	answer_begin(call->answer, 200, ANSWER_DATA, 0);
	answer_send_buffer(call->answer, SLICE("application/json"));
}

void api_capture(const struct api_call *call)
{
	if (!api_parameters_parse(call, NULL, 0, NULL)) {
		return;
	}
	answer_state(call);
}

static void set(const struct api_call *call, const json_t *body)
{
	static const char *const names[] = {"paused"};
	const json_t *paused = json_object_get(body, names[0]);

	if (!request_body_has_only(call, body, names, 1)) {
		return;
	}
	if (!json_is_boolean(paused)) {
		answer_problem(call->answer, 400,
			"the member \"paused\" of the body has to be true or false");
		return;
	}
	capture_store_pause(call->api->store, json_is_true(paused));
	answer_state(call);
}

void api_capture_set(const struct api_call *call)
{
	if (!api_parameters_parse(call, NULL, 0, NULL)) {
		return;
	}
	request_body_read(call, BODY_MAX, set);
}
