/*
 * Layer: inspector (sees base, http, proxy). One job: one record in its forms; see
 * api_record.h.
 */
#include "inspector/api_record.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/memory.h"
#include "inspector/curl.h"
#include "inspector/decode.h"
#include "inspector/media_type.h"
#include "inspector/parameters.h"
#include "inspector/record_json.h"
#include "inspector/shown_body.h"

enum {
	SLICE_BYTES = 64 * 1024, /* lent in one slice */
	SLICE_WORK = 24 * 1024,  /* read and written in one slice: some 0.1 ms */
};

/* A record that is being shown; its reference is held until the client has it. */
struct record_source {
	struct source source;
	struct capture_store *store;
	const struct redactor *redactor;
	struct record *record;
	struct record_view view;
	uint64_t now_us;

	struct buffer scratch;
	struct json json; /* of the whole record: */
	struct record_json writer;

	struct curl curl; /* of the command */

	enum record_side side; /* of a body: */
	bool decoded;          /* is asked for */
	struct task task;      /* looks at it, until its answer is decided */
	struct answer *answer; /* till then */
	struct loop *loop;
	struct shown_body *shown;  /* what is sent of it, */
	struct record_parts parts; /* or its bytes: */
	struct slice part;         /* what is left of the piece that is being sent */
};

static struct record_source *of_source(struct source *source)
{
	return container_of(source, struct record_source, source);
}

static void destroy(struct source *source)
{
	struct record_source *self = of_source(source);

	record_json_fini(&self->writer);
	curl_fini(&self->curl);
	shown_body_destroy(self->shown);
	capture_store_release(self->store, self->record);
	buffer_fini(&self->scratch);
	mem_free(self);
}

static struct record_format format_of(struct record_source *self)
{
	return (struct record_format){
		.redactor = self->redactor,
		.scratch = &self->scratch,
		.now_us = self->now_us,
		.body_limit = UINT64_MAX,
	};
}

static bool next_of_record(struct source *source, struct buffer *out, struct slice *part)
{
	struct record_source *self = of_source(source);
	const struct record_format format = format_of(self);
	size_t spent = 0;
	bool more = true;

	(void)part;
	self->json.out = out;
	while (more && spent < SLICE_WORK && out->len < SLICE_WORK) {
		more = record_json_step(&self->writer, &self->json, &format, &spent);
	}
	return more;
}

static bool next_of_curl(struct source *source, struct buffer *out, struct slice *part)
{
	struct record_source *self = of_source(source);
	const struct record_format format = format_of(self);
	size_t spent = 0;
	bool more = true;

	(void)part;
	while (more && spent < SLICE_BYTES && out->len < SLICE_BYTES) {
		more = curl_step(&self->curl, out, &format, &spent);
	}
	return more;
}

/* --- bodies */

static bool next_of_shown(struct record_source *self, struct buffer *out)
{
	size_t spent = 0;
	bool more = true;

	while (more && spent < SLICE_WORK && out->len < SLICE_WORK) {
		more = shown_body_next(self->shown, out, &spent);
	}
	return more;
}

static bool next_of_body(struct source *source, struct buffer *out, struct slice *part)
{
	struct record_source *self = of_source(source);

	if (self->shown != NULL) {
		return next_of_shown(self, out);
	}
	if (self->part.len == 0 && !record_parts_next(&self->parts, &self->part)) {
		return false;
	}
	*part = slice_of(
		self->part.ptr, self->part.len < SLICE_BYTES ? self->part.len : SLICE_BYTES);
	self->part = slice_of(self->part.ptr + part->len, self->part.len - part->len);
	return self->part.len > 0 || self->parts.left > 0;
}

static const struct source_ops record_ops = {
	.next = next_of_record,
	.destroy = destroy,
};

static const struct source_ops curl_ops = {
	.next = next_of_curl,
	.destroy = destroy,
};

static void stop_looking(struct source *source)
{
	task_cancel(&of_source(source)->task);
}

static const struct source_ops body_ops = {
	.next = next_of_body,
	.stop = stop_looking,
	.destroy = destroy,
};

/* --- finding */

static struct record *look_up(const struct api_call *call)
{
	struct capture_store *store = call->api->store;
	char *id = arena_alloc(&call->exchange->arena, call->argument.len + 1);
	struct slice prefix = SLICE("seq:");
	struct slice text;
	uint64_t seq;
	size_t len;

	if (id == NULL) {
		return NULL;
	}
	len = percent_decode(call->argument, false, id);
	if (len == SIZE_MAX) {
		return NULL;
	}
	text = slice_of(id, len);
	if (slice_starts_with(text, prefix) &&
		slice_to_u64(slice_of(id + prefix.len, len - prefix.len), UINT64_MAX, &seq)) {
		return capture_store_find_seq(store, seq);
	}
	return capture_store_find_id(store, text);
}

struct record *api_record_find(const struct api_call *call)
{
	struct record *record = look_up(call);

	if (record == NULL) {
		answer_problem(call->answer, 404,
			"no record \"%.*s\" is kept: it was never captured, or has given way",
			SLICE_ARGS(call->argument));
	}
	return record;
}

static bool is_on(struct slice value)
{
	return slice_equal(value, SLICE("1")) || slice_equal(value, SLICE("true"));
}

static bool is_switch(struct slice value)
{
	return is_on(value) || slice_equal(value, SLICE("0")) || slice_equal(value, SLICE("false"));
}

/* Checks the parameters and takes the record; NULL where the problem is already answered. */
static struct record_source *open_record(const struct api_call *call, const struct source_ops *ops)
{
	static const char *const names[] = {"decoded"};
	size_t count = ops == &body_ops ? 1 : 0;
	struct slice decoded = slice_of(NULL, 0);
	struct record_source *self;
	struct record *record;
	struct err err = ERR_INIT;

