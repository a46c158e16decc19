/*
 * The composition root: settings → demo → server → inspector → signals. Everything else is in a
 * floor of its own; see ARCHITECTURE.md.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <uv.h>

#include "base/err.h"
#include "base/log.h"
#include "config/settings.h"
#include "demo/demo.h"
#include "inspector/inspector.h"
#include "proxy/server.h"
#include "proxy/worker.h"

extern char **environ;

enum {
	EXIT_RUN_TIME = 1,
	EXIT_SETTINGS = 2,
	LOG_END_MS = 1000, /* how long a reader of the log may take for what is left at the end */
};

enum {
	ENDINGS = 3,
};

static const int ending_signals[ENDINGS] = {SIGTERM, SIGINT, SIGHUP};

/* What asks the process to end, watched in the first worker's loop. */
struct endings {
	uv_signal_t handles[ENDINGS];
	struct server *server;
};

static void exit_at_once(int signal_number)
{
	(void)signal_number;
	_exit(EXIT_RUN_TIME);
}

static void ending_signal_set(sigset_t *signals)
{
	sigemptyset(signals);
	for (unsigned i = 0; i < ENDINGS; i++) {
		sigaddset(signals, ending_signals[i]);
	}
}

/* Before any thread is started: all of them leave these signals to the main thread, which lets them
 * in by watch_endings(). */
static void block_signals(void)
{
	sigset_t signals;

	ending_signal_set(&signals);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN); /* a write that fails says so by itself */
}

/* Asked to end: drains. A second signal ends the process at once. */
static void on_ending(uv_signal_t *handle, int number)
{
	const struct sigaction at_once = {.sa_handler = exit_at_once};
	struct endings *endings = handle->data;

	if (number == SIGHUP) {
		log_warn("SIGHUP: certificates and credentials are read again; this version does "
			 "not read its "
			 "settings again: restart it for those");
		server_reread_certificates(endings->server);
		return;
	}
	for (unsigned i = 0; i < ENDINGS; i++) {
		uv_close((uv_handle_t *)&endings->handles[i], NULL);
	}
	(void)sigaction(SIGTERM, &at_once, NULL);
	(void)sigaction(SIGINT, &at_once, NULL);
	(void)signal(SIGHUP, SIG_IGN);
	log_info("%s: draining", number == SIGTERM ? "SIGTERM" : "SIGINT");
	server_drain(endings->server);
}

static int watch_signal(struct endings *endings, unsigned index, uv_loop_t *loop)
{
	uv_signal_t *handle = &endings->handles[index];
	int rc = uv_signal_init(loop, handle);

	if (rc == 0) {
		handle->data = endings;
		rc = uv_signal_start(handle, on_ending, ending_signals[index]);
		if (rc != 0) {
			uv_close((uv_handle_t *)handle, NULL);
		}
	}
	return rc;
}

/* Lets the signals in. 0, or a libuv error: then none is watched. */
static int watch_endings(struct endings *endings, struct server *server)
{
	uv_loop_t *loop = &server_worker(server, 0)->loop.uv;
	sigset_t signals;

	endings->server = server;
	for (unsigned i = 0; i < ENDINGS; i++) {
		int rc = watch_signal(endings, i, loop);

		if (rc != 0) {
			while (i-- > 0) {
				uv_close((uv_handle_t *)&endings->handles[i], NULL);
			}
			return rc;
		}
	}
	ending_signal_set(&signals);
	(void)pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
	return 0;
}

/* Which addresses answer: the lines that everybody looks for. */
static void announce(const struct server *server, const struct proxy_settings *settings)
{
	uint32_t count = settings->listen_count;

	for (uint32_t i = 0; i < count; i++) {
		log_info("listening on %s", server_address(server, i));
	}
	for (uint32_t i = 0; i < settings->inspector_listen_count; i++) {
		log_info("inspector listening on %s", server_address(server, count + i));
	}
	count += settings->inspector_listen_count;
	for (uint32_t i = 0; i < settings->admin_listen_count; i++) {
		log_info("metrics and health listening on %s", server_address(server, count + i));
	}
}

/* A link to click; ":8080" is every interface, this machine's among them. */
static void announce_demo(const struct server *server, const struct proxy_settings *settings)
{
	const char *address = server_address(server, 0);

	if (!settings->listens[0].is_unix) {
		log_info("sample dashboard: %s://%s%s/", server_scheme(server),
			address[0] == ':' ? "localhost" : "", address);
	}
}

static enum err_code start(struct server *server, struct endings *endings, struct err *err)
{
	int rc;

	if (server_start(server, err) != ERR_NONE) {
		return err->code;
	}
	rc = watch_endings(endings, server);
	return rc == 0 ? ERR_NONE : err_set(err, ERR_SYSTEM, "signals: %s", uv_strerror(rc));
}

static void show_settings(struct inspector *inspector, const struct settings *settings)
{
	struct buffer text = BUFFER_INIT;

	settings_write(settings, &text);
	inspector_show_configuration(inspector, buffer_slice(&text));
	buffer_fini(&text);
}

static int serve(const struct settings *settings)
{
	struct inspector *inspector = NULL;
	struct endings endings;
	struct err err = ERR_INIT;
	struct server *server;
	int status = EXIT_SUCCESS;

	server = server_create(&settings->proxy, &err);
	if (server == NULL) {
		log_error("%s", err.text);
		return EXIT_RUN_TIME;
	}
	if (settings->inspector.enabled || settings->proxy.admin_listen_count > 0) {
		inspector = inspector_create(&settings->inspector, &settings->proxy, server);
		show_settings(inspector, settings);
	}
	if (start(server, &endings, &err) == ERR_NONE) {
		announce(server, &settings->proxy);
		if (settings->demo) {
			announce_demo(server, &settings->proxy);
		}
		inspector_announce(inspector);
		server_run(server);
	} else {
		log_error("%s", err.text);
		status = EXIT_RUN_TIME;
		server_drain(server);
		server_join(server);
	}
	server_destroy(server);
	inspector_destroy(inspector);
	return status;
}

static int run(struct settings *settings)
{
	struct demo *demo = NULL;
	struct err err = ERR_INIT;
	int status;

	block_signals(); /* before the first thread, which the log starts */
	log_start(settings->log.level, settings->log.format);
	if (settings->demo) {
		demo = demo_start(&err);
		if (demo == NULL) {
			log_error("demo: %s", err.text);
			log_stop(LOG_END_MS);
			return EXIT_RUN_TIME;
		}
		settings_use_demo(settings, demo_port(demo));
	}
	status = serve(settings);
	demo_stop(demo);
	log_stop(LOG_END_MS);
	return status;
}

int main(int argc, char **argv)
{
	struct settings settings;
	int status;

	switch (settings_load(argc, argv, environ, &settings, stdout, stderr)) {
	case SETTINGS_DONE:
		return EXIT_SUCCESS;
	case SETTINGS_BAD:
		return EXIT_SETTINGS;
	case SETTINGS_RUN:
		break;
	}
	status = run(&settings);
	settings_fini(&settings);
	return status;
}
