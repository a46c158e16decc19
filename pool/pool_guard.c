/*
 * Layer: pool. One job: what a pool's connections were opened under: which credential, which
 * client certificate; and that none is lent when that has been replaced. What leaves is taken out
 * of the shelf at once and closed when the turn has done what it is about: nobody waits for it.
 */
#include <assert.h>

#include "base/clock.h"
#include "pool/credential_rules.h"
#include "pool/pool_state.h"
#include "pool/upstream_shared.h"

static struct pool *pool_of(struct connection *connection)
{
	return container_of(connection->dial.connector, struct pool, connector);
}

static struct connection *connection_of(struct idle_entry *entry)
{
	return container_of(entry, struct connection, idle);
}

void pool_end(struct connection *connection)
{
	places_closing(pool_of(connection)->member.places);
	assert(connection->waiter == NULL);
	connection_close(connection);
}

void pool_close_leaving(struct pool *pool)
{
	struct list *node;

	while ((node = list_pop_front(&pool->leaving)) != NULL) {
		pool_end(connection_of(container_of(node, struct idle_entry, node)));
	}
}

static void on_leave(struct task *task)
{
	pool_close_leaving(container_of(task, struct pool, leave));
}

/* True where a connection may not be lent again. */
static bool is_stale(const struct pool *pool, const struct connection *connection)
{
	return connection->serial != pool->serial ||
	       !identities_keep(&pool->identities, connection->identity);
}

/* Those that are idle and stale are not lent from here on; they are closed when the turn has done
 * what it is about. */
static void let_stale_leave(struct pool *pool)
{
	list_each (node, after, &pool->shelf.idle.entries) {
		struct connection *connection =
			connection_of(container_of(node, struct idle_entry, node));

		if (is_stale(pool, connection)) {
			shelf_remove(&pool->shelf, &connection->idle);
			list_push_back(&pool->leaving, &connection->idle.node);
			tally_add(&pool->tally, TALLY_EXPIRED);
		}
	}
	if (!list_empty(&pool->leaving)) {
		loop_settled(pool->connector.loop, &pool->leave);
	}
}

static void take_credential(struct pool *pool)
{
	credential_unref(pool->credential);
	pool->credential = credential_source_hold(pool->source, &pool->generation);
	identities_keep_only(&pool->identities, credential_identity(pool->credential));
}

void pool_look_for_changes(struct pool *pool)
{
	bool changed = false;

	if (pool->tls != NULL && tls_source_serial(pool->tls) != pool->serial) {
		pool->serial = tls_source_serial(pool->tls);
		changed = true;
	}
	if (pool->source != NULL &&
		credential_source_generation(pool->source) != pool->generation) {
		take_credential(pool);
		changed = true;
	}
	if (changed) {
		let_stale_leave(pool);
	}
}

struct credential *pool_credential(struct pool *pool, bool *known)
{
	if (pool->source != NULL) {
		pool_look_for_changes(pool);
	}
	*known = pool->generation != 0;
	return pool->credential;
}

uint64_t pool_admit(struct pool *pool, const struct credential *credential)
{
	uint64_t now = loop_now_ms(pool->connector.loop);
	uint64_t until_ms;

	if (credential == NULL) {
		return IDLE_FOREVER;
	}
	until_ms = credential_usable_until(credential_expires_s(credential),
		pool->settings->safety_margin_ms, clock_wall_us(), now);
	if (pool->source != NULL &&
		credential_identity(credential) != credential_identity(pool->credential)) {
		until_ms = now;
	}
	if (until_ms > now && identities_admit(&pool->identities, credential_identity(credential),
				      until_ms, now) != 0) {
		let_stale_leave(pool);
	}
	return until_ms;
}

/* Before it is connected nothing was shown yet. */
static bool shows_what_was(const struct pool *pool, const struct connection *connection)
{
	return connection->state == CONNECTION_CONNECTED && connection->serial != pool->serial;
}

/* Whether anybody waits for a place, as far as it is known here. */
static bool any_queued(const struct pool *pool)
{
	bool any = pool->alert;

	for (struct list *node = pool->waiters.next; node != &pool->waiters && !any;
		node = node->next) {
		any = container_of(node, struct pool_waiter, node)->phase == POOL_WAITER_QUEUED;
	}
	return any;
}

struct connection *pool_unclaimed(struct pool *pool, const struct pool_waiter *waiter)
{
	if (list_empty(&pool->dials) || any_queued(pool)) {
		return NULL;
	}
	if (pool->guarded) {
		pool_look_for_changes(pool);
	}
	for (struct list *node = pool->dials.next; node != &pool->dials; node = node->next) {
		struct connection *connection =
			connection_of(container_of(node, struct idle_entry, node));

		if (connection->waiter == NULL && connection->identity == waiter->identity &&
			identities_keep(&pool->identities, connection->identity) &&
			!shows_what_was(pool, connection)) {
			return connection;
		}
	}
	return NULL;
}

bool pool_is_stale(struct pool *pool, const struct connection *connection)
{
	if (!pool->guarded && connection->identity == 0) {
		return false;
	}
	pool_look_for_changes(pool);
	return is_stale(pool, connection);
}

void pool_guard_init(struct pool *pool)
{
	struct upstream *upstream = pool->connector.upstream;

	pool->tls = upstream_tls_source(upstream);
	pool->source = upstream_credential_source(upstream);
	pool->guarded = pool->tls != NULL || pool->source != NULL;
	identities_init(&pool->identities, pool->settings->max_entries);
	list_init(&pool->leaving);
	task_init(&pool->leave, on_leave);
}

void pool_guard_fini(struct pool *pool)
{
	assert(list_empty(&pool->leaving));
	task_cancel(&pool->leave);
	identities_fini(&pool->identities);
	credential_unref(pool->credential);
}
