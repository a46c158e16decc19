/*
 * Layer: the benchmark's programs. One job: visitors who come with a new connection for each
 * request, and so make a proxy shake hands.
 *
 *	bench_visits PORT PATH VISITORS MILLISECONDS plain|full|resumed
 *
 * Each visitor connects, asks once with "Connection: close", reads until the proxy has closed, and
 * comes again. "full" and "resumed" are over TLS: a resumed session is one that the proxy granted
 *in an earlier visit, each used once (RFC 8446, C.4). Visits a while first, so that there are
 * sessions, and prints "ready"; waits for a line on its input, and runs. Then prints one line of
 * JSON, in which `resumed` is how many of the visits the proxy let resume.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/epoll.h>

#include <openssl/ssl.h>

#include "tests/bench/answers.h"
#include "tests/bench/channel.h"
#include "tests/bench/latencies.h"
#include "tests/bench/sockets.h"

enum {
	MAX_VISITORS = 500,
	MAX_MILLISECONDS = 60000,
	MAX_SESSIONS = 2 * MAX_VISITORS, /* a full handshake brings two */
	FIRST_VISITS_MS = 50,
	REQUEST_BYTES = 512,
	KEPT_PER_SECOND = 50000, /* latencies */
	LAST_VISITS_MS = 3000,
	EVENTS = 256,
};

struct visitor {
	struct channel channel;
	uint64_t came_us;
	struct answer answer;
	bool asked, answered;
};

struct visits {
	int poll;
	uint16_t port;
	struct ssl_ctx_st *tls; /* NULL without */
	bool resumes;
	SSL_SESSION *sessions[MAX_SESSIONS];
	size_t session_count;
	struct visitor *visitors;
	size_t visitor_count;
	size_t present; /* of the visitors */
	char request[REQUEST_BYTES];
	size_t request_len;
	uint64_t end_us; /* nobody comes after that */
	uint64_t ended, resumed, errors;
	struct latencies latencies;
	char buffer[ANSWER_READ_BYTES];
};

/* OpenSSL's event: the proxy grants a session. Says whether it is kept. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct visits *visits = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (visits->session_count == MAX_SESSIONS) {
		return 0;
	}
	visits->sessions[visits->session_count++] = session;
	return 1;
}

static void resume(struct visits *visits, SSL *ssl)
{
	if (visits->session_count > 0) {
		SSL_SESSION *session = visits->sessions[--visits->session_count];
		(void)SSL_set_session(ssl, session);
		SSL_SESSION_free(session);
	}
}

/* Goes on with the handshake, and asks where it has ended. */
static void ask(struct visits *visits, struct visitor *visitor)
{
	struct iovec whole = {visits->request, visits->request_len};

	if (!channel_shake_hands(&visitor->channel)) {
		return;
	}
	if (channel_send(&visitor->channel, &whole, 1) != (ssize_t)visits->request_len) {
		give_up("send");
	}
	visitor->asked = true;
}

static void come(struct visits *visits, struct visitor *visitor)
{
	*visitor = (struct visitor){.came_us = now_us()};
	channel_open(&visitor->channel, connect_to(visits->port), visits->tls);
	if (visits->resumes) {
		resume(visits, visitor->channel.ssl);
	}
	watch(visits->poll, EPOLL_CTL_ADD, visitor->channel.fd, EPOLLIN, visitor);
	visits->present++;
	ask(visits, visitor);
}

static void leave(struct visits *visits, struct visitor *visitor)
{
	if (visitor->channel.ssl != NULL && SSL_session_reused(visitor->channel.ssl)) {
		visits->resumed++;
	}
	channel_close(&visitor->channel);
	visits->present--;
	visits->ended++;
	latencies_add(&visits->latencies, now_us() - visitor->came_us);
	if (now_us() < visits->end_us) {
		come(visits, visitor);
	}
}

static void receive(struct visits *visits, struct visitor *visitor)
{
	if (answer_receive(&visitor->answer, &visitor->channel, visits->buffer)) {
		visitor->answered = true;
		if (visitor->answer.failed && visits->errors++ == 0) {
			answer_tell(&visitor->answer);
		}
	}
}

