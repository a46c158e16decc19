/*
 * Layer: base. One job: read base64 (RFC 4648). It is written by base/json.h.
 */
#ifndef SIGHTGLASS_BASE_BASE64_H
#define SIGHTGLASS_BASE_BASE64_H

#include "base/secret.h"

/*
 * Section 4: with padding; line breaks between characters are passed over. False, with no `out`,
 * where the text is anything else.
 */
bool base64_decode(struct slice text, struct secret *out);
/* Section 5, the URL's alphabet, without padding and without line breaks: as RFC 7515 has it. */
bool base64url_decode(struct slice text, struct secret *out);

/* Section 4, with padding, into a new `out`. */
void base64_encode(struct slice bytes, struct secret *out);

#endif
