/* Layer: the benchmark's programs. One job: read answers. See answers.h. */
#include "tests/bench/answers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/bench/sockets.h"

static _Noreturn void refuse(int error, const char *what)
{
	errno = error;
	give_up(what);
}

/* Reads the head, where it is whole. */
static bool take_head(struct answer *answer)
{
	static const char length[] = "\r\nContent-Length:";

	answer->head[answer->head_end] = '\0';
	char *end = strstr(answer->head, "\r\n\r\n");
	if (end == NULL) {
		if (answer->head_end == ANSWER_HEAD_BYTES - 1) {
			refuse(EMSGSIZE, "an answer's head");
		}
		return false;
	}
	const char *field = strcasestr(answer->head, length);
	if (field == NULL || field > end) {
		refuse(EPROTO, "an answer without a length");
	}
	answer->failed = strncmp(answer->head, "HTTP/1.1 200", 12) != 0;
	size_t head_len = (size_t)(end + 4 - answer->head);
	uint64_t body = strtoull(field + sizeof(length) - 1, NULL, 10);
	size_t arrived = answer->head_end - head_len;
	if (arrived > body) {
		refuse(EPROTO, "bytes after an answer");
	}
	answer->body_left = body - arrived;
	answer->in_body = true;
	return true;
}

static bool take(struct answer *answer, const char *bytes, size_t len)
{
	if (!answer->in_body) {
		size_t room = ANSWER_HEAD_BYTES - 1 - answer->head_end;
		size_t taken = len < room ? len : room;
		memcpy(answer->head + answer->head_end, bytes, taken);
		answer->head_end += taken;
		if (!take_head(answer)) {
			return false;
		}
		len -= taken;
	}
	if (len > answer->body_left) {
		refuse(EPROTO, "bytes after an answer");
	}
	answer->body_left -= len;
	if (answer->body_left > 0) {
		return false;
	}
	answer->in_body = false;
	answer->head_end = 0;
	return true;
}

bool answer_receive(struct answer *answer, struct channel *channel, char *buffer)
{
	ssize_t got;

	do {
		got = channel_receive(channel, buffer, ANSWER_READ_BYTES);
		if (got > 0 && take(answer, buffer, (size_t)got)) {
			return true;
		}
	} while (got > 0 && channel_holds_more(channel));
	if (got > 0) {
		return false;
	}
	if (got == 0) {
		refuse(ECONNRESET, "a connection closed");
	}
	if (!would_block()) {
		give_up("recv");
	}
	return false;
}

void answer_tell(const struct answer *answer)
{
	const char *body = strstr(answer->head, "\r\n\r\n");

	(void)fprintf(stderr, "%.*s: %.400s\n", (int)strcspn(answer->head, "\r"), answer->head,
		body != NULL ? body + 4 : "");
}
