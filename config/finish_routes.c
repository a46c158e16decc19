/*
 * Layer: config. One job: routes, from the draft into the settings.
 */
#include "config/finish_routes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/array.h"
#include "config/nearest.h"
#include "proxy/route.h"

enum {
	GET_AND_HEAD = 1 << METHOD_GET | 1 << METHOD_HEAD,
};

/* One allocation holds the text as it was written and, behind it, the normal form that the prefix
 * lies in. */
static void set_prefix(struct route_settings *route, const char *text)
{
	size_t size = strlen(text) + 1;
	struct err err = ERR_INIT;
	bool valid;

	route->text = memcpy(mem_alloc(2 * size), text, size);
	valid = prefix_parse(
		slice_of(route->text, size - 1), route->text + size, &route->prefix, &err);
	assert(valid); /* it was checked when it was read */
	(void)valid;
}

struct route_settings *routes_add(
	struct proxy_settings *proxy, const char *prefix, uint32_t upstream)
{
	struct route_settings *route;

	proxy->routes = array_grow(proxy->routes, proxy->route_count, sizeof(*proxy->routes));
	route = &proxy->routes[proxy->route_count++];
	*route = (struct route_settings){.methods = SETTINGS_METHODS_ALL,
		.upstream = upstream,
		.timeouts = proxy->upstreams[upstream].timeouts};
	set_prefix(route, prefix);
	return route;
}

void routes_fini(struct proxy_settings *proxy)
{
	for (uint32_t i = 0; i < proxy->route_count; i++) {
		mem_free(proxy->routes[i].text);
	}
	mem_free(proxy->routes);
	proxy->routes = NULL;
	proxy->route_count = 0;
}

/* A route of every method stands beside those that name theirs: they win over it. Two of a kind
 * must not meet. */
static bool are_rivals(const struct route_settings *a, const struct route_settings *b)
{
	return (a->methods == SETTINGS_METHODS_ALL) == (b->methods == SETTINGS_METHODS_ALL) &&
	       (a->methods & b->methods) != 0 && a->prefix.open == b->prefix.open &&
	       slice_equal(a->prefix.path, b->prefix.path);
}

const struct route_settings *routes_find_rival(
	const struct proxy_settings *proxy, const struct route_settings *route)
{
	for (uint32_t i = 0; i < proxy->route_count; i++) {
		if (&proxy->routes[i] != route && are_rivals(&proxy->routes[i], route)) {
			return &proxy->routes[i];
		}
	}
	return NULL;
}

/* By prefix; then as they stand in the file. */
static int compare_prefixes(const void *left, const void *right)
{
	const struct route_settings *a = *(const struct route_settings *const *)left;
	const struct route_settings *b = *(const struct route_settings *const *)right;
	size_t len =
		a->prefix.path.len < b->prefix.path.len ? a->prefix.path.len : b->prefix.path.len;
	int order = len == 0 ? 0 : memcmp(a->prefix.path.ptr, b->prefix.path.ptr, len);

	if (order == 0) {
		order = (a->prefix.path.len > b->prefix.path.len) -
			(a->prefix.path.len < b->prefix.path.len);
	}
	if (order == 0) {
		order = a->prefix.open - b->prefix.open;
	}
	return order != 0 ? order : (a > b) - (a < b);
}

/* Routes of one prefix stand together once they are sorted, so each is compared with its few
 * neighbours. `from` are the drafts of the routes, in their order. */
static void check_rivals(struct draft *draft, struct route_draft *const *from)
{
	const struct proxy_settings *proxy = &draft->settings.proxy;
	const struct route_settings **sorted =
		mem_alloc_array(proxy->route_count, sizeof(struct route_settings *));

	for (uint32_t i = 0; i < proxy->route_count; i++) {
		sorted[i] = &proxy->routes[i];
	}
	qsort(sorted, proxy->route_count, sizeof(struct route_settings *), compare_prefixes);
	for (uint32_t i = 1; i < proxy->route_count; i++) {
		const struct route_settings *route = sorted[i];

		for (uint32_t j = i; j > 0 && sorted[j - 1]->prefix.open == route->prefix.open &&
				     slice_equal(sorted[j - 1]->prefix.path, route->prefix.path);
			j--) {
			if (are_rivals(sorted[j - 1], route)) {
				object_complain(&from[route - proxy->routes]->object, "prefix",
					&draft->problems,
					"the route of line %u has this prefix and one of these "
					"methods already; give each once",
					from[sorted[j - 1] - proxy->routes]->object.place.line);
				break;
			}
		}
	}
	mem_free(sorted);
}

