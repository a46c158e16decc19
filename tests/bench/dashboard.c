/*
 * Layer: the benchmark's programs. One job: the load of a monitoring dashboard. Each browser has
 * six connections, as browsers do, and every second asks for 20 panels at once over them; every
 * fifth second a POST comes with them. Browsers tick one after the other, not all at once.
 *
 *	bench_dashboard PORT MILLISECONDS [BROWSERS]
 *
 * Opens and warms all connections, prints "ready", waits for a line on its input, and runs. Then
 * prints one line of JSON, and closes the connections when its input ends. A latency is counted
 * from the tick, so what a request waits for its turn is in it. A browser whose last tick is not
 * done skips one, and that is told.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/epoll.h>
#include <unistd.h>

#include "tests/bench/answers.h"
#include "tests/bench/latencies.h"
#include "tests/bench/sockets.h"

enum {
	CONNECTIONS = 6, /* a browser's, to one origin, with HTTP/1.1 */
	POLLS = 20,
	POST_EVERY = 5, /* ticks */
	REQUESTS = POLLS + 1,
	POST_BYTES = 2048,
	REQUEST_BYTES = 4096,
	MAX_BROWSERS = 500,
	MAX_MILLISECONDS = 60000,
	LAST_ANSWERS_MS = 3000,
	EVENTS = 256,
};

struct connection {
	struct channel channel;
	bool busy;
	struct browser *browser;
	struct answer answer;
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
	struct latencies latencies;
	uint64_t skipped, errors;
	char buffer[ANSWER_READ_BYTES];
};

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

static void send_request(struct connection *connection, struct request *request)
{
	struct iovec whole = {request->text, request->len};

	/* An idle connection takes a few KiB at once, or it is gone. */
	if (channel_send(&connection->channel, &whole, 1) != (ssize_t)request->len) {
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
	browser->unanswered--;
	dashboard->unanswered--;
	if (connection->answer.failed && dashboard->errors++ == 0) {
		answer_tell(&connection->answer);
	}
	latencies_add(&dashboard->latencies, now_us() - browser->tick_us);
}

static void receive(struct dashboard *dashboard, struct connection *connection)
{
	if (answer_receive(&connection->answer, &connection->channel, dashboard->buffer)) {
		count_answer(dashboard, connection);
		send_what_waits(dashboard, connection->browser);
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
			channel_open(&connection->channel, connect_to(port), NULL);
			watch(dashboard->poll, EPOLL_CTL_ADD, connection->channel.fd, EPOLLIN,
				connection);
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

static void run(struct dashboard *dashboard, uint64_t milliseconds)
{
	uint64_t start_us = now_us();
	uint64_t end_us = start_us + milliseconds * 1000;
	uint64_t between_us = 1000000 / dashboard->browser_count;

	dashboard->latencies.count = 0;
	dashboard->latencies.beyond = 0;
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

static void report(struct dashboard *dashboard, uint64_t milliseconds)
{
	(void)printf("{");
	latencies_print(&dashboard->latencies);
	(void)printf(", \"seconds\": %.3f, \"errors\": %" PRIu64 ", \"skipped\": %" PRIu64 "}\n",
		(double)milliseconds / 1000, dashboard->errors, dashboard->skipped);
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct dashboard dashboard = {.browser_count = 50};
	char line[16];

	if (argc != 3 && argc != 4) {
		(void)fprintf(stderr, "usage: %s PORT MILLISECONDS [BROWSERS]\n", argv[0]);
		return 2;
	}
	uint64_t milliseconds = parse_number(argv[2], MAX_MILLISECONDS);
	if (argc == 4) {
		dashboard.browser_count = (unsigned)parse_number(argv[3], MAX_BROWSERS);
	}
	if (milliseconds == 0 || dashboard.browser_count == 0) {
		errno = EINVAL;
		give_up("MILLISECONDS, BROWSERS");
	}
	latencies_init(&dashboard.latencies,
		dashboard.browser_count * REQUESTS * (size_t)(milliseconds / 1000 + 2));
	dashboard.browsers = calloc(dashboard.browser_count, sizeof(struct browser));
	if (dashboard.browsers == NULL) {
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
	run(&dashboard, milliseconds);
	report(&dashboard, milliseconds);
	while (fgets(line, sizeof(line), stdin) != NULL) {
	}
	return 0;
}
