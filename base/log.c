/*
 * Layer: base. One job: the two log streams. Each has a queue and a thread that writes it, so that
 * neither a slow disk nor a stalled reader of one stream holds up the other, or the traffic. The
 * descriptors are shared with whoever started us, so they are never made non-blocking: a thread
 * that blocks is what a thread of its own is for.
 */
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"

enum {
	QUEUE_MAX = 1024 * 1024, /* bytes waiting in one stream; as many may be on their way out */
	QUEUE_MUCH = QUEUE_MAX / 4, /* no longer gathered, but written */
	GATHER_MS = 10,
	MESSAGE_MAX = 2048,
	PIPE_ROOM = 4096, /* a pipe that poll(2) calls writable takes so much without blocking */
};

struct sink {
	int fd;
	const char *name;
	uint64_t gather_ms;           /* lines that come within it leave by one write(2) */
	atomic_uint_fast64_t dropped; /* lines, in all */
	uv_mutex_t lock;              /* guards what follows */
	uv_cond_t changed; /* the thread is wanted: for lines, or to end; or it has ended */
	bool idle;         /* the thread sleeps until it is wanted */
	struct buffer waiting;
	unsigned waiting_lines;
	bool stopping;
	bool ended;
	uv_thread_t thread;
};

/*
 * The one mutable global of the program: the operator's two streams and their level are one for all
 * threads.
 */
static struct {
	enum log_level level; /* these two are set before there are threads */
	enum log_format format;
	bool has_locks; /* for good: a late line may still come from anywhere */
	atomic_bool running;
	struct sink out; /* the access log */
	struct sink err; /* the error log */
} logs = {
	.level = LOG_LEVEL_INFO,
	.format = LOG_FORMAT_TEXT,
	/*
	 * Waking a thread per access line would cost a worker more than the line; an error is told
	 * at once.
	 */
	.out = {.fd = STDOUT_FILENO, .name = "access log", .gather_ms = GATHER_MS},
	.err = {.fd = STDERR_FILENO, .name = "error log"},
};

static const char *level_name(enum log_level level, bool capitals)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return capitals ? "ERROR" : "error";
	case LOG_LEVEL_WARN:
		return capitals ? "WARN" : "warn";
	case LOG_LEVEL_INFO:
		return capitals ? "INFO" : "info";
	case LOG_LEVEL_DEBUG:
		break;
	}
	return capitals ? "DEBUG" : "debug";
}

/*
 * Messages may hold bytes that a peer chose: nothing of them may begin a line or reach the terminal
 * as a command.
 */
static void append_printable(struct buffer *line, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c < 0x20 || c == 0x7F) {
			buffer_printf(line, "\\x%02x", c);
		} else {
			buffer_append_char(line, (char)c);
		}
	}
}

static void format_line(struct buffer *line, enum log_level level, struct slice message)
{
	char time[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(clock_wall_us(), time);
	if (logs.format == LOG_FORMAT_JSON) {
		struct json json;

		json_init(&json, line);
		json_begin_object(&json);
		json_key(&json, "time");
		json_cstring(&json, time);
		json_key(&json, "level");
		json_cstring(&json, level_name(level, false));
		json_key(&json, "msg");
		json_text(&json, message);
		json_end_object(&json);
	} else {
		buffer_printf(line, "%s %s ", time, level_name(level, true));
		append_printable(line, message);
	}
	buffer_append_char(line, '\n');
}

/* Blocks until all is written. 0, or errno where nobody can read it any more. */
static int write_all(int fd, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t written = write(fd, bytes.ptr, bytes.len);

		if (written >= 0) {
			bytes.ptr += written;
			bytes.len -= (size_t)written;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			/* Whoever shares the descriptor has made it non-blocking. */
			struct pollfd wait = {.fd = fd, .events = POLLOUT};

			poll(&wait, 1, -1);
		} else if (errno != EINTR) {
			return errno;
		}
	}
	return 0;
}

/* Without a thread: writes as long as that does not block, then drops. */
static void write_directly(struct sink *sink, struct slice lines, unsigned count)
{
	while (lines.len > 0) {
		struct pollfd ready = {.fd = sink->fd, .events = POLLOUT};
		size_t part = lines.len < PIPE_ROOM ? lines.len : PIPE_ROOM;

		if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0 ||
			write_all(sink->fd, slice_of(lines.ptr, part)) != 0) {
			sink->dropped += count;
			return;
		}
		lines.ptr += part;
		lines.len -= part;
	}
}

/* False where the stream's thread is ending. */
static bool queue(struct sink *sink, struct slice lines, unsigned count)
{
	bool accepted;

	uv_mutex_lock(&sink->lock);
	accepted = !sink->stopping;
	if (accepted && lines.len > QUEUE_MAX - sink->waiting.len) {
		sink->dropped += count;
	} else if (accepted) {
		bool was_much = sink->waiting.len >= QUEUE_MUCH;

		buffer_append_slice(&sink->waiting, lines);
		sink->waiting_lines += count;
		if (sink->idle || (!was_much && sink->waiting.len >= QUEUE_MUCH)) {
			sink->idle = false;
			uv_cond_broadcast(&sink->changed);
		}
	}
	uv_mutex_unlock(&sink->lock);
	return accepted;
}

static void send_lines(struct sink *sink, struct slice lines, unsigned count)
{
	if (!atomic_load(&logs.running) || !queue(sink, lines, count)) {
		write_directly(sink, lines, count);
	}
}

/* Lets more lines come before the first ones are written. With the lock held. */
static void gather(struct sink *sink)
{
	uint64_t deadline_us = clock_now_us() + sink->gather_ms * 1000;

	while (!sink->stopping && sink->waiting.len < QUEUE_MUCH) {
		uint64_t now_us = clock_now_us();

		if (now_us >= deadline_us) {
			break;
		}
		uv_cond_timedwait(&sink->changed, &sink->lock, (deadline_us - now_us) * 1000);
	}
}

