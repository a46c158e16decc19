#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "http/head_reader.h"
#include "inspector_fixture.h"

/* --- the requester */

static struct asked *of_requester(struct requester *requester)
{
	return container_of(requester, struct asked, requester);
}

static void leave(struct asked *asked)
{
	asked->left = true;
	asked->responder->ops->cancel(asked->responder);
	arena_reset(&asked->exchange.arena);
}

static void on_head(struct requester *self, const struct response *response)
{
	struct asked *asked = of_requester(self);

	assert_int_equal(asked->status, 0); /* comes once, and first */
	assert_false(asked->ended || asked->aborted || asked->left);
	asked->response = *response;
	asked->status = response->head->status;
	buffer_append(&asked->head, response->head->bytes, response->head->size);
}

static void on_data(struct requester *self, struct slice bytes)
{
	struct asked *asked = of_requester(self);

	assert_int_not_equal(asked->status, 0);
	assert_false(asked->ended || asked->aborted || asked->left);
	assert_true(bytes.len > 0);
	buffer_append_slice(&asked->body, bytes);
	asked->parts++;
	asked->largest = bytes.len > asked->largest ? bytes.len : asked->largest;
	if (asked->parts == asked->pause_after) {
		asked->responder->ops->pause(asked->responder);
	}
	if (asked->parts == asked->leave_after) {
		leave(asked);
	}
}

static void on_end(struct requester *self)
{
	struct asked *asked = of_requester(self);

	assert_false(asked->ended || asked->aborted || asked->left);
	asked->ended = true;
}

static void on_abort(struct requester *self, const struct err *why)
{
	struct asked *asked = of_requester(self);

	(void)why;
	assert_false(asked->ended || asked->aborted || asked->left);
	asked->aborted = true;
}

static const struct requester_ops requester_ops = {
	.head = on_head,
	.data = on_data,
	.end = on_end,
	.abort = on_abort,
};

/* --- the fixture */

static void on_keep_alive(uv_timer_t *timer)
{
	(void)timer;
}

void inspector_fixture_init(struct inspector_fixture *f, const char *token)
{
	static const char *addresses[] = {"127.0.0.1:8080"};
	static char prefix[] = "/_inspector";

	*f = (struct inspector_fixture){
		.settings = {.enabled = true,
			.prefix = prefix,
			.capture = {.entries = 2000,
				.memory = 32 << 20,
				.body = 256 * 1024,
				.rows = 100}},
	};
	assert_int_equal(loop_init(&f->worker.loop), 0);
	f->worker.settings = &f->proxy_settings;
	(void)uv_timer_init(&f->worker.loop.uv, &f->keep_alive);
	(void)uv_timer_start(&f->keep_alive, on_keep_alive, 3600000, 0);
	f->store = capture_store_create(&f->settings);
	f->capture = capture_create(f->store, f->settings.capture.body);
	f->redactor = redactor_create(&f->settings);
	token_init(&f->token, token);
	f->api = (struct api){
		.prefix = slice_str(prefix),
		.access = {.allow_hosts = &f->settings.allow_hosts,
			.allow_origins = &f->settings.allow_origins,
			.token = &f->token},
		.frame_ancestors = "'none'",
		.store = f->store,
		.redactor = f->redactor,
		.addresses = addresses,
		.address_count = 1,
		.capture_body = f->settings.capture.body,
	};
}

void inspector_fixture_fini(struct inspector_fixture *f)
{
	inspect_finish(f);
	buffer_fini(&f->asked.head);
	buffer_fini(&f->asked.body);
	capture_destroy(f->capture);
	redactor_destroy(f->redactor);
	capture_store_destroy(f->store); /* asserts that no reference is left */
	token_fini(&f->token);
	uv_close((uv_handle_t *)&f->keep_alive, NULL);
	loop_fini(&f->worker.loop);
}

