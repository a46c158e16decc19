/*
 * Layer: pool. One job: see exec_process.h.
 *
 * It has ended when the system says so and its stdout is at its end: whoever it started may still
 * write there. How that can fail: it cannot be started; it takes too long; it writes too much; it
 * is ended by a signal, or with another status than 0. A process group of its own lets all of it
 * be killed at once.
 */
#include "pool/exec_process.h"

#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "pool/exec_credential.h"

enum {
	COMPLAINT_SIZE = 160, /* of what it wrote to stderr, before it is looked at */
	SHOWN_SIZE = 100,     /* of that, in a sentence */
	READ_SIZE = 4096,
	WORD_MAX = 16, /* longer words may be secrets, by what they consist of */
	WORD_LONG = 32,
	HANDLES = 3,
};

struct exec_process {
	struct loop *loop;
	uv_process_t child;
	uv_pipe_t out;
	uv_pipe_t complaints;
	struct timer timer;
	uint64_t timeout_ms;
	exec_done_fn done;
	void *context;
	char name[SMALL_FILE_NAME_SIZE];
	struct secret output;
	char complaint[COMPLAINT_SIZE];
	size_t complaint_len;
	char scrap[READ_SIZE];
	int64_t status;
	int signal;
	unsigned open; /* handles that libuv has */
	bool spawned;
	bool exited;
	bool output_ended;
	bool over; /* `done` was called, or is not to be */
};

/* --- what may be shown */

static bool is_of_word(char c)
{
	return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') ||
	       c == '-' || c == '_' || c == '+' || c == '=' || c == '.';
}

static bool is_printable(char c)
{
	return c >= ' ' && c < 0x7f;
}

/* Long, and with digits and letters of both kinds, as tokens are and words are not; or very long.
 */
static bool looks_secret(struct slice word)
{
	bool digit = false;
	bool upper = false;
	bool lower = false;

	for (size_t i = 0; i < word.len; i++) {
		char c = word.ptr[i];

		digit = digit || (c >= '0' && c <= '9');
		upper = upper || (c >= 'A' && c <= 'Z');
		lower = lower || (c >= 'a' && c <= 'z');
	}
	return (word.len >= WORD_MAX && digit && upper && lower) ||
	       (word.len >= WORD_LONG && digit);
}

static size_t word_len(struct slice text)
{
	size_t len = 0;

	while (len < text.len && is_of_word(text.ptr[len])) {
		len++;
	}
	return len;
}

const char *exec_complaint(struct slice text, char *out, size_t size)
{
	size_t len = 0;

	while (text.len > 0 && text.ptr[0] != '\n' && len + 1 < size) {
		struct slice word = slice_of(text.ptr, word_len(text));
		char other = is_printable(text.ptr[0]) ? text.ptr[0] : ' ';

		if (word.len == 0) {
			word = slice_of(&other, 1);
			text = slice_of(text.ptr + 1, text.len - 1);
		} else {
			text = slice_of(text.ptr + word.len, text.len - word.len);
			word = looks_secret(word) ? SLICE("[...]") : word;
		}
		for (size_t i = 0; i < word.len && len + 1 < size; i++) {
			out[len++] = word.ptr[i];
		}
	}
	while (len > 0 && out[len - 1] == ' ') {
		len--;
	}
	out[len] = '\0';
	return out;
}

/* --- the end */

static void on_closed(uv_handle_t *handle)
{
	struct exec_process *self = handle->data;

	if (--self->open == 0) {
		secret_fini(&self->output);
		mem_wipe(self->complaint, sizeof(self->complaint));
		mem_free(self);
	}
}

static void close_all(struct exec_process *self)
{
	loop_timer_stop(self->loop, &self->timer);
	uv_close((uv_handle_t *)&self->child, on_closed);
	uv_close((uv_handle_t *)&self->out, on_closed);
	uv_close((uv_handle_t *)&self->complaints, on_closed);
}

