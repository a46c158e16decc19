/*
 * Layer: base. One job: time. Monotonic microseconds inside the program, wall-clock time only at
 * its edges.
 */
#ifndef SIGHTGLASS_BASE_CLOCK_H
#define SIGHTGLASS_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum {
	CLOCK_RFC3339_SIZE = sizeof("2026-03-12T10:42:25.868123Z"),
	CLOCK_IMF_SIZE = sizeof("Thu, 12 Mar 2026 10:42:26 GMT"),
};

/* CLOCK_MONOTONIC in microseconds (vDSO: no system call). Any thread. */
uint64_t clock_now_us(void);
/* CLOCK_REALTIME in microseconds since the epoch. Any thread. */
uint64_t clock_wall_us(void);
/* RFC 3339, UTC, with microseconds. Returns the length written without the NUL. */
size_t clock_format_rfc3339(uint64_t wall_us, char out[static CLOCK_RFC3339_SIZE]);
/*
 * Reads a date and time of RFC 3339 section 5.6, of any offset, into seconds since the epoch; a
 * fraction is cut off, what is before the epoch is 0. False, with `*wall_s` left alone, where the
 * text is anything else.
 */
bool clock_parse_rfc3339(struct slice text, uint64_t *wall_s);
/*
 * The IMF-fixdate of RFC 9110 section 5.6.7, for Date. Returns the length written without the NUL.
 */
size_t clock_format_imf(uint64_t wall_us, char out[static CLOCK_IMF_SIZE]);

#endif
