/*
 * Layer: the benchmark's programs. One job: read an answer off a connection, whose length is told
 * by its Content-Length. What is otherwise ends the program.
 */
#ifndef SIGHTGLASS_TESTS_BENCH_ANSWERS_H
#define SIGHTGLASS_TESTS_BENCH_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/channel.h"

enum { ANSWER_HEAD_BYTES = 4096, ANSWER_READ_BYTES = 64 * 1024 };

struct answer {
	char head[ANSWER_HEAD_BYTES]; /* as far as it has come */
	size_t head_end;
	uint64_t body_left;
	bool in_body;
	bool failed; /* the last one's status was not 200 */
};

/*
 * Reads from a channel on which an answer is due, into `buffer` of ANSWER_READ_BYTES. True
 * where the answer is whole with it: the next one may be asked for, and `answer` is as it was at
 * first, all zero, but for `failed`.
 */
bool answer_receive(struct answer *answer, struct channel *channel, char *buffer);

/* Says on stderr what the last answer was: its status line, and what came of the body with it. */
void answer_tell(const struct answer *answer);

#endif
