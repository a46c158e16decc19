/*
 * What the settings come to: values, upstreams, routes, the demo.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "http/head.h"
#include "proxy/network.h"
#include "proxy/route.h"
#include "tests/unit/load_settings.h"

#define URL "http://127.0.0.1:8000"
#define UPSTREAM "upstreams: [{url: \"" URL "\"}]\n"

enum {
	GET_AND_HEAD = 1 << METHOD_GET | 1 << METHOD_HEAD,
};

static int setup(void **state)
{
	static struct loaded loaded;

	memset(&loaded, 0, sizeof(loaded));
	*state = &loaded;
	return 0;
}

static int teardown(void **state)
{
	unload(*state);
	return 0;
}

/* --- values */

static void without_settings_every_default_is_in_place(void **state)
{
	struct loaded *l = *state;
	const struct proxy_settings *proxy = &l->settings.proxy;
	const struct inspector_settings *inspector = &l->settings.inspector;

	load(l, NULL, NO_VARIABLES, ARGUMENTS("--upstream", URL));
	expect_good(l);
	assert_int_equal(proxy->listen_count, 1);
	assert_string_equal(proxy->listens[0].text, "127.0.0.1:8080");
	assert_int_equal(proxy->inspector_listen_count, 0);
	assert_true(proxy->workers >= 1);
	assert_int_equal(proxy->limits.connections, 0);
	assert_int_equal(proxy->limits.header_bytes, 65536);
	assert_int_equal(proxy->limits.headers, 200);
	assert_int_equal(proxy->limits.body_bytes, 0);
	assert_int_equal(proxy->timeouts.header_ms, 10000);
	assert_int_equal(proxy->timeouts.body_ms, 30000);
	assert_int_equal(proxy->timeouts.send_ms, 30000);
	assert_int_equal(proxy->timeouts.keep_alive_ms, 75000);
	assert_int_equal(proxy->timeouts.drain_ms, 30000);
	assert_int_equal(proxy->trusted_proxy_count, 0);
	assert_false(proxy->trust_unix);
	assert_true(slice_equal(proxy->request_id_name, SLICE("X-Request-ID")));
	assert_true(proxy->request_id_keep);
	assert_true(proxy->access_log);
	assert_int_equal(proxy->upstream_count, 1);
	assert_string_equal(proxy->upstreams[0].name, "default");
	assert_string_equal(proxy->upstreams[0].address.host, "127.0.0.1");
	assert_int_equal(proxy->upstreams[0].address.port, 8000);
	assert_memory_equal(
		&proxy->upstreams[0].pool, &pool_settings_default, sizeof(pool_settings_default));
	assert_int_equal(proxy->upstreams[0].pool.breaker.failures, 5);
	assert_int_equal(proxy->upstreams[0].pool.breaker.open_ms, 10000);
	assert_int_equal(proxy->upstreams[0].timeouts.connect_ms, 10000);
	assert_int_equal(proxy->upstreams[0].timeouts.first_byte_ms, 60000);
	assert_int_equal(proxy->upstreams[0].timeouts.idle_ms, 60000);
	assert_int_equal(proxy->upstreams[0].timeouts.total_ms, 0);
	assert_int_equal(proxy->route_count, 0);
	assert_true(inspector->enabled);
	assert_string_equal(inspector->prefix, "/_inspector");
	assert_null(inspector->token);
	assert_int_equal(inspector->capture.entries, 1000);
	assert_int_equal(inspector->capture.memory, 32 << 20);
	assert_int_equal(inspector->capture.body, 256 << 10);
	assert_int_equal(inspector->capture.rows, 2000);
	assert_int_equal(inspector->redact.mode, REDACT_REPLACE);
	assert_int_equal(l->settings.log.level, LOG_LEVEL_INFO);
}

