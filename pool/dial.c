/*
 * Layer: pool. One job: see dial.h.
 *
 * The addresses are tried in the resolver's order. The next one begins when one has failed, or when
 * the last one that began has been silent for DIAL_DELAY_MS, or for its part of the budget where
 * that is less: so that one dead address does not use up all of it. Where kept answers were used
 * and none of them worked, the name is asked for again once, and the dial goes on if there is
 * something new: an upstream that moved costs a delay, not an error.
 *
 * What can fail: the lookup (at once, later, or too late), the socket (no descriptor, no route: at
 * once), the connection (refused, reset, too late), and the owner may close it at any point of
 * this.
 */
#include "pool/dial.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/memory.h"

enum {
	ASK_AGAIN_MS = 1000, /* a failure is not held back for longer than this by a name server
				that is silent */
};

static struct dial_attempt *attempt_of(struct stream *stream)
{
	return container_of(stream, struct dial_attempt, stream);
}

static const struct upstream_address *where(const struct dial *dial)
{
	return upstream_address(dial->connector->upstream);
}

static struct resolver *resolver_of(const struct dial *dial)
{
	return &dial->connector->resolver;
}

/* --- the words of a failure */

/* "127.0.0.1:8000", "api:8000 (10.0.0.7:8000)" or "unix:/run/api.sock" */
static void target_text(const struct dial *dial, char *text, size_t size)
{
	const struct upstream_address *address = where(dial);
	const struct resolver *resolver = resolver_of(dial);
	char numbers[RESOLVER_ADDRESS_TEXT_SIZE];

	if (address->is_unix) {
		(void)snprintf(text, size, "unix:%.108s", address->host);
		return;
	}
	if (dial->failed_generation != resolver->generation) { /* others have come since */
		(void)snprintf(text, size, "%.100s:%u", address->host, address->port);
		return;
	}
	resolver_address_text(&resolver->addresses[dial->failed_index], numbers);
	if (resolver->numeric) {
		(void)snprintf(text, size, "%s", numbers);
	} else if (resolver->count > 1) {
		(void)snprintf(text, size, "%.100s:%u (%s, the last of %u addresses)",
			address->host, address->port, numbers, resolver->count);
	} else {
		(void)snprintf(text, size, "%.100s:%u (%s)", address->host, address->port, numbers);
	}
}

static enum failure describe_attempt(const struct dial *dial, struct err *err)
{
	char target[sizeof(err->text)];
	const char *name = upstream_name(dial->connector->upstream);

	target_text(dial, target, sizeof(target));
	if (dial->timed_out) {
		err_set(err, ERR_CONNECT_TIMEOUT,
			"upstream %s: connect to %s: no answer within %" PRIu64 " ms", name, target,
			dial->budget_ms);
		return FAILURE_CONNECT_TIMEOUT;
	}
	err_set(err, dial->status == UV_ETIMEDOUT ? ERR_CONNECT_TIMEOUT : ERR_CONNECT,
		"upstream %s: connect to %s: %s", name, target, uv_strerror(dial->status));
	switch (dial->status) {
	case UV_ETIMEDOUT:
		return FAILURE_CONNECT_TIMEOUT;
	case UV_ECONNREFUSED:
		return FAILURE_REFUSED;
	default:
		return FAILURE_CONNECT;
	}
}

/* --- the end without a connection */

static void fail(struct dial *dial, enum failure why, const struct err *err)
{
	dial->phase = DIAL_OVER;
	dial->events->failed(dial, why, err);
}

static void give_up(struct dial *dial)
{
	struct err err;

	fail(dial, describe_attempt(dial, &err), &err);
}

static void give_up_lookup(struct dial *dial, enum names_status status)
{
	bool silent = status == NAMES_SILENT;
	struct err err;

	err_set(&err, silent ? ERR_CONNECT_TIMEOUT : ERR_RESOLVE, "upstream %s: look up %s: %s",
		upstream_name(dial->connector->upstream), where(dial)->host,
		names_status_text(status));
	fail(dial, silent ? FAILURE_CONNECT_TIMEOUT : FAILURE_RESOLVE, &err);
}

