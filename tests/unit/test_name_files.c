/*
 * Tests of what resolv.conf says of waiting for name servers, and of names in a hosts file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/name_files.h"

/* The timeout in milliseconds and the attempts, 1000 and 2 where nothing is said. */
static void expect(const char *text, int timeout_ms, int attempts)
{
	struct name_options options = {.timeout_ms = 1000, .attempts = 2};

	name_files_read_options(slice_str(text), &options);
	assert_int_equal(options.timeout_ms, timeout_ms);
	assert_int_equal(options.attempts, attempts);
}

static void what_is_not_said_stays(void **state)
{
	(void)state;
	expect("", 1000, 2);
	expect("nameserver 10.0.0.1\nsearch a.test b.test\noptions ndots:5\n", 1000, 2);
	expect("options", 1000, 2);
}

static void a_line_of_options_is_read(void **state)
{
	(void)state;
	expect("options timeout:3 attempts:4\n", 3000, 4);
	expect("options ndots:5 timeout:3\tedns0\n", 3000, 2);
	expect("nameserver 10.0.0.1\n  options\tattempts:1", 1000, 1);
	expect("options timeout:3\r\n", 3000, 2);
}

static void the_last_one_counts(void **state)
{
	(void)state;
	expect("options timeout:3 timeout:4\noptions timeout:5\n", 5000, 2);
}

static void what_is_too_small_or_too_large_is_cut(void **state)
{
	(void)state;
	expect("options timeout:0 attempts:0", 1000, 1);
	expect("options timeout:31 attempts:6", NAME_FILES_TIMEOUT_MAX_MS, NAME_FILES_ATTEMPTS_MAX);
	expect("options timeout:4294967295 attempts:4294967295", NAME_FILES_TIMEOUT_MAX_MS,
		NAME_FILES_ATTEMPTS_MAX);
}

static void what_is_wrong_is_passed_over(void **state)
{
	(void)state;
	expect("options timeout: attempts:x timeout:-1 timeout:1s timeout", 1000, 2);
	expect("options timeout:99999999999999999999", 1000, 2);
	expect("#options timeout:3\n; options timeout:3\noption timeout:3\n", 1000, 2);
}

static void the_environment_comes_last(void **state)
{
	struct name_options options;

	(void)state;
	setenv("RES_OPTIONS", "timeout:7 attempts:5", 1);
	name_files_load_options(&options);
	unsetenv("RES_OPTIONS");
	assert_int_equal(options.timeout_ms, 7000);
	assert_int_equal(options.attempts, 5);
}

static const char hosts[] = "# example.test\n127.0.0.1\tlocalhost here # gone.test\n"
			    "::1 ip6-localhost  Other.Test\n\n10.0.0.1\n  10.0.0.2 last.test";

static bool has(const char *name)
{
	return name_files_has_host(slice_str(hosts), slice_str(name));
}

static void the_names_of_a_hosts_file_are_found_in_whichever_case(void **state)
{
	(void)state;
	assert_true(has("localhost"));
	assert_true(has("LOCALHOST"));
	assert_true(has("here"));
	assert_true(has("other.test"));
	assert_true(has("last.test"));
}

static void what_is_no_name_of_a_hosts_file_is_not(void **state)
{
	(void)state;
	assert_false(has("127.0.0.1"));
	assert_false(has("10.0.0.1"));
	assert_false(has("local"));
	assert_false(has("example.test"));
	assert_false(has("gone.test"));
	assert_false(has("#"));
	assert_false(name_files_has_host(slice_str(""), slice_str("localhost")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_said_stays),
		cmocka_unit_test(a_line_of_options_is_read),
		cmocka_unit_test(the_last_one_counts),
		cmocka_unit_test(what_is_too_small_or_too_large_is_cut),
		cmocka_unit_test(what_is_wrong_is_passed_over),
		cmocka_unit_test(the_environment_comes_last),
		cmocka_unit_test(the_names_of_a_hosts_file_are_found_in_whichever_case),
		cmocka_unit_test(what_is_no_name_of_a_hosts_file_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
