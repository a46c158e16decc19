/*
 * Request targets, hosts, normal paths and the prefixes that cover them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>

#include <cmocka.h>

#include "http/path.h"
#include "http/target.h"
#include "tests/unit/guarded.h"
#include "tests/unit/reading.h"

struct fixture {
	struct reading reading;
	struct target target;
};

static int setup(void **state)
{
	static struct fixture fixture;

	reading_init(&fixture.reading);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	reading_fini(&f->reading);
	return 0;
}

static void expect_slice(struct slice have, const char *want)
{
	if (have.len != strlen(want) || (have.len > 0 && memcmp(have.ptr, want, have.len) != 0)) {
		fail_msg("\"%.*s\" is not \"%s\"", SLICE_ARGS(have), want);
	}
}

/*
 * Reads a request with this method and target and, unless NULL, this Host, and takes its target
 * apart.
 */
static enum err_code take_apart(
	struct fixture *f, const char *method, const char *target, const char *host)
{
	struct buffer text = BUFFER_INIT;
	enum err_code code;

	buffer_printf(&text, "%s %s HTTP/1.1\r\n", method, target);
	if (host != NULL) {
		buffer_printf(&text, "Host: %s\r\n", host);
	}
	buffer_append_str(&text, "\r\n");
	reading_head(&f->reading, HEAD_REQUEST, buffer_slice(&text), 0);
	assert_int_equal(f->reading.progress, HEAD_DONE);
	buffer_fini(&text);
	/* the slices point into the reading's arena and head, which live on */
	code = target_of_request(&f->reading.head, &f->reading.arena, &f->target, &f->reading.err);
	assert_int_equal(f->reading.err.code, code);
	return code;
}

static void the_origin_form_goes_on_byte_for_byte(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take_apart(f, "GET", "/a%2fb//c/./d?x=/../%41&y", "h"), ERR_NONE);
	expect_slice(f->target.path, "/a%2fb//c/./d");
	expect_slice(f->target.query, "x=/../%41&y");
	expect_slice(f->target.origin_form, "/a%2fb//c/./d?x=/../%41&y");
	expect_slice(f->target.normal, "/a%2Fb/c/d");
	assert_true(f->target.has_query);
	assert_int_equal(f->target.authority.len, 0);
	assert_false(f->target.asterisk);

	assert_int_equal(take_apart(f, "GET", "/a?", "h"), ERR_NONE);
	assert_true(f->target.has_query);
	assert_int_equal(f->target.query.len, 0);
	expect_slice(f->target.origin_form, "/a?");
	assert_int_equal(take_apart(f, "GET", "/a", "h"), ERR_NONE);
	assert_false(f->target.has_query);
	assert_int_equal(take_apart(f, "GET", "/?a?b", "h"), ERR_NONE);
	expect_slice(f->target.query, "a?b");
	/* an origin form, though it looks like an authority */
	assert_int_equal(take_apart(f, "GET", "//evil.example/x", "h"), ERR_NONE);
	expect_slice(f->target.path, "//evil.example/x");
	expect_slice(f->target.normal, "/evil.example/x");
}

static void a_path_in_normal_form_is_not_copied(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take_apart(f, "GET", "/api/v1/it%20ems/.x/..y/z.", "h"), ERR_NONE);
	assert_ptr_equal(f->target.normal.ptr, f->target.path.ptr);
	assert_int_equal(f->target.normal.len, f->target.path.len);
}

static void the_absolute_form_names_the_host_again(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		take_apart(f, "GET", "http://Example.com/a/../b?c", "example.COM"), ERR_NONE);
	expect_slice(f->target.scheme, "http");
	expect_slice(f->target.authority, "Example.com");
	expect_slice(f->target.origin_form, "/a/../b?c");
	expect_slice(f->target.path, "/a/../b");
	expect_slice(f->target.normal, "/b");
	assert_int_equal(take_apart(f, "GET", "http://h", "h"), ERR_NONE);
	expect_slice(f->target.origin_form, "/");
	expect_slice(f->target.path, "/");
	expect_slice(f->target.normal, "/");
	assert_int_equal(take_apart(f, "GET", "http://h?q", "h"), ERR_NONE);
	expect_slice(f->target.origin_form, "/?q");
	expect_slice(f->target.path, "/");
	expect_slice(f->target.query, "q");
	assert_int_equal(take_apart(f, "GET", "HTTPS://[::1]:8443/x", "[::1]:8443"), ERR_NONE);
	expect_slice(f->target.path, "/x");
	/* HTTP/1.0 needs no Host; framing asks for it in 1.1 */
	assert_int_equal(take_apart(f, "GET", "http://h/x", NULL), ERR_NONE);
}

