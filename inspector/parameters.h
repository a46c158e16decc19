/*
 * Layer: inspector (sees base). One job: take the query of an inspector's URL apart:
 * name=value&name=value with percent-encoding and '+' for the space, as browsers send forms. A name
 * that is not known is refused and told with the nearest known one, so that a misspelt filter never
 * answers with everything.
 */
#ifndef SIGHTGLASS_INSPECTOR_PARAMETERS_H
#define SIGHTGLASS_INSPECTOR_PARAMETERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/*
 * Decodes `text` into `out`, which has room for text.len bytes; `plus` says that '+' is a space.
 * Returns the length, or SIZE_MAX where an escape is broken.
 */
size_t percent_decode(struct slice text, bool plus, char *out);

/*
 * Fills `values[i]` with the decoded value of the parameter `names[i]`, `count` of them; a NULL
 * pointer where it is absent. Values live as long as the arena. 0; ERR_SYNTAX (with a sentence) for
 * an unknown name, one given twice, or a broken escape; ERR_LIMIT (arena).
 */
enum err_code parameters_parse(struct slice query, const char *const *names, size_t count,
	struct arena *arena, struct slice *values, struct err *err);

/*
 * Takes the parameter `name` out of a query: `rest`, which has room for query.len bytes, gets the
 * others as they were written. True where it was there; `*value` is then the first one's, as it was
 * written.
 */
bool parameters_take(
	struct slice query, struct slice name, char *rest, size_t *rest_len, struct slice *value);

#endif
