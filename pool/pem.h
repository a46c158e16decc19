/*
 * Layer: pool (sees base). One job: whether a text holds PEM of the kind that is wanted, so that a
 * mistake is told where it was made. Whether the content is good is for TLS to say.
 */
#ifndef SIGHTGLASS_POOL_PEM_H
#define SIGHTGLASS_POOL_PEM_H

#include "base/slice.h"

enum pem_kind {
	PEM_CERTIFICATE,
	PEM_PRIVATE_KEY,
};

/* True where a block of that kind begins somewhere (RFC 7468 section 2). */
bool pem_holds(struct slice text, enum pem_kind kind);
/* "certificate", "private key" */
const char *pem_kind_name(enum pem_kind kind);

#endif
