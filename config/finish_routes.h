/*
 * Layer: config. One job: from the draft to the settings: routes.
 */
#ifndef SIGHTGLASS_CONFIG_FINISH_ROUTES_H
#define SIGHTGLASS_CONFIG_FINISH_ROUTES_H

#include "config/draft.h"

/* After the upstreams. */
void finish_routes(struct draft *draft);

/* Puts a route behind the others, with that upstream's timeouts. `prefix` is copied and must be
 * valid. */
struct route_settings *routes_add(
	struct proxy_settings *proxy, const char *prefix, uint32_t upstream);
/* The first route of the same prefix that covers one of the methods by the same right, as one that
 * names methods or as one of all, or NULL. */
const struct route_settings *routes_find_rival(
	const struct proxy_settings *proxy, const struct route_settings *route);
void routes_fini(struct proxy_settings *proxy);

#endif
