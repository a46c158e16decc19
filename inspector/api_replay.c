/*
 * Layer: inspector. One job: see api_replay.h.
 */
#include "inspector/api_replay.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/memory.h"
#include "inspector/api_record.h"
#include "inspector/record_json.h"
#include "inspector/request_body.h"
#include "inspector/resend.h"
#include "inspector/shown_body.h"
#include "proxy/subrequest.h"
#include "proxy/worker.h"

enum {
	FIELDS_MAX = 200,       /* in "headers" */
	LOOK_SLICE = 24 * 1024, /* of a body that is looked at before it is sent again */
};

/* One on its way; owned by the answer. */
struct replay {
	struct source source;
	struct subrequest subrequest;
	struct api_call call;
	struct record *original; /* held: its body is sent from where it lies */
	struct record_view view;
	struct record_parts parts;
	json_t *wish;            /* what is to be changed */
	struct shown_body *look; /* whether its body hides something */
	struct task go_on;
	struct buffer scratch;
	bool has_given;
	struct secret given; /* the body that came with the request for the replay */
	struct buffer left_out;
};

static struct replay *of_source(struct source *source)
{
	return container_of(source, struct replay, source);
}

static struct replay *of_subrequest(struct subrequest *subrequest)
{
	return container_of(subrequest, struct replay, subrequest);
}

static void stop(struct source *source)
{
	struct replay *self = of_source(source);

	task_cancel(&self->go_on);
	subrequest_cancel(&self->subrequest);
}

static void destroy(struct source *source)
{
	struct replay *self = of_source(source);

	shown_body_destroy(self->look);
	capture_store_release(self->call.api->store, self->original);
	json_decref(self->wish);
	buffer_fini(&self->scratch);
	secret_fini(&self->given);
	buffer_fini(&self->left_out);
	mem_free(self);
}

static const struct source_ops source_ops = {
	.stop = stop,
	.destroy = destroy,
};

/* --- its end */

static void write_names(struct json *json, const char *key, const struct buffer *names)
{
	struct slice rest = buffer_slice(names);
	struct slice name;

	json_key(json, key);
	json_begin_array(json);
	while (slice_next_token(&rest, &name)) {
		json_text(json, name);
	}
	json_end_array(json);
}

static void answer_summary(struct replay *self, struct record *made)
{
	struct buffer scratch = BUFFER_INIT;
	const struct record_format format = {
		.redactor = self->call.api->redactor,
		.scratch = &scratch,
		.now_us = clock_now_us(),
	};
	struct record_view view;
	struct json json;

	record_read(made, &view);
	json_init(&json, answer_buffer(self->call.answer));
	json_begin_object(&json);
	record_json_members(&json, &view, &format);
	json_key(&json, "replay_of");
	json_u64(&json, self->view.seq);
	write_names(&json, "left_out", &self->left_out);
	json_end_object(&json);
	buffer_fini(&scratch);
	answer_begin(self->call.answer, 200, ANSWER_DATA, 0);
	answer_send_buffer(self->call.answer, SLICE("application/json"));
}

static void on_ended(struct subrequest *subrequest)
{
	struct replay *self = of_subrequest(subrequest);
	const struct subrequest_outcome *outcome = &subrequest->outcome;
	struct capture_store *store = self->call.api->store;
	struct record *made = capture_store_find_id(
		store, slice_of(outcome->request_id, outcome->request_id_len));

	if (made == NULL) {
		answer_problem(self->call.answer, 503,
			"it was sent again, and answered with status %u, but no record of it could "
			"be kept",
			outcome->status);
		return;
	}
	answer_summary(self, made);
	capture_store_release(store, made);
}

/* --- its body */

static struct slice on_body(struct subrequest *subrequest)
{
	struct replay *self = of_subrequest(subrequest);
	struct slice bytes = {.ptr = NULL, .len = 0};

	if (self->has_given) {
		return secret_slice(&self->given);
	}
	(void)record_parts_next(&self->parts, &bytes);
	return bytes;
}

static const struct subrequest_ops subrequest_ops = {
	.body = on_body,
	.ended = on_ended,
};

/* --- what is to be changed: false where the problem is answered */

static bool refuse_member(const struct api_call *call, const char *name, const char *wanted)
{
	answer_problem(call->answer, 400, "%s: it has to be %s", name, wanted);
	return false;
}

static bool take_text(
	const struct api_call *call, const json_t *wish, const char *name, struct slice *text)
{
	const json_t *member = json_object_get(wish, name);

	if (member == NULL || json_is_null(member)) {
		*text = slice_of(NULL, 0);
		return true;
	}
	if (!json_is_string(member)) {
		return refuse_member(call, name, "a string");
	}
	*text = slice_of(json_string_value(member), json_string_length(member));
	return true;
}

static bool take_fields(const struct api_call *call, const json_t *wish,
	struct resend_field fields[static FIELDS_MAX], struct resend_changes *changes)
{
	static const char wanted[] =
		"a list of at most 200 objects with a \"name\" and a \"value\"";
	const json_t *list = json_object_get(wish, "headers");

