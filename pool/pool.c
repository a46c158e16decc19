/*
 * Layer: pool. One job: see pool.h.
 *
 * A connection is in one of these lists by its `idle.node`: `dials` while it is being opened,
 * `idle`, `leaving` for the rest of a turn, `spare` (its memory waits for the next one), or in none
 * while it is lent or closing. A
 * waiter is in `waiters` while it is QUEUED or DIALING, in `settled` while its callback is due. A
 * DIALING waiter and its dial point at each other until one of them ends or the waiter is served
 * otherwise.
 */
#include "pool/pool.h"

#include <assert.h>
#include <inttypes.h>

#include "base/memory.h"
#include "base/tls_sessions.h"
#include "pool/pool_state.h"
#include "pool/upstream_shared.h"

enum {
	SPARE_MAX = 16, /* connections' memory that is kept for reuse */
};

static struct pool *pool_of(struct connection *connection)
{
	return container_of(connection->dial.connector, struct pool, connector);
}

static struct connection *connection_of(struct idle_entry *entry)
{
	return container_of(entry, struct connection, idle);
}

static struct pool_waiter *waiter_of(struct list *node)
{
	return container_of(node, struct pool_waiter, node);
}

static uint64_t now_ms(const struct pool *pool)
{
	return loop_now_ms(pool->connector.loop);
}

/* --- lending */

/* A connection that was lent comes back, in whatever state. */
static void lent_no_more(struct pool *pool)
{
	tally_take(&pool->tally, TALLY_LENT);
}

static void lend(struct pool *pool, struct connection *connection, bool reused, uint64_t idle_ms)
{
	connection_lend(connection, reused, idle_ms);
	tally_add(&pool->tally, TALLY_LENT);
	if (reused) {
		tally_add(&pool->tally, TALLY_REUSED);
	}
}

/* --- ending and keeping connections */

/* Ends a connection that is in no list, and whose place counts as closing. */
static void end_counted(struct connection *connection)
{
	assert(connection->waiter == NULL);
	connection_close(connection);
}

static void on_leaves(struct shelf *shelf, struct idle_entry *entry, bool expired)
{
	struct pool *pool = container_of(shelf, struct pool, shelf);

	if (expired) {
		tally_add(&pool->tally, TALLY_EXPIRED);
	}
	pool_end(connection_of(entry));
}

/* Keeps a connection that nobody waits for until its time is over. */
static void park(struct pool *pool, struct connection *connection)
{
	uint64_t now = now_ms(pool);
	uint64_t limit_ms = connection->idle_limit_ms;
	uint64_t until_ms = limit_ms < IDLE_FOREVER - now ? now + limit_ms : IDLE_FOREVER;

	if (connection->retire_ms < until_ms) {
		until_ms = connection->retire_ms;
	}
	if (pool->settings->max_idle == 0 ||
		!shelf_park(&pool->shelf, &connection->idle, until_ms)) {
		pool_end(connection);
	}
}

/* --- waiters */

static void settle(struct pool *pool, struct pool_waiter *waiter)
{
	pool_count_wait(pool, waiter);
	list_remove(&waiter->node);
	loop_timer_stop(pool->connector.loop, &waiter->timer);
	waiter->phase = POOL_WAITER_SETTLED;
	list_push_back(&pool->settled, &waiter->node);
	loop_ready(pool->connector.loop, &pool->deliver);
}

/* A failure for which the upstream was not even asked. */
static enum failure failure_of_refusal(enum err_code why)
{
	switch (why) {
	case ERR_QUEUE_FULL:
		return FAILURE_QUEUE_FULL;
	case ERR_QUEUE_TIMEOUT:
		return FAILURE_QUEUE_TIMEOUT;
	case ERR_BREAKER_OPEN:
		return FAILURE_BREAKER_OPEN;
	case ERR_CREDENTIAL:
		return FAILURE_CREDENTIAL;
	default:
		return FAILURE_NONE; /* we end */
	}
}

static void refuse(struct pool *pool, struct pool_waiter *waiter, enum err_code why)
{
	pool_count_failure(pool, failure_of_refusal(why));
	waiter->connection = NULL;
	waiter->refusal = why;
	settle(pool, waiter);
}

/* The waiter and the connection that is being opened for it go separate ways. */
static void part(struct pool_waiter *waiter)
{
	if (waiter->phase == POOL_WAITER_DIALING) {
		waiter->connection->waiter = NULL;
		waiter->connection = NULL;
	}
}

