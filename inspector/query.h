/*
 * Layer: inspector (sees base, http, proxy). One job: the filters of a list (INTERFACE section 4,
 * `GET api/requests`): read from the URL, and asked of the facts of one exchange. What needs a look
 * into headers and bodies is inspector/search.h's.
 */
#ifndef SIGHTGLASS_INSPECTOR_QUERY_H
#define SIGHTGLASS_INSPECTOR_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "proxy/exchange.h"

enum {
	QUERY_LIMIT_DEFAULT = 100,
	QUERY_LIMIT_MAX = 1000,
	QUERY_BODY_LIMIT_DEFAULT = 4096,
	QUERY_TEXT_MAX = 1024, /* of `q` */
};

struct query {
	uint32_t limit;
	uint64_t before; /* seq below it */
	uint64_t after;  /* seq above it */
	bool polls;      /* the poll log's rows too */
	uint64_t body_limit;

	/* Filters; an empty slice, a false flag or 0 lets all pass. */
	struct slice method;
	unsigned status_min; /* both ends count; 0 is the status where no answer came */
	unsigned status_max;
	struct slice path;
	bool path_is_glob; /* else a substring */
	bool has_state;
	enum exchange_state state;
	struct slice route;
	uint64_t min_duration_us;
	struct slice text; /* `q`, in lower case */

	/* of a stream of events alone */
	struct slice last_event_id;
	bool without_stats;
};

/* The facts of an exchange or of a poll row, as they may be shown. */
struct query_facts {
	struct slice method;
	struct slice path; /* redacted */
	struct slice route;
	unsigned status;
	enum exchange_state state;
	uint64_t duration_us; /* of one that runs: so far */
};

/*
 * `whole` says that the list is one of whole records: then `body_limit` is known too. Slices live
 * as long as the arena. 0; ERR_SYNTAX with a sentence that names the parameter; ERR_LIMIT.
 */
enum err_code query_parse(
	struct slice text, bool whole, struct arena *arena, struct query *query, struct err *err);

/* The same of a stream of events: the filters and `polls`, `last_event_id`, and `stats`. */
enum err_code query_parse_events(
	struct slice text, struct arena *arena, struct query *query, struct err *err);

/* All filters but `text`. */
bool query_matches(const struct query *query, const struct query_facts *facts);

/*
 * '*' stands for any run of characters, also an empty one and one with '/' in it; the whole text
 * must match. Linear in both.
 */
bool glob_matches(struct slice pattern, struct slice text);

#endif
