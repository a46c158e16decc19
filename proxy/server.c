/*
 * Layer: proxy. One job: what all workers share, and their beginning and end together; see
 * server.h.
 */
#include "proxy/server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file_watch.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/tls_source.h"
#include "base/tls_trust.h"
#include "proxy/access_log.h"
#include "proxy/listener.h"
#include "proxy/upstreams.h"

enum {
	DESCRIPTORS_KEPT = 160, /* for logs, loops, files, admin listeners, and the answers to those
				   that are one too many */
	REFUSED_MAX = 64, /* connections that get their 503 at a time; further ones are dropped */
	ADMIN_MAX = 32,   /* connections of admin listeners; further ones are dropped */
	CONNECTIONS_AUTO_MAX =
		65536, /* more than a sidecar meets; bounds what --check has to count with */
};

struct bound_address {
	const struct listen_settings *settings;
	char text[160];
	bool removed; /* the file of its unix socket */
};

struct server {
	const struct proxy_settings *settings;
	struct route_table *routes;
	struct upstreams *upstreams;
	struct worker **workers;
	pthread_t *threads;
	struct observer **access_logs;
	unsigned ready;   /* workers that are initialised */
	unsigned started; /* threads: of the second worker and those behind it */
	bool running;     /* the first worker runs, or has run */
	struct bound_address *addresses;
	unsigned address_count;
	struct tls_source *tls;   /* NULL: listeners are plain */
	struct file_watch *files; /* in the first worker's loop */
	uint32_t connection_limit;
	_Atomic bool draining;
	_Atomic uint32_t refused; /* connections that are one too many, until they are closed */
	_Atomic uint32_t admin;   /* connections of admin listeners */
	_Alignas(64) _Atomic uint32_t
		connections; /* written by all workers: on a cache line of its own */
};

uint32_t server_connections_auto(const struct proxy_settings *settings)
{
	struct rlimit limit;
	uint64_t upstream = 0;
	uint64_t left;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
		return 1024;
	}
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	for (uint32_t i = 0; i < settings->upstream_count; i++) {
		upstream += settings->upstreams[i].pool.max_connections;
	}
	left = limit.rlim_cur == RLIM_INFINITY ? CONNECTIONS_AUTO_MAX : limit.rlim_cur;
	left = left > upstream + DESCRIPTORS_KEPT ? left - upstream - DESCRIPTORS_KEPT : 16;
	return left > CONNECTIONS_AUTO_MAX ? CONNECTIONS_AUTO_MAX : (uint32_t)left;
}

/* --- listeners */

/* "127.0.0.1:8080": the text that was written, with the port that was bound in the place of 0. */
static void name_address(struct bound_address *address, uint16_t port)
{
	const char *text = address->settings->text;
	const char *colon = strrchr(text, ':');

	if (address->settings->is_unix || colon == NULL) {
		(void)snprintf(address->text, sizeof(address->text), "%s", text);
	} else {
		(void)snprintf(address->text, sizeof(address->text), "%.*s:%u", (int)(colon - text),
			text, (unsigned)port);
	}
}

/* While we listen there, nobody else can have taken the path; as soon as we do not, the next
 * process may. */
static void remove_socket_files(struct server *server)
{
	for (unsigned i = 0; i < server->address_count; i++) {
		struct bound_address *address = &server->addresses[i];

		if (address->settings->is_unix && !address->removed) {
			address->removed = true;
			(void)unlink(address->settings->path);
		}
	}
}

/* The descriptor for this worker: the first binds, the others bind beside it or share its socket.
 */
static int bind_for_worker(
	const struct listen_settings *listen, int first, uint16_t *port, struct err *err)
{
	bool shares = listen->is_unix;
	int fd;

#ifndef __linux__
	shares = true; /* elsewhere SO_REUSEPORT sends every connection to the last that bound */
#endif
	if (first < 0 || !shares) {
		return listener_bind(listen, port, err);
	}
	fd = fcntl(first, F_DUPFD_CLOEXEC, 0); /* not for the plugins that we start */
	if (fd < 0) {
		err_set(err, ERR_SYSTEM, "listen %s: dup: %s", listen->text, strerror(errno));
	}
	return fd;
}

static enum err_code listen_on(struct server *server, const struct listen_settings *listen,
	enum listener_role role, struct err *err)
{
	struct bound_address *address = &server->addresses[server->address_count];
	int first = -1; /* the first worker's; its listener owns it */
	uint16_t port = 0;

