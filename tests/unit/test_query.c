/*
 * The inspector's URLs: parameters, filters, what a client accepts, media types.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "http/head_reader.h"
#include "inspector/accept.h"
#include "inspector/media_type.h"
#include "inspector/parameters.h"
#include "inspector/query.h"

struct fixture {
	struct arena_pool pool;
	struct arena arena;
	struct err err;
	struct query query;
};

static struct fixture fixture;

static int setup(void **state)
{
	fixture = (struct fixture){.err = ERR_INIT};
	arena_pool_init(&fixture.pool, 4);
	arena_init(&fixture.arena, &fixture.pool, 64 * 1024);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_reset(&f->arena);
	arena_pool_fini(&f->pool);
	return 0;
}

static void expect_slice(struct slice have, const char *want)
{
	assert_int_equal(have.len, strlen(want));
	assert_memory_equal(have.len == 0 ? "" : have.ptr, want, have.len);
}

static enum err_code parse(struct fixture *f, const char *text, bool whole)
{
	f->err = ERR_INIT;
	return query_parse(slice_str(text), whole, &f->arena, &f->query, &f->err);
}

/* --- parameters */

static void values_are_decoded_as_browsers_encode_forms(void **state)
{
	static const char *const names[] = {"a", "b c"};
	struct fixture *f = *state;
	struct slice values[2];

	assert_int_equal(parameters_parse(SLICE("&a=%41%2bx+y&&b+c=%25=1&"), names, 2, &f->arena,
				 values, &f->err),
		ERR_NONE);
	expect_slice(values[0], "A+x y");
	expect_slice(values[1], "%=1");
	assert_int_equal(
		parameters_parse(SLICE("a"), names, 2, &f->arena, values, &f->err), ERR_NONE);
	assert_non_null(values[0].ptr); /* given, and empty */
	expect_slice(values[0], "");
	assert_null(values[1].ptr);
}

static void an_unknown_parameter_is_told_with_the_nearest_known_one(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "limti=3", false), ERR_SYNTAX);
	assert_non_null(strstr(f->err.text, "\"limti\""));
	assert_non_null(strstr(f->err.text, "\"limit\""));
	assert_int_equal(parse(f, "Status=404", false), ERR_SYNTAX);
	assert_non_null(strstr(f->err.text, "nearest is \"status\""));
	assert_int_equal(parse(f, "min_duration=4", false), ERR_SYNTAX);
	assert_non_null(strstr(f->err.text, "nearest is \"min_duration_ms\""));
	assert_int_equal(parse(f, "body_limit=1", false), ERR_SYNTAX); /* of whole records alone */
	assert_int_equal(parse(f, "body_limit=1", true), ERR_NONE);
	assert_int_equal(f->query.body_limit, 1);
}

static void a_parameter_twice_or_with_a_broken_escape_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "limit=1&limit=2", false), ERR_SYNTAX);
	assert_int_equal(parse(f, "q=%4", false), ERR_SYNTAX);
	assert_int_equal(parse(f, "q=%zz", false), ERR_SYNTAX);
	assert_int_equal(parse(f, "%6=1", false), ERR_SYNTAX);
}

static void a_parameter_is_taken_out_and_the_others_stay_as_they_were_written(void **state)
{
	char rest[64];
	struct slice value;
	size_t len;

	(void)state;
	assert_true(parameters_take(
		SLICE("a=%20&token=x%41&b&tok%65n=2"), SLICE("token"), rest, &len, &value));
	expect_slice(slice_of(rest, len), "a=%20&b");
	expect_slice(value, "x%41");
	assert_true(parameters_take(SLICE("token=1"), SLICE("token"), rest, &len, &value));
	assert_int_equal(len, 0);
	assert_false(parameters_take(SLICE("tokens=1"), SLICE("token"), rest, &len, &value));
	expect_slice(slice_of(rest, len), "tokens=1");
}

/* --- filters */

static void what_is_not_asked_for_has_its_default(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "", true), ERR_NONE);
	assert_int_equal(f->query.limit, 100);
	assert_int_equal(f->query.body_limit, 4096);
	assert_true(f->query.before == UINT64_MAX);
	assert_int_equal(f->query.after, 0);
	assert_false(f->query.polls);
}

