/*
 * Layer: http (sees base). One job: find where a name, a value or a target ends, sixteen bytes at a
 * time: a head is mostly such runs. What each run may hold is decided here, and nothing behind
 * `len` is read.
 */
#ifndef SIGHTGLASS_HTTP_SCAN_H
#define SIGHTGLASS_HTTP_SCAN_H

#include <stddef.h>

/* Each returns the first place from `at` on whose byte does not belong to the run, or `len`. */

/* A token: tchars (RFC 9110 section 5.6.2). */
size_t scan_token(const char *bytes, size_t at, size_t len);
/*
 * A field's value or a reason phrase: HTAB, SP, VCHAR and obs-text (RFC 9110 section 5.5): all but
 * control bytes.
 */
size_t scan_value(const char *bytes, size_t at, size_t len);
/*
 * A request target: visible ASCII, which is more than a URI may hold and less than what could be
 * read in two ways.
 */
size_t scan_target(const char *bytes, size_t at, size_t len);

#endif
