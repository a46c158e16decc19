/*
 * For tests of what is coded: makes it, with the same libraries that others use.
 */
#ifndef SIGHTGLASS_TESTS_COMPRESS_H
#define SIGHTGLASS_TESTS_COMPRESS_H

#include "base/buffer.h"
#include "base/slice.h"

/* Appends `text` in a coding: "gzip", "deflate", "raw" (deflate without a header), "br", "zstd". */
void compress_as(const char *coding, struct slice text, struct buffer *out);

#endif
