/*
 * The command line and the environment: how they are written, and which of them wins.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/load_settings.h"

#define URL "http://127.0.0.1:8000"

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

static void a_value_stands_behind_its_flag_or_behind_an_equals_sign(void **state)
{
	struct loaded *l = *state;

	load(l, NULL, NO_VARIABLES,
		ARGUMENTS("--upstream=http://127.0.0.1:8000/a=b", "--workers", "3",
			"--inspector-prefix=/_i", "--capture-body", "4KiB"));
	expect_good(l);
	assert_string_equal(l->settings.proxy.upstreams[0].url, URL "/a=b");
	assert_int_equal(l->settings.proxy.workers, 3);
	assert_string_equal(l->settings.inspector.prefix, "/_i");
	assert_int_equal(l->settings.inspector.capture.body, 4096);
}

static void lists_are_repeated_on_the_command_line(void **state)
{
	struct loaded *l = *state;

	load(l, NULL, NO_VARIABLES,
		ARGUMENTS("--upstream", URL, "--listen", ":1", "--listen", ":2", "--exclude-get",
			"/a", "--exclude-get", "/b,c"));
	expect_good(l);
	assert_int_equal(l->settings.proxy.listen_count, 2);
	assert_string_equal(l->settings.proxy.listens[1].text, ":2");
	assert_int_equal(l->settings.proxy.route_count, 2);
	assert_string_equal(l->settings.proxy.routes[1].text, "/b,c");
}

static void lists_have_commas_in_the_environment(void **state)
{
	struct loaded *l = *state;

	load(l, NULL,
		VARIABLES("SIGHTGLASS_UPSTREAM=" URL, "SIGHTGLASS_LISTEN=:1, :2,",
			"SIGHTGLASS_EXCLUDE_GET=/a,/b"),
		NO_ARGUMENTS);
	expect_good(l);
	assert_int_equal(l->settings.proxy.listen_count, 2);
	assert_string_equal(l->settings.proxy.listens[1].text, ":2");
	assert_int_equal(l->settings.proxy.route_count, 2);
}

static void a_flag_said_twice_counts_as_it_was_said_last(void **state)
{
	struct loaded *l = *state;

	load(l, NULL, NO_VARIABLES, ARGUMENTS("--upstream", "http://a", "--upstream", "http://b"));
	expect_good(l);
	assert_string_equal(l->settings.proxy.upstreams[0].url, "http://b");
}

static void flag_over_environment_over_file_over_default(void **state)
{
	struct loaded *l = *state;

	load(l,
		"log: {level: error}\ninspector: {capture: {entries: 1, memory: 1MiB, rows: "
		"3}}\nupstreams: [{url: \"http://file\"}]\n",
		VARIABLES("SIGHTGLASS_LOG_LEVEL=warn", "SIGHTGLASS_CAPTURE_MEMORY=2MiB",
			"SIGHTGLASS_UPSTREAM=http://variable"),
		ARGUMENTS("--log-level", "debug"));
	expect_good(l);
	assert_int_equal(l->settings.log.level, LOG_LEVEL_DEBUG);
	assert_int_equal(l->settings.inspector.capture.memory, 2 << 20);
	assert_string_equal(l->settings.proxy.upstreams[0].url, "http://variable");
	assert_int_equal(l->settings.inspector.capture.rows, 3);
	assert_int_equal(l->settings.inspector.capture.body, 256 << 10);
}

static void a_list_replaces_the_one_of_a_weaker_source(void **state)
{
	struct loaded *l = *state;

	load(l, "listen: [\":1\", \":2\"]\n", VARIABLES("SIGHTGLASS_LISTEN=:3,:4"),
		ARGUMENTS("--upstream", URL, "--listen", ":5"));
	expect_good(l);
	assert_int_equal(l->settings.proxy.listen_count, 1);
	assert_string_equal(l->settings.proxy.listens[0].text, ":5");
}

static void an_overridden_value_must_still_be_right(void **state)
{
	struct loaded *l = *state;

	load(l, "workers: many\n", VARIABLES("SIGHTGLASS_WORKERS=some"),
		ARGUMENTS("--upstream", URL, "--workers", "2"));
	expect_error(l, "sightglass: FILE:1: workers: \"many\" is not a number; give one of 1 to "
			"256, or auto");
	expect_error(l, "sightglass: environment: SIGHTGLASS_WORKERS: \"some\" is not a number; "
			"give one of 1 to 256, or auto");
}

static void the_file_can_be_named_in_the_environment(void **state)
{
	struct loaded *l = *state;

	load(l, NULL, VARIABLES("SIGHTGLASS_CONFIG=/nowhere/s.yaml"), ARGUMENTS("--upstream", URL));
	expect_error(l, "sightglass: /nowhere/s.yaml: it cannot be read: No such file or "
			"directory; give a YAML file with --config");
}

static void the_flags_file_counts_and_not_the_environments(void **state)
{
	struct loaded *l = *state;

	load(l, "workers: 7\n", VARIABLES("SIGHTGLASS_CONFIG=/nowhere/s.yaml"),
		ARGUMENTS("--upstream", URL));
	expect_good(l);
	assert_int_equal(l->settings.proxy.workers, 7);
}

static void a_flag_that_needs_no_value_takes_none(void **state)
{
	struct loaded *l = *state;

	load(l, NULL, NO_VARIABLES, ARGUMENTS("--no-inspector", "--upstream", URL));
	expect_good(l);
	assert_false(l->settings.inspector.enabled);
}

static void a_flag_that_needs_no_value_can_have_one(void **state)
{
	struct loaded *l = *state;

	load(l, "inspector: {enabled: false}\n", NO_VARIABLES,
		ARGUMENTS("--no-inspector=off", "--upstream", URL));
	expect_good(l);
	assert_true(l->settings.inspector.enabled);
}

static void no_inspector_can_be_said_in_the_environment_and_the_file(void **state)
{
	struct loaded *l = *state;

	load(l, "inspector: {enabled: true}\n", VARIABLES("SIGHTGLASS_NO_INSPECTOR=true"),
		ARGUMENTS("--upstream", URL));
	expect_good(l);
	assert_false(l->settings.inspector.enabled);
	unload(l);
	load(l, "inspector: {enabled: off}\n", NO_VARIABLES, ARGUMENTS("--upstream", URL));
	expect_good(l);
	assert_false(l->settings.inspector.enabled);
}

static void an_unknown_flag_is_refused_with_the_nearest_known_one(void **state)
{
	struct loaded *l = *state;

	load(l, NULL, NO_VARIABLES,
		ARGUMENTS(
			"--upstream", URL, "--exclude-gets", "/a", "--capture-memroy=1MiB", "-h"));
	expect_error(l, "sightglass: command line: --exclude-gets: unknown flag; the nearest known "
			"one is --exclude-get");
	expect_error(l, "sightglass: command line: --capture-memroy: unknown flag; the nearest "
			"known one is --capture-memory");
	expect_error(
		l, "sightglass: command line: -h: unknown flag; the nearest known one is --help");
	assert_null(strstr(
		l->errors, "\"/a\"")); /* the unknown flag's value is no mistake of its own */
}