static void the_file_says_everything(void **state)
{
	struct loaded *l = *state;
	const struct proxy_settings *proxy = &l->settings.proxy;
	const struct inspector_settings *inspector = &l->settings.inspector;
	const struct upstream_settings *api;

	load(l, settings_everything, NO_VARIABLES, NO_ARGUMENTS);
	expect_good(l);
	assert_int_equal(proxy->listen_count, 2);
	assert_true(proxy->listens[1].is_unix);
	assert_int_equal(proxy->workers, 3);
	assert_int_equal(proxy->trusted_proxy_count, 3);
	assert_true(proxy->trust_unix);
	assert_true(network_list_has_text(
		proxy->trusted_proxies, proxy->trusted_proxy_count, "10.9.9.9"));
	assert_true(slice_equal(proxy->request_id_name, SLICE("X-Correlation-ID")));
	assert_false(proxy->request_id_keep);
	assert_int_equal(proxy->limits.connections, 500);
	assert_int_equal(proxy->limits.header_bytes, 8192);
	assert_int_equal(proxy->limits.headers, 50);
	assert_int_equal(proxy->limits.body_bytes, 10 << 20);
	assert_int_equal(proxy->timeouts.header_ms, 1000);
	assert_int_equal(proxy->timeouts.body_ms, 2000);
	assert_int_equal(proxy->timeouts.send_ms, 3000);
	assert_int_equal(proxy->timeouts.keep_alive_ms, 4000);
	assert_int_equal(proxy->timeouts.drain_ms, 0);
	assert_int_equal(proxy->upstream_count, 2);
	api = &proxy->upstreams[0];
	assert_string_equal(api->name, "api");
	assert_string_equal(api->address.path, "/base");
	assert_int_equal(api->pool.max_connections, 5);
	assert_int_equal(api->pool.max_idle, 2);
	assert_int_equal(api->pool.idle_timeout_ms, 6000);
	assert_int_equal(api->pool.max_age_ms, 420000);
	assert_int_equal(api->pool.queue, 8);
	assert_int_equal(api->pool.queue_timeout_ms, 900);
	assert_int_equal(api->pool.connect_timeout_ms, 1000);
	assert_int_equal(api->pool.breaker.failures, 7);
	assert_int_equal(api->pool.breaker.open_ms, 90000);
	assert_int_equal(api->timeouts.connect_ms, 1000);
	assert_int_equal(api->timeouts.first_byte_ms, 2000);
	assert_int_equal(api->timeouts.idle_ms, 3000);
	assert_int_equal(api->timeouts.total_ms, 3600000);
	assert_true(proxy->upstreams[1].address.is_unix);
	assert_true(inspector->enabled);
	assert_string_equal(inspector->prefix, "/_i");
	assert_int_equal(proxy->inspector_listen_count, 1);
	assert_string_equal(inspector->token, "abc.DEF-123");
	assert_int_equal(inspector->capture.entries, 10);
	assert_int_equal(inspector->capture.memory, 1 << 20);
	assert_int_equal(inspector->capture.body, 0);
	assert_int_equal(inspector->capture.rows, 20);
	assert_int_equal(inspector->redact.headers.count, 2);
	assert_string_equal(inspector->redact.headers.items[1], "X-Own");
	assert_string_equal(inspector->redact.query.items[0], "session");
	assert_string_equal(inspector->redact.json.items[0], "pin_code");
	assert_int_equal(inspector->redact.mode, REDACT_TAG);
	assert_string_equal(inspector->allow_hosts.items[0], "dashboard.example:8080");
	assert_string_equal(inspector->allow_origins.items[0], "https://dashboard.example");
	assert_string_equal(inspector->frame_ancestors.items[1], "http://localhost:3000");
	assert_int_equal(l->settings.log.format, LOG_FORMAT_JSON);
	assert_true(proxy->access_log_json);
	assert_int_equal(l->settings.log.level, LOG_LEVEL_WARN);
	assert_false(proxy->access_log);
}

