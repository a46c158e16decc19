/*
 * What is wrong with settings: every mistake with its place, its key, and what would be right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "tests/unit/load_settings.h"

#define URL "http://127.0.0.1:8000"
#define UPSTREAM "upstreams: [{url: \"" URL "\"}]\n"

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

struct wrong {
	const char *yaml;
	const char *line;
};

static void a_wrong_value_is_told_with_file_line_key_and_what_would_be_right(void **state)
{
	static const struct wrong wrongs[] = {
		{"a: 1\n\nlisten: 8080\n", "FILE:3: listen: \"8080\" has no port; give HOST:PORT, "
					   ":PORT, [V6]:PORT or unix:/path"},
		{"listen: [\":1\",\n \":x\"]\n",
			"FILE:2: listen[1]: \":x\" has no port of 0 to 65535; give HOST:PORT, "
			":PORT, [V6]:PORT or unix:/path"},
		{"listen: [{a: b}]\n",
			"FILE:1: listen: it is a mapping; give single values in this list"},
		{"listen: {a: b}\n", "FILE:1: listen: it is a mapping; give a list"},
		{"workers: 0\n", "FILE:1: workers: \"0\" is too small; give 1 to 256, or auto"},
		{"workers: 257\n", "FILE:1: workers: \"257\" is too large; give 1 to 256, or auto"},
		{"workers: [1]\n", "FILE:1: workers: it is a list; give a single value"},
		{"workers:\n", "FILE:1: workers: it is nothing; give a single value"},
		{"trusted_proxies: [10.1.0.0/8]\n",
			"FILE:1: trusted_proxies[0]: \"10.1.0.0/8\" has bits set behind those that "
			"count; give 10.0.0.0/8"},
		{"request_id: {header: Host}\n",
			"FILE:1: request_id.header: \"Host\" means something else already; give a "
			"field of its own, such as X-Request-ID"},
		{"request_id: {header: \"a b\"}\n", "FILE:1: request_id.header: \"a b\" is no "
						    "field name; give one such as X-Request-ID"},
		{"request_id: {header: X_Request_ID}\n",
			"FILE:1: request_id.header: \"X_Request_ID\" means something else already; "
			"give a field of its own, such as X-Request-ID"},
		{"request_id: {inbound: maybe}\n", "FILE:1: request_id.inbound: \"maybe\" is not "
						   "known here; give replace or keep"},
		{"limits: {connections: -1}\n", "FILE:1: limits.connections: \"-1\" is not a "
						"number; give one of 1 to 1048576, or auto"},
		{"limits: {header_bytes: 64KB}\n",
			"FILE:1: limits.header_bytes: \"64KB\" is not a size; give bytes such as "
			"65536, 64KiB, 32MiB or 1GiB"},
		{"limits: {header_bytes: 100}\n",
			"FILE:1: limits.header_bytes: \"100\" is too small; give 1KiB to 1MiB"},
		{"limits: {headers: 70000}\n",
			"FILE:1: limits.headers: \"70000\" is too large; give 10 to 1000"},
		{"timeouts: {header: 10}\n", "FILE:1: timeouts.header: \"10\" is not a duration; "
					     "give one such as 250ms, 10s, 5m or 1h"},
		{"timeouts: {drain: 25h}\n",
			"FILE:1: timeouts.drain: \"25h\" is too large; give 0 to 24h"},
		{"timeouts: 10s\n", "FILE:1: timeouts: it is a single value; give a mapping"},
		{"inspector: {enabled: maybe}\n", "FILE:1: inspector.enabled: \"maybe\" is neither "
						  "on nor off; give on or off"},
		{"inspector: {prefix: inspector}\n",
			"FILE:1: inspector.prefix: \"inspector\" does not begin with '/'; give a "
			"path such as /_inspector"},
		{"inspector: {prefix: /}\n", "FILE:1: inspector.prefix: the prefix must have 2 to "
					     "128 bytes; give a path such as /_inspector"},
		{"inspector: {prefix: /a/../b}\n",
			"FILE:1: inspector.prefix: \"/a/../b\" is not a plain path; give letters, "
			"digits, '-', '.', '_', '~' and single slashes, such as /_inspector"},
		{"inspector: {prefix: /a*}\n",
			"FILE:1: inspector.prefix: \"/a*\" is not a plain path; give letters, "
			"digits, '-', '.', '_', '~' and single slashes, such as /_inspector"},
		{"inspector: {token: \"\"}\n",
			"FILE:1: inspector.token: the token is empty; give a secret, or leave the "
			"setting out: one is made at the start then"},
		{"inspector: {token: \"[redacted]\"}\n",
			"FILE:1: inspector.token: the token cannot be sent as one; give up to 1024 "
			"letters, digits and -._~+/= (RFC 6750)"},
		{"inspector: {token_file: /nowhere/token}\n",
			"FILE:1: inspector.token_file: \"/nowhere/token\" cannot be read: No such "
			"file or directory; give a file that holds the token"},
		{"inspector: {token: a, token_file: /b}\n",
			"FILE:1: inspector.token_file: there is a token beside the file; give one "
			"of them"},
		{"inspector: {capture: {entries: 0}}\n",
			"FILE:1: inspector.capture.entries: \"0\" is too small; give 1 to 1000000"},
		{"inspector:\n  capture:\n    memory: 1MiB\n    body: 2MiB\n",
			"FILE:4: inspector.capture.body: one body may take more than all captures "
			"together, which have 1MiB; lower inspector.capture.body or raise "
			"inspector.capture.memory"},
		{"inspector: {capture: {memory: 128KiB}}\n",
			"FILE:1: inspector.capture.memory: one body may take more than all "
			"captures together, which have 128KiB; lower inspector.capture.body or "
			"raise inspector.capture.memory"},
		{"inspector: {redact: {headers: [\"*\"]}}\n",
			"FILE:1: inspector.redact.headers[0]: \"*\" is no field name; give one "
			"such as X-Secret, or a beginning such as X-Secret-*"},
		{"inspector: {redact: {headers: [X*Y]}}\n",
			"FILE:1: inspector.redact.headers[0]: \"X*Y\" is no field name; give one "
			"such as X-Secret, or a beginning such as X-Secret-*"},
		{"inspector: {redact: {query: [\"a=b\"]}}\n",
			"FILE:1: inspector.redact.query[0]: \"a=b\" is no name of a query "
			"parameter; give one such as session_key"},
		{"inspector: {redact: {mode: hide}}\n", "FILE:1: inspector.redact.mode: \"hide\" "
							"is not known here; give replace or tag"},
		{"inspector: {allow_hosts: [\"http://x\"]}\n",
			"FILE:1: inspector.allow_hosts[0]: \"http://x\" is not what a Host field "
			"can say; give one such as dashboard.example or dashboard.example:8080"},
		{"inspector: {allow_origins: [\"http://x/\"]}\n",
			"FILE:1: inspector.allow_origins[0]: \"http://x/\" is no origin as "
			"browsers write it; give one such as https://dashboard.example or "
			"http://localhost:3000"},
		{"inspector: {allow_origins: [self]}\n",
			"FILE:1: inspector.allow_origins[0]: \"self\" is no origin as "
			"browsers write it; give one such as https://dashboard.example or "
			"http://localhost:3000"},
		{"inspector: {frame_ancestors: [\"https://x:443\"]}\n",
			"FILE:1: inspector.frame_ancestors[0]: \"https://x:443\" is no origin as "
			"browsers write it; give one such as https://dashboard.example or "
			"http://localhost:3000"},
		{"log: {format: xml}\n",
			"FILE:1: log.format: \"xml\" is not known here; give auto, text or json"},
		{"log: {level: trace}\n", "FILE:1: log.level: \"trace\" is not known here; give "
					  "error, warn, info or debug"},
		{"log: {access: yes}\n",
			"FILE:1: log.access: \"yes\" is neither on nor off; give on or off"},
		{"listen: [\":1\", \":1\"]\n",
			"FILE:1: listen: :1 is the same address as :1; give each once"},
		{"listen: [\":1\"]\ninspector: {listen: [\":1\"]}\n",
			"FILE:2: inspector.listen: :1 is the same address as :1; give each once"},
		{"inspector: {listen: [\":1\"]}\nadmin: {listen: [\":2\", \":1\"]}\n",
			"FILE:2: admin.listen: :1 is the same address as :1; give each once"},
		{"admin: {listen: [\":2\", \":2\"]}\n",
			"FILE:1: admin.listen: :2 is the same address as :2; give each once"},
		{"listen: []\n", "FILE:1: listen: there is no address to listen on; give one such "
				 "as 127.0.0.1:8080"},
	};
	struct loaded *l = *state;

	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		struct buffer line = BUFFER_INIT;
		bool unknown_key = strncmp(wrongs[i].yaml, "a: 1", 4) == 0;

		buffer_printf(&line, "sightglass: %s", wrongs[i].line);
		buffer_append_char(&line, '\0');
		load(l, wrongs[i].yaml, NO_VARIABLES, ARGUMENTS("--upstream", URL));
		expect_error(l, line.ptr);
		if (!unknown_key) { /* one mistake is one line */
			assert_string_equal(strchr(l->errors, '\n'), "\n");
		}
		buffer_fini(&line);
		unload(l);
		memset(l, 0, sizeof(*l));
	}
}