static void the_default_port_may_be_written_or_not(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take_apart(f, "GET", "http://h:80/", "h"), ERR_NONE);
	assert_int_equal(take_apart(f, "GET", "http://h/", "h:80"), ERR_NONE);
	assert_int_equal(take_apart(f, "GET", "https://h/", "h:443"), ERR_NONE);
	assert_int_equal(take_apart(f, "GET", "https://h:443/", "h:443"), ERR_NONE);
	assert_int_equal(take_apart(f, "GET", "http://h/", "h:443"), ERR_MISDIRECTED);
	assert_int_equal(take_apart(f, "GET", "https://h:80/", "h"), ERR_MISDIRECTED);
	assert_int_equal(take_apart(f, "GET", "http://h:81/", "h"), ERR_MISDIRECTED);
	assert_int_equal(take_apart(f, "GET", "http://h/", "g"), ERR_MISDIRECTED);
	assert_int_equal(take_apart(f, "GET", "http://h/", "h.example"), ERR_MISDIRECTED);
}

static void the_asterisk_is_for_options_alone(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take_apart(f, "OPTIONS", "*", "h"), ERR_NONE);
	assert_true(f->target.asterisk);
	expect_slice(f->target.path, "*");
	expect_slice(f->target.origin_form, "*");
	expect_slice(f->target.normal, "/");
	assert_int_equal(take_apart(f, "OPTIONS", "http://h", "h"), ERR_NONE);
	assert_true(f->target.asterisk);
	expect_slice(f->target.origin_form, "*");
	assert_int_equal(take_apart(f, "OPTIONS", "http://h/", "h"), ERR_NONE);
	assert_false(f->target.asterisk);
	assert_int_equal(take_apart(f, "OPTIONS", "/", "h"), ERR_NONE);
	assert_false(f->target.asterisk);
	assert_int_equal(take_apart(f, "GET", "*", "h"), ERR_SYNTAX);
	assert_int_equal(take_apart(f, "OPTIONS", "*?a", "h"), ERR_SYNTAX);
}

static void other_forms_are_refused(void **state)
{
	static const char *const targets[] = {"a", "a/b", "?a", "h:80", "//", "http:", "http:/",
		"http:/h/", "http://", "http:///x", "http://:80/", "http://h:/", "http://h:0/",
		"http://h:65536/", "http://u@h/", "http://u:p@h/", "http://h%41/", "http://[::1/",
		"http://[x]/", "ftp://h/", "ws://h/", "javascript:x", "://h/", "/a#b", "/#",
		"http://h/#f", "http://h#f", "http:\\\\h\\"};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		enum err_code code = take_apart(f, "GET", targets[i], "h");

		if (code != ERR_SYNTAX && strcmp(targets[i], "//") != 0) {
			fail_msg("%d of %s", (int)code, targets[i]);
		}
	}
	assert_int_equal(take_apart(f, "CONNECT", "h:80", "h"), ERR_METHOD);
}

static void a_target_beyond_the_arenas_bound_is_a_limit(void **state)
{
	struct fixture *f = *state;
	struct arena none;

	assert_int_equal(take_apart(f, "GET", "/a/../b", "h"), ERR_NONE);
	arena_init(&none, &f->reading.pool, 0);
	assert_int_equal(target_of_request(&f->reading.head, &none, &f->target, NULL), ERR_LIMIT);
	assert_int_equal(take_apart(f, "GET", "http://h?q", "h"), ERR_NONE);
	assert_int_equal(target_of_request(&f->reading.head, &none, &f->target, NULL), ERR_LIMIT);
	assert_int_equal(take_apart(f, "GET", "/b?/../", "h"), ERR_NONE);
	assert_int_equal(target_of_request(&f->reading.head, &none, &f->target, NULL), ERR_NONE);
}

