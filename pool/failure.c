/*
 * Layer: pool. One job: see failure.h.
 */
#include "pool/failure.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const char *failure_name(enum failure why)
{
	static const char *const names[FAILURES] = {
		[FAILURE_NONE] = "none",
		[FAILURE_RESOLVE] = "resolve",
		[FAILURE_REFUSED] = "refused",
		[FAILURE_CONNECT] = "connect",
		[FAILURE_CONNECT_TIMEOUT] = "connect_timeout",
		[FAILURE_TLS] = "tls",
		[FAILURE_RESET] = "reset",
		[FAILURE_RESET_WITHIN] = "reset_within",
		[FAILURE_FIRST_BYTE_TIMEOUT] = "first_byte_timeout",
		[FAILURE_IDLE_TIMEOUT] = "idle_timeout",
		[FAILURE_TOTAL_TIMEOUT] = "total_timeout",
		[FAILURE_BAD_ANSWER] = "bad_answer",
		[FAILURE_QUEUE_FULL] = "queue_full",
		[FAILURE_QUEUE_TIMEOUT] = "queue_timeout",
		[FAILURE_BREAKER_OPEN] = "breaker_open",
		[FAILURE_CREDENTIAL] = "credential",
	};

	assert(why < FAILURES);
	return names[why];
}

bool failure_means_absence(enum failure why)
{
	switch (why) {
	case FAILURE_RESOLVE:
	case FAILURE_REFUSED:
	case FAILURE_CONNECT:
	case FAILURE_CONNECT_TIMEOUT:
	case FAILURE_TLS:
	case FAILURE_RESET:
	case FAILURE_FIRST_BYTE_TIMEOUT:
		return true;
	default:
		return false;
	}
}

void failure_log_init(struct failure_log *log)
{
	memset(log, 0, sizeof(*log));
	pthread_mutex_init(&log->lock, NULL);
}

void failure_log_fini(struct failure_log *log)
{
	pthread_mutex_destroy(&log->lock);
}

void failure_log_add(struct failure_log *log, enum failure why, uint64_t wall_us)
{
	pthread_mutex_lock(&log->lock);
	log->entries[log->count % FAILURE_LOG_SIZE] =
		(struct failure_entry){.wall_us = wall_us, .why = why};
	log->count++;
	pthread_mutex_unlock(&log->lock);
}

size_t failure_log_read(
	struct failure_log *log, struct failure_entry entries[static FAILURE_LOG_SIZE])
{
	size_t count;

	pthread_mutex_lock(&log->lock);
	count = log->count < FAILURE_LOG_SIZE ? log->count : FAILURE_LOG_SIZE;
	for (size_t i = 0; i < count; i++) {
		entries[i] = log->entries[(log->count - 1 - i) % FAILURE_LOG_SIZE];
	}
	pthread_mutex_unlock(&log->lock);
	return count;
}

void failure_log_opened(struct failure_log *log, uint32_t row, const char *text)
{
	pthread_mutex_lock(&log->lock);
	log->row = row != 0 ? row : log->row + 1;
	(void)snprintf(log->last, sizeof(log->last), "%s", text);
	pthread_mutex_unlock(&log->lock);
}

uint32_t failure_log_why_open(
	struct failure_log *log, char text[static sizeof(((struct err *)NULL)->text)])
{
	uint32_t row;

	pthread_mutex_lock(&log->lock);
	memcpy(text, log->last, sizeof(log->last));
	row = log->row;
	pthread_mutex_unlock(&log->lock);
	return row;
}
