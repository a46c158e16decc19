/*
 * Layer: inspector. One job: see api_marks.h.
 */
#include "inspector/api_marks.h"

#include "base/clock.h"
#include "base/json.h"
#include "inspector/api_parameters.h"
#include "inspector/request_body.h"

enum {
	BODY_MAX = 4096,
};

static void write_mark(struct json *json, const struct mark_facts *facts)
{
	char time[CLOCK_RFC3339_SIZE];

	(void)clock_format_rfc3339(facts->wall_us, time);
	json_begin_object(json);
	json_key(json, "name");
	json_cstring(json, facts->name);
	json_key(json, "ts");
	json_seconds(json, facts->wall_us);
	json_key(json, "time");
	json_cstring(json, time);
	json_key(json, "count");
	json_u64(json, facts->count);
	json_end_object(json);
}

static void set(const struct api_call *call, const json_t *body)
{
	static const char *const names[] = {"name"};
	struct mark_facts facts;
	struct err err = ERR_INIT;
	struct slice name;
	struct json json;
	enum err_code rc;

	if (!request_body_has_only(call, body, names, 1)) {
		return;
	}
	if (!json_read_string(body, "name", &name)) {
		answer_problem(
			call->answer, 400, "the member \"name\" of the body has to be a text");
		return;
	}
	rc = marks_set(call->api->marks, name, &facts, &err);
	if (rc != ERR_NONE) {
		answer_problem(call->answer, rc == ERR_LIMIT ? 409 : 400, "name: %s", err.text);
		return;
	}
	json_init(&json, answer_buffer(call->answer));
	write_mark(&json, &facts);
	answer_begin(call->answer, 200, ANSWER_DATA, 0);
	answer_send_buffer(call->answer, SLICE("application/json"));
}

void api_marks_set(const struct api_call *call)
{
	if (api_parameters_parse(call, NULL, 0, NULL)) {
		request_body_read(call, BODY_MAX, set);
	}
}

void api_marks_list(const struct api_call *call)
{
	struct mark_facts facts[MARKS_MAX];
	struct json json;
	size_t count;

	if (!api_parameters_parse(call, NULL, 0, NULL)) {
		return;
	}
	count = marks_list(call->api->marks, facts);
	json_init(&json, answer_buffer(call->answer));
	json_begin_object(&json);
	json_key(&json, "items");
	json_begin_array(&json);
	for (size_t i = 0; i < count; i++) {
		write_mark(&json, &facts[i]);
	}
	json_end_array(&json);
	json_key(&json, "capacity");
	json_u64(&json, MARKS_MAX);
	json_end_object(&json);
	answer_begin(call->answer, 200, ANSWER_DATA, 0);
	answer_send_buffer(call->answer, SLICE("application/json"));
}

void api_marks_clear(const struct api_call *call)
{
	if (!api_parameters_parse(call, NULL, 0, NULL)) {
		return;
	}
	marks_clear(call->api->marks);
	answer_begin(call->answer, 204, ANSWER_DATA, 0);
	answer_send_empty(call->answer);
}