/* Gives a waiter, whose ticket has left the queue, a connection that the pool holds. */
static void serve(
	struct pool *pool, struct pool_waiter *waiter, struct connection *connection, bool reused)
{
	part(waiter);
	lend(pool, connection, reused, 0);
	waiter->connection = connection;
	settle(pool, waiter);
}

/* The first waiter that a connection of that identity can serve. */
static struct pool_waiter *first_waiter(const struct pool *pool, uint64_t identity, bool fresh)
{
	for (struct list *node = pool->waiters.next; node != &pool->waiters; node = node->next) {
		struct pool_waiter *waiter = waiter_of(node);

		if ((fresh || !waiter->fresh) && waiter->identity == identity) {
			return waiter;
		}
	}
	return NULL;
}

/*
 * A connection is free: it serves the first waiter that it can, becomes idle, or gives its place
 * away; or it leaves, where what it was opened under has been replaced. `fresh`: it was never lent.
 * A waiter whose connection is being opened has its place, so nobody elsewhere can be ahead of it.
 */
static void offer(struct pool *pool, struct connection *connection, bool fresh)
{
	struct pool_waiter *waiter = first_waiter(pool, connection->identity, fresh);

	if (pool->closing) {
		pool_end(connection);
	} else if (pool_is_stale(pool, connection)) {
		tally_add(&pool->tally, TALLY_EXPIRED);
		pool_end(connection);
	} else if (waiter != NULL) {
		if (waiter->phase == POOL_WAITER_DIALING || places_claim(&waiter->ticket)) {
			serve(pool, waiter, connection, !fresh);
		} else {
			end_counted(connection);
		}
	} else if (pool->alert) {
		pool->alert = !places_keep(&pool->member);
		if (pool->alert) {
			end_counted(connection);
		} else {
			park(pool, connection);
		}
	} else {
		park(pool, connection);
	}
}

static struct connection *new_connection(struct pool *pool)
{
	struct list *node = list_pop_front(&pool->spare);

	if (node == NULL) {
		return mem_alloc(sizeof(struct connection));
	}
	pool->spare_count--;
	return connection_of(container_of(node, struct idle_entry, node));
}

/* Begins a connection for a waiter; the place is taken. */
static void dial(struct pool *pool, struct pool_waiter *waiter)
{
	const struct pool_settings *settings = pool->settings;
	struct connection *connection = new_connection(pool);
	uint64_t timeout_ms = waiter->connect_timeout_ms != 0 ? waiter->connect_timeout_ms
							      : settings->connect_timeout_ms;

	pool_count_wait(pool, waiter);
	loop_timer_stop(pool->connector.loop, &waiter->timer);
	waiter->connecting_us = loop_now_us(pool->connector.loop);
	waiter->phase = POOL_WAITER_DIALING;
	waiter->connection = connection;
	pool->connections++;
	pool->begun++;
	connection_dial(connection, &pool->connector, timeout_ms);
	connection->waiter = waiter;
	connection->identity = waiter->identity;
	connection->retire_ms = idle_retire_ms(
		now_ms(pool), settings->max_age_ms, pool->member.index + pool->begun);
	if (waiter->until_ms < connection->retire_ms) {
		connection->retire_ms = waiter->until_ms;
	}
	list_push_back(&pool->dials, &connection->idle.node);
}

static void adopt(struct pool *pool, struct pool_waiter *waiter, struct connection *connection)
{
	list_push_back(&pool->waiters, &waiter->node);
	waiter->connecting_us = loop_now_us(pool->connector.loop);
	waiter->phase = POOL_WAITER_DIALING;
	waiter->adopted = true;
	waiter->connection = connection;
	connection->waiter = waiter;
}

static void on_queue_timeout(struct timer *timer)
{
	struct pool_waiter *waiter = container_of(timer, struct pool_waiter, timer);

	assert(waiter->phase == POOL_WAITER_QUEUED);
	places_leave(&waiter->ticket);
	refuse(waiter->pool, waiter, ERR_QUEUE_TIMEOUT);
}

