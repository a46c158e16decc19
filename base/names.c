/*
 * Layer: base. One job: see names.h.
 *
 * c-ares calls back from within ares_getaddrinfo() (the hosts file), ares_process_fd() and
 * ares_destroy(), and none of its functions may be called from there: so an answer is only noted,
 * and told at the turn's end. It cannot give up one question alone: one that nobody waits for goes
 * on, and all of them end with the last that somebody does wait for.
 *
 * What can fail: resolv.conf cannot be read, a socket cannot be opened (c-ares goes on with the
 * next server), a server is silent or says no; the file may change and the caller may leave at any
 * point of this. c-ares reads the hosts file in one go, as the C library does.
 */
#include "base/names.h"

#include <assert.h>
#include <pthread.h>

#include <ares.h>
#include <uv.h>

#include "base/file_signature.h"
#include "base/loop.h"
#include "base/memory.h"
#include "base/name_files.h"

struct names {
	struct loop *loop;
	ares_channel channel;            /* NULL where it could not be made */
	struct file_signature signature; /* of resolv.conf as the channel has read it */
	struct list questions;
	size_t waiting; /* questions that somebody waits for; not 0 */
	struct list sockets;
	struct timer timer; /* c-ares's next resend, or end of waiting */
};

/* A socket of c-ares's. libuv's handle of it outlives it, and `names`, until it is closed. */
struct names_socket {
	struct list node;
	struct names *names;
	ares_socket_t descriptor;
	uv_poll_t poll;
};

enum question_state {
	QUESTION_NEW,
	QUESTION_ASKED,    /* c-ares has it */
	QUESTION_ANSWERED, /* to be told */
};

struct names_question {
	struct list node;
	struct names *names;
	struct names_lookup *lookup; /* NULL: nobody waits for it any more */
	const char *host;
	enum question_state state;
	bool within; /* ares_getaddrinfo() has not returned */
	struct task tell;
	struct names_answer answer;
};

/* --- answers */

static enum names_status status_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return NAMES_FOUND;
	case ARES_ENOTFOUND:
		return NAMES_UNKNOWN;
	case ARES_ENODATA:
		return NAMES_NO_ADDRESS;
	case ARES_ETIMEOUT:
		return NAMES_SILENT;
	case ARES_ECONNREFUSED: /* also where all servers answered with SERVFAIL or REFUSED */
	case ARES_ESERVFAIL:
	case ARES_EREFUSED:
	case ARES_ENOTIMP:
		return NAMES_NO_SERVER;
	case ARES_EFORMERR:
	case ARES_EBADRESP:
		return NAMES_BAD_ANSWER;
	case ARES_EBADNAME:
		return NAMES_BAD_NAME;
	default:
		return NAMES_UNAVAILABLE;
	}
}

/* Where it is of a family we know and there is room. */
static void add_address(struct names_answer *answer, const struct sockaddr *found)
{
	union names_address *address = &answer->addresses[answer->count];

	if (answer->count == NAMES_ADDRESSES_MAX) {
		return;
	}
	if (found->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)found;

		address->v4.sin_family = AF_INET;
		address->v4.sin_addr = v4->sin_addr;
	} else if (found->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)found;

		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_addr = v6->sin6_addr;
		address->v6.sin6_scope_id = v6->sin6_scope_id;
	} else {
		return;
	}
	answer->count++;
}

/* One above 2^31 counts as 0 (RFC 2181 section 8): c-ares gives it as negative. */
static uint32_t smaller_ttl(uint32_t ttl_s, int other)
{
	uint32_t other_s = other > 0 ? (uint32_t)other : 0;

	return other_s < ttl_s ? other_s : ttl_s;
}

static void read_answer(struct names_answer *answer, const struct ares_addrinfo *info)
{
	answer->ttl_s = UINT32_MAX;
	for (const struct ares_addrinfo_node *node = info->nodes; node != NULL;
		node = node->ai_next) {
		answer->ttl_s = smaller_ttl(answer->ttl_s, node->ai_ttl);
		add_address(answer, node->ai_addr);
	}
	for (const struct ares_addrinfo_cname *alias = info->cnames; alias != NULL;
		alias = alias->next) {
		answer->ttl_s = smaller_ttl(answer->ttl_s, alias->ttl);
	}
	if (answer->count == 0) {
		answer->status = NAMES_NO_ADDRESS;
	}
}

/* --- sockets and time */

static void free_socket(uv_handle_t *handle)
{
	mem_free(handle->data);
}