static void a_wrong_upstream_or_route_is_told_with_its_place_in_the_list(void **state)
{
	static const struct wrong wrongs[] = {
		{"upstreams: {a: b}\n", "FILE:1: upstreams: it is a mapping; give a list"},
		{"upstreams: [x]\n", "FILE:1: upstreams[0]: it is a single value; give a mapping "
				     "such as {name: api, url: \"http://127.0.0.1:8000\"}"},
		{"upstreams:\n  - name: a\n",
			"FILE:2: upstreams[0].url: it is missing; give "
			"http://HOST:PORT, https://HOST:PORT, unix:/path or kubeconfig:"},
		{"upstreams: [{url: \"kubeconfig:/nowhere/config\"}]\n",
			"FILE:1: upstreams[0].url: /nowhere/config cannot be read: No such file or "
			"directory; a kubeconfig would be right"},
		{"upstreams: [{url: \"kubeconfig:?namespace=x\"}]\n",
			"FILE:1: upstreams[0].url: the query names no context; "
			"kubeconfig:[FILE][?context=NAME] would be right"},
		{"upstreams: [{url: \"http://x\", pool: {max_entries: 0}}]\n",
			"FILE:1: upstreams[0].pool.max_entries: \"0\" is too small; give 1 to "
			"4096"},
		{"upstreams: [{url: \"http://x\", credential: {bearer_file: /nowhere/token}}]\n",
			"FILE:1: upstreams[0].credential.bearer_file: /nowhere/token cannot be "
			"read: No such file or directory; a file that holds the token alone would "
			"be right"},
		{"upstreams: [{url: \"http://x\", credential: {header: X-Key}}]\n",
			"FILE:1: upstreams[0].credential.header: there is no "
			"credential.header_file beside the field's name; give both"},
		{"upstreams: [{url: \"http://x\", credential: {header_file: /k}}]\n",
			"FILE:1: upstreams[0].credential.header_file: there is no "
			"credential.header beside the file; give both"},
		{"upstreams: [{url: \"http://x\", credential: {bearer_file: /t, header: X-Key, "
		 "header_file: /k}}]\n",
			"FILE:1: upstreams[0].credential.bearer_file: there is a "
			"credential.header, too; give one of them"},
		{"upstreams: [{url: \"http://x\", credential: {header: Content-Length, "
		 "header_file: /k}}]\n",
			"FILE:1: upstreams[0].credential.header: \"Content-Length\" means "
			"something else already; give a field that holds a credential, such as "
			"X-API-Key"},
		{"upstreams: [{url: \"http://x\", credential: {use_for: [GET]}}]\n",
			"FILE:1: upstreams[0].credential.use_for: there is no credential; give "
			"credential.bearer_file, or leave it out"},
		{"upstreams: [{url: \"http://x\", credential: {use_for: []}}]\n",
			"FILE:1: upstreams[0].credential.use_for: it names no method; give some "
			"such as [GET, HEAD], or leave it out"},
		{"upstreams: [{url: \"http://x\", tls: {verify: false}}]\n",
			"FILE:1: upstreams[0].tls.verify: the upstream's URL does not begin with "
			"https://; give such a URL, or leave tls out"},
		{"upstreams: [{url: \"https://x\", tls: {key: /k.pem}}]\n",
			"FILE:1: upstreams[0].tls.key: there is no tls.certificate beside the key; "
			"give both"},
		{"upstreams: [{name: \"a b\", url: \"http://x\"}]\n",
			"FILE:1: upstreams[0].name: \"a b\" is no name for an upstream; give up to "
			"63 letters, digits, '-', '_' and '.'"},
		{"upstreams:\n  - url: http://x\n  - url: http://y\n",
			"FILE:3: upstreams[1].name: it is missing; give one by which routes can "
			"name the upstream"},
		{"upstreams:\n  - {name: a, url: \"http://x\"}\n  - {name: a, url: \"http://y\"}\n",
			"FILE:3: upstreams[1].name: upstreams[0] is called a already; give another "
			"name"},
		{"upstreams:\n  - url: http://x\n    pool:\n      max_connections: 5\n      "
		 "max_idle: 6\n",
			"FILE:5: upstreams[0].pool.max_idle: 6 idle connections are more than "
			"pool.max_connections allows in all; give at most 5"},
		{"upstreams: [{url: \"http://x\", pool: {max_connections: 0}}]\n",
			"FILE:1: upstreams[0].pool.max_connections: \"0\" is too small; give 1 to "
			"65536"},
		{"upstreams: [{url: \"http://x\", breaker: {open: 0}}]\n",
			"FILE:1: upstreams[0].breaker.open: \"0\" is too small; give 1ms to 24h"},
		{"upstreams: [{url: \"http://x\", breaker: {failures: many}}]\n",
			"FILE:1: upstreams[0].breaker.failures: \"many\" is not a number; give one "
			"of 0 to 1000000"},
		{UPSTREAM "routes: [{capture: row}]\n",
			"FILE:2: routes[0].prefix: it is missing; give one such as /api/me"},
		{UPSTREAM "routes: [{prefix: api}]\n",
			"FILE:2: routes[0].prefix: a prefix begins with '/'; give one such as "
			"/api/me, or /api/me* for any continuation"},
		{UPSTREAM "routes: [{prefix: /a?b}]\n",
			"FILE:2: routes[0].prefix: a prefix has no query; give one such as "
			"/api/me, or /api/me* for any continuation"},
		{UPSTREAM "routes: [{prefix: /a, methods: [get]}]\n",
			"FILE:2: routes[0].methods[0]: \"get\" is no method that a route can name; "
			"give one such as GET"},
		{UPSTREAM "routes: [{prefix: /a, methods: []}]\n",
			"FILE:2: routes[0].methods: no method is left; give some, or leave the key "
			"out for every method"},
		{UPSTREAM "routes: [{prefix: /a, upstream: defualt}]\n",
			"FILE:2: routes[0].upstream: there is no upstream \"defualt\"; the nearest "
			"name is default"},
		{UPSTREAM "routes: [{prefix: /a, capture: rows}]\n",
			"FILE:2: routes[0].capture: \"rows\" is not known here; give full, "
			"headers, row or none"},
		{UPSTREAM "routes: [{prefix: /a, timeouts: {total: x}}]\n",
			"FILE:2: routes[0].timeouts.total: \"x\" is not a duration; give one such "
			"as 250ms, 10s, 5m or 1h"},
		{UPSTREAM "routes: [{prefix: /_inspector/x}]\n",
			"FILE:2: routes[0].prefix: no request gets there, since the inspector "
			"answers below /_inspector; give another prefix, or inspector.prefix "
			"another"},
		{UPSTREAM "routes:\n  - prefix: /a\n  - prefix: /b\n  - prefix: /a/\n",
			"FILE:5: routes[2].prefix: the route of line 3 has this prefix and one of "
			"these methods already; give each once"},
		{UPSTREAM "routes:\n  - {prefix: /a, methods: [GET, PUT]}\n  - {prefix: /a, "
			  "methods: [POST]}\n  - {prefix: /%61, methods: [PUT]}\n",
			"FILE:5: routes[2].prefix: the route of line 3 has this prefix and one of "
			"these methods already; give each once"},
		{"listen: \":1\"\n", "command line: --upstream: there is no upstream; give "
				     "--upstream URL, upstreams in the file, or --demo"},
		{"upstreams: []\n", "command line: --upstream: there is no upstream; give "
				    "--upstream URL, upstreams in the file, or --demo"},
	};
	struct loaded *l = *state;

	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		struct buffer line = BUFFER_INIT;

		buffer_printf(&line, "sightglass: %s", wrongs[i].line);
		buffer_append_char(&line, '\0');
		load(l, wrongs[i].yaml, NO_VARIABLES, NO_ARGUMENTS);
		expect_error(l, line.ptr);
		buffer_fini(&line);
		unload(l);
		memset(l, 0, sizeof(*l));
	}
}

