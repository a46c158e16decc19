/*
 * Layer: pool. One job: see connection.h.
 *
 * A dial goes through the addresses in turn, from the one that worked last. Where it used kept
 * answers and none of them worked, it asks again once, and goes on if there is something new: an
 * upstream that moved costs a delay, not an error. The time is shared out: each attempt but the
 * last has its part of what is left, so that one dead address does not use up all of it.
 *
 * What can fail: the lookup (at once, later, or too late), the socket (no descriptor, no route: at
 * once), the connection (refused, reset, too late), and the owner may close it at any point of
 * this.
 */
#include "pool/connection.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "pool/upstream_shared.h"

enum {
	ASK_AGAIN_MS = 1000, /* a failure is not held back for longer than this by a name server
				that is silent */
};

static struct connection *of_stream(struct stream *stream)
{
	return container_of(stream, struct connection, stream);
}

static const struct upstream_address *where(const struct connection *connection)
{
	return upstream_address(connection->connector->upstream);
}

/* --- the words of a failure */

/* "127.0.0.1:8000", "api:8000 (10.0.0.7:8000)" or "unix:/run/api.sock" */
static void target_text(const struct connection *connection, char *text, size_t size)
{
	const struct upstream_address *address = where(connection);
	const struct resolver *resolver = &connection->connector->resolver;
	char numbers[RESOLVER_ADDRESS_TEXT_SIZE];

	if (address->is_unix) {
		(void)snprintf(text, size, "unix:%.108s", address->host);
		return;
	}
	resolver_address_text(&connection->address, numbers);
	if (resolver->numeric) {
		(void)snprintf(text, size, "%s", numbers);
	} else if (resolver->count > 1) {
		(void)snprintf(text, size, "%.100s:%u (%s, the last of %u addresses)",
			address->host, address->port, numbers, resolver->count);
	} else {
		(void)snprintf(text, size, "%.100s:%u (%s)", address->host, address->port, numbers);
	}
}

static void describe_attempt(const struct connection *connection, struct err *err)
{
	char target[sizeof(err->text)];
	const char *name = upstream_name(connection->connector->upstream);

	target_text(connection, target, sizeof(target));
	if (connection->timed_out) {
		err_set(err, ERR_CONNECT_TIMEOUT,
			"upstream %s: connect to %s: no answer within %" PRIu64 " ms", name, target,
			connection->budget_ms);
	} else {
		err_set(err, connection->status == UV_ETIMEDOUT ? ERR_CONNECT_TIMEOUT : ERR_CONNECT,
			"upstream %s: connect to %s: %s", name, target,
			uv_strerror(connection->status));
	}
}

static void describe_lookup(const struct connection *connection, int status, struct err *err)
{
	const char *name = upstream_name(connection->connector->upstream);

	if (status == UV_ETIMEDOUT) {
		err_set(err, ERR_CONNECT_TIMEOUT,
			"upstream %s: look up %s: no answer within %" PRIu64 " ms", name,
			where(connection)->host, connection->budget_ms);
	} else {
		err_set(err, ERR_RESOLVE, "upstream %s: look up %s: %s", name,
			where(connection)->host, uv_strerror(status));
	}
}

/* --- the dial */

static uint64_t remaining_ms(const struct connection *connection)
{
	uint64_t now_ms = loop_now_ms(connection->connector->loop);

	return connection->deadline_ms > now_ms ? connection->deadline_ms - now_ms : 0;
}

static void give_up(struct connection *connection)
{
	struct err err;

	describe_attempt(connection, &err);
	connection->connector->events->failed(connection, &err);
}

static bool may_ask(const struct connection *connection)
{
	return !connection->asked && !where(connection)->is_unix &&
	       !connection->connector->resolver.numeric;
}

static void ask(struct connection *connection)
{
	struct loop *loop = connection->connector->loop;
	bool again = connection->status != 0;
	uint64_t wait_ms = connection->budget_ms == 0 ? 0 : remaining_ms(connection);

	connection->asked = true;
	connection->state = CONNECTION_LOOKING_UP;
	if (again && (wait_ms == 0 || wait_ms > ASK_AGAIN_MS)) {
		wait_ms = ASK_AGAIN_MS;
	}
	if (wait_ms > 0) {
		loop_timer_start(loop, &connection->timer, wait_ms);
	}
	resolver_ask(&connection->connector->resolver, &connection->query);
}

