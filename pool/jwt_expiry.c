/*
 * Layer: pool. One job: see jwt_expiry.h.
 */
#include "pool/jwt_expiry.h"

#include "base/base64.h"
#include "base/json_read.h"

static const double expiry_max = 253402300799.0; /* the end of the year 9999 */

/* The part between the two dots of header.payload.signature (RFC 7515 section 7.1). */
static bool find_payload(struct slice token, struct slice *payload)
{
	const char *first = slice_find(token, SLICE("."));
	struct slice rest;
	const char *second;

	if (first == NULL) {
		return false;
	}
	rest = slice_of(first + 1, token.len - (size_t)(first + 1 - token.ptr));
	second = slice_find(rest, SLICE("."));
	if (second == NULL) {
		return false;
	}
	*payload = slice_of(rest.ptr, (size_t)(second - rest.ptr));
	/* Five parts are a JWE, whose payload is encrypted. */
	return slice_find(slice_of(second + 1, rest.len - payload->len - 1), SLICE(".")) == NULL;
}

static uint64_t expiry_of(const json_t *claims)
{
	const json_t *value = json_object_get(claims, "exp");
	double seconds = json_number_value(value);

	if (!json_is_number(value)) {
		return 0;
	}
	if (seconds < 1) {
		return 1;
	}
	return (uint64_t)(seconds < expiry_max ? seconds : expiry_max);
}

uint64_t jwt_expiry(struct slice token)
{
	struct slice payload;
	struct secret text;
	uint64_t expiry = 0;
	json_t *claims;

	if (!find_payload(token, &payload) || payload.len > JWT_PAYLOAD_MAX / 3 * 4 + 2 ||
		!base64url_decode(payload, &text)) {
		return 0;
	}
	claims = json_read_object(secret_slice(&text), JWT_PAYLOAD_MAX, NULL);
	if (claims != NULL) {
		expiry = expiry_of(claims);
		json_decref(claims);
	}
	secret_fini(&text);
	return expiry;
}
