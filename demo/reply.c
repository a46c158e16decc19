/*
 * Layer: demo. One job: see reply.h.
 */
#include "demo/reply.h"

#include "base/json.h"
#include "demo/answer.h"

static void reply(struct demo_client *client, unsigned status, const char *content_type,
	struct buffer *body, struct slice fields)
{
	const struct demo_head head = {
		.status = status,
		.content_type = content_type,
		.length = body->len,
		.fields = fields,
	};

	(void)demo_client_head(client, &head);
	demo_client_write_buffer(client, body);
	demo_client_end(client);
}

/* Polled data is not to be kept by a browser. */
static void add_no_store(struct buffer *out, struct slice fields)
{
	buffer_append_str(out, "Cache-Control: no-store\r\n");
	buffer_append_slice(out, fields);
}

void demo_reply_json(
	struct demo_client *client, unsigned status, struct buffer *body, struct slice fields)
{
	struct buffer all = BUFFER_INIT;

	add_no_store(&all, fields);
	buffer_append_char(body, '\n');
	reply(client, status, "application/json", body, buffer_slice(&all));
	buffer_fini(&all);
}

void demo_reply_problem(struct demo_client *client, const struct demo_request *request,
	unsigned status, const char *detail, struct slice fields)
{
	struct slice id = head_get(&request->head, FIELD_X_REQUEST_ID);
	struct buffer all = BUFFER_INIT;
	struct buffer body = BUFFER_INIT;
	struct json json;

	json_init(&json, &body);
	json_begin_object(&json);
	json_key(&json, "type");
	json_cstring(&json, "about:blank");
	json_key(&json, "title");
	json_cstring(&json, status_reason(status));
	json_key(&json, "status");
	json_u64(&json, status);
	json_key(&json, "detail");
	json_cstring(&json, detail);
	if (id.ptr != NULL) {
		json_key(&json, "request_id");
		json_text(&json, id);
	}
	json_end_object(&json);
	add_no_store(&all, fields);
	buffer_append_char(&body, '\n');
	reply(client, status, "application/problem+json", &body, buffer_slice(&all));
	buffer_fini(&all);
}

void demo_reply_nothing(struct demo_client *client)
{
	const struct demo_head head = {.status = 204, .length = 0};

	(void)demo_client_head(client, &head);
	demo_client_end(client);
}