static void a_route_has_what_it_says_and_else_its_upstreams_timeouts(void **state)
{
	struct loaded *l = *state;
	const struct route_settings *jobs, *me;

	load(l, settings_everything, NO_VARIABLES, NO_ARGUMENTS);
	expect_good(l);
	assert_int_equal(l->settings.proxy.route_count, 2);
	jobs = &l->settings.proxy.routes[0];
	me = &l->settings.proxy.routes[1];
	assert_string_equal(jobs->text, "/api/jobs");
	assert_int_equal(jobs->methods, SETTINGS_METHODS_ALL);
	assert_int_equal(jobs->upstream, 1);
	assert_int_equal(jobs->capture, CAPTURE_FULL);
	assert_int_equal(jobs->timeouts.first_byte_ms, 60000);
	assert_string_equal(me->text, "/api/me*");
	assert_true(me->prefix.open);
	assert_int_equal(me->methods, GET_AND_HEAD | 1 << METHOD_DELETE);
	assert_int_equal(me->upstream, 0);
	assert_int_equal(me->capture, CAPTURE_ROW);
	assert_int_equal(me->timeouts.first_byte_ms, 2000);
	assert_int_equal(me->timeouts.total_ms, 0);
}

static void a_single_value_is_a_list_of_one(void **state)
{
	struct loaded *l = *state;

	load(l, "listen: \"127.0.0.1:1\"\ntrusted_proxies: private\n" UPSTREAM, NO_VARIABLES,
		NO_ARGUMENTS);
	expect_good(l);
	assert_int_equal(l->settings.proxy.listen_count, 1);
	assert_int_equal(l->settings.proxy.trusted_proxy_count, 4);
}

static void headings_with_nothing_below_them_change_nothing(void **state)
{
	struct loaded *l = *state;

	load(l,
		"limits:\nroutes:\nlisten: ~\ntrusted_proxies: []\ninspector: {capture: "
		"null}\n" UPSTREAM,
		NO_VARIABLES, NO_ARGUMENTS);
	expect_good(l);
	assert_int_equal(l->settings.proxy.listen_count, 1);
	assert_int_equal(l->settings.inspector.capture.entries, 1000);
}

/* --- upstreams and routes */

static void the_flags_url_overrides_the_first_upstreams_and_leaves_the_rest(void **state)
{
	struct loaded *l = *state;

	load(l, settings_everything, NO_VARIABLES, ARGUMENTS("--upstream", "http://localhost:9"));
	expect_good(l);
	assert_int_equal(l->settings.proxy.upstream_count, 2);
	assert_string_equal(l->settings.proxy.upstreams[0].name, "api");
	assert_string_equal(l->settings.proxy.upstreams[0].url, "http://localhost:9");
	assert_string_equal(l->settings.proxy.upstreams[0].address.host, "localhost");
	assert_int_equal(l->settings.proxy.upstreams[0].pool.max_connections, 5);
	assert_true(l->settings.proxy.upstreams[1].address.is_unix);
}

static void an_upstream_without_url_can_get_it_from_the_flag(void **state)
{
	struct loaded *l = *state;

	load(l, "upstreams: [{name: api}]\n", NO_VARIABLES, ARGUMENTS("--upstream", URL));
	expect_good(l);
	assert_string_equal(l->settings.proxy.upstreams[0].name, "api");
	assert_string_equal(l->settings.proxy.upstreams[0].url, URL);
}

static void few_connections_leave_no_more_idle_ones(void **state)
{
	struct loaded *l = *state;

	load(l, "upstreams: [{url: \"http://x\", pool: {max_connections: 2}}]\n", NO_VARIABLES,
		NO_ARGUMENTS);
	expect_good(l);
	assert_int_equal(l->settings.proxy.upstreams[0].pool.max_idle, 2);
}

