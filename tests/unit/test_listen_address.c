/*
 * The addresses that can be listened on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cmocka.h>

#include "proxy/listen_address.h"

static struct listen_settings parsed(const char *text)
{
	struct listen_settings listen;
	struct err err = ERR_INIT;

	if (listen_address_parse(slice_str(text), &listen, &err) != ERR_NONE) {
		fail_msg("%s: %s", text, err.text);
	}
	assert_string_equal(listen.text, text);
	return listen;
}

static void expect_address(const char *text, int family, const char *host, unsigned port)
{
	struct listen_settings listen = parsed(text);
	char found[INET6_ADDRSTRLEN];
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	assert_int_equal(listen.address.ss_family, family);
	memcpy(&v4, &listen.address, sizeof(v4));
	memcpy(&v6, &listen.address, sizeof(v6));
	assert_non_null(
		inet_ntop(family, family == AF_INET ? (void *)&v4.sin_addr : (void *)&v6.sin6_addr,
			found, sizeof(found)));
	assert_string_equal(found, host);
	assert_int_equal(ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port), port);
}

static void expect_refused(const char *text, const char *words)
{
	struct listen_settings listen;
	struct err err = ERR_INIT;

	assert_int_equal(listen_address_parse(slice_str(text), &listen, &err), ERR_SETTINGS);
	if (strstr(err.text, words) == NULL) {
		fail_msg("%s: \"%s\" does not say \"%s\"", text, err.text, words);
	}
}

static void a_host_and_a_port_are_taken_apart(void **state)
{
	(void)state;
	expect_address("127.0.0.1:8080", AF_INET, "127.0.0.1", 8080);
	expect_address("0.0.0.0:0", AF_INET, "0.0.0.0", 0);
	expect_address("[::1]:65535", AF_INET6, "::1", 65535);
	expect_address("[2001:db8::7]:80", AF_INET6, "2001:db8::7", 80);
	assert_false(parsed("0.0.0.0:80").any_family);
	assert_false(parsed("[::]:80").any_family);
}

static void a_port_alone_is_every_address_of_both_families(void **state)
{
	(void)state;
	expect_address(":8080", AF_INET6, "::", 8080);
	assert_true(parsed(":8080").any_family);
}

static void a_name_is_resolved_to_its_ipv4_address_first(void **state)
{
	(void)state;
	expect_address("localhost:8080", AF_INET, "127.0.0.1", 8080);
}

static void a_name_without_an_address_is_refused_with_the_resolvers_words(void **state)
{
	(void)state;
	expect_refused("no..host:80", "has no address (");
}

static void a_unix_socket_is_named_by_its_path(void **state)
{
	struct listen_settings listen = parsed("unix:/run/sightglass.sock");

	(void)state;
	assert_true(listen.is_unix);
	assert_string_equal(listen.path, "/run/sightglass.sock");
	assert_int_equal(listen.address.ss_family, AF_UNIX);
	assert_string_equal(parsed("unix:relative:with:colons").path, "relative:with:colons");
}

static void a_unix_path_may_fill_the_sockets_room_and_no_more(void **state)
{
	char text[128] = "unix:";

	(void)state;
	memset(text + 5, 'x', SETTINGS_UNIX_PATH_MAX - 1);
	assert_int_equal(strlen(parsed(text).path), SETTINGS_UNIX_PATH_MAX - 1);
	text[5 + SETTINGS_UNIX_PATH_MAX - 1] = 'x';
	expect_refused(text, "at most 107");
}

static void a_wrong_address_is_refused_with_the_forms_that_would_be_right(void **state)
{
	char long_text[400];

	(void)state;
	expect_refused("", "has no port");
	expect_refused("8080", "has no port; give HOST:PORT, :PORT, [V6]:PORT or unix:/path");
	expect_refused("localhost", "has no port");
	expect_refused("localhost:", "0 to 65535");
	expect_refused("localhost:http", "0 to 65535");
	expect_refused("127.0.0.1:65536", "0 to 65535");
	expect_refused("127.0.0.1:000080", "0 to 65535");
	expect_refused("127.0.0.1:-1", "0 to 65535");
	expect_refused("::1:8080", "without brackets");
	expect_refused("[::1]", "without brackets, or no port");
	expect_refused("[localhost]:80", "no IPv6 address between its brackets");
	expect_refused("[]:80", "no host");
	expect_refused("unix:", "names no file");
	expect_refused("local host:80", "not an address");
	expect_refused("127.0.0.1:80\n", "not an address");
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	expect_refused(long_text, "not an address");
	memcpy(long_text + 150, ":80", 4);
	expect_refused(long_text, "no host");
}

static void equal_addresses_are_found_however_they_are_written(void **state)
{
	struct listen_settings a = parsed("127.0.0.1:8080"), b = parsed("localhost:8080");

	(void)state;
	assert_true(listen_address_equal(&a, &b));
	b = parsed("127.0.0.1:8081");
	assert_false(listen_address_equal(&a, &b));
	b = parsed("[::1]:8080");
	assert_false(listen_address_equal(&a, &b));
	a = parsed("[0:0::1]:8080");
	assert_true(listen_address_equal(&a, &b));
	a = parsed("unix:/a");
	assert_false(listen_address_equal(&a, &b));
	b = parsed("unix:/a");
	assert_true(listen_address_equal(&a, &b));
	b = parsed("unix:/b");
	assert_false(listen_address_equal(&a, &b));
}

static void two_listeners_on_port_0_are_two(void **state)
{
	struct listen_settings a = parsed("127.0.0.1:0"), b = parsed("127.0.0.1:0");

	(void)state;
	assert_false(listen_address_equal(&a, &b));
	a = b = parsed("[::1]:0");
	assert_false(listen_address_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_and_a_port_are_taken_apart),
		cmocka_unit_test(a_port_alone_is_every_address_of_both_families),
		cmocka_unit_test(a_name_is_resolved_to_its_ipv4_address_first),
		cmocka_unit_test(a_name_without_an_address_is_refused_with_the_resolvers_words),
		cmocka_unit_test(a_unix_socket_is_named_by_its_path),
		cmocka_unit_test(a_unix_path_may_fill_the_sockets_room_and_no_more),
		cmocka_unit_test(a_wrong_address_is_refused_with_the_forms_that_would_be_right),
		cmocka_unit_test(equal_addresses_are_found_however_they_are_written),
		cmocka_unit_test(two_listeners_on_port_0_are_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
