/*
 * Layer: base. One job: lines for the operator: the error log on stderr and the access log on
 * stdout. A thread of its own writes them; each stream has a bounded queue in memory, so a reader
 * that stalls costs lines (counted, and told of when it reads again), never traffic. All functions
 * may be called from any thread, and never block.
 */
#ifndef SIGHTGLASS_BASE_LOG_H
#define SIGHTGLASS_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

enum log_format {
	LOG_FORMAT_TEXT, /* time LEVEL message */
	LOG_FORMAT_JSON, /* {"time":…,"level":…,"msg":…} */
};

/* Before any thread is started. Before it, lines go straight to stderr as text. */
void log_start(enum log_level level, enum log_format format);
/*
 * Waits until what is queued is written, at most `wait_ms`, and ends the thread. Later lines go
 * straight to stderr.
 */
void log_stop(uint64_t wait_ms);

bool log_enabled(enum log_level level);
/* Cut at 2 KiB. In text, control bytes become "\x0a": a message never begins a line of its own. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                                             \
	(log_enabled(LOG_LEVEL_DEBUG) ? log_line(LOG_LEVEL_DEBUG, __VA_ARGS__) : (void)0)

/*
 * Queues whole lines (each with its newline) for stdout; `count` lines, so that what is dropped can
 * be counted.
 */
void log_access(struct slice lines, unsigned count);
/* Access-log lines dropped so far. */
uint64_t log_access_dropped(void);

#endif
