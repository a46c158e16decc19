/*
 * For unit tests. One job: see fake_origin.h.
 */
#include "tests/unit/fake_origin.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/tls.h"

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	static char sink[4096];

	(void)handle;
	(void)suggested;
	*buf = uv_buf_init(sink, sizeof(sink));
}

static void take_records(struct fake_peer *peer, struct slice records)
{
	size_t room = tls_receive_room(records.len);
	char *text = mem_alloc(room);
	struct buffer reply = BUFFER_INIT;
	struct tls_received got;
	uv_buf_t buf;

	(void)tls_receive(peer->tls, records, text, room, &got, &reply, NULL);
	if (reply.len > 0) {
		buf = uv_buf_init(reply.ptr, (unsigned)reply.len);
		(void)uv_try_write(&peer->uv.stream, &buf, 1); /* the socket takes it all */
	}
	buffer_fini(&reply);
	mem_free(text);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
	struct fake_peer *peer = stream->data;

	if (count > 0) {
		peer->received += (size_t)count;
		if (peer->tls != NULL) {
			take_records(peer, slice_of(buf->base, (size_t)count));
		}
	} else if (count < 0) {
		peer->gone = true;
		fake_peer_close(peer);
	}
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct fake_origin *origin = listener->data;
	struct fake_peer *peer = &origin->peers[origin->accepted];
	int rc;

	assert(status == 0 && origin->accepted < FAKE_ORIGIN_PEERS);
	memset(peer, 0, sizeof(*peer));
	if (origin->directory[0] != '\0') {
		rc = uv_pipe_init(listener->loop, &peer->uv.pipe, 0);
	} else {
		rc = uv_tcp_init(listener->loop, &peer->uv.tcp);
	}
	assert(rc == 0);
	peer->uv.handle.data = peer;
	rc = uv_accept(listener, &peer->uv.stream);
	assert(rc == 0);
	rc = uv_read_start(&peer->uv.stream, on_alloc, on_read);
	assert(rc == 0);
	if (origin->tls != NULL) {
		peer->tls = tls_open_server(origin->tls, NULL);
		assert(peer->tls != NULL);
	}
	origin->accepted++;
}

void fake_origin_listen(struct fake_origin *origin, uv_loop_t *loop)
{
	struct sockaddr_in address;
	int len = (int)sizeof(address);
	int rc;

	memset(origin, 0, sizeof(*origin));
	rc = uv_ip4_addr("127.0.0.1", 0, &address);
	assert(rc == 0);
	rc = uv_tcp_init(loop, &origin->uv.tcp);
	assert(rc == 0);
	origin->uv.handle.data = origin;
	rc = uv_tcp_bind(&origin->uv.tcp, (const struct sockaddr *)&address, 0);
	assert(rc == 0);
	rc = uv_listen(&origin->uv.stream, 128, on_connection);
	assert(rc == 0);
	rc = uv_tcp_getsockname(&origin->uv.tcp, (struct sockaddr *)&address, &len);
	assert(rc == 0);
	origin->port = ntohs(address.sin_port);
	snprintf(origin->url, sizeof(origin->url), "http://127.0.0.1:%u", origin->port);
}

void fake_origin_listen_unix(struct fake_origin *origin, uv_loop_t *loop)
{
	char path[sizeof(origin->directory) + sizeof("/socket")];
	int rc;

	memset(origin, 0, sizeof(*origin));
	snprintf(origin->directory, sizeof(origin->directory), "/tmp/fake-origin-XXXXXX");
	if (mkdtemp(origin->directory) == NULL) {
		abort();
	}
	snprintf(path, sizeof(path), "%s/socket", origin->directory);
	snprintf(origin->url, sizeof(origin->url), "unix:%s", path);
	rc = uv_pipe_init(loop, &origin->uv.pipe, 0);
	assert(rc == 0);
	origin->uv.handle.data = origin;
	rc = uv_pipe_bind(&origin->uv.pipe, path);
	assert(rc == 0);
	rc = uv_listen(&origin->uv.stream, 128, on_connection);
	assert(rc == 0);
}

void fake_origin_secure(struct fake_origin *origin, struct tls_context *context)
{
	origin->tls = context;
	snprintf(origin->url, sizeof(origin->url), "https://127.0.0.1:%u", origin->port);
}

void fake_origin_refuse(struct fake_origin *origin)
{
	if (!uv_is_closing(&origin->uv.handle)) {
		uv_close(&origin->uv.handle, NULL); /* removes the unix socket, too */
		if (origin->directory[0] != '\0') {
			(void)rmdir(origin->directory);
		}
	}
}

void fake_origin_close(struct fake_origin *origin)
{
	fake_origin_refuse(origin);
	for (unsigned i = 0; i < origin->accepted; i++) {
		fake_peer_close(&origin->peers[i]);
	}
}

unsigned fake_origin_open(const struct fake_origin *origin)
{
	unsigned open = 0;

	for (unsigned i = 0; i < origin->accepted; i++) {
		open += origin->peers[i].closed ? 0 : 1;
	}
	return open;
}

void fake_peer_send(struct fake_peer *peer, const char *text)
{
	char bytes[64];
	uv_buf_t buf;
	int rc;

	snprintf(bytes, sizeof(bytes), "%s", text);
	buf = uv_buf_init(bytes, (unsigned)strlen(bytes));
	rc = uv_try_write(&peer->uv.stream, &buf, 1);
	assert(rc == (int)buf.len);
}

void fake_peer_close(struct fake_peer *peer)
{
	if (!peer->closed) {
		peer->closed = true;
		uv_close(&peer->uv.handle, NULL);
		tls_close(peer->tls);
		peer->tls = NULL;
	}
}
