/*
 * Layer: inspector (sees base, http, proxy). One job: an answer on its way out; see answer.h.
 *
 * Its memory is its own, not the exchange's: bytes that were handed to the client's stream this
 * turn are borrowed until the turn's writes have left, and the exchange may end before that.
 */
#include "inspector/answer.h"

#include <assert.h>
#include <stdarg.h>

#include "base/json.h"
#include "base/loop.h"
#include "base/memory.h"
#include "http/head_builder.h"
#include "inspector/taken_body.h"

enum {
	FIELDS_MAX = 16,
	FIELDS_ROOM = 1024, /* what the fields of every answer take, with some to spare */
	LENT_SLICE = 64 * 1024,
};

struct answer {
	struct responder responder;
	struct exchange *exchange; /* not after cancel() */
	struct loop *loop;
	struct task task; /* makes the next part; after cancel() it frees */
	answer_handler handler;
	void *context;

	struct slice origin;         /* that may read it */
	const char *frame_ancestors; /* that may show a page */

	struct head_builder builder;
	struct head head;
	struct response response;
	struct buffer out;       /* the part that was sent last, or a whole body */
	struct slice lent;       /* what is left of a body in memory */
	struct source *source;   /* NULL, or where the body comes from, or what is waited for */
	bool streams;            /* the body comes from `source` */
	struct taken_body taken; /* the request's */
	answer_body_handler body_handler; /* NULL: nobody waits for it */
	void *body_context;

	bool handled;  /* the handler was called */
	bool handling; /* it is running */
	bool begun;
	bool decided;
	bool head_sent;
	bool paused;
	bool ended;
	bool cancelled;
};

static struct answer *of_responder(struct responder *responder)
{
	return container_of(responder, struct answer, responder);
}

/* --- parts going up. Each of these calls may end the exchange: `cancelled` is then set */

static void send_end(struct answer *self)
{
	struct requester *up = self->responder.up;

	self->ended = true;
	up->ops->end(up);
}

static void send_head(struct answer *self)
{
	struct requester *up = self->responder.up;

	self->head_sent = true;
	if (head_builder_finish(&self->builder, &self->head) != ERR_NONE) {
		struct err err;

		err_set(&err, ERR_LIMIT, "the request leaves no room for its answer's head");
		self->ended = true;
		up->ops->abort(up, &err);
		return;
	}
	self->response.head = &self->head;
	self->response.framing.keep_alive = true;
	up->ops->head(up, &self->response);
}

/* The next part of a body in memory. False where nothing follows. */
static bool next_lent(struct answer *self, struct slice *part)
{
	size_t len = self->lent.len < LENT_SLICE ? self->lent.len : LENT_SLICE;

	*part = slice_of(self->lent.ptr, len);
	self->lent = slice_of(self->lent.ptr + len, self->lent.len - len);
	return self->lent.len > 0;
}

static void send_part(struct answer *self)
{
	struct requester *up = self->responder.up;
	struct slice part = {.ptr = NULL, .len = 0};
	bool more;

	if (self->streams) {
		buffer_clear(&self->out);
		self->source->waits = false;
		more = self->source->ops->next(self->source, &self->out, &part);
		part = part.len > 0 ? part : buffer_slice(&self->out);
	} else {
		more = next_lent(self, &part);
	}
	if (part.len > 0) { /* an empty chunk would end the body */
		up->ops->data(up, part);
	}
	if (self->cancelled) {
		return;
	}
	if (!more) {
		send_end(self);
	} else if (!self->streams || !self->source->waits) {
		loop_later(self->loop, &self->task);
	}
}

/* Tells that the request's body is there, or is too long. */
static void tell_body(struct answer *self)
{
	self->handling = true;
	self->body_handler(self, self->body_context, taken_body_bytes(&self->taken));
	self->handling = false;
	taken_body_drop(&self->taken);
}

static void handle(struct answer *self)
{
	self->handled = true;
	self->handling = true;
	self->handler(self, self->context);
	self->handling = false;
	if (self->body_handler == NULL) {
		taken_body_drop(&self->taken);
	}
}

static void run(struct task *task)
{
	struct answer *self = container_of(task, struct answer, task);

	if (!self->handled) {
		handle(self);
	}
	if (self->taken.state == TAKEN_BODY_DUE) {
		tell_body(self);
	}
	if (!self->decided || self->ended) {
		return;
	}
	if (!self->head_sent) {
		send_head(self);
	}
	if (self->cancelled || self->ended) {
		return;
	}
	if (self->response.framing.kind == FRAMING_NONE) {
		send_end(self);
	} else if (!self->paused) {
		send_part(self);
	}
}

/* --- calls down */

static void take_data(struct responder *responder, struct slice bytes)
{
	struct answer *self = of_responder(responder);

	if (taken_body_add(&self->taken, bytes)) {
		loop_ready(self->loop, &self->task);
	}
}