static void an_unknown_key_is_refused_with_the_nearest_known_one(void **state)
{
	static const struct wrong wrongs[] = {
		{"lisen: x\n", "FILE:1: lisen: unknown key; the nearest known one is listen"},
		{"limits:\n  conections: 5\n", "FILE:2: limits.conections: unknown key; the "
					       "nearest known one is limits.connections"},
		{"limit: {}\n", "FILE:1: limit: unknown key; the nearest known one is limits"},
		{"inspector: {memory: 1MiB}\n", "FILE:1: inspector.memory: unknown key; the "
						"nearest known one is inspector.capture.memory"},
		{"keep_alive: 5s\n", "FILE:1: keep_alive: unknown key; the nearest known one is "
				     "timeouts.keep_alive"},
		{"upstreams: [{url: \"http://x\", pool: {max_idel: 3}}]\n",
			"FILE:1: upstreams[0].pool.max_idel: unknown key; the nearest known one is "
			"upstreams[0].pool.max_idle"},
		{"routes: [{prefix: /a, method: GET}]\n",
			"FILE:1: routes[0].method: unknown key; the nearest known one is "
			"routes[0].methods"},
		{"\"\\n\": 1\n", "FILE:1: ?: unknown key; the nearest known one is tls"},
	};
	struct loaded *l = *state;

	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		struct buffer line = BUFFER_INIT;

		buffer_printf(&line, "sightglass: %s", wrongs[i].line);
		buffer_append_char(&line, '\0');
		load(l, wrongs[i].yaml, NO_VARIABLES, ARGUMENTS("--upstream", URL));
		expect_error(l, line.ptr);
		buffer_fini(&line);
		unload(l);
		memset(l, 0, sizeof(*l));
	}
}