	for (unsigned i = 0; i < server->ready; i++) {
		int fd = bind_for_worker(listen, first, &port, err);

		if (fd < 0) {
			return err->code;
		}
		if (i == 0) { /* from here on the address is ours, and to be cleared away */
			first = fd;
			address->settings = listen;
			address->removed = false;
			server->address_count++;
		}
		if (listener_open(server->workers[i], fd, listen, role, err) != ERR_NONE) {
			return err->code;
		}
	}
	name_address(address, port);
	return ERR_NONE;
}

static enum err_code listen_on_each(struct server *server, const struct listen_settings *listens,
	uint32_t count, enum listener_role role, struct err *err)
{
	for (uint32_t i = 0; i < count; i++) {
		if (listen_on(server, &listens[i], role, err) != ERR_NONE) {
			return err->code;
		}
	}
	return ERR_NONE;
}

static enum err_code listen_on_all(struct server *server, struct err *err)
{
	const struct proxy_settings *settings = server->settings;

	if (listen_on_each(server, settings->listens, settings->listen_count, LISTENER_TRAFFIC,
		    err) != ERR_NONE ||
		listen_on_each(server, settings->inspector_listens,
			settings->inspector_listen_count, LISTENER_INSPECTOR, err) != ERR_NONE) {
		return err->code;
	}
	return listen_on_each(
		server, settings->admin_listens, settings->admin_listen_count, LISTENER_ADMIN, err);
}

/* --- beginning */

static enum err_code make_workers(struct server *server, struct err *err)
{
	const struct proxy_settings *settings = server->settings;

	for (unsigned i = 0; i < settings->workers; i++) {
		struct worker *worker = mem_alloc(sizeof(*worker));
		int rc = worker_init(worker, server, i, settings, server->routes,
			upstreams_list(server->upstreams));

		if (rc < 0) {
			mem_free(worker);
			return err_set(err, ERR_SYSTEM, "event loop: %s", uv_strerror(rc));
		}
		server->workers[i] = worker;
		server->ready++;
		if (settings->access_log) {
			server->access_logs[i] =
				access_log_create(worker, settings->access_log_json);
			worker_observe(worker, server->access_logs[i]);
		}
	}
	return ERR_NONE;
}

static enum err_code read_listener_certificate(struct server *server, struct err *err)
{
	const struct listener_tls *files = &server->settings->tls;
	struct tls_settings settings = TLS_SETTINGS_INIT;

	if (files->certificate == NULL) {
		return ERR_NONE;
	}
	settings.certificate_file = files->certificate;
	settings.key_file = files->key;
	server->tls = tls_source_create(TLS_SERVER, &settings, err);
	return server->tls == NULL ? err->code : ERR_NONE;
}

static void on_listener_files_changed(void *context)
{
	const struct server *server = context;

	upstreams_reread_tls(server->tls, "listeners");
}

/* Before they are read, so that no change falls in between. */
static void watch_files(struct server *server)
{
	const struct proxy_settings *settings = server->settings;
	const char *own[] = {settings->tls.certificate, settings->tls.key};

	server->files = file_watch_create(&server->workers[0]->loop);
	if (settings->tls.certificate != NULL) {
		file_watch_add(server->files, own, 2, on_listener_files_changed, server);
	}
	upstreams_start(server->upstreams, &server->workers[0]->loop, server->files);
}

static enum err_code prepare(struct server *server, struct err *err)
{
	enum err_code code;

	server->upstreams = upstreams_create(server->settings, err);
	code = server->upstreams == NULL ? err->code : make_workers(server, err);
	if (code == ERR_NONE) {
		watch_files(server);
		code = read_listener_certificate(server, err);
	}
	if (code == ERR_NONE) {
		upstreams_wait_for_plugins(server->upstreams);
		code = listen_on_all(server, err);
	}
	return code;
}

struct server *server_create(const struct proxy_settings *settings, struct err *err)
{
	struct server *server = aligned_alloc(64, (sizeof(*server) + 63) / 64 * 64);

	assert(server != NULL);
	memset(server, 0, sizeof(*server));
	server->settings = settings;
	server->connection_limit = server_connections_auto(settings); /* raises the limit, too */
	if (settings->limits.connections > server->connection_limit) {
		log_warn("limits.connections: %u is more than the file-descriptor limit has room "
			 "for; it leaves %u",
			settings->limits.connections, server->connection_limit);
	}
	if (settings->limits.connections != 0) {
		server->connection_limit = settings->limits.connections;
	}
	server->routes = route_table_create(settings);
	server->workers = mem_alloc_array(settings->workers, sizeof(struct worker *));
	server->threads = mem_alloc_array(settings->workers, sizeof(pthread_t));
	server->access_logs = mem_alloc_array(settings->workers, sizeof(struct observer *));
	memset(server->access_logs, 0, settings->workers * sizeof(struct observer *));
	server->addresses =
		mem_alloc_array(settings->listen_count + settings->inspector_listen_count +
					settings->admin_listen_count,
			sizeof(struct bound_address));
	if (prepare(server, err) != ERR_NONE) {
		server_destroy(server);
		return NULL;
	}
	return server;
}

