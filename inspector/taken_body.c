/*
 * Layer: inspector. One job: see taken_body.h.
 */
#include "inspector/taken_body.h"

#include <assert.h>

enum {
	EARLY_MAX = 256 * 1024, /* it is decided at the end of a turn, and a turn reads less */
};

void taken_body_fini(struct taken_body *body)
{
	buffer_fini(&body->bytes);
}

static void give_up(struct taken_body *body)
{
	body->over = true;
	buffer_fini(&body->bytes);
}

/* Moves on where there is all that will be told. True where it does. */
static bool become_due(struct taken_body *body)
{
	if (body->state != TAKEN_BODY_WAITING || !(body->ended || body->over)) {
		return false;
	}
	body->state = TAKEN_BODY_DUE;
	return true;
}

bool taken_body_add(struct taken_body *body, struct slice bytes)
{
	size_t max = body->state == TAKEN_BODY_EARLY ? EARLY_MAX : body->max;

	if (body->state == TAKEN_BODY_UNKEPT || body->over) {
		return false;
	}
	if (bytes.len > max - body->bytes.len) {
		give_up(body);
	} else {
		buffer_append_slice(&body->bytes, bytes);
	}
	return become_due(body);
}

bool taken_body_end(struct taken_body *body)
{
	body->ended = true;
	return become_due(body);
}

void taken_body_want(struct taken_body *body, size_t max)
{
	assert(body->state == TAKEN_BODY_EARLY);
	body->state = TAKEN_BODY_WAITING;
	body->max = max;
	if (body->bytes.len > max) {
		give_up(body);
	}
	(void)become_due(body);
}

void taken_body_drop(struct taken_body *body)
{
	body->state = TAKEN_BODY_UNKEPT;
	buffer_fini(&body->bytes);
}

struct slice taken_body_bytes(const struct taken_body *body)
{
	assert(body->state == TAKEN_BODY_DUE);
	if (body->over) {
		return slice_of(NULL, 0);
	}
	return body->bytes.len == 0 ? SLICE("") : buffer_slice(&body->bytes);
}
