/*
 * Layer: inspector (sees base, http, proxy). One job: the filters of a list; see query.h.
 */
#include "inspector/query.h"

#include <string.h>

#include "inspector/parameters.h"

enum parameter { /* what each answer knows stands in one run: see `forms` */
	PARAMETER_LAST_EVENT_ID,
	PARAMETER_STATS,
	PARAMETER_METHOD,
	PARAMETER_MIN_DURATION_MS,
	PARAMETER_PATH,
	PARAMETER_POLLS,
	PARAMETER_Q,
	PARAMETER_ROUTE,
	PARAMETER_STATE,
	PARAMETER_STATUS,
	PARAMETER_AFTER,
	PARAMETER_BEFORE,
	PARAMETER_LIMIT,
	PARAMETER_BODY_LIMIT,
	PARAMETERS,
};

static const char *const names[PARAMETERS] = {
	[PARAMETER_AFTER] = "after",
	[PARAMETER_BEFORE] = "before",
	[PARAMETER_LIMIT] = "limit",
	[PARAMETER_METHOD] = "method",
	[PARAMETER_MIN_DURATION_MS] = "min_duration_ms",
	[PARAMETER_PATH] = "path",
	[PARAMETER_POLLS] = "polls",
	[PARAMETER_Q] = "q",
	[PARAMETER_ROUTE] = "route",
	[PARAMETER_STATE] = "state",
	[PARAMETER_STATUS] = "status",
	[PARAMETER_BODY_LIMIT] = "body_limit",
	[PARAMETER_LAST_EVENT_ID] = "last_event_id",
	[PARAMETER_STATS] = "stats",
};

static const struct form { /* which of them an answer knows */
	enum parameter first;
	enum parameter end;
} list_form = {PARAMETER_METHOD, PARAMETER_BODY_LIMIT}, whole_form = {PARAMETER_METHOD, PARAMETERS},
  events_form = {PARAMETER_LAST_EVENT_ID, PARAMETER_AFTER};

/* Each reads one parameter into the query; false where its value is none. */
typedef bool (*read_fn)(struct slice value, struct arena *arena, struct query *query);

static bool read_after(struct slice value, struct arena *arena, struct query *query)
{
	(void)arena;
	return slice_to_u64(value, UINT64_MAX, &query->after);
}

static bool read_before(struct slice value, struct arena *arena, struct query *query)
{
	(void)arena;
	return slice_to_u64(value, UINT64_MAX, &query->before);
}

static bool read_limit(struct slice value, struct arena *arena, struct query *query)
{
	uint64_t limit;

	(void)arena;
	if (!slice_to_u64(value, QUERY_LIMIT_MAX, &limit) || limit == 0) {
		return false;
	}
	query->limit = (uint32_t)limit;
	return true;
}

static bool read_method(struct slice value, struct arena *arena, struct query *query)
{
	(void)arena;
	query->method = value;
	return token_valid(value);
}

/* Milliseconds with at most three decimals. */
static bool read_min_duration(struct slice value, struct arena *arena, struct query *query)
{
	const char *point = value.len == 0 ? NULL : memchr(value.ptr, '.', value.len);
	size_t whole_len = point == NULL ? value.len : (size_t)(point - value.ptr);
	struct slice decimals = {.ptr = NULL, .len = 0};
	uint64_t ms;
	uint64_t us = 0;

	(void)arena;
	if (!slice_to_u64(slice_of(value.ptr, whole_len), UINT64_MAX / 2000, &ms)) {
		return false;
	}
	if (point != NULL) {
		decimals = slice_of(point + 1, value.len - whole_len - 1);
		if (decimals.len > 3 || !slice_to_u64(decimals, 999, &us)) {
			return false;
		}
		us *= decimals.len == 1 ? 100 : decimals.len == 2 ? 10 : 1;
	}
	query->min_duration_us = ms * 1000 + us;
	return true;
}

static bool read_path(struct slice value, struct arena *arena, struct query *query)
{
	(void)arena;
	query->path = value;
	query->path_is_glob = value.len > 0 && memchr(value.ptr, '*', value.len) != NULL;
	return true;
}

