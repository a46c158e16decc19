/*
 * Tests of pool/exec_process: programs that do as they should, and others. They are small shell
 * scripts; what hangs is killed after a moment.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "pool/exec_credential.h"
#include "pool/exec_process.h"
#include "tests/unit/temporary.h"

enum {
	SOON_MS = 100,
	TEST_SECONDS = 60,
};

struct fixture {
	struct temporary files;
	char script[TEMPORARY_PATH_SIZE];
	struct loop loop;
	uv_prepare_t keeper;
	unsigned told;
	struct buffer output;
	struct err err;
};

static void on_prepare(uv_prepare_t *prepare)
{
	(void)prepare;
}

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.err = ERR_INIT};
	alarm(TEST_SECONDS);
	temporary_init(&fixture.files);
	(void)temporary_path(&fixture.files, "plugin", fixture.script);
	assert_int_equal(loop_init(&fixture.loop), 0);
	(void)uv_prepare_init(&fixture.loop.uv, &fixture.keeper);
	(void)uv_prepare_start(&fixture.keeper, on_prepare);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	uv_close((uv_handle_t *)&f->keeper, NULL);
	loop_run(&f->loop);
	loop_fini(&f->loop);
	buffer_fini(&f->output);
	temporary_fini(&f->files);
	alarm(0);
	return 0;
}

static void on_done(void *context, struct slice output, const struct err *err)
{
	struct fixture *f = context;

	f->told++;
	buffer_append_slice(&f->output, output);
	if (err != NULL) {
		f->err = *err;
	}
}

static struct exec_process *start(struct fixture *f, const char *commands, uint64_t timeout_ms)
{
	char first[] = "first";
	char second[] = "second";
	char path[] = "PATH=/usr/bin:/bin";
	char greeting[] = "GREETING=hello";
	char *arguments[] = {f->script, first, second, NULL};
	char *environment[] = {path, greeting, NULL};
	struct buffer text = BUFFER_INIT;
	struct exec_process *process;

	buffer_printf(&text, "#!/bin/sh\n%s\n", commands);
	temporary_write(&f->files, "plugin", buffer_slice(&text));
	buffer_fini(&text);
	assert_int_equal(chmod(f->script, 0700), 0);
	process = exec_process_start(
		&f->loop, arguments, environment, timeout_ms, on_done, f, &f->err);
	loop_settle(&f->loop);
	assert_int_equal(f->told, 0); /* never from inside */
	return process;
}

static void run(struct fixture *f, const char *commands)
{
	assert_non_null(start(f, commands, TEST_SECONDS * 1000));
	while (f->told == 0) {
		(void)uv_run(&f->loop.uv, UV_RUN_ONCE);
	}
	assert_int_equal(f->told, 1);
}

static void expect_output(const struct fixture *f, const char *text)
{
	if (f->err.code != ERR_NONE) {
		fail_msg("%s", f->err.text);
	}
	assert_true(slice_equal(buffer_slice(&f->output), slice_str(text)));
}

static void expect_failure(const struct fixture *f, const char *words)
{
	assert_int_equal(f->err.code, ERR_CREDENTIAL);
	if (strstr(f->err.text, words) == NULL) {
		fail_msg("%s", f->err.text);
	}
	assert_int_equal(strncmp(f->err.text, "plugin ", 7), 0); /* the program's name */
	assert_int_equal(f->output.len, 0);
}

static void what_it_writes_is_handed_over(void **state)
{
	struct fixture *f = *state;

	run(f, "echo \"$GREETING $1 $2 $#\"; echo a remark >&2");
	expect_output(f, "hello first second 2\n");
}

static void there_is_nothing_to_read(void **state)
{
	struct fixture *f = *state;

	run(f, "cat; echo end");
	expect_output(f, "end\n");
}

static void a_status_is_told_with_the_first_line_of_its_complaint(void **state)
{
	struct fixture *f = *state;

	run(f, "echo half an answer; echo 'not logged in' >&2; echo more >&2; exit 3");
	expect_failure(f, " ended with status 3: not logged in");
	assert_null(strstr(f->err.text, "more"));
}

static void a_signal_is_told(void **state)
{
	struct fixture *f = *state;

	run(f, "kill -TERM $$");
	expect_failure(f, " was ended by signal 15 (");
}

static bool is_alive(int pid)
{
	char path[64];
	char line[256] = "";
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (file == NULL) {
		return false;
	}
	if (fgets(line, sizeof(line), file) == NULL) {
		line[0] = '\0';
	}
	(void)fclose(file);
	return line[0] != '\0' && strstr(line, ") Z ") == NULL;
}