static void ignore_trailers(struct responder *responder, const struct head *trailers)
{
	(void)responder;
	(void)trailers;
}

static void take_end(struct responder *responder)
{
	struct answer *self = of_responder(responder);

	if (taken_body_end(&self->taken)) {
		loop_ready(self->loop, &self->task);
	}
}

static void pause_body(struct responder *responder)
{
	of_responder(responder)->paused = true;
}

static void resume_body(struct responder *responder)
{
	struct answer *self = of_responder(responder);

	self->paused = false;
	if (!self->ended) {
		/* Not in this turn: what it made last may still be on its way out. */
		loop_later(self->loop, &self->task);
	}
}

static void destroy(struct task *task)
{
	struct answer *self = container_of(task, struct answer, task);

	if (self->source != NULL) {
		self->source->ops->destroy(self->source);
	}
	buffer_fini(&self->out);
	taken_body_fini(&self->taken);
	mem_free(self);
}

static void cancel(struct responder *responder)
{
	struct answer *self = of_responder(responder);

	assert(!self->cancelled);
	self->cancelled = true;
	self->exchange = NULL;
	if (self->source != NULL && self->source->ops->stop != NULL) {
		self->source->ops->stop(self->source);
	}
	task_cancel(&self->task);
	task_init(&self->task, destroy);
	loop_settled(self->loop, &self->task);
}

static const struct responder_ops answer_ops = {
	.name = "inspector",
	.data = take_data,
	.trailers = ignore_trailers,
	.end = take_end,
	.pause = pause_body,
	.resume = resume_body,
	.cancel = cancel,
};

struct responder *answer_start(
	struct exchange *exchange, struct requester *up, answer_handler handler, void *context)
{
	struct answer *self = mem_zalloc(sizeof(*self));

	self->responder.ops = &answer_ops;
	self->responder.up = up;
	self->exchange = exchange;
	self->loop = exchange->loop;
	self->handler = handler;
	self->context = context;
	self->frame_ancestors = "'none'";
	task_init(&self->task, run);
	loop_ready(self->loop, &self->task);
	return &self->responder;
}

void answer_share(struct answer *answer, struct slice origin, const char *frame_ancestors)
{
	answer->origin = origin;
	answer->frame_ancestors = frame_ancestors;
}

struct exchange *answer_exchange(const struct answer *answer)
{
	return answer->exchange;
}

/* A client that waits to be asked for the body is asked. */
static void ask_for_body(struct answer *answer)
{
	struct requester *up = answer->responder.up;
	struct head_builder builder;
	struct head head;

	head_builder_init(&builder, &answer->exchange->arena, 1, 0);
	head_builder_status(&builder, 100);
	if (head_builder_finish(&builder, &head) == ERR_NONE) {
		up->ops->informational(up, &head);
	}
}

void answer_take_body(struct answer *answer, size_t max, answer_body_handler then, void *context)
{
	struct taken_body *taken = &answer->taken;

	assert(answer->handling && answer->body_handler == NULL);
	answer->body_handler = then;
	answer->body_context = context;
	taken_body_want(taken, max);
	if (answer->exchange->request_framing.expect_continue && taken->bytes.len == 0 &&
		taken->state == TAKEN_BODY_WAITING) {
		ask_for_body(answer);
	}
}

/* --- building */

