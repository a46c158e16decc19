/*
 * Layer: pool (sees base). One job: until when a bearer token says that it is good. It verifies
 * nothing: the token is ours, and its issuer's word on its end is all that is asked for.
 */
#ifndef SIGHTGLASS_POOL_JWT_EXPIRY_H
#define SIGHTGLASS_POOL_JWT_EXPIRY_H

#include "base/slice.h"

enum {
	JWT_PAYLOAD_MAX = 16 * 1024,
};

/*
 * The `exp` of a JWT (RFC 7519 section 4.1.4) in whole seconds since the epoch, never 0: what is
 * before 1970 is 1. 0 where the token has no such number, or is no JWT.
 */
uint64_t jwt_expiry(struct slice token);

#endif