static void wait_for_close(struct visits *visits, struct visitor *visitor)
{
	ssize_t got = channel_receive(&visitor->channel, visits->buffer, ANSWER_READ_BYTES);

	if (got > 0) {
		errno = EPROTO;
		give_up("bytes after an answer");
	}
	if (got == 0) {
		leave(visits, visitor);
	} else if (!would_block()) {
		give_up("recv");
	}
}

static void go_on(struct visits *visits, struct visitor *visitor)
{
	if (!visitor->asked) {
		ask(visits, visitor);
	} else if (!visitor->answered) {
		receive(visits, visitor);
	} else {
		wait_for_close(visits, visitor);
	}
}

/* All visitors come, again and again, for so long. Returns for how long they did, the last ones'
 * leaving included. */
static uint64_t run(struct visits *visits, uint64_t milliseconds)
{
	struct epoll_event events[EVENTS];
	uint64_t start_us = now_us();

	visits->ended = visits->resumed = visits->errors = 0;
	visits->latencies.count = visits->latencies.beyond = 0;
	visits->end_us = start_us + milliseconds * 1000;
	for (size_t i = 0; i < visits->visitor_count; i++) {
		come(visits, &visits->visitors[i]);
	}
	while (visits->present > 0) {
		int count = epoll_wait(visits->poll, events, EVENTS, LAST_VISITS_MS);
		if (count == 0) {
			errno = ETIMEDOUT;
		}
		if (count <= 0 && errno != EINTR) {
			give_up("epoll_wait");
		}
		for (int i = 0; i < count; i++) {
			go_on(visits, events[i].data.ptr);
		}
	}
	return now_us() - start_us;
}

static void report(struct visits *visits, uint64_t took_us)
{
	(void)printf("{");
	latencies_print(&visits->latencies);
	(void)printf(", \"seconds\": %.6f, \"resumed\": %" PRIu64 ", \"errors\": %" PRIu64 "}\n",
		(double)took_us / 1e6, visits->resumed, visits->errors);
	(void)fflush(stdout);
}

static void set_up(struct visits *visits, const char *port, const char *path, const char *how)
{
	visits->port = (uint16_t)parse_number(port, UINT16_MAX);
	visits->poll = create_poll();
	int len = snprintf(visits->request, sizeof(visits->request),
		"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n", path, port);
	if (len >= REQUEST_BYTES) {
		errno = EMSGSIZE;
		give_up("PATH");
	}
	visits->request_len = (size_t)len;
	visits->resumes = strcmp(how, "resumed") == 0;
	if (strcmp(how, "plain") == 0) {
		return;
	}
	if (!visits->resumes && strcmp(how, "full") != 0) {
		errno = EINVAL;
		give_up(how);
	}
	visits->tls = channel_client_context();
	if (visits->resumes) {
		(void)SSL_CTX_set_app_data(visits->tls, visits);
		(void)SSL_CTX_set_session_cache_mode(
			visits->tls, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_sess_set_new_cb(visits->tls, keep_session);
	}
}

int main(int argc, char **argv)
{
	static struct visits visits;
	char line[16];

	if (argc != 6) {
		(void)fprintf(stderr,
			"usage: %s PORT PATH VISITORS MILLISECONDS plain|full|resumed\n", argv[0]);
		return 2;
	}
	visits.visitor_count = parse_number(argv[3], MAX_VISITORS);
	uint64_t milliseconds = parse_number(argv[4], MAX_MILLISECONDS);
	if (visits.visitor_count == 0 || milliseconds == 0) {
		errno = EINVAL;
		give_up("VISITORS, MILLISECONDS");
	}
	set_up(&visits, argv[1], argv[2], argv[5]);
	latencies_init(&visits.latencies, (size_t)(KEPT_PER_SECOND * (milliseconds / 1000 + 1)));
	visits.visitors = calloc(visits.visitor_count, sizeof(*visits.visitors));
	if (visits.visitors == NULL) {
		give_up("calloc");
	}
	(void)run(&visits, FIRST_VISITS_MS);
	puts("ready");
	(void)fflush(stdout);
	if (fgets(line, sizeof(line), stdin) == NULL) {
		return 1;
	}
	report(&visits, run(&visits, milliseconds));
	return 0;
}