static void what_this_version_has_not_is_an_unknown_key(void **state)
{
	static const char *const keys[] = {"static: []", "aggregates: []",
		"routes: [{prefix: /a, coalesce: true}]", "routes: [{prefix: /a, cache: {}}]"};
	struct loaded *l = *state;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		load(l, keys[i], NO_VARIABLES, ARGUMENTS("--upstream", URL));
		assert_int_equal(l->outcome, SETTINGS_BAD);
		if (strstr(l->errors, "unknown key; the nearest known one is ") == NULL) {
			fail_msg("%s: %s", keys[i], l->errors);
		}
		unload(l);
		memset(l, 0, sizeof(*l));
	}
}

static void all_errors_are_told_at_once(void **state)
{
	struct loaded *l = *state;

	load(l, "workers: x\nbogus: 1\nlog: {level: y}\n", VARIABLES("SIGHTGLASS_LISTEN=z"),
		ARGUMENTS("--capture-rows", "w", "--upstream", "v"));
	assert_non_null(strstr(l->errors, "FILE:1: workers: "));
	assert_non_null(strstr(l->errors, "FILE:2: bogus: "));
	assert_non_null(strstr(l->errors, "FILE:3: log.level: "));
	assert_non_null(strstr(l->errors, "environment: SIGHTGLASS_LISTEN: "));
	assert_non_null(strstr(l->errors, "command line: --capture-rows: "));
	assert_non_null(strstr(l->errors, "command line: --upstream: "));
	assert_int_equal(l->outcome, SETTINGS_BAD);
}