	if (parameters_parse(call->query, names, count, &call->exchange->arena, &decoded, &err) !=
		ERR_NONE) {
		answer_problem(call->answer, 400, "%s", err.text);
		return NULL;
	}
	if (decoded.ptr != NULL && !is_switch(decoded)) {
		answer_problem(call->answer, 400,
			"the parameter \"decoded\" takes 1 or 0, not \"%.*s\"",
			SLICE_ARGS(decoded));
		return NULL;
	}
	record = api_record_find(call);
	if (record == NULL) {
		return NULL;
	}
	self = mem_zalloc(sizeof(*self));
	self->source.ops = ops;
	self->store = call->api->store;
	self->redactor = call->api->redactor;
	self->record = record;
	self->decoded = is_on(decoded);
	self->answer = call->answer;
	self->loop = call->exchange->loop;
	self->now_us = clock_now_us();
	record_read(record, &self->view);
	return self;
}

/* --- resources */

void api_record(const struct api_call *call)
{
	struct record_source *self = open_record(call, &record_ops);

	if (self == NULL) {
		return;
	}
	json_init(&self->json, NULL); /* each slice brings its buffer */
	record_json_begin(&self->writer, &self->view);
	answer_begin(call->answer, 200, ANSWER_DATA, 0);
	answer_send_source(call->answer, SLICE("application/json"), &self->source, UINT64_MAX);
}

void api_record_curl(const struct api_call *call)
{
	struct record_source *self = open_record(call, &curl_ops);

	if (self == NULL) {
		return;
	}
	if (!curl_is_possible(&self->view)) {
		destroy(&self->source);
		answer_problem(call->answer, 409,
			"the request was refused before it could be read: there is nothing to send "
			"again");
		return;
	}
	curl_begin(&self->curl, &self->view);
	answer_begin(call->answer, 200, ANSWER_DATA, 0);
	answer_send_source(
		call->answer, SLICE("text/plain; charset=utf-8"), &self->source, UINT64_MAX);
}

static const struct record_head *head_of(const struct record_source *self)
{
	return self->side == RECORD_REQUEST ? &self->view.request : &self->view.response;
}

/* A coded body is not of the type that stands there: that is what it becomes once it is decoded. */
static struct slice type_of(const struct record_source *self, bool decoded)
{
	char codings[SHOWN_CODING_MAX];

	if (!decoded && decode_is_coded(shown_body_codings(head_of(self), codings))) {
		return SLICE("application/octet-stream");
	}
	return record_head_get(head_of(self), FIELD_CONTENT_TYPE);
}

static void begin_body(struct record_source *self, struct slice type)
{
	char disposition[96];
	int len = snprintf(disposition, sizeof(disposition), "attachment; filename=\"%s-%llu.%s\"",
		self->side == RECORD_REQUEST ? "request" : "response",
		(unsigned long long)self->view.seq, media_type_extension(type));

	answer_begin(self->answer, 200, ANSWER_DATA, 0);
	answer_field(
		self->answer, SLICE("Content-Disposition"), slice_of(disposition, (size_t)len));
}

/* The captured bytes. */
static void send_bytes(struct record_source *self)
{
	const struct record_body *body = record_body_of(&self->view, self->side);
	struct slice type = type_of(self, false);

	self->parts = record_parts(body);
	begin_body(self, type);
	answer_send_source(self->answer, media_type_safe(type), &self->source, body->kept);
}

/* What may be shown of them, decoded. */
static void send_shown(struct record_source *self)
{
	struct slice type = type_of(self, true);
	struct shown_facts facts;

	self->shown = shown_body_create(self->redactor, &self->view, self->side);
	shown_body_facts(self->shown, &facts);
	if (facts.withheld) {
		answer_problem(self->answer, 409, "%s", facts.note);
		return;
	}
	begin_body(self, type);
	answer_send_source(self->answer, media_type_safe(type), &self->source, UINT64_MAX);
}

static void decide(struct record_source *self)
{
	if (!self->decoded && record_body_of(&self->view, self->side)->look == RECORD_CLEAN) {
		send_bytes(self);
	} else {
		send_shown(self);
	}
}

/* Whether its bytes may be handed out is known once all of them were looked at. */
static void look(struct record_source *self)
{
	struct record_body *body = record_body_of(&self->view, self->side);
	struct shown_facts facts;
	size_t spent = 0;

	if (self->decoded || body->look != RECORD_UNSEEN) {
		decide(self);
		return;
	}
	if (self->shown == NULL) {
		self->shown = shown_body_create(self->redactor, &self->view, self->side);
	}
	while (spent < SLICE_WORK) {
		buffer_clear(&self->scratch);
		if (!shown_body_next(self->shown, &self->scratch, &spent)) {
			shown_body_facts(self->shown, &facts);
			body->look = facts.look;
			shown_body_destroy(self->shown);
			self->shown = NULL;
			decide(self);
			return;
		}
	}
	loop_later(self->loop, &self->task);
}

static void look_on(struct task *task)
{
	look(container_of(task, struct record_source, task));
}

static void answer_body(const struct api_call *call, enum record_side side)
{
	struct record_source *self = open_record(call, &body_ops);

	if (self == NULL) {
		return;
	}
	self->side = side;
	task_init(&self->task, look_on);
	if (self->view.level != CAPTURE_FULL) {
		destroy(&self->source);
		answer_problem(call->answer, 404, "this record's route keeps no bodies");
		return;
	}
	answer_wait(call->answer, &self->source);
	look(self);
}

void api_request_body(const struct api_call *call)
{
	answer_body(call, RECORD_REQUEST);
}

void api_response_body(const struct api_call *call)
{
	answer_body(call, RECORD_RESPONSE);
}
