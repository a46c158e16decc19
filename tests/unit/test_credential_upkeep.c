/*
 * Tests of pool/credential_upkeep: credentials that are read from files and plugins, and kept good.
 * Plugins are small shell scripts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "pool/credential_source.h"
#include "pool/credential_upkeep.h"
#include "tests/unit/temporary.h"

enum {
	TEST_SECONDS = 60,
};

struct fixture {
	struct temporary files;
	char token[TEMPORARY_PATH_SIZE];
	char config[TEMPORARY_PATH_SIZE];
	char plugin[TEMPORARY_PATH_SIZE];
	struct kubeconfig_url url;
	struct credential_place place;
	struct loop loop;
	uv_prepare_t keeper;
	struct file_watch *watch;
	struct upstream *upstream;
	struct credential_upkeep *upkeep;
	struct err err;
};

static void on_prepare(uv_prepare_t *prepare)
{
	(void)prepare;
}

static int setup(void **state)
{
	static struct fixture f;
	struct upstream_address address;

	f = (struct fixture){.err = ERR_INIT};
	alarm(TEST_SECONDS);
	temporary_init(&f.files);
	(void)temporary_path(&f.files, "token", f.token);
	(void)temporary_path(&f.files, "config", f.config);
	(void)temporary_path(&f.files, "plugin", f.plugin);
	f.url.file = f.config;
	f.place.scope.methods = CREDENTIAL_EVERY_METHOD;
	assert_int_equal(loop_init(&f.loop), 0);
	(void)uv_prepare_init(&f.loop.uv, &f.keeper);
	(void)uv_prepare_start(&f.keeper, on_prepare);
	f.watch = file_watch_create(&f.loop);
	assert_int_equal(upstream_address_parse(SLICE("http://127.0.0.1:1"), &address, NULL), 0);
	f.upstream = upstream_create("api", &address, &pool_settings_default);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	file_watch_close(f->watch);
	credential_upkeep_close(f->upkeep);
	uv_close((uv_handle_t *)&f->keeper, NULL);
	loop_run(&f->loop);
	loop_fini(&f->loop);
	upstream_destroy(f->upstream);
	temporary_fini(&f->files);
	alarm(0);
	return 0;
}

static void create(struct fixture *f)
{
	f->upkeep = credential_upkeep_create(f->upstream, &f->place, &f->err);
	if (f->upkeep == NULL) {
		fail_msg("%s", f->err.text);
	}
	credential_upkeep_start(f->upkeep, &f->loop, f->watch);
	loop_settle(&f->loop);
}

static bool holds(struct fixture *f, const char *value)
{
	uint32_t generation;
	struct credential *credential =
		credential_source_hold(upstream_credential_source(f->upstream), &generation);
	bool same = slice_equal(credential_field_value(credential), slice_str(value));

	credential_unref(credential);
	return same;
}

static struct credential_status status_of(struct fixture *f)
{
	struct credential_status status;

	credential_source_status(upstream_credential_source(f->upstream), &status);
	return status;
}

#define RUN_UNTIL(f, condition)                                                                    \
	while (!(condition)) {                                                                     \
		(void)uv_run(&(f)->loop.uv, UV_RUN_ONCE);                                          \
	}

static void write_token(struct fixture *f, const char *text)
{
	temporary_write(&f->files, "token", slice_str(text));
}

static void write_plugin(struct fixture *f, const char *commands)
{
	struct buffer text = BUFFER_INIT;

	buffer_printf(&text, "#!/bin/sh\n%s\n", commands);
	temporary_write(&f->files, "plugin", buffer_slice(&text));
	buffer_fini(&text);
	assert_int_equal(chmod(f->plugin, 0700), 0);
}

static void write_config(struct fixture *f, const char *user)
{
	struct buffer text = BUFFER_INIT;

	buffer_printf(&text,
		"current-context: it\n"
		"contexts: [{name: it, context: {cluster: there, user: me}}]\n"
		"clusters: [{name: there, cluster: {server: \"http://127.0.0.1:1\"}}]\n"
		"users: [{name: me, user: {%s}}]\n",
		user);
	temporary_write(&f->files, "config", buffer_slice(&text));
	buffer_fini(&text);
	f->place.kubeconfig = &f->url;
}

static void use_plugin(struct fixture *f, const char *commands)
{
	write_plugin(f, commands);
	write_config(f, "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, "
			"interactiveMode: Never}");
}

#define ANSWER(status)                                                                             \
	"echo '{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": "                   \
	"\"ExecCredential\", \"status\": {" status "}}'"

static void a_token_is_read_at_the_start_and_when_its_file_changes(void **state)
{
	struct fixture *f = *state;

	write_token(f, "first\n");
	f->place.bearer_file = f->token;
	create(f);
	assert_true(holds(f, "Bearer first"));
	write_token(f, "the second");
	RUN_UNTIL(f, status_of(f).err.code != ERR_NONE);
	assert_non_null(strstr(status_of(f).err.text, " holds a space"));
	assert_true(holds(f, "Bearer first")); /* what was good stays */
	write_token(f, "third");
	RUN_UNTIL(f, holds(f, "Bearer third"));
	assert_int_equal(status_of(f).err.code, ERR_NONE);
}

