/*
 * A temporary directory and files in it, for tests of what reads files.
 */
#ifndef SIGHTGLASS_TESTS_UNIT_TEMPORARY_H
#define SIGHTGLASS_TESTS_UNIT_TEMPORARY_H

#include "base/slice.h"

enum {
	TEMPORARY_PATH_SIZE = 128,
	TEMPORARY_FILES_MAX = 32,
};

struct temporary {
	char directory[TEMPORARY_PATH_SIZE];
	char names[TEMPORARY_FILES_MAX][TEMPORARY_PATH_SIZE]; /* in the order of their making */
	size_t count;
};

void temporary_init(struct temporary *temporary);
/* Removes it with all that was made in it. */
void temporary_fini(struct temporary *temporary);

/* "DIRECTORY/name"; the text lives in `out`, which is returned. */
const char *temporary_path(
	const struct temporary *temporary, const char *name, char out[static TEMPORARY_PATH_SIZE]);
/* Writes a file, over what was there; a '/' in `name` makes the folder before it. */
void temporary_write(struct temporary *temporary, const char *name, struct slice bytes);

#endif
