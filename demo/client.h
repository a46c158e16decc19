/*
 * Layer: demo. One job: the connection of a client of the sample API: reads its requests, one at a
 * time, hands each to the answer that its route names, and sends what that says.
 */
#ifndef SIGHTGLASS_DEMO_CLIENT_H
#define SIGHTGLASS_DEMO_CLIENT_H

#include <uv.h>

struct demo_service;

/* Accepts a connection of the listener, which is of the service's loop. It frees itself. */
void demo_client_accept(struct demo_service *service, uv_stream_t *listener);
/* Ends every connection of the service, whatever it does. */
void demo_client_abort_all(struct demo_service *service);

#endif