static void a_field_has_its_name_and_value(void **state)
{
	struct fixture *f = *state;

	write_token(f, "the value\n");
	f->place.header = "X-Key";
	f->place.header_file = f->token;
	create(f);
	assert_true(holds(f, "the value"));
	assert_string_equal(status_of(f).kind, "header");
}

static void a_file_that_is_missing_stops_the_start(void **state)
{
	struct fixture *f = *state;

	f->place.bearer_file = f->token;
	assert_null(credential_upkeep_create(f->upstream, &f->place, &f->err));
	assert_int_equal(f->err.code, ERR_SETTINGS);
	assert_non_null(strstr(f->err.text, "token cannot be read"));
}

static void a_token_that_has_ended_is_told_and_replaced_by_the_next(void **state)
{
	struct fixture *f = *state;

	write_token(f, "eyJhbGciOiJub25lIn0.eyJleHAiOjEwMDB9.c2ln"); /* {"exp":1000} */
	f->place.bearer_file = f->token;
	create(f);
	assert_int_equal(status_of(f).expires_s, 1000);
	assert_string_equal(
		status_of(f).err.text, "what was read last ended at 1970-01-01T00:16:40Z");
	write_token(f, "fresh");
	RUN_UNTIL(f, holds(f, "Bearer fresh"));
}

static void one_that_has_ended_never_replaces_one_that_lives(void **state)
{
	struct fixture *f = *state;

	write_token(f, "living");
	f->place.bearer_file = f->token;
	create(f);
	write_token(f, "eyJhbGciOiJub25lIn0.eyJleHAiOjEwMDB9.c2ln"); /* {"exp":1000} */
	credential_upkeep_reread(f->upkeep);
	assert_true(holds(f, "Bearer living"));
	assert_string_equal(
		status_of(f).err.text, "what was read last ended at 1970-01-01T00:16:40Z");
}

