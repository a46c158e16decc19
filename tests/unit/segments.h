/*
 * For tests of streams: in how many segments TCP data came. In a file of its own, for the header
 * that tells of it does not go together with the C library's.
 */
#ifndef SIGHTGLASS_TESTS_SEGMENTS_H
#define SIGHTGLASS_TESTS_SEGMENTS_H

#include <stdbool.h>
#include <stdint.h>

/* Segments with data that this connected socket has received so far. False where the system does
 * not tell. */
bool segments_received(int socket, uint32_t *count);

#endif