static void what_this_version_has_not_is_unknown(void **state)
{
	struct loaded *l = *state;

	load(l, NULL, NO_VARIABLES, ARGUMENTS("--upstream", URL, "--kubeconfig", "F"));
	expect_error(l, "sightglass: command line: --kubeconfig: unknown flag; the nearest known "
			"one is --config");
}

static void an_argument_that_is_no_flag_is_refused(void **state)
{
	struct loaded *l = *state;

	load(l, NULL, NO_VARIABLES, ARGUMENTS(URL, "--upstream", URL));
	expect_error(l, "sightglass: command line: \"" URL
			"\" is not a flag; give --flag value, see --help");
}

static void a_missing_value_is_told_and_does_not_swallow_the_next_flag(void **state)
{
	struct loaded *l = *state;

	load(l, NULL, NO_VARIABLES, ARGUMENTS("--listen", "--upstream", "ftp://x", "--config"));
	expect_error(l, "sightglass: command line: --listen: its value is missing; give --listen "
			"ADDR, or --listen=ADDR");
	expect_error(l, "sightglass: command line: --config: its value is missing; give --config "
			"FILE, or --config=FILE");
	assert_non_null(strstr(l->errors,
		"sightglass: command line: --upstream: an upstream cannot be reached by \"ftp\""));
}

