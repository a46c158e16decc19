/*
 * For tests of observers: exchanges that nobody forwards. They tell one observer what
 * proxy/exchange.c would, in the same order and under the same conditions.
 */
#ifndef SIGHTGLASS_TESTS_FAKE_EXCHANGE_H
#define SIGHTGLASS_TESTS_FAKE_EXCHANGE_H

#include "base/arena.h"
#include "proxy/exchange.h"
#include "proxy/observer.h"

struct fake_exchange {
	struct exchange exchange;
	struct route route;
	struct arena_pool pool;
	struct arena arena;
	struct head response;
	struct head response_trailers;
	struct observer *observer;
	unsigned interest;
};

/* `request` is a whole head; its request ID is `id`. The exchange begins: the observer hears of it.
 */
void fake_begin(struct fake_exchange *fake, struct observer *observer, const char *request,
	const char *id, enum capture_level level);
/* The same in two steps, for what a test wants to change in between. */
void fake_prepare(struct fake_exchange *fake, struct observer *observer, const char *request,
	const char *id, enum capture_level level);
void fake_tell_begin(struct fake_exchange *fake);
void fake_request_data(struct fake_exchange *fake, struct slice bytes);
/* `trailers`: a section with its last empty line, or NULL. */
void fake_request_end(struct fake_exchange *fake, const char *trailers);
void fake_response(struct fake_exchange *fake, const char *head);
void fake_response_data(struct fake_exchange *fake, struct slice bytes);
void fake_response_end(struct fake_exchange *fake, const char *trailers);
/* `error` ERR_NONE: it went well. Frees everything. */
void fake_finish(struct fake_exchange *fake, enum exchange_state state, enum err_code error);

/* A whole exchange: `status` and two bodies, either of which may be empty. */
void fake_run(struct observer *observer, const char *method, const char *id, unsigned status,
	struct slice request_body, struct slice response_body);

#endif
