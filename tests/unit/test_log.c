/*
 * The two log streams, as whoever reads them sees them: each test runs the log in a child whose
 * stdout and stderr are pipes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/log.h"

enum {
	LINE = 100,    /* bytes of an access line in these tests */
	FLOOD = 40000, /* lines: 4 MB, more than a pipe and a queue hold */
	STUCK_S = 60,  /* no test takes this long unless something hangs */
	PATIENT_MS = 30000,
};

struct child {
	pid_t pid;
	int out;     /* what it writes to stdout */
	int err;     /* and to stderr */
	int control; /* closing it lets the child go on */
};

static void make_pipe(int ends[2])
{
	assert_int_equal(pipe(ends), 0);
}

static struct child run(void (*body)(int control))
{
	int out[2];
	int err[2];
	int control[2];
	struct child child;

	make_pipe(out);
	make_pipe(err);
	make_pipe(control);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (child.pid == 0) {
		signal(SIGPIPE, SIG_IGN);
		alarm(STUCK_S);
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		close(out[0]);
		close(out[1]);
		close(err[0]);
		close(err[1]);
		close(control[1]);
		body(control[0]);
		_exit(0);
	}
	close(out[1]);
	close(err[1]);
	close(control[0]);
	child.out = out[0];
	child.err = err[0];
	child.control = control[1];
	return child;
}

/* In the child: until the test closes its end. */
static void wait_for_parent(int control)
{
	char byte;

	while (read(control, &byte, 1) < 0 && errno == EINTR) {
	}
}

static void expect_clean_end(struct child *child)
{
	int status;

	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(child->out);
	close(child->err);
}

/* One line, NUL instead of its newline; false at the end of the stream. */
static bool read_line(int fd, char *line, size_t size)
{
	size_t len = 0;

	while (len + 1 < size && read(fd, line + len, 1) == 1) {
		if (line[len] == '\n') {
			line[len] = '\0';
			return true;
		}
		len++;
	}
	line[len] = '\0';
	return false;
}

/* Reads to the end of the stream; the caller frees the text. */
static struct buffer read_all(int fd)
{
	struct buffer all = BUFFER_INIT;
	ssize_t got;

	while ((got = read(fd, buffer_reserve(&all, 65536), 65536)) > 0) {
		all.len += (size_t)got;
	}
	buffer_append_char(&all, '\0');
	return all;
}

static void expect_gone_and_silent(struct child *child, const char *out)
{
	struct buffer all = read_all(child->out);

	assert_string_equal(all.ptr, out);
	buffer_fini(&all);
	close(child->control);
	expect_clean_end(child);
}