static void an_empty_variable_is_one_that_is_not_set(void **state)
{
	struct loaded *l = *state;

	load(l, NULL,
		VARIABLES("SIGHTGLASS_UPSTREAM=", "SIGHTGLASS_CONFIG=",
			"SIGHTGLASS_INSPECTOR_TOKEN="),
		ARGUMENTS("--upstream", URL));
	expect_good(l);
	assert_null(l->settings.inspector.token);
}

static void an_unknown_variable_of_ours_is_warned_of_and_not_refused(void **state)
{
	struct loaded *l = *state;

	load(l, NULL, VARIABLES("SIGHTGLASS_UPSTREEM=x", "SIGHTGLASSES=2", "HOME=/", "BROKEN"),
		ARGUMENTS("--upstream", URL));
	assert_int_equal(l->outcome, SETTINGS_RUN);
	assert_string_equal(l->errors,
		"sightglass: warning: environment: SIGHTGLASS_UPSTREEM: it is no setting and "
		"changes nothing; the nearest known one is SIGHTGLASS_UPSTREAM\n");
}

static void what_kubernetes_says_of_a_service_of_our_name_is_passed_over(void **state)
{
	struct loaded *l = *state;

	load(l, NULL,
		VARIABLES("SIGHTGLASS_SERVICE_HOST=10.0.0.1", "SIGHTGLASS_SERVICE_PORT=8080",
			"SIGHTGLASS_SERVICE_PORT_HTTP_PROXY=8080",
			"SIGHTGLASS_PORT=tcp://10.0.0.1:8080",
			"SIGHTGLASS_PORT_8080_TCP=tcp://10.0.0.1:8080",
			"SIGHTGLASS_PORT_8080_TCP_PROTO=tcp", "SIGHTGLASS_PORT_8080_TCP_PORT=8080",
			"SIGHTGLASS_PORT_53_UDP_ADDR=10.0.0.1",
			"SIGHTGLASS_API_SERVICE_HOST=10.0.0.2",
			"SIGHTGLASS_API_PORT_80_TCP=tcp://10.0.0.2:80"),
		ARGUMENTS("--upstream", URL));
	expect_good(l);
}

static void what_only_looks_like_kubernetes_is_warned_of(void **state)
{
	struct loaded *l = *state;

	load(l, NULL,
		VARIABLES("SIGHTGLASS_PORT_TCP=1", "SIGHTGLASS_PORT__UDP=1",
			"SIGHTGLASS_PORT_80_HTTP=1", "SIGHTGLASS_PORT_80_TCP_X=1"),
		ARGUMENTS("--upstream", URL));
	assert_non_null(strstr(l->errors, "SIGHTGLASS_PORT_TCP: "));
	assert_non_null(strstr(l->errors, "SIGHTGLASS_PORT__UDP: "));
	assert_non_null(strstr(l->errors, "SIGHTGLASS_PORT_80_HTTP: "));
	assert_non_null(strstr(l->errors, "SIGHTGLASS_PORT_80_TCP_X: "));
}

static void version_and_help_are_no_variables(void **state)
{
	struct loaded *l = *state;

	load(l, NULL, VARIABLES("SIGHTGLASS_VERSION=on", "SIGHTGLASS_HELP=on"),
		ARGUMENTS("--upstream", URL));
	assert_int_equal(l->outcome, SETTINGS_RUN);
}

