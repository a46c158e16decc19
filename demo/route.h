/*
 * Layer: demo. One job: which method and path of the sample API is answered by what.
 */
#ifndef SIGHTGLASS_DEMO_ROUTE_H
#define SIGHTGLASS_DEMO_ROUTE_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "http/head.h"

struct demo_answer_kind;

enum {
	DEMO_ROUTES = 19,
};

struct demo_route {
	uint8_t method; /* enum method; GET also answers HEAD */
	/* One that ends in '/' stands for every path with one further segment, {id}, or none. */
	const char *path;
	const struct demo_answer_kind *kind;
};

extern const struct demo_route demo_routes[DEMO_ROUTES];

/*
 * `path` in normal form. `*rest` is what stands for {id}, a part of `path`. NULL where nothing is
 * there, or not by that method.
 */
const struct demo_route *demo_route_find(enum method method, struct slice path, struct slice *rest);
/* Appends the methods by which there is something at `path`, as Allow has them: "GET, HEAD". */
void demo_route_allowed(struct slice path, struct buffer *out);
/* Appends the route as the counters name it: "GET /api/blast/jobs/{id}". */
void demo_route_name(const struct demo_route *route, struct buffer *out);

#endif