static void log_as_text(int control)
{
	(void)control;
	log_start(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_error("broken %d", 1);
	log_warn("line one\nline two \x1b[31m");
	log_debug("not to be seen");
	log_info("caf\xC3\xA9");
	log_stop(PATIENT_MS);
}

static void text_lines_have_time_and_level_and_cannot_be_forged(void **state)
{
	struct child child = run(log_as_text);
	char line[256];

	(void)state;
	assert_true(read_line(child.err, line, sizeof(line)));
	assert_int_equal(line[4], '-');
	assert_string_equal(line + 27, " ERROR broken 1");
	assert_true(read_line(child.err, line, sizeof(line)));
	assert_string_equal(line + 27, " WARN line one\\x0aline two \\x1b[31m");
	assert_true(read_line(child.err, line, sizeof(line)));
	assert_string_equal(line + 27, " INFO caf\xC3\xA9");
	assert_false(read_line(child.err, line, sizeof(line)));
	expect_gone_and_silent(&child, "");
}

static void log_as_json(int control)
{
	(void)control;
	log_start(LOG_LEVEL_DEBUG, LOG_FORMAT_JSON);
	log_debug("a \"quoted\" line\n");
	log_stop(PATIENT_MS);
}

static void json_lines_are_json(void **state)
{
	struct child child = run(log_as_json);
	char line[256];

	(void)state;
	assert_true(read_line(child.err, line, sizeof(line)));
	assert_memory_equal(line, "{\"time\":\"20", 11);
	assert_string_equal(
		strchr(line, ','), ",\"level\":\"debug\",\"msg\":\"a \\\"quoted\\\" line\\n\"}");
	assert_false(read_line(child.err, line, sizeof(line)));
	expect_gone_and_silent(&child, "");
}

static void log_before_and_after(int control)
{
	(void)control;
	log_error("before");
	log_access(SLICE("access before\n"), 1);
	log_start(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	log_info("below the level");
	log_access(SLICE("first\nsecond\n"), 2);
	log_stop(PATIENT_MS);
	log_stop(PATIENT_MS);
	log_error("after");
	log_access(SLICE("access after\n"), 1);
}

static void lines_outside_start_and_stop_are_written_at_once(void **state)
{
	struct child child = run(log_before_and_after);
	char line[256];

	(void)state;
	assert_true(read_line(child.err, line, sizeof(line)));
	assert_string_equal(line + 27, " ERROR before");
	assert_true(read_line(child.err, line, sizeof(line)));
	assert_string_equal(line + 27, " ERROR after");
	assert_false(read_line(child.err, line, sizeof(line)));
	expect_gone_and_silent(&child, "access before\nfirst\nsecond\naccess after\n");
}

/* Numbered access lines, in batches of ten. */
static void flood(unsigned lines)
{
	struct buffer batch = BUFFER_INIT;

	for (unsigned i = 0; i < lines; i += 10) {
		buffer_clear(&batch);
		for (unsigned k = 0; k < 10; k++) {
			buffer_printf(&batch, "%0*u\n", LINE - 1, i + k);
		}
		log_access(buffer_slice(&batch), 10);
	}
	buffer_fini(&batch);
}

static void flood_a_stalled_reader(int control)
{
	log_start(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	flood(FLOOD);
	log_info("dropped %llu", (unsigned long long)log_access_dropped());
	wait_for_parent(control);
	log_stop(PATIENT_MS);
}

/* How many lost lines this line of the error log tells of; 0 where it is another line. */
static unsigned lost_lines(const char *line)
{
	unsigned lost = 0;

	(void)sscanf(line + 27, " WARN access log: %u lines were lost", &lost);
	return lost;
}

static void a_stalled_reader_costs_lines_that_are_counted_and_told_and_no_other_stream(void **state)
{
	struct child child = run(flood_a_stalled_reader);
	char line[256];
	unsigned dropped = 0;
	unsigned last = 0;
	unsigned told = 0;

	(void)state;
	/*
	 * Nobody reads stdout yet: that this line comes shows that stderr, and the caller, do not
	 * wait for it. What fitted into the pipe may have been written, and a first loss told of,
	 * before that.
	 */
	do {
		assert_true(read_line(child.err, line, sizeof(line)));
		told += lost_lines(line);
	} while (sscanf(line + 27, " INFO dropped %u", &dropped) != 1);
	assert_in_range(dropped, FLOOD / 4, FLOOD - 1);
	assert_true(told < dropped);
	for (unsigned i = 0; i < FLOOD - dropped; i++) {
		assert_true(read_line(child.out, line, sizeof(line)));
		assert_int_equal(strlen(line), LINE - 1);
		assert_true(i == 0 || (unsigned)atoi(line) > last);
		last = (unsigned)atoi(line);
	}
	while (told < dropped) {
		assert_true(read_line(child.err, line, sizeof(line)));
		assert_int_not_equal(lost_lines(line), 0);
		told += lost_lines(line);
	}
	assert_int_equal(told, dropped);
	close(child.control);
	assert_false(read_line(child.err, line, sizeof(line)));
	assert_false(read_line(child.out, line, sizeof(line)));
	expect_clean_end(&child);
}

static void stop_while_stalled(int control)
{
	(void)control;
	log_start(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	flood(FLOOD);
	log_stop(50);
	log_access(SLICE("after the end\n"), 1);
	log_info("stopped");
}

static void stopping_does_not_wait_for_ever_for_a_reader(void **state)
{
	struct child child = run(stop_while_stalled);
	char line[256];

	(void)state;
	assert_true(read_line(child.err, line, sizeof(line)));
	assert_string_equal(line + 27, " INFO stopped");
	close(child.control);
	expect_clean_end(&child);
}

static void write_without_a_reader(int control)
{
	wait_for_parent(control); /* until stdout's reader is gone */
	log_start(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	flood(1000);
	log_stop(PATIENT_MS);
	log_info("dropped %llu", (unsigned long long)log_access_dropped());
}

static void a_reader_that_left_costs_lines_and_not_the_process(void **state)
{
	struct child child = run(write_without_a_reader);
	char line[256];

	(void)state;
	close(child.out);
	close(child.control);
	assert_true(read_line(child.err, line, sizeof(line)));
	assert_memory_equal(line + 27, " WARN access log: Broken pipe", 29);
	assert_true(read_line(child.err, line, sizeof(line)));
	assert_string_equal(line + 27, " INFO dropped 1000");
	assert_false(read_line(child.err, line, sizeof(line)));
	child.out = dup(child.err);
	expect_clean_end(&child);
}

static void write_without_blocking(int control)
{
	(void)control;
	fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
	log_start(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	flood(5000); /* 500 KB: more than a pipe, less than the queue */
	log_stop(PATIENT_MS);
	log_info("dropped %llu", (unsigned long long)log_access_dropped());
}

static void a_descriptor_that_somebody_made_non_blocking_loses_nothing(void **state)
{
	struct child child = run(write_without_blocking);
	struct buffer all = read_all(child.out);
	char line[256];

	(void)state;
	assert_int_equal(all.len, 5000 * LINE + 1);
	buffer_fini(&all);
	assert_true(read_line(child.err, line, sizeof(line)));
	assert_string_equal(line + 27, " INFO dropped 0");
	close(child.control);
	expect_clean_end(&child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_lines_have_time_and_level_and_cannot_be_forged),
		cmocka_unit_test(json_lines_are_json),
		cmocka_unit_test(lines_outside_start_and_stop_are_written_at_once),
		cmocka_unit_test(
			a_stalled_reader_costs_lines_that_are_counted_and_told_and_no_other_stream),
		cmocka_unit_test(stopping_does_not_wait_for_ever_for_a_reader),
		cmocka_unit_test(a_reader_that_left_costs_lines_and_not_the_process),
		cmocka_unit_test(a_descriptor_that_somebody_made_non_blocking_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