static void a_host_is_a_name_or_an_address_with_a_port_or_without(void **state)
{
	static const char *const good[] = {"h", "example.com", "example.com:1", "h:65535",
		"127.0.0.1:8080", "[::1]", "[::1]:80", "[2001:db8::ff00:42:8329]",
		"[::ffff:1.2.3.4]:1", "a_b-c~d.", "xn--bcher-kva", "a!$&'()*+,;=b"};
	static const char *const bad[] = {"", ":", ":80", "h:", "h:0", "h:65536", "h:000080",
		"h:8o", "h:-1", "h:80:80", "::1", "[::1", "::1]", "[]", "[]:80", "[::1]x",
		"[::1]x80", "[::1]:", "[::1]80", "[1.2.3.4]", "[v1.a]", "[fe80::1%eth0]", "[::1]]",
		"a b", "a/b", "a?b", "a#b", "a@b", "a%41", "a\\b", "a\"b", "a\xC3\xA4", "a\tb",
		"[12345:::::::::::::::::::::::::::::::::::::::::::::::::::::1]"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (!host_valid(guarded_copy(slice_str(good[i])))) {
			fail_msg("%s", good[i]);
		}
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (host_valid(guarded_copy(slice_str(bad[i])))) {
			fail_msg("%s", bad[i]);
		}
	}
	assert_false(host_valid(guarded_copy(SLICE("a\0b"))));
	assert_false(host_valid(guarded_copy(SLICE("[::1\0]"))));
}

static void a_host_is_split_at_its_port(void **state)
{
	struct slice name;
	struct slice port;

	(void)state;
	host_split(SLICE("example.com:8080"), &name, &port);
	expect_slice(name, "example.com");
	expect_slice(port, "8080");
	host_split(SLICE("[::1]:80"), &name, &port);
	expect_slice(name, "::1");
	expect_slice(port, "80");
	host_split(SLICE("[::1]"), &name, &port);
	expect_slice(name, "::1");
	expect_slice(port, "");
	host_split(SLICE("h"), &name, &port);
	expect_slice(name, "h");
	expect_slice(port, "");
}

