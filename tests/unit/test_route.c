/*
 * Which route a request takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "http/path.h"
#include "proxy/route.h"

enum {
	GET = 1u << METHOD_GET,
	HEAD = 1u << METHOD_HEAD,
	POST = 1u << METHOD_POST,
	ALL = SETTINGS_METHODS_ALL,
	ROUTES_MAX = 12000,
	TEXT_MAX = 64,
};

struct fixture {
	struct proxy_settings settings;
	struct upstream_settings upstreams[2];
	struct route_settings *routes;
	char (*texts)[2][TEXT_MAX]; /* as written, and in normal form */
	struct route_table *table;
};

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	f->routes = mem_alloc_array(ROUTES_MAX, sizeof(*f->routes));
	f->texts = mem_alloc_array(ROUTES_MAX, sizeof(*f->texts));
	f->upstreams[0].timeouts.first_byte_ms = 60000;
	f->settings.upstreams = f->upstreams;
	f->settings.upstream_count = 2;
	f->settings.routes = f->routes;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	route_table_destroy(f->table);
	mem_free(f->texts);
	mem_free(f->routes);
	mem_free(f);
	return 0;
}

static struct route_settings *add(struct fixture *f, const char *prefix, uint32_t methods)
{
	uint32_t i = f->settings.route_count++;
	struct route_settings *route = &f->routes[i];
	struct err err;

	assert_true(i < ROUTES_MAX && strlen(prefix) < TEXT_MAX);
	memset(route, 0, sizeof(*route));
	memcpy(f->texts[i][0], prefix, strlen(prefix) + 1);
	route->text = f->texts[i][0];
	route->methods = methods;
	assert_true(prefix_parse(slice_str(route->text), f->texts[i][1], &route->prefix, &err));
	return route;
}

static const struct route *find(struct fixture *f, enum method method, const char *path)
{
	if (f->table == NULL) {
		f->table = route_table_create(&f->settings);
	}
	return route_find(f->table, slice_str(path), method);
}

static void expect(struct fixture *f, enum method method, const char *path, const char *text)
{
	assert_string_equal(find(f, method, path)->text, text);
}

static void without_routes_all_goes_to_the_first_upstream_and_is_captured_in_full(void **state)
{
	struct fixture *f = *state;
	const struct route *route = find(f, METHOD_GET, "/any");

	assert_string_equal(route->text, "/");
	assert_int_equal(route->upstream, 0);
	assert_int_equal(route->capture, CAPTURE_FULL);
	assert_int_equal(route->timeouts.first_byte_ms, 60000);
	assert_int_equal(route->index, 0);
	assert_int_equal(route_count(f->table), 1);
}

static void a_prefix_matches_whole_segments(void **state)
{
	struct fixture *f = *state;

	add(f, "/api/me", ALL);
	expect(f, METHOD_GET, "/api/me", "/api/me");
	expect(f, METHOD_GET, "/api/me/", "/api/me");
	expect(f, METHOD_GET, "/api/me/x", "/api/me");
	expect(f, METHOD_GET, "/api/metrics", "/");
	expect(f, METHOD_GET, "/api/me-too", "/");
	expect(f, METHOD_GET, "/api/m", "/");
	expect(f, METHOD_GET, "/api", "/");
	expect(f, METHOD_GET, "/", "/");
	expect(f, METHOD_GET, "/API/me", "/");
}

static void a_star_covers_any_continuation(void **state)
{
	struct fixture *f = *state;

	add(f, "/api/me*", ALL);
	add(f, "/files/*", ALL);
	expect(f, METHOD_GET, "/api/me", "/api/me*");
	expect(f, METHOD_GET, "/api/metrics", "/api/me*");
	expect(f, METHOD_GET, "/api/m", "/");
	expect(f, METHOD_GET, "/files/x", "/files/*");
	expect(f, METHOD_GET, "/files", "/");
}