static void describe_refusal(
	const struct pool *pool, const struct pool_waiter *waiter, struct err *err)
{
	const char *name = upstream_name(pool->connector.upstream);
	enum err_code why = waiter->refusal;

	if (why == ERR_QUEUE_FULL) {
		err_set(err, why,
			"upstream %s: %" PRIu32 " exchanges wait for a connection already", name,
			pool->settings->queue);
	} else if (why == ERR_QUEUE_TIMEOUT) {
		err_set(err, why, "upstream %s: no connection came free within %" PRIu64 " ms",
			name, pool->settings->queue_timeout_ms);
	} else if (why == ERR_BREAKER_OPEN) {
		upstream_describe_open(pool->connector.upstream, waiter->retry_ms, err);
	} else if (why == ERR_CREDENTIAL) {
		credential_source_explain(pool->source, err);
	} else {
		err_set(err, why, "upstream %s: its connections are being closed", name);
	}
}

/* --- the end */

static void free_when_empty(struct pool *pool)
{
	struct list *node;
	void (*closed)(void *) = pool->closed;
	void *context = pool->closed_context;

	if (!pool->closing || pool->connections > 0 || pool->held) {
		return;
	}
	assert(list_empty(&pool->waiters) && list_empty(&pool->settled));
	shelf_fini(&pool->shelf);
	pool_guard_fini(pool);
	tally_leave(upstream_tallies(pool->connector.upstream), &pool->tally);
	while ((node = list_pop_front(&pool->spare)) != NULL) {
		mem_free(connection_of(container_of(node, struct idle_entry, node)));
	}
	task_cancel(&pool->deliver);
	tls_sessions_destroy(pool->connector.sessions);
	mem_free(pool);
	closed(context);
}

static void on_prepare(uv_prepare_t *prepare)
{
	(void)prepare; /* it is enough that it is there */
}

/* Another worker's wake may still be on its way: our memory stays until it has come. */
static void hold_for_wake(struct pool *pool)
{
	if (places_asleep(&pool->member)) {
		return;
	}
	pool->held = true;
	(void)uv_prepare_init(&pool->connector.loop->uv, &pool->hold); /* cannot fail */
	pool->hold.data = pool;
	(void)uv_prepare_start(&pool->hold, on_prepare);
}

static void on_hold_closed(uv_handle_t *handle)
{
	struct pool *pool = handle->data;
	struct loop *loop = pool->connector.loop;

	pool->held = false;
	loop_ready(loop, &pool->deliver);
	loop_settle(loop);
}

static void on_deliver(struct task *task)
{
	struct pool *pool = container_of(task, struct pool, deliver);
	struct list *node;

	while ((node = list_pop_front(&pool->settled)) != NULL) {
		struct pool_waiter *waiter = waiter_of(node);
		struct connection *connection = waiter->connection;
		struct err err;

		waiter->phase = POOL_WAITER_IDLE;
		waiter->connection = NULL;
		if (connection != NULL) {
			waiter->ready(waiter, connection);
		} else {
			describe_refusal(pool, waiter, &err);
			waiter->failed(waiter, &err);
		}
	}
	free_when_empty(pool);
}

/* --- events of connections */

static void on_opened(struct connection *connection)
{
	struct pool *pool = pool_of(connection);
	struct pool_waiter *waiter = connection->waiter;

	list_remove(&connection->idle.node);
	pool_count_opened(pool, connection);
	upstream_tried(pool->connector.upstream, NULL);
	if (waiter != NULL) {
		serve(pool, waiter, connection, false);
	} else {
		offer(pool, connection, true);
	}
}

static void ask_for_place(struct pool *pool, struct pool_waiter *waiter);

/* The waiter, which is in no list any more, has no connection of it. Nothing of it is touched
 * afterwards. */
static void tell_failure(
	struct pool *pool, struct pool_waiter *waiter, enum failure why, const struct err *err)
{
	if (waiter->adopted) { /* it may have come late, with little time left: one of its own */
		waiter->adopted = false;
		ask_for_place(pool, waiter);
		return;
	}
	if (waiter->pass != NULL) {
		upstream_failed(pool->connector.upstream, waiter->pass, why, err, now_ms(pool));
	}
	waiter->failed(waiter, err);
}

static void on_failed(struct connection *connection, enum failure why, const struct err *err)
{
	struct pool *pool = pool_of(connection);
	struct pool_waiter *waiter = connection->waiter;

	list_remove(&connection->idle.node);
	pool_count_failure(pool, why);
	upstream_tried(pool->connector.upstream, err);
	if (waiter != NULL) {
		part(waiter);
		list_remove(&waiter->node);
		waiter->phase = POOL_WAITER_IDLE;
	}
	pool_end(connection);
	if (waiter != NULL) {
		tell_failure(pool, waiter, why, err);
	}
}