static void arm(struct names *names)
{
	struct timeval wait;

	if (names->channel != NULL && ares_timeout(names->channel, NULL, &wait) != NULL) {
		loop_timer_start(names->loop, &names->timer,
			(uint64_t)wait.tv_sec * 1000 + (uint64_t)wait.tv_usec / 1000);
	} else {
		loop_timer_stop(names->loop, &names->timer);
	}
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct names_socket *socket = poll->data;
	struct names *names = socket->names;
	struct loop *loop = names->loop;
	ares_socket_t descriptor = socket->descriptor;

	if (status < 0) { /* c-ares will see what is wrong */
		events = UV_READABLE | UV_WRITABLE;
	}
	ares_process_fd(names->channel, (events & UV_READABLE) != 0 ? descriptor : ARES_SOCKET_BAD,
		(events & UV_WRITABLE) != 0 ? descriptor : ARES_SOCKET_BAD);
	arm(names);
	loop_settle(loop);
}

static struct names_socket *find_socket(struct names *names, ares_socket_t descriptor)
{
	list_each (node, after, &names->sockets) {
		struct names_socket *socket = container_of(node, struct names_socket, node);

		if (socket->descriptor == descriptor) {
			return socket;
		}
	}
	return NULL;
}

/* NULL where the system does not let us wait for it: its question ends by the timer. */
static struct names_socket *add_socket(struct names *names, ares_socket_t descriptor)
{
	struct names_socket *socket = mem_zalloc(sizeof(*socket));

	if (uv_poll_init(&names->loop->uv, &socket->poll, descriptor) < 0) {
		mem_free(socket);
		return NULL;
	}
	socket->names = names;
	socket->descriptor = descriptor;
	socket->poll.data = socket;
	list_push_back(&names->sockets, &socket->node);
	return socket;
}

/* c-ares has opened a socket, waits for something else, or is about to close it. */
static void on_socket_state(void *data, ares_socket_t descriptor, int readable, int writable)
{
	struct names *names = data;
	struct names_socket *socket = find_socket(names, descriptor);
	int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);

	if (socket == NULL && events != 0) {
		socket = add_socket(names, descriptor);
	}
	if (socket == NULL) {
		return;
	}
	if (events != 0) {
		(void)uv_poll_start(&socket->poll, events, on_ready); /* cannot fail */
	} else {
		list_remove(&socket->node);
		uv_close((uv_handle_t *)&socket->poll, free_socket);
	}
}

/* --- the channel */

static void set_up_library(void)
{
	(void)ares_library_init_mem(ARES_LIB_INIT_ALL, mem_alloc, mem_free, mem_realloc);
}

static void open_channel(struct names *names)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct name_options told;
	struct ares_options options = {
		.sock_state_cb = on_socket_state,
		.sock_state_cb_data = names,
	};
	int mask = ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;

	(void)pthread_once(&once, set_up_library);
	names->signature = file_signature_of(NAME_FILES_RESOLV_CONF); /* before it is read */
	name_files_load_options(&told);
	options.timeout = told.timeout_ms;
	options.tries = told.attempts;
#ifdef ARES_OPT_QUERY_CACHE /* how long an answer is used is up to our caller */
	options.qcache_max_ttl = 0;
	mask |= ARES_OPT_QUERY_CACHE;
#endif
	if (ares_init_options(&names->channel, &options, mask) != ARES_SUCCESS) {
		names->channel = NULL;
	}
}

static bool has_changed(const struct names *names)
{
	struct file_signature now = file_signature_of(NAME_FILES_RESOLV_CONF);

	return !file_signature_same(&now, &names->signature);
}

/* --- questions */

static void end_question(struct names_question *question)
{
	task_cancel(&question->tell);
	list_remove(&question->node);
	mem_free(question);
}

static void note_answer(
	struct names_question *question, int status, const struct ares_addrinfo *info)
{
	question->state = QUESTION_ANSWERED;
	question->answer = (struct names_answer){
		.status = status_of(status),
		.local = question->within, /* nobody else can answer that fast */
	};
	if (status == ARES_SUCCESS) {
		read_answer(&question->answer, info);
	}
	loop_ready(question->names->loop, &question->tell);
}

static void on_answered(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	struct names_question *question = arg;

	(void)timeouts;
	question->state = QUESTION_NEW;
	if (question->lookup == NULL) {
		end_question(question);
	} else if (status != ARES_EDESTRUCTION) { /* else it is asked again by the next channel */
		note_answer(question, status, info);
	}
	ares_freeaddrinfo(info);
}