struct observer *inspector_fixture_observer(struct inspector_fixture *f)
{
	return capture_observer(f->capture);
}

static void handle(struct answer *answer, void *context)
{
	const struct inspector_fixture *f = context;

	api_answer(&f->api, answer);
}

static void read_request(struct exchange *exchange, const char *text)
{
	static const struct head_limits limits = {
		.bytes = 64 * 1024, .fields = 200, .target = 8192};
	struct head_reader reader;
	struct err err = ERR_INIT;
	size_t taken;

	head_reader_init(&reader, HEAD_REQUEST, &exchange->request, &exchange->arena, &limits);
	assert_int_equal(head_reader_feed(&reader, slice_str(text), &taken, &err), HEAD_DONE);
	assert_int_equal(
		target_of_request(&exchange->request, &exchange->arena, &exchange->target, &err),
		ERR_NONE);
}

struct asked *inspect_begin(
	struct inspector_fixture *f, const char *method, const char *target, const char *fields)
{
	struct asked *asked = &f->asked;
	struct exchange *exchange = &asked->exchange;
	struct buffer text = BUFFER_INIT;

	inspect_finish(f);
	buffer_fini(&asked->head);
	buffer_fini(&asked->body);
	*asked = (struct asked){.requester = {.ops = &requester_ops}};
	exchange->worker = &f->worker;
	exchange->loop = &f->worker.loop;
	arena_init(&exchange->arena, &f->worker.loop.arenas, EXCHANGE_MEMORY_MAX);
	buffer_printf(&text, "%s %s HTTP/1.1\r\n", method, target);
	buffer_printf(&text, "%s%s\r\n",
		strstr(fields, "Host:") == NULL ? "Host: localhost\r\n" : "", fields);
	buffer_append_char(&text, '\0');
	read_request(exchange, text.ptr);
	buffer_fini(&text);
	exchange->scheme = "http";
	exchange->host = head_get(&exchange->request, FIELD_HOST);
	exchange->request_id = SLICE("asked");
	exchange->over_loopback = true;
	asked->responder = answer_start(exchange, &asked->requester, handle, f);
	assert_int_equal(asked->status, 0); /* nothing comes from inside a call down */
	return asked;
}

void inspect_turn(struct inspector_fixture *f)
{
	loop_settle(&f->worker.loop);
	(void)uv_run(&f->worker.loop.uv, UV_RUN_NOWAIT);
}

void inspect_until_end(struct inspector_fixture *f)
{
	for (unsigned turns = 0; !f->asked.ended && !f->asked.aborted; turns++) {
		assert_true(turns < 100000);
		loop_settle(&f->worker.loop);
		if (!f->asked.ended && !f->asked.aborted) {
			(void)uv_run(&f->worker.loop.uv, UV_RUN_ONCE);
		}
	}
}

void inspect_finish(struct inspector_fixture *f)
{
	if (f->asked.responder != NULL && !f->asked.left) {
		leave(&f->asked);
	}
	f->asked.responder = NULL;
	loop_settle(&f->worker.loop); /* what was lent is given back */
}

struct asked *inspect(
	struct inspector_fixture *f, const char *method, const char *target, const char *fields)
{
	(void)inspect_begin(f, method, target, fields);
	inspect_until_end(f);
	return &f->asked;
}

struct asked *inspect_get(struct inspector_fixture *f, const char *target)
{
	return inspect(f, "GET", target, "");
}

const char *inspected_field(struct asked *asked, const char *name)
{
	static char value[4096];
	const struct head *head = asked->response.head;
	const struct field *field = head_find_name(head, slice_str(name));
	struct slice found = field == NULL ? slice_of("", 0) : head_value(head, field);

	(void)snprintf(value, sizeof(value), "%.*s", SLICE_ARGS(found));
	return value;
}

const char *inspected_body(struct asked *asked)
{
	*buffer_reserve(&asked->body, 1) = '\0';
	return asked->body.ptr;
}