static void on_spoiled(struct connection *connection)
{
	struct pool *pool = pool_of(connection);

	shelf_remove(&pool->shelf, &connection->idle);
	tally_add(&pool->tally, TALLY_EXPIRED);
	pool_end(connection);
}

static void on_closed(struct connection *connection)
{
	struct pool *pool = pool_of(connection);

	pool->connections--;
	if (pool->spare_count < SPARE_MAX) {
		pool->spare_count++;
		list_push_front(&pool->spare, &connection->idle.node);
	} else {
		mem_free(connection);
	}
	places_give_back(pool->member.places);
	if (pool->closing) {
		loop_ready(pool->connector.loop, &pool->deliver);
	}
}

static const struct connection_events connection_events = {
	.opened = on_opened,
	.failed = on_failed,
	.spoiled = on_spoiled,
	.closed = on_closed,
};

/* --- what other workers want */

static void on_wakeup(struct message *message)
{
	struct pool *pool = container_of(message, struct pool, wakeup);
	struct place_ticket *ticket;

	pool->alert = places_collect(&pool->member);
	while ((ticket = places_next_granted(&pool->member)) != NULL) {
		dial(pool, container_of(ticket, struct pool_waiter, ticket));
	}
	while (pool->alert && !shelf_empty(&pool->shelf)) {
		pool->alert = !places_keep(&pool->member);
		if (pool->alert) {
			end_counted(connection_of(shelf_take_oldest(&pool->shelf)));
		}
	}
	if (pool->held) {
		uv_close((uv_handle_t *)&pool->hold, on_hold_closed);
	}
}

static void wake(struct places_member *member)
{
	struct pool *pool = container_of(member, struct pool, member);

	loop_post(pool->connector.loop, &pool->wakeup);
}

/* --- for all */

struct pool *pool_create(struct loop *loop, struct upstream *upstream)
{
	struct pool *self = mem_zalloc(sizeof(*self));
	const struct upstream_address *address = upstream_address(upstream);

	self->connector.loop = loop;
	self->connector.upstream = upstream;
	self->connector.events = &connection_events;
	resolver_init(&self->connector.resolver, loop, address->host, address->port);
	self->settings = upstream_pool_settings(upstream);
	pool_guard_init(self);
	if (self->tls != NULL) {
		self->connector.sessions = tls_sessions_create();
	}
	self->wakeup.run = on_wakeup;
	shelf_init(&self->shelf, loop, upstream_places(upstream), &self->tally, on_leaves);
	list_init(&self->dials);
	list_init(&self->waiters);
	list_init(&self->settled);
	list_init(&self->spare);
	task_init(&self->deliver, on_deliver);
	tally_join(upstream_tallies(upstream), &self->tally);
	self->member.wake = wake;
	places_join(upstream_places(upstream), &self->member);
	return self;
}

void pool_close(struct pool *pool, void (*closed)(void *context), void *context)
{
	struct idle_entry *oldest;

	assert(!pool->closing);
	pool->closing = true;
	pool->closed = closed;
	pool->closed_context = context;
	list_each (node, after, &pool->waiters) {
		struct pool_waiter *waiter = waiter_of(node);

		places_leave(&waiter->ticket);
		part(waiter);
		refuse(pool, waiter, ERR_DRAINING);
	}
	list_each (node, after, &pool->dials) {
		list_remove(node);
		pool_end(connection_of(container_of(node, struct idle_entry, node)));
	}
	while ((oldest = shelf_take_oldest(&pool->shelf)) != NULL) {
		pool_end(connection_of(oldest));
	}
	pool_close_leaving(pool);
	resolver_stop(&pool->connector.resolver);
	places_retire(&pool->member);
	hold_for_wake(pool);
	loop_ready(pool->connector.loop, &pool->deliver);
}

struct upstream *pool_upstream(const struct pool *pool)
{
	return pool->connector.upstream;
}

struct connection *pool_take(
	struct pool *pool, const struct credential *credential, uint64_t used_within_ms)
{
	uint64_t key = 0;
	struct idle_entry *entry;

	if (pool->guarded || credential != NULL) {
		if (credential == NULL) { /* else pool_credential() has looked, and lent it */
			pool_look_for_changes(pool);
		}
		key = connection_key(credential_identity(credential), pool->serial);
	}
	entry = shelf_take(&pool->shelf, used_within_ms, key);

