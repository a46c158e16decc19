/*
 * Layer: inspector (sees base, http, pool, proxy). One job: healthz and readyz; see api_health.h.
 */
#include "inspector/api_health.h"

#include "base/memory.h"
#include "pool/pool.h"
#include "proxy/worker.h"

enum {
	PROBE_TIMEOUT_MS = 1000, /* what a kubelet waits by default */
};

static void answer_ok(struct answer *answer)
{
	answer_begin(answer, 200, ANSWER_DATA, 0);
	answer_send_lent(answer, SLICE("text/plain; charset=utf-8"), SLICE("ok\n"));
}

void api_healthz(const struct api_call *call)
{
	answer_ok(call->answer);
}

/* --- one attempt with every upstream; the first that works decides */

struct probe;

struct attempt {
	struct pool_waiter waiter;
	struct probe *probe;
};

struct probe {
	struct source source;
	struct answer *answer;
	uint32_t count;
	uint32_t failed;
	struct attempt attempts[]; /* one for each upstream that may be tried */
};

static struct probe *of_source(struct source *source)
{
	return container_of(source, struct probe, source);
}

static void stop(struct source *source)
{
	struct probe *probe = of_source(source);

	for (uint32_t i = 0; i < probe->count; i++) {
		pool_cancel(&probe->attempts[i].waiter);
	}
}

static void destroy(struct source *source)
{
	mem_free(of_source(source));
}

static const struct source_ops probe_ops = {
	.stop = stop,
	.destroy = destroy,
};

static void on_ready(struct pool_waiter *waiter, struct connection *connection)
{
	struct probe *probe = container_of(waiter, struct attempt, waiter)->probe;

	pool_return(connection, 0);
	stop(&probe->source);
	answer_ok(probe->answer);
}

static void on_failed(struct pool_waiter *waiter, const struct err *err)
{
	struct probe *probe = container_of(waiter, struct attempt, waiter)->probe;

	if (++probe->failed == probe->count) {
		answer_problem(probe->answer, 503, "no upstream can be reached: %s", err->text);
	}
}

static bool may_be_tried(struct pool *pool)
{
	uint64_t wait_ms;

	return upstream_breaker(pool_upstream(pool), &wait_ms) != BREAKER_OPEN;
}

static struct probe *probe_create(struct answer *answer, uint32_t count)
{
	struct probe *probe = mem_zalloc(sizeof(*probe) + count * sizeof(probe->attempts[0]));

	probe->source.ops = &probe_ops;
	probe->answer = answer;
	return probe;
}

/* The attempts do not ask the breaker to let them in: they are no requests, and a connection that
 * is opened says only that requests may be worth trying. */
static void probe_start(const struct api_call *call, struct pool **pools, uint32_t count)
{
	struct probe *probe = NULL;

	for (uint32_t i = 0; i < count; i++) {
		struct attempt *attempt;

		if (!may_be_tried(pools[i])) {
			continue;
		}
		if (probe == NULL) {
			probe = probe_create(call->answer, count);
			answer_wait(call->answer, &probe->source);
		}
		attempt = &probe->attempts[probe->count++];
		attempt->probe = probe;
		attempt->waiter.ready = on_ready;
		attempt->waiter.failed = on_failed;
		attempt->waiter.connect_timeout_ms = PROBE_TIMEOUT_MS;
		pool_waiter_init(&attempt->waiter);
		pool_acquire(pools[i], &attempt->waiter, true);
	}
	if (probe == NULL) {
		answer_problem(call->answer, 503,
			"no upstream can be reached: each has failed too often and is left alone");
	}
}

void api_readyz(const struct api_call *call)
{
	struct worker *worker = call->exchange->worker;
	uint32_t count = worker->settings->upstream_count;

	if (worker->draining) {
		answer_problem(call->answer, 503, "the process is draining");
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (upstream_reachable(pool_upstream(worker->pools[i]))) {
			answer_ok(call->answer);
			return;
		}
	}
	probe_start(call, worker->pools, count);
}
