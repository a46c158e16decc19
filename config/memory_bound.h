/*
 * Layer: config. One job: the most memory that the process can take with given settings. Everything
 * that a peer can make grow is bounded before it is allocated; here the bounds are added up.
 */
#ifndef SIGHTGLASS_CONFIG_MEMORY_BOUND_H
#define SIGHTGLASS_CONFIG_MEMORY_BOUND_H

#include <stdint.h>

#include "base/buffer.h"
#include "config/settings.h"

struct memory_bound {         /* bytes, but for the counts */
	uint32_t connections; /* client connections: limits.connections, or what auto comes to */
	uint64_t connection;  /* each of them, idle */
	uint64_t exchange;    /* what a connection's running exchange adds to that */
	uint64_t upstream_connections; /* how many: pool.max_connections of all upstreams */
	uint64_t upstream_connection;  /* each of them; what is on its way through it belongs to its
					  exchange */
	uint32_t workers;
	uint64_t worker;     /* each of them */
	uint64_t capture;    /* records, their tables and the poll log */
	uint64_t routes;     /* the table of routes, and each worker's counters of them */
	uint64_t statistics; /* of all workers */
	uint64_t program;    /* code, libraries, what the logs may hold back */
	uint64_t total;
};

struct memory_bound memory_bound_of(const struct settings *settings);
/* As YAML comments: the sum, and what it is made of. */
void memory_bound_write(const struct memory_bound *bound, struct buffer *out);

#endif
