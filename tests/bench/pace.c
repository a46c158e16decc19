/*
 * Layer: the benchmark's programs. One job: requests over connections that are open already: at a
 * constant rate, or as fast as they are answered.
 *
 *	bench_pace PORT PATH CONNECTIONS RATE MILLISECONDS POST_BYTES [tls]
 *
 * Opens and warms all connections, prints "ready", waits for a line on its input, and runs. Then
 * prints one line of JSON, and closes the connections when its input ends.
 *
 * With a RATE (requests a second) request n is due n/RATE after the start, whatever became of those
 * before it: it leaves on the connection that has been free for longest, or waits for one, and its
 * latency is counted from when it was due. So what stalls the proxy is in the latencies of all that
 * were due meanwhile (no coordinated omission). With RATE 0 each connection asks again as soon as
 *it has an answer: all of them are busy all the time.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tests/bench/answers.h"
#include "tests/bench/latencies.h"
#include "tests/bench/sockets.h"

enum {
	WARMED_AT_ONCE = 64,
	MAX_CONNECTIONS = 100000,
	MAX_RATE = 1000000,
	MAX_MILLISECONDS = 60000,
	MAX_POST_BYTES = 1 << 24,
	KEPT_PER_SECOND = 500000, /* latencies, where no rate is given */
	LAST_ANSWERS_MS = 3000,
	EVENTS = 512,
};

struct connection {
	struct channel channel;
	uint64_t due_us; /* of the request that is on its way */
	struct answer answer;
};

struct pace {
	int poll;
	int timer;              /* -1 where there is no rate */
	struct ssl_ctx_st *tls; /* NULL without */
	struct connection *connections;
	size_t count;
	/* Those without a request: a ring. */
	struct connection **idle;
	size_t idle_first, idle_count;
	char *request;
	size_t request_len;
	uint64_t rate, total; /* total: how many are to be asked in this run */
	uint64_t start_us, end_us;
	uint64_t asked, answered, errors;
	struct latencies latencies;
	char buffer[ANSWER_READ_BYTES];
};

static void put_idle(struct pace *pace, struct connection *connection)
{
	pace->idle[(pace->idle_first + pace->idle_count++) % pace->count] = connection;
}

/* Waits, where the socket does not take all of a body at once: a proxy reads on meanwhile. */
static void send_request(const struct pace *pace, struct channel *channel)
{
	struct pollfd writable = {.fd = channel->fd, .events = POLLOUT};

	for (size_t at = 0; at < pace->request_len;) {
		struct iovec rest = {pace->request + at, pace->request_len - at};
		ssize_t sent = channel_send(channel, &rest, 1);
		if (sent >= 0) {
			at += (size_t)sent;
		} else if (!would_block() || poll(&writable, 1, LAST_ANSWERS_MS) <= 0) {
			give_up("send");
		}
	}
}

static void ask(struct pace *pace, uint64_t due_us)
{
	struct connection *connection = pace->idle[pace->idle_first];

	pace->idle_first = (pace->idle_first + 1) % pace->count;
	pace->idle_count--;
	pace->asked++;
	connection->due_us = due_us;
	send_request(pace, &connection->channel);
}

static uint64_t due_us(const struct pace *pace, uint64_t number)
{
	return pace->start_us + number * 1000000 / pace->rate;
}

/* Asks for all that is due, as far as there are connections. */
static void ask_what_is_due(struct pace *pace)
{
	uint64_t now = now_us();

	if (pace->rate == 0) {
		while (pace->idle_count > 0 && now < pace->end_us) {
			ask(pace, now);
		}
		return;
	}
	while (pace->idle_count > 0 && pace->asked < pace->total &&
		due_us(pace, pace->asked) <= now) {
		ask(pace, due_us(pace, pace->asked));
	}
}

static void receive(struct pace *pace, struct connection *connection)
{
	if (answer_receive(&connection->answer, &connection->channel, pace->buffer)) {
		pace->answered++;
		if (connection->answer.failed && pace->errors++ == 0) {
			answer_tell(&connection->answer);
		}
		latencies_add(&pace->latencies, now_us() - connection->due_us);
		put_idle(pace, connection);
	}
}

static void wait_for_events(struct pace *pace)
{
	struct epoll_event events[EVENTS];
	uint64_t expired;
	int count = epoll_wait(pace->poll, events, EVENTS, 100);

	if (count < 0 && errno != EINTR) {
		give_up("epoll_wait");
	}
	for (int i = 0; i < count; i++) {
		if (events[i].data.ptr != NULL) {
			receive(pace, events[i].data.ptr);
		} else if (read(pace->timer, &expired, sizeof(expired)) < 0 && !would_block()) {
			give_up("timerfd");
		}
	}
}

/* epoll's own timeout is in milliseconds, and late by the timer's slack. */
static void start_timer(struct pace *pace)
{
	long between_ns = (long)(1000000000 / pace->rate);
	struct itimerspec each = {
		.it_interval = {.tv_sec = between_ns / 1000000000,
			.tv_nsec = between_ns % 1000000000},
		.it_value = {.tv_nsec = 1},
	};

	pace->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (pace->timer < 0 || timerfd_settime(pace->timer, 0, &each, NULL) < 0) {
		give_up("timerfd");
	}
	watch(pace->poll, EPOLL_CTL_ADD, pace->timer, EPOLLIN, NULL);
}

