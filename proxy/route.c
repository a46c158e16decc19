/*
 * Layer: proxy. One job: the table of routes, made once and searched for every request.
 *
 * The prefixes are sorted as strings. Whatever of them begins a path stands at or before the place
 * where the path itself would stand, and every string between the two begins with it: so one binary
 * search finds the last prefix that is not behind the path, and from there the longest that begins
 * the path is reached along links, each from a prefix to the longest other one that it begins with.
 * Fourteen comparisons find one of 10,000 routes; nothing is hashed, allocated or decoded.
 */
#include "proxy/route.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

#define NO_PARENT UINT32_MAX

struct method_route {
	uint32_t methods;
	uint32_t route; /* index in `routes` */
};

struct entry { /* one prefix; "/a" and "/a*" are two */
	struct slice path;
	bool open;
	uint32_t parent; /* the longest other entry whose path this one's begins with, or NO_PARENT
			  */
	uint32_t first;  /* its routes in `by_method`: those that name methods stand first */
	uint32_t count;
};

struct route_table {
	struct entry *entries; /* sorted by path; with equal paths the open one first */
	uint32_t entry_count;
	struct method_route *by_method;
	struct route *routes; /* in the order of the settings; the last one covers the rest */
	uint32_t count;
};

static int compare(struct slice a, struct slice b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len == 0 ? 0 : memcmp(a.ptr, b.ptr, len);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static bool names_methods(const struct route_settings *route)
{
	return route->methods != SETTINGS_METHODS_ALL;
}

static bool same_prefix(const struct route_settings *a, const struct route_settings *b)
{
	return a->prefix.open == b->prefix.open && slice_equal(a->prefix.path, b->prefix.path);
}

/* By path; then the open prefix; then the routes that name methods; then as they were written. */
static int compare_routes(const void *left, const void *right)
{
	const struct route_settings *a = *(const struct route_settings *const *)left;
	const struct route_settings *b = *(const struct route_settings *const *)right;
	int order = compare(a->prefix.path, b->prefix.path);

	if (order != 0) {
		return order;
	}
	if (a->prefix.open != b->prefix.open) {
		return a->prefix.open ? -1 : 1;
	}
	if (names_methods(a) != names_methods(b)) {
		return names_methods(a) ? -1 : 1;
	}
	return (a > b) - (a < b); /* both lie in one array */
}

/* All entries before `index` are linked already. */
static uint32_t find_parent(const struct entry *entries, uint32_t index)
{
	uint32_t candidate = index == 0 ? NO_PARENT : index - 1;

	while (candidate != NO_PARENT &&
		!slice_starts_with(entries[index].path, entries[candidate].path)) {
		candidate = entries[candidate].parent;
	}
	return candidate;
}

static void add_entries(struct route_table *table, const struct proxy_settings *settings)
{
	uint32_t count = settings->route_count;
	const struct route_settings **sorted =
		mem_alloc_array(count, sizeof(struct route_settings *));

	for (uint32_t i = 0; i < count; i++) {
		sorted[i] = &settings->routes[i];
	}
	if (count > 0) {
		qsort(sorted, count, sizeof(struct route_settings *), compare_routes);
	}
	for (uint32_t i = 0; i < count; i++) {
		struct entry *entry = &table->entries[table->entry_count];

		table->by_method[i].methods = sorted[i]->methods;
		table->by_method[i].route = (uint32_t)(sorted[i] - settings->routes);
		if (i > 0 && same_prefix(sorted[i - 1], sorted[i])) {
			entry[-1].count++;
			continue;
		}
		*entry = (struct entry){.path = sorted[i]->prefix.path,
			.open = sorted[i]->prefix.open,
			.first = i,
			.count = 1};
		entry->parent = find_parent(table->entries, table->entry_count);
		table->entry_count++;
	}
	mem_free(sorted);
}

struct route_table *route_table_create(const struct proxy_settings *settings)
{
	struct route_table *table = mem_zalloc(sizeof(*table));
	uint32_t count = settings->route_count;

	assert(settings->upstream_count > 0);
	table->count = count + 1;
	table->routes = mem_alloc_array(table->count, sizeof(*table->routes));
	table->entries = mem_alloc_array(count, sizeof(*table->entries));
	table->by_method = mem_alloc_array(count, sizeof(*table->by_method));
	for (uint32_t i = 0; i < count; i++) {
		const struct route_settings *from = &settings->routes[i];

		assert(from->upstream < settings->upstream_count);
		table->routes[i] = (struct route){.text = from->text,
			.upstream = from->upstream,
			.index = i,
			.capture = from->capture,
			.timeouts = from->timeouts};
	}
	table->routes[count] = (struct route){.text = "/",
		.upstream = 0,
		.index = count,
		.capture = CAPTURE_FULL,
		.timeouts = settings->upstreams[0].timeouts};
	add_entries(table, settings);
	return table;
}

void route_table_destroy(struct route_table *table)
{
	if (table != NULL) {
		mem_free(table->by_method);
		mem_free(table->entries);
		mem_free(table->routes);
		mem_free(table);
	}
}

/* The last entry that does not stand behind `path`, or NO_PARENT. */
static uint32_t last_not_behind(const struct route_table *table, struct slice path)
{
	uint32_t low = 0, high = table->entry_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (compare(table->entries[middle].path, path) <= 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low == 0 ? NO_PARENT : low - 1;
}

/* Whether an entry covers a path: its bytes begin it, up to the end of a segment where the prefix
 * is not open. "/" covers all, "*" of OPTIONS too. */
static bool covers(const struct entry *entry, struct slice path)
{
	size_t len = entry->path.len;

	return slice_starts_with(path, entry->path) &&
	       (entry->open || len == 0 || path.len == len || path.ptr[len] == '/');
}

const struct route *route_find(
	const struct route_table *table, struct slice normal_path, enum method method)
{
	uint32_t bit = (uint32_t)1 << method;

	for (uint32_t i = last_not_behind(table, normal_path); i != NO_PARENT;
		i = table->entries[i].parent) {
		const struct entry *entry = &table->entries[i];

		if (!covers(entry, normal_path)) {
			continue;
		}
		for (uint32_t j = entry->first; j < entry->first + entry->count; j++) {
			if ((table->by_method[j].methods & bit) != 0) {
				return &table->routes[table->by_method[j].route];
			}
		}
	}
	return &table->routes[table->count - 1];
}

uint32_t route_count(const struct route_table *table)
{
	return table->count;
}
