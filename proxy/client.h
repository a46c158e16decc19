/*
 * Layer: proxy. One job: a client's HTTP/1 connection: requests are read off it one after the
 * other, each becomes an exchange, and its answer is written back.
 */
#ifndef SIGHTGLASS_PROXY_CLIENT_H
#define SIGHTGLASS_PROXY_CLIENT_H

#include <stdbool.h>

#include <uv.h>

#include "proxy/settings.h"

struct worker;
struct client;

enum admission {
	ADMITTED,
	ADMISSION_REFUSED, /* there are as many as may be: answered with 503, and closed */
	ADMISSION_DROPPED, /* so many were refused that this one is only closed */
};

/*
 * Takes the next connection off `listener`, which belongs to the worker's loop. Owns itself: it is
 * in worker->clients until it is gone.
 */
void client_accept(struct worker *worker, uv_stream_t *listener, bool is_unix, bool over_loopback,
	enum listener_role role, enum admission admission);

/* Draining: closes the connection at once where it is idle, else after its exchange. */
void client_drain(struct client *client);
/* Ends it now, whatever runs on it. */
void client_abort(struct client *client);

#endif