static void values_that_are_none_are_refused_by_name(void **state)
{
	static const char *const wrong[] = {"limit=0", "limit=1001", "limit=", "limit=-1",
		"limit=1e2", "before=x", "after=", "after=18446744073709551616",
		"method=", "method=G%20T", "status=", "status=abc", "status=5x", "status=xx",
		"status=0xx", "status=>=", "status==404", "status=1000", "state=", "state=done",
		"polls=yes", "min_duration_ms=", "min_duration_ms=1s", "min_duration_ms=1.",
		"min_duration_ms=.5", "min_duration_ms=1.2345", "min_duration_ms=-1"};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char name[64];

		if (parse(f, wrong[i], false) != ERR_SYNTAX) {
			fail_msg("%s was taken", wrong[i]);
		}
		(void)snprintf(
			name, sizeof(name), "\"%.*s\"", (int)strcspn(wrong[i], "="), wrong[i]);
		assert_non_null(strstr(f->err.text, name));
	}
}

static void a_search_text_has_its_bound(void **state)
{
	struct fixture *f = *state;
	char text[QUERY_TEXT_MAX + 4] = "q=";

	memset(text + 2, 'a', QUERY_TEXT_MAX + 1);
	assert_int_equal(parse(f, text, false), ERR_SYNTAX);
	text[QUERY_TEXT_MAX + 2] = '\0';
	assert_int_equal(parse(f, text, false), ERR_NONE);
}

struct facts_case {
	const char *query;
	unsigned status;
	const char *path;
	bool passes;
};

static void filters_pass_what_they_name(void **state)
{
	static const struct facts_case cases[] = {
		{"", 0, "/", true},
		{"status=404", 404, "/", true},
		{"status=404", 403, "/", false},
		{"status=5xx", 500, "/", true},
		{"status=5XX", 599, "/", true},
		{"status=5xx", 499, "/", false},
		{"status=5xx", 600, "/", false},
		{"status=>=400", 400, "/", true},
		{"status=>=400", 399, "/", false},
		{"status=>400", 400, "/", false},
		{"status=>400", 401, "/", true},
		{"status=%3C400", 399, "/", true},
		{"status=%3C400", 400, "/", false},
		{"status=%3C%3D400", 400, "/", true},
		{"status=%3C400", 0, "/", false}, /* no answer is no small status */
		{"status=0", 0, "/", true},
		{"status=0", 200, "/", false},
		{"path=jobs", 200, "/api/jobs/1", true},
		{"path=Jobs", 200, "/api/jobs/1", false},
		{"path=/api/*", 200, "/api/jobs", true},
		{"path=/api/*", 200, "/x/api/jobs", false},
		{"path=*jobs", 200, "/api/jobs", true},
		{"path=*jobs", 200, "/api/jobs/1", false},
		{"path=/a*/j*s", 200, "/api/jobs", true},
		{"path=/a*/j*s", 200, "/api/jobs/", false},
		{"path=*aa*aa*", 200, "/aaa", false},
		{"path=*aa*aa*", 200, "/aaaa", true},
		{"path=/ab*ba", 200, "/aba", false}, /* the ends do not share a letter */
		{"path=**", 200, "/", true},
		{"method=get", 200, "/", true},
		{"method=GETS", 200, "/", false},
		{"state=complete", 200, "/", true},
		{"state=active", 200, "/", false},
		{"route=/api", 200, "/", true},
		{"route=/ap", 200, "/", false},
		{"min_duration_ms=250", 200, "/", true},
		{"min_duration_ms=250.5", 200, "/", true},
		{"min_duration_ms=250.501", 200, "/", false},
		{"status=2xx&method=POST", 200, "/", false},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct query_facts facts = {
			.method = SLICE("GET"),
			.path = slice_str(cases[i].path),
			.route = SLICE("/api"),
			.status = cases[i].status,
			.state = EXCHANGE_COMPLETE,
			.duration_us = 250500,
		};

		assert_int_equal(parse(f, cases[i].query, false), ERR_NONE);
		if (query_matches(&f->query, &facts) != cases[i].passes) {
			fail_msg("%s of %u %s", cases[i].query, cases[i].status, cases[i].path);
		}
	}
}

