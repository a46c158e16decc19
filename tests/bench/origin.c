/*
 * Layer: the benchmark's programs. One job: the API behind the proxies. As fast as one core allows,
 * so that it is the proxy that is measured.
 *
 *	bench_origin PORT [CERTIFICATE KEY]
 *
 *	/bytes/N         N bytes, with a Content-Length
 *	/chunks/N/SIZE   N chunks of SIZE bytes, each by a send of its own, as a stream has them
 *	/gate/N          100 bytes, once N such requests have come: so that all are in flight at
 *once /gate/N/close    the same, and then the connection closes /after/N         100 bytes, after N
 *milliseconds
 *
 * Whatever else comes with a path (a query, any method) changes nothing; a request's body is read
 * and forgotten. Requests are answered in order, also pipelined ones. With a certificate and its
 * key, which are PEM files, it speaks TLS: by the same code, so that what a proxy has behind it
 * differs in nothing else, and costs the load's core as little as it can.
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
#include <sys/uio.h>

#include "tests/bench/channel.h"
#include "tests/bench/latencies.h"
#include "tests/bench/sockets.h"

enum {
	INPUT_BYTES = 16 * 1024,
	HEAD_BYTES = 320,
	DATE_BYTES = 40,
	BODY_BYTES = 256 * 1024, /* of the zone that every body is sent from */
	BODY_SLICES = 8,
	EVENTS = 512,
	AFTER_MAX_MS = 60000,
};

struct connection {
	struct channel channel;
	uint32_t watched;
	/* What is left of the piece of an answer that is on its way: text, then body bytes, then
	 * the literal tail. */
	char head[HEAD_BYTES];
	size_t head_at, head_end;
	uint64_t body_left;
	const char *tail;
	uint64_t chunks_left; /* pieces that are still to come */
	uint64_t chunk_bytes;
	/* The request: its head as far as it has come, then what its body still owes. */
	char *input;
	size_t input_end;
	uint64_t request_body_left;
	bool answer_waits; /* for the end of the request's body */
	bool closes;       /* after the answer */
	bool dead;
	/* The list of those that wait before they are answered: for others at the gate, or until
	 * due_us. NULL for one that does not. */
	struct connection **held;
	uint64_t due_us;
	struct connection *next_dead, *next_held;
};

struct origin {
	int poll;
	int listener;
	struct ssl_ctx_st *tls; /* NULL without */
	time_t date_s;
	char date[DATE_BYTES];
	struct connection *dead;
	struct connection *gate;  /* who waits there; one that is gone leaves it first */
	struct connection *later; /* who is answered at a time */
	uint64_t at_gate, gate_opens_at;
	char body[BODY_BYTES];
	char swallowed[BODY_BYTES];
};

static void hold(struct connection **list, struct connection *connection)
{
	connection->held = list;
	connection->next_held = *list;
	*list = connection;
}

static void let_go(struct origin *origin, struct connection *connection)
{
	struct connection **link = connection->held;

	origin->at_gate -= link == &origin->gate;
	while (*link != connection) {
		link = &(*link)->next_held;
	}
	*link = connection->next_held;
	connection->held = NULL;
}

static void close_connection(struct origin *origin, struct connection *connection)
{
	if (connection->held != NULL) {
		let_go(origin, connection);
	}
	channel_close(&connection->channel);
	connection->dead = true;
	connection->next_dead = origin->dead;
	origin->dead = connection;
}

static void free_dead(struct origin *origin)
{
	while (origin->dead != NULL) {
		struct connection *connection = origin->dead;
		origin->dead = connection->next_dead;
		free(connection->input);
		free(connection);
	}
}

static void watch_for(struct origin *origin, struct connection *connection, uint32_t events)
{
	if (connection->watched != events) {
		connection->watched = events;
		watch(origin->poll, EPOLL_CTL_MOD, connection->channel.fd, events, connection);
	}
}

