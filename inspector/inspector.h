/*
 * Layer: inspector (sees base, http, proxy). One job: put the inspector together and plug it into
 * the server: the store, the statistics, the observers that fill them, and the claim that answers
 * for both. One for the process.
 */
#ifndef SIGHTGLASS_INSPECTOR_INSPECTOR_H
#define SIGHTGLASS_INSPECTOR_INSPECTOR_H

#include "base/slice.h"
#include "inspector/settings.h"
#include "proxy/server.h"
#include "proxy/settings.h"

struct inspector; /* opaque */

/*
 * Observes every worker of `server` and answers below the prefix, from the server's start on, and
 * on admin listeners; on those alone, and without capture, where it is not enabled. Where no token
 * is configured, makes one. All three outlive it, but the server, which only must have ended. Never
 * NULL.
 */
struct inspector *inspector_create(const struct inspector_settings *settings,
	const struct proxy_settings *proxy_settings, struct server *server);
/*
 * Copies the settings in effect, as YAML without secrets, to show them at api/config. Before the
 * server starts. NULL is harmless.
 */
void inspector_show_configuration(struct inspector *inspector, struct slice text);
/* After server_join(). NULL is harmless. */
void inspector_destroy(struct inspector *inspector);

/*
 * Tells the operator where the panel is; with the token where one was made, which is told nowhere
 * else. Once, at the start. A configured token is not told. NULL is harmless.
 */
void inspector_announce(const struct inspector *inspector);

#endif
