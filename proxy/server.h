/*
 * Layer: proxy. One job: what all workers share: the upstreams, the routes, the count of client
 * connections; and their beginning and end together.
 */
#ifndef SIGHTGLASS_PROXY_SERVER_H
#define SIGHTGLASS_PROXY_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/err.h"
#include "proxy/client.h"
#include "proxy/settings.h"
#include "proxy/worker.h"

struct server; /* opaque: its members are in server.c */

/*
 * Binds every address and makes the workers ready, none running. `settings` outlives the server.
 * NULL with a sentence in `err` where an address cannot be had (ERR_SYSTEM).
 */
struct server *server_create(const struct proxy_settings *settings, struct err *err);
/* Once server_run() has returned, or without it; where the start has failed, after server_drain()
 * and server_join(). */
void server_destroy(struct server *server);

unsigned server_worker_count(const struct server *server);
struct worker *server_worker(struct server *server, unsigned index);
struct upstream *server_upstream(const struct server *server, unsigned index);
/* Before server_start(); see struct claim. `claim` outlives the server. */
void server_set_claim(struct server *server, const struct claim *claim);

/* The address of listener `index` (those of the proxy first, then the inspector's), with the port
 * that was bound: "127.0.0.1:8080". Lives as long as the server. */
const char *server_address(const struct server *server, unsigned index);
/* Reads certificates and credentials again, whether or not their files seem to have changed. On the
 * first worker's thread. */
void server_reread_certificates(struct server *server);
/* "https", or "http": of every address but a unix socket's, which is plain. */
const char *server_scheme(const struct server *server);
/* What clients are to be met with over TLS, as it stands now; NULL: they are plain. The caller
 * releases it. Any thread. */
struct tls_context *server_hold_tls(struct server *server);

/* Starts the threads of all workers but the first. 0, or ERR_SYSTEM. */
enum err_code server_start(struct server *server, struct err *err);
/*
 * Runs the first worker on the calling thread, until it and all others were drained and have ended.
 * One worker needs no thread then: a process with one thread pays less for each system call.
 */
void server_run(struct server *server);
/* Any thread, once: see worker_drain(). */
void server_drain(struct server *server);
bool server_draining(const struct server *server);
/* Waits for the end of the threads that were started; server_run() does so itself. */
void server_join(struct server *server);

/* How many client connections may be open, and are. Any thread. */
uint32_t server_connection_limit(const struct server *server);
uint32_t server_connections(const struct server *server);
/*
 * Counts one more, or refuses it: those that are refused are counted by themselves, so that they
 * hold nobody's place, and are few. Any thread.
 */
enum admission server_connection_opened(struct server *server);
void server_connection_closed(struct server *server, bool over_limit);

/* What limits.connections: auto comes to here: from the file-descriptor limit, which is raised to
 * its hard limit. */
uint32_t server_connections_auto(const struct proxy_settings *settings);

#endif
