/*
 * Layer: demo. One job: see route.h.
 */
#include "demo/route.h"

#include "demo/answers/kinds.h"

/* The first that matches answers. */
const struct demo_route demo_routes[DEMO_ROUTES] = {
	{METHOD_GET, "/api/monitor/aks", &demo_cluster_state},
	{METHOD_GET, "/api/blast/jobs", &demo_job_list},
	{METHOD_POST, "/api/blast/jobs", &demo_job_submit},
	{METHOD_GET, "/api/blast/jobs/", &demo_job_get},
	{METHOD_DELETE, "/api/blast/jobs/", &demo_job_delete},
	{METHOD_GET, "/api/me", &demo_me},
	{METHOD_GET, "/api/clusters/", &demo_cluster_get},
	{METHOD_GET, "/api/reports", &demo_reports},
	{METHOD_GET, "/api/forecast", &demo_reports},
	{METHOD_GET, "/api/billing/summary", &demo_billing},
	{METHOD_GET, "/api/legacy/export", &demo_export},
	{METHOD_GET, "/api/legacy/archive", &demo_archive},
	{METHOD_GET, "/api/events", &demo_event_stream},
	{METHOD_GET, "/api/console", &demo_console},
	{METHOD_GET, "/api/download/20MiB", &demo_download},
	{METHOD_POST, "/api/upload", &demo_upload},
	{METHOD_PUT, "/api/upload", &demo_upload},
	{METHOD_GET, "/api/_counters", &demo_counters_get},
	{METHOD_GET, "/", &demo_file},
};

static bool matches(const struct demo_route *route, struct slice path, struct slice *rest)
{
	struct slice own = slice_str(route->path);
	struct slice tail;

	if (own.ptr[own.len - 1] != '/') {
		*rest = slice_of(NULL, 0);
		return slice_equal(path, own);
	}
	if (!slice_starts_with(path, own)) {
		return false;
	}
	tail = slice_of(path.ptr + own.len, path.len - own.len);
	if (tail.len > 0 && memchr(tail.ptr, '/', tail.len) != NULL) {
		return false;
	}
	*rest = tail;
	return true;
}

const struct demo_route *demo_route_find(enum method method, struct slice path, struct slice *rest)
{
	for (unsigned i = 0; i < DEMO_ROUTES; i++) {
		enum method own = (enum method)demo_routes[i].method;

		if ((own == method || (own == METHOD_GET && method == METHOD_HEAD)) &&
			matches(&demo_routes[i], path, rest)) {
			return &demo_routes[i];
		}
	}
	return NULL;
}

static const char *method_text(const struct demo_route *route)
{
	switch ((enum method)route->method) {
	case METHOD_POST:
		return "POST";
	case METHOD_PUT:
		return "PUT";
	case METHOD_DELETE:
		return "DELETE";
	default:
		return "GET";
	}
}

void demo_route_allowed(struct slice path, struct buffer *out)
{
	struct slice rest;
	const char *separator = "";

	for (unsigned i = 0; i < DEMO_ROUTES; i++) {
		if (matches(&demo_routes[i], path, &rest)) {
			buffer_printf(out, "%s%s%s", separator, method_text(&demo_routes[i]),
				demo_routes[i].method == METHOD_GET ? ", HEAD" : "");
			separator = ", ";
		}
	}
}

void demo_route_name(const struct demo_route *route, struct buffer *out)
{
	struct slice path = slice_str(route->path);

	buffer_printf(out, "%s %.*s", method_text(route), SLICE_ARGS(path));
	if (path.len > 1 && path.ptr[path.len - 1] == '/') {
		buffer_append_str(out, "{id}");
	}
}
