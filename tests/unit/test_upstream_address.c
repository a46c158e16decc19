/*
 * Tests of pool/upstream_address: what an upstream's URL may say, and what it means.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pool/upstream.h"

static void parses(
	const char *url, const char *host, uint16_t port, const char *authority, const char *path)
{
	struct upstream_address address;
	struct err err = ERR_INIT;

	if (upstream_address_parse(slice_str(url), &address, &err) != ERR_NONE) {
		fail_msg("%s: %s", url, err.text);
	}
	assert_false(address.is_unix);
	assert_string_equal(address.host, host);
	assert_int_equal(address.port, port);
	assert_string_equal(address.authority, authority);
	assert_string_equal(address.path, path);
}

static void is_refused(struct slice url, const char *why)
{
	struct upstream_address address;
	struct err err = ERR_INIT;

	if (upstream_address_parse(url, &address, &err) != ERR_SETTINGS) {
		fail_msg("%.*s was taken", SLICE_ARGS(url));
	}
	if (strstr(err.text, why) == NULL) {
		fail_msg("%.*s: \"%s\" does not say \"%s\"", SLICE_ARGS(url), err.text, why);
	}
	assert_non_null(strstr(err.text, "would be right"));
}

static void refuses(const char *url, const char *why)
{
	is_refused(slice_str(url), why);
}

static void a_host_and_a_port_are_taken_apart(void **state)
{
	(void)state;
	parses("http://127.0.0.1:8000", "127.0.0.1", 8000, "127.0.0.1:8000", "");
	parses("http://api.internal:1", "api.internal", 1, "api.internal:1", "");
	parses("HTTP://my_api-2:65535", "my_api-2", 65535, "my_api-2:65535", "");
	parses("http://api.internal.:8000", "api.internal.", 8000, "api.internal.:8000", "");
}

static void without_a_port_it_is_80_which_no_host_field_shows(void **state)
{
	(void)state;
	parses("http://api", "api", 80, "api", "");
	parses("http://api:80/x", "api", 80, "api", "/x");
}

static void of_https_it_is_443(void **state)
{
	(void)state;
	parses("https://api", "api", 443, "api", "");
	parses("https://api:443/x", "api", 443, "api", "/x");
	parses("https://api:80", "api", 80, "api:80", "");
	parses("HTTPS://[::1]", "::1", 443, "[::1]", "");
}

static void https_is_told_from_http(void **state)
{
	struct upstream_address address;

	(void)state;
	assert_int_equal(upstream_address_parse(SLICE("https://api"), &address, NULL), ERR_NONE);
	assert_true(address.is_https);
	assert_int_equal(upstream_address_parse(SLICE("http://api"), &address, NULL), ERR_NONE);
	assert_false(address.is_https);
}

static void an_ipv6_address_stands_in_brackets(void **state)
{
	(void)state;
	parses("http://[::1]:8000", "::1", 8000, "[::1]:8000", "");
	parses("http://[2001:db8::7]/v1", "2001:db8::7", 80, "[2001:db8::7]", "/v1");
	refuses("http://::1:8000", "");
	refuses("http://[::1", "brackets");
	refuses("http://[127.0.0.1]:80", "brackets");
	refuses("http://[fe80::1%25eth0]:80", "brackets");
	refuses("http://[]:80", "brackets");
	refuses("http://[::1]8000", "port");
}

static void a_path_is_kept_without_the_slashes_at_its_end(void **state)
{
	(void)state;
	parses("http://api:8000/", "api", 8000, "api:8000", "");
	parses("http://api:8000/v1/", "api", 8000, "api:8000", "/v1");
	parses("http://api:8000/v1/a%20b//", "api", 8000, "api:8000", "/v1/a%20b");
}

static void a_unix_socket_is_named_by_its_path(void **state)
{
	struct upstream_address address;

	(void)state;
	assert_int_equal(
		upstream_address_parse(SLICE("unix:/run/api.sock"), &address, NULL), ERR_NONE);
	assert_true(address.is_unix);
	assert_string_equal(address.host, "/run/api.sock");
	assert_string_equal(address.authority, "localhost");
	assert_string_equal(address.path, "");
	refuses("unix:", "whole path");
	refuses("unix:/", "whole path");
	refuses("unix:run/api.sock", "whole path");
	is_refused(SLICE("unix:/run/api\0.sock"), "NUL");
	is_refused(SLICE("unix\0/run/api.sock"), "");
}

static void what_is_too_long_is_refused(void **state)
{
	char url[400];

	(void)state;
	(void)snprintf(url, sizeof(url), "unix:/%0107d", 0);
	refuses(url, "too long");
	(void)snprintf(url, sizeof(url), "http://api/%0300d", 0);
	refuses(url, "too long");
	(void)snprintf(url, sizeof(url), "http://a%063d:80", 0);
	refuses(url, "no host name");
	(void)snprintf(url, sizeof(url), "http://%050d.%050d.%050d.%050d.%050d:80", 0, 0, 0, 0, 0);
	refuses(url, "too long");
	(void)snprintf(url, sizeof(url), "%0300d://api", 0);
	refuses(url, "cannot be reached");
	(void)snprintf(url, sizeof(url), "http://api:%0300d", 0);
	refuses(url, "port");
}

static void a_port_is_a_number_from_1_to_65535(void **state)
{
	(void)state;
	refuses("http://api:", "port");
	refuses("http://api:0", "port");
	refuses("http://api:65536", "port");
	refuses("http://api:80a", "port");
	refuses("http://api:-1", "port");
	refuses("http://api:8000:1", "port");
}

static void what_could_be_read_in_two_ways_is_refused(void **state)
{
	(void)state;
	refuses("", "empty");
	refuses("127.0.0.1:8000", "scheme");
	refuses("api", "scheme");
	refuses("http:api", "scheme");
	refuses("http:/api", "scheme");
	refuses("http://", "no host");
	refuses("http:///v1", "no host");
	refuses("http://:8000", "no host");
	refuses("ftp://api", "\"ftp\"");
	refuses("ftp://api", "\"ftp\"");
	refuses("http://user:secret@api:80", "password");
	refuses("http://api?x=1", "query");
	refuses("http://api/v1?x=1", "query");
	refuses("http://api/v1#top", "fragment");
	refuses("http://a b/", "no host name");
	refuses("http://-api/", "no host name");
	refuses("http://api..internal/", "no host name");
	refuses("http://.api/", "no host name");
	refuses("http://api/a b", "space");
	refuses("http://api/\x01", "control");
	refuses("http://api/\xc3\xa4", "ASCII");
	is_refused(SLICE("http://api\0.internal/"), "");
	is_refused(SLICE("http://api/\0"), "control");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_and_a_port_are_taken_apart),
		cmocka_unit_test(without_a_port_it_is_80_which_no_host_field_shows),
		cmocka_unit_test(of_https_it_is_443),
		cmocka_unit_test(https_is_told_from_http),
		cmocka_unit_test(an_ipv6_address_stands_in_brackets),
		cmocka_unit_test(a_path_is_kept_without_the_slashes_at_its_end),
		cmocka_unit_test(a_unix_socket_is_named_by_its_path),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(a_port_is_a_number_from_1_to_65535),
		cmocka_unit_test(what_could_be_read_in_two_ways_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
