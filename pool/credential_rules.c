/*
 * Layer: pool. One job: see credential_rules.h.
 */
#include "pool/credential_rules.h"

/* Milliseconds up to the end less the margin: 0 where that has passed. */
static uint64_t left_ms(uint64_t expires_s, uint64_t margin_ms, uint64_t now_wall_us)
{
	uint64_t expires_ms =
		expires_s < CREDENTIAL_FOREVER / 1000 ? expires_s * 1000 : CREDENTIAL_FOREVER;
	uint64_t now_wall_ms = now_wall_us / 1000 + (now_wall_us % 1000 != 0 ? 1 : 0);

	if (expires_s == 0) {
		return CREDENTIAL_FOREVER;
	}
	if (expires_ms <= now_wall_ms || expires_ms - now_wall_ms <= margin_ms) {
		return 0;
	}
	return expires_ms - now_wall_ms - margin_ms;
}

uint64_t credential_usable_until(
	uint64_t expires_s, uint64_t margin_ms, uint64_t now_wall_us, uint64_t now_ms)
{
	uint64_t left = left_ms(expires_s, margin_ms, now_wall_us);

	return left < CREDENTIAL_FOREVER - now_ms ? now_ms + left : CREDENTIAL_FOREVER;
}

enum credential_life credential_life(uint64_t expires_s, uint64_t margin_ms, uint64_t now_wall_us)
{
	if (left_ms(expires_s, 0, now_wall_us) == 0) {
		return CREDENTIAL_HAS_ENDED;
	}
	return left_ms(expires_s, margin_ms, now_wall_us) == 0 ? CREDENTIAL_ENDS : CREDENTIAL_LIVES;
}

bool credential_applies(unsigned method, const struct credential_scope *scope)
{
	return (scope->methods >> method & 1) != 0;
}

bool credential_is_added(
	unsigned method, const struct credential_scope *scope, bool client_has_field)
{
	return credential_applies(method, scope) && (scope->replaces || !client_has_field);
}

/* Spread from half of the longest to all of it, so that many do not come at once. */
static uint64_t backoff_ms(unsigned failures, uint64_t random)
{
	uint64_t longest = UINT64_C(2) * CREDENTIAL_RETRY_MIN_MS;

	for (unsigned i = 1; i < failures && longest < CREDENTIAL_RETRY_MAX_MS; i++) {
		longest *= 2;
	}
	if (longest > CREDENTIAL_RETRY_MAX_MS) {
		longest = CREDENTIAL_RETRY_MAX_MS;
	}
	return longest - random % (longest / 2 + 1);
}

uint64_t credential_refresh_in_ms(uint64_t expires_s, uint64_t margin_ms, uint64_t now_wall_us,
	unsigned failures, uint64_t random)
{
	uint64_t left = left_ms(expires_s, margin_ms, now_wall_us);
	uint64_t delay;

	if (failures > 0) {
		return backoff_ms(failures, random);
	}
	if (left == CREDENTIAL_FOREVER) {
		return CREDENTIAL_FOREVER;
	}
	if (left > 0) {
		delay = left - left / 10 - random % (left / 10 + 1);
	} else {
		delay = left_ms(expires_s, 0, now_wall_us) / 2;
	}
	return delay < CREDENTIAL_RETRY_MIN_MS ? CREDENTIAL_RETRY_MIN_MS : delay;
}
