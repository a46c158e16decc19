/*
 * Layer: inspector. One job: moments that somebody has named, with what was counted until then, so
 * that what passed before and after a change can be compared.
 *
 * A mark ends a period, which began at the mark before it, or with the first one at the process's
 * start; the period "now" began at the last mark. Any thread.
 */
#ifndef SIGHTGLASS_INSPECTOR_MARKS_H
#define SIGHTGLASS_INSPECTOR_MARKS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "inspector/path_statistics.h"

enum {
	MARKS_MAX = 16,
	MARK_NAME_MAX = 64, /* bytes */
};

#define MARK_NOW "now" /* no mark's name */

struct marks; /* opaque; one for the process */

/* `statistics` outlives it; `started_wall_us`: when the process began. Never NULL. */
struct marks *marks_create(const struct path_statistics *statistics, uint64_t started_wall_us);
/* NULL is harmless. */
void marks_destroy(struct marks *marks);
uint64_t marks_memory_max(void);

struct mark_facts {
	char name[MARK_NAME_MAX + 1];
	uint64_t wall_us;
	uint64_t count; /* requests that had ended by then, since the start */
};

/* Marks this moment; a mark of that name is moved here. 0 with its facts; ERR_SYNTAX for a name
 * that none may have, ERR_LIMIT where there are MARKS_MAX others, both with a sentence. */
enum err_code marks_set(
	struct marks *marks, struct slice name, struct mark_facts *facts, struct err *err);
/* Copies the facts of all, the oldest first; returns how many. */
size_t marks_list(struct marks *marks, struct mark_facts out[static MARKS_MAX]);
void marks_clear(struct marks *marks);

struct mark_period {
	char name[MARK_NAME_MAX + 1]; /* of the mark that ends it; MARK_NOW */
	uint64_t begin_wall_us;
	uint64_t end_wall_us;
	struct path_counts counts[PATHS]; /* of what ended within it */
};

/* The period that ends at that mark, or at MARK_NOW. 0, or ERR_NOT_FOUND where there is none. */
enum err_code marks_period(
	struct marks *marks, struct slice name, struct mark_period *out, struct err *err);

#endif