static void version_is_told(void **state)
{
	struct loaded *l = *state;

	load(l, NULL, NO_VARIABLES, ARGUMENTS("--version"));
	assert_int_equal(l->outcome, SETTINGS_DONE);
	assert_string_equal(l->out, "sightglass " SIGHTGLASS_VERSION "\n");
}

static void help_is_given_whatever_else_is_wrong(void **state)
{
	struct loaded *l = *state;

	load(l, "nonsense: [", NO_VARIABLES, ARGUMENTS("--bogus", "--help"));
	assert_int_equal(l->outcome, SETTINGS_DONE);
	assert_string_equal(l->errors, "");
	assert_non_null(strstr(l->out, "Usage: sightglass"));
}

static void help_names_every_flag_with_its_variable_its_key_and_its_default(void **state)
{
	static const char *const words[] = {"--listen ADDR", "SIGHTGLASS_EXCLUDE_GET",
		"upstreams[0].url",
		"[SIGHTGLASS_CAPTURE_MEMORY; inspector.capture.memory; default: 32MiB]",
		"--no-inspector", "inspector.enabled: false", "--demo", "--check", "--version",
		"timeouts.keep_alive", "upstreams[].pool.queue_timeout", "default: 5s",
		"routes[].capture"};
	struct loaded *l = *state;

	load(l, NULL, NO_VARIABLES, ARGUMENTS("--help"));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strstr(l->out, words[i]) == NULL) {
			fail_msg("not in the help: %s", words[i]);
		}
	}
}

static void help_is_not_wider_than_100_columns(void **state)
{
	struct loaded *l = *state;

	load(l, NULL, NO_VARIABLES, ARGUMENTS("--help"));
	for (const char *line = l->out; *line != '\0'; line += strcspn(line, "\n") + 1) {
		assert_true(strcspn(line, "\n") <= 100);
	}
}

static void what_this_version_has_not_is_absent_from_the_help(void **state)
{
	static const char *const words[] = {"coalesce", "cache", "static", "aggregates"};
	struct loaded *l = *state;

	load(l, NULL, NO_VARIABLES, ARGUMENTS("--help"));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strstr(l->out, words[i]) != NULL) {
			fail_msg("in the help: %s", words[i]);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_value_stands_behind_its_flag_or_behind_an_equals_sign),
		TEST(lists_are_repeated_on_the_command_line),
		TEST(lists_have_commas_in_the_environment),
		TEST(a_flag_said_twice_counts_as_it_was_said_last),
		TEST(flag_over_environment_over_file_over_default),
		TEST(a_list_replaces_the_one_of_a_weaker_source),
		TEST(an_overridden_value_must_still_be_right),
		TEST(the_file_can_be_named_in_the_environment),
		TEST(the_flags_file_counts_and_not_the_environments),
		TEST(a_flag_that_needs_no_value_takes_none),
		TEST(a_flag_that_needs_no_value_can_have_one),
		TEST(no_inspector_can_be_said_in_the_environment_and_the_file),
		TEST(an_unknown_flag_is_refused_with_the_nearest_known_one),
		TEST(what_this_version_has_not_is_unknown),
		TEST(an_argument_that_is_no_flag_is_refused),
		TEST(a_missing_value_is_told_and_does_not_swallow_the_next_flag),
		TEST(an_empty_variable_is_one_that_is_not_set),
		TEST(an_unknown_variable_of_ours_is_warned_of_and_not_refused),
		TEST(what_kubernetes_says_of_a_service_of_our_name_is_passed_over),
		TEST(what_only_looks_like_kubernetes_is_warned_of),
		TEST(version_and_help_are_no_variables),
		TEST(version_is_told),
		TEST(help_is_given_whatever_else_is_wrong),
		TEST(help_names_every_flag_with_its_variable_its_key_and_its_default),
		TEST(help_is_not_wider_than_100_columns),
		TEST(what_this_version_has_not_is_absent_from_the_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