static void the_longest_prefix_wins_whatever_the_order(void **state)
{
	struct fixture *f = *state;

	add(f, "/a/b/c", ALL);
	add(f, "/a", ALL);
	add(f, "/a/b", ALL);
	expect(f, METHOD_GET, "/a/b/c/d", "/a/b/c");
	expect(f, METHOD_GET, "/a/b/cd", "/a/b");
	expect(f, METHOD_GET, "/a/bc", "/a");
	expect(f, METHOD_GET, "/ab", "/");
}

static void a_longer_prefix_that_does_not_cover_leaves_the_shorter_one_its_paths(void **state)
{
	struct fixture *f = *state;

	add(f, "/a", ALL);
	add(f, "/a/bcd", ALL);
	add(f, "/a/b*", ALL);
	add(f, "/a/bc", ALL);
	expect(f, METHOD_GET, "/a/bcd/e", "/a/bcd");
	expect(f, METHOD_GET, "/a/bcde", "/a/b*");
	expect(f, METHOD_GET, "/a/bce", "/a/b*");
	expect(f, METHOD_GET, "/a/bc", "/a/bc");
	expect(f, METHOD_GET, "/a/c", "/a");
}

static void whole_segments_win_over_a_star_of_the_same_length(void **state)
{
	struct fixture *f = *state;

	add(f, "/a", ALL);
	add(f, "/a*", ALL);
	expect(f, METHOD_GET, "/a", "/a");
	expect(f, METHOD_GET, "/a/x", "/a");
	expect(f, METHOD_GET, "/ab", "/a*");
}

static void within_one_prefix_the_route_that_names_the_method_wins(void **state)
{
	struct fixture *f = *state;

	add(f, "/x", ALL)->capture = CAPTURE_FULL;
	add(f, "/x", GET | HEAD)->capture = CAPTURE_ROW;
	add(f, "/x", POST)->capture = CAPTURE_HEADERS;
	assert_int_equal(find(f, METHOD_GET, "/x/1")->capture, CAPTURE_ROW);
	assert_int_equal(find(f, METHOD_HEAD, "/x")->capture, CAPTURE_ROW);
	assert_int_equal(find(f, METHOD_POST, "/x")->capture, CAPTURE_HEADERS);
	assert_int_equal(find(f, METHOD_DELETE, "/x")->capture, CAPTURE_FULL);
	assert_int_equal(find(f, METHOD_OTHER, "/x")->capture, CAPTURE_FULL);
}

static void a_method_that_the_longest_prefix_does_not_name_goes_to_the_next(void **state)
{
	struct fixture *f = *state;

	add(f, "/api", ALL)->upstream = 1;
	add(f, "/api/me", GET)->capture = CAPTURE_ROW;
	assert_int_equal(find(f, METHOD_GET, "/api/me")->capture, CAPTURE_ROW);
	expect(f, METHOD_POST, "/api/me", "/api");
	assert_int_equal(find(f, METHOD_POST, "/api/me")->upstream, 1);
	expect(f, METHOD_OTHER, "/api/me", "/api");
}

static void an_unknown_method_is_no_get(void **state)
{
	struct fixture *f = *state;

	add(f, "/api", GET | HEAD);
	expect(f, METHOD_OTHER, "/api", "/");
	assert_int_equal(find(f, METHOD_OTHER, "/api")->index, 1);
}

static void a_route_of_the_root_covers_every_path(void **state)
{
	struct fixture *f = *state;

	add(f, "/", ALL)->upstream = 1;
	assert_int_equal(find(f, METHOD_GET, "/")->upstream, 1);
	assert_int_equal(find(f, METHOD_GET, "/deep/down")->upstream, 1);
	assert_int_equal(find(f, METHOD_OPTIONS, "*")->upstream, 1);
}