/* The whole group: what it has started may be what hangs. */
static void kill_all(struct exec_process *self)
{
	if (self->spawned) {
		(void)kill(-self->child.pid, SIGKILL);
	}
}

static void finish(struct exec_process *self, const struct err *err)
{
	if (self->over) {
		return;
	}
	self->over = true;
	if (err != NULL) {
		kill_all(self);
	}
	self->done(self->context, err == NULL ? secret_slice(&self->output) : SLICE(""), err);
	if (self->exited) {
		close_all(self);
	} else { /* it was killed: its handle stays until it is reaped, and the loop for it */
		uv_ref((uv_handle_t *)&self->child);
		loop_timer_stop(self->loop, &self->timer);
		uv_read_stop((uv_stream_t *)&self->out);
		uv_read_stop((uv_stream_t *)&self->complaints);
	}
}

static void fail(struct exec_process *self, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void fail(struct exec_process *self, const char *format, ...)
{
	char shown[SHOWN_SIZE];
	char what[96];
	va_list args;
	struct err err;

	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	(void)exec_complaint(slice_of(self->complaint, self->complaint_len), shown, sizeof(shown));
	err_set(&err, ERR_CREDENTIAL, "%s %s%s%s", self->name, what, shown[0] == '\0' ? "" : ": ",
		shown);
	finish(self, &err);
}

static void finish_if_ended(struct exec_process *self)
{
	if (!self->exited || !self->output_ended) {
		return;
	}
	if (self->signal != 0) {
		fail(self, "was ended by signal %d (%s)", self->signal, strsignal(self->signal));
	} else if (self->status != 0) {
		fail(self, "ended with status %" PRId64, self->status);
	} else {
		finish(self, NULL);
	}
}

/* --- events */

static void on_end(uv_process_t *child, int64_t status, int signal_number)
{
	struct exec_process *self = child->data;

	self->exited = true;
	self->status = status;
	self->signal = signal_number;
	if (self->over) {
		close_all(self);
	} else {
		finish_if_ended(self);
	}
	loop_settle(self->loop);
}

static void on_timer(struct timer *timer)
{
	struct exec_process *self = container_of(timer, struct exec_process, timer);

	fail(self, "was not done within %" PRIu64 " ms and was killed", self->timeout_ms);
}

static void provide(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct exec_process *self = handle->data;

	(void)suggested;
	*buffer = uv_buf_init(self->scrap, sizeof(self->scrap));
}

/* Room for all that it may write was made at the start: nothing is copied about, and all of it is
 * overwritten at the end. */
static void on_output(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
	struct exec_process *self = stream->data;

	if (count < 0) {
		self->output_ended = true;
		uv_read_stop(stream);
		finish_if_ended(self);
	} else if ((size_t)count > EXEC_OUTPUT_MAX - self->output.len) {
		fail(self, "wrote more than %d bytes", EXEC_OUTPUT_MAX);
	} else if (count > 0) {
		memcpy(self->output.text + self->output.len, buffer->base, (size_t)count);
		self->output.len += (size_t)count;
	}
	mem_wipe(self->scrap, sizeof(self->scrap));
	loop_settle(self->loop);
}

/* What is more than the beginning is read and forgotten, so that it never waits for us. */
static void on_complaint(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
	struct exec_process *self = stream->data;
	size_t room = sizeof(self->complaint) - self->complaint_len;

	if (count < 0) {
		uv_read_stop(stream);
	} else {
		size_t taken = (size_t)count < room ? (size_t)count : room;

		memcpy(self->complaint + self->complaint_len, buffer->base, taken);
		self->complaint_len += taken;
	}
	mem_wipe(self->scrap, sizeof(self->scrap));
	loop_settle(self->loop);
}

/* --- the beginning */

static int spawn(struct exec_process *self, char *const *arguments, char *const *environment)
{
	uv_stdio_container_t stdio[3] = {
		{.flags = UV_IGNORE},
		{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
			.data.stream = (uv_stream_t *)&self->out},
		{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
			.data.stream = (uv_stream_t *)&self->complaints},
	};
	const uv_process_options_t options = {
		.exit_cb = on_end,
		.file = arguments[0],
		.args = (char **)(uintptr_t)arguments,
		.env = (char **)(uintptr_t)environment,
		.flags = UV_PROCESS_DETACHED,
		.stdio_count = 3,
		.stdio = stdio,
	};

	return uv_spawn(&self->loop->uv, &self->child, &options);
}

struct exec_process *exec_process_start(struct loop *loop, char *const *arguments,
	char *const *environment, uint64_t timeout_ms, exec_done_fn done, void *context,
	struct err *err)
{
	struct exec_process *self = mem_zalloc(sizeof(*self));
	int rc;

	self->loop = loop;
	self->timeout_ms = timeout_ms;
	self->done = done;
	self->context = context;
	self->open = HANDLES;
	(void)exec_program_name(arguments[0], self->name);
	(void)secret_reserve(&self->output, EXEC_OUTPUT_MAX);
	self->output.len = 0;
	timer_init(&self->timer, on_timer);
	(void)uv_pipe_init(&loop->uv, &self->out, 0); /* these two cannot fail */
	(void)uv_pipe_init(&loop->uv, &self->complaints, 0);
	self->out.data = self;
	self->complaints.data = self;
	rc = spawn(self, arguments, environment);
	self->child.data = self;
	if (rc < 0) {
		err_set(err, ERR_CREDENTIAL, "%s cannot be run: %s", self->name, uv_strerror(rc));
		self->over = true;
		close_all(self);
		return NULL;
	}
	self->spawned = true;
	(void)uv_read_start((uv_stream_t *)&self->out, provide, on_output);
	(void)uv_read_start((uv_stream_t *)&self->complaints, provide, on_complaint);
	uv_unref((uv_handle_t *)&self->child);
	uv_unref((uv_handle_t *)&self->out);
	uv_unref((uv_handle_t *)&self->complaints);
	loop_timer_start(loop, &self->timer, timeout_ms);
	return self;
}

void exec_process_close(struct exec_process *process)
{
	if (process == NULL || process->over) {
		return;
	}
	process->over = true;
	kill_all(process);
	close_all(process);
	if (!process->exited) { /* nobody else asks for it any more */
		(void)waitpid(process->child.pid, NULL, 0);
	}
}

/* --- whether it is there */

/* Its folders would take the room of what matters. */
const char *exec_program_name(const char *command, char out[static SMALL_FILE_NAME_SIZE])
{
	const char *slash = strrchr(command, '/');

	return small_file_name(slash == NULL ? command : slash + 1, out);
}

static bool is_in(struct slice folder, const char *command)
{
	char path[4096];

	if (folder.len == 0) {
		folder = SLICE(".");
	}
	return snprintf(path, sizeof(path), "%.*s/%s", SLICE_ARGS(folder), command) <
		       (int)sizeof(path) &&
	       access(path, X_OK) == 0;
}

enum err_code exec_command_check(const char *command, const char *path, struct err *err)
{
	char name[SMALL_FILE_NAME_SIZE];
	struct slice rest = slice_str(path == NULL ? "" : path);
	bool found = false;

	if (strchr(command, '/') != NULL) {
		found = access(command, X_OK) == 0;
		return found ? ERR_NONE
			     : err_set(err, ERR_SETTINGS, "%s cannot be run",
				       small_file_name(command, name));
	}
	while (!found && rest.len > 0) {
		const char *colon = memchr(rest.ptr, ':', rest.len);
		size_t len = colon == NULL ? rest.len : (size_t)(colon - rest.ptr);

		found = is_in(slice_of(rest.ptr, len), command);
		len += colon == NULL ? 0 : 1;
		rest = slice_of(rest.ptr + len, rest.len - len);
	}
	return found ? ERR_NONE
		     : err_set(err, ERR_SETTINGS, "%s is in no folder of PATH",
			       small_file_name(command, name));
}
