/*
 * Layer: pool (sees base; seen by proxy and inspector). One job: the reasons for which exchanges
 * with an upstream fail, and the last failures of one upstream with their times.
 */
#ifndef SIGHTGLASS_POOL_FAILURE_H
#define SIGHTGLASS_POOL_FAILURE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum failure {
	FAILURE_NONE,
	/* no connection: from FAILURE_RESOLVE to FAILURE_TLS */
	FAILURE_RESOLVE,         /* the name has no address */
	FAILURE_REFUSED,         /* connecting was refused */
	FAILURE_CONNECT,         /* it failed in another way */
	FAILURE_CONNECT_TIMEOUT, /* finding the address took too long, or connecting did */
	FAILURE_TLS,             /* connected, but the handshake failed */
	/* no answer, or none that is whole */
	FAILURE_RESET,        /* closed or broken before an answer's head */
	FAILURE_RESET_WITHIN, /* closed or broken within the answer, or a tunnel */
	FAILURE_FIRST_BYTE_TIMEOUT,
	FAILURE_IDLE_TIMEOUT,
	FAILURE_TOTAL_TIMEOUT,
	FAILURE_BAD_ANSWER, /* an answer that breaks the rules */
	/* refused by us, without asking the upstream */
	FAILURE_QUEUE_FULL,
	FAILURE_QUEUE_TIMEOUT,
	FAILURE_BREAKER_OPEN,
	FAILURE_CREDENTIAL, /* there was none that is still good */
	FAILURES            /* how many there are */
};

/* As it stands in metrics and the API: "refused", "connect_timeout", …; "none". */
const char *failure_name(enum failure why);
/*
 * Whether it says that the upstream is not there: what the circuit breaker counts. A bad answer and
 * one that breaks off are answers, as a 5xx is; a total timeout may be all our own queue's.
 */
bool failure_means_absence(enum failure why);

enum {
	FAILURE_LOG_SIZE = 16,
};

struct failure_entry {
	uint64_t wall_us;
	enum failure why;
};

/* Any thread: under a lock, which is taken where something failed and nowhere else. */
struct failure_log {
	pthread_mutex_t lock;
	struct failure_entry entries[FAILURE_LOG_SIZE];
	size_t count; /* of all that were ever added */
	uint32_t row; /* failures in a row that have opened the breaker */
	char last[sizeof(((struct err *)NULL)->text)]; /* the last of them */
};

void failure_log_init(struct failure_log *log);
void failure_log_fini(struct failure_log *log);
void failure_log_add(struct failure_log *log, enum failure why, uint64_t wall_us);
/* Copies the last ones, the newest first; returns how many. */
size_t failure_log_read(
	struct failure_log *log, struct failure_entry entries[static FAILURE_LOG_SIZE]);

/* The breaker opened after `row` failures, or, where that is 0, after one more than last time;
 * `text` is of the last one. */
void failure_log_opened(struct failure_log *log, uint32_t row, const char *text);
/* What failure_log_opened() said: copies the text, returns how many in a row. */
uint32_t failure_log_why_open(
	struct failure_log *log, char text[static sizeof(((struct err *)NULL)->text)]);

#endif
