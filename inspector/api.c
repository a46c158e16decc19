/*
 * Layer: inspector (sees base, http, proxy). One job: the inspector's resources and the way to
 * them; see api.h.
 */
#include "inspector/api.h"

#include <assert.h>
#include <stdio.h>

#include "inspector/api_capture.h"
#include "inspector/api_compare.h"
#include "inspector/api_config.h"
#include "inspector/api_events.h"
#include "inspector/api_health.h"
#include "inspector/api_marks.h"
#include "inspector/api_record.h"
#include "inspector/api_replay.h"
#include "inspector/api_requests.h"
#include "inspector/api_routes.h"
#include "inspector/api_summary.h"
#include "inspector/api_upstreams.h"
#include "inspector/metrics.h"
#include "inspector/panel.h"
#include "inspector/parameters.h"

typedef void (*api_handler)(const struct api_call *call);

static void get_root(const struct api_call *call)
{
	if (panel_is_wanted(call->exchange)) {
		panel_page(call);
	} else {
		api_requests_list_whole(call);
	}
}

/* Methods that are not named mean nothing there; HEAD is GET. */
static const struct resource {
	const char *path; /* below the prefix; '*' stands for one segment */
	api_handler get;
	api_handler post;
	api_handler remove; /* DELETE */
	bool is_open;       /* needs neither token nor a known Host */
	bool is_admin;      /* also on admin listeners */
} resources[] = {
	{.path = "/", .get = get_root},
	{.path = "/panel/*", .get = panel_asset},
	{.path = "/api/requests", .get = api_requests_list, .remove = api_requests_clear},
	{.path = "/api/requests/*", .get = api_record},
	{.path = "/api/requests/*/request-body", .get = api_request_body},
	{.path = "/api/requests/*/response-body", .get = api_response_body},
	{.path = "/api/requests/*/curl", .get = api_record_curl},
	{.path = "/api/requests/*/replay", .post = api_replay},
	{.path = "/api/har", .get = api_requests_har},
	{.path = "/api/events", .get = api_events},
	{.path = "/api/upstreams", .get = api_upstreams},
	{.path = "/api/summary", .get = api_summary},
	{.path = "/api/routes", .get = api_routes},
	{.path = "/api/marks",
		.get = api_marks_list,
		.post = api_marks_set,
		.remove = api_marks_clear},
	{.path = "/api/compare", .get = api_compare},
	{.path = "/api/capture", .get = api_capture, .post = api_capture_set},
	{.path = "/api/config", .get = api_config},
	{.path = "/metrics", .get = metrics_answer, .is_admin = true},
	{.path = "/healthz", .get = api_healthz, .is_open = true, .is_admin = true},
	{.path = "/readyz", .get = api_readyz, .is_open = true, .is_admin = true},
};

/* Takes the next segment, without its '/', off `*path`. */
static bool next_segment(struct slice *path, struct slice *segment)
{
	const char *end;

	if (path->len == 0) {
		return false;
	}
	assert(path->ptr[0] == '/');
	*path = slice_of(path->ptr + 1, path->len - 1);
	end = path->len == 0 ? NULL : memchr(path->ptr, '/', path->len);
	*segment = slice_of(path->ptr, end == NULL ? path->len : (size_t)(end - path->ptr));
	*path = slice_of(path->ptr + segment->len, path->len - segment->len);
	return true;
}

static bool path_fits(struct slice pattern, struct slice path, struct slice *argument)
{
	struct slice wanted;
	struct slice segment;

	while (next_segment(&pattern, &wanted)) {
		if (!next_segment(&path, &segment)) {
			return false;
		}
		if (slice_equal(wanted, SLICE("*")) && segment.len > 0) {
			*argument = segment;
		} else if (!slice_equal(wanted, segment)) {
			return false;
		}
	}
	return path.len == 0;
}

static const struct resource *find_resource(struct slice path, struct slice *argument)
{
	for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++) {
		if (path_fits(slice_str(resources[i].path), path, argument)) {
			return &resources[i];
		}
	}
	return NULL;
}

/* --- who may look */

static void refuse_token(struct answer *answer, bool wrong)
{
	answer_begin_problem(answer, 401);
	answer_field(answer, SLICE("WWW-Authenticate"),
		wrong ? SLICE("Bearer realm=\"sightglass\", error=\"invalid_token\"")
		      : SLICE("Bearer realm=\"sightglass\""));
	answer_send_problem(answer, 401, "%s",
		wrong ? "the token is not the inspector's"
		      : "the inspector needs its token here: as \"Authorization: Bearer\" or as "
			"\"?token=\"; it is the configured one, or the one printed at the start");
}