	if (list == NULL || json_is_null(list)) {
		return true;
	}
	if (!json_is_array(list) || json_array_size(list) > FIELDS_MAX) {
		return refuse_member(call, "headers", wanted);
	}
	changes->has_fields = true;
	changes->fields = fields;
	changes->field_count = json_array_size(list);
	for (size_t i = 0; i < changes->field_count; i++) {
		const json_t *item = json_array_get(list, i);

		if (!json_read_string(item, "name", &fields[i].name) ||
			!json_read_string(item, "value", &fields[i].value)) {
			return refuse_member(call, "headers", wanted);
		}
	}
	return true;
}

static bool take_body(const struct api_call *call, const json_t *wish, struct replay *self)
{
	struct slice text;
	struct slice encoding;

	if (!take_text(call, wish, "body", &text) ||
		!take_text(call, wish, "body_encoding", &encoding)) {
		return false;
	}
	self->has_given = text.ptr != NULL;
	if (encoding.ptr == NULL || slice_equal(encoding, SLICE("utf-8"))) {
		secret_init(&self->given, text);
		return true;
	}
	if (!slice_equal(encoding, SLICE("base64"))) {
		return refuse_member(call, "body_encoding", "\"utf-8\" or \"base64\"");
	}
	return base64_decode(text, &self->given) || refuse_member(call, "body", "base64");
}

/* --- its beginning */

static void refuse(const struct api_call *call, enum resend_verdict verdict, const struct err *err)
{
	answer_problem(call->answer, verdict == RESEND_REFUSED ? 409 : 400, "%s", err->text);
}

static void begin(struct replay *self, const struct resend_changes *changes)
{
	const struct api_call *call = &self->call;
	const struct resend resend = {
		.redactor = call->api->redactor,
		.access = &call->api->access,
		.request_id_name = call->exchange->worker->settings->request_id_name,
		.caller = &call->exchange->request,
		.body_len = self->has_given ? secret_slice(&self->given).len
					    : self->view.request_body.size,
	};
	struct buffer head = BUFFER_INIT;
	struct err err = ERR_INIT;
	enum resend_verdict verdict =
		self->has_given ? RESEND_READY : resend_body(&self->view, &err);

	if (verdict == RESEND_READY) {
		verdict = resend_head(&resend, &self->view, changes, &head, &self->left_out, &err);
	}
	if (verdict == RESEND_READY &&
		subrequest_start(&self->subrequest, &subrequest_ops, call->exchange,
			buffer_slice(&head), resend.body_len, &err) != ERR_NONE) {
		verdict = RESEND_BAD;
	}
	buffer_fini(&head);
	if (verdict != RESEND_READY) {
		refuse(call, verdict, &err);
	}
}

static void decide(struct replay *self)
{
	struct resend_field fields[FIELDS_MAX];
	struct resend_changes changes = {.has_body = self->has_given};

	if (take_text(&self->call, self->wish, "method", &changes.method) &&
		take_text(&self->call, self->wish, "path", &changes.path) &&
		take_fields(&self->call, self->wish, fields, &changes)) {
		begin(self, &changes);
	}
}

/* Goes through the body that is to be sent again, a slice at a time. */
static void on_go_on(struct task *task)
{
	struct replay *self = container_of(task, struct replay, go_on);
	struct shown_facts facts;
	size_t spent = 0;

	while (spent < LOOK_SLICE) {
		buffer_clear(&self->scratch);
		if (!shown_body_next(self->look, &self->scratch, &spent)) {
			shown_body_facts(self->look, &facts);
			self->view.request_body.look = facts.look;
			decide(self);
			return;
		}
	}
	loop_later(self->call.exchange->loop, task);
}

static bool has_to_look(const struct replay *self)
{
	const struct record_body *body = &self->view.request_body;

	return !self->has_given && body->look == RECORD_UNSEEN && body->kept > 0;
}

static void replay_with(const struct api_call *call, const json_t *wish)
{
	static const char *const names[] = {"method", "path", "headers", "body", "body_encoding"};
	struct record *original;
	struct replay *self;

	if (!request_body_has_only(call, wish, names, sizeof(names) / sizeof(names[0]))) {
		return;
	}
	if (capture_store_is_paused(call->api->store)) {
		answer_problem(call->answer, 409,
			"capture is paused: what comes of a replay would not be kept; resume it by "
			"POST api/capture {\"paused\": false}");
		return;
	}
	original = api_record_find(call);
	if (original == NULL) {
		return;
	}
	self = mem_zalloc(sizeof(*self));
	self->source.ops = &source_ops;
	self->call = *call;
	self->wish = json_incref((json_t *)(uintptr_t)wish); /* counting is no change */
	self->original = original;
	task_init(&self->go_on, on_go_on);
	record_read(original, &self->view);
	self->parts = record_parts(&self->view.request_body);
	answer_wait(call->answer, &self->source);
	if (!take_body(&self->call, wish, self)) {
		return;
	}
	if (!has_to_look(self)) {
		decide(self);
		return;
	}
	self->look = shown_body_create(call->api->redactor, &self->view, RECORD_REQUEST);
	loop_ready(call->exchange->loop, &self->go_on);
}

void api_replay(const struct api_call *call)
{
	if (call->exchange->request_framing.kind == FRAMING_NONE) {
		json_t *nothing = json_object();

		replay_with(call, nothing);
		json_decref(nothing);
		return;
	}
	request_body_read(call, REQUEST_BODY_MAX, replay_with);
}