static void paths_come_into_one_normal_form(void **state)
{
	static const struct {
		const char *path;
		const char *normal;
	} cases[] = {
		{"/", "/"},
		{"", "/"},
		{"//", "/"},
		{"/a", "/a"},
		{"/a/", "/a/"},
		{"/a//b///c", "/a/b/c"},
		{"//a", "/a"},
		{"/a//", "/a/"},
		{"/./a", "/a"},
		{"/a/.", "/a/"},
		{"/a/./", "/a/"},
		{"/a/..", "/"},
		{"/a/../", "/"},
		{"/a/../b", "/b"},
		{"/a/b/..", "/a/"},
		{"/a/b/../..", "/"},
		{"/a/b/../../c", "/c"},
		{"/..", "/"},
		{"/../../../etc/passwd", "/etc/passwd"},
		{"/a//../b", "/b"},
		{"/a/...", "/a/..."},
		{"/a/.b", "/a/.b"},
		{"/a/b.", "/a/b."},
		{"/a/..b", "/a/..b"},
		{"/%61pi", "/api"},
		{"/%41%5A%7a%30%2D%2e%5f%7E", "/AZz0-._~"},
		{"/a/%2e%2e/b", "/b"},
		{"/a/%2E./b", "/b"},
		{"/a/.%2e", "/"},
		{"/%2e/a", "/a"},
		{"/a%2fb", "/a%2Fb"},
		{"/a%2F..%2fb", "/a%2F..%2Fb"},
		{"/a%c3%a4", "/a%C3%A4"},
		{"/%252e%252e/a", "/%252e%252e/a"},
		{"/%25%32%65", "/%252e"},
		{"/a%", "/a%"},
		{"/a%2", "/a%2"},
		{"/a%zz", "/a%zz"},
		{"/a%%41", "/a%A"},
		{"/a b", "/a b"},
		{"/%00", "/%00"},
		{"/a;x=..", "/a;x=.."},
		{"/a\\..\\b", "/a\\..\\b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice path = guarded_copy(slice_str(cases[i].path));
		char normal[64];
		char again[64];
		size_t len = path_normalise(path, normal);

		expect_slice(slice_of(normal, len), cases[i].normal);
		assert_true(len <= path.len + (path.len == 0 ? 1 : 0));
		assert_int_equal(path_is_normal(path), strcmp(cases[i].path, cases[i].normal) == 0);
		len = path_normalise(slice_of(normal, len), again);
		expect_slice(slice_of(again, len), cases[i].normal);
	}
}

static bool covers(const char *text, const char *path)
{
	char normalised[64];
	char normal[64];
	struct prefix prefix;
	struct err err = ERR_INIT;

	if (!prefix_parse(slice_str(text), normalised, &prefix, &err)) {
		fail_msg("%s: %s", text, err.text);
	}
	return prefix_covers(&prefix, slice_of(normal, path_normalise(slice_str(path), normal)));
}

static void a_prefix_covers_whole_segments(void **state)
{
	(void)state;
	assert_true(covers("/api/me", "/api/me"));
	assert_true(covers("/api/me", "/api/me/"));
	assert_true(covers("/api/me", "/api/me/x"));
	assert_false(covers("/api/me", "/api/metrics"));
	assert_false(covers("/api/me", "/api/m"));
	assert_false(covers("/api/me", "/api"));
	assert_false(covers("/api/me", "/API/me"));
	assert_true(covers("/api/me/", "/api/me"));
	assert_true(covers("/api/me/", "/api/me/x"));
	assert_false(covers("/api/me/", "/api/metrics"));
	assert_true(covers("/", "/"));
	assert_true(covers("/", "/anything"));
	/* in any spelling */
	assert_true(covers("/api/me", "//api/./x/../%6De"));
	assert_true(covers("/%61pi//me/.", "/api/me/x"));
	assert_false(covers("/api/me", "/api/me/../metrics"));
	assert_false(covers("/api/me", "/api/me%2Fx"));
}

static void an_open_prefix_covers_any_continuation(void **state)
{
	(void)state;
	assert_true(covers("/api/me*", "/api/me"));
	assert_true(covers("/api/me*", "/api/metrics"));
	assert_true(covers("/api/me*", "/api/me/x"));
	assert_false(covers("/api/me*", "/api/m"));
	assert_true(covers("/api/*", "/api/x"));
	assert_true(covers("/api/*", "/api/"));
	assert_false(covers("/api/*", "/api"));
	assert_false(covers("/api/*", "/apix"));
	assert_true(covers("/*", "/"));
	assert_true(covers("/*", "/x"));
}

static void a_prefix_that_makes_no_sense_is_told(void **state)
{
	static const char *const bad[] = {"", "*", "api", "api/", "http://h/", "/a?b", "/a#b",
		"/a*b", "/a**", "/a b", "/a\xC3\xA4", "/a%", "/a%2*", "/a%zz", "/a/..*", "/a/.*",
		"/..*"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char normalised[64];
		struct prefix prefix;
		struct err err = ERR_INIT;

		if (prefix_parse(slice_str(bad[i]), normalised, &prefix, &err)) {
			fail_msg("%s", bad[i]);
		}
		assert_int_equal(err.code, ERR_SETTINGS);
		assert_int_not_equal(err.text[0], '\0');
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_origin_form_goes_on_byte_for_byte),
		TEST(a_path_in_normal_form_is_not_copied),
		TEST(the_absolute_form_names_the_host_again),
		TEST(the_default_port_may_be_written_or_not),
		TEST(the_asterisk_is_for_options_alone),
		TEST(other_forms_are_refused),
		TEST(a_target_beyond_the_arenas_bound_is_a_limit),
		TEST(a_host_is_a_name_or_an_address_with_a_port_or_without),
		TEST(a_host_is_split_at_its_port),
		TEST(paths_come_into_one_normal_form),
		TEST(a_prefix_covers_whole_segments),
		TEST(an_open_prefix_covers_any_continuation),
		TEST(a_prefix_that_makes_no_sense_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
