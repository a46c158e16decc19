/*
 * Layer: inspector (sees base, http, proxy). One job: put the inspector together: the store, the
 * observers that fill it, and the claim that answers for it. One for the process; main.c plugs it
 * into the server.
 */
#ifndef SIGHTGLASS_INSPECTOR_INSPECTOR_H
#define SIGHTGLASS_INSPECTOR_INSPECTOR_H

#include "inspector/settings.h"
#include "proxy/observer.h"
#include "proxy/server.h"
#include "proxy/settings.h"
#include "proxy/worker.h"

struct inspector; /* opaque */

/*
 * `settings`, `proxy_settings` and `server`, whose addresses are bound, outlive it. Where no token
 * is configured, makes one. Never NULL.
 */
struct inspector *inspector_create(const struct inspector_settings *settings,
	const struct proxy_settings *proxy_settings, const struct server *server);
/* After the last worker has ended. NULL is harmless. */
void inspector_destroy(struct inspector *inspector);

/* The observer that captures this worker's exchanges: to be given to worker_observe(). The
 * inspector owns it. Before the worker runs. */
struct observer *inspector_observe(struct inspector *inspector, struct worker *worker);

/* Answers below the prefix: to be given to server_set_claim(). Lives as long as the inspector. */
const struct claim *inspector_claim(struct inspector *inspector);

/*
 * Tells the operator where the panel is; with the token where one was made, which is told nowhere
 * else. Once, at the start. A configured token is not told.
 */
void inspector_announce(const struct inspector *inspector);

#endif