static const char *date_now(struct origin *origin)
{
	time_t now = time(NULL);
	struct tm utc;

	if (now != origin->date_s) {
		origin->date_s = now;
		(void)strftime(origin->date, sizeof(origin->date), "%a, %d %b %Y %H:%M:%S GMT",
			gmtime_r(&now, &utc));
	}
	return origin->date;
}

static bool is_answering(const struct connection *connection)
{
	return connection->head_at < connection->head_end || connection->body_left > 0 ||
	       *connection->tail != '\0' || connection->chunks_left > 0;
}

static void begin_head(struct origin *origin, struct connection *connection, const char *status,
	const char *framing)
{
	int len = snprintf(connection->head, sizeof(connection->head),
		"HTTP/1.1 %s\r\nServer: origin\r\nDate: %s\r\nContent-Type: application/json\r\n%s",
		status, date_now(origin), framing);

	connection->head_at = 0;
	connection->head_end = (size_t)len;
}

static void begin_chunk(struct connection *connection)
{
	size_t room = sizeof(connection->head) - connection->head_end;
	int len = snprintf(connection->head + connection->head_end, room, "%" PRIx64 "\r\n",
		connection->chunk_bytes);

	connection->head_end += (size_t)len;
	connection->body_left = connection->chunk_bytes;
	connection->chunks_left--;
	connection->tail = connection->chunks_left > 0 ? "\r\n" : "\r\n0\r\n\r\n";
}

/* Has an answer ready, which leaves when it is let go. */
static void prepare(struct origin *origin, struct connection *connection, bool closes)
{
	begin_head(origin, connection, "200 OK",
		closes ? "Content-Length: 100\r\nConnection: close\r\n\r\n"
		       : "Content-Length: 100\r\n\r\n");
	connection->body_left = 100;
	connection->closes = closes;
}

static void begin_answer(struct origin *origin, struct connection *connection, const char *path)
{
	char framing[64];
	uint64_t count, size;

	connection->tail = "";
	if (sscanf(path, "/bytes/%" SCNu64, &size) == 1) {
		(void)snprintf(
			framing, sizeof(framing), "Content-Length: %" PRIu64 "\r\n\r\n", size);
		begin_head(origin, connection, "200 OK", framing);
		connection->body_left = size;
	} else if (sscanf(path, "/chunks/%" SCNu64 "/%" SCNu64, &count, &size) == 2 && count > 0 &&
		   size > 0) {
		begin_head(origin, connection, "200 OK", "Transfer-Encoding: chunked\r\n\r\n");
		connection->chunks_left = count;
		connection->chunk_bytes = size;
		begin_chunk(connection);
	} else if (sscanf(path, "/gate/%" SCNu64, &count) == 1 && count > 0) {
		prepare(origin, connection, strstr(path, "/close ") != NULL);
		hold(&origin->gate, connection);
		origin->at_gate++;
		origin->gate_opens_at = count;
	} else if (sscanf(path, "/after/%" SCNu64, &count) == 1 && count <= AFTER_MAX_MS) {
		prepare(origin, connection, false);
		connection->due_us = now_us() + count * 1000;
		hold(&origin->later, connection);
	} else {
		begin_head(origin, connection, "404 Not Found", "Content-Length: 0\r\n\r\n");
	}
}

/* The fields that change how the connection goes on. */
static void read_fields(struct connection *connection, const char *field)
{
	static const char length[] = "content-length:", coding[] = "transfer-encoding:",
			  connection_close[] = "connection: close";

	while (*field != '\0') {
		if (strncasecmp(field, length, sizeof(length) - 1) == 0) {
			connection->request_body_left =
				strtoull(field + sizeof(length) - 1, NULL, 10);
		} else if (strncasecmp(field, coding, sizeof(coding) - 1) == 0) {
			errno = ENOTSUP; /* no load of ours sends such a body */
			give_up("a request's transfer coding");
		} else if (strncasecmp(field, connection_close, sizeof(connection_close) - 1) ==
			   0) {
			connection->closes = true;
		}
		field = strchr(field, '\n');
		if (field == NULL) {
			return;
		}
		field++;
	}
}