static void open_connection(const struct pace *pace, struct channel *channel, uint16_t port)
{
	struct pollfd readable = {.events = POLLIN};

	channel_open(channel, connect_to(port), pace->tls);
	readable.fd = channel->fd;
	while (!channel_shake_hands(channel)) {
		if (poll(&readable, 1, LAST_ANSWERS_MS) <= 0) {
			give_up("a handshake");
		}
	}
}

static void open_connections(struct pace *pace, uint16_t port)
{
	uint64_t opened = 0;

	for (size_t i = 0; i < pace->count; i++) {
		struct connection *connection = &pace->connections[i];
		open_connection(pace, &connection->channel, port);
		watch(pace->poll, EPOLL_CTL_ADD, connection->channel.fd, EPOLLIN, connection);
		put_idle(pace, connection);
		ask(pace, now_us());
		opened++;
		if (opened % WARMED_AT_ONCE == 0 || opened == pace->count) {
			uint64_t end_us = now_us() + (uint64_t)LAST_ANSWERS_MS * 1000;
			while (pace->answered < opened && now_us() < end_us) {
				wait_for_events(pace);
			}
		}
	}
	if (pace->answered < opened) {
		errno = ETIMEDOUT;
		give_up("the first answers");
	}
}

static void run(struct pace *pace, uint64_t milliseconds)
{
	pace->latencies.count = 0;
	pace->latencies.beyond = 0;
	pace->asked = pace->answered = 0;
	pace->total = pace->rate * milliseconds / 1000;
	if (pace->rate > 0) {
		start_timer(pace);
	}
	pace->start_us = now_us();
	pace->end_us = pace->start_us + milliseconds * 1000;
	uint64_t give_up_us = pace->end_us + (uint64_t)LAST_ANSWERS_MS * 1000;
	for (uint64_t now = pace->start_us; now < give_up_us; now = now_us()) {
		bool all_asked = now >= pace->end_us && pace->asked >= pace->total;
		if (all_asked && pace->answered == pace->asked) {
			break;
		}
		ask_what_is_due(pace);
		wait_for_events(pace);
	}
	pace->end_us = now_us();
	uint64_t due = pace->rate > 0 ? pace->total : pace->asked;
	pace->errors += due - pace->answered;
}

static void report(struct pace *pace)
{
	(void)printf("{");
	latencies_print(&pace->latencies);
	(void)printf(", \"seconds\": %.6f, \"errors\": %" PRIu64 "}\n",
		(double)(pace->end_us - pace->start_us) / 1e6, pace->errors);
	(void)fflush(stdout);
}

static void build_request(struct pace *pace, const char *port, const char *path, size_t post_bytes)
{
	enum { HEAD_BYTES = 512 };
	char length[64] = "";

	if (post_bytes > 0) {
		(void)snprintf(length, sizeof(length), "Content-Length: %zu\r\n", post_bytes);
	}
	pace->request = malloc(HEAD_BYTES + post_bytes);
	if (pace->request == NULL) {
		give_up("malloc");
	}
	int len = snprintf(pace->request, HEAD_BYTES,
		"%s %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n%s\r\n", post_bytes > 0 ? "POST" : "GET",
		path, port, length);
	if (len >= HEAD_BYTES) {
		errno = EMSGSIZE;
		give_up("PATH");
	}
	memset(pace->request + len, 'p', post_bytes);
	pace->request_len = (size_t)len + post_bytes;
}

int main(int argc, char **argv)
{
	static struct pace pace = {.timer = -1};
	char line[16];

	if (argc != 7 && (argc != 8 || strcmp(argv[7], "tls") != 0)) {
		(void)fprintf(stderr,
			"usage: %s PORT PATH CONNECTIONS RATE MILLISECONDS POST_BYTES [tls]\n",
			argv[0]);
		return 2;
	}
	pace.count = parse_number(argv[3], MAX_CONNECTIONS);
	pace.rate = parse_number(argv[4], MAX_RATE);
	uint64_t milliseconds = parse_number(argv[5], MAX_MILLISECONDS);
	if (pace.count == 0 || milliseconds == 0) {
		errno = EINVAL;
		give_up("CONNECTIONS, MILLISECONDS");
	}
	pace.tls = argc == 8 ? channel_client_context() : NULL;
	build_request(&pace, argv[1], argv[2], (size_t)parse_number(argv[6], MAX_POST_BYTES));
	uint64_t per_second = pace.rate > 0 ? pace.rate : KEPT_PER_SECOND;
	latencies_init(
		&pace.latencies, (size_t)(per_second * (milliseconds / 1000 + 1)) + pace.count);
	pace.connections = calloc(pace.count, sizeof(*pace.connections));
	pace.idle = calloc(pace.count, sizeof(struct connection *));
	if (pace.connections == NULL || pace.idle == NULL) {
		give_up("calloc");
	}
	pace.poll = create_poll();
	open_connections(&pace, (uint16_t)parse_number(argv[1], UINT16_MAX));
	puts("ready");
	(void)fflush(stdout);
	if (fgets(line, sizeof(line), stdin) == NULL) {
		return 1;
	}
	run(&pace, milliseconds);
	report(&pace);
	while (fgets(line, sizeof(line), stdin) != NULL) {
	}
	return 0;
}
