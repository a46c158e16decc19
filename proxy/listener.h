/*
 * Layer: proxy. One job: one worker's end of a listening address. TCP addresses are bound once for
 * each worker with SO_REUSEPORT where the system balances that (Linux), else, and for unix sockets,
 * the workers share one socket.
 */
#ifndef SIGHTGLASS_PROXY_LISTENER_H
#define SIGHTGLASS_PROXY_LISTENER_H

#include <stdbool.h>

#include <uv.h>

#include "base/err.h"
#include "base/list.h"
#include "proxy/settings.h"

struct worker;

struct listener {
	struct list node; /* in worker->listeners */
	struct worker *worker;
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	bool is_unix;
	bool over_loopback; /* loopback or unix */
	enum listener_role role;
};

/*
 * Opens and binds a socket for `settings`, not yet listening. Where `*port` is not 0 it takes the
 * place of port 0 (a further worker's socket for the same address); is set to the port that was
 * bound. The descriptor, or -1 with a sentence that says which address and why.
 */
int listener_bind(const struct listen_settings *settings, uint16_t *port, struct err *err);

/* Listens on `fd`, which it takes over in any case, on the worker's loop; before the worker runs.
 * 0, or ERR_SYSTEM. */
enum err_code listener_open(struct worker *worker, int fd, const struct listen_settings *settings,
	enum listener_role role, struct err *err);
/* Accepts no more; frees itself. */
void listener_close(struct listener *listener);

/* True for loopback and unix addresses. */
bool listener_is_local(const struct listen_settings *settings);

#endif
