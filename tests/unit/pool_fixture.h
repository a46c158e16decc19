/*
 * For the unit tests of the pool. One job: workers (a loop and a pool each) on one upstream, all
 * run by the test's own thread, and askers that note what they are told.
 */
#ifndef SIGHTGLASS_TESTS_POOL_FIXTURE_H
#define SIGHTGLASS_TESTS_POOL_FIXTURE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/loop.h"
#include "pool/pool.h"
#include "pool/upstream.h"
#include "tests/unit/fake_origin.h"

enum {
	POOL_FIXTURE_WORKERS = 4,
};

struct pool_fixture_worker {
	struct loop loop;
	uv_prepare_t keeper; /* the loop runs though there is nothing but timers */
	struct pool *pool;
};

struct pool_fixture {
	struct pool_settings settings;    /* to be changed before the start */
	unsigned worker_count;            /* 1 */
	struct credential_source *source; /* NULL; else the upstream takes it over at the start */
	struct tls_source *tls;           /* the same; the origin's own is `origin_tls` */
	struct tls_context *origin_tls;
	struct fake_origin origin; /* on the first worker's loop */
	struct upstream *upstream;
	struct pool_fixture_worker workers[POOL_FIXTURE_WORKERS];
	struct loop *loop; /* the first worker's */
	struct pool *pool; /* the first worker's */
	unsigned told;     /* askers so far */
};

/* One that acquires connections. */
struct asker {
	struct pool_waiter waiter;
	struct pool_fixture *fixture;
	struct connection *connection; /* what it got */
	struct err err;                /* what it was told instead */
	unsigned turn;                 /* 1 for the first that was told anything; 0 = not told */
	size_t bytes;                  /* that came over the connection */
	bool eof;
};

/* cmocka's: *state is a fixture whose loops stand, with the default settings but no timeouts. */
int pool_fixture_setup(void **state);
/* Closes pools and origin, where the test did not, and frees all. Whatever was lent must be back.
 */
int pool_fixture_teardown(void **state);

/* Makes origin, upstream and pools, by the settings. */
void pool_fixture_start(struct pool_fixture *f);
void pool_fixture_start_unix(struct pool_fixture *f);
/* Without an origin: at any address. */
void pool_fixture_start_at(struct pool_fixture *f, const char *url);

/* From here on, the loops run only as long as something else is open. */
void pool_fixture_let_end(struct pool_fixture *f);

/* Runs all loops until the condition holds; the test's alarm ends a wait in vain. */
#define RUN_UNTIL(f, condition)                                                                    \
	while (!(condition)) {                                                                     \
		pool_fixture_run_once(f);                                                          \
	}
void pool_fixture_run_once(struct pool_fixture *f);
/* Ends the turn in which the test called something on the first worker. */
void pool_fixture_settle(struct pool_fixture *f);
/* Runs the first worker's loop for so long: to see that something does not happen. */
void pool_fixture_pass(struct pool_fixture *f, uint64_t ms);
/* What is called until the next settle happens so much later. */
void pool_fixture_later(struct pool_fixture *f, uint64_t ms);
struct upstream_counts pool_fixture_counts(const struct pool_fixture *f);

void asker_init(struct asker *asker, struct pool_fixture *f);
/* Acquires on the worker's pool, and settles. */
void asker_acquire(struct asker *asker, unsigned worker, bool fresh);
/* Takes from the first worker's pool, for the waiter's credential: false where nothing is to be
 * had. */
bool asker_take(struct asker *asker, uint64_t used_within_ms);
/* Acquires on the worker's pool and waits for the connection. */
void asker_get(struct asker *asker, unsigned worker);
/* Gives the connection back, and settles. */
void asker_return(struct asker *asker);
void asker_discard(struct asker *asker);

#endif
