/*
 * Layer: proxy. One job: a client's HTTP/1 connection: requests are read off it one after the
 * other, each becomes an exchange, and its answer is written back.
 */
#ifndef SIGHTGLASS_PROXY_CLIENT_H
#define SIGHTGLASS_PROXY_CLIENT_H

#include <stdbool.h>

#include <uv.h>

struct worker;
struct client;

/*
 * Takes the next connection off `listener`, which belongs to the worker's loop. `refuse` answers it
 * with 503 and closes it: there are as many as may be. Owns itself: it is in worker->clients until
 * it is gone.
 */
void client_accept(struct worker *worker, uv_stream_t *listener, bool is_unix, bool over_loopback,
	bool inspector_listener, bool refuse);

/* Draining: closes the connection at once where it is idle, else after its exchange. */
void client_drain(struct client *client);
/* Ends it now, whatever runs on it. */
void client_abort(struct client *client);

#endif