/* The budget was used up by waiting for name servers. */
static void give_up_waiting(struct dial *dial)
{
	struct err err;

	err_set(&err, ERR_CONNECT_TIMEOUT,
		"upstream %s: look up %s: no answer within %" PRIu64 " ms",
		upstream_name(dial->connector->upstream), where(dial)->host, dial->budget_ms);
	fail(dial, FAILURE_CONNECT_TIMEOUT, &err);
}

/* --- looking up */

static bool may_ask(const struct dial *dial)
{
	return !dial->asked && !where(dial)->is_unix && !resolver_of(dial)->numeric;
}

static void ask(struct dial *dial)
{
	bool again = dial->status != 0;
	uint64_t wait_ms = dial_remaining_ms(dial);

	dial->asked = true;
	dial->phase = DIAL_LOOKING_UP;
	if (again && wait_ms > ASK_AGAIN_MS) {
		wait_ms = ASK_AGAIN_MS;
	}
	if (wait_ms != UINT64_MAX) {
		loop_timer_start(dial->connector->loop, &dial->timer, wait_ms);
	}
	resolver_ask(resolver_of(dial), &dial->query);
}

/* Begins with the addresses that are known. */
static void use_addresses(struct dial *dial)
{
	dial->left = resolver_order(resolver_of(dial), dial->order);
	dial->next = 0;
	dial->generation = resolver_of(dial)->generation;
}

/* --- attempts */

static const struct stream_ops attempt_ops;

static int connect_to_next(struct dial *dial, struct dial_attempt *attempt)
{
	struct loop *loop = dial->connector->loop;

	if (where(dial)->is_unix) {
		return stream_connect_unix(&attempt->stream, loop, &attempt_ops, where(dial)->host);
	}
	attempt->generation = dial->generation;
	attempt->index = dial->order[dial->next];
	dial->next++;
	dial->left--;
	return stream_connect_tcp(&attempt->stream, loop, &attempt_ops,
		&resolver_of(dial)->addresses[attempt->index].any);
}

/* Until the next address is due, or the budget is used up. */
static void start_timer(struct dial *dial)
{
	uint64_t wait_ms = dial_remaining_ms(dial);

	if (dial->left > 0 && dial->parallel < RESOLVER_ADDRESSES_MAX) {
		uint64_t part_ms = wait_ms / (dial->left + 1U);

		wait_ms = part_ms < DIAL_DELAY_MS ? part_ms : DIAL_DELAY_MS;
	}
	if (wait_ms != UINT64_MAX) {
		loop_timer_start(dial->connector->loop, &dial->timer, wait_ms);
	}
}

static void put_in(struct dial *dial, struct dial_attempt *attempt)
{
	struct dial_attempt **end = &dial->running;

	while (*end != NULL) {
		end = &(*end)->next;
	}
	*end = attempt;
	attempt->dial = dial;
	attempt->next = NULL;
	attempt->silent = false;
	attempt->stillborn = false;
	dial->parallel++;
	dial->handles++;
}

/* The attempt runs no more. */
static void take_out(struct dial_attempt *attempt)
{
	struct dial *dial = attempt->dial;
	struct dial_attempt **at = &dial->running;

	while (*at != attempt) {
		at = &(*at)->next;
	}
	*at = attempt->next;
	dial->parallel--;
}