static void refuse(struct answer *answer, enum access access)
{
	switch (access) {
	case ACCESS_FOREIGN_HOST:
		answer_problem(answer, 403,
			"the Host is neither localhost nor a loopback address nor one of "
			"inspector.allow_hosts; under it the inspector answers with its token "
			"only");
		break;
	case ACCESS_FOREIGN_PAGE:
		answer_problem(answer, 403,
			"a request that changes something needs an Origin or a Sec-Fetch-Site of "
			"the same origin, or the token as \"Authorization: Bearer\"");
		break;
	case ACCESS_FOREIGN_READER:
		answer_problem(answer, 403,
			"a page of another origin asks, which is none of inspector.allow_origins");
		break;
	case ACCESS_TOKEN_MISSING:
	case ACCESS_TOKEN_WRONG:
		refuse_token(answer, access == ACCESS_TOKEN_WRONG);
		break;
	case ACCESS_GRANTED:
		break;
	}
}

/* --- redirects */

/*
 * The same URL with that path and query. The path is the normal form: it begins with exactly one
 * '/', so that no browser takes it for another host.
 */
static void redirect(struct answer *answer, struct slice path, struct slice query)
{
	struct arena *arena = &answer_exchange(answer)->arena;
	size_t len = path.len + (query.len > 0 ? 1 + query.len : 0);
	char *location = arena_alloc(arena, len);

	if (location == NULL) {
		answer_field(answer, SLICE("Location"), path);
	} else {
		memcpy(location, path.ptr, path.len);
		if (query.len > 0) {
			location[path.len] = '?';
			memcpy(location + path.len + 1, query.ptr, query.len);
		}
		answer_field(answer, SLICE("Location"), slice_of(location, len));
	}
	answer_send_empty(answer);
}

/* Puts the token, where it is the right one, into a cookie, and away from the address bar. */
static void take_token(const struct api *api, struct answer *answer, struct slice query, bool right)
{
	const struct exchange *exchange = answer_exchange(answer);

	answer_begin(answer, 307, ANSWER_DATA, exchange->target.normal.len + query.len + 1);
	if (right) {
		const struct token_cookie *made = token_cookie(api->access.token);
		struct buffer cookie = BUFFER_INIT;

		buffer_printf(&cookie, "%s=%s; Path=%.*s; HttpOnly; SameSite=Strict%s", made->name,
			made->value, SLICE_ARGS(api->prefix),
			strcmp(exchange->scheme, "https") == 0 ? "; Secure" : "");
		answer_field(answer, SLICE("Set-Cookie"), buffer_slice(&cookie));
		buffer_fini(&cookie);
	}
	redirect(answer, exchange->target.normal, query);
}

/* "/_inspector" is "/_inspector/" to a browser, which finds the panel's files by the latter. */
static void add_slash(struct answer *answer, struct slice prefix, struct slice query)
{
	struct exchange *exchange = answer_exchange(answer);
	char *path = arena_alloc(&exchange->arena, prefix.len + 1);

	if (path == NULL) {
		answer_problem(answer, 503, "the request leaves no room for its answer");
		return;
	}
	memcpy(path, prefix.ptr, prefix.len);
	path[prefix.len] = '/';
	answer_begin(answer, 307, ANSWER_DATA, prefix.len + query.len + 2);
	answer_field(answer, SLICE("Vary"), SLICE("Accept"));
	redirect(answer, slice_of(path, prefix.len + 1), query);
}

/* --- the way */

static api_handler handler_of(const struct resource *resource, enum method method)
{
	switch (method) {
	case METHOD_GET:
	case METHOD_HEAD:
		return resource->get;
	case METHOD_POST:
		return resource->post;
	case METHOD_DELETE:
		return resource->remove;
	default:
		return NULL;
	}
}

static void refuse_method(const struct resource *resource, const struct api_call *call)
{
	char allowed[64];
	int len = snprintf(allowed, sizeof(allowed), "%s%s%s",
		resource->get == NULL ? "" : ", GET, HEAD", resource->post == NULL ? "" : ", POST",
		resource->remove == NULL ? "" : ", DELETE");

	answer_begin_problem(call->answer, 405);
	answer_field(call->answer, SLICE("Allow"), slice_of(allowed + 2, (size_t)len - 2));
	answer_send_problem(call->answer, 405, "%.*s means nothing here",
		SLICE_ARGS(call->exchange->request.method_name));
}