/* Takes a request's head from the input, where it is whole. */
static bool take_request(struct origin *origin, struct connection *connection)
{
	char *end = memmem(connection->input, connection->input_end, "\r\n\r\n", 4);

	if (end == NULL) {
		if (connection->input_end == INPUT_BYTES - 1) {
			errno = EMSGSIZE;
			give_up("a request's head");
		}
		return false;
	}
	end[2] = '\0'; /* ends the text of the head, as its last field has its own line end */
	const char *path = memchr(connection->input, ' ', (size_t)(end - connection->input));
	begin_answer(origin, connection, path != NULL ? path + 1 : "");
	connection->request_body_left = 0;
	read_fields(connection, connection->input);

	size_t after = (size_t)(end + 4 - connection->input);
	size_t left = connection->input_end - after;
	size_t body =
		left < connection->request_body_left ? left : (size_t)connection->request_body_left;
	connection->request_body_left -= body;
	connection->answer_waits = connection->request_body_left > 0 || connection->held != NULL;
	connection->input_end = left - body;
	memmove(connection->input, connection->input + after + body, connection->input_end);
	return true;
}

/* Sends once. False where the socket takes no more for now, or the connection is gone. */
static bool send_piece(struct origin *origin, struct connection *connection)
{
	struct iovec slices[BODY_SLICES + 2];
	size_t count = 0;
	uint64_t body = connection->body_left;

	slices[count++] = (struct iovec){
		connection->head + connection->head_at, connection->head_end - connection->head_at};
	for (int i = 0; body > 0 && i < BODY_SLICES; i++) {
		size_t len = body < BODY_BYTES ? (size_t)body : BODY_BYTES;
		slices[count++] = (struct iovec){origin->body, len};
		body -= len;
	}
	if (body == 0 && *connection->tail != '\0') {
		union {
			const char *in;
			char *out;
		} tail = {connection->tail}; /* which is only read */
		slices[count++] = (struct iovec){tail.out, strlen(connection->tail)};
	}
	ssize_t sent = channel_send(&connection->channel, slices, count);
	if (sent < 0) {
		if (!would_block()) {
			close_connection(origin, connection);
		}
		return false;
	}
	size_t left = (size_t)sent;
	size_t head = connection->head_end - connection->head_at;
	head = left < head ? left : head;
	connection->head_at += head;
	left -= head;
	body = left < connection->body_left ? left : connection->body_left;
	connection->body_left -= body;
	connection->tail += left - body;
	return true;
}

/* One piece of the answer leaves; of a stream the next one in a later round of the loop, so that
 * the streams of all connections are interleaved. */
static void go_on_answering(struct origin *origin, struct connection *connection)
{
	if (connection->head_at == connection->head_end && connection->body_left == 0 &&
		*connection->tail == '\0') {
		connection->head_at = connection->head_end = 0;
		begin_chunk(connection);
	}
	(void)send_piece(origin, connection);
	if (!connection->dead && !is_answering(connection) && connection->closes) {
		close_connection(origin, connection);
	}
}

/* Answers what has come, until a request is not whole or an answer has to wait for the socket. */
static void answer_requests(struct origin *origin, struct connection *connection)
{
	while (!connection->dead && !connection->answer_waits && !is_answering(connection) &&
		connection->input_end > 0 && take_request(origin, connection)) {
		if (!connection->answer_waits) {
			go_on_answering(origin, connection);
		}
	}
	if (!connection->dead) {
		bool sends = is_answering(connection) && !connection->answer_waits;
		watch_for(origin, connection, sends ? EPOLLOUT : EPOLLIN);
	}
}

static void answer_held(struct origin *origin, struct connection *connection)
{
	let_go(origin, connection);
	connection->answer_waits = false;
	go_on_answering(origin, connection);
	answer_requests(origin, connection);
}

static void open_gate(struct origin *origin)
{
	while (origin->gate != NULL) {
		answer_held(origin, origin->gate);
	}
}