/* "localhost" and what ends with ".localhost" (RFC 6761 section 6.3). */
static bool is_localhost(struct slice name)
{
	const struct slice last = SLICE("localhost");
	size_t before;

	if (slice_ends_with(name, SLICE("."))) {
		name.len--;
	}
	if (name.len < last.len) {
		return false;
	}
	before = name.len - last.len;
	return slice_equal_nocase(slice_of(name.ptr + before, last.len), last) &&
	       (before == 0 || name.ptr[before - 1] == '.');
}

/* Without c-ares, which asks name servers for all but "localhost" itself, and loses ten bytes each
 * time where its hosts file does not have that (1.18). */
static void answer_loopback(struct names_question *question)
{
	struct names_answer *answer = &question->answer;

	question->state = QUESTION_ANSWERED;
	*answer = (struct names_answer){.status = NAMES_FOUND, .local = true, .count = 2};
	(void)uv_ip6_addr("::1", 0, &answer->addresses[0].v6);
	(void)uv_ip4_addr("127.0.0.1", 0, &answer->addresses[1].v4);
	loop_ready(question->names->loop, &question->tell);
}

static void ask(struct names_question *question)
{
	const struct ares_addrinfo_hints hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct names *names = question->names;
	struct slice name = slice_str(question->host);

	if (is_localhost(name) && !name_files_know(name)) {
		answer_loopback(question);
		return;
	}
	if (names->channel == NULL) {
		note_answer(question, ARES_ENOTINITIALIZED, NULL);
		return;
	}
	question->state = QUESTION_ASKED;
	question->within = true;
	ares_getaddrinfo(names->channel, question->host, NULL, &hints, on_answered, question);
	question->within = false;
}

/* Asks everything that has no answer yet again, by what resolv.conf says now. */
static void renew(struct names *names)
{
	ares_destroy(names->channel);
	open_channel(names);
	list_each (node, after, &names->questions) {
		struct names_question *question = container_of(node, struct names_question, node);

		if (question->state == QUESTION_NEW) {
			ask(question);
		}
	}
	arm(names);
}

/* A server was silent for its time. */
static void on_timer(struct timer *timer)
{
	struct names *names = container_of(timer, struct names, timer);

	if (has_changed(names)) {
		renew(names);
	} else {
		ares_process_fd(names->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
		arm(names);
	}
}

static struct names *begin(struct loop *loop)
{
	struct names *names = mem_zalloc(sizeof(*names));

	names->loop = loop;
	list_init(&names->questions);
	list_init(&names->sockets);
	timer_init(&names->timer, on_timer);
	open_channel(names);
	loop->names = names;
	return names;
}

/* One question less that somebody waits for. With the last one goes all of it. */
static void leave(struct names *names)
{
	names->waiting--;
	if (names->waiting > 0) {
		return;
	}
	names->loop->names = NULL;
	loop_timer_stop(names->loop, &names->timer);
	ares_destroy(names->channel);
	assert(list_empty(&names->questions) && list_empty(&names->sockets));
	mem_free(names);
}

static void on_tell(struct task *task)
{
	struct names_question *question = container_of(task, struct names_question, tell);
	struct names *names = question->names;
	struct names_lookup *lookup = question->lookup;

	if (question->answer.status != NAMES_FOUND && has_changed(names)) {
		question->state = QUESTION_NEW;
		renew(names);
		return;
	}
	lookup->question = NULL;
	lookup->answered(lookup, &question->answer); /* may ask again, or forget others */
	end_question(question);
	leave(names);
}

/* --- for all */

void names_look_up(struct loop *loop, struct names_lookup *lookup, const char *host)
{
	struct names *names = loop->names;
	struct names_question *question = mem_zalloc(sizeof(*question));

	assert(lookup->question == NULL);
	if (names == NULL) {
		names = begin(loop);
	} else if (has_changed(names)) {
		renew(names);
	}
	question->names = names;
	question->lookup = lookup;
	question->host = host;
	task_init(&question->tell, on_tell);
	list_push_back(&names->questions, &question->node);
	names->waiting++;
	lookup->question = question;
	ask(question);
	arm(names);
}

void names_forget(struct names_lookup *lookup)
{
	struct names_question *question = lookup->question;
	struct names *names;

	if (question == NULL) {
		return;
	}
	names = question->names;
	lookup->question = NULL;
	question->lookup = NULL;
	if (question->state != QUESTION_ASKED) {
		end_question(question);
	}
	leave(names);
}