/* Tries the next address; there is one, or the unix socket. */
static void attempt_next(struct dial *dial)
{
	struct dial_attempt *attempt = &dial->own;
	int rc;

	if (dial->own_open && dial->parallel == 0) {
		dial->phase = DIAL_BETWEEN;
		return;
	}
	if (dial->own_open) {
		attempt = mem_alloc(sizeof(*attempt));
	} else {
		dial->own_open = true;
	}
	if (!where(dial)->is_unix && dial->generation != resolver_of(dial)->generation) {
		use_addresses(dial); /* somebody else asked meanwhile */
	}
	put_in(dial, attempt);
	dial->phase = DIAL_CONNECTING;
	rc = connect_to_next(dial, attempt);
	if (rc < 0) { /* the handle is there all the same */
		dial->status = rc;
		attempt->stillborn = true;
		loop_ready(dial->connector->loop, &dial->task);
	} else {
		start_timer(dial);
	}
}

static void on_attempt_closed(struct stream *stream)
{
	struct dial_attempt *attempt = attempt_of(stream);
	struct dial *dial = attempt->dial;

	dial->handles--;
	if (attempt == &dial->own) {
		dial->own_open = false;
	} else {
		mem_free(attempt);
	}
	if (dial->phase == DIAL_CLOSING && dial->handles == 0) {
		dial->events->closed(dial);
	} else if (dial->phase == DIAL_BETWEEN && !dial->own_open) {
		attempt_next(dial);
	}
}

static void end_attempt(struct dial_attempt *attempt)
{
	take_out(attempt);
	stream_close(&attempt->stream, on_attempt_closed);
}

/* Whether a failure is our own lack of something, and says nothing of the address. */
static bool is_our_own(int status)
{
	return status == UV_EMFILE || status == UV_ENFILE || status == UV_ENOMEM ||
	       status == UV_ENOBUFS || status == UV_EADDRNOTAVAIL;
}

/* The attempt failed; what follows is up to the caller. */
static void note_failure(struct dial_attempt *attempt, int status, bool timed_out)
{
	struct dial *dial = attempt->dial;

	dial->status = status;
	dial->timed_out = timed_out;
	dial->failed_generation = attempt->generation;
	dial->failed_index = attempt->index;
	if (!where(dial)->is_unix && !is_our_own(status)) {
		resolver_blame(resolver_of(dial), attempt->generation, attempt->index);
	}
	end_attempt(attempt);
}

static void attempt_failed(struct dial_attempt *attempt, int status)
{
	struct dial *dial = attempt->dial;

	loop_timer_stop(dial->connector->loop, &dial->timer);
	note_failure(attempt, status, false);
	if (dial->left > 0) {
		attempt_next(dial);
	} else if (dial->parallel > 0) {
		start_timer(dial);
	} else if (may_ask(dial)) {
		ask(dial);
	} else {
		give_up(dial);
	}
}

/* The budget is used up: whatever runs has been silent for too long. */
static void time_is_over(struct dial *dial)
{
	while (dial->parallel > 0) {
		note_failure(dial->running, UV_ETIMEDOUT, true);
	}
	if (may_ask(dial)) { /* the answer is for who comes next */
		resolver_refresh(resolver_of(dial));
	}
	give_up(dial);
}

static void attempt_worked(struct dial_attempt *winner)
{
	struct dial *dial = winner->dial;

	loop_timer_stop(dial->connector->loop, &dial->timer);
	take_out(winner);
	while (dial->parallel > 0) {
		struct dial_attempt *other = dial->running;

		if (other->silent) { /* the next dial need not wait for it */
			resolver_blame(resolver_of(dial), other->generation, other->index);
		}
		end_attempt(other);
	}
	if (!where(dial)->is_unix) {
		resolver_worked(resolver_of(dial), winner->generation, winner->index);
	}
	dial->winner = winner;
	dial->phase = DIAL_OVER;
	dial->events->connected(dial);
}

static void on_connected(struct stream *stream, int status)
{
	struct dial_attempt *attempt = attempt_of(stream);

	if (status < 0) {
		attempt_failed(attempt, status);
	} else {
		attempt_worked(attempt);
	}
}