static void one_that_hangs_is_killed_with_all_it_has_started(void **state)
{
	struct fixture *f = *state;
	char pid_file[TEMPORARY_PATH_SIZE];
	char command[2 * TEMPORARY_PATH_SIZE];
	FILE *file;
	int pid = 0;

	temporary_write(&f->files, "pid", SLICE("0"));
	(void)snprintf(command, sizeof(command), "sleep 1000 & echo $! >%s; wait",
		temporary_path(&f->files, "pid", pid_file));
	assert_non_null(start(f, command, SOON_MS * 5));
	while (f->told == 0) {
		(void)uv_run(&f->loop.uv, UV_RUN_ONCE);
	}
	expect_failure(f, " was not done within 500 ms and was killed");
	file = fopen(pid_file, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &pid), 1);
	(void)fclose(file);
	assert_true(pid > 0);
	while (is_alive(pid)) { /* it is being killed; whoever adopts it reaps it */
	}
}

static void one_that_writes_without_end_is_killed(void **state)
{
	struct fixture *f = *state;

	run(f, "while :; do echo 0123456789012345678901234567890123456789; done");
	expect_failure(f, " wrote more than 1048576 bytes");
}

static void it_may_write_as_much_as_is_allowed(void **state)
{
	struct fixture *f = *state;

	run(f, "head -c 1048576 /dev/zero");
	assert_int_equal(f->err.code, ERR_NONE);
	assert_int_equal(f->output.len, EXEC_OUTPUT_MAX);
}

static void complaints_without_end_do_not_hold_it_up(void **state)
{
	struct fixture *f = *state;

	run(f, "head -c 1000000 /dev/zero >&2; echo done");
	expect_output(f, "done\n");
}

static void what_cannot_be_run_is_told_at_once(void **state)
{
	struct fixture *f = *state;
	char plugin[] = "/nowhere/plugin";
	char *arguments[] = {plugin, NULL};
	char *environment[] = {NULL};

	assert_null(
		exec_process_start(&f->loop, arguments, environment, SOON_MS, on_done, f, &f->err));
	assert_int_equal(f->err.code, ERR_CREDENTIAL);
	assert_string_equal(f->err.text, "plugin cannot be run: no such file or directory");
	assert_int_equal(f->told, 0);
}

static void one_that_is_closed_says_nothing_any_more(void **state)
{
	struct fixture *f = *state;

	exec_process_close(start(f, "echo early; sleep 1000", TEST_SECONDS * 1000));
	uv_close((uv_handle_t *)&f->keeper, NULL);
	loop_run(&f->loop);
	assert_int_equal(f->told, 0);
	(void)uv_prepare_init(&f->loop.uv, &f->keeper);
}

static void it_does_not_keep_the_loop_running(void **state)
{
	struct fixture *f = *state;
	struct exec_process *process = start(f, "sleep 1000", TEST_SECONDS * 1000);

	uv_close((uv_handle_t *)&f->keeper, NULL);
	loop_run(&f->loop);
	assert_int_equal(f->told, 0);
	exec_process_close(process);
	(void)uv_prepare_init(&f->loop.uv, &f->keeper);
}

static void expect_shown(const char *complaint, const char *shown)
{
	char out[64];

	assert_string_equal(exec_complaint(slice_str(complaint), out, sizeof(out)), shown);
}

static void of_a_complaint_no_secret_is_shown(void **state)
{
	(void)state;
	expect_shown("error: no session\nsecond line", "error: no session");
	expect_shown(
		"bad token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln, go", "bad token [...], go");
	expect_shown("key 0123456789abcdef0123456789abcdef", "key [...]");
	expect_shown("aws-iam-authenticator: ExpiredToken", "aws-iam-authenticator: ExpiredToken");
	expect_shown("tab\tand\x1b[31mcolour\xff", "tab and [31mcolour");
	expect_shown("", "");
	expect_shown("0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5",
		"0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1");
}

static void a_command_is_looked_for_where_it_will_be(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	assert_int_equal(exec_command_check("sh", "/nowhere:/bin:", NULL), ERR_NONE);
	assert_int_equal(exec_command_check("/bin/sh", NULL, NULL), ERR_NONE);
	assert_int_equal(exec_command_check("sh", "/nowhere", &err), ERR_SETTINGS);
	assert_string_equal(err.text, "sh is in no folder of PATH");
	assert_int_equal(exec_command_check("sh", NULL, NULL), ERR_SETTINGS);
	assert_int_equal(exec_command_check(f->script, "/bin", &err), ERR_SETTINGS);
	assert_non_null(strstr(err.text, " cannot be run"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_it_writes_is_handed_over),
		TEST(there_is_nothing_to_read),
		TEST(a_status_is_told_with_the_first_line_of_its_complaint),
		TEST(a_signal_is_told),
		TEST(one_that_hangs_is_killed_with_all_it_has_started),
		TEST(one_that_writes_without_end_is_killed),
		TEST(it_may_write_as_much_as_is_allowed),
		TEST(complaints_without_end_do_not_hold_it_up),
		TEST(what_cannot_be_run_is_told_at_once),
		TEST(one_that_is_closed_says_nothing_any_more),
		TEST(it_does_not_keep_the_loop_running),
		cmocka_unit_test(of_a_complaint_no_secret_is_shown),
		TEST(a_command_is_looked_for_where_it_will_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