/* --- Accept */

static void the_page_goes_to_who_would_rather_have_it(void **state)
{
	static const struct {
		const char *fields;
		bool html;
	} cases[] = {
		{"", false},
		{"Accept: */*\r\n", false},
		{"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n",
			true},
		{"Accept: application/json\r\n", false},
		{"Accept: application/json, text/html;q=0.9\r\n", false},
		{"Accept: application/json;q=0.8, text/html;q=0.9\r\n", true},
		{"Accept: text/html, application/json\r\n", false}, /* no preference */
		{"Accept: text/html;q=0, */*;q=0.1\r\n", false},
		{"Accept: text/*\r\n", true},
		{"Accept: text/*;q=0.3, */*;q=0.2\r\n", true},
		{"Accept: */*;q=0.1\r\nAccept: TEXT/HTML;charset=utf-8\r\n", true},
		{"Accept: application/json;q=0.5, text/html;q=0.55\r\n", true},
		{"Accept: text/html;q=0.5, application/*;q=0.4, application/json;q=0.6\r\n", false},
		{"Accept: text/html;x=\",\";q=0.2, application/json;q=0.1\r\n", true},
		{"Accept: text/html;q=2, application/json;q=0.1\r\n", false},
		{"Accept: text/htmlx, html\r\n", false},
		{"Accept: , ,text/html\r\n", true},
	};
	static const struct head_limits limits = {.bytes = 8192, .fields = 50, .target = 1024};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct head_reader reader;
		struct head head;
		char text[512];
		size_t taken;

		(void)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n%s\r\n", cases[i].fields);
		head_reader_init(&reader, HEAD_REQUEST, &head, &f->arena, &limits);
		assert_int_equal(
			head_reader_feed(&reader, slice_str(text), &taken, &f->err), HEAD_DONE);
		if (accept_prefers_html(&head) != cases[i].html) {
			fail_msg("%s", cases[i].fields);
		}
	}
}

/* --- media types */

static void no_captured_type_makes_a_browser_run_anything(void **state)
{
	static const struct {
		const char *type;
		const char *safe;
	} cases[] = {
		{"application/json; charset=utf-8", "application/json; charset=utf-8"},
		{"image/png", "image/png"},
		{"text/plain", "text/plain"},
		{"text/html", "text/plain"},
		{"Text/HTML; charset=utf-8", "text/plain"},
		{"application/xhtml+xml", "text/plain"},
		{"image/svg+xml", "text/plain"},
		{"text/xml", "text/plain"},
		{"text/javascript", "text/plain"},
		{"application/x-ecmascript", "text/plain"},
		{"text/css", "text/plain"},
		{"multipart/x-mixed-replace; boundary=x", "text/plain"},
		{"", "application/octet-stream"},
		{"nonsense", "application/octet-stream"},
		{"/", "application/octet-stream"},
		{"a/", "application/octet-stream"},
		{"a/b/c", "application/octet-stream"},
		{"image/png, text/html", "application/octet-stream"},
		{"image/png\x80", "application/octet-stream"},
		{"image/png\t", "application/octet-stream"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_slice(media_type_safe(slice_str(cases[i].type)), cases[i].safe);
	}
	assert_string_equal(media_type_extension(SLICE("application/problem+json")), "json");
	assert_string_equal(media_type_extension(SLICE("text/html; charset=x")), "html");
	assert_string_equal(media_type_extension(SLICE("")), "bin");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			values_are_decoded_as_browsers_encode_forms, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_unknown_parameter_is_told_with_the_nearest_known_one, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_parameter_twice_or_with_a_broken_escape_is_refused, setup, teardown),
		cmocka_unit_test(a_parameter_is_taken_out_and_the_others_stay_as_they_were_written),
		cmocka_unit_test_setup_teardown(
			what_is_not_asked_for_has_its_default, setup, teardown),
		cmocka_unit_test_setup_teardown(
			values_that_are_none_are_refused_by_name, setup, teardown),
		cmocka_unit_test_setup_teardown(a_search_text_has_its_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(filters_pass_what_they_name, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_page_goes_to_who_would_rather_have_it, setup, teardown),
		cmocka_unit_test(no_captured_type_makes_a_browser_run_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
