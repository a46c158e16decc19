/*
 * Layer: inspector. One job: see request_body.h.
 */
#include "inspector/request_body.h"

#include <assert.h>

struct reading { /* in the exchange's arena */
	struct api_call call;
	size_t max;
	request_body_handler then;
};

static void on_body(struct answer *answer, void *context, struct slice bytes)
{
	const struct reading *self = context;
	struct err err = ERR_INIT;
	json_t *body;

	if (bytes.ptr == NULL) {
		answer_problem(answer, 413, "the body has more than the %zu bytes that it may have",
			self->max);
		return;
	}
	body = json_read_object(bytes, self->max, &err);
	if (body == NULL) {
		answer_problem(answer, 400, "the body has to be a JSON object: %s", err.text);
		return;
	}
	self->then(&self->call, body);
	json_decref(body);
}

void request_body_read(const struct api_call *call, size_t max, request_body_handler then)
{
	struct reading *self = arena_alloc(&call->exchange->arena, sizeof(*self));

	assert(max <= REQUEST_BODY_MAX);
	if (self == NULL) {
		answer_problem(call->answer, 503, "the request leaves no room for its answer");
		return;
	}
	*self = (struct reading){.call = *call, .max = max, .then = then};
	answer_take_body(call->answer, max, on_body, self);
}

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(name, names[i]) == 0) {
			return true;
		}
	}
	return false;
}

bool request_body_has_only(
	const struct api_call *call, const json_t *body, const char *const *names, size_t count)
{
	/* jansson's iterators want what they walk through to be writable, and leave it alone. */
	json_t *object = (json_t *)(uintptr_t)body;

	for (void *at = json_object_iter(object); at != NULL;
		at = json_object_iter_next(object, at)) {
		const char *name = json_object_iter_key(at);

		if (!is_one_of(name, names, count)) {
			answer_problem(call->answer, 400,
				"the member \"%.64s\" of the body is not known", name);
			return false;
		}
	}
	return true;
}