/* Nothing else can come before an attempt has won, and its stream has the owner's ops. */
static const struct stream_ops attempt_ops = {
	.connected = on_connected,
};

static void on_answered(struct resolver_query *query, enum names_status status)
{
	struct dial *dial = container_of(query, struct dial, query);

	loop_timer_stop(dial->connector->loop, &dial->timer);
	if (dial->generation != resolver_of(dial)->generation) {
		use_addresses(dial);
		attempt_next(dial);
	} else if (dial->status != 0) {
		give_up(dial); /* there is nothing new */
	} else {
		give_up_lookup(dial, status);
	}
}

/* All that run have been silent for as long as one may be before another is begun. */
static void note_silence(struct dial *dial)
{
	for (struct dial_attempt *each = dial->running; each != NULL; each = each->next) {
		each->silent = true;
	}
}

static void on_timer(struct timer *timer)
{
	struct dial *dial = container_of(timer, struct dial, timer);

	if (dial->phase == DIAL_LOOKING_UP) {
		resolver_forget(&dial->query);
		if (dial->status != 0) {
			give_up(dial);
		} else {
			give_up_waiting(dial);
		}
		return;
	}
	assert(dial->phase == DIAL_CONNECTING);
	if (dial->left > 0 && dial_remaining_ms(dial) > 0) {
		note_silence(dial);
		attempt_next(dial);
	} else {
		time_is_over(dial);
	}
}

/* What could not be told from inside a call down. */
static void on_task(struct task *task)
{
	struct dial *dial = container_of(task, struct dial, task);
	struct dial_attempt *attempt = dial->running;

	if (dial->phase == DIAL_CLOSING) {
		dial->events->closed(dial);
		return;
	}
	while (attempt != NULL && !attempt->stillborn) {
		attempt = attempt->next;
	}
	if (attempt != NULL) { /* else it was ended meanwhile */
		attempt_failed(attempt, dial->status);
	}
}

/* --- for the owner */

void dial_begin(struct dial *dial, struct connector *connector, const struct dial_events *events,
	uint64_t timeout_ms)
{
	*dial = (struct dial){
		.connector = connector,
		.events = events,
		.begun_us = loop_now_us(connector->loop),
		.budget_ms = timeout_ms,
		.query.answered = on_answered,
	};
	list_init(&dial->query.node);
	timer_init(&dial->timer, on_timer);
	task_init(&dial->task, on_task);
	if (!where(dial)->is_unix) {
		use_addresses(dial);
	}
	if (where(dial)->is_unix || dial->left > 0) {
		attempt_next(dial);
	} else {
		ask(dial);
	}
}

void dial_close(struct dial *dial)
{
	struct loop *loop = dial->connector->loop;

	assert(dial->phase != DIAL_CLOSING);
	loop_timer_stop(loop, &dial->timer);
	resolver_forget(&dial->query);
	task_cancel(&dial->task);
	dial->phase = DIAL_CLOSING;
	while (dial->parallel > 0) {
		end_attempt(dial->running);
	}
	if (dial->winner != NULL) {
		stream_close(&dial->winner->stream, on_attempt_closed);
	}
	if (dial->handles == 0) {
		loop_ready(loop, &dial->task);
	}
}

struct stream *dial_stream(struct dial *dial)
{
	return &dial->winner->stream;
}

struct dial *dial_of_stream(struct stream *stream)
{
	return attempt_of(stream)->dial;
}

uint64_t dial_remaining_ms(const struct dial *dial)
{
	uint64_t past_ms = loop_now_ms(dial->connector->loop) - dial->begun_us / 1000;

	if (dial->budget_ms == 0) {
		return UINT64_MAX;
	}
	return dial->budget_ms > past_ms ? dial->budget_ms - past_ms : 0;
}

void dial_blame(struct dial *dial)
{
	if (!where(dial)->is_unix) {
		resolver_blame(resolver_of(dial), dial->winner->generation, dial->winner->index);
	}
}