/* Answers those whose time has come. Returns how long there is nothing to do, for epoll_wait. */
static int answer_what_is_due(struct origin *origin)
{
	uint64_t now = now_us();
	uint64_t next = UINT64_MAX;

	for (struct connection *at = origin->later; at != NULL;) {
		struct connection *connection = at;
		at = at->next_held; /* what answering adds stands before it */
		if (connection->due_us <= now) {
			answer_held(origin, connection);
		} else if (connection->due_us < next) {
			next = connection->due_us;
		}
	}
	if (origin->later == NULL) {
		return -1;
	}
	return next == UINT64_MAX ? 0 : (int)((next - now) / 1000 + 1);
}

/* False where nothing has come. */
static bool receive(struct origin *origin, struct connection *connection)
{
	bool is_body = connection->request_body_left > 0;
	char *to = is_body ? origin->swallowed : connection->input + connection->input_end;
	size_t room = is_body ? sizeof(origin->swallowed) : INPUT_BYTES - 1 - connection->input_end;

	if (is_body && connection->request_body_left < room) {
		room = (size_t)connection->request_body_left; /* never into the next request */
	}
	ssize_t got = channel_receive(&connection->channel, to, room);
	if (got <= 0) {
		if (got == 0 || !would_block()) {
			close_connection(origin, connection);
		}
		return false;
	}
	if (!is_body) {
		connection->input_end += (size_t)got;
		return true;
	}
	connection->request_body_left -= (size_t)got;
	if (connection->request_body_left == 0) {
		connection->answer_waits = false;
		go_on_answering(origin, connection);
	}
	return true;
}

static void serve(struct origin *origin, struct connection *connection)
{
	bool goes_on = true;

	do {
		if (connection->watched == EPOLLOUT) {
			go_on_answering(origin, connection);
		} else {
			goes_on = receive(origin, connection);
		}
		answer_requests(origin, connection);
	} while (goes_on && !connection->dead && connection->watched == EPOLLIN &&
		 channel_holds_more(&connection->channel));
}

static void accept_connection(struct origin *origin)
{
	int fd = accept_next(origin->listener);

	if (fd < 0) {
		return;
	}
	struct connection *connection = calloc(1, sizeof(*connection));
	char *input = malloc(INPUT_BYTES);
	if (connection == NULL || input == NULL) {
		give_up("calloc");
	}
	*connection = (struct connection){.input = input, .tail = "", .watched = EPOLLIN};
	channel_open(&connection->channel, fd, origin->tls);
	watch(origin->poll, EPOLL_CTL_ADD, fd, EPOLLIN, connection);
}

int main(int argc, char **argv)
{
	static struct origin origin;
	struct epoll_event events[EVENTS];

	if (argc != 2 && argc != 4) {
		(void)fprintf(stderr, "usage: %s PORT [CERTIFICATE KEY]\n", argv[0]);
		return 2;
	}
	for (size_t i = 0; i < sizeof(origin.body); i++) {
		origin.body[i] = (char)('a' + i % 26);
	}
	origin.tls = argc == 4 ? channel_server_context(argv[2], argv[3]) : NULL;
	origin.listener = listen_on((uint16_t)parse_number(argv[1], UINT16_MAX));
	origin.poll = create_poll();
	watch(origin.poll, EPOLL_CTL_ADD, origin.listener, EPOLLIN, NULL);
	for (;;) {
		int wait_ms = origin.later != NULL ? answer_what_is_due(&origin) : -1;
		int count = epoll_wait(origin.poll, events, EVENTS, wait_ms);

		if (count < 0 && errno != EINTR) {
			give_up("epoll_wait");
		}
		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr == NULL) {
				accept_connection(&origin);
			} else {
				serve(&origin, events[i].data.ptr);
			}
		}
		if (origin.gate != NULL && origin.at_gate >= origin.gate_opens_at) {
			open_gate(&origin);
		}
		free_dead(&origin);
	}
}
