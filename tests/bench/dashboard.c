/*
 * Layer: the benchmark's programs. One job: the load of a monitoring dashboard. Each browser has
 * six connections, as browsers do, and every second asks for 20 panels at once over them; every
 * fifth second a POST comes with them. Browsers tick one after the other, not all at once.
 *
 *	bench_dashboard PORT SECONDS [BROWSERS]
 *
 * Opens and warms all connections, prints "ready", waits for a line on its input, and runs. Then
 * prints one line of JSON, and closes the connections when its input ends. A latency is counted
 *from the tick, so what a request waits for its turn is in it. A browser whose last tick is not
 *done skips one, and that is told.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/sockets.h"

enum {
	CONNECTIONS = 6, /* a browser's, to one origin, with HTTP/1.1 */
	POLLS = 20,
	POST_EVERY = 5, /* ticks */
	REQUESTS = POLLS + 1,
	POST_BYTES = 2048,
	REQUEST_BYTES = 4096,
	HEAD_BYTES = 4096,
	BUFFER_BYTES = 64 * 1024,
	MAX_BROWSERS = 500,
	MAX_SECONDS = 60,
	LAST_ANSWERS_MS = 3000,
	EVENTS = 256,
};

struct connection {
	int fd;
	bool busy;
	struct browser *browser;
	char head[HEAD_BYTES]; /* of the answer, as far as it has come */
	size_t head_end;
	uint64_t body_left;
	bool in_body;
};

struct browser {
	struct connection connections[CONNECTIONS];
	uint64_t tick_us, next_tick_us;
	unsigned ticks;
	unsigned next_request, requests; /* of this tick; sent are those before next_request */
	unsigned unanswered;
};

struct request {
	char text[REQUEST_BYTES];
	size_t len;
};

struct dashboard {
	int poll;
	struct request requests[REQUESTS]; /* the last one is the POST */
	struct browser *browsers;
	unsigned browser_count;
	unsigned unanswered;
	uint32_t *latencies_us;
	size_t latency_count, latency_room;
	uint64_t skipped, errors;
	char buffer[BUFFER_BYTES];
};

static uint64_t now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* What a browser sends with every call of a signed-in user. */
static const char browser_fields[] =
	"Host: dashboard.example.com\r\nConnection: keep-alive\r\n"
	"sec-ch-ua: \"Chromium\";v=\"131\", \"Not_A Brand\";v=\"24\"\r\nsec-ch-ua-mobile: ?0\r\n"
	"sec-ch-ua-platform: \"Linux\"\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) "
	"AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36\r\n"
	"Accept: application/json\r\nX-Requested-With: XMLHttpRequest\r\n"
	"Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n"
	"Referer: https://dashboard.example.com/overview\r\nAccept-Encoding: gzip, deflate, br\r\n"
	"Accept-Language: en-GB,en;q=0.9\r\nCookie: theme=dark; session="
	"Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4\r\n";

static void build_requests(struct dashboard *dashboard)
{
	static const unsigned answer_bytes[] = {180, 420, 900, 1800, 6000};

	for (unsigned i = 0; i < POLLS; i++) {
		struct request *request = &dashboard->requests[i];
		unsigned bytes = answer_bytes[i % (sizeof(answer_bytes) / sizeof(*answer_bytes))];
		request->len = (size_t)snprintf(request->text, sizeof(request->text),
			"GET /bytes/%u?panel=%u HTTP/1.1\r\n%s\r\n", bytes, i, browser_fields);
	}
	struct request *post = &dashboard->requests[POLLS];
	post->len = (size_t)snprintf(post->text, sizeof(post->text),
		"POST /bytes/60?action=save HTTP/1.1\r\n%sContent-Type: application/json\r\n"
		"Content-Length: %d\r\n\r\n",
		browser_fields, POST_BYTES);
	memset(post->text + post->len, 'p', POST_BYTES);
	post->len += POST_BYTES;
}

static void send_request(struct connection *connection, const struct request *request)
{
	/* An idle connection takes a few KiB at once, or it is gone. */
	if (send(connection->fd, request->text, request->len, MSG_NOSIGNAL) !=
		(ssize_t)request->len) {
		give_up("send");
	}
	connection->busy = true;
}