/* False where the start has failed before. */
static bool has_run(const struct server *server, unsigned index)
{
	return index == 0 ? server->running : index <= server->started;
}

void server_destroy(struct server *server)
{
	if (server == NULL) {
		return;
	}
	remove_socket_files(server);
	file_watch_close(server->files);
	upstreams_stop(server->upstreams);
	for (unsigned i = 0; i < server->ready; i++) {
		if (!has_run(server, i)) {
			worker_discard(server->workers[i]);
		}
		access_log_destroy(server->access_logs[i]);
		worker_fini(server->workers[i]);
		mem_free(server->workers[i]);
	}
	upstreams_destroy(server->upstreams);
	route_table_destroy(server->routes);
	tls_source_destroy(server->tls);
	tls_trust_settle();
	mem_free(server->workers);
	mem_free(server->threads);
	mem_free(server->access_logs);
	mem_free(server->addresses);
	free(server);
}

static void *run_thread(void *context)
{
	worker_run(context);
	return NULL;
}

enum err_code server_start(struct server *server, struct err *err)
{
	for (unsigned i = 1; i < server->ready; i++) {
		int rc = pthread_create(&server->threads[i], NULL, run_thread, server->workers[i]);

		if (rc != 0) {
			return err_set(err, ERR_SYSTEM, "thread: %s", strerror(rc));
		}
		server->started++;
	}
	return ERR_NONE;
}

void server_run(struct server *server)
{
	server->running = true;
	worker_run(server->workers[0]);
	server_join(server);
}

void server_drain(struct server *server)
{
	atomic_store_explicit(&server->draining, true, memory_order_relaxed);
	remove_socket_files(server);
	for (unsigned i = 0; i < server->ready; i++) {
		if (has_run(server, i)) {
			worker_drain(server->workers[i]);
		}
	}
}

void server_join(struct server *server)
{
	for (unsigned i = 1; i <= server->started; i++) {
		(void)pthread_join(server->threads[i], NULL);
	}
}

/* --- questions */

unsigned server_worker_count(const struct server *server)
{
	return server->ready;
}

struct worker *server_worker(struct server *server, unsigned index)
{
	assert(index < server->ready);
	return server->workers[index];
}

struct upstream *server_upstream(const struct server *server, unsigned index)
{
	assert(index < server->settings->upstream_count);
	return upstreams_list(server->upstreams)[index];
}

void server_set_claim(struct server *server, const struct claim *claim)
{
	for (unsigned i = 0; i < server->ready; i++) {
		server->workers[i]->claim = claim;
	}
}

const char *server_address(const struct server *server, unsigned index)
{
	assert(index < server->address_count);
	return server->addresses[index].text;
}

void server_reread_certificates(struct server *server)
{
	if (server->tls != NULL) {
		on_listener_files_changed(server);
	}
	upstreams_reread(server->upstreams);
}

const char *server_scheme(const struct server *server)
{
	return server->tls == NULL ? "http" : "https";
}

struct tls_context *server_hold_tls(struct server *server)
{
	return server->tls == NULL ? NULL : tls_source_hold(server->tls);
}

bool server_draining(const struct server *server)
{
	return atomic_load_explicit(&server->draining, memory_order_relaxed);
}

uint32_t server_connection_limit(const struct server *server)
{
	return server->connection_limit;
}

uint32_t server_connections(const struct server *server)
{
	return atomic_load_explicit(&server->connections, memory_order_relaxed);
}

enum admission server_connection_opened(struct server *server, enum listener_role role)
{
	if (role == LISTENER_ADMIN) {
		return atomic_fetch_add_explicit(&server->admin, 1, memory_order_relaxed) <
				       ADMIN_MAX
			       ? ADMITTED
			       : ADMISSION_DROPPED;
	}
	if (atomic_fetch_add_explicit(&server->connections, 1, memory_order_relaxed) <
		server->connection_limit) {
		return ADMITTED;
	}
	atomic_fetch_sub_explicit(&server->connections, 1, memory_order_relaxed);
	return atomic_fetch_add_explicit(&server->refused, 1, memory_order_relaxed) < REFUSED_MAX
		       ? ADMISSION_REFUSED
		       : ADMISSION_DROPPED;
}

void server_connection_closed(struct server *server, enum listener_role role, bool over_limit)
{
	_Atomic uint32_t *counter = role == LISTENER_ADMIN ? &server->admin
				    : over_limit           ? &server->refused
							   : &server->connections;

	atomic_fetch_sub_explicit(counter, 1, memory_order_relaxed);
}