/* Begins with the addresses that are known. */
static void use_addresses(struct connection *connection)
{
	const struct resolver *resolver = &connection->connector->resolver;

	connection->generation = resolver->generation;
	connection->next = resolver->preferred;
	connection->left = resolver->count;
}

static const struct stream_ops stream_ops;

static int connect_to_next(struct connection *connection)
{
	struct connector *connector = connection->connector;
	struct resolver *resolver = &connector->resolver;

	if (where(connection)->is_unix) {
		connection->left = 0;
		return stream_connect_unix(
			&connection->stream, connector->loop, &stream_ops, where(connection)->host);
	}
	connection->current = connection->next;
	connection->address = resolver->addresses[connection->current];
	connection->left--;
	connection->next = (uint8_t)((connection->next + 1) % resolver->count);
	return stream_connect_tcp(
		&connection->stream, connector->loop, &stream_ops, &connection->address.any);
}

static void attempt(struct connection *connection)
{
	struct loop *loop = connection->connector->loop;

	connection->state = CONNECTION_CONNECTING;
	connection->timed_out = false;
	connection->status = connect_to_next(connection);
	if (connection->status < 0) {
		loop_ready(loop, &connection->task); /* the handle is there all the same */
	} else if (connection->budget_ms > 0) {
		uint64_t part_ms = remaining_ms(connection) / (connection->left + 1U);

		loop_timer_start(loop, &connection->timer, part_ms);
	}
}

/* No handle is open, and nothing worked yet. */
static void go_on(struct connection *connection)
{
	if (connection->left > 0 &&
		connection->generation != connection->connector->resolver.generation) {
		use_addresses(connection); /* somebody else asked meanwhile */
	}
	if (connection->left > 0) {
		attempt(connection);
	} else {
		ask(connection);
	}
}

static void on_attempt_closed(struct stream *stream)
{
	struct connection *connection = of_stream(stream);

	if (connection->state == CONNECTION_CLOSING) {
		connection->connector->events->closed(connection);
	} else {
		go_on(connection);
	}
}

static void attempt_failed(struct connection *connection, int status)
{
	loop_timer_stop(connection->connector->loop, &connection->timer);
	connection->status = status;
	if (connection->left > 0 || (!connection->timed_out && may_ask(connection))) {
		connection->state = CONNECTION_BETWEEN;
		stream_close(&connection->stream, on_attempt_closed);
		return;
	}
	if (may_ask(connection)) { /* the time is over: the answer is for who comes next */
		resolver_refresh(&connection->connector->resolver);
	}
	give_up(connection);
}

static void on_answered(struct resolver_query *query, int status)
{
	struct connection *connection = container_of(query, struct connection, query);
	struct err err;

	loop_timer_stop(connection->connector->loop, &connection->timer);
	if (connection->generation != connection->connector->resolver.generation) {
		use_addresses(connection);
		attempt(connection);
	} else if (connection->status != 0) {
		give_up(connection); /* there is nothing new */
	} else {
		describe_lookup(connection, status, &err);
		connection->connector->events->failed(connection, &err);
	}
}

static void on_timer(struct timer *timer)
{
	struct connection *connection = container_of(timer, struct connection, timer);
	struct err err;

	if (connection->state == CONNECTION_CONNECTING) {
		connection->timed_out = true;
		attempt_failed(connection, UV_ETIMEDOUT);
		return;
	}
	assert(connection->state == CONNECTION_LOOKING_UP);
	if (connection->status != 0) {
		give_up(connection);
	} else {
		describe_lookup(connection, UV_ETIMEDOUT, &err);
		connection->connector->events->failed(connection, &err);
	}
}

/* What could not be told from inside a call down. */
static void on_task(struct task *task)
{
	struct connection *connection = container_of(task, struct connection, task);

	if (connection->state == CONNECTION_CLOSING) {
		connection->connector->events->closed(connection);
	} else {
		attempt_failed(connection, connection->status);
	}
}

/* --- events of the stream */

static void on_connected(struct stream *stream, int status)
{
	struct connection *connection = of_stream(stream);
	struct connector *connector = connection->connector;

	if (status < 0) {
		attempt_failed(connection, status);
		return;
	}
	loop_timer_stop(connector->loop, &connection->timer);
	resolver_prefer(&connector->resolver, connection->generation, connection->current);
	connection->connect_us = loop_now_us(connector->loop) - connection->begun_us;
	connection->state = CONNECTION_HELD;
	connector->events->opened(connection);
}

