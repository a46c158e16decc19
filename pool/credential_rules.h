/*
 * Layer: pool (sees base). One job: what follows from a credential and the time: how long a
 * connection may be kept, whether a request gets the credential, when the next one is fetched.
 * Functions of state and time, without I/O.
 *
 * A credential ends by the wall clock, everything else by the loop's. An end that was reckoned into
 * the loop's time does not follow when the wall clock is set or the machine sleeps; so ask
 * credential_life() anew before each request that is to carry one.
 */
#ifndef SIGHTGLASS_POOL_CREDENTIAL_RULES_H
#define SIGHTGLASS_POOL_CREDENTIAL_RULES_H

#include <stdbool.h>
#include <stdint.h>

#define CREDENTIAL_FOREVER UINT64_MAX
#define CREDENTIAL_EVERY_METHOD 0xffffu

enum {
	CREDENTIAL_RETRY_MIN_MS = 1000,
	CREDENTIAL_RETRY_MAX_MS = 5 * 60 * 1000,
};

/*
 * Until when, in the loop's milliseconds, a connection that is opened at `now_ms` may be lent: its
 * credential's end less the margin. `now_ms` itself where that leaves no time; CREDENTIAL_FOREVER
 * (which is IDLE_FOREVER) where the credential does not end.
 */
uint64_t credential_usable_until(
	uint64_t expires_s, uint64_t margin_ms, uint64_t now_wall_us, uint64_t now_ms);

enum credential_life {
	CREDENTIAL_LIVES,    /* a connection may be kept */
	CREDENTIAL_ENDS,     /* within the margin: one request a connection, which is closed then */
	CREDENTIAL_HAS_ENDED /* it is not sent any more */
};
enum credential_life credential_life(uint64_t expires_s, uint64_t margin_ms, uint64_t now_wall_us);

/* Which requests get the credential. */
struct credential_scope {
	/* `use_for`: a bit (1 << number) each. Which method has which number is the business of
	 * those who ask. */
	uint32_t methods;
	bool replaces; /* what the client itself put into that field */
};

bool credential_applies(unsigned method, const struct credential_scope *scope);
/*
 * Whether the credential's field goes into the request; `client_has_field` says that the client
 * sent one of that name. Its own is never overwritten unless the scope says so.
 */
bool credential_is_added(
	unsigned method, const struct credential_scope *scope, bool client_has_field);

/*
 * In how many milliseconds the next credential is fetched, for those that are fetched (a file is
 * watched instead). After `failures` in a row: 1 to 2 s, doubled by each further one, at most 5
 * minutes; `random` (of random_unique()) spreads it. Without a failure: when four fifths to nine
 * tenths of the time up to the margin have passed; within the margin, half of what is left; at
 * least a second. CREDENTIAL_FOREVER where it does not end.
 *
 * One that has ended already when it arrives counts as a failure. A failure takes nothing away: the
 * old credential is used to its end.
 */
uint64_t credential_refresh_in_ms(uint64_t expires_s, uint64_t margin_ms, uint64_t now_wall_us,
	unsigned failures, uint64_t random);

#endif
