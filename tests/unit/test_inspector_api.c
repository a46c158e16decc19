/*
 * The inspector's resources: the way to them, the panel, bodies as files, health, the token in the
 * URL.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "inspector/panel_assets.h"
#include "inspector_fixture.h"
#include "pool/pool.h"
#include "pool/upstream_shared.h"

#define BROWSER "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"

static int setup(void **state)
{
	struct inspector_fixture *f = mem_alloc(sizeof(*f));

	inspector_fixture_init(f, "a-token");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	inspector_fixture_fini(*state);
	mem_free(*state);
	return 0;
}

static void expect_problem(struct asked *asked, unsigned status)
{
	char member[32];

	assert_int_equal(asked->status, status);
	assert_string_equal(inspected_field(asked, "Content-Type"), "application/problem+json");
	(void)snprintf(member, sizeof(member), "\"status\":%u,", status);
	assert_non_null(strstr(inspected_body(asked), member));
	assert_non_null(strstr(inspected_body(asked), "\"request_id\":\"asked\"}"));
}

/* --- the way */

static void what_is_not_there_is_a_404_of_the_inspectors_own(void **state)
{
	static const char *const targets[] = {"/_inspector/nothing", "/_inspector/api",
		"/_inspector/api/", "/_inspector/api/requests/", "/_inspector/api/requests/a/b",
		"/_inspector/api/requests/a/request-body/x", "/_inspector/panel",
		"/_inspector/panel/", "/_inspector/panel/none.js", "/_inspector/panel/a/b",
		"/_inspector/panel/index.html", "/_inspector/healthz/",
		"/_inspector/api/requests/none", "/_inspector/api/requests/none/request-body",
		"/_inspector/api/requests/seq:9", "/_inspector/api/requests/seq:x",
		"/_inspector/api/requests/%zz"};
	struct inspector_fixture *f = *state;

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		expect_problem(inspect_get(f, targets[i]), 404);
	}
}

static void a_method_that_means_nothing_is_told_what_does(void **state)
{
	struct inspector_fixture *f = *state;
	const char *origin = "Origin: http://localhost\r\n";

	expect_problem(inspect(f, "POST", "/_inspector/api/requests", origin), 405);
	assert_string_equal(inspected_field(&f->asked, "Allow"), "GET, HEAD, DELETE");
	expect_problem(inspect(f, "DELETE", "/_inspector/api/requests/a", origin), 405);
	assert_string_equal(inspected_field(&f->asked, "Allow"), "GET, HEAD");
	expect_problem(inspect(f, "PUT", "/_inspector/healthz", ""), 405);
	expect_problem(inspect(f, "OPTIONS", "/_inspector/", ""), 405);
}

static void parameters_that_are_not_known_are_refused(void **state)
{
	struct inspector_fixture *f = *state;

	expect_problem(inspect_get(f, "/_inspector/api/requests?limti=1"), 400);
	assert_non_null(strstr(inspected_body(&f->asked), "\\\"limti\\\""));
	fake_run(inspector_fixture_observer(f), "GET", "a", 200, SLICE(""), SLICE("x"));
	expect_problem(inspect_get(f, "/_inspector/api/requests/a?x=1"), 400);
	expect_problem(inspect_get(f, "/_inspector/api/requests/a/response-body?decoded=2"), 400);
	assert_non_null(strstr(inspected_body(&f->asked), "\\\"decoded\\\""));
	expect_problem(inspect(f, "DELETE", "/_inspector/api/requests?x=1",
			       "Origin: http://localhost\r\n"),
		400);
	assert_int_equal(inspect_get(f, "/_inspector/api/requests/a")->status,
		200); /* nothing was cleared */
}

static void every_answer_is_safe_in_a_browser(void **state)
{
	static const char *const targets[] = {"/_inspector/", "/_inspector/api/requests",
		"/_inspector/healthz", "/_inspector/nothing", "/_inspector/panel/main.js",
		"/_inspector/?token=a-token"};
	struct inspector_fixture *f = *state;

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		struct asked *asked = inspect_get(f, targets[i]);

		assert_string_equal(inspected_field(asked, "X-Content-Type-Options"), "nosniff");
		assert_string_equal(inspected_field(asked, "Referrer-Policy"), "no-referrer");
		assert_string_equal(
			inspected_field(asked, "Cross-Origin-Resource-Policy"), "same-origin");
		assert_string_equal(inspected_field(asked, "Access-Control-Allow-Origin"), "");
		assert_non_null(strstr(
			inspected_field(asked, "Content-Security-Policy"), "default-src 'none'"));
		assert_non_null(strstr(inspected_field(asked, "Content-Security-Policy"),
			"frame-ancestors 'none'"));
		assert_string_equal(inspected_field(asked, "Cache-Control"),
			strstr(targets[i], "panel/") == NULL ? "no-store" : "no-cache");
	}
}