/*
 * Waits for lines and takes them all, giving `*batch`'s old memory to the queue. False at the end.
 */
static bool take_batch(struct sink *sink, struct buffer *batch, unsigned *count)
{
	struct buffer empty = *batch;

	buffer_clear(&empty);
	uv_mutex_lock(&sink->lock);
	while (sink->waiting.len == 0 && !sink->stopping) {
		sink->idle = true;
		uv_cond_wait(&sink->changed, &sink->lock);
	}
	sink->idle = false;
	gather(sink);
	*batch = sink->waiting;
	*count = sink->waiting_lines;
	sink->waiting = empty;
	sink->waiting_lines = 0;
	uv_mutex_unlock(&sink->lock);
	return batch->len > 0;
}

/*
 * Lets go of the process's descriptors but for those up to `fd`. While a second thread could close
 * one of them under its hands, the kernel counts a reference to a descriptor in each system call;
 * a worker that has them for itself was measured to spend 3 to 5 % less on a request. Where the
 * system cannot do this, or does not allow it, nothing is lost but that.
 */
static void leave_descriptors(int fd)
{
#ifdef CLOSE_RANGE_UNSHARE
	(void)close_range((unsigned)fd + 1, ~0U, CLOSE_RANGE_UNSHARE);
#else
	(void)fd;
#endif
}

static void run_sink(void *arg)
{
	struct sink *sink = arg;
	struct buffer batch = BUFFER_INIT;
	uint64_t told = sink->dropped; /* what the operator knows of */
	bool failing = false;
	unsigned count;

	leave_descriptors(sink->fd > STDERR_FILENO ? sink->fd : STDERR_FILENO);
	while (take_batch(sink, &batch, &count)) {
		int error = write_all(sink->fd, buffer_slice(&batch));

		if (error != 0) {
			sink->dropped += count;
		}
		if (error != 0 && !failing) {
			log_warn("%s: %s: lines are lost until it can be written again", sink->name,
				strerror(error));
		} else if (error == 0 && sink->dropped > told) {
			uint64_t lost = sink->dropped - told;

			told += lost;
			log_warn("%s: %llu lines were lost while nobody read it", sink->name,
				(unsigned long long)lost);
		}
		failing = error != 0;
	}
	buffer_fini(&batch);
	uv_mutex_lock(&sink->lock);
	sink->ended = true;
	uv_cond_broadcast(&sink->changed);
	uv_mutex_unlock(&sink->lock);
}

static void sink_start(struct sink *sink)
{
	int rc;

	sink->stopping = false;
	sink->ended = false;
	rc = uv_thread_create(&sink->thread, run_sink, sink);
	if (rc != 0) {
		log_error("%s: no thread: %s", sink->name, uv_strerror(rc));
		abort();
	}
}

static void sink_ask_to_stop(struct sink *sink)
{
	uv_mutex_lock(&sink->lock);
	sink->stopping = true;
	uv_cond_broadcast(&sink->changed);
	uv_mutex_unlock(&sink->lock);
}

/* Waits for the thread's end; one that hangs in write(2) is left behind until the process ends. */
static void sink_wait(struct sink *sink, uint64_t deadline_us)
{
	bool ended;

	uv_mutex_lock(&sink->lock);
	while (!sink->ended) {
		uint64_t now_us = clock_now_us();

		if (now_us >= deadline_us) {
			break;
		}
		uv_cond_timedwait(&sink->changed, &sink->lock, (deadline_us - now_us) * 1000);
	}
	ended = sink->ended;
	uv_mutex_unlock(&sink->lock);
	if (ended) {
		uv_thread_join(&sink->thread);
		buffer_fini(&sink->waiting);
	} else {
		pthread_detach(sink->thread);
	}
}

void log_start(enum log_level level, enum log_format format)
{
	sigset_t all;
	sigset_t before;

	assert(!atomic_load(&logs.running));
	logs.level = level;
	logs.format = format;
	if (!logs.has_locks) {
		logs.has_locks = uv_mutex_init(&logs.out.lock) == 0 &&
				 uv_cond_init(&logs.out.changed) == 0 &&
				 uv_mutex_init(&logs.err.lock) == 0 &&
				 uv_cond_init(&logs.err.changed) == 0;
		if (!logs.has_locks) {
			abort(); /* short of memory, which counts as the heap */
		}
	}
	/* Signals are for the loops' threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	sink_start(&logs.out);
	sink_start(&logs.err);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	atomic_store(&logs.running, true);
}

void log_stop(uint64_t wait_ms)
{
	uint64_t deadline_us = clock_now_us() + wait_ms * 1000;

	if (!atomic_exchange(&logs.running, false)) {
		return;
	}
	sink_ask_to_stop(&logs.out);
	sink_ask_to_stop(&logs.err);
	sink_wait(&logs.out, deadline_us);
	sink_wait(&logs.err, deadline_us);
}

bool log_enabled(enum log_level level)
{
	return level <= logs.level;
}

void log_line(enum log_level level, const char *format, ...)
{
	char message[MESSAGE_MAX];
	struct buffer line = BUFFER_INIT;
	int saved_errno = errno;
	va_list args;

	if (!log_enabled(level)) {
		return;
	}
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	format_line(&line, level, slice_str(message));
	send_lines(&logs.err, buffer_slice(&line), 1);
	buffer_fini(&line);
	errno = saved_errno;
}

void log_access(struct slice lines, unsigned count)
{
	if (lines.len > 0) {
		send_lines(&logs.out, lines, count);
	}
}

uint64_t log_access_dropped(void)
{
	return logs.out.dropped;
}
