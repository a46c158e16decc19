/*
 * Networks in settings, and the addresses that belong to them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cmocka.h>

#include "proxy/network.h"

static bool has(const char *network, const char *address)
{
	struct network list[NETWORK_WORD_MAX];
	struct err err = ERR_INIT;
	unsigned count;

	if (network_parse(slice_str(network), list, &count, &err) != ERR_NONE) {
		fail_msg("%s: %s", network, err.text);
	}
	return network_list_has_text(list, count, address);
}

static void expect_refused(const char *network, const char *words)
{
	struct network list[NETWORK_WORD_MAX];
	struct err err = ERR_INIT;
	unsigned count;

	assert_int_equal(network_parse(slice_str(network), list, &count, &err), ERR_SETTINGS);
	if (strstr(err.text, words) == NULL) {
		fail_msg("%s: \"%s\" does not say \"%s\"", network, err.text, words);
	}
}

static void an_ipv4_network_holds_its_first_and_last_address_and_no_neighbour(void **state)
{
	(void)state;
	assert_true(has("10.0.0.0/8", "10.0.0.0"));
	assert_true(has("10.0.0.0/8", "10.255.255.255"));
	assert_false(has("10.0.0.0/8", "11.0.0.0"));
	assert_false(has("10.0.0.0/8", "9.255.255.255"));
	assert_true(has("192.0.2.64/27", "192.0.2.95"));
	assert_false(has("192.0.2.64/27", "192.0.2.96"));
	assert_false(has("192.0.2.64/27", "192.0.2.63"));
	assert_true(has("0.0.0.0/0", "203.0.113.9"));
}

static void an_ipv6_network_holds_its_first_and_last_address_and_no_neighbour(void **state)
{
	(void)state;
	assert_true(has("2001:db8::/33", "2001:db8:7fff:ffff::1"));
	assert_false(has("2001:db8::/33", "2001:db8:8000::"));
	assert_true(has("::/0", "2001:db8::1"));
	assert_false(has("::/0", "192.0.2.1"));
	assert_false(has("0.0.0.0/0", "2001:db8::1"));
}

static void a_single_address_is_a_network_of_itself(void **state)
{
	(void)state;
	assert_true(has("192.0.2.1", "192.0.2.1"));
	assert_false(has("192.0.2.1", "192.0.2.2"));
	assert_true(has("2001:db8::5", "2001:db8:0::5"));
	assert_false(has("2001:db8::5", "2001:db8::6"));
}

static void loopback_and_private_stand_for_their_networks(void **state)
{
	(void)state;
	assert_true(has("loopback", "127.0.0.1"));
	assert_true(has("loopback", "127.255.0.1"));
	assert_true(has("loopback", "::1"));
	assert_false(has("loopback", "::2"));
	assert_false(has("loopback", "128.0.0.1"));
	assert_true(has("private", "10.1.2.3"));
	assert_true(has("private", "172.31.255.255"));
	assert_false(has("private", "172.32.0.0"));
	assert_true(has("private", "192.168.9.9"));
	assert_true(has("private", "fd12::1"));
	assert_false(has("private", "fe80::1"));
	assert_false(has("private", "127.0.0.1"));
}

static void a_mapped_ipv4_address_is_the_ipv4_address(void **state)
{
	(void)state;
	assert_true(has("10.0.0.0/8", "::ffff:10.1.2.3"));
	assert_true(has("loopback", "::ffff:127.0.0.1"));
	assert_true(has("::ffff:10.0.0.0/104", "10.1.2.3"));
	assert_false(has("::/0", "::ffff:10.1.2.3"));
}

static void what_is_no_address_belongs_nowhere(void **state)
{
	(void)state;
	assert_false(has("0.0.0.0/0", ""));
	assert_false(has("0.0.0.0/0", "unix"));
	assert_false(has("0.0.0.0/0", "10.0.0.1:80"));
	assert_false(has("0.0.0.0/0", "10.0.0"));
}

static void a_socket_address_is_found_as_its_text_is(void **state)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr = {htonl(0x0a000001)}};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	struct network list[NETWORK_WORD_MAX];
	unsigned count;

	(void)state;
	assert_int_equal(network_parse(SLICE("private"), list, &count, NULL), ERR_NONE);
	assert_true(network_list_has(list, count, (struct sockaddr *)&v4));
	assert_false(network_list_has(list, count, (struct sockaddr *)&v6));
	assert_false(network_list_has(list, count, (struct sockaddr *)&local));
	assert_false(network_list_has(list, 0, (struct sockaddr *)&v4));
}

static void loopback_and_unix_sockets_are_local(void **state)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr = {htonl(0x7f000105)}};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_un local = {.sun_family = AF_UNIX};

	(void)state;
	assert_true(network_is_local((struct sockaddr *)&v4));
	assert_true(network_is_local((struct sockaddr *)&v6));
	assert_true(network_is_local((struct sockaddr *)&local));
	v4.sin_addr.s_addr = htonl(0x0a000001);
	v6.sin6_addr = in6addr_any;
	assert_false(network_is_local((struct sockaddr *)&v4));
	assert_false(network_is_local((struct sockaddr *)&v6));
}

static void a_wrong_network_is_refused_with_what_would_be_right(void **state)
{
	(void)state;
	expect_refused("", "10.0.0.0/8");
	expect_refused("everybody", "loopback or private");
	expect_refused("10.0.0.0/33", "/0 to /32");
	expect_refused("10.0.0.0/", "/0 to /32");
	expect_refused("::/129", "/0 to /128");
	expect_refused("10.0.0.0/8x", "/0 to /32");
	expect_refused("10.0.0/8", "not a network");
	expect_refused("10.1.0.0/8", "give 10.0.0.0/8");
	expect_refused("2001:db8::1/32", "give 2001:db8::/32");
	expect_refused("::ffff:10.0.0.0/90", "mixes");
	expect_refused("1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee",
		"not a network");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ipv4_network_holds_its_first_and_last_address_and_no_neighbour),
		cmocka_unit_test(an_ipv6_network_holds_its_first_and_last_address_and_no_neighbour),
		cmocka_unit_test(a_single_address_is_a_network_of_itself),
		cmocka_unit_test(loopback_and_private_stand_for_their_networks),
		cmocka_unit_test(a_mapped_ipv4_address_is_the_ipv4_address),
		cmocka_unit_test(what_is_no_address_belongs_nowhere),
		cmocka_unit_test(a_socket_address_is_found_as_its_text_is),
		cmocka_unit_test(loopback_and_unix_sockets_are_local),
		cmocka_unit_test(a_wrong_network_is_refused_with_what_would_be_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