static void a_kubeconfig_says_who_we_are(void **state)
{
	struct fixture *f = *state;

	write_config(f, "token: abc");
	create(f);
	assert_true(holds(f, "Bearer abc"));
	write_config(f, "username: Aladdin, password: open sesame");
	RUN_UNTIL(f, holds(f, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
	write_config(f, "");
	RUN_UNTIL(f, holds(f, ""));
	assert_string_equal(status_of(f).kind, "none");
	assert_int_equal(status_of(f).err.code, ERR_NONE); /* nobody is a good answer */
}

static void a_plugin_says_who_we_are(void **state)
{
	struct fixture *f = *state;

	use_plugin(
		f, ANSWER("\"token\": \"abc\", \"expirationTimestamp\": \"2100-01-01T00:00:00Z\""));
	create(f);
	assert_true(credential_upkeep_waits(f->upkeep));
	RUN_UNTIL(f, !credential_upkeep_waits(f->upkeep));
	assert_true(holds(f, "Bearer abc"));
	assert_int_equal(status_of(f).expires_s, 4102444800);
}

static void a_plugin_is_run_again_before_its_credential_ends(void **state)
{
	/* Within the margin from the start: half of what is left, a second at the least. */
	struct fixture *f = *state;
	struct buffer commands = BUFFER_INIT;

	buffer_printf(&commands,
		"cd %s\nn=$(cat count); n=$((n + 1)); echo $n >count\n"
		"ends=$(date -u -d '+4 seconds' +%%Y-%%m-%%dT%%H:%%M:%%SZ)\n"
		"echo '{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": "
		"\"ExecCredential\", \"status\": {\"token\": \"token-'$n'\", "
		"\"expirationTimestamp\": \"'$ends'\"}}'",
		f->files.directory);
	buffer_append_char(&commands, '\0');
	use_plugin(f, commands.ptr);
	buffer_fini(&commands);
	temporary_write(&f->files, "count", SLICE("0"));
	create(f);
	RUN_UNTIL(f, holds(f, "Bearer token-1"));
	RUN_UNTIL(f, holds(f, "Bearer token-2"));
	assert_int_equal(status_of(f).err.code, ERR_NONE);
}

static void expect_plugin_failure(struct fixture *f, const char *commands, const char *words)
{
	use_plugin(f, commands);
	create(f);
	RUN_UNTIL(f, !credential_upkeep_waits(f->upkeep));
	if (strstr(status_of(f).err.text, words) == NULL) {
		fail_msg("%s", status_of(f).err.text);
	}
	assert_null(strstr(status_of(f).err.text, "s3cr3t"));
	assert_int_equal(credential_source_generation(upstream_credential_source(f->upstream)), 0);
}

static void a_plugin_that_fails_is_told(void **state)
{
	expect_plugin_failure(*state, "echo please log in >&2; exit 1",
		"plugin ended with status 1: please log in");
}

static void a_plugin_that_answers_junk_is_told(void **state)
{
	expect_plugin_failure(*state, "echo s3cr3t", "plugin answered wrongly: ");
}

static void a_certificate_cannot_be_shown_to_a_plain_server(void **state)
{
	expect_plugin_failure(*state,
		ANSWER("\"clientCertificateData\": \"-----BEGIN "
		       "CERTIFICATE-----\\\\nMIIB\\\\n-----END "
		       "CERTIFICATE-----\", \"clientKeyData\": \"-----BEGIN PRIVATE "
		       "KEY-----\\\\ns3cr3t\\\\n-----END PRIVATE KEY-----\""),
		"plugin answered ");
}

static void a_plugin_that_fails_later_leaves_the_credential_it_gave(void **state)
{
	struct fixture *f = *state;

	use_plugin(f, ANSWER("\"token\": \"abc\""));
	create(f);
	RUN_UNTIL(f, holds(f, "Bearer abc"));
	write_plugin(f, "exit 7");
	credential_upkeep_reread(f->upkeep);
	RUN_UNTIL(f, status_of(f).err.code != ERR_NONE);
	assert_true(holds(f, "Bearer abc"));
	assert_non_null(strstr(status_of(f).err.text, "ended with status 7"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_is_read_at_the_start_and_when_its_file_changes),
		TEST(a_field_has_its_name_and_value),
		TEST(a_file_that_is_missing_stops_the_start),
		TEST(a_token_that_has_ended_is_told_and_replaced_by_the_next),
		TEST(one_that_has_ended_never_replaces_one_that_lives),
		TEST(a_kubeconfig_says_who_we_are),
		TEST(a_plugin_says_who_we_are),
		TEST(a_plugin_is_run_again_before_its_credential_ends),
		TEST(a_plugin_that_fails_is_told),
		TEST(a_plugin_that_answers_junk_is_told),
		TEST(a_certificate_cannot_be_shown_to_a_plain_server),
		TEST(a_plugin_that_fails_later_leaves_the_credential_it_gave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