static void a_flood_of_errors_is_cut_and_counted(void **state)
{
	struct loaded *l = *state;
	struct buffer yaml = BUFFER_INIT;
	size_t lines = 0;

	for (unsigned i = 0; i < 150; i++) {
		buffer_printf(&yaml, "k%u: 1\n", i);
	}
	buffer_append_char(&yaml, '\0');
	load(l, yaml.ptr, NO_VARIABLES, ARGUMENTS("--upstream", URL));
	for (const char *at = l->errors; *at != '\0'; at++) {
		lines += *at == '\n';
	}
	assert_int_equal(lines, 101);
	assert_non_null(strstr(l->errors, "sightglass: and 50 more errors\n"));
	buffer_fini(&yaml);
}

static void a_file_that_is_broken_does_not_make_its_upstreams_missing(void **state)
{
	struct loaded *l = *state;

	load(l, "upstreams: [{url: \"http://x\"}\n", NO_VARIABLES, NO_ARGUMENTS);
	assert_int_equal(l->outcome, SETTINGS_BAD);
	assert_null(strstr(l->errors, "there is no upstream"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_wrong_value_is_told_with_file_line_key_and_what_would_be_right),
		TEST(a_wrong_upstream_or_route_is_told_with_its_place_in_the_list),
		TEST(an_unknown_key_is_refused_with_the_nearest_known_one),
		TEST(what_this_version_has_not_is_an_unknown_key),
		TEST(all_errors_are_told_at_once),
		TEST(a_flood_of_errors_is_cut_and_counted),
		TEST(a_file_that_is_broken_does_not_make_its_upstreams_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