static void send_what_waits(struct dashboard *dashboard, struct browser *browser)
{
	for (int i = 0; i < CONNECTIONS && browser->next_request < browser->requests; i++) {
		if (!browser->connections[i].busy) {
			send_request(&browser->connections[i],
				&dashboard->requests[browser->next_request++]);
		}
	}
}

static void count_answer(struct dashboard *dashboard, struct connection *connection)
{
	struct browser *browser = connection->browser;

	connection->busy = false;
	connection->in_body = false;
	connection->head_end = 0;
	browser->unanswered--;
	dashboard->unanswered--;
	if (dashboard->latency_count < dashboard->latency_room) {
		dashboard->latencies_us[dashboard->latency_count++] =
			(uint32_t)(now_us() - browser->tick_us);
	}
}

/* Reads the answer's head, where it is whole: every answer has a Content-Length. */
static bool take_head(struct dashboard *dashboard, struct connection *connection)
{
	static const char length[] = "\r\nContent-Length:";

	connection->head[connection->head_end] = '\0';
	char *end = strstr(connection->head, "\r\n\r\n");
	if (end == NULL) {
		if (connection->head_end == HEAD_BYTES - 1) {
			errno = EMSGSIZE;
			give_up("an answer's head");
		}
		return false;
	}
	const char *field = strcasestr(connection->head, length);
	if (field == NULL || field > end) {
		errno = EPROTO;
		give_up("an answer without a length");
	}
	if (strncmp(connection->head, "HTTP/1.1 200", 12) != 0) {
		dashboard->errors++;
	}
	size_t head_len = (size_t)(end + 4 - connection->head);
	uint64_t body = strtoull(field + sizeof(length) - 1, NULL, 10);
	size_t arrived = connection->head_end - head_len;
	if (arrived > body) {
		errno = EPROTO;
		give_up("bytes after an answer");
	}
	connection->body_left = body - arrived;
	connection->in_body = true;
	return true;
}

static void take_bytes(
	struct dashboard *dashboard, struct connection *connection, const char *bytes, size_t len)
{
	if (!connection->in_body) {
		size_t room = HEAD_BYTES - 1 - connection->head_end;
		size_t taken = len < room ? len : room;
		memcpy(connection->head + connection->head_end, bytes, taken);
		connection->head_end += taken;
		if (!take_head(dashboard, connection)) {
			return;
		}
		bytes += taken;
		len -= taken;
	}
	if (len > connection->body_left) {
		errno = EPROTO;
		give_up("bytes after an answer");
	}
	connection->body_left -= len;
	if (connection->body_left == 0) {
		count_answer(dashboard, connection);
		send_what_waits(dashboard, connection->browser);
	}
}

static void receive(struct dashboard *dashboard, struct connection *connection)
{
	ssize_t got = recv(connection->fd, dashboard->buffer, sizeof(dashboard->buffer), 0);

	if (got > 0) {
		take_bytes(dashboard, connection, dashboard->buffer, (size_t)got);
	} else if (got == 0 || !would_block()) {
		errno = got == 0 ? ECONNRESET : errno;
		give_up("a connection closed");
	}
}

static void wait_for_answers(struct dashboard *dashboard, int timeout_ms)
{
	struct epoll_event events[EVENTS];
	int count = epoll_wait(dashboard->poll, events, EVENTS, timeout_ms);

	if (count < 0 && errno != EINTR) {
		give_up("epoll_wait");
	}
	for (int i = 0; i < count; i++) {
		receive(dashboard, events[i].data.ptr);
	}
}

static void wait_for_all(struct dashboard *dashboard)
{
	uint64_t end_us = now_us() + (uint64_t)LAST_ANSWERS_MS * 1000;

	while (dashboard->unanswered > 0 && now_us() < end_us) {
		wait_for_answers(dashboard, 100);
	}
}

static void tick(struct dashboard *dashboard, struct browser *browser)
{
	if (browser->unanswered > 0) {
		dashboard->skipped++;
		return;
	}
	browser->tick_us = now_us();
	browser->next_request = 0;
	browser->requests = browser->ticks++ % POST_EVERY == 0 ? REQUESTS : POLLS;
	browser->unanswered = browser->requests;
	dashboard->unanswered += browser->requests;
	send_what_waits(dashboard, browser);
}

