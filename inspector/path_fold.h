/*
 * Layer: inspector (sees base). One job: the form that paths of one kind share: what identifies one
 * thing among many is folded, so that /api/jobs/17 and /api/jobs/18 are /api/jobs/{id}. A function
 * of the path alone.
 *
 * Folded are segments that are numbers (also 2024-01-31, 10.0.0.1), UUIDs, ULIDs, longer than any
 * word, or that hold a run of letters and digits that is no word: hexadecimal of 8 or more, or one
 * that goes to and fro between letters and digits. What could be a word stays.
 */
#ifndef SIGHTGLASS_INSPECTOR_PATH_FOLD_H
#define SIGHTGLASS_INSPECTOR_PATH_FOLD_H

#include <stddef.h>

#include "base/slice.h"

enum {
	PATH_FOLD_MAX = 128, /* bytes of a folded path */
};

#define PATH_FOLD_ID "{id}"
#define PATH_FOLD_REST                                                                             \
	"/\xe2\x80\xa6" /* an ellipsis: further segments, for which there was no room */

/* Folds `path` (in normal form, without query) into `out`. Returns the length. */
size_t path_fold(struct slice path, char out[static PATH_FOLD_MAX]);

#endif