static void exclude_get_is_a_route_of_get_and_head_with_a_row(void **state)
{
	struct loaded *l = *state;
	const struct route_settings *route;

	load(l, NULL, NO_VARIABLES,
		ARGUMENTS("--upstream", URL, "--exclude-get", "/api/me", "--exclude-get",
			"/api/jobs*", "--exclude-get", "/api/me/"));
	expect_good(l);
	assert_int_equal(l->settings.proxy.route_count, 2); /* the third is the first once more */
	route = &l->settings.proxy.routes[0];
	assert_string_equal(route->text, "/api/me");
	assert_int_equal(route->methods, GET_AND_HEAD);
	assert_int_equal(route->capture, CAPTURE_ROW);
	assert_int_equal(route->upstream, 0);
	assert_int_equal(route->timeouts.first_byte_ms, 60000);
	assert_true(l->settings.proxy.routes[1].prefix.open);
}

static void what_is_excluded_goes_where_it_would_have_gone(void **state)
{
	struct loaded *l = *state;
	const struct route_settings *route;

	load(l, settings_everything, NO_VARIABLES,
		ARGUMENTS("--exclude-get", "/api/jobs/status", "--exclude-get", "/api/measure",
			"--exclude-get", "/other"));
	expect_good(l);
	assert_int_equal(l->settings.proxy.route_count, 5);
	route = &l->settings.proxy.routes[2];
	assert_string_equal(route->text, "/api/jobs/status");
	assert_int_equal(route->upstream, 1);
	route = &l->settings.proxy.routes[3]; /* below /api/me*, which has a timeout of its own */
	assert_int_equal(route->upstream, 0);
	assert_int_equal(route->timeouts.total_ms, 0);
	route = &l->settings.proxy.routes[4];
	assert_int_equal(route->upstream, 0);
	assert_int_equal(route->timeouts.total_ms, 3600000);
}

static void an_exclusion_beside_a_route_of_every_method_is_no_contradiction(void **state)
{
	struct loaded *l = *state;

	load(l,
		UPSTREAM
		"routes: [{prefix: /a, capture: headers}, {prefix: /b, methods: [POST]}]\n",
		NO_VARIABLES, ARGUMENTS("--exclude-get", "/a", "--exclude-get", "/b"));
	expect_good(l);
	assert_int_equal(l->settings.proxy.route_count, 4);
}

static void an_exclusion_that_contradicts_a_route_is_refused(void **state)
{
	struct loaded *l = *state;

	load(l, UPSTREAM "routes: [{prefix: /a, methods: [HEAD], capture: full}]\n",
		VARIABLES("SIGHTGLASS_EXCLUDE_GET=/a"), NO_ARGUMENTS);
	expect_error(l, "sightglass: environment: SIGHTGLASS_EXCLUDE_GET: the file has a route of "
			"its own for GET or HEAD of /a; give one of them");
}

static void a_route_below_the_inspector_is_no_mistake_where_it_answers_elsewhere(void **state)
{
	struct loaded *l = *state;

	load(l, UPSTREAM "routes: [{prefix: /_inspector/x}]\ninspector: {listen: [\":1\"]}\n",
		NO_VARIABLES, NO_ARGUMENTS);
	expect_good(l);
	unload(l);
	load(l, UPSTREAM "routes: [{prefix: /_inspector/x}]\n", NO_VARIABLES,
		ARGUMENTS("--no-inspector"));
	expect_good(l);
	unload(l);
	load(l, UPSTREAM "routes: [{prefix: /_inspectors}]\n", NO_VARIABLES, NO_ARGUMENTS);
	expect_good(l);
}

static void ten_thousand_routes_are_read(void **state)
{
	struct loaded *l = *state;
	struct buffer yaml = BUFFER_INIT;
	struct route_table *table;

	buffer_append_str(&yaml, UPSTREAM "routes:\n");
	for (unsigned i = 0; i < 10000; i++) {
		buffer_printf(&yaml, "  - {prefix: /api/%u, methods: [GET], capture: none}\n", i);
	}
	buffer_append_char(&yaml, '\0');
	load(l, yaml.ptr, NO_VARIABLES, NO_ARGUMENTS);
	expect_good(l);
	assert_int_equal(l->settings.proxy.route_count, 10000);
	table = route_table_create(&l->settings.proxy);
	assert_int_equal(route_find(table, SLICE("/api/7777/x"), METHOD_GET)->index, 7777);
	route_table_destroy(table);
	buffer_fini(&yaml);
}