static void a_page_of_another_origin_gets_nothing_to_read(void **state)
{
	struct inspector_fixture *f = *state;

	expect_problem(
		inspect(f, "GET", "/_inspector/api/requests", "Origin: http://evil\r\n"), 403);
	assert_string_equal(inspected_field(&f->asked, "Access-Control-Allow-Origin"), "");
	expect_problem(
		inspect(f, "OPTIONS", "/_inspector/api/requests", "Origin: http://evil\r\n"), 403);
}

/* --- who may look */

static void a_refusal_says_why_and_what_would_be_right(void **state)
{
	struct inspector_fixture *f = *state;

	expect_problem(inspect(f, "GET", "/_inspector/", "Via: 1.1 edge\r\n"), 401);
	assert_string_equal(
		inspected_field(&f->asked, "WWW-Authenticate"), "Bearer realm=\"sightglass\"");
	expect_problem(
		inspect(f, "GET", "/_inspector/", "Via: 1.1 edge\r\nAuthorization: Bearer x\r\n"),
		401);
	assert_non_null(strstr(inspected_field(&f->asked, "WWW-Authenticate"), "invalid_token"));
	expect_problem(inspect(f, "GET", "/_inspector/", "Host: evil.example\r\n"), 403);
	expect_problem(inspect(f, "DELETE", "/_inspector/api/requests", ""), 403);
	/* what is there and what is not looks the same from outside */
	expect_problem(inspect(f, "GET", "/_inspector/nothing", "Via: 1.1 edge\r\n"), 401);
}

static void a_token_in_the_url_becomes_a_cookie(void **state)
{
	struct inspector_fixture *f = *state;
	struct asked *asked =
		inspect(f, "GET", "/_inspector/api/requests?limit=5&token=a%2Dtoken&state=complete",
			"Via: 1.1 edge\r\n");
	char cookie[512];
	char *end;

	assert_int_equal(asked->status, 307);
	assert_string_equal(inspected_field(asked, "Location"),
		"/_inspector/api/requests?limit=5&state=complete");
	(void)snprintf(cookie, sizeof(cookie), "Via: 1.1 edge\r\nCookie: %s",
		inspected_field(asked, "Set-Cookie"));
	end = strstr(cookie, "; Path=/_inspector; HttpOnly; SameSite=Strict");
	assert_non_null(end);
	assert_string_equal(end, "; Path=/_inspector; HttpOnly; SameSite=Strict");
	assert_null(strstr(cookie, "a-token"));
	(void)strcpy(end, "\r\n");
	assert_int_equal(inspect(f, "GET", "/_inspector/api/requests", cookie)->status, 200);
	/* without a further parameter nothing is left of the query */
	asked = inspect(f, "GET", "/_inspector?token=a-token", "Via: 1.1 edge\r\n");
	assert_string_equal(inspected_field(asked, "Location"), "/_inspector");
}

static void a_wrong_token_in_the_url_sets_no_cookie(void **state)
{
	struct inspector_fixture *f = *state;

	expect_problem(inspect_get(f, "/_inspector/?token=a-toke"), 401);
	expect_problem(inspect_get(f, "/_inspector/?token=%zz"), 401);
	expect_problem(inspect_get(f, "/_inspector/?token"), 401);
	assert_string_equal(inspected_field(&f->asked, "Set-Cookie"), "");
}

static void no_redirect_leads_to_another_host(void **state)
{
	struct inspector_fixture *f = *state;

	assert_string_equal(
		inspected_field(inspect_get(f, "//_inspector//?token=a-token"), "Location"),
		"/_inspector/");
	assert_string_equal(
		inspected_field(inspect(f, "GET", "//_inspector?x=//y", BROWSER), "Location"),
		"/_inspector/?x=//y");
}

/* --- the panel */