	if (entry == NULL) {
		return NULL;
	}
	lend(pool, connection_of(entry), true, now_ms(pool) - entry->since_ms);
	return connection_of(entry);
}

void pool_waiter_init(struct pool_waiter *waiter)
{
	*waiter = (struct pool_waiter){
		.ready = waiter->ready,
		.failed = waiter->failed,
		.connect_timeout_ms = waiter->connect_timeout_ms,
		.credential = waiter->credential,
		.pass = waiter->pass,
	};
	list_init(&waiter->node);
	timer_init(&waiter->timer, on_queue_timeout);
}

static void begin_waiting(struct pool *pool, struct pool_waiter *waiter, bool fresh)
{
	assert(waiter->phase == POOL_WAITER_IDLE);
	waiter->pool = pool;
	waiter->fresh = fresh;
	waiter->adopted = false;
	waiter->queued_us = loop_now_us(pool->connector.loop);
	waiter->connecting_us = 0;
	waiter->retry_ms = 0;
}

static void ask_for_place(struct pool *pool, struct pool_waiter *waiter)
{
	struct loop *loop = pool->connector.loop;

	switch (places_ask(&pool->member, &waiter->ticket, waiter->queued_us)) {
	case PLACES_TAKEN:
		list_push_back(&pool->waiters, &waiter->node);
		dial(pool, waiter);
		break;
	case PLACES_QUEUED:
		list_push_back(&pool->waiters, &waiter->node);
		waiter->phase = POOL_WAITER_QUEUED;
		if (pool->settings->queue_timeout_ms > 0) {
			loop_timer_start(loop, &waiter->timer, pool->settings->queue_timeout_ms);
		}
		break;
	case PLACES_FULL:
		refuse(pool, waiter, ERR_QUEUE_FULL);
		break;
	}
}

void pool_acquire(struct pool *pool, struct pool_waiter *waiter, bool fresh)
{
	struct connection *connection;

	begin_waiting(pool, waiter, fresh);
	waiter->identity = credential_identity(waiter->credential);
	waiter->until_ms = pool_admit(pool, waiter->credential);
	if (pool->closing) {
		refuse(pool, waiter, ERR_DRAINING);
		return;
	}
	connection = pool_unclaimed(pool, waiter);
	if (connection != NULL) {
		adopt(pool, waiter, connection);
	} else {
		ask_for_place(pool, waiter);
	}
}

void pool_refuse(struct pool *pool, struct pool_waiter *waiter, uint64_t wait_ms)
{
	begin_waiting(pool, waiter, false);
	waiter->retry_ms = wait_ms;
	refuse(pool, waiter, pool->closing ? ERR_DRAINING : ERR_BREAKER_OPEN);
}

void pool_refuse_credential(struct pool *pool, struct pool_waiter *waiter)
{
	begin_waiting(pool, waiter, false);
	refuse(pool, waiter, pool->closing ? ERR_DRAINING : ERR_CREDENTIAL);
}

void pool_cancel(struct pool_waiter *waiter)
{
	enum pool_waiter_phase phase = waiter->phase;
	struct pool *pool = waiter->pool;
	struct connection *connection;

	if (phase == POOL_WAITER_IDLE) {
		return;
	}
	places_leave(&waiter->ticket);
	part(waiter);
	pool_count_wait(pool, waiter);
	connection = waiter->connection;
	list_remove(&waiter->node);
	loop_timer_stop(pool->connector.loop, &waiter->timer);
	waiter->connection = NULL;
	waiter->phase = POOL_WAITER_IDLE;
	if (connection != NULL) { /* it was about to be told */
		bool fresh = !connection_reused(connection);

		lent_no_more(pool);
		if (connection_reclaim(connection)) {
			offer(pool, connection, fresh);
		} else {
			pool_end(connection);
		}
	}
}

void pool_return(struct connection *connection, uint64_t keep_alive_ms)
{
	struct pool *pool = pool_of(connection);

	lent_no_more(pool);
	if (!connection_reclaim(connection)) {
		pool_end(connection);
	} else if (now_ms(pool) >= connection->retire_ms) {
		tally_add(&pool->tally, TALLY_EXPIRED);
		pool_end(connection);
	} else {
		connection->idle_limit_ms =
			idle_limit_ms(pool->settings->idle_timeout_ms, keep_alive_ms);
		offer(pool, connection, false);
	}
}

void pool_discard(struct connection *connection)
{
	lent_no_more(pool_of(connection));
	pool_end(connection);
}
