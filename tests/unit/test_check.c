/*
 * What --check prints, and what becomes of secrets among the settings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* --- the token */

static void write_token_file(char *path, const char *text)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void the_token_is_read_from_its_file_without_its_line_end(void **state)
{
	struct loaded *l = *state;
	char path[] = "/tmp/sightglass-token-XXXXXX";

	write_token_file(path, "s3cret-token\r\n");
	load(l, NULL, NO_VARIABLES, ARGUMENTS("--upstream", URL, "--inspector-token-file", path));
	unlink(path);
	expect_good(l);
	assert_string_equal(l->settings.inspector.token, "s3cret-token");
	assert_string_equal(l->settings.inspector.token_file, path);
}

static void a_token_on_the_command_line_overrides_the_files_token_file(void **state)
{
	struct loaded *l = *state;

	load(l, UPSTREAM "inspector: {token_file: /nowhere/token}\n", NO_VARIABLES,
		ARGUMENTS("--inspector-token", "abc"));
	expect_good(l);
	assert_string_equal(l->settings.inspector.token, "abc");
	assert_null(l->settings.inspector.token_file);
}

static void a_token_file_on_the_command_line_overrides_the_files_token(void **state)
{
	struct loaded *l = *state;
	char path[] = "/tmp/sightglass-token-XXXXXX";

	write_token_file(path, "new");
	load(l, UPSTREAM "inspector: {token: old}\n", NO_VARIABLES,
		ARGUMENTS("--inspector-token-file", path));
	unlink(path);
	expect_good(l);
	assert_string_equal(l->settings.inspector.token, "new");
}

static void an_empty_token_file_is_refused(void **state)
{
	struct loaded *l = *state;
	char path[] = "/tmp/sightglass-token-XXXXXX";

	write_token_file(path, "\n");
	load(l, NULL, NO_VARIABLES, ARGUMENTS("--upstream", URL, "--inspector-token-file", path));
	unlink(path);
	expect_error(l, "sightglass: command line: --inspector-token-file: the token is empty; "
			"give a secret, or leave the setting out: one is made at the start then");
}

static void no_error_shows_a_token(void **state)
{
	struct loaded *l = *state;
	char path[] = "/tmp/sightglass-token-XXXXXX";

	write_token_file(path, "hidden in file");
	load(l, "inspector: {token: \"hidden in yaml\"}\n",
		VARIABLES("SIGHTGLASS_INSPECTOR_TOKEN=hidden in variable"),
		ARGUMENTS("--inspector-token-file", path));
	unlink(path);
	assert_int_equal(l->outcome, SETTINGS_BAD);
	assert_null(strstr(l->errors, "hidden"));
}

/* --- --check */

static void expect_printed(const struct loaded *l, const char *text)
{
	if (strstr(l->out, text) == NULL) {
		fail_msg("not printed: %s\nbut: %s", text, l->out);
	}
}

/* What --check prints, loaded again, prints the same. */
static void expect_round_trip(struct loaded *l, const char *yaml, const char *const arguments[])
{
	struct loaded again;

	load(l, yaml, NO_VARIABLES, arguments);
	if (l->outcome != SETTINGS_DONE) {
		fail_msg("refused: %s", l->errors);
	}
	load(&again, l->out, NO_VARIABLES, ARGUMENTS("--check"));
	if (again.outcome != SETTINGS_DONE) {
		fail_msg("printed: %s\nrefused: %s", l->out, again.errors);
	}
	assert_string_equal(again.out, l->out);
	unload(&again);
}

static void the_printed_defaults_load_again_and_give_the_same(void **state)
{
	expect_round_trip(*state, NULL, ARGUMENTS("--check", "--upstream", URL));
	expect_printed(*state, "\nlisten: [\"127.0.0.1:8080\"]\n");
	expect_printed(*state, "\nworkers: auto # ");
	expect_printed(*state, "\n    url: \"" URL "\"\n");
}

static void printed_settings_load_again_and_give_the_same(void **state)
{
	struct buffer yaml = BUFFER_INIT;
	const char *token = strstr(settings_everything, "  token:");

	assert_non_null(token); /* that comes back as a comment only */
	buffer_append(&yaml, settings_everything, (size_t)(token - settings_everything));
	buffer_append_str(&yaml, strchr(token, '\n') + 1);
	buffer_append_char(&yaml, '\0');
	expect_round_trip(*state, yaml.ptr,
		ARGUMENTS("--check", "--exclude-get", "/api/jobs/x", "--exclude-get", "/a~b"));
	expect_printed(*state, "  - prefix: /api/jobs\n    upstream: jobs\n    capture: full\n");
	expect_printed(*state, "  - prefix: \"/api/me*\"\n    methods: [GET, HEAD, DELETE]\n    "
			       "upstream: api\n    capture: row\n    timeouts:\n      total: 0\n");
	expect_printed(*state, "  - prefix: /api/jobs/x\n    methods: [GET, HEAD]\n    upstream: "
			       "jobs\n    capture: row\n");
	expect_printed(*state, "\ntrusted_proxies: [loopback, \"10.0.0.0/8\"]\n");
	expect_printed(*state, "\n    headers: [\"X-Secret-*\", X-Own]\n");
	buffer_fini(&yaml);
}