static void on_bytes(struct stream *stream, struct slice bytes)
{
	struct connection *connection = of_stream(stream);

	if (connection->state == CONNECTION_LENT) {
		connection->ops->bytes(connection, bytes);
	} else {
		connection->connector->events->spoiled(connection);
	}
}

static void on_eof(struct stream *stream)
{
	struct connection *connection = of_stream(stream);

	if (connection->state == CONNECTION_LENT) {
		connection->ended = true;
		connection->ops->eof(connection);
	} else {
		connection->connector->events->spoiled(connection);
	}
}

static void on_failed(struct stream *stream, int status)
{
	struct connection *connection = of_stream(stream);

	if (connection->state == CONNECTION_LENT) {
		connection->ended = true;
		connection->ops->failed(connection, status);
	} else {
		connection->connector->events->spoiled(connection);
	}
}

static void on_blocked(struct stream *stream)
{
	struct connection *connection = of_stream(stream);

	if (connection->state == CONNECTION_LENT) {
		connection->ops->blocked(connection);
	}
}

static void on_drained(struct stream *stream)
{
	struct connection *connection = of_stream(stream);

	if (connection->state == CONNECTION_LENT) {
		connection->ops->drained(connection);
	}
}

static const struct stream_ops stream_ops = {
	.connected = on_connected,
	.bytes = on_bytes,
	.eof = on_eof,
	.failed = on_failed,
	.blocked = on_blocked,
	.drained = on_drained,
};

/* --- for the pool */

void connection_dial(
	struct connection *connection, struct connector *connector, uint64_t timeout_ms)
{
	uint64_t now_us = loop_now_us(connector->loop);

	*connection = (struct connection){
		.connector = connector,
		.begun_us = now_us,
		.budget_ms = timeout_ms,
		.deadline_ms = timeout_ms == 0 ? UINT64_MAX : now_us / 1000 + timeout_ms,
		.idle_limit_ms = idle_limit_ms(
			upstream_pool_settings(connector->upstream)->idle_timeout_ms, 0),
		.query.answered = on_answered,
	};
	list_init(&connection->idle.node);
	list_init(&connection->query.node);
	timer_init(&connection->timer, on_timer);
	task_init(&connection->task, on_task);
	use_addresses(connection);
	if (where(connection)->is_unix || connection->left > 0) {
		attempt(connection);
	} else {
		ask(connection);
	}
}

bool connection_dialing(const struct connection *connection)
{
	return connection->state < CONNECTION_HELD;
}

void connection_lend(struct connection *connection, bool reused, uint64_t idle_ms)
{
	assert(connection->state == CONNECTION_HELD);
	connection->state = CONNECTION_LENT;
	connection->reused = reused;
	connection->idle_ms = idle_ms;
	if (reused) {
		connection->connect_us = 0;
	}
}

bool connection_reclaim(struct connection *connection)
{
	struct stream *stream = &connection->stream;

	assert(connection->state == CONNECTION_LENT);
	connection->ops = NULL;
	connection->borrower = NULL;
	if (connection->ended || stream->broken || stream->write_error != 0 || stream->shutting ||
		stream_blocked(stream) ||
		stream->gathered != NULL) { /* what was written did not all leave: not clean */
		return false;
	}
	stream_resume(stream);
	connection->state = CONNECTION_HELD;
	return true;
}

void connection_close(struct connection *connection)
{
	struct connector *connector = connection->connector;
	enum connection_state state = connection->state;

	assert(state != CONNECTION_CLOSING);
	loop_timer_stop(connector->loop, &connection->timer);
	resolver_forget(&connection->query);
	task_cancel(&connection->task);
	connection->state = CONNECTION_CLOSING;
	if (state == CONNECTION_LOOKING_UP) {
		loop_ready(connector->loop, &connection->task);
	} else if (state != CONNECTION_BETWEEN) {
		stream_close(&connection->stream, on_attempt_closed);
	}
}

/* --- for borrowers: see pool.h */

void connection_attach(
	struct connection *connection, const struct connection_ops *ops, void *borrower)
{
	assert(connection->state == CONNECTION_LENT);
	connection->ops = ops;
	connection->borrower = borrower;
}

void *connection_borrower(const struct connection *connection)
{
	return connection->borrower;
}

struct stream *connection_stream(struct connection *connection)
{
	return &connection->stream;
}

bool connection_reused(const struct connection *connection)
{
	return connection->reused;
}

uint64_t connection_idle_ms(const struct connection *connection)
{
	return connection->idle_ms;
}

uint64_t connection_connect_us(const struct connection *connection)
{
	return connection->connect_us;
}
