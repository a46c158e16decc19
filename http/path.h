/*
 * Layer: http (sees base). One job: the normal form of a path, in which two spellings of one
 * resource are equal, and prefixes, which are matched against it. The bytes that go upstream are
 * never changed by it.
 */
#ifndef SIGHTGLASS_HTTP_PATH_H
#define SIGHTGLASS_HTTP_PATH_H

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"

/* True where path_normalise would give the same bytes: most paths are, and need no memory. */
bool path_is_normal(struct slice path);
/*
 * Puts `path` (no query) into normal form in `out`, which has room for path.len + 1 bytes (path.len
 * do where it begins with '/'): percent-encoded unreserved characters decoded, other escapes in
 * capitals, dot segments resolved and never above the root, doubled slashes folded. "%2F" stays
 * what it is, and so does a '%' that begins no escape. Returns the length. Where every '%' begins
 * an escape, a second time changes nothing.
 */
size_t path_normalise(struct slice path, char *out);

struct prefix {
	struct slice path; /* in normal form, without the '*'; without a '/' at its end unless open,
			      so "/" is "" */
	bool open;         /* ended in '*': covers any continuation, not whole segments only */
};

/*
 * From a setting: begins with '/', may end in '*', has no query. `normalised` is memory of at least
 * text.len bytes, in which the prefix then lies. False with a sentence in `err`.
 */
bool prefix_parse(struct slice text, char *normalised, struct prefix *prefix, struct err *err);
/* `normal_path` is in normal form. */
bool prefix_covers(const struct prefix *prefix, struct slice normal_path);

#endif