static bool read_flag(struct slice value, bool *flag)
{
	*flag = slice_equal(value, SLICE("1")) || slice_equal(value, SLICE("true"));
	return *flag || slice_equal(value, SLICE("0")) || slice_equal(value, SLICE("false"));
}

static bool read_polls(struct slice value, struct arena *arena, struct query *query)
{
	(void)arena;
	return read_flag(value, &query->polls);
}

static bool read_stats(struct slice value, struct arena *arena, struct query *query)
{
	bool wanted;
	bool valid = read_flag(value, &wanted);

	(void)arena;
	query->without_stats = !wanted;
	return valid;
}

/* Whether it is one of ours is seen when it is looked for. */
static bool read_last_event_id(struct slice value, struct arena *arena, struct query *query)
{
	(void)arena;
	query->last_event_id = value;
	return value.len > 0;
}

static bool read_text(struct slice value, struct arena *arena, struct query *query)
{
	char *lower;

	if (value.len > QUERY_TEXT_MAX) {
		return false;
	}
	lower = arena_alloc(arena, value.len + 1);
	if (lower == NULL) {
		return false;
	}
	for (size_t i = 0; i < value.len; i++) {
		lower[i] = ascii_lower(value.ptr[i]);
	}
	query->text = slice_of(lower, value.len);
	return true;
}

static bool read_route(struct slice value, struct arena *arena, struct query *query)
{
	(void)arena;
	query->route = value;
	return true;
}

static bool read_state(struct slice value, struct arena *arena, struct query *query)
{
	static const enum exchange_state states[] = {
		EXCHANGE_ACTIVE,
		EXCHANGE_COMPLETE,
		EXCHANGE_CLIENT_ABORTED,
		EXCHANGE_UPSTREAM_FAILED,
		EXCHANGE_TIMED_OUT,
		EXCHANGE_TUNNEL,
	};

	(void)arena;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (slice_equal(value, slice_str(exchange_state_name(states[i])))) {
			query->has_state = true;
			query->state = states[i];
			return true;
		}
	}
	return false;
}

/* "404", "5xx", ">=400", and ">", "<", "<=". Where no answer came there is a status only to "0". */
static bool read_status(struct slice value, struct arena *arena, struct query *query)
{
	uint64_t number;
	bool less = value.len > 0 && value.ptr[0] == '<';
	bool more = value.len > 0 && value.ptr[0] == '>';
	bool or_equal = (less || more) && value.len > 1 && value.ptr[1] == '=';
	size_t skip = (less || more ? 1u : 0u) + (or_equal ? 1u : 0u);

	(void)arena;
	if (value.len == 3 && slice_equal_nocase(slice_of(value.ptr + 1, 2), SLICE("xx"))) {
		if (value.ptr[0] < '1' || value.ptr[0] > '9') {
			return false;
		}
		query->status_min = (unsigned)(value.ptr[0] - '0') * 100;
		query->status_max = query->status_min + 99;
		return true;
	}
	if (!slice_to_u64(slice_of(value.ptr + skip, value.len - skip), 999, &number)) {
		return false;
	}
	query->status_min = more ? (unsigned)number + !or_equal : less ? 1 : (unsigned)number;
	query->status_max = more ? UINT16_MAX : (unsigned)number;
	if (less && !or_equal) {
		query->status_max = number > 0 ? (unsigned)number - 1 : 0;
	}
	return true;
}

static bool read_body_limit(struct slice value, struct arena *arena, struct query *query)
{
	(void)arena;
	return slice_to_u64(value, UINT64_MAX, &query->body_limit);
}