/* --- the demo */

static void the_demo_needs_no_upstream_and_gets_one_with_its_polls_excluded(void **state)
{
	struct loaded *l = *state;
	const struct proxy_settings *proxy = &l->settings.proxy;

	load(l, NULL, NO_VARIABLES, ARGUMENTS("--demo"));
	expect_good(l);
	assert_true(l->settings.demo);
	assert_int_equal(proxy->upstream_count, 1);
	settings_use_demo(&l->settings, 4711);
	assert_string_equal(proxy->upstreams[0].name, "demo");
	assert_string_equal(proxy->upstreams[0].url, "http://127.0.0.1:4711");
	assert_int_equal(proxy->upstreams[0].address.port, 4711);
	assert_int_equal(proxy->route_count, 4);
	assert_string_equal(proxy->routes[0].text, "/api/monitor/aks");
	assert_string_equal(proxy->routes[1].text, "/api/blast/jobs");
	assert_string_equal(proxy->routes[2].text, "/api/forecast");
	assert_string_equal(proxy->routes[3].text, "/api/me");
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(proxy->routes[i].methods, GET_AND_HEAD);
		assert_int_equal(proxy->routes[i].capture, CAPTURE_ROW);
		assert_int_equal(proxy->routes[i].timeouts.first_byte_ms, 60000);
	}
}

static void the_demo_leaves_routes_alone_that_the_settings_have(void **state)
{
	struct loaded *l = *state;

	load(l, "routes: [{prefix: /api/me, methods: [GET], capture: full}]\n", NO_VARIABLES,
		ARGUMENTS("--demo", "--exclude-get", "/api/blast/jobs"));
	expect_good(l);
	settings_use_demo(&l->settings, 1);
	assert_int_equal(l->settings.proxy.route_count, 4);
	assert_int_equal(l->settings.proxy.routes[0].capture, CAPTURE_FULL);
	assert_string_equal(l->settings.proxy.routes[2].text, "/api/monitor/aks");
}

static void the_demo_beside_an_upstream_is_refused(void **state)
{
	struct loaded *l = *state;

	load(l, NULL, NO_VARIABLES, ARGUMENTS("--demo", "--upstream", URL));
	expect_error(l, "sightglass: command line: --demo: there is an upstream beside the "
			"built-in sample; give one of them");
	unload(l);
	load(l, UPSTREAM, VARIABLES("SIGHTGLASS_DEMO=on"), NO_ARGUMENTS);
	expect_error(l, "sightglass: environment: SIGHTGLASS_DEMO: there is an upstream beside the "
			"built-in sample; give one of them");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_settings_every_default_is_in_place),
		TEST(the_file_says_everything),
		TEST(a_route_has_what_it_says_and_else_its_upstreams_timeouts),
		TEST(a_single_value_is_a_list_of_one),
		TEST(headings_with_nothing_below_them_change_nothing),
		TEST(the_flags_url_overrides_the_first_upstreams_and_leaves_the_rest),
		TEST(an_upstream_without_url_can_get_it_from_the_flag),
		TEST(few_connections_leave_no_more_idle_ones),
		TEST(exclude_get_is_a_route_of_get_and_head_with_a_row),
		TEST(what_is_excluded_goes_where_it_would_have_gone),
		TEST(an_exclusion_beside_a_route_of_every_method_is_no_contradiction),
		TEST(an_exclusion_that_contradicts_a_route_is_refused),
		TEST(a_route_below_the_inspector_is_no_mistake_where_it_answers_elsewhere),
		TEST(ten_thousand_routes_are_read),
		TEST(the_demo_needs_no_upstream_and_gets_one_with_its_polls_excluded),
		TEST(the_demo_leaves_routes_alone_that_the_settings_have),
		TEST(the_demo_beside_an_upstream_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