/* The panel runs what came with it and shows captured pictures as blobs; nothing else runs. */
static const char page_policy[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors ";
static const char data_policy[] =
	"default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'";

static void put_policy(struct answer *answer, enum answer_kind kind)
{
	struct buffer policy = BUFFER_INIT;

	if (kind == ANSWER_PAGE) {
		buffer_append_str(&policy, page_policy);
		buffer_append_str(&policy, answer->frame_ancestors);
	} else {
		buffer_append_str(&policy, data_policy);
	}
	answer_field(answer, SLICE("Content-Security-Policy"), buffer_slice(&policy));
	buffer_fini(&policy);
}

/* Also where this origin may not read: another one's answer must not be taken for its own. */
static void put_origin(struct answer *answer)
{
	if (answer->origin.len > 0) {
		answer_field(answer, SLICE("Access-Control-Allow-Origin"), answer->origin);
		answer_field(answer, SLICE("Access-Control-Expose-Headers"),
			SLICE("Content-Disposition, X-Request-ID"));
		answer_field(answer, SLICE("Vary"), SLICE("Origin"));
	}
}

void answer_begin(struct answer *answer, unsigned status, enum answer_kind kind, size_t room)
{
	struct head_builder *builder = &answer->builder;
	size_t frames_len = kind == ANSWER_PAGE ? strlen(answer->frame_ancestors) : 0;

	assert(!answer->begun && room <= EXCHANGE_MEMORY_MAX);
	answer->begun = true;
	head_builder_init(builder, &answer->exchange->arena, FIELDS_MAX,
		FIELDS_ROOM + (uint32_t)(room + answer->origin.len + frames_len));
	head_builder_status(builder, status);
	answer_field(answer, SLICE("Cache-Control"),
		kind == ANSWER_ASSET ? SLICE("no-cache") : SLICE("no-store"));
	put_policy(answer, kind);
	put_origin(answer);
	answer_field(answer, SLICE("Cross-Origin-Resource-Policy"), SLICE("same-origin"));
	answer_field(answer, SLICE("Referrer-Policy"), SLICE("no-referrer"));
	answer_field(answer, SLICE("X-Content-Type-Options"), SLICE("nosniff"));
}

void answer_field(struct answer *answer, struct slice name, struct slice value)
{
	assert(answer->begun && !answer->decided);
	head_builder_field(&answer->builder, name, value);
}

static void decide(struct answer *answer)
{
	answer->decided = true;
	if (!answer->handling) { /* else run() goes on with it */
		loop_ready(answer->loop, &answer->task);
	}
}

/* A body of that length, but to HEAD, whose answer only says how long it would be. */
static void frame_length(struct answer *answer, uint64_t length)
{
	struct framing *framing = &answer->response.framing;

	head_builder_field_u64(&answer->builder, SLICE("Content-Length"), length);
	framing->has_length = true;
	if (length > 0 && answer->exchange->request.method != METHOD_HEAD) {
		framing->kind = FRAMING_LENGTH;
		framing->length = length;
	}
}

void answer_send_empty(struct answer *answer)
{
	if (answer->builder.status != 204 && answer->builder.status != 304) {
		frame_length(answer, 0);
	}
	decide(answer);
}

void answer_send_lent(struct answer *answer, struct slice content_type, struct slice body)
{
	answer_field(answer, SLICE("Content-Type"), content_type);
	frame_length(answer, body.len);
	answer->lent = body;
	decide(answer);
}

struct buffer *answer_buffer(struct answer *answer)
{
	return &answer->out;
}

void answer_send_buffer(struct answer *answer, struct slice content_type)
{
	answer_send_lent(answer, content_type, buffer_slice(&answer->out));
}

void answer_send_source(
	struct answer *answer, struct slice content_type, struct source *source, uint64_t length)
{
	assert(answer->source == NULL || answer->source == source);
	answer->source = source;
	source->answer = answer;
	answer->streams = true;
	answer_field(answer, SLICE("Content-Type"), content_type);
	if (length != UINT64_MAX) {
		frame_length(answer, length);
	} else if (answer->exchange->request.method != METHOD_HEAD) {
		answer->response.framing.kind = FRAMING_CHUNKED;
	}
	decide(answer);
}

void answer_wake(struct answer *answer)
{
	if (!answer->ended && !answer->cancelled) {
		loop_ready(answer->loop, &answer->task);
	}
}

bool answer_is_paused(const struct answer *answer)
{
	return answer->paused;
}

void answer_break(struct answer *answer, enum err_code code, const char *why)
{
	struct requester *up = answer->responder.up;
	struct err err = ERR_INIT;

	if (!answer->ended && !answer->cancelled) {
		err_set(&err, code, "%s", why);
		answer->ended = true;
		task_cancel(&answer->task);
		up->ops->abort(up, &err);
	}
}

void answer_wait(struct answer *answer, struct source *source)
{
	assert(answer->source == NULL);
	answer->source = source;
}

/* --- problems */

void answer_begin_problem(struct answer *answer, unsigned status)
{
	answer_begin(answer, status, ANSWER_DATA, 0);
}

static void send_problem(struct answer *answer, unsigned status, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

static void send_problem(struct answer *answer, unsigned status, const char *format, va_list args)
{
	struct buffer detail = BUFFER_INIT;
	struct json json;

	buffer_vprintf(&detail, format, args);
	json_init(&json, &answer->out);
	json_begin_object(&json);
	json_key(&json, "type");
	json_cstring(&json, "about:blank");
	json_key(&json, "title");
	json_cstring(&json, status_reason(status));
	json_key(&json, "status");
	json_u64(&json, status);
	json_key(&json, "detail");
	json_text(&json, buffer_slice(&detail));
	json_key(&json, "request_id");
	json_text(&json, answer->exchange->request_id);
	json_end_object(&json);
	buffer_fini(&detail);
	answer_send_buffer(answer, SLICE("application/problem+json"));
}

void answer_send_problem(struct answer *answer, unsigned status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	send_problem(answer, status, format, args);
	va_end(args);
}

void answer_problem(struct answer *answer, unsigned status, const char *format, ...)
{
	va_list args;

	answer_begin_problem(answer, status);
	va_start(args, format);
	send_problem(answer, status, format, args);
	va_end(args);
}
