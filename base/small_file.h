/*
 * Layer: base. One job: read a whole small file that may hold secrets: bounded, never waiting, and
 * with no copy left in a stream's buffer.
 */
#ifndef SIGHTGLASS_BASE_SMALL_FILE_H
#define SIGHTGLASS_BASE_SMALL_FILE_H

#include "base/err.h"
#include "base/secret.h"

enum {
	SMALL_FILE_NAME_SIZE = 100,
};

/*
 * All of `path`, at most `max` bytes, into a new `out`. 0, or ERR_SETTINGS with a sentence that
 * names the file and what is wrong with it, never a byte of its content; the caller adds what would
 * be right. A directory, a pipe or a device is no file: it could not be read a second time.
 */
enum err_code small_file_read(const char *path, size_t max, struct secret *out, struct err *err);

/* `path` as it stands in a sentence: its end where it is long, what is not printable as '?'.
 * Returns `out`. */
const char *small_file_name(const char *path, char out[static SMALL_FILE_NAME_SIZE]);

#endif