static void open_connections(struct dashboard *dashboard, uint16_t port)
{
	for (unsigned i = 0; i < dashboard->browser_count; i++) {
		struct browser *browser = &dashboard->browsers[i];
		for (int j = 0; j < CONNECTIONS; j++) {
			struct connection *connection = &browser->connections[j];
			connection->browser = browser;
			connection->fd = connect_to(port);
			watch(dashboard->poll, EPOLL_CTL_ADD, connection->fd, EPOLLIN, connection);
		}
		/* One tick each that is not counted: what is opened behind the proxy is open. */
		tick(dashboard, browser);
		wait_for_all(dashboard);
	}
	if (dashboard->unanswered > 0) {
		errno = ETIMEDOUT;
		give_up("the first answers");
	}
}

static void run(struct dashboard *dashboard, uint64_t seconds)
{
	uint64_t start_us = now_us();
	uint64_t end_us = start_us + seconds * 1000000;
	uint64_t between_us = 1000000 / dashboard->browser_count;

	dashboard->latency_count = 0;
	for (unsigned i = 0; i < dashboard->browser_count; i++) {
		dashboard->browsers[i].ticks = i; /* so that the POSTs are spread, too */
		dashboard->browsers[i].next_tick_us = start_us + i * between_us;
	}
	/* Browsers tick in their order, round and round. */
	for (unsigned next = 0;; next = (next + 1) % dashboard->browser_count) {
		struct browser *browser = &dashboard->browsers[next];
		if (browser->next_tick_us >= end_us) {
			break;
		}
		for (uint64_t now = now_us(); now < browser->next_tick_us; now = now_us()) {
			uint64_t wait_us = browser->next_tick_us - now;
			wait_for_answers(dashboard, (int)((wait_us + 999) / 1000));
		}
		tick(dashboard, browser);
		browser->next_tick_us += 1000000;
	}
	wait_for_all(dashboard);
	dashboard->errors += dashboard->unanswered;
}

static int compare_latencies(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

static void report(struct dashboard *dashboard, uint64_t seconds)
{
	size_t count = dashboard->latency_count;
	uint32_t *latencies = dashboard->latencies_us;

	if (count == 0) {
		errno = ETIMEDOUT;
		give_up("no answer at all");
	}
	qsort(latencies, count, sizeof(*latencies), compare_latencies);
	(void)printf("{\"requests\": %zu, \"seconds\": %" PRIu64 ", \"p50_us\": %" PRIu32
		     ", \"p99_us\": %" PRIu32 ", \"errors\": %" PRIu64 ", \"skipped\": %" PRIu64
		     "}\n",
		count, seconds, latencies[count / 2], latencies[count * 99 / 100],
		dashboard->errors, dashboard->skipped);
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct dashboard dashboard = {.browser_count = 50};
	char line[16];

	if (argc != 3 && argc != 4) {
		(void)fprintf(stderr, "usage: %s PORT SECONDS [BROWSERS]\n", argv[0]);
		return 2;
	}
	uint64_t seconds = parse_number(argv[2], MAX_SECONDS);
	if (argc == 4) {
		dashboard.browser_count = (unsigned)parse_number(argv[3], MAX_BROWSERS);
	}
	if (seconds == 0 || dashboard.browser_count == 0) {
		errno = EINVAL;
		give_up("SECONDS, BROWSERS");
	}
	dashboard.latency_room = dashboard.browser_count * REQUESTS * (size_t)(seconds + 1);
	dashboard.latencies_us = calloc(dashboard.latency_room, sizeof(uint32_t));
	dashboard.browsers = calloc(dashboard.browser_count, sizeof(struct browser));
	if (dashboard.latencies_us == NULL || dashboard.browsers == NULL) {
		give_up("calloc");
	}
	dashboard.poll = create_poll();
	build_requests(&dashboard);
	open_connections(&dashboard, (uint16_t)parse_number(argv[1], UINT16_MAX));
	puts("ready");
	(void)fflush(stdout);
	if (fgets(line, sizeof(line), stdin) == NULL) {
		return 1;
	}
	run(&dashboard, seconds);
	report(&dashboard, seconds);
	while (fgets(line, sizeof(line), stdin) != NULL) {
	}
	return 0;
}