static void call_resource(const struct resource *resource, const struct api_call *call)
{
	api_handler handler = handler_of(resource, (enum method)call->exchange->request.method);

	if (handler == NULL) {
		refuse_method(resource, call);
	} else {
		handler(call);
	}
}

/* The query without `token`, and the token, decoded; false where there is none. */
static bool split_token(struct exchange *exchange, struct slice *query, struct slice *token)
{
	struct slice written = exchange->target.query;
	struct slice value;
	char *rest;
	size_t len;
	bool found;

	*token = slice_of(NULL, 0);
	*query = written;
	if (written.len == 0) {
		return false;
	}
	rest = arena_alloc(&exchange->arena, written.len);
	if (rest == NULL) {
		return false; /* no token, and no room for an answer that needs one */
	}
	found = parameters_take(written, SLICE("token"), rest, &len, &value);
	*query = slice_of(rest, len);
	if (found) {
		char *decoded = arena_alloc(&exchange->arena, value.len + 1);

		if (decoded != NULL) {
			len = percent_decode(value, true, decoded);
			*token = slice_of(decoded, len == SIZE_MAX ? 0 : len);
		}
	}
	return found;
}

/*
 * A browser asks whether a page of another origin may read with fields of its own, such as
 * Authorization (Fetch, section 4.8). It sends no credentials with the question. Whether that
 * origin may, is in the fields that every answer has.
 */
static bool is_preflight(const struct exchange *exchange)
{
	const struct head *head = &exchange->request;

	return head->method == METHOD_OPTIONS && head_find(head, FIELD_ORIGIN) != NULL &&
	       head_find_name(head, SLICE("Access-Control-Request-Method")) != NULL;
}

static void allow_reading(struct answer *answer)
{
	answer_begin(answer, 204, ANSWER_DATA, 0);
	answer_field(answer, SLICE("Access-Control-Allow-Methods"), SLICE("GET, HEAD"));
	answer_field(answer, SLICE("Access-Control-Allow-Headers"),
		SLICE("Authorization, Last-Event-ID"));
	answer_field(answer, SLICE("Access-Control-Max-Age"), SLICE("600"));
	answer_send_empty(answer);
}

void api_answer(const struct api *api, struct answer *answer)
{
	struct exchange *exchange = answer_exchange(answer);
	struct slice normal = exchange->target.normal;
	struct slice path = slice_of(normal.ptr + api->prefix.len, normal.len - api->prefix.len);
	struct api_call call = {.api = api, .answer = answer, .exchange = exchange};
	const struct resource *resource =
		find_resource(path.len == 0 ? SLICE("/") : path, &call.argument);
	struct access_request request = {
		.head = &exchange->request,
		.scheme = exchange->scheme,
		.host = exchange->host,
		.local_listener = exchange->over_loopback,
	};
	enum access access;

	answer_share(answer, access_allowed_origin(&api->access, &exchange->request),
		api->frame_ancestors);
	if (is_preflight(exchange)) {
		allow_reading(answer);
		return;
	}
	request.has_query_token = split_token(exchange, &call.query, &request.query_token);
	if (resource != NULL && resource->is_open) {
		call_resource(resource, &call);
		return;
	}
	access = access_check(&api->access, &request);
	if (access != ACCESS_GRANTED) {
		refuse(answer, access);
	} else if (request.has_query_token) {
		take_token(api, answer, call.query,
			token_equal(api->access.token, request.query_token));
	} else if (resource == NULL) {
		answer_problem(
			answer, 404, "the inspector has nothing at \"%.*s\"", SLICE_ARGS(path));
	} else if (path.len == 0 && panel_is_wanted(exchange)) {
		add_slash(answer, api->prefix, call.query);
	} else {
		call_resource(resource, &call);
	}
}

void api_answer_admin(const struct api *api, struct answer *answer)
{
	struct exchange *exchange = answer_exchange(answer);
	struct api_call call = {.api = api, .answer = answer, .exchange = exchange};
	const struct resource *resource = find_resource(exchange->target.normal, &call.argument);

	if (resource == NULL || !resource->is_admin) {
		answer_problem(
			answer, 404, "this listener answers /metrics, /healthz and /readyz alone");
		return;
	}
	call.query = exchange->target.query;
	call_resource(resource, &call);
}