static const struct rule {
	read_fn read;
	const char *takes; /* for the sentence */
} rules[PARAMETERS] = {
	[PARAMETER_AFTER] = {read_after, "a seq"},
	[PARAMETER_BEFORE] = {read_before, "a seq"},
	[PARAMETER_LIMIT] = {read_limit, "a number from 1 to 1000"},
	[PARAMETER_METHOD] = {read_method, "a method such as POST"},
	[PARAMETER_MIN_DURATION_MS] = {read_min_duration, "milliseconds such as 250 or 0.5"},
	[PARAMETER_PATH] = {read_path, "a part of a path, or a pattern with '*'"},
	[PARAMETER_POLLS] = {read_polls, "1 or 0"},
	[PARAMETER_Q] = {read_text, "at most 1024 bytes of text"},
	[PARAMETER_ROUTE] = {read_route, "a route as the settings have it"},
	[PARAMETER_STATE] = {read_state,
		"active, complete, client_aborted, upstream_failed, timed_out or tunnel"},
	[PARAMETER_STATUS] = {read_status, "a status such as 404, 5xx or >=400"},
	[PARAMETER_BODY_LIMIT] = {read_body_limit, "a number of bytes"},
	[PARAMETER_LAST_EVENT_ID] = {read_last_event_id, "the id of an event"},
	[PARAMETER_STATS] = {read_stats, "1 or 0"},
};

static enum err_code parse(struct slice text, const struct form *form, struct arena *arena,
	struct query *query, struct err *err)
{
	struct slice values[PARAMETERS];
	enum err_code rc = parameters_parse(text, names + form->first,
		(size_t)(form->end - form->first), arena, values + form->first, err);

	if (rc != ERR_NONE) {
		return rc;
	}
	*query = (struct query){
		.limit = QUERY_LIMIT_DEFAULT,
		.before = UINT64_MAX,
		.status_max = UINT16_MAX,
		.body_limit = QUERY_BODY_LIMIT_DEFAULT,
	};
	for (size_t i = form->first; i < form->end; i++) {
		if (values[i].ptr != NULL && !rules[i].read(values[i], arena, query)) {
			return err_set(err, ERR_SYNTAX,
				"the parameter \"%s\" takes %s, not \"%.*s\"", names[i],
				rules[i].takes, SLICE_ARGS(values[i]));
		}
	}
	return ERR_NONE;
}

enum err_code query_parse(
	struct slice text, bool whole, struct arena *arena, struct query *query, struct err *err)
{
	return parse(text, whole ? &whole_form : &list_form, arena, query, err);
}

enum err_code query_parse_events(
	struct slice text, struct arena *arena, struct query *query, struct err *err)
{
	return parse(text, &events_form, arena, query, err);
}

/*
 * Takes what stands before the next '*' off `*rest`, and the '*' with it. False where there is
 * none.
 */
static bool next_piece(struct slice *rest, struct slice *piece)
{
	const char *star = rest->len == 0 ? NULL : memchr(rest->ptr, '*', rest->len);

	if (star == NULL) {
		return false;
	}
	*piece = slice_of(rest->ptr, (size_t)(star - rest->ptr));
	*rest = slice_of(star + 1, rest->len - piece->len - 1);
	return true;
}

/*
 * The first piece stands at the start, the last at the end, those between in their order: the
 * earliest place of each is as good as any.
 */
bool glob_matches(struct slice pattern, struct slice text)
{
	struct slice piece;

	if (!next_piece(&pattern, &piece)) {
		return slice_equal(pattern, text);
	}
	if (!slice_starts_with(text, piece)) {
		return false;
	}
	text = slice_of(text.ptr + piece.len, text.len - piece.len);
	while (next_piece(&pattern, &piece)) {
		const char *found = slice_find(text, piece);

		if (piece.len > 0) { /* "**" is "*" */
			if (found == NULL) {
				return false;
			}
			found += piece.len;
			text = slice_of(found, text.len - (size_t)(found - text.ptr));
		}
	}
	return slice_ends_with(text, pattern);
}

static bool path_matches(const struct query *query, struct slice path)
{
	if (query->path.len == 0) {
		return true;
	}
	return query->path_is_glob ? glob_matches(query->path, path)
				   : slice_find(path, query->path) != NULL;
}

bool query_matches(const struct query *query, const struct query_facts *facts)
{
	return (query->method.len == 0 || slice_equal_nocase(query->method, facts->method)) &&
	       facts->status >= query->status_min && facts->status <= query->status_max &&
	       (!query->has_state || query->state == facts->state) &&
	       facts->duration_us >= query->min_duration_us &&
	       (query->route.len == 0 || slice_equal(query->route, facts->route)) &&
	       path_matches(query, facts->path);
}
