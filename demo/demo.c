/*
 * Layer: demo. One job: the thread of the sample API, and its listener; see demo.h.
 */
#include "demo/demo.h"

#include <assert.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include <uv.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/memory.h"
#include "demo/client.h"
#include "demo/service.h"

enum {
	BACKLOG = 128,
};

struct demo {
	struct loop loop;
	uv_tcp_t listener;
	struct demo_service service;
	struct message stop;
	pthread_t thread;
	uint16_t port;
};

static void on_connection(uv_stream_t *listener, int status)
{
	struct demo *self = listener->data;

	if (status < 0) {
		log_warn("demo: a connection was not accepted: %s", uv_strerror(status));
	} else {
		demo_client_accept(&self->service, listener);
	}
	loop_settle(&self->loop);
}

/* On the demo's thread: with the last handle closed, its loop_run() returns. */
static void on_stop(struct message *message)
{
	struct demo *self = container_of(message, struct demo, stop);

	uv_close((uv_handle_t *)&self->listener, NULL);
	demo_service_stop(&self->service);
}

static void *run(void *context)
{
	struct demo *self = context;

	loop_run(&self->loop);
	return NULL;
}

/* The listener is initialised in any case. 0, or a libuv error. */
static int listen_on_loopback(struct demo *self)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr_storage bound;
	int len = sizeof(bound);
	int rc;

	(void)uv_tcp_init(&self->loop.uv, &self->listener); /* makes no socket yet: cannot fail */
	self->listener.data = self;
	rc = uv_tcp_bind(&self->listener, (const struct sockaddr *)&address, 0);
	if (rc == 0) {
		rc = uv_listen((uv_stream_t *)&self->listener, BACKLOG, on_connection);
	}
	if (rc == 0) {
		rc = uv_tcp_getsockname(&self->listener, (struct sockaddr *)&bound, &len);
	}
	if (rc == 0) {
		memcpy(&address, &bound, sizeof(address));
		self->port = ntohs(address.sin_port);
	}
	return rc;
}

/* What ends the program is for the main thread to hear; a peer that is gone is an EPIPE here. */
static int start_thread(struct demo *self)
{
	static const int elsewhere[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE};
	sigset_t blocked, before;
	int rc;

	(void)sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		(void)sigaddset(&blocked, elsewhere[i]);
	}
	(void)pthread_sigmask(SIG_BLOCK, &blocked, &before);
	rc = pthread_create(&self->thread, NULL, run, self);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

struct demo *demo_start(struct err *err)
{
	struct demo *self = mem_zalloc(sizeof(*self));
	int rc = loop_init(&self->loop);

	if (rc < 0) {
		err_set(err, ERR_SYSTEM, "event loop: %s", uv_strerror(rc));
		mem_free(self);
		return NULL;
	}
	self->stop.run = on_stop;
	demo_service_init(&self->service, &self->loop);
	rc = listen_on_loopback(self);
	if (rc < 0) {
		err_set(err, ERR_SYSTEM, "listen on 127.0.0.1: %s", uv_strerror(rc));
		goto close_all;
	}
	rc = start_thread(self);
	if (rc != 0) {
		err_set(err, ERR_SYSTEM, "thread: %s", strerror(rc));
		goto close_all;
	}
	return self;

close_all:
	on_stop(&self->stop);
	loop_run(&self->loop);
	demo_service_fini(&self->service);
	loop_fini(&self->loop);
	mem_free(self);
	return NULL;
}

uint16_t demo_port(const struct demo *demo)
{
	return demo->port;
}

void demo_stop(struct demo *demo)
{
	int rc;

	if (demo == NULL) {
		return;
	}
	loop_post(&demo->loop, &demo->stop);
	rc = pthread_join(demo->thread, NULL);
	assert(rc == 0);
	(void)rc;
	demo_service_fini(&demo->service);
	loop_fini(&demo->loop);
	mem_free(demo);
}