static void a_browser_gets_the_panel_and_a_program_the_list(void **state)
{
	struct inspector_fixture *f = *state;
	struct asked *asked = inspect(f, "GET", "/_inspector/", BROWSER);

	assert_int_equal(asked->status, 200);
	assert_string_equal(inspected_field(asked, "Content-Type"), "text/html; charset=utf-8");
	assert_string_equal(inspected_field(asked, "Vary"), "Accept");
	assert_string_equal(inspected_field(asked, "Content-Security-Policy"),
		"default-src 'none'; script-src 'self'; style-src 'self'; "
		"img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; "
		"form-action 'none'; frame-ancestors 'none'");
	asked = inspect(f, "GET", "/_inspector?limit=5", BROWSER);
	assert_int_equal(asked->status, 307);
	assert_string_equal(inspected_field(asked, "Location"), "/_inspector/?limit=5");
	asked = inspect(f, "GET", "/_inspector", "Accept: */*\r\n");
	assert_string_equal(inspected_field(asked, "Content-Type"), "application/json");
	assert_string_equal(inspected_field(asked, "Vary"), "Accept");
	assert_non_null(strstr(inspected_body(asked), "{\"items\":[],\"count\":0,"));
	assert_int_equal(inspect(f, "HEAD", "/_inspector/", BROWSER)->body.len, 0);
}

static void the_panels_files_are_kept_by_their_tag(void **state)
{
	struct inspector_fixture *f = *state;

	assert_true(panel_assets_count > 1);
	for (size_t i = 0; i < panel_assets_count; i++) {
		const struct asset *asset = &panel_assets[i];
		char target[128];
		char condition[160];
		struct asked *asked;

		if (strcmp(asset->name, "index.html") == 0) {
			continue;
		}
		(void)snprintf(target, sizeof(target), "/_inspector/panel/%s?v=1", asset->name);
		asked = inspect_get(f, target);
		assert_int_equal(asked->status, 200);
		assert_string_equal(inspected_field(asked, "Content-Type"), asset->content_type);
		assert_int_equal(asked->body.len, asset->size);
		assert_memory_equal(inspected_body(asked), asset->bytes, asset->size);
		(void)snprintf(condition, sizeof(condition), "If-None-Match: \"x\", %s\r\n",
			inspected_field(asked, "ETag"));
		asked = inspect(f, "GET", target, condition);
		assert_int_equal(asked->status, 304);
		assert_int_equal(asked->body.len, 0);
		assert_string_equal(inspected_field(asked, "Content-Length"), "");
		assert_int_equal(
			inspect(f, "GET", target, "If-None-Match: \"other\"\r\n")->status, 200);
	}
}

/* --- bodies */

static void run_typed(
	struct inspector_fixture *f, const char *id, const char *fields, struct slice body)
{
	struct fake_exchange fake;
	char head[512];

	fake_begin(&fake, inspector_fixture_observer(f), "GET / HTTP/1.1\r\nHost: a\r\n\r\n", id,
		CAPTURE_FULL);
	fake_request_end(&fake, NULL);
	(void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\n%s\r\n", fields);
	fake_response(&fake, head);
	fake_response_data(&fake, body);
	fake_response_end(&fake, NULL);
	fake_finish(&fake, EXCHANGE_COMPLETE, ERR_NONE);
}

static void a_captured_body_is_a_file_that_no_browser_runs(void **state)
{
	static const struct {
		const char *fields;
		const char *type;
		const char *name;
	} cases[] = {
		{"Content-Type: application/json\r\n", "application/json", "response-1.json"},
		{"Content-Type: text/html; charset=utf-8\r\n", "text/plain", "response-2.html"},
		{"", "application/octet-stream", "response-3.bin"},
		{"Content-Type: image/png\r\n", "image/png", "response-4.png"},
		{"Content-Type: text/plain\r\nContent-Encoding: gzip\r\n",
			"application/octet-stream", "response-5.bin"},
		{"Content-Type: text/plain\r\nContent-Encoding: identity\r\n", "text/plain",
			"response-6.txt"},
		{"Content-Type: \x80\r\n", "application/octet-stream", "response-7.bin"},
	};
	struct inspector_fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char want[64];
		struct asked *asked;

		run_typed(f, "typed", cases[i].fields, SLICE("<script>"));
		asked = inspect_get(f, "/_inspector/api/requests/typed/response-body");
		assert_int_equal(asked->status, 200);
		assert_string_equal(inspected_body(asked), "<script>");
		assert_string_equal(inspected_field(asked, "Content-Type"), cases[i].type);
		(void)snprintf(want, sizeof(want), "attachment; filename=\"%s\"", cases[i].name);
		assert_string_equal(inspected_field(asked, "Content-Disposition"), want);
	}
	assert_int_equal(
		inspect_get(f, "/_inspector/api/requests/typed/request-body")->status, 200);
	assert_string_equal(inspected_field(&f->asked, "Content-Length"), "0");
}

