/*
 * Layer: pool (sees base; seen by proxy, inspector and config). One job: what all workers share of
 * one upstream: where it is, its limits, how many connections it has in all, and whose turn it is
 * when there are as many as may be.
 *
 * The cap is exact: a place is taken before a connection is begun and given back when libuv has let
 * go of it. A worker that finds no place queues here, in order over all workers; the place it gets
 * may be that of another worker's idle connection, which is asked for by a message. How that works,
 * and how fair it is, says pool/places.h.
 */
#ifndef SIGHTGLASS_POOL_UPSTREAM_H
#define SIGHTGLASS_POOL_UPSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "base/tls_source.h"
#include "pool/breaker.h"
#include "pool/failure.h"

enum {
	UPSTREAM_NAME_MAX = 64,
};

struct pool_settings {
	uint32_t max_connections; /* of all workers together; at least 1 */
	/*
	 * Of all workers together; 0 = none is kept. One that is lent again within a moment does
	 * not count: see pool/shelf.h. A connection cannot serve another worker's loop: where there
	 * are more workers than this, some keep none.
	 */
	uint32_t max_idle;
	uint64_t idle_timeout_ms; /* 0 = no limit */
	uint64_t max_age_ms; /* 0 = no limit; each connection's own is up to a tenth less or more */
	uint32_t queue;      /* exchanges that may wait for a place, of all workers together */
	uint64_t queue_timeout_ms;   /* 0 = no limit */
	uint64_t connect_timeout_ms; /* finding the address and connecting; 0 = the system's */
	uint32_t max_entries;        /* credentials whose connections one pool keeps, at a time */
	/* How long before its credential ends, or its certificate, a connection is not kept. */
	uint64_t safety_margin_ms;
	struct breaker_settings breaker;
};

/* INTERFACE section 1: 50, 20, 60s, 300s, 1000, 5s; connect 10s; 32, 60s; breaker 5,
 * 10s. */
extern const struct pool_settings pool_settings_default;

/* Where an upstream is, taken from its URL. */
struct upstream_address {
	bool is_unix;
	bool is_https;
	char host[256]; /* a name or an address without brackets; the path of a unix socket */
	uint16_t port;
	char authority[300]; /* as it would stand in a Host field; "localhost" for a unix socket */
	char path[256];      /* put before each request's path; no trailing '/'; may be empty */
};

/* Of an https upstream. Texts may be NULL; files are PEM. */
struct upstream_tls {
	char *ca;          /* whom to trust; NULL: whom the system trusts */
	char *certificate; /* shown to the upstream, with its key: both or none */
	char *key;
	char *server_name; /* asked for, and looked for in the certificate; NULL: the URL's host */
	bool verify;
};

/* The same for base/tls_context.h; borrows the texts. */
struct tls_settings upstream_tls_settings(const struct upstream_tls *tls);

/* http://host[:port][/path], https://… or unix:/path. 0, or ERR_SETTINGS with a sentence that says
 * what would be right. */
enum err_code upstream_address_parse(
	struct slice url, struct upstream_address *address, struct err *err);

struct credential_source;
struct upstream; /* opaque: its members are in upstream.c */

/* Copies its arguments. Ended when every pool on it is gone. */
struct upstream *upstream_create(const char *name, const struct upstream_address *address,
	const struct pool_settings *settings);
/*
 * From here on connections to it are made over TLS, to a server of that name (copied), or of the
 * address's where that is NULL. Takes `source` over. Before the first pool is made.
 */
void upstream_set_tls(struct upstream *upstream, struct tls_source *source, const char *name);
/*
 * From here on requests to it may have a credential. Takes `source` over. Before the first pool is
 * made.
 */
void upstream_set_credential(struct upstream *upstream, struct credential_source *source);
/* NULL: nobody gets one. */
struct credential_source *upstream_credential_source(const struct upstream *upstream);
/* NULL: it is plain. */
struct tls_source *upstream_tls_source(struct upstream *upstream);
/* Takes NULL. */
void upstream_destroy(struct upstream *upstream);
/* These two live as long as the upstream. */
const char *upstream_name(const struct upstream *upstream);
const struct upstream_address *upstream_address(const struct upstream *upstream);

/* Whether the last attempt to connect worked, or none was made yet, and the breaker is not open:
 * what readyz asks. Any thread. */
bool upstream_reachable(const struct upstream *upstream);
/* How the circuit breaker stands now; see breaker_look(). Any thread. */
enum breaker_state upstream_breaker(const struct upstream *upstream, uint64_t *wait_ms);

/* Counters over all workers and all time; any thread, each exact by itself. */
struct upstream_counts {
	uint64_t connections; /* open, being opened, or being closed */
	uint64_t idle;
	uint64_t waiting; /* for a place */
	uint64_t opened;  /* connected */
	uint64_t reused;  /* lent once more */
	uint64_t retried; /* exchanges that were sent once more */
	uint64_t expired; /* left idle, at their age, or closed by the upstream while idle */
	uint64_t connect_failures;   /* connections that could not be opened, for whatever reason */
	uint64_t failures[FAILURES]; /* by reason: of connections, and of exchanges that had one */
};
void upstream_counts(const struct upstream *upstream, struct upstream_counts *counts);
/*
 * Copies the last failures, the newest first; returns how many. Those of which the breaker was the
 * reason are not among them: they would push out what it opened for. Any thread.
 */
size_t upstream_last_failures(
	const struct upstream *upstream, struct failure_entry entries[static FAILURE_LOG_SIZE]);

#endif