static void words_that_yaml_would_read_otherwise_are_quoted(void **state)
{
	expect_round_trip(*state,
		"upstreams: [{name: \"null\", url: \"http://x\"}, {name: \"12\", url: \"unix:/a b: "
		"\\\"c\\\" #d\"}, {name: \"on\", url: \"http://y\"}]\n",
		ARGUMENTS("--check"));
	expect_printed(*state, "  - name: \"null\"\n");
	expect_printed(*state, "  - name: \"12\"\n");
	expect_printed(*state, "    url: \"unix:/a b: \\\"c\\\" #d\"\n");
}

static void a_token_is_never_printed(void **state)
{
	struct loaded *l = *state;

	load(l, settings_everything, NO_VARIABLES, ARGUMENTS("--check"));
	assert_int_equal(l->outcome, SETTINGS_DONE);
	assert_null(strstr(l->out, "abc.DEF"));
	expect_printed(l, "\n  # token: [redacted]\n");
}

static void a_token_files_name_is_printed_and_its_token_is_not(void **state)
{
	char path[] = "/tmp/sightglass-token-XXXXXX";

	write_token_file(path, "s3cret");
	expect_round_trip(*state, NULL,
		ARGUMENTS("--check", "--upstream", URL, "--inspector-token-file", path));
	unlink(path);
	expect_printed(*state, "\n  token_file: /tmp/sightglass-token-");
	assert_null(strstr(((struct loaded *)*state)->out, "s3cret"));
	assert_null(strstr(((struct loaded *)*state)->out, "redacted"));
}

static void the_demo_can_be_checked(void **state)
{
	struct loaded *l = *state;

	load(l, NULL, NO_VARIABLES, ARGUMENTS("--check", "--demo"));
	assert_int_equal(l->outcome, SETTINGS_DONE);
	expect_printed(l, "\n# upstreams: the built-in sample (--demo)\n");
}

static uint64_t bound_of(const char *const arguments[])
{
	static const char words[] =
		"# The most memory that the process can take with these settings: ";
	struct loaded l;
	const char *at;
	double mib;

	load(&l, UPSTREAM "limits: {connections: 100}\nworkers: 1\n", NO_VARIABLES, arguments);
	at = strstr(l.out, words);
	assert_non_null(at);
	mib = strtod(at + sizeof(words) - 1, NULL);
	unload(&l);
	return (uint64_t)(mib * 1024.0 * 1024.0);
}

static void check_prints_the_most_memory_it_can_take(void **state)
{
	uint64_t base = bound_of(ARGUMENTS("--check"));

	(void)state;
	assert_true(base > UINT64_C(32) << 20);
	assert_true(base < UINT64_C(300) << 20);
	assert_true(bound_of(ARGUMENTS("--check", "--capture-memory", "132MiB")) >=
		    base + (UINT64_C(99) << 20));
	assert_true(
		bound_of(ARGUMENTS("--check", "--no-inspector")) <= base - (UINT64_C(31) << 20));
	assert_true(bound_of(ARGUMENTS("--check", "--workers", "101")) >=
		    base + 100 * (UINT64_C(64) << 10));
}

static void a_wrong_setting_is_no_effective_configuration(void **state)
{
	struct loaded *l = *state;

	load(l, NULL, NO_VARIABLES, ARGUMENTS("--check", "--upstream", URL, "--workers", "x"));
	assert_int_equal(l->outcome, SETTINGS_BAD);
	assert_string_equal(l->out, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_token_is_read_from_its_file_without_its_line_end),
		TEST(a_token_on_the_command_line_overrides_the_files_token_file),
		TEST(a_token_file_on_the_command_line_overrides_the_files_token),
		TEST(an_empty_token_file_is_refused),
		TEST(no_error_shows_a_token),
		TEST(the_printed_defaults_load_again_and_give_the_same),
		TEST(printed_settings_load_again_and_give_the_same),
		TEST(words_that_yaml_would_read_otherwise_are_quoted),
		TEST(a_token_is_never_printed),
		TEST(a_token_files_name_is_printed_and_its_token_is_not),
		TEST(the_demo_can_be_checked),
		TEST(check_prints_the_most_memory_it_can_take),
		TEST(a_wrong_setting_is_no_effective_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
