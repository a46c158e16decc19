/*
 * Layer: pool. One job: count what happens in a pool, where the upstream's counters find it.
 */
#include "base/tls.h"
#include "pool/pool_state.h"
#include "pool/upstream_shared.h"

void pool_count_failure(struct pool *pool, enum failure why)
{
	if (why != FAILURE_NONE) {
		tally_failed(&pool->tally, why);
	}
	if (why != FAILURE_NONE && why != FAILURE_BREAKER_OPEN) {
		upstream_note_failure(pool->connector.upstream, why);
	}
}

void pool_count_opened(struct pool *pool, struct connection *connection)
{
	const struct tls *tls = stream_tls(connection_stream(connection));

	tally_add(&pool->tally, TALLY_OPENED);
	minute_add(&pool->tally.opened, loop_now_ms(pool->connector.loop) / 1000);
	if (tls != NULL) {
		tally_add(&pool->tally, TALLY_HANDSHAKES);
		if (tls_resumed(tls)) {
			tally_add(&pool->tally, TALLY_RESUMED);
		}
		upstream_secured(pool->connector.upstream, tls_version_text(tls));
	}
}

void pool_count_wait(struct pool *pool, const struct pool_waiter *waiter)
{
	if (waiter->phase == POOL_WAITER_QUEUED) {
		tally_queued(&pool->tally, loop_now_us(pool->connector.loop) - waiter->queued_us);
	}
}