static bool find_upstream(struct draft *draft, const struct route_draft *route, uint32_t *index)
{
	struct nearest nearest;
	char shown[QUOTED_SIZE];

	*index = 0;
	if (route->upstream == NULL) {
		return true;
	}
	nearest_init(&nearest, slice_str(route->upstream));
	for (size_t i = 0; i < draft->upstream_count; i++) {
		if (draft->upstreams[i]->name != NULL) {
			if (strcmp(draft->upstreams[i]->name, route->upstream) == 0) {
				*index = (uint32_t)i;
				return true;
			}
			nearest_offer(&nearest, slice_str(draft->upstreams[i]->name));
		}
	}
	object_complain(&route->object, "upstream", &draft->problems,
		"there is no upstream %s; the nearest name is %.*s",
		quoted(slice_str(route->upstream), shown), SLICE_ARGS(nearest.best));
	return false;
}

/* What the route does not say itself, its upstream says. */
static void inherit_timeouts(const struct route_draft *draft, struct route_settings *route)
{
	const struct upstream_timeouts *own = &draft->settings.timeouts;

	if (object_place(&draft->object, "timeouts.connect").source != SOURCE_DEFAULT) {
		route->timeouts.connect_ms = own->connect_ms;
	}
	if (object_place(&draft->object, "timeouts.first_byte").source != SOURCE_DEFAULT) {
		route->timeouts.first_byte_ms = own->first_byte_ms;
	}
	if (object_place(&draft->object, "timeouts.idle").source != SOURCE_DEFAULT) {
		route->timeouts.idle_ms = own->idle_ms;
	}
	if (object_place(&draft->object, "timeouts.total").source != SOURCE_DEFAULT) {
		route->timeouts.total_ms = own->total_ms;
	}
}

static bool is_below_inspector(const struct settings *settings, const struct prefix *prefix)
{
	struct prefix inspector = {.path = slice_str(settings->inspector.prefix)};

	return settings->inspector.enabled && settings->proxy.inspector_listen_count == 0 &&
	       prefix_covers(&inspector, prefix->path);
}

/* False where it was wrong; then there is no such route. */
static bool add_route(struct draft *draft, struct route_draft *from)
{
	bool has_methods = object_place(&from->object, "methods").source != SOURCE_DEFAULT;
	struct route_settings *route;
	uint32_t upstream;

	if (from->settings.text == NULL) {
		if (object_place(&from->object, "prefix").source == SOURCE_DEFAULT) {
			object_complain(&from->object, "prefix", &draft->problems,
				"it is missing; give one such as /api/me");
		}
		return false;
	}
	if (!find_upstream(draft, from, &upstream)) {
		return false;
	}
	if (has_methods && from->settings.methods == 0) {
		object_complain(&from->object, "methods", &draft->problems,
			"no method is left; give some, or leave the key out for every method");
		return false;
	}
	route = routes_add(&draft->settings.proxy, from->settings.text, upstream);
	route->capture = from->settings.capture;
	if (has_methods) {
		route->methods = from->settings.methods;
	}
	inherit_timeouts(from, route);
	if (is_below_inspector(&draft->settings, &route->prefix)) {
		object_complain(&from->object, "prefix", &draft->problems,
			"no request gets there, since the inspector answers below %s; give another "
			"prefix, or inspector.prefix another",
			draft->settings.inspector.prefix);
	}
	return true;
}

/*
 * --exclude-get changes what is captured of a request and not where it goes: so its route leads to
 * the upstream, and has the timeouts, of the route that would take the request without it.
 */
static void add_excluded(struct draft *draft)
{
	struct proxy_settings *proxy = &draft->settings.proxy;
	struct route_table *table = route_table_create(proxy);
	uint32_t from_file = proxy->route_count;

	for (size_t i = 0; i < draft->exclude_get.count; i++) {
		struct route_settings *route = routes_add(proxy, draft->exclude_get.items[i], 0);
		const struct route_settings *rival;
		const struct route *instead = route_find(table,
			route->prefix.path.len == 0 ? SLICE("/") : route->prefix.path, METHOD_GET);

		route->methods = GET_AND_HEAD;
		route->capture = CAPTURE_ROW;
		route->upstream = instead->upstream;
		route->timeouts = instead->timeouts;
		rival = routes_find_rival(proxy, route);
		if (rival != NULL) { /* twice the same prefix is the same said twice */
			if (rival < &proxy->routes[from_file]) {
				object_complain(&draft->object, "--exclude-get", &draft->problems,
					"the file has a route of its own for GET or HEAD of %s; "
					"give one of them",
					route->text);
			}
			mem_free(route->text);
			proxy->route_count--;
		}
	}
	route_table_destroy(table);
}

void finish_routes(struct draft *draft)
{
	struct route_draft **from =
		mem_alloc_array(draft->route_count, sizeof(struct route_draft *));
	struct proxy_settings *proxy = &draft->settings.proxy;

	for (size_t i = 0; i < draft->route_count && draft->upstream_count > 0; i++) {
		if (add_route(draft, draft->routes[i])) {
			from[proxy->route_count - 1] = draft->routes[i];
		}
	}
	if (proxy->route_count > 1) {
		check_rivals(draft, from);
	}
	if (draft->exclude_get.count > 0 && proxy->upstream_count > 0) {
		add_excluded(draft);
	}
	mem_free(from);
}