static void records_are_found_by_any_id_that_a_client_may_send(void **state)
{
	struct inspector_fixture *f = *state;

	fake_run(inspector_fixture_observer(f), "GET", "a/b+c:d=e@f", 200, SLICE(""), SLICE("x"));
	fake_run(inspector_fixture_observer(f), "GET", "same", 200, SLICE(""), SLICE("older"));
	fake_run(inspector_fixture_observer(f), "GET", "same", 200, SLICE(""), SLICE("newer"));
	assert_int_equal(
		inspect_get(f, "/_inspector/api/requests/a%2Fb%2Bc%3Ad%3De%40f")->status, 200);
	assert_int_equal(inspect_get(f, "/_inspector/api/requests/a%2Fb+c:d=e@f")->status, 200);
	assert_string_equal(inspected_body(inspect_get(
				    f, "/_inspector/api/requests/a%2fb+c:d=e@f/response-body")),
		"x");
	assert_string_equal(
		inspected_body(inspect_get(f, "/_inspector/api/requests/same/response-body")),
		"newer");
	assert_string_equal(
		inspected_body(inspect_get(f, "/_inspector/api/requests/seq:2/response-body")),
		"older");
	assert_int_equal(inspect_get(f, "/_inspector/api/requests/seq%3A2")->status, 200);
}