static void a_route_keeps_its_place_in_the_settings(void **state)
{
	struct fixture *f = *state;

	add(f, "/b", ALL);
	add(f, "/a", ALL);
	assert_int_equal(find(f, METHOD_GET, "/b")->index, 0);
	assert_int_equal(find(f, METHOD_GET, "/a")->index, 1);
	assert_int_equal(find(f, METHOD_GET, "/c")->index, 2);
	assert_int_equal(route_count(f->table), 3);
}

/* What the header says, looked for the slow way. */
static const char *slow_find(const struct fixture *f, const char *path, enum method method)
{
	const struct route_settings *best = NULL;

	for (uint32_t i = 0; i < f->settings.route_count; i++) {
		const struct route_settings *route = &f->routes[i];
		bool names = route->methods != ALL;

		if (!prefix_covers(&route->prefix, slice_str(path)) ||
			(route->methods & (1u << method)) == 0) {
			continue;
		}
		if (best == NULL || route->prefix.path.len > best->prefix.path.len ||
			(route->prefix.path.len == best->prefix.path.len &&
				(route->prefix.open < best->prefix.open ||
					(route->prefix.open == best->prefix.open && names &&
						best->methods == ALL)))) {
			best = route;
		}
	}
	return best == NULL ? "/" : best->text;
}

/* Short paths over few letters, so that prefixes of prefixes are common. */
static void random_path(char *out, unsigned segments)
{
	size_t len = 0;

	for (unsigned i = 0; i < segments; i++) {
		unsigned letters = 1 + (unsigned)rand() % 2;

		out[len++] = '/';
		for (unsigned j = 0; j < letters; j++) {
			out[len++] = "ab-."[(unsigned)rand() % 3];
		}
	}
	out[len] = '\0';
}

static void the_table_finds_what_a_search_through_all_routes_finds(void **state)
{
	struct fixture *f = *state;
	char path[TEXT_MAX];

	srand(1);
	for (unsigned i = 0; i < 300; i++) {
		random_path(path, 1 + (unsigned)rand() % 4);
		if (rand() % 4 == 0) {
			memcpy(path + strlen(path), "*", 2);
		}
		add(f, path, rand() % 2 == 0 ? ALL : GET);
	}
	for (unsigned i = 0; i < 20000; i++) {
		enum method method = rand() % 2 == 0 ? METHOD_GET : METHOD_POST;

		random_path(path, 1 + (unsigned)rand() % 6);
		expect(f, method, path, slow_find(f, path, method));
	}
}

static void each_of_ten_thousand_routes_is_found(void **state)
{
	struct fixture *f = *state;
	char path[TEXT_MAX];

	for (unsigned i = 0; i < 10000; i++) {
		(void)snprintf(path, sizeof(path), "/api/v1/%u/items", i * 7919 % 10000);
		add(f, path, ALL);
	}
	for (uint32_t i = 0; i < 10000; i++) {
		(void)snprintf(path, sizeof(path), "%s/42", f->routes[i].text);
		assert_int_equal(find(f, METHOD_GET, path)->index, i);
	}
	expect(f, METHOD_GET, "/api/v1/10000/items", "/");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_routes_all_goes_to_the_first_upstream_and_is_captured_in_full),
		TEST(a_prefix_matches_whole_segments),
		TEST(a_star_covers_any_continuation),
		TEST(the_longest_prefix_wins_whatever_the_order),
		TEST(a_longer_prefix_that_does_not_cover_leaves_the_shorter_one_its_paths),
		TEST(whole_segments_win_over_a_star_of_the_same_length),
		TEST(within_one_prefix_the_route_that_names_the_method_wins),
		TEST(a_method_that_the_longest_prefix_does_not_name_goes_to_the_next),
		TEST(an_unknown_method_is_no_get),
		TEST(a_route_of_the_root_covers_every_path),
		TEST(a_route_keeps_its_place_in_the_settings),
		TEST(the_table_finds_what_a_search_through_all_routes_finds),
		TEST(each_of_ten_thousand_routes_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