static void clearing_takes_what_has_ended(void **state)
{
	struct inspector_fixture *f = *state;
	struct fake_exchange running;

	fake_run(inspector_fixture_observer(f), "GET", "ended", 200, SLICE(""), SLICE("x"));
	fake_begin(&running, inspector_fixture_observer(f), "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"running", CAPTURE_FULL);
	assert_int_equal(
		inspect(f, "DELETE", "/_inspector/api/requests", "Origin: http://localhost\r\n")
			->status,
		204);
	assert_string_equal(inspected_field(&f->asked, "Content-Length"), "");
	assert_int_equal(inspect_get(f, "/_inspector/api/requests/ended")->status, 404);
	assert_int_equal(inspect_get(f, "/_inspector/api/requests/running")->status, 200);
	fake_finish(&running, EXCHANGE_COMPLETE, ERR_NONE);
}

/* --- health */

enum {
	UPSTREAMS = 2,
};

struct upstreams { /* on ports that are bound; whether one listens, each test says */
	struct upstream *upstreams[UPSTREAMS];
	struct pool *pools[UPSTREAMS];
	int sockets[UPSTREAMS];
	unsigned open;
};

static void on_pool_closed(void *context)
{
	((struct upstreams *)context)->open--;
}

static void upstreams_init(struct inspector_fixture *f, struct upstreams *all)
{
	for (unsigned i = 0; i < UPSTREAMS; i++) {
		struct sockaddr_in address = {.sin_family = AF_INET};
		socklen_t len = sizeof(address);
		struct upstream_address where = {.host = "127.0.0.1"};

		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		all->sockets[i] = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(
			bind(all->sockets[i], (struct sockaddr *)&address, sizeof(address)), 0);
		assert_int_equal(
			getsockname(all->sockets[i], (struct sockaddr *)&address, &len), 0);
		where.port = ntohs(address.sin_port);
		all->upstreams[i] = upstream_create("api", &where, &pool_settings_default);
		all->pools[i] = pool_create(&f->worker.loop, all->upstreams[i]);
	}
	all->open = UPSTREAMS;
	f->worker.pools = all->pools;
	f->proxy_settings.upstream_count = UPSTREAMS;
}

static void all_have_failed(struct upstreams *all)
{
	const struct err err = {.code = ERR_CONNECT, .text = "connect: refused"};

	for (unsigned i = 0; i < UPSTREAMS; i++) {
		upstream_tried(all->upstreams[i], &err);
	}
}

static void upstreams_fini(struct inspector_fixture *f, struct upstreams *all)
{
	inspect_finish(f);
	for (unsigned i = 0; i < UPSTREAMS; i++) {
		pool_close(all->pools[i], on_pool_closed, all);
	}
	while (all->open > 0) {
		inspect_turn(f);
	}
	for (unsigned i = 0; i < UPSTREAMS; i++) {
		upstream_destroy(all->upstreams[i]);
		(void)close(all->sockets[i]);
	}
}

static void health_needs_neither_token_nor_host(void **state)
{
	struct inspector_fixture *f = *state;
	struct upstreams all;

	upstreams_init(f, &all);
	assert_int_equal(
		inspect(f, "GET", "/_inspector/healthz", "Host: evil.example\r\nVia: 1.1 x\r\n")
			->status,
		200);
	assert_string_equal(inspected_body(&f->asked), "ok\n");
	assert_int_equal(
		inspect(f, "GET", "/_inspector/readyz", "Host: evil.example\r\nVia: 1.1 x\r\n")
			->status,
		200);
	assert_string_equal(inspected_body(&f->asked), "ok\n");
	upstreams_fini(f, &all);
}

static void a_process_that_drains_lives_but_is_not_ready(void **state)
{
	struct inspector_fixture *f = *state;

	f->worker.draining = true;
	assert_int_equal(inspect_get(f, "/_inspector/healthz")->status, 200);
	expect_problem(inspect_get(f, "/_inspector/readyz"), 503);
}

static void without_an_upstream_it_is_not_ready_until_one_can_be_reached_again(void **state)
{
	struct inspector_fixture *f = *state;
	struct upstreams all;

	upstreams_init(f, &all);
	all_have_failed(&all);
	expect_problem(inspect_get(f, "/_inspector/readyz"), 503);
	/* no traffic tried it meanwhile: the question itself finds out */
	assert_int_equal(listen(all.sockets[1], 5), 0);
	assert_int_equal(inspect_get(f, "/_inspector/readyz")->status, 200);
	assert_true(upstream_reachable(all.upstreams[1]));
	upstreams_fini(f, &all);
}

static void two_upstreams_that_come_back_at_once_make_one_answer(void **state)
{
	struct inspector_fixture *f = *state;
	struct upstreams all;

	upstreams_init(f, &all);
	all_have_failed(&all);
	assert_int_equal(listen(all.sockets[0], 5), 0);
	assert_int_equal(listen(all.sockets[1], 5), 0);
	assert_int_equal(inspect_get(f, "/_inspector/readyz")->status, 200);
	for (unsigned i = 0; i < 20; i++) {
		inspect_turn(f);
	}
	upstreams_fini(f, &all);
}

static void who_asked_for_readiness_may_leave_before_the_answer(void **state)
{
	struct inspector_fixture *f = *state;
	struct upstreams all;

	upstreams_init(f, &all);
	all_have_failed(&all);
	(void)inspect_begin(f, "GET", "/_inspector/readyz", "");
	loop_settle(&f->worker.loop); /* the attempts are under way */
	assert_int_equal(f->asked.status, 0);
	inspect_finish(f);
	for (unsigned i = 0; i < 20; i++) {
		inspect_turn(f);
	}
	upstreams_fini(f, &all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_is_not_there_is_a_404_of_the_inspectors_own, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_method_that_means_nothing_is_told_what_does, setup, teardown),
		cmocka_unit_test_setup_teardown(
			parameters_that_are_not_known_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(every_answer_is_safe_in_a_browser, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_page_of_another_origin_gets_nothing_to_read, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_refusal_says_why_and_what_would_be_right, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_token_in_the_url_becomes_a_cookie, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_wrong_token_in_the_url_sets_no_cookie, setup, teardown),
		cmocka_unit_test_setup_teardown(no_redirect_leads_to_another_host, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_browser_gets_the_panel_and_a_program_the_list, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_panels_files_are_kept_by_their_tag, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_captured_body_is_a_file_that_no_browser_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(
			records_are_found_by_any_id_that_a_client_may_send, setup, teardown),
		cmocka_unit_test_setup_teardown(clearing_takes_what_has_ended, setup, teardown),
		cmocka_unit_test_setup_teardown(
			health_needs_neither_token_nor_host, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_process_that_drains_lives_but_is_not_ready, setup, teardown),
		cmocka_unit_test_setup_teardown(
			without_an_upstream_it_is_not_ready_until_one_can_be_reached_again, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			two_upstreams_that_come_back_at_once_make_one_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(
			who_asked_for_readiness_may_leave_before_the_answer, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
